/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Objects as users name them: NAME, '#5' or id:5.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

const char *kind_name(unsigned int kind)
{
	return kind == IPCBOX_MAILBOX ? "mailbox" :
	       kind == IPCBOX_QUEUE ? "queue" :
	       kind == IPCBOX_REGION ? "region" :
	       kind == IPCBOX_CHANNEL ? "channel" : "object";
}

/* A stream is a queue, but not one to send to. */
const char *object_kind(const struct ipcbox_stat *state)
{
	return state->state & IPCBOX_STATE_STREAM ? "stream" :
						    kind_name(state->kind);
}

void object_label(char label[SHORT_TEXT + IPCBOX_NAME_MAX],
		  const struct ipcbox_stat *state)
{
	if (state->name_length)
		snprintf(label, SHORT_TEXT + IPCBOX_NAME_MAX, "%s '%s'",
			 object_kind(state), (const char *)state->name);
	else
		snprintf(label, SHORT_TEXT + IPCBOX_NAME_MAX, "%s #%llu",
			 object_kind(state), (unsigned long long)state->id);
}

void refuse_stream(const struct ipcbox_stat *state)
{
	char label[SHORT_TEXT + IPCBOX_NAME_MAX];

	if (!(state->state & IPCBOX_STATE_STREAM))
		return;
	object_label(label, state);
	fail(STATUS_FAILED, EOPNOTSUPP,
	     "%s is no queue of messages: use 'ipcbox pipe'", label);
}

/* The id in @text, when @text is of the form of an id. */
static bool is_id(const char *text, uint64_t *id)
{
	if (text[0] == '#')
		return parse_number(text + 1, id);
	return !strncmp(text, "id:", 3) && parse_number(text + 3, id);
}

/* Why @name cannot be a name, or NULL. */
static const char *name_fault(const char *name)
{
	const char *byte;

	if (!*name)
		return "is empty";
	if (strlen(name) > IPCBOX_NAME_MAX)
		return "is longer than 63 bytes";
	for (byte = name; *byte; byte++)
		if (*byte < '!' || *byte > '~' || *byte == '/')
			return "has a space, a '/' or a byte that is not of ASCII";
	return NULL;
}

/* Whether a name is taken for a name when it is typed. */
bool name_is_plain(const char *name)
{
	uint64_t id;

	return !is_id(name, &id);
}

void describe_target(struct target *target, unsigned int kind)
{
	if (target->name)
		snprintf(target->label, sizeof(target->label), "%s '%s'",
			 kind_name(kind), target->name);
	else
		snprintf(target->label, sizeof(target->label), "%s #%llu",
			 kind_name(kind), (unsigned long long)target->id);
}

void parse_target(struct target *target, const char *text)
{
	*target = (struct target){ .name = NULL };
	if (!is_id(text, &target->id)) {
		const char *fault = name_fault(text);

		if (fault)
			usage_error("'%s' cannot be a name: it %s", text, fault);
		target->name = text;
	}
	describe_target(target, 0);
}

struct ipcbox *open_box(void)
{
	struct ipcbox *box;
	int error = ipcbox_box_open(&box);

	if (error)
		fail_box(error);
	return box;
}

struct ipcbox_handle *open_target(struct ipcbox *box, struct target *target,
				  unsigned int rights)
{
	struct ipcbox_handle *handle;
	int error;

	if (target->name)
		error = ipcbox_open_name(box, target->name, rights, 0, &handle);
	else
		error = ipcbox_open_id(box, target->id, rights, 0, &handle);
	if (error)
		fail_target(target, IPCBOX_OPERATION_OPEN, error);
	describe_target(target, ipcbox_handle_kind(handle));
	return handle;
}

/* A mailbox that lives, and whose senders can live, only with this process. */
struct ipcbox_handle *listen_mailbox(struct ipcbox *box, struct target *target)
{
	struct ipcbox_create_options create = {
		.name = target->name, .kind = IPCBOX_MAILBOX,
		.rights = IPCBOX_RIGHT_RECEIVE,
		.flags = IPCBOX_CREATE_EXCLUSIVE,
	};
	struct ipcbox_handle *handle;
	int error = ipcbox_create(box, &create, &handle);

	if (error == -EEXIST)
		fail(STATUS_BUSY, error,
		     "'%s' is there already: use it without --listen, or remove it with 'ipcbox rm %s'",
		     target->name, target->name);
	if (error)
		fail_target(target, IPCBOX_OPERATION_CREATE, error);
	describe_target(target, IPCBOX_MAILBOX);
	return handle;
}

void handle_state(struct ipcbox_handle *handle, const struct target *target,
		  struct ipcbox_stat *state)
{
	int error = ipcbox_stat(handle, state);

	if (error)
		fail_target(target, IPCBOX_OPERATION_STAT, error);
}

static bool is_target(const struct target *target,
		      const struct ipcbox_stat *state)
{
	return target->name ? !strcmp((const char *)state->name, target->name) :
			      state->id == target->id;
}

/*
 * Through the listing and not through a handle: a handle would show in the
 * figures, be a mailbox's one receiver, or keep waiters from learning that
 * the other side is gone.
 */
void find_target(struct ipcbox *box, struct target *target,
		 struct ipcbox_stat *state)
{
	struct ipcbox_listing *listing;
	struct ipcbox_handle *handle;
	int result = ipcbox_list_begin(box, &listing);

	if (result < 0)
		fail_target(target, IPCBOX_OPERATION_LIST, result);
	while ((result = ipcbox_list_next(listing, state)) > 0)
		if (is_target(target, state))
			break;
	ipcbox_list_end(listing);
	if (result < 0)
		fail_target(target, IPCBOX_OPERATION_LIST, result);
	if (result > 0) {
		describe_target(target, state->kind);
		return;
	}

	/*
	 * Hidden, or not there? Opening tells. If it has come meanwhile, a
	 * looker is not taken for a sender who goes again.
	 */
	handle = open_target(box, target, IPCBOX_RIGHT_LOOK);
	handle_state(handle, target, state);
	ipcbox_close(handle);
}

struct ipcbox_stat *list_objects(struct ipcbox *box, size_t *count)
{
	struct ipcbox_stat *objects = NULL;
	struct ipcbox_listing *listing;
	size_t room = 0;
	int result = ipcbox_list_begin(box, &listing);

	for (*count = 0; result >= 0; ++*count) {
		if (*count == room) {
			room = room ? 2 * room : 64;
			objects = reallocarray(objects, room, sizeof(*objects));
			if (!objects)
				fail_memory();
		}
		result = ipcbox_list_next(listing, &objects[*count]);
		if (result <= 0)
			break;
	}
	if (result < 0)
		fail(status_of_error(result), result,
		     "cannot list the objects: %s",
		     ipcbox_explain(IPCBOX_OPERATION_LIST, result));
	ipcbox_list_end(listing);
	return objects;
}

/* Objects are listed in the order of their ids. */
static int compare_ids(const void *left, const void *right)
{
	uint64_t a = ((const struct ipcbox_stat *)left)->id;
	uint64_t b = ((const struct ipcbox_stat *)right)->id;

	return a < b ? -1 : a > b;
}

/* The object @id among those of a listing, or NULL. */
const struct ipcbox_stat *find_object(const struct ipcbox_stat *objects,
				      size_t count, uint64_t id)
{
	struct ipcbox_stat wanted = { .id = id };

	if (!id || !count)
		return NULL;
	return bsearch(&wanted, objects, count, sizeof(*objects), compare_ids);
}

/* The name of the object @id, or #N where it has none or is not listed. */
char *object_name(const struct ipcbox_stat *objects, size_t count, uint64_t id)
{
	const struct ipcbox_stat *object = find_object(objects, count, id);

	if (object && object->name_length)
		return format_text("%s", (const char *)object->name);
	return format_text("#%llu", (unsigned long long)id);
}

void fail_box(int error)
{
	switch (-error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		fail(STATUS_NO_MODULE, error,
		     "%s is not there: load the module with 'modprobe ipcbox', or ask 'ipcbox doctor'",
		     IPCBOX_DEVICE);
	case EACCES:
	case EPERM:
		fail(STATUS_PERMISSION, error,
		     "you may not use %s: become a member of its group, or ask 'ipcbox doctor'",
		     IPCBOX_DEVICE);
	case ENOTTY:
	case EPROTONOSUPPORT:
		fail(STATUS_NO_MODULE, error,
		     "%s does not speak the language of this command: its module is of another version; ask 'ipcbox doctor'",
		     IPCBOX_DEVICE);
	default:
		fail(STATUS_FAILED, error, "cannot open %s: %s", IPCBOX_DEVICE,
		     ipcbox_explain(IPCBOX_OPERATION_BOX_OPEN, error));
	}
}

void fail_descriptors(const struct target *target,
		      const struct ipcbox_incoming *message)
{
	if (message->descriptor_count)
		fail(STATUS_REFUSED, -EMSGSIZE,
		     "the next message of %s carries %u %s, which only a program can take (see ipcbox_receive_descriptors(3)); it stays in its place",
		     target->label, message->descriptor_count,
		     plural(message->descriptor_count, "descriptor",
			    "descriptors"));
}

void fail_target(const struct target *target, enum ipcbox_operation operation,
		 int error)
{
	const char *reason = NULL;
	uint64_t id;

	switch (-error) {
	case ENOENT:
		if (target->name && parse_number(target->name, &id))
			fail(STATUS_NO_OBJECT, error,
			     "there is no object named '%s'; if you mean the id, type id:%s",
			     target->name, target->name);
		if (target->name)
			fail(STATUS_NO_OBJECT, error,
			     "there is no object '%s'; 'ipcbox ls' shows what is there, 'ipcbox create %s' makes a queue",
			     target->name, target->name);
		reason = "is not there; 'ipcbox ls' shows what is";
		break;
	case EACCES:
		reason = "has a mode that does not let you do this; ask its owner, or be root ('ipcbox ls' shows owners and modes)";
		break;
	case EPERM:
		reason = "is another user's; its owner or root may do this";
		break;
	case EBUSY:
		reason = "has its one receiver already; make a queue where several are to receive";
		break;
	case EOWNERDEAD:
		reason = "has a receiver that ended, or gave the message back too often";
		break;
	case EPIPE:
		reason = operation == IPCBOX_OPERATION_RECEIVE ?
			 "is removed and empty, and no sender is left" :
			 "has no receiver, and none will come";
		break;
	}
	if (reason)
		fail(status_of_error(error), error, "%s %s", target->label,
		     reason);
	fail(status_of_error(error), error, "%s: %s", target->label,
	     ipcbox_explain(operation, error));
}
