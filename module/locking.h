/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The locks of ipcbox, and the accesses that need none.
 *
 * Locks, in the order in which they may be taken
 * -----------------------------------------------
 * 0. stream->lock, a mutex, one for each stream: its readers read one after the
 *    other. Its holder may sleep for ever, for a message or for its own memory;
 *    so only readers take it, interruptibly, and those who may not wait give up.
 *
 *    region->sealing, a mutex, one for each region: those who seal it do so one
 *    after the other. Its holder sleeps for memory and for locks of pages.
 *
 * 1. box->lock, a mutex; its holder may sleep for kernel memory, but never
 *    touches user memory: a page fault can be stalled by its owner for ever,
 *    and with it the box for everyone. It protects
 *     - which objects, names and users are in the box, and their numbers;
 *     - how many handles an object has, so what is found in the registry is
 *       alive and stays so until the lock is released;
 *     - which processes have the device open, and their own mailboxes;
 *     - an object's owner, group, mode and state, for writing. Readers without
 *       the lock use READ_ONCE().
 *
 * 2. exchange->lock, a spinlock, one for each mailbox or queue; never held
 *    over anything that sleeps or faults. It protects all fields of struct
 *    ipcbox_exchange not marked otherwise: the queue, the shares, who waits,
 *    who holds handles, the counters.
 *
 *    region->lock, a spinlock, one for each region, as above. It protects the
 *    semaphores, who waits for them, and what handles have noted there.
 *
 * mmap_lock comes before box->lock: mappings of a region that begin and end
 * count as pins. None of the locks here is held over what takes it.
 *
 * Functions named *_locked want the innermost lock that concerns them and say
 * so by lockdep_assert_held() in their first line.
 *
 * Life
 * ----
 * An object lives while it has handles, each a struct file, or pins, or is
 * persistent and registered. A handle also holds its network namespace, so a box
 * outlives every handle; and the module, as every file does. A persistent object
 * in the registry holds the module by itself. An object whose last pin goes is
 * destroyed by box->reap, for which nothing waits but the end of the box. Shares
 * live as long as their object; messages belong to exactly one of: the queue, the
 * parked entries, a waiter, a handle that holds them, or a function that is
 * sending or receiving them; whoever takes a message out of one of these under
 * exchange->lock owns it. A message for which a sender waits is tracked by a
 * delivery, which says under the lock where it is; see delivery.c. Only PEEK
 * refers to messages that it does not own: it counts a reference. A message that
 * moves into a receive pool ends as such; its record takes over its charge.
 *
 * Wake-ups
 * --------
 * A thread that waits does so on a struct ipcbox_waiter of its own stack.
 * Whoever serves it writes what it waited for, and then its result, last:
 *
 *   server (exchange->lock)               waiter
 *   -----------------------               ------
 *   unlink the waiter from its list       set_current_state()
 *   task = waiter->task
 *   waiter->message = ...                 smp_load_acquire(&waiter->result)
 *   smp_store_release(&waiter->result)      not WAITING: return, without lock
 *   enter RCU                               WAITING: schedule()
 *   unlock exchange->lock
 *   wake_up_process(task)
 *   leave RCU
 *
 * The release pairs with the acquire: a waiter that sees its result sees its
 * message, and from then on the server does not touch the waiter. The task may
 * exit before it is woken, but a task structure is freed only after an RCU
 * grace period, which the lock, and then RCU's own, hold up: it is still there to
 * be woken in vain. set_current_state()
 * orders the waiter's state before its look at the result, and wake_up_process()
 * the result before its look at the state, so that no wake-up is lost.
 *
 * A waiter that gives up (deadline, signal) takes exchange->lock and looks
 * again: a result that came first wins, as success beats a late signal.
 *
 * poll
 * ----
 * ipcbox_notify_poll() joins the wait queue first and takes exchange->lock to
 * look second; whoever changes what poll would say does so under the lock and
 * looks for sleepers under it too. Whichever of the two critical sections comes
 * second sees what the other did, so waitqueue_active() needs no barrier.
 *
 * Channels
 * --------
 * A channel has no lock of its own: its ends are attached and detached under
 * box->lock, and what its page says is not the kernel's. A sleeper joins the wait
 * queue of its end, and then looks where the other end is (or whether it is
 * gone); whoever moves the other end does so first, and then wakes the queue:
 *
 *   sleeper                                other end, by WAKE (or its closing)
 *   -------                                -----------------------------------
 *   prepare_to_wait()                      move its position (set end->ended)
 *   look at the position (end->ended)      clear SLEEPS in the sleeper's page
 *   look whether SLEEPS is set             wake_up()
 *
 * The lock of the wait queue orders them. Whether the other end calls WAKE at all
 * is between the two in user space, see <linux/ipcbox_ring.h>.
 * Sealing
 * -------
 * region->writable counts the shared mappings that are or may become writable.
 * A new one comes by atomic_inc_unless_negative(), which fails once
 * atomic_cmpxchg() has made 0 IPCBOX_REGION_CLOSED, and that fails while there
 * is any: of mapping and sealing, one is refused. A mapping that is copied, by
 * fork or by being split, is counted before the one it is copied from can go, as
 * mmap_lock is held. One that goes is uncounted when nobody can use it any more.
 * region->sealed is set by smp_store_release() when the content is final, and
 * read by smp_load_acquire() by STAT.
 *
 * Receive pools
 * -------------
 * What sender and receiver do without a lock is in <linux/ipcbox.h>, numbered 1 to
 * 5. Here belong:
 *
 * A record that is reserved under exchange->lock is the reserver's until it has
 * finished it, without the lock. In between it neither sleeps nor is preempted,
 * as those after it wait; so nothing but memory at hand is copied there. Nobody
 * else touches it: it is neither released nor translated before it is finished.
 *
 *   who finishes a record          who waits for one (WAIT, poll, readers)
 *   ---------------------          ---------------------------------------
 *   write record->state            join exchange->readable
 *   full barrier                   full barrier (prepare_to_wait(), or the
 *   is anybody in readable?          lock that follows)
 *                                  look at record->state
 *
 *   who waits for room             the receiver, in user space
 *   ------------------             ---------------------------
 *   park, or join writable         write receiver->tail
 *   write page->wake_at            full barrier
 *   full barrier                   look at page->wake_at
 *   look at receiver->tail
 *
 * The right side then calls WAIT, which wakes the left side under the lock.
 * Therefore whoever parks a message calls ipcbox_pool_update() before it sleeps.
 *
 * receiver->tail and receiver->next may change at any time to anything: each is
 * read once where it is used, and passes ipcbox_pool_ring_claim().
 *
 * Lockless reads
 * --------------
 *  - end->ended of a channel: written under box->lock, by smp_store_release(),
 *    after the end's last handle and mapping are gone; read by
 *    smp_load_acquire() before the end's position, which is then its last.
 *  - handle->share, the share of the user who last sent by this handle: written
 *    by smp_store_release() when a share is found or made, read by
 *    smp_load_acquire(), and used only if it is that of the present sender.
 *    Shares are not freed while a handle exists.
 *  - handle->block, from which one sender at a time carves: taken by an exchange
 *    with IPCBOX_BLOCK_TAKEN, by which others see that they must do without, and
 *    put back by smp_store_release(). Pieces are dropped by anybody, with
 *    atomic_dec_and_test(); when the carver sees, with acquire, that all are
 *    dropped, the memory is its own again. block->user is not held: a message only
 *    goes where its user has a share, so who drops a piece is concerned with an
 *    object that has one, and shares live as long as their object.
 *  - share->messages, as a hint at how large a block should be.
 *  - user->bytes, an atomic: a charge adds first and takes back when that was
 *    too much, so two charges at once may both fail near the limit, but never
 *    exceed it.
 *  - exchange->registrant, when a descriptor is closed: only the process that
 *    registered is concerned, which sees what it wrote. One that is seen in vain
 *    is looked at again under the lock.
 *  - a revocable object's owner, group and mode, at each use: READ_ONCE(). Its
 *    IPCBOX_STATE_UNLINKED is set before exchange->lock is taken to wake who
 *    waits, so who looks at it under that lock either sees it or is woken.
 *  - exchange->sender_processor and receiver_processor: hints, see spin.c.
 *  - the page table around a fault in a region's mapping: a hint for how much to
 *    map, under RCU, which keeps the table; see region_map_pages().
 *  - ipcbox_limits: each limit is one word, read once where it is applied.
 */
#ifndef IPCBOX_LOCKING_H
#define IPCBOX_LOCKING_H

#include <linux/lockdep.h>

#endif /* IPCBOX_LOCKING_H */
