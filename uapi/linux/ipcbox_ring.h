/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * ipcbox: the ring of a channel, as both of its ends work on it in memory.
 *
 * This is the protocol, written as the code that libipcbox runs. It makes no
 * system call: it says when one is due, and <linux/ipcbox.h> has those. Nothing
 * here is for the kernel, which looks at positions only.
 *
 * Memory
 * ------
 * Three parts, see IPCBOX_CHANNEL_*_PAGE: the consumer's page and the producer's
 * page, each a struct ipcbox_channel_page that its owner alone can write; and
 * the data, which the producer alone can write, @size bytes, a power of two,
 * mapped twice in a row, so that what begins near its end goes on without a
 * break.
 *
 * A position counts bytes since the channel began, modulo 2^32; the place in the
 * data is the position modulo @size. The producer's position is the end of what
 * it has published, the consumer's the end of what it has released; the
 * difference is at most @size, which is at most 2^30, so that it is never
 * mistaken. Positions have 32 bits because every machine, and a 32-bit program
 * on a 64-bit one, reads and writes those in one piece.
 *
 * A message is a record: eight bytes, of which the first four tell the length of
 * the payload and the others are for later use, then the payload, then as much
 * as is missing to a multiple of eight. A record begins at a multiple of eight.
 *
 * Order
 * -----
 *   A. producer: writes records, then releases its position;
 *      consumer: acquires that position, then reads the records.
 *   B. consumer: reads records, then releases its position;
 *      producer: acquires that position, then writes over the records.
 *
 * Sleeping
 * --------
 * Who finds nothing to do publishes what it has, writes which position of the
 * other end it waits for (wanted), and then IPCBOX_CHANNEL_SLEEPS. Whoever
 * publishes looks for that:
 *
 *   sleeper                                publisher
 *   -------                                ---------
 *   own->wanted = ...                      own->position = ...	(release)
 *   own->attention |= SLEEPS		    compiler barrier
 *   heavy barrier			    other->attention: SLEEPS?
 *   other->position reached?		      other->wanted reached?
 *     no: IPCBOX_IOC_CHANNEL_WAIT		yes: IPCBOX_IOC_CHANNEL_WAKE
 *
 * Each writes and then reads what the other writes, so one of them must see the
 * other's write, or the sleeper sleeps for ever. A fence on both sides would do,
 * but one that a publisher executes for each message costs more than the rest of
 * the message. So the sleeper, who is about to lose far more time, has one
 * executed on both: the heavy barrier is membarrier(2) with
 * MEMBARRIER_CMD_GLOBAL_EXPEDITED, for which the publisher's process has
 * registered. There are two exceptions:
 *
 *  - a publisher that could not register executes a full fence each time, as if the
 *    other end had asked for it (@fence);
 *  - an end that cannot execute the heavy barrier each time before it sleeps, as
 *    it is watched by poll(2) or may not call membarrier(2), says so by
 *    IPCBOX_CHANNEL_FENCE. A publisher that sees that executes a full fence and
 *    looks once more. The end makes certain once, by a heavy barrier or a while
 *    of patience after it has set the bit, that no publisher is between the two
 *    steps without having seen it. Its own barrier is a full fence then.
 *
 * The kernel clears SLEEPS when it wakes the end, so that one is woken once; it
 * sets IPCBOX_CHANNEL_ENDED in the page of an end that is gone for good. What
 * had been published before can still be read.
 *
 * Trust
 * -----
 * None. Whatever an end reads from the other's page or, as the consumer, from the
 * data, may be any value, and another one when it is read again. So each is read
 * once, by an atomic load, and checked before it is used: a position can move
 * forward only, by whole records, and not beyond what fits; a length is within
 * what is published. What fails the check breaks the ring for this end, for
 * good (-EIO). A wish to be woken that is not true costs system calls, and
 * that is all. Payloads that are read in place can change while they are read.
 *
 * An end belongs to one thread at a time. All functions are inline and never
 * wait; those that return int return 0 or a negative errno.
 */
#ifndef _UAPI_LINUX_IPCBOX_RING_H
#define _UAPI_LINUX_IPCBOX_RING_H

#include <errno.h>

#include <linux/ipcbox.h>

/* What comes before each payload; also what records are a multiple of. */
#define IPCBOX_RING_HEADER	8

/* Largest ring. */
#define IPCBOX_RING_MAX		0x40000000u

/**
 * struct ipcbox_ring - what an end knows, in memory of its own
 * @own: its own page
 * @other: the other end's page, which may change at any time
 * @payloads: where in the data the payload of a record at place 0 is
 * @size: bytes of the data
 * @mask: what of a position is the place in the data
 * @bias: @size for the producer, 0 for the consumer: what is added to the other
 *	end's position to get where this end must stop
 * @position: where the next record begins
 * @published: as much of it as was published; what @own says is not asked, as
 *	after fork(2) it is another process's, maybe
 * @bound: payloads at @position may have @bound - @position bytes, as far as was
 *	seen; less than 0 when there is no room for a record, or no record
 * @held: bytes of the record reserved, or looked at; 0 for none
 * @fence: IPCBOX_CHANNEL_FENCE to execute a full fence at each publication, or 0
 * @broken: the other end broke the protocol
 */
struct ipcbox_ring {
	struct ipcbox_channel_page *own;
	const struct ipcbox_channel_page *other;
	unsigned char *payloads;
	__u32 size;
	__u32 mask;
	__u32 bias;
	__u32 position;
	__u32 published;
	__u32 bound;
	__u32 held;
	__u32 fence;
	int broken;
};

#define ipcbox_ring_likely(condition)	__builtin_expect(!!(condition), 1)

/* ThreadSanitizer knows no fences, but what is as strong. */
static inline void ipcbox_ring_fence(void)
{
#ifdef __SANITIZE_THREAD__
	static __u32 word;

	__atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/**
 * ipcbox_ring_record() - bytes of the record of a message
 * @length: bytes of its payload, at most IPCBOX_RING_MAX
 */
static inline __u32 ipcbox_ring_record(__u32 length)
{
	return (length + 2 * IPCBOX_RING_HEADER - 1) &
	       ~(__u32)(IPCBOX_RING_HEADER - 1);
}

/* The place of the next record's payload. */
static inline unsigned char *ipcbox_ring_here(const struct ipcbox_ring *ring)
{
	return ring->payloads + (ring->position & ring->mask);
}

/* The length of a payload, from its place: in memory that both ends see. */
static inline __u32 *ipcbox_ring_length_of(unsigned char *place)
{
	return (__u32 *)(void *)(place - IPCBOX_RING_HEADER);
}

/**
 * ipcbox_ring_room() - bytes that may be written, or read, without a look
 * @ring: the end
 */
static inline __u32 ipcbox_ring_room(const struct ipcbox_ring *ring)
{
	return ring->bound - ring->position + IPCBOX_RING_HEADER;
}

/* The other end did what it must not: nothing more by this ring. */
static inline int ipcbox_ring_break(struct ipcbox_ring *ring)
{
	ring->broken = 1;
	ring->held = 0;
	ring->bound = ring->position - IPCBOX_RING_HEADER;
	return -EIO;
}

/**
 * ipcbox_ring_note() - take notice of where the other end is
 * @ring: the end
 * @position: the other end's position, from a source not to be trusted
 *
 * Returns 0, or -EIO when the position is none that it can have, now and from
 * then on.
 */
static inline int ipcbox_ring_note(struct ipcbox_ring *ring, __u32 position)
{
	__u32 room = position + ring->bias - ring->position;

	if (ring->broken || room > ring->size ||
	    room < ipcbox_ring_room(ring) || room % IPCBOX_RING_HEADER)
		return ipcbox_ring_break(ring);
	ring->bound = ring->position + room - IPCBOX_RING_HEADER;
	return 0;
}

/**
 * ipcbox_ring_look() - look where the other end is
 * @ring: the end
 *
 * The acquire of A and B. Returns as ipcbox_ring_note().
 */
static inline int ipcbox_ring_look(struct ipcbox_ring *ring)
{
	return ipcbox_ring_note(ring, __atomic_load_n(&ring->other->position,
						      __ATOMIC_ACQUIRE));
}

/**
 * ipcbox_ring_ended() - is the other end gone for good?
 * @ring: the end
 *
 * What it published before is seen by an ipcbox_ring_look() afterwards.
 */
static inline int ipcbox_ring_ended(const struct ipcbox_ring *ring)
{
	return (__atomic_load_n(&ring->other->attention, __ATOMIC_ACQUIRE) &
		IPCBOX_CHANNEL_ENDED) != 0;
}

/**
 * ipcbox_ring_close() - make an end by which nothing goes
 * @ring: filled in
 *
 * ipcbox_ring_append() and ipcbox_ring_take() return 0 for it, commit and release
 * -EINVAL; no other function may be called.
 */
static inline void ipcbox_ring_close(struct ipcbox_ring *ring)
{
	ring->position = 0;
	ring->bound = 0u - IPCBOX_RING_HEADER;
	ring->held = 0;
}

/**
 * ipcbox_ring_init() - begin, or go on where an earlier end stopped
 * @ring: filled in
 * @own: the end's own page
 * @other: the other end's page
 * @data: the data, mapped twice in a row
 * @size: its bytes, a power of two from a page to IPCBOX_RING_MAX
 * @producer: whether this is the producer
 * @fence: whether each publication needs a full fence, as the process has not
 *	registered for the heavy barrier
 *
 * Returns 0, or -EIO when the positions are none that a channel can have.
 */
static inline int ipcbox_ring_init(struct ipcbox_ring *ring,
				   struct ipcbox_channel_page *own,
				   const struct ipcbox_channel_page *other,
				   void *data, __u32 size, int producer,
				   int fence)
{
	ring->own = own;
	ring->other = other;
	ring->payloads = (unsigned char *)data + IPCBOX_RING_HEADER;
	ring->size = size;
	ring->mask = size - 1;
	ring->bias = producer ? size : 0;
	ring->position = __atomic_load_n(&own->position, __ATOMIC_RELAXED);
	ring->published = ring->position;
	ring->bound = ring->position - IPCBOX_RING_HEADER;
	ring->held = 0;
	ring->fence = fence ? IPCBOX_CHANNEL_FENCE : 0;
	ring->broken = ring->position % IPCBOX_RING_HEADER != 0;
	return ipcbox_ring_look(ring);
}

/*
 * Publishing and sleeping
 */

/**
 * ipcbox_ring_must_wake() - is the other end's wish to be woken fulfilled?
 * @ring: the end
 * @attention: from ipcbox_ring_announce(): not 0
 */
static inline int ipcbox_ring_must_wake(const struct ipcbox_ring *ring,
					__u32 attention)
{
	__u32 wanted;

	if (attention & IPCBOX_CHANNEL_FENCE) {
		ipcbox_ring_fence();
		attention = __atomic_load_n(&ring->other->attention,
					    __ATOMIC_ACQUIRE);
	}
	if (!(attention & IPCBOX_CHANNEL_SLEEPS))
		return 0;
	wanted = __atomic_load_n(&ring->other->wanted, __ATOMIC_RELAXED);
	return (__s32)(ring->position - wanted) >= 0;
}

/**
 * ipcbox_ring_announce() - let the other end have what was written, or read
 * @ring: the end
 * @other: the ring's, as is
 * @position: which the caller may have at hand
 *
 * The release of A and B. Returns 0, or what ipcbox_ring_must_wake() is to be asked
 * about, which is seldom.
 */
static inline __u32
ipcbox_ring_announce(struct ipcbox_ring *ring,
		     const struct ipcbox_channel_page *other, __u32 position)
{
	ring->published = position;
	__atomic_store_n(&ring->own->position, position, __ATOMIC_RELEASE);
	/* Where it has to be more, must_wake() makes up for it and looks again. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&other->attention, __ATOMIC_ACQUIRE) |
	       ring->fence;
}

/**
 * ipcbox_ring_publish() - announce, and tell what is to be done then
 * @ring: the end
 *
 * Returns whether IPCBOX_IOC_CHANNEL_WAKE is due.
 */
static inline int ipcbox_ring_publish(struct ipcbox_ring *ring)
{
	__u32 attention = ipcbox_ring_announce(ring, ring->other,
					       ring->position);

	if (ipcbox_ring_likely(!attention))
		return 0;
	return ipcbox_ring_must_wake(ring, attention);
}

/**
 * ipcbox_ring_published() - was everything published?
 * @ring: the end
 */
static inline int ipcbox_ring_published(const struct ipcbox_ring *ring)
{
	return ring->published == ring->position;
}

/**
 * ipcbox_ring_wanted() - the position of the other end that gives enough room
 * @ring: the end
 * @room: bytes of a record
 */
static inline __u32 ipcbox_ring_wanted(const struct ipcbox_ring *ring,
				       __u32 room)
{
	return ring->position + room - ring->bias;
}

/**
 * ipcbox_ring_sleep() - ask to be woken
 * @ring: the end, which has published everything
 * @wanted: the position of the other end to be woken at
 *
 * The barrier must follow, see above, and another look.
 */
static inline void ipcbox_ring_sleep(struct ipcbox_ring *ring, __u32 wanted)
{
	__atomic_store_n(&ring->own->wanted, wanted, __ATOMIC_RELAXED);
	__atomic_fetch_or(&ring->own->attention, IPCBOX_CHANNEL_SLEEPS,
			  __ATOMIC_SEQ_CST);
}

/**
 * ipcbox_ring_awake() - ask no more to be woken
 * @ring: the end
 */
static inline void ipcbox_ring_awake(struct ipcbox_ring *ring)
{
	__atomic_fetch_and(&ring->own->attention,
			   ~(__u32)IPCBOX_CHANNEL_SLEEPS, __ATOMIC_RELAXED);
}

/*
 * The producer
 */

/**
 * ipcbox_ring_longest() - the longest payload
 * @ring: the end
 */
static inline __u32 ipcbox_ring_longest(const struct ipcbox_ring *ring)
{
	return ring->size - IPCBOX_RING_HEADER;
}

/**
 * ipcbox_ring_reserve() - a place for a payload
 * @ring: the producer's end
 * @length: bytes of it
 * @place: where to put the place, which is the producer's until
 *	ipcbox_ring_commit() or another ipcbox_ring_reserve()
 *
 * Returns 0; -EMSGSIZE, it never fits; -EAGAIN, there is no room now; -EPIPE, no
 * consumer will come; -EIO, the consumer broke the protocol.
 */
static inline int ipcbox_ring_reserve(struct ipcbox_ring *ring, __u32 length,
				      void **place)
{
	__u32 record;
	int error;

	if (length > ipcbox_ring_longest(ring))
		return -EMSGSIZE;
	if (ipcbox_ring_ended(ring))
		return -EPIPE;
	record = ipcbox_ring_record(length);
	if (ipcbox_ring_room(ring) < record) {
		error = ipcbox_ring_look(ring);
		if (error)
			return error;
		if (ipcbox_ring_room(ring) < record)
			return -EAGAIN;
	}
	ring->held = record;
	*place = ipcbox_ring_here(ring);
	return 0;
}

/**
 * ipcbox_ring_commit() - the payload is in its place
 * @ring: the producer's end
 * @length: bytes of it, not more than were reserved
 *
 * It is there for the consumer with the next ipcbox_ring_publish(). Returns 0, or
 * -EINVAL: nothing, or not so much, was reserved.
 */
static inline int ipcbox_ring_commit(struct ipcbox_ring *ring, __u32 length)
{
	if (!ring->held || length > ring->held - IPCBOX_RING_HEADER)
		return -EINVAL;
	__atomic_store_n(ipcbox_ring_length_of(ipcbox_ring_here(ring)), length,
			 __ATOMIC_RELAXED);
	ring->position += ipcbox_ring_record(length);
	ring->held = 0;
	return 0;
}

/**
 * ipcbox_ring_append() - reserve and commit at once, in the ordinary case
 * @ring: the producer's end
 * @length: bytes of the payload, of any value
 * @place: where to put the payload's place, which is to be written before the next
 *	ipcbox_ring_publish()
 *
 * What was reserved before is not any more. Returns 1; or 0, with no effect, when
 * it is not as simple as that: ipcbox_ring_reserve() tells why.
 */
static inline int ipcbox_ring_append(struct ipcbox_ring *ring,
				     unsigned long length, void **place)
{
	__u32 position = ring->position;
	__u32 longest = ring->bound - position;
	unsigned char *here;

	if (!ipcbox_ring_likely((__s32)longest >= 0) ||
	    !ipcbox_ring_likely(length <= longest) ||
	    !ipcbox_ring_likely(!ipcbox_ring_ended(ring)))
		return 0;
	here = ring->payloads + (position & ring->mask);
	__atomic_store_n(ipcbox_ring_length_of(here), (__u32)length,
			 __ATOMIC_RELAXED);
	ring->position = position + ipcbox_ring_record((__u32)length);
	ring->held = 0;
	*place = here;
	return 1;
}

/*
 * The consumer
 */

/**
 * ipcbox_ring_peek() - the next message
 * @ring: the consumer's end
 * @place: where to put the place of its payload, which stays as it is, as far as
 *	an honest producer is concerned, until ipcbox_ring_release()
 * @length: where to put its length
 *
 * The same message until it is released. Returns 0; -EAGAIN, there is none;
 * -EPIPE, and no producer will come; -EIO, the producer broke the protocol.
 */
static inline int ipcbox_ring_peek(struct ipcbox_ring *ring,
				   const void **place, __u32 *length)
{
	unsigned char *here;
	__u32 payload;
	int ended;
	int error;

	if (!ipcbox_ring_room(ring)) {
		/* First, so that what came before the end is seen. */
		ended = ipcbox_ring_ended(ring);
		error = ipcbox_ring_look(ring);
		if (error)
			return error;
		if (!ipcbox_ring_room(ring))
			return ended ? -EPIPE : -EAGAIN;
	}
	here = ipcbox_ring_here(ring);
	payload = __atomic_load_n(ipcbox_ring_length_of(here), __ATOMIC_RELAXED);
	/* The room is a multiple of the header, so the whole record is there. */
	if (payload > ipcbox_ring_room(ring) - IPCBOX_RING_HEADER)
		return ipcbox_ring_break(ring);
	ring->held = ipcbox_ring_record(payload);
	*place = here;
	*length = payload;
	return 0;
}

/**
 * ipcbox_ring_release() - the message looked at is no longer needed
 * @ring: the consumer's end
 *
 * Its room is there for the producer with the next ipcbox_ring_publish(). Returns
 * 0, or -EINVAL: none was looked at.
 */
static inline int ipcbox_ring_release(struct ipcbox_ring *ring)
{
	if (!ring->held)
		return -EINVAL;
	ring->position += ring->held;
	ring->held = 0;
	return 0;
}

/**
 * ipcbox_ring_take() - peek and release at once, in the ordinary case
 * @ring: the consumer's end
 * @most: bytes that the payload may have
 * @place: where to put the payload's place, which is to be read before the next
 *	ipcbox_ring_publish()
 * @length: where to put its length
 *
 * Returns 1; or 0, with no effect, when it is not as simple as that:
 * ipcbox_ring_peek() tells why.
 */
static inline int ipcbox_ring_take(struct ipcbox_ring *ring, unsigned long most,
				   const void **place, unsigned long *length)
{
	__u32 position = ring->position;
	__u32 longest = ring->bound - position;
	unsigned long payload;
	unsigned char *here;

	if (!ipcbox_ring_likely((__s32)longest >= 0))
		return 0;
	here = ring->payloads + (position & ring->mask);
	payload = __atomic_load_n(ipcbox_ring_length_of(here), __ATOMIC_RELAXED);
	/* What is wrong with it is for ipcbox_ring_peek() to say. */
	if (!ipcbox_ring_likely(payload <= longest) ||
	    !ipcbox_ring_likely(payload <= most))
		return 0;
	ring->position = position + ipcbox_ring_record((__u32)payload);
	ring->held = 0;
	*place = here;
	*length = payload;
	return 1;
}

#endif /* _UAPI_LINUX_IPCBOX_RING_H */
