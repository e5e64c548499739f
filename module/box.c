// SPDX-License-Identifier: GPL-2.0
/*
 * The box: the registry of one network namespace, and its users' budgets.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/nsproxy.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/wait_bit.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "box.h"
#include "limits.h"
#include "locking.h"
#include "object.h"

static unsigned int box_net_id;

static const struct rhashtable_params box_names_params = {
	.head_offset = offsetof(struct ipcbox_object, name_node),
	.key_offset = offsetof(struct ipcbox_object, name),
	.key_len = sizeof_field(struct ipcbox_object, name),
	.automatic_shrinking = true,
};

static int __net_init box_init(struct net *net)
{
	struct ipcbox_box *box = net_generic(net, box_net_id);

	mutex_init(&box->lock);
	box->net = net;
	INIT_LIST_HEAD(&box->ended);
	INIT_WORK(&box->reap, ipcbox_object_reap);
	xa_init_flags(&box->objects, XA_FLAGS_ACCOUNT);
	hash_init(box->users);
	hash_init(box->processes);
	return rhashtable_init(&box->names, &box_names_params);
}

static bool box_is_empty(struct ipcbox_box *box)
{
	bool empty;

	mutex_lock(&box->lock);
	empty = !box->count;
	mutex_unlock(&box->lock);
	return empty;
}

/*
 * Every handle holds the namespace, so what is left has none: persistent
 * objects, which go with their namespace. One that still gets another's dead
 * letters is left to who sends them, and waited for.
 */
static void __net_exit box_exit(struct net *net)
{
	struct ipcbox_box *box = net_generic(net, box_net_id);
	struct ipcbox_object *object;
	bool done;

	for (;;) {
		mutex_lock(&box->lock);
		object = ipcbox_box_next_locked(box, 0);
		done = object && ipcbox_object_remove_locked(object);
		mutex_unlock(&box->lock);
		if (!object)
			break;
		if (done)
			ipcbox_object_destroy(object);
	}
	wait_var_event(&box->count, box_is_empty(box));
	flush_work(&box->reap);
	rhashtable_destroy(&box->names);
	xa_destroy(&box->objects);
}

static struct pernet_operations box_net_operations = {
	.init = box_init,
	.exit = box_exit,
	.id = &box_net_id,
	.size = sizeof(struct ipcbox_box),
};

/**
 * ipcbox_box_register() - give every network namespace its box
 *
 * Return: 0, or a negative errno of register_pernet_subsys().
 */
int ipcbox_box_register(void)
{
	return register_pernet_subsys(&box_net_operations);
}

/**
 * ipcbox_box_unregister() - take the boxes away; all must be without objects
 */
void ipcbox_box_unregister(void)
{
	unregister_pernet_subsys(&box_net_operations);
}

/**
 * ipcbox_box_get_current() - the box of the caller's network namespace
 *
 * Return: the box, held until ipcbox_box_put().
 */
struct ipcbox_box *ipcbox_box_get_current(void)
{
	return net_generic(get_net(current->nsproxy->net_ns), box_net_id);
}

/**
 * ipcbox_box_get() - hold a box, by holding its namespace
 * @box: a box that the caller knows to be alive
 */
void ipcbox_box_get(struct ipcbox_box *box)
{
	get_net(box->net);
}

/**
 * ipcbox_box_put() - undo ipcbox_box_get()
 * @box: the box, which may go with it
 */
void ipcbox_box_put(struct ipcbox_box *box)
{
	put_net(box->net);
}

/**
 * ipcbox_box_capable() - does the caller have a capability over the box?
 * @box: the box
 * @capability: a CAP_* number
 *
 * Return: true if it has it in the user namespace that owns the box.
 */
bool ipcbox_box_capable(struct ipcbox_box *box, int capability)
{
	return ns_capable(box->net->user_ns, capability);
}

/**
 * ipcbox_box_insert_locked() - register an object and give it its id
 * @box: the box; its lock is held
 * @object: an object with its name, if any, which must not be in the box
 *
 * Return: 0, -ENOSPC at the box's limit of objects, or -ENOMEM.
 */
int ipcbox_box_insert_locked(struct ipcbox_box *box,
			     struct ipcbox_object *object)
{
	u64 id = box->last_id + 1;
	int error;

	lockdep_assert_held(&box->lock);
	if (box->count >= ipcbox_limit(box_objects))
		return -ENOSPC;
	error = xa_err(xa_store(&box->objects, id, object, GFP_KERNEL));
	if (error)
		return error;
	if (object->name_length) {
		error = rhashtable_insert_fast(&box->names, &object->name_node,
					       box_names_params);
		if (error) {
			xa_erase(&box->objects, id);
			return error;
		}
	}
	object->id = id;
	box->last_id = id;
	box->count++;
	return 0;
}

/**
 * ipcbox_box_remove_locked() - the object can be found no more
 * @box: the box; its lock is held
 * @object: an object that is registered in it
 */
void ipcbox_box_remove_locked(struct ipcbox_box *box,
			      struct ipcbox_object *object)
{
	lockdep_assert_held(&box->lock);
	xa_erase(&box->objects, object->id);
	if (object->name_length)
		rhashtable_remove_fast(&box->names, &object->name_node,
				       box_names_params);
}

/**
 * ipcbox_box_find_name_locked() - look an object up by name
 * @box: the box; its lock is held
 * @name: the name, zero-padded to IPCBOX_NAME_MAX + 1 bytes
 *
 * Return: the object, alive while the lock is held, or NULL.
 */
struct ipcbox_object *ipcbox_box_find_name_locked(struct ipcbox_box *box,
						  const char *name)
{
	lockdep_assert_held(&box->lock);
	return rhashtable_lookup_fast(&box->names, name, box_names_params);
}

/**
 * ipcbox_box_find_id_locked() - look an object up by id
 * @box: the box; its lock is held
 * @id: the id
 *
 * Return: the object, alive while the lock is held, or NULL.
 */
struct ipcbox_object *ipcbox_box_find_id_locked(struct ipcbox_box *box, u64 id)
{
	lockdep_assert_held(&box->lock);
	return xa_load(&box->objects, id);
}

/**
 * ipcbox_box_next_locked() - step through the objects
 * @box: the box; its lock is held
 * @after: an id, or 0 to begin
 *
 * Return: the object of the next higher id, or NULL.
 */
struct ipcbox_object *ipcbox_box_next_locked(struct ipcbox_box *box, u64 after)
{
	unsigned long id = after;

	lockdep_assert_held(&box->lock);
	return xa_find_after(&box->objects, &id, ULONG_MAX, XA_PRESENT);
}

/**
 * ipcbox_user_charged() - to whom a uid's use is charged
 * @ns: the user namespace of who uses
 * @uid: its uid
 *
 * A user namespace hands its owner as many uids as it likes, so they share the
 * budget of the outermost owner.
 *
 * Return: @uid itself in the initial user namespace; elsewhere the owner of
 * the outermost user namespace around @ns, or @ns itself.
 */
kuid_t ipcbox_user_charged(struct user_namespace *ns, kuid_t uid)
{
	for (; ns != &init_user_ns; ns = ns->parent)
		uid = ns->owner;
	return uid;
}

/**
 * ipcbox_user_find_locked() - look a user's budget up
 * @box: the box; its lock is held
 * @uid: from ipcbox_user_current()
 *
 * Return: the user, alive while the lock is held; NULL if it has nothing here.
 */
struct ipcbox_user *ipcbox_user_find_locked(struct ipcbox_box *box, kuid_t uid)
{
	struct ipcbox_user *user;

	lockdep_assert_held(&box->lock);
	hash_for_each_possible(box->users, user, node, __kuid_val(uid))
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

/**
 * ipcbox_user_get_locked() - find or make a user's budget
 * @box: the box; its lock is held
 * @uid: from ipcbox_user_current()
 *
 * May sleep for memory.
 *
 * Return: the user, held until ipcbox_user_put(), or NULL without memory.
 */
struct ipcbox_user *ipcbox_user_get_locked(struct ipcbox_box *box, kuid_t uid)
{
	struct ipcbox_user *user = ipcbox_user_find_locked(box, uid);

	lockdep_assert_held(&box->lock);
	if (user) {
		refcount_inc(&user->references);
		return user;
	}
	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		return NULL;
	user->box = box;
	user->uid = uid;
	refcount_set(&user->references, 1);
	hash_add(box->users, &user->node, __kuid_val(uid));
	return user;
}

/**
 * ipcbox_user_get() - ipcbox_user_get_locked() for callers without the lock
 * @box: the box
 * @uid: from ipcbox_user_current()
 *
 * Return: the user, held until ipcbox_user_put(), or NULL without memory.
 */
struct ipcbox_user *ipcbox_user_get(struct ipcbox_box *box, kuid_t uid)
{
	struct ipcbox_user *user;

	mutex_lock(&box->lock);
	user = ipcbox_user_get_locked(box, uid);
	mutex_unlock(&box->lock);
	return user;
}

/**
 * ipcbox_user_put_locked() - let go of a user's budget
 * @user: the user; its box's lock is held
 */
void ipcbox_user_put_locked(struct ipcbox_user *user)
{
	lockdep_assert_held(&user->box->lock);
	if (!refcount_dec_and_test(&user->references))
		return;
	hash_del(&user->node);
	kfree(user);
}

/**
 * ipcbox_user_put() - ipcbox_user_put_locked() for callers without the lock
 * @user: the user
 */
void ipcbox_user_put(struct ipcbox_user *user)
{
	struct ipcbox_box *box = user->box;

	mutex_lock(&box->lock);
	ipcbox_user_put_locked(user);
	mutex_unlock(&box->lock);
}
