/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* D-Bus by libdbus, through a dbus-daemon(1) of our own. */
#include <dbus/dbus.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "transports.h"

#define DAEMON		"/usr/bin/dbus-daemon"
#define RECEIVER_NAME	"org.ipcbox.Bench"
#define PATH		"/org/ipcbox/Bench"

/* How often to look whether somebody is there, and how often at all. */
#define LOOK_NS		1000000
#define LOOKS_MAX	10000

static const char configuration[] =
"<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
" \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
"<busconfig>\n"
"  <type>session</type>\n"
"  <listen>unix:path=%s</listen>\n"
"  <policy context=\"default\">\n"
"    <allow send_destination=\"*\"/>\n"
"    <allow receive_sender=\"*\"/>\n"
"    <allow own=\"*\"/>\n"
"  </policy>\n"
"  <limit name=\"max_incoming_bytes\">1000000000</limit>\n"
"  <limit name=\"max_outgoing_bytes\">1000000000</limit>\n"
"  <limit name=\"max_message_size\">100000000</limit>\n"
"  <limit name=\"max_replies_per_connection\">100000</limit>\n"
"</busconfig>\n";

struct bus {
	pid_t daemon;
	DBusConnection *connection;
};

static void file_name(const struct link *link, const char *suffix, char *path,
		      size_t size)
{
	snprintf(path, size, "/tmp/%s.%s", link->name, suffix);
}

static bool dbus_available(void)
{
	return access(DAEMON, X_OK) == 0;
}

static int configure(const struct link *link)
{
	char path[80], socket[80];
	FILE *file;

	file_name(link, "conf", path, sizeof(path));
	file_name(link, "socket", socket, sizeof(socket));
	file = fopen(path, "we");
	if (!file)
		return failure();
	fprintf(file, configuration, socket);
	return fclose(file) ? failure() : 0;
}

static int dbus_open(struct link *link)
{
	struct bus *bus = calloc(1, sizeof(*bus));
	char path[80], option[96];
	int error;

	if (!bus)
		return -ENOMEM;
	link->state = bus;
	error = configure(link);
	if (error)
		return error;
	file_name(link, "conf", path, sizeof(path));
	snprintf(option, sizeof(option), "--config-file=%s", path);
	bus->daemon = fork();
	if (bus->daemon < 0)
		return failure();
	if (!bus->daemon) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(DAEMON, DAEMON, option, "--nofork", "--nopidfile", NULL);
		_exit(127);
	}
	return 0;
}

static bool is_there(struct bus *bus)
{
	return dbus_bus_name_has_owner(bus->connection, RECEIVER_NAME, NULL);
}

/* Connect to the daemon, which may only just begin to listen. */
static int connect_to(struct link *link)
{
	const struct timespec look = { .tv_nsec = LOOK_NS };
	struct bus *bus = link->state;
	char path[80], address[96];

	file_name(link, "socket", path, sizeof(path));
	snprintf(address, sizeof(address), "unix:path=%s", path);
	for (int i = 0; i < LOOKS_MAX && !bus->connection; i++) {
		bus->connection = dbus_connection_open_private(address, NULL);
		if (!bus->connection)
			nanosleep(&look, NULL);
	}
	if (!bus->connection)
		return -ECONNREFUSED;
	dbus_connection_set_exit_on_disconnect(bus->connection, FALSE);
	return dbus_bus_register(bus->connection, NULL) ? 0 : -ECONNREFUSED;
}

static int dbus_attach(struct link *link, enum side side)
{
	const struct timespec look = { .tv_nsec = LOOK_NS };
	struct bus *bus = link->state;
	int error = connect_to(link);

	if (error)
		return error;
	if (side == RECEIVER)
		return dbus_bus_request_name(bus->connection, RECEIVER_NAME, 0,
					     NULL) < 0 ? -EPROTO : 0;
	for (int i = 0; i < LOOKS_MAX; i++) {
		if (is_there(bus))
			return 0;
		nanosleep(&look, NULL);
	}
	return -ETIMEDOUT;
}

static bool put_payload(DBusMessage *message, const struct burst *burst)
{
	return message &&
	       dbus_message_append_args(message, DBUS_TYPE_ARRAY,
					DBUS_TYPE_BYTE, &burst->buffer,
					(int)burst->size, DBUS_TYPE_INVALID);
}

/* Copies the payload out, as with any transport; -1 when it is not one. */
static long take_payload(DBusMessage *message, const struct burst *burst)
{
	const void *data;
	int length;

	if (!dbus_message_get_args(message, NULL, DBUS_TYPE_ARRAY,
				   DBUS_TYPE_BYTE, &data, &length,
				   DBUS_TYPE_INVALID) ||
	    (size_t)length > burst->size)
		return -1;
	memcpy(burst->buffer, data, (size_t)length);
	return length;
}

static int take(DBusMessage *message, const struct burst *burst,
		unsigned long index)
{
	long length = take_payload(message, burst);

	return length >= 0 && burst_is(burst, burst->buffer, index,
				       (size_t)length) ? 0 : -EBADMSG;
}

static DBusMessage *request_new(const struct burst *burst)
{
	DBusMessage *message = dbus_message_new_method_call(
		RECEIVER_NAME, PATH, RECEIVER_NAME, "Take");

	if (!put_payload(message, burst))
		return NULL;
	return message;
}

static int dbus_send(struct link *link, const struct burst *burst)
{
	struct bus *bus = link->state;
	DBusMessage *message;

	for (unsigned long i = 0; i < burst->count; i++) {
		burst_stamp(burst, burst->buffer, i);
		message = request_new(burst);
		if (!message)
			return -ENOMEM;
		dbus_message_set_no_reply(message, TRUE);
		if (!dbus_connection_send(bus->connection, message, NULL))
			return -ENOMEM;
		dbus_connection_flush(bus->connection);
		dbus_message_unref(message);
	}
	return 0;
}

/* The next request; what the bus itself has to say is passed over. */
static DBusMessage *next_request(struct bus *bus)
{
	DBusMessage *message;

	for (;;) {
		message = dbus_connection_pop_message(bus->connection);
		if (message && dbus_message_get_type(message) ==
				       DBUS_MESSAGE_TYPE_METHOD_CALL)
			return message;
		if (message)
			dbus_message_unref(message);
		else if (!dbus_connection_read_write(bus->connection, -1))
			return NULL;
	}
}

static int dbus_receive(struct link *link, const struct burst *burst)
{
	struct bus *bus = link->state;
	DBusMessage *message;
	int error = 0;

	for (unsigned long i = 0; !error && i < burst->count; i++) {
		message = next_request(bus);
		if (!message)
			return -EPIPE;
		error = take(message, burst, i);
		dbus_message_unref(message);
	}
	return error;
}

static int dbus_call(struct link *link, const struct burst *burst)
{
	struct bus *bus = link->state;
	DBusMessage *request, *reply;
	int error = 0;

	for (unsigned long i = 0; !error && i < burst->count; i++) {
		burst_stamp(burst, burst->buffer, i);
		request = request_new(burst);
		if (!request)
			return -ENOMEM;
		reply = dbus_connection_send_with_reply_and_block(
			bus->connection, request, DBUS_TIMEOUT_INFINITE, NULL);
		dbus_message_unref(request);
		if (!reply)
			return -EPROTO;
		error = take(reply, burst, i);
		dbus_message_unref(reply);
	}
	return error;
}

static int dbus_serve(struct link *link, const struct burst *burst)
{
	struct bus *bus = link->state;
	DBusMessage *request, *reply;
	int error = 0;

	for (unsigned long i = 0; !error && i < burst->count; i++) {
		request = next_request(bus);
		if (!request)
			return -EPIPE;
		error = take(request, burst, i);
		reply = dbus_message_new_method_return(request);
		dbus_message_unref(request);
		if (error || !put_payload(reply, burst) ||
		    !dbus_connection_send(bus->connection, reply, NULL))
			return error ? error : -ENOMEM;
		dbus_connection_flush(bus->connection);
		dbus_message_unref(reply);
	}
	return error;
}

static void dbus_close(struct link *link)
{
	struct bus *bus = link->state;
	char path[80];

	kill(bus->daemon, SIGKILL);
	waitpid(bus->daemon, NULL, 0);
	free(bus);
	file_name(link, "conf", path, sizeof(path));
	unlink(path);
	file_name(link, "socket", path, sizeof(path));
	unlink(path);
}

const struct transport transport_dbus = {
	.name = "d-bus",
	.family = FAMILY_LIBRARY,
	.available = dbus_available,
	.open = dbus_open,
	.attach = dbus_attach,
	.send = dbus_send,
	.receive = dbus_receive,
	.call = dbus_call,
	.serve = dbus_serve,
	.close = dbus_close,
};
