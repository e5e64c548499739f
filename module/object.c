// SPDX-License-Identifier: GPL-2.0
/*
 * Objects: made, found, opened, changed, listed, removed.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs_struct.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "box.h"
#include "channel.h"
#include "exchange.h"
#include "limits.h"
#include "locking.h"
#include "object.h"
#include "process.h"
#include "region.h"
#include "trace.h"

/*
 * What LIST does under one hold of box->lock: structures that it gathers
 * before it copies them out, and objects that it looks at.
 */
#define OBJECT_LIST_CHUNK	16
#define OBJECT_LIST_LOOKS	1024

/* What two objects of one kind may differ in so that they are not one sort. */
#define OBJECT_STATE_SORT \
	(IPCBOX_STATE_STREAM | IPCBOX_STATE_PLAIN | IPCBOX_STATE_REVOCABLE | \
	 IPCBOX_STATE_POOL)

static const struct ipcbox_kind * const object_kinds[] = {
	[IPCBOX_MAILBOX] = &ipcbox_mailbox_kind,
	[IPCBOX_QUEUE] = &ipcbox_queue_kind,
	[IPCBOX_REGION] = &ipcbox_region_kind,
	[IPCBOX_CHANNEL] = &ipcbox_channel_kind,
};

/*
 * Rights
 */

/* The creator of a revocable object stays like its owner, as msgctl(2) says. */
static bool object_is_owned(const struct ipcbox_object *object)
{
	return uid_eq(current_fsuid(), READ_ONCE(object->uid)) ||
	       (READ_ONCE(object->state) & IPCBOX_STATE_REVOCABLE &&
		uid_eq(current_fsuid(), object->creator_uid));
}

static bool object_is_of_group(const struct ipcbox_object *object)
{
	return in_group_p(READ_ONCE(object->gid)) ||
	       (READ_ONCE(object->state) & IPCBOX_STATE_REVOCABLE &&
		in_group_p(object->creator_gid));
}

static u32 object_rights(const struct ipcbox_object *object)
{
	u32 mode = READ_ONCE(object->mode);
	u32 rights = 0;

	if (object_is_owned(object)) {
		mode >>= 6;
		/* A process's own mailbox is managed by the process alone. */
		if (!object->process)
			rights |= IPCBOX_RIGHT_MANAGE;
	} else if (object_is_of_group(object)) {
		mode >>= 3;
	}
	if (mode & 04)
		rights |= IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_LOOK;
	if (mode & 02)
		rights |= IPCBOX_RIGHT_SEND;
	return rights;
}

/* What only a process's own mailbox grants; box->lock keeps the process. */
static u32 object_process_rights(const struct ipcbox_object *object)
{
	const struct ipcbox_process *process = object->process;

	if (!process)
		return 0;
	if (ipcbox_process_is_current(process))
		return IPCBOX_RIGHTS_ALL;
	if (ipcbox_process_may_signal(process) ||
	    ipcbox_box_capable(object->box, CAP_KILL))
		return IPCBOX_RIGHT_SEND;
	return 0;
}

/**
 * ipcbox_object_grants() - may the caller have rights on an object?
 * @object: the object; its box's lock is held
 * @rights: IPCBOX_RIGHT_* bits
 *
 * Return: true if owner, group and mode grant all of them, or a capability.
 */
bool ipcbox_object_grants(const struct ipcbox_object *object, u32 rights)
{
	lockdep_assert_held(&object->box->lock);
	return !(rights & ~object_rights(object)) ||
	       !(rights & ~object_process_rights(object)) ||
	       ipcbox_box_capable(object->box, CAP_IPC_OWNER);
}

/**
 * ipcbox_object_permits() - does a revocable object's mode let the caller?
 * @object: the object; no lock is needed, as it is no process's own mailbox
 * @rights: IPCBOX_RIGHT_* bits, of which one is enough
 *
 * Return: true if owner, group and mode grant it now, or a capability.
 */
bool ipcbox_object_permits(const struct ipcbox_object *object, u32 rights)
{
	return object_rights(object) & rights ||
	       ipcbox_box_capable(object->box, CAP_IPC_OWNER);
}

/*
 * Life
 */

static bool object_done_locked(const struct ipcbox_object *object)
{
	return !object->handles && !object->pins &&
	       (object->state & IPCBOX_STATE_UNLINKED ||
		!(object->state & IPCBOX_STATE_PERSISTENT));
}

/**
 * ipcbox_object_remove_locked() - the object's name and id are no more
 * @object: a registered object; its box's lock is held
 *
 * Return: true if nothing refers to it any more, so that the caller must call
 * ipcbox_object_destroy() once the lock is released.
 */
bool ipcbox_object_remove_locked(struct ipcbox_object *object)
{
	lockdep_assert_held(&object->box->lock);
	ipcbox_box_remove_locked(object->box, object);
	WRITE_ONCE(object->state, object->state | IPCBOX_STATE_UNLINKED);
	object->ops->unlinked(object);
	if (object->state & IPCBOX_STATE_PERSISTENT)
		module_put(THIS_MODULE);
	if (object->process) {
		object->process->mailbox = NULL;
		object->process = NULL;
		object->pins--;
	}
	return object_done_locked(object);
}

static bool object_fits_locked(const struct ipcbox_object *object,
			       const struct ipcbox_user *owner)
{
	u64 most = ipcbox_limit(user_mapped_bytes);

	lockdep_assert_held(&object->box->lock);
	if (owner->objects >= ipcbox_limit(user_objects))
		return false;
	return !object->mapped_bytes ||
	       (object->mapped_bytes <= most &&
		owner->mapped_bytes <= most - object->mapped_bytes);
}

static void object_charge_locked(struct ipcbox_object *object,
				 struct ipcbox_user *owner)
{
	lockdep_assert_held(&object->box->lock);
	owner->objects++;
	owner->mapped_bytes += object->mapped_bytes;
	object->owner = owner;
}

static void object_uncharge_locked(struct ipcbox_object *object)
{
	struct ipcbox_user *owner = object->owner;

	lockdep_assert_held(&object->box->lock);
	owner->objects--;
	owner->mapped_bytes -= object->mapped_bytes;
	ipcbox_user_put_locked(owner);
}

/* Free an object that is charged to nobody any more; box->lock is held. */
static void object_destroy_and_unlock(struct ipcbox_object *object)
{
	struct ipcbox_box *box = object->box;

	lockdep_assert_held(&box->lock);
	box->count--;
	mutex_unlock(&box->lock);
	wake_up_var(&box->count);
	object->ops->destroy(object);
}

/**
 * ipcbox_object_destroy() - free an object to which nothing refers
 * @object: the object, registered no more; no lock is held
 */
void ipcbox_object_destroy(struct ipcbox_object *object)
{
	mutex_lock(&object->box->lock);
	object_uncharge_locked(object);
	object_destroy_and_unlock(object);
}

/**
 * ipcbox_object_reap() - destroy what nothing refers to any more
 * @work: a box's reap
 */
void ipcbox_object_reap(struct work_struct *work)
{
	struct ipcbox_box *box = container_of(work, struct ipcbox_box, reap);
	struct ipcbox_object *object;

	for (;;) {
		mutex_lock(&box->lock);
		object = list_first_entry_or_null(&box->ended,
						  struct ipcbox_object, ended);
		if (!object)
			break;
		list_del(&object->ended);
		object_destroy_and_unlock(object);
	}
	mutex_unlock(&box->lock);
}

/**
 * ipcbox_object_unlock_box() - release box->lock when a handle has gone
 * @object: the object, which goes if that was the last
 */
void ipcbox_object_unlock_box(struct ipcbox_object *object)
{
	struct ipcbox_box *box = object->box;
	bool done = object_done_locked(object);

	if (done && !(object->state & IPCBOX_STATE_UNLINKED))
		ipcbox_object_remove_locked(object);
	mutex_unlock(&box->lock);
	if (done)
		ipcbox_object_destroy(object);
}

/**
 * ipcbox_object_pin() - keep an object alive
 * @box: a box that the caller knows to be alive
 * @id: the object's id
 *
 * Return: the object, until ipcbox_object_unpin(); NULL if there is none.
 */
struct ipcbox_object *ipcbox_object_pin(struct ipcbox_box *box, u64 id)
{
	struct ipcbox_object *object;

	mutex_lock(&box->lock);
	object = ipcbox_box_find_id_locked(box, id);
	if (object)
		object->pins++;
	mutex_unlock(&box->lock);
	return object;
}

/**
 * ipcbox_object_unpin() - undo ipcbox_object_pin()
 * @object: the object, which may go with it
 *
 * It does not go at once, but by the box's reap: to destroy an object buries
 * what is in it, which unpins others, and waits for its expire work, which may
 * be the caller. Neither a chain nor a circle of dead-letter mailboxes may so
 * come back to where it began.
 */
void ipcbox_object_unpin(struct ipcbox_object *object)
{
	struct ipcbox_box *box = object->box;

	mutex_lock(&box->lock);
	object->pins--;
	if (object_done_locked(object)) {
		if (!(object->state & IPCBOX_STATE_UNLINKED))
			ipcbox_object_remove_locked(object);
		/* Its user may make another at once. */
		object_uncharge_locked(object);
		list_add_tail(&object->ended, &box->ended);
		queue_work(system_unbound_wq, &box->reap);
	}
	mutex_unlock(&box->lock);
}

/**
 * ipcbox_object_pin_mapped() - a mapping begins, which keeps an object alive
 * @object: the object, which the caller knows to be alive
 *
 * For mappings that do not hold a handle. They hold the box, too.
 */
void ipcbox_object_pin_mapped(struct ipcbox_object *object)
{
	mutex_lock(&object->box->lock);
	object->pins++;
	mutex_unlock(&object->box->lock);
	ipcbox_box_get(object->box);
}

/**
 * ipcbox_object_unpin_mapped() - undo ipcbox_object_pin_mapped()
 * @object: the object, which may go with it
 */
void ipcbox_object_unpin_mapped(struct ipcbox_object *object)
{
	struct ipcbox_box *box = object->box;

	ipcbox_object_unpin(object);
	ipcbox_box_put(box);
}

static int object_register_locked(struct ipcbox_box *box,
				  struct ipcbox_object *object, kuid_t charged)
{
	struct ipcbox_user *owner;
	int error;

	lockdep_assert_held(&box->lock);
	owner = ipcbox_user_get_locked(box, charged);
	if (!owner)
		return -ENOMEM;
	error = -EDQUOT;
	if (object_fits_locked(object, owner))
		error = ipcbox_box_insert_locked(box, object);
	if (!error && object->ops->registered) {
		error = object->ops->registered(object);
		if (error) {
			ipcbox_box_remove_locked(box, object);
			box->count--;
		}
	}
	if (error) {
		ipcbox_user_put_locked(owner);
		return error;
	}
	object_charge_locked(object, owner);
	object->creator_uid = object->uid;
	object->creator_gid = object->gid;
	object->changed_at = ktime_get_real_seconds();
	if (object->state & IPCBOX_STATE_PERSISTENT)
		__module_get(THIS_MODULE);
	trace_ipcbox_create(object);
	return 0;
}

/* Makes an object that is in no box yet, and belongs to the caller. */
static struct ipcbox_object *object_make(struct ipcbox_box *box,
					 const struct ipcbox_create *request,
					 kuid_t uid, kgid_t gid)
{
	const struct ipcbox_kind *kind = object_kinds[request->kind];
	struct ipcbox_object *object;

	object = kind->create(request);
	if (IS_ERR(object))
		return object;
	object->box = box;
	object->kind = request->kind;
	object->ops = kind;
	object->uid = uid;
	object->gid = gid;
	object->mode = request->mode;
	return object;
}

/* The rights on a process's own mailbox, were it there. */
static bool object_process_would_grant(struct ipcbox_process *process,
				       const struct cred *cred,
				       const struct ipcbox_create *request,
				       u32 rights)
{
	const struct ipcbox_object object = {
		.box = process->box,
		.process = process,
		.uid = cred->uid,
		.gid = cred->gid,
		.mode = request->mode,
	};

	return ipcbox_object_grants(&object, rights);
}

/**
 * ipcbox_object_create_for_locked() - make a process's own mailbox
 * @process: the process; its box's lock is held
 * @rights: IPCBOX_RIGHT_* bits that the caller wants on it
 *
 * A caller that would not get them makes nothing at the process's cost. May
 * sleep for memory.
 *
 * Return: the mailbox, which lives without handles until it is removed;
 * ERR_PTR: -ENOENT when the process has died, -EACCES, -ENOMEM, -EDQUOT,
 * -ENOSPC.
 */
struct ipcbox_object *
ipcbox_object_create_for_locked(struct ipcbox_process *process, u32 rights)
{
	const struct ipcbox_create defaults = {
		.kind = IPCBOX_MAILBOX,
		.mode = 0200,
	};
	struct ipcbox_box *box = process->box;
	struct ipcbox_object *object;
	const struct cred *cred;
	int error;

	lockdep_assert_held(&box->lock);
	cred = ipcbox_process_cred(process);
	if (!cred)
		return ERR_PTR(-ENOENT);
	if (!object_process_would_grant(process, cred, &defaults, rights)) {
		put_cred(cred);
		return ERR_PTR(-EACCES);
	}
	object = object_make(box, &defaults, cred->uid, cred->gid);
	if (IS_ERR(object)) {
		put_cred(cred);
		return object;
	}
	object->state = IPCBOX_STATE_PROCESS;
	error = object_register_locked(box, object,
				       ipcbox_user_charged(cred->user_ns,
							   cred->uid));
	put_cred(cred);
	if (error) {
		object->ops->destroy(object);
		return ERR_PTR(error);
	}
	object->process = process;
	object->pins++;
	process->mailbox = object;
	return object;
}

/**
 * ipcbox_object_fill_stat() - an object's state
 * @object: the object
 * @stat: is filled whole, as the caller's user namespace has it
 */
void ipcbox_object_fill_stat(struct ipcbox_object *object,
			     struct ipcbox_stat *stat)
{
	*stat = (struct ipcbox_stat){
		.size = sizeof(*stat),
		.id = object->id,
		.kind = object->kind,
		.state = READ_ONCE(object->state),
		.uid = from_kuid_munged(current_user_ns(),
					READ_ONCE(object->uid)),
		.gid = from_kgid_munged(current_user_ns(),
					READ_ONCE(object->gid)),
		.creator_uid = from_kuid_munged(current_user_ns(),
						object->creator_uid),
		.creator_gid = from_kgid_munged(current_user_ns(),
						object->creator_gid),
		.changed_at = READ_ONCE(object->changed_at),
		.mode = READ_ONCE(object->mode),
		.name_length = object->name_length,
		.handles = READ_ONCE(object->handles),
		.mapped_bytes = object->mapped_bytes,
	};
	memcpy(stat->name, object->name, sizeof(stat->name));
	object->ops->stat(object, stat);
}

/*
 * Requests
 */

static bool object_rights_valid(u32 rights)
{
	return rights && !(rights & ~IPCBOX_RIGHTS_ALL);
}

static int object_read_name(char name[IPCBOX_NAME_MAX + 1], u64 from,
			    u32 length)
{
	u32 i;

	if (!length || length > IPCBOX_NAME_MAX)
		return -EINVAL;
	memset(name, 0, IPCBOX_NAME_MAX + 1);
	if (copy_from_user(name, u64_to_user_ptr(from), length))
		return -EFAULT;
	for (i = 0; i < length; i++)
		if (name[i] < '!' || name[i] > '~' || name[i] == '/')
			return -EINVAL;
	return 0;
}

/* How OPEN and UNLINK say which object they mean. */
struct object_reference {
	u32 by;
	u64 id;
	struct pid *pid;
	char name[IPCBOX_NAME_MAX + 1];
};

static int object_read_reference(struct object_reference *reference, u32 by,
				 u64 id, u64 name, u32 name_length)
{
	reference->by = by;
	reference->id = id;
	reference->pid = NULL;
	switch (by) {
	case IPCBOX_BY_NAME:
		return id ? -EINVAL : object_read_name(reference->name, name,
						       name_length);
	case IPCBOX_BY_ID:
		return name || name_length ? -EINVAL : 0;
	case IPCBOX_BY_PROCESS:
		if (name || name_length || !id || id > INT_MAX)
			return -EINVAL;
		reference->pid = find_get_pid(id);
		return reference->pid ? 0 : -ENOENT;
	default:
		return -EINVAL;
	}
}

static struct ipcbox_object *
object_find_locked(struct ipcbox_box *box,
		   const struct object_reference *reference)
{
	struct ipcbox_object *object;

	if (reference->by == IPCBOX_BY_NAME)
		object = ipcbox_box_find_name_locked(box, reference->name);
	else
		object = ipcbox_box_find_id_locked(box, reference->id);
	return object ?: ERR_PTR(-ENOENT);
}

static struct ipcbox_object *
object_prepare(struct ipcbox_box *box, const struct ipcbox_create *request)
{
	struct ipcbox_object *object;
	int error;

	object = object_make(box, request, current_fsuid(), current_fsgid());
	if (IS_ERR(object))
		return object;
	if (!(request->flags & IPCBOX_CREATE_REVOCABLE))
		object->mode &= ~current_umask();
	if (request->flags & IPCBOX_CREATE_PERSISTENT)
		object->state |= IPCBOX_STATE_PERSISTENT;
	if (request->flags & IPCBOX_CREATE_PLAIN)
		object->state |= IPCBOX_STATE_PLAIN;
	if (request->flags & IPCBOX_CREATE_REVOCABLE)
		object->state |= IPCBOX_STATE_REVOCABLE;
	if (request->flags & IPCBOX_CREATE_STREAM)
		object->state |= IPCBOX_STATE_STREAM;
	object->name_length = request->name_length;
	if (!request->name_length)
		return object;
	error = object_read_name(object->name, request->name,
				 request->name_length);
	if (!error)
		return object;
	object->ops->destroy(object);
	return ERR_PTR(error);
}

/* Only queues of messages are plain, and only plain ones revocable. */
static bool object_create_plain_valid(const struct ipcbox_create *request)
{
	if (request->flags & IPCBOX_CREATE_PLAIN)
		return request->kind == IPCBOX_QUEUE &&
		       !(request->flags & IPCBOX_CREATE_STREAM);
	return !(request->flags & IPCBOX_CREATE_REVOCABLE);
}

static bool object_create_valid(const struct ipcbox_create *request)
{
	const u32 flags = IPCBOX_CREATE_EXCLUSIVE | IPCBOX_CREATE_PERSISTENT |
			  IPCBOX_CREATE_NONBLOCK | IPCBOX_CREATE_STREAM |
			  IPCBOX_CREATE_HUGE | IPCBOX_CREATE_PLAIN |
			  IPCBOX_CREATE_REVOCABLE;
	u32 mode = request->flags & IPCBOX_CREATE_REVOCABLE ? 0777 : 0666;

	return !(request->flags & ~flags) && !request->pad2 &&
	       request->kind < ARRAY_SIZE(object_kinds) &&
	       object_kinds[request->kind] &&
	       !(request->mode & ~mode) && object_create_plain_valid(request) &&
	       object_rights_valid(request->rights);
}

/*
 * Attach @handle to the object of the name that @object has, or, where there
 * is none, to @object itself, which then belongs to the box.
 */
static int object_attach_or_register(struct ipcbox_handle *handle,
				     struct ipcbox_object *object,
				     const struct ipcbox_create *request)
{
	struct ipcbox_object *found = NULL;
	int error;

	if (object->name_length)
		found = ipcbox_box_find_name_locked(object->box, object->name);
	if (found) {
		if (request->flags & IPCBOX_CREATE_EXCLUSIVE ||
		    found->kind != object->kind ||
		    (found->state ^ object->state) & OBJECT_STATE_SORT)
			return -EEXIST;
		if (!ipcbox_object_grants(found, handle->rights))
			return -EACCES;
		return ipcbox_handle_attach_locked(handle, found);
	}
	error = object_register_locked(object->box, object,
				       ipcbox_user_current());
	if (error)
		return error;
	return ipcbox_handle_attach_locked(handle, object);
}

/* The answer to a CREATE could not be given: a new object must go again. */
static void object_create_undo(struct ipcbox_invocation *call)
{
	struct ipcbox_handle *handle = call->opened->private_data;
	struct ipcbox_object *object = handle->object;
	struct ipcbox_box *box = object->box;

	mutex_lock(&box->lock);
	if (!(object->state & IPCBOX_STATE_UNLINKED))
		ipcbox_object_remove_locked(object);
	mutex_unlock(&box->lock);
}

/**
 * ipcbox_object_create() - serve IPCBOX_IOC_CREATE
 * @call: a call on the device, with a struct ipcbox_create
 *
 * Return: 0 with @call->opened set, or an errno as <linux/ipcbox.h> says.
 */
long ipcbox_object_create(struct ipcbox_invocation *call)
{
	struct ipcbox_box *box = ipcbox_process_box(call->file);
	struct ipcbox_create *request = call->request;
	struct ipcbox_object *object;
	struct ipcbox_handle *handle;
	struct file *file;
	int error;

	if (!object_create_valid(request))
		return -EINVAL;
	/* The rest of the budget is checked when the object is charged. */
	if (request->mapped_bytes > ipcbox_limit(user_mapped_bytes))
		return -EDQUOT;
	object = object_prepare(box, request);
	if (IS_ERR(object))
		return PTR_ERR(object);
	file = ipcbox_handle_create(request->rights,
				    request->flags & IPCBOX_CREATE_NONBLOCK);
	if (IS_ERR(file)) {
		object->ops->destroy(object);
		return PTR_ERR(file);
	}
	handle = file->private_data;

	mutex_lock(&box->lock);
	error = object_attach_or_register(handle, object, request);
	mutex_unlock(&box->lock);
	if (handle->object != object)
		object->ops->destroy(object);
	if (error) {
		fput(file);
		return error;
	}
	ipcbox_handle_finish(file);
	request->id = handle->object->id;
	request->created = handle->object == object;
	if (request->created)
		call->undo = object_create_undo;
	call->opened = file;
	return 0;
}

/* The object that OPEN means, which is made if it is a process's own mailbox. */
static struct ipcbox_object *
object_find_to_open_locked(struct ipcbox_box *box,
			   const struct object_reference *reference,
			   const struct ipcbox_open *request)
{
	if (reference->by != IPCBOX_BY_PROCESS)
		return object_find_locked(box, reference);
	/* None of these is revocable. */
	if (request->flags & IPCBOX_OPEN_REVOCABLE)
		return ERR_PTR(-ENOENT);
	return ipcbox_process_mailbox_locked(box, reference->pid,
					     request->rights);
}

/* What is checked at each use need not be when it is opened. */
static int object_open_check(const struct ipcbox_object *object,
			     const struct ipcbox_open *request)
{
	if (request->flags & IPCBOX_OPEN_REVOCABLE)
		return object->state & IPCBOX_STATE_REVOCABLE ? 0 : -ENOENT;
	return ipcbox_object_grants(object, request->rights) ? 0 : -EACCES;
}

/**
 * ipcbox_object_open() - serve IPCBOX_IOC_OPEN
 * @call: a call on the device, with a struct ipcbox_open
 *
 * Return: 0 with @call->opened set, or an errno as <linux/ipcbox.h> says.
 */
long ipcbox_object_open(struct ipcbox_invocation *call)
{
	struct ipcbox_box *box = ipcbox_process_box(call->file);
	struct ipcbox_open *request = call->request;
	struct object_reference reference;
	struct ipcbox_object *object;
	struct file *file;
	int error;

	if (request->flags & ~(IPCBOX_OPEN_NONBLOCK | IPCBOX_OPEN_REVOCABLE) ||
	    !object_rights_valid(request->rights))
		return -EINVAL;
	error = object_read_reference(&reference, request->by, request->object,
				      request->name, request->name_length);
	if (error)
		return error;
	file = ipcbox_handle_create(request->rights,
				    request->flags & IPCBOX_OPEN_NONBLOCK);
	if (IS_ERR(file)) {
		put_pid(reference.pid);
		return PTR_ERR(file);
	}

	mutex_lock(&box->lock);
	object = object_find_to_open_locked(box, &reference, request);
	error = PTR_ERR_OR_ZERO(object);
	if (!error)
		error = object_open_check(object, request);
	if (!error)
		error = ipcbox_handle_attach_locked(file->private_data, object);
	mutex_unlock(&box->lock);
	put_pid(reference.pid);
	if (error) {
		fput(file);
		return error;
	}
	ipcbox_handle_finish(file);
	request->kind = object->kind;
	request->id = object->id;
	call->opened = file;
	return 0;
}

/*
 * Returns true if the object is to be destroyed. What is revocable ends at once,
 * whoever has handles on it: *revoke is set, and the object pinned for that.
 */
static bool object_unlink_locked(struct ipcbox_object *object, bool *revoke)
{
	*revoke = object->state & IPCBOX_STATE_REVOCABLE;
	if (*revoke)
		object->pins++;
	return ipcbox_object_remove_locked(object);
}

/**
 * ipcbox_object_unlink() - serve IPCBOX_IOC_UNLINK
 * @call: a call on the device, with a struct ipcbox_unlink
 *
 * Return: 0, or an errno as <linux/ipcbox.h> says.
 */
long ipcbox_object_unlink(struct ipcbox_invocation *call)
{
	struct ipcbox_box *box = ipcbox_process_box(call->file);
	struct ipcbox_unlink *request = call->request;
	struct object_reference reference;
	struct ipcbox_object *object;
	bool revoke = false;
	bool done = false;
	int error;

	if (request->flags || request->by == IPCBOX_BY_PROCESS)
		return -EINVAL;
	error = object_read_reference(&reference, request->by, request->object,
				      request->name, request->name_length);
	if (error)
		return error;

	mutex_lock(&box->lock);
	object = object_find_locked(box, &reference);
	if (IS_ERR(object))
		error = PTR_ERR(object);
	else if (!ipcbox_object_grants(object, IPCBOX_RIGHT_MANAGE))
		error = -EPERM;
	else
		done = object_unlink_locked(object, &revoke);
	mutex_unlock(&box->lock);
	if (revoke) {
		object->ops->revoke(object);
		ipcbox_object_unpin(object);
	}
	if (done)
		ipcbox_object_destroy(object);
	return error;
}

/* Sets *end when there is no object after those that it looked at. */
static u32 object_list_chunk(struct ipcbox_box *box, u64 *cursor, bool *end,
			     struct ipcbox_stat *chunk, u32 count, bool all)
{
	struct ipcbox_object *object;
	u32 looks = 0;
	u32 n = 0;

	mutex_lock(&box->lock);
	while (n < count && looks++ < OBJECT_LIST_LOOKS) {
		object = ipcbox_box_next_locked(box, *cursor);
		if (!object) {
			*end = true;
			break;
		}
		*cursor = object->id;
		if (all || object_rights(object) ||
		    object_process_rights(object))
			ipcbox_object_fill_stat(object, &chunk[n++]);
	}
	mutex_unlock(&box->lock);
	return n;
}

/* An entry larger than the kernel's gets its rest filled with zeroes. */
static int object_list_copy(void __user *to, u32 entry_size,
			    struct ipcbox_stat *stat)
{
	u32 size = min_t(u32, entry_size, sizeof(*stat));

	stat->size = size;
	if (copy_to_user(to, stat, size) ||
	    clear_user(to + size, entry_size - size))
		return -EFAULT;
	return 0;
}

/**
 * ipcbox_object_list() - serve IPCBOX_IOC_LIST
 * @call: a call on the device, with a struct ipcbox_list
 *
 * Return: 0, or an errno as <linux/ipcbox.h> says.
 */
long ipcbox_object_list(struct ipcbox_invocation *call)
{
	struct ipcbox_box *box = ipcbox_process_box(call->file);
	struct ipcbox_list *request = call->request;
	void __user *to = u64_to_user_ptr(request->entries);
	bool all = ns_capable_noaudit(box->net->user_ns, CAP_IPC_OWNER);
	u64 cursor = request->cursor;
	struct ipcbox_stat *chunk;
	u32 returned = 0;
	bool end = false;
	int error = 0;
	u32 i, n;

	if (request->flags || request->pad || !request->count)
		return -EINVAL;
	if (request->entry_size < offsetofend(struct ipcbox_stat, changed_at))
		return -EINVAL;
	if (request->entry_size > PAGE_SIZE)
		return -E2BIG;
	chunk = kmalloc_array(OBJECT_LIST_CHUNK, sizeof(*chunk), GFP_KERNEL);
	if (!chunk)
		return -ENOMEM;
	while (returned < request->count && !end && !error) {
		n = object_list_chunk(box, &cursor, &end, chunk,
				      min_t(u32, request->count - returned,
					    OBJECT_LIST_CHUNK), all);
		for (i = 0; i < n && !error; i++, returned++) {
			error = object_list_copy(to, request->entry_size,
						 &chunk[i]);
			to += request->entry_size;
		}
		if (fatal_signal_pending(current))
			error = -EINTR;
		cond_resched();
	}
	kfree(chunk);
	request->next = cursor;
	request->returned = returned;
	return error;
}

/**
 * ipcbox_object_stat() - serve IPCBOX_IOC_STAT
 * @call: a call on a handle, with a struct ipcbox_stat
 *
 * Return: 0, or an errno as <linux/ipcbox.h> says.
 */
long ipcbox_object_stat(struct ipcbox_invocation *call)
{
	struct ipcbox_stat *stat = call->request;
	u32 size = stat->size;

	if (stat->flags || stat->pad)
		return -EINVAL;
	ipcbox_object_fill_stat(ipcbox_handle_of(call)->object, stat);
	stat->size = size;
	return 0;
}

static int object_set_check(struct ipcbox_object *object,
			    const struct ipcbox_set *request, kuid_t *uid,
			    kgid_t *gid)
{
	bool revocable = object->state & IPCBOX_STATE_REVOCABLE;
	struct ipcbox_box *box = object->box;

	*uid = object->uid;
	*gid = object->gid;
	if (request->mask & IPCBOX_SET_MODE &&
	    request->mode & ~(revocable ? 0777 : 0666))
		return -EINVAL;
	if (request->mask & IPCBOX_SET_UID) {
		*uid = make_kuid(current_user_ns(), request->uid);
		if (!uid_valid(*uid))
			return -EINVAL;
		if (!uid_eq(*uid, object->uid) && !revocable &&
		    !ipcbox_box_capable(box, CAP_CHOWN))
			return -EPERM;
	}
	if (request->mask & IPCBOX_SET_GID) {
		*gid = make_kgid(current_user_ns(), request->gid);
		if (!gid_valid(*gid))
			return -EINVAL;
		if (!gid_eq(*gid, object->gid) && !revocable &&
		    !(uid_eq(current_fsuid(), object->uid) &&
		      in_group_p(*gid)) &&
		    !ipcbox_box_capable(box, CAP_CHOWN))
			return -EPERM;
	}
	return object->ops->set_check(object, request);
}

static int object_set_locked(struct ipcbox_object *object,
			     const struct ipcbox_set *request)
{
	struct ipcbox_user *owner;
	kuid_t uid, charged;
	kgid_t gid;
	int error;

	lockdep_assert_held(&object->box->lock);
	error = object_set_check(object, request, &uid, &gid);
	if (error)
		return error;
	/* A revocable object may be given to anybody: not so its charge. */
	if (!uid_eq(uid, object->uid) &&
	    !(object->state & IPCBOX_STATE_REVOCABLE)) {
		charged = ipcbox_user_charged(current_user_ns(), uid);
		owner = ipcbox_user_get_locked(object->box, charged);
		if (!owner)
			return -ENOMEM;
		object_uncharge_locked(object);
		object_charge_locked(object, owner);
	}
	WRITE_ONCE(object->uid, uid);
	WRITE_ONCE(object->gid, gid);
	WRITE_ONCE(object->changed_at, ktime_get_real_seconds());
	if (request->mask & IPCBOX_SET_MODE)
		WRITE_ONCE(object->mode, request->mode);
	if (object->ops->set)
		object->ops->set(object, request);
	return 0;
}

/**
 * ipcbox_object_set() - serve IPCBOX_IOC_SET
 * @call: a call on a handle, with a struct ipcbox_set
 *
 * Return: 0, or an errno as <linux/ipcbox.h> says.
 */
long ipcbox_object_set(struct ipcbox_invocation *call)
{
	const u32 mask = IPCBOX_SET_MODE | IPCBOX_SET_UID | IPCBOX_SET_GID |
			 IPCBOX_SET_MAX_MESSAGES | IPCBOX_SET_MAX_BYTES |
			 IPCBOX_SET_MAX_MESSAGE_BYTES |
			 IPCBOX_SET_DEAD_LETTER | IPCBOX_SET_MAX_DELIVERIES |
			 IPCBOX_SET_MAX_DESCRIPTORS;
	struct ipcbox_handle *handle = ipcbox_handle_of(call);
	struct ipcbox_object *object = handle->object;
	const struct ipcbox_set *request = call->request;
	int error;

	if (request->flags || !request->mask || request->mask & ~mask)
		return -EINVAL;
	error = ipcbox_handle_check(handle, IPCBOX_RIGHT_MANAGE);
	if (error)
		return error;
	mutex_lock(&object->box->lock);
	error = object_set_locked(object, request);
	mutex_unlock(&object->box->lock);
	return error;
}
