/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The delivery of a message that somebody waits for or holds: more than being
 * sent and received at once.
 */
#ifndef IPCBOX_DELIVERY_H
#define IPCBOX_DELIVERY_H

#include <linux/build_bug.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "files.h"
#include "lifetime.h"
#include "message.h"
#include "token.h"

/* Messages that are ended or returned under one hold of an exchange's lock. */
#define IPCBOX_DELIVERY_CHUNK	64

struct ipcbox_exchange;
struct ipcbox_handle;
struct ipcbox_outgoing;
struct ipcbox_waiter;
struct ipcbox_wakes;

/**
 * enum ipcbox_delivery_state - where a tracked message is
 * @IPCBOX_DELIVERY_NEW: its sender has it, or it is parked
 * @IPCBOX_DELIVERY_QUEUED: in the queue
 * @IPCBOX_DELIVERY_TRANSIT: a receiver is copying it
 * @IPCBOX_DELIVERY_HELD: a handle holds it
 */
enum ipcbox_delivery_state {
	IPCBOX_DELIVERY_NEW,
	IPCBOX_DELIVERY_QUEUED,
	IPCBOX_DELIVERY_TRANSIT,
	IPCBOX_DELIVERY_HELD,
};

/**
 * struct ipcbox_delivery - what is kept of a tracked message
 * @message: the message
 * @references: the message's end, and those who look at it
 * @waiter: the sender that waits, for room or for the outcome, or NULL. While it
 *	waits for the outcome, an error gives the message back to it
 * @awaited: place among the exchange's awaited messages, while the sender
 *	waits for the outcome; else empty
 * @token: place among the handle's held messages; its number is 0 unless it is
 *	held or about to be
 * @reserved: bytes charged to the sender for the reply and for @files
 * @reply_capacity: the longest reply that the caller takes
 * @reply_descriptors: the most descriptors that the caller takes
 * @files: open files that the message carries, or NULL
 * @deliveries: how often it was held and came back
 * @state: where it is
 * @lifetime: how long it may wait, from acceptance; and its place among the
 *	exchange's messages that may expire, while queued
 * @origin: for a dead letter: where it died
 * @origin_sequence: for a dead letter: its number there
 * @dead: IPCBOX_DEAD_*, or 0
 * @call: the sender waits for a reply
 * @closed: there were files, but where it is a dead letter they are not taken
 * @inside: it lies in the message's memory, behind the payload
 * @withdrawn: the sender has given up while a receiver had the message, who
 *	shall find out
 *
 * All is protected by the exchange's lock from the time of sending on.
 */
struct ipcbox_delivery {
	struct ipcbox_message *message;
	refcount_t references;
	struct ipcbox_waiter *waiter;
	struct list_head awaited;
	struct ipcbox_token token;
	u64 reserved;
	u32 reply_capacity;
	u32 reply_descriptors;
	struct ipcbox_files *files;
	u32 deliveries;
	struct ipcbox_lifetime lifetime;
	u64 origin;
	u64 origin_sequence;
	u32 dead;
	enum ipcbox_delivery_state state;
	bool call;
	bool closed;
	bool inside;
	bool withdrawn;
};

static_assert(sizeof(struct ipcbox_delivery) % sizeof(u64) == 0);

static inline struct ipcbox_delivery *
ipcbox_delivery_of_token(struct ipcbox_token *token)
{
	return container_of(token, struct ipcbox_delivery, token);
}

static inline struct ipcbox_delivery *
ipcbox_delivery_of_lifetime(struct ipcbox_lifetime *lifetime)
{
	return container_of(lifetime, struct ipcbox_delivery, lifetime);
}

/**
 * ipcbox_delivery_is_over() - has a message's time come?
 * @delivery: of a message that was accepted
 *
 * Return: true if its lifetime has ended.
 */
static inline bool
ipcbox_delivery_is_over(const struct ipcbox_delivery *delivery)
{
	return delivery->lifetime.length &&
	       ipcbox_lifetime_is_over(&delivery->lifetime, ktime_get());
}

/**
 * ipcbox_delivery_descriptors() - how many descriptors does a message carry?
 * @message: the message
 *
 * Return: their number.
 */
static inline u32
ipcbox_delivery_descriptors(const struct ipcbox_message *message)
{
	const struct ipcbox_delivery *delivery =
		ipcbox_message_delivery(message);

	return unlikely(delivery && delivery->files) ? delivery->files->count :
						       0;
}

struct ipcbox_delivery *ipcbox_delivery_create(void);
void ipcbox_delivery_attach(struct ipcbox_delivery *delivery,
			    struct ipcbox_message *message);
struct ipcbox_delivery *ipcbox_delivery_track(struct ipcbox_message *message);
void ipcbox_delivery_track_inside(struct ipcbox_message *message, void *memory);
int ipcbox_delivery_add_files(struct ipcbox_message *message,
			      const struct ipcbox_outgoing *outgoing);
void ipcbox_delivery_close_files(struct ipcbox_delivery *delivery);
void ipcbox_delivery_hold_locked(struct ipcbox_exchange *exchange,
				 struct ipcbox_handle *handle,
				 struct ipcbox_delivery *delivery);
struct ipcbox_delivery *
ipcbox_delivery_find_locked(struct ipcbox_exchange *exchange,
			    struct ipcbox_handle *handle, u64 token);
void ipcbox_delivery_release_locked(struct ipcbox_exchange *exchange,
				    struct ipcbox_handle *handle,
				    struct ipcbox_delivery *delivery);
void ipcbox_delivery_finish_locked(struct ipcbox_delivery *delivery,
				   int result, struct ipcbox_wakes *wakes);
bool ipcbox_delivery_withdraw_locked(struct ipcbox_exchange *exchange,
				     struct ipcbox_delivery *delivery,
				     struct ipcbox_wakes *wakes);
void ipcbox_delivery_return_locked(struct ipcbox_exchange *exchange,
				   struct ipcbox_message *message,
				   struct ipcbox_wakes *wakes);
bool ipcbox_delivery_abandon_locked(struct ipcbox_exchange *exchange,
				    struct ipcbox_handle *handle,
				    struct ipcbox_wakes *wakes);
void ipcbox_delivery_expire_locked(struct ipcbox_exchange *exchange,
				   struct ipcbox_delivery *delivery,
				   struct ipcbox_wakes *wakes);
void ipcbox_delivery_fail_queued_locked(struct ipcbox_exchange *exchange,
					int error,
					struct ipcbox_wakes *wakes);

#endif /* IPCBOX_DELIVERY_H */
