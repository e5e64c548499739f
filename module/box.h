/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The box: what a network namespace knows of its objects and users.
 */
#ifndef IPCBOX_BOX_H
#define IPCBOX_BOX_H

#include <linux/atomic.h>
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "limits.h"

struct ipcbox_object;
struct net;

#define IPCBOX_BOX_USER_BITS	6
#define IPCBOX_BOX_PROCESS_BITS	6

/**
 * struct ipcbox_box - the registry of one network namespace
 * @lock: see locking.h; protects what follows, but for atomics
 * @net: the namespace
 * @objects: registered objects, by id
 * @names: registered objects that have names, by name
 * @users: users who have something here, by uid
 * @processes: processes that have the device open, by pid
 * @last_id: the id last given to an object
 * @count: objects that exist, registered or not
 * @ended: objects to which nothing refers any more, for @reap
 * @reap: destroys them
 * @last_handle: the number last given to a handle
 * @last_token: the number last given to a token
 * @discarded: messages that ended with their object
 */
struct ipcbox_box {
	struct mutex lock;	/* number 1 in locking.h */
	struct net *net;
	struct xarray objects;
	struct rhashtable names;
	DECLARE_HASHTABLE(users, IPCBOX_BOX_USER_BITS);
	DECLARE_HASHTABLE(processes, IPCBOX_BOX_PROCESS_BITS);
	u64 last_id;
	u64 count;
	struct list_head ended;
	struct work_struct reap;
	atomic64_t last_handle;
	atomic64_t last_token;
	atomic64_t discarded;
};

/**
 * struct ipcbox_user - one user's budget in a box
 * @node: place among the box's users
 * @box: the box
 * @uid: the user to whom it is charged, see ipcbox_user_current()
 * @references: objects and shares that point here
 * @objects: objects charged; under box->lock
 * @mapped_bytes: memory for mapping charged; under box->lock
 * @bytes: bytes in flight charged
 * @block_bytes: bytes of blocks, see block.c
 */
struct ipcbox_user {
	struct hlist_node node;
	struct ipcbox_box *box;
	kuid_t uid;
	refcount_t references;
	u64 objects;
	u64 mapped_bytes;
	atomic64_t bytes;
	atomic64_t block_bytes;
};

int ipcbox_box_register(void);
void ipcbox_box_unregister(void);
struct ipcbox_box *ipcbox_box_get_current(void);
void ipcbox_box_get(struct ipcbox_box *box);
void ipcbox_box_put(struct ipcbox_box *box);
bool ipcbox_box_capable(struct ipcbox_box *box, int capability);
int ipcbox_box_insert_locked(struct ipcbox_box *box,
			     struct ipcbox_object *object);
void ipcbox_box_remove_locked(struct ipcbox_box *box,
			      struct ipcbox_object *object);
struct ipcbox_object *ipcbox_box_find_name_locked(struct ipcbox_box *box,
						  const char *name);
struct ipcbox_object *ipcbox_box_find_id_locked(struct ipcbox_box *box, u64 id);
struct ipcbox_object *ipcbox_box_next_locked(struct ipcbox_box *box, u64 after);

kuid_t ipcbox_user_charged(struct user_namespace *ns, kuid_t uid);
struct ipcbox_user *ipcbox_user_find_locked(struct ipcbox_box *box, kuid_t uid);
struct ipcbox_user *ipcbox_user_get_locked(struct ipcbox_box *box, kuid_t uid);
struct ipcbox_user *ipcbox_user_get(struct ipcbox_box *box, kuid_t uid);
void ipcbox_user_put_locked(struct ipcbox_user *user);
void ipcbox_user_put(struct ipcbox_user *user);

/**
 * ipcbox_user_current() - to whom the caller's use is charged
 *
 * Return: the caller's effective uid, through ipcbox_user_charged().
 */
static inline kuid_t ipcbox_user_current(void)
{
	struct user_namespace *ns = current_user_ns();

	return likely(ns == &init_user_ns) ? current_euid() :
			ipcbox_user_charged(ns, current_euid());
}

/**
 * ipcbox_user_charge() - charge bytes in flight
 * @user: whose budget
 * @bytes: how many
 *
 * Return: 0, or -EDQUOT when they do not fit, charging nothing.
 */
static inline int ipcbox_user_charge(struct ipcbox_user *user, u64 bytes)
{
	u64 used = atomic64_add_return(bytes, &user->bytes);

	if (likely(used <= ipcbox_limit(user_bytes)))
		return 0;
	atomic64_sub(bytes, &user->bytes);
	return -EDQUOT;
}

/**
 * ipcbox_user_uncharge() - bytes are in flight no more
 * @user: who was charged
 * @bytes: how many
 */
static inline void ipcbox_user_uncharge(struct ipcbox_user *user, u64 bytes)
{
	atomic64_sub(bytes, &user->bytes);
}

#endif /* IPCBOX_BOX_H */
