/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the parts of the bench share: transports, which move messages, and the
 * workloads that time them.
 *
 * A transport is a struct of functions in a file of its own, and a workload a
 * function that is given any transport. What a workload needs of a transport it
 * asks for in a shape; a transport that cannot have that shape refuses to open,
 * and the row of the table says so. Every function returns 0 or -errno.
 */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The most repeats of a measurement, senders and receivers of a workload. */
#define REPEATS_MAX	64
#define MEMBERS_MAX	1088

/*
 * Transports
 */

/* Which transports a transport is compared with. */
enum family {
	FAMILY_KERNEL,	/* the kernel keeps messages, and their bounds */
	FAMILY_BYTES,	/* the kernel keeps bytes; bounds are the user's matter */
	FAMILY_MEMORY,	/* the kernel passes on memory that is ready */
	FAMILY_SHARED,	/* memory that both ends map */
	FAMILY_LIBRARY,	/* a messaging library, or a broker */
};

/* What a transport can do beyond one sender and one receiver. */
#define CAN_BATCH		0x01	/* several messages in one call */
#define CAN_PRIORITIES		0x02
#define CAN_MANY_SENDERS	0x04
#define CAN_MANY_RECEIVERS	0x08
#define CAN_SELECT		0x10	/* receive by tag */
#define CAN_HOLD_BACKLOG	0x20	/* messages stay while nobody receives */

/* Messages take no memory, as all that there will be is there from the beginning. */
#define HAS_ITS_MEMORY		0x40

/**
 * struct shape - what a workload asks of a link
 * @size: bytes of the longest message
 * @depth: messages that it holds while nobody receives
 * @levels: priorities in use, 0 to @levels - 1; 1 where none are
 * @batch: messages that one call moves
 * @senders: processes that send at once
 * @receivers: processes that receive at once
 * @tags: whether messages are received by tag
 */
struct shape {
	size_t size;
	unsigned long depth;
	unsigned int levels;
	unsigned int batch;
	unsigned int senders;
	unsigned int receivers;
	bool tags;
};

/**
 * struct burst - messages to send or to receive, one after the other
 * @buffer: for one batch of payloads, each at a multiple of @size; shared by all
 *	batches of the burst
 * @size: bytes of each message
 * @count: messages in the burst
 * @batch: messages a call; @count is a multiple of it
 * @levels: send message i with priority i modulo this
 * @tag: with shape.tags: the tag to send, or to receive
 * @first: with @stamped: the number of the first message
 * @stamped: messages carry their number, and it is checked
 */
struct burst {
	void *buffer;
	size_t size;
	unsigned long count;
	unsigned int batch;
	unsigned int levels;
	uint64_t tag;
	uint64_t first;
	bool stamped;
};

/**
 * struct link - a way from senders to receivers
 * @transport: which moves the messages
 * @shape: what it was opened for
 * @fd: the transport's: the sending and the receiving end
 * @state: the transport's
 * @name: unique on the host, for transports that need one
 */
struct link {
	const struct transport *transport;
	struct shape shape;
	int fd[2];
	void *state;
	char name[48];
};

enum side { SENDER, RECEIVER };

/**
 * struct transport - a way to move messages
 * @name: how options, tables and results call it
 * @family: which transports it is compared with
 * @ours: of ipcbox; the others are its peers
 * @preloaded: the peer that it is, as programs see it that are started with
 *	libipcbox-mq; NULL for most. All below is then the peer's
 * @can: CAN_* bits
 * @available: whether this host has it; NULL where every host does
 * @open: makes a link, before any of its processes is there; -EOPNOTSUPP when
 *	it cannot have that shape
 * @attach: in a process of a link, before its first message; may be NULL
 * @send: sends a burst, and waits for room
 * @receive: receives a burst, and waits for it
 * @call: sends the messages of a burst and waits for an answer to each, which
 *	has the same size; NULL where answers take a link of their own
 * @serve: answers to a burst of calls
 * @close: removes the link; its processes have ended
 * @populate: makes objects @first to @last - 1, which stay, or none of them; may
 *	be NULL, as the following
 * @look_up: opens one of them by its name and closes it again
 * @depopulate: removes objects @first to @last - 1
 */
struct transport {
	const char *name;
	enum family family;
	bool ours;
	const struct transport *preloaded;
	unsigned int can;
	bool (*available)(void);
	int (*open)(struct link *link);
	int (*attach)(struct link *link, enum side side);
	int (*send)(struct link *link, const struct burst *burst);
	int (*receive)(struct link *link, const struct burst *burst);
	int (*call)(struct link *link, const struct burst *burst);
	int (*serve)(struct link *link, const struct burst *burst);
	void (*close)(struct link *link);
	int (*populate)(unsigned long first, unsigned long last);
	int (*look_up)(unsigned long which);
	void (*depopulate)(unsigned long first, unsigned long last);
};

/* All of them, in the order of the table; ends with NULL. */
extern const struct transport *const transports[];

int link_open(struct link *link, const struct transport *transport,
	      const struct shape *shape);
void link_close(struct link *link);
int link_attach(struct link *link, enum side side);

/* -errno of the call that has just failed. */
static inline int failure(void)
{
	return errno ? -errno : -EIO;
}

/* Number message @index of @burst, which is at @message. */
static inline void burst_stamp(const struct burst *burst, void *message,
			       unsigned long index)
{
	uint64_t number = burst->first + index;

	if (burst->stamped)
		memcpy(message, &number, sizeof(number));
}

/* Whether @message, of @length bytes, is message @index of @burst. */
static inline bool burst_is(const struct burst *burst, const void *message,
			    unsigned long index, size_t length)
{
	uint64_t number = burst->first + index;

	return length == burst->size &&
	       (!burst->stamped || !memcmp(message, &number, sizeof(number)));
}

/* Where the payload of message @index of a batch is. */
static inline void *burst_payload(const struct burst *burst,
				  unsigned int index)
{
	return (char *)burst->buffer + index * burst->size;
}

/*
 * Workloads
 */

/* How to measure; from the command line. */
struct settings {
	unsigned int repeats;
	uint64_t budget;	/* of a repeat, in nanoseconds */
	bool histogram;		/* keep each round trip's time */
	bool pinned;		/* each process on a processor of its own */
	bool endless;		/* until the program is ended */
};

extern struct settings settings;

/* Round trips by their time: 16 to each power of two of nanoseconds. */
#define HISTOGRAM_STEPS		16
#define HISTOGRAM_BUCKETS	(HISTOGRAM_STEPS * 44)

/**
 * struct figures - what a workload found, for one row
 * @samples: a figure each repeat: nanoseconds or bytes, as the workload says
 * @repeats: how many
 * @send: of that, the sender's part, when known
 * @receive: the receiver's
 * @cpu: nanoseconds of processors a message, when known
 * @histogram: round trips by their time, when asked for
 */
struct figures {
	double samples[REPEATS_MAX];
	unsigned int repeats;
	double send;
	double receive;
	double cpu;
	uint64_t histogram[HISTOGRAM_BUCKETS];
};

/**
 * struct workload - a measurement, at each of several points
 * @name: how options, tables and results call it
 * @what: what the points are, for tables
 * @unit: what is measured
 * @points: where to measure; ends with POINTS_END
 * @needs: CAN_* bits without which a transport has no row
 * @histogram: whether it fills figures.histogram when that is asked for
 * @run: measures one point; figures are zero before
 * @wants: whether there shall be a row for a transport; NULL for all that have
 *	what it needs
 */
struct workload {
	const char *name;
	const char *what;
	const char *unit;
	const unsigned long *points;
	unsigned int needs;
	bool histogram;
	int (*run)(const struct transport *transport, unsigned long point,
		   struct figures *figures);
	bool (*wants)(const struct transport *transport);
};

#define POINTS_END ((unsigned long)-1)

/* All of them, in the order of the table; ends with NULL. */
extern const struct workload *const workloads[];

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t now(void);

/* Nanoseconds that this process has used of the processors. */
uint64_t cpu_used(void);

/* Memory for a burst's payloads, with every page there. */
void *buffer_new(size_t size, unsigned int batch);

#endif /* BENCH_H */
