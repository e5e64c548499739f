/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Receive pools. The protocol is described in <linux/ipcbox.h>; numbers in
 * brackets are those of its pairs.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

#define FLAGS	(IPCBOX_NOWAIT | IPCBOX_REALTIME | IPCBOX_NORESTART)

/* Pages before the ring. */
#define PAGES	2

/*
 * Where the receiver stands is told to the kernel and kept nowhere else. The
 * thread that receives moves next; move_tail() says who moves tail. Released
 * records that are not the oldest are marked, a bit for each place where a record
 * may begin. An offset with a bit of no_place is no such place.
 */
struct ipcbox_pool {
	const unsigned char *ring;
	const struct ipcbox_pool_page *page;
	struct ipcbox_pool_receiver *receiver;
	uint64_t mask;
	uint64_t no_place;
	uint64_t head;
	uint32_t advancing;
	uint32_t marks;
	uint32_t *released;
	int fd;
};

/* Positions have 64 bits also where pointers have not. */
static inline uint64_t load(const __u64 *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

static inline void store(__u64 *to, uint64_t value)
{
	__atomic_store_n(to, value, __ATOMIC_RELAXED);
}

static inline const struct ipcbox_pool_record *
record_at(const struct ipcbox_pool *pool, uint64_t position)
{
	const void *record = pool->ring + (position & pool->mask);

	return record;
}

static inline uint64_t record_bytes(const struct ipcbox_pool_record *record)
{
	uint64_t bytes = sizeof(*record) + (uint64_t)record->length;

	return (bytes + IPCBOX_POOL_ALIGN - 1) & ~(uint64_t)(IPCBOX_POOL_ALIGN - 1);
}

/*
 * Mapping
 */

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static void *map(int fd, size_t bytes, int protection, size_t offset,
		 int *error)
{
	int saved = errno;
	void *memory = mmap(NULL, bytes, protection, MAP_SHARED, fd,
			    (off_t)offset);

	*error = memory == MAP_FAILED ? -errno : 0;
	errno = saved;
	return *error ? NULL : memory;
}

static void unmap(const void *memory, size_t bytes)
{
	int saved = errno;

	munmap((void *)(uintptr_t)memory, bytes);
	errno = saved;
}

static size_t ring_bytes(const struct ipcbox_pool *pool)
{
	return page_bytes() + 2 * ((size_t)pool->mask + 1);
}

static int map_pages(struct ipcbox_pool *pool)
{
	size_t page = page_bytes();
	const unsigned char *pages;
	int error;

	if (pool->mask >= (SIZE_MAX - page) / 2)
		return -ENOMEM;
	pool->receiver = map(pool->fd, page, PROT_READ | PROT_WRITE, 0, &error);
	if (error)
		return error;
	pages = map(pool->fd, ring_bytes(pool), PROT_READ, page, &error);
	if (error) {
		unmap(pool->receiver, page);
		return error;
	}
	pool->page = (const void *)pages;
	pool->ring = pages + page;
	return 0;
}

static void unmap_pages(struct ipcbox_pool *pool)
{
	unmap(pool->page, ring_bytes(pool));
	unmap(pool->receiver, page_bytes());
}

static int begin(struct ipcbox_pool *pool)
{
	size_t marks = (size_t)pool->mask / IPCBOX_POOL_ALIGN + 1;
	int error;

	pool->released = ipcbox_allocate(marks / 8);
	if (!pool->released)
		return -ENOMEM;
	error = map_pages(pool);
	if (error) {
		free(pool->released);
		return error;
	}
	pool->head = load(&pool->receiver->next);
	return 0;
}

int ipcbox_pool_map(struct ipcbox_handle *mailbox, struct ipcbox_pool **pool)
{
	struct ipcbox_pool *made;
	struct ipcbox_stat state;
	int error;

	error = ipcbox_stat(mailbox, &state);
	if (error)
		return error;
	if (!(state.state & IPCBOX_STATE_POOL))
		return -EOPNOTSUPP;
	made = ipcbox_allocate(sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->fd = mailbox->fd;
	made->mask = state.mapped_bytes - 1;
	made->no_place = ~made->mask | (IPCBOX_POOL_ALIGN - 1);
	error = begin(made);
	if (error) {
		free(made);
		return error;
	}
	*pool = made;
	return 0;
}

void ipcbox_pool_unmap(struct ipcbox_pool *pool)
{
	if (!pool)
		return;
	unmap_pages(pool);
	free(pool->released);
	free(pool);
}

/*
 * Releasing
 */

static uint32_t *mark_of(const struct ipcbox_pool *pool, uint64_t position,
			 uint32_t *bit)
{
	uint64_t place = (position & pool->mask) / IPCBOX_POOL_ALIGN;

	*bit = (uint32_t)1 << (place % 32);
	return &pool->released[place / 32];
}

/* A mark is counted after it was made, and uncounted before it goes. */
static inline uint32_t load_marks(const struct ipcbox_pool *pool)
{
	return __atomic_load_n(&pool->marks, __ATOMIC_ACQUIRE);
}

static bool is_marked(const struct ipcbox_pool *pool, uint64_t position)
{
	uint32_t bit;
	uint32_t *mark = mark_of(pool, position, &bit);

	return __atomic_load_n(mark, __ATOMIC_ACQUIRE) & bit;
}

static void set_mark(struct ipcbox_pool *pool, uint64_t position)
{
	uint32_t bit;
	uint32_t *mark = mark_of(pool, position, &bit);

	__atomic_fetch_or(mark, bit, __ATOMIC_RELEASE);
	__atomic_fetch_add(&pool->marks, 1, __ATOMIC_SEQ_CST);
	/* With the fence in must_wake(): this sees tail, or is seen there. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void clear_mark(struct ipcbox_pool *pool, uint64_t position)
{
	uint32_t bit;
	uint32_t *mark = mark_of(pool, position, &bit);

	__atomic_fetch_sub(&pool->marks, 1, __ATOMIC_RELAXED);
	__atomic_fetch_and(mark, ~bit, __ATOMIC_RELAXED);
}

static inline bool begin_advancing(struct ipcbox_pool *pool)
{
	return !__atomic_exchange_n(&pool->advancing, 1, __ATOMIC_SEQ_CST);
}

/* Tells the kernel what it waits to be told. */
static __attribute__((noinline, cold)) void wake_senders(struct ipcbox_pool *pool)
{
	struct ipcbox_pool_wait request = {
		.size = sizeof(request),
		.flags = IPCBOX_NOWAIT,
		.deadline = IPCBOX_FOREVER,
	};

	ipcbox_ioctl(pool->fd, IPCBOX_IOC_POOL_WAIT, &request);
}

/*
 * Whether what may be taken from the position at once is marked. A place comes
 * round again in each lap of the ring, but in none before tail has passed it: with
 * tail there after the look at the mark, it was there before.
 */
static bool is_marked_tail(const struct ipcbox_pool *pool, uint64_t tail)
{
	return is_marked(pool, tail) &&
	       __atomic_load_n(&pool->receiver->tail, __ATOMIC_RELAXED) == tail;
}

/*
 * Who may move tail: it stands at a record, which is marked, or not. If it is, who
 * is advancing moves it, and nobody else; if not, who releases that record. So
 * neither needs a lock against the other.
 */
static inline void move_tail(struct ipcbox_pool_receiver *receiver, uint64_t tail)
{
	/* (3) */
	__atomic_store_n(&receiver->tail, tail, __ATOMIC_RELEASE);
}

/* (5), and for advance(): who comes after this sees tail, or is seen. */
static inline bool must_wake(const struct ipcbox_pool *pool, uint64_t tail)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __builtin_expect(tail >= load(&pool->page->wake_at), 0);
}

/*
 * Moves tail over what is marked; the caller has begun to advance. Who marks a
 * record while another advances leaves it to that one, who therefore looks once
 * more when others can advance again; and likewise who moves tail to a record
 * that is marked.
 */
static __attribute__((noinline)) void advance(struct ipcbox_pool *pool)
{
	uint64_t begun;
	uint64_t tail;

	do {
		begun = load(&pool->receiver->tail);
		tail = begun;
		if (is_marked_tail(pool, tail)) {
			do {
				clear_mark(pool, tail);
				tail += record_bytes(record_at(pool, tail));
			} while (is_marked(pool, tail));
			move_tail(pool->receiver, tail);
		}
		__atomic_store_n(&pool->advancing, 0, __ATOMIC_RELEASE);
		if (must_wake(pool, tail) && tail != begun)
			wake_senders(pool);
		tail = load(&pool->receiver->tail);
	} while (is_marked_tail(pool, tail) && begin_advancing(pool));
}

/*
 * What others marked before tail came there is for who brought it there; what is
 * marked afterwards, for who marks it.
 */
static __attribute__((noinline)) int advance_further(struct ipcbox_pool *pool)
{
	if (is_marked_tail(pool, load(&pool->receiver->tail)) &&
	    begin_advancing(pool))
		advance(pool);
	return 0;
}

static __attribute__((noinline, cold)) int
wake_and_advance(struct ipcbox_pool *pool)
{
	wake_senders(pool);
	return load_marks(pool) ? advance_further(pool) : 0;
}

/* A message that is not the oldest: the others come first. */
static __attribute__((noinline)) int
release_later(struct ipcbox_pool *pool,
	      const struct ipcbox_pool_record *message)
{
	uint64_t offset = (uint64_t)((const unsigned char *)message -
				     pool->ring);
	uint64_t tail = load(&pool->receiver->tail);
	uint64_t distance = (offset - tail) & pool->mask;

	if (offset & pool->no_place ||
	    distance >= load(&pool->receiver->next) - tail)
		return -EINVAL;
	set_mark(pool, tail + distance);
	return advance_further(pool);
}

/* The message that tail stands at, which was received. */
static inline int release_oldest(struct ipcbox_pool *pool,
				 struct ipcbox_pool_receiver *receiver,
				 const struct ipcbox_pool_record *message,
				 uint64_t tail)
{
	tail += record_bytes(message);
	move_tail(receiver, tail);
	if (must_wake(pool, tail))
		return wake_and_advance(pool);
	if (__builtin_expect(load_marks(pool) != 0, 0))
		return advance_further(pool);
	return 0;
}

int ipcbox_pool_release(struct ipcbox_pool *pool,
			const struct ipcbox_pool_record *message)
{
	struct ipcbox_pool_receiver *receiver = pool->receiver;
	uint64_t tail = load(&receiver->tail);

	if (__builtin_expect(message != record_at(pool, tail), 0) ||
	    __builtin_expect(tail == load(&receiver->next), 0))
		return release_later(pool, message);
	return release_oldest(pool, receiver, message, tail);
}

/*
 * Receiving
 */

static __attribute__((noinline)) int
wait_for_record(struct ipcbox_pool *pool, unsigned int flags, uint64_t deadline)
{
	struct ipcbox_pool_wait request = {
		.size = sizeof(request),
		.flags = flags,
		.deadline = ipcbox_deadline_or_forever(deadline),
	};

	return ipcbox_ioctl(pool->fd, IPCBOX_IOC_POOL_WAIT, &request);
}

/* The record that next stands at is received. */
static inline void move_next(struct ipcbox_pool_receiver *receiver,
			     const struct ipcbox_pool_record *record)
{
	store(&receiver->next, load(&receiver->next) + record_bytes(record));
}

/* Whether there is a record at the position, as far as its header goes. */
static inline bool is_there(struct ipcbox_pool *pool, uint64_t next)
{
	if (__builtin_expect(next != pool->head, 1))
		return true;
	/* (1) */
	pool->head = __atomic_load_n(&pool->page->head, __ATOMIC_ACQUIRE);
	return next != pool->head;
}

static inline uint32_t record_state(const struct ipcbox_pool_record *record)
{
	/* (2) */
	return __atomic_load_n(&record->state, __ATOMIC_ACQUIRE);
}

/* Waits for a message, and passes over what is none. */
static __attribute__((noinline)) int
receive_slowly(struct ipcbox_pool *pool,
	       const struct ipcbox_pool_record **message, unsigned int flags,
	       uint64_t deadline)
{
	const struct ipcbox_pool_record *record;
	uint32_t state;
	uint64_t next;
	int error;

	if (flags & ~(unsigned int)FLAGS)
		return -EINVAL;
	for (;;) {
		next = load(&pool->receiver->next);
		record = record_at(pool, next);
		state = is_there(pool, next) ? record_state(record) :
					       IPCBOX_POOL_WRITING;
		if (state == IPCBOX_POOL_WRITING) {
			error = wait_for_record(pool, flags, deadline);
			if (error)
				return error;
			continue;
		}
		move_next(pool->receiver, record);
		if (state == IPCBOX_POOL_READY)
			break;
		ipcbox_pool_release(pool, record);
	}
	*message = record;
	return 0;
}

/* Whether the record at next is a message, to be had as the flags ask. */
static inline bool is_at_hand(struct ipcbox_pool *pool,
			      const struct ipcbox_pool_record *record,
			      uint64_t next, unsigned int flags)
{
	return !__builtin_expect((flags & ~(unsigned int)FLAGS) != 0, 0) &&
	       __builtin_expect(is_there(pool, next), 1) &&
	       __builtin_expect(record_state(record) == IPCBOX_POOL_READY, 1);
}

int ipcbox_pool_receive(struct ipcbox_pool *pool,
			const struct ipcbox_pool_record **message,
			unsigned int flags, uint64_t deadline)
{
	struct ipcbox_pool_receiver *receiver = pool->receiver;
	uint64_t next = load(&receiver->next);
	const struct ipcbox_pool_record *record = record_at(pool, next);

	if (!is_at_hand(pool, record, next, flags))
		return receive_slowly(pool, message, flags, deadline);
	move_next(receiver, record);
	*message = record;
	return 0;
}

/*
 * Releasing and receiving
 */

static __attribute__((noinline)) int
next_slowly(struct ipcbox_pool *pool,
	    const struct ipcbox_pool_record **message, unsigned int flags,
	    uint64_t deadline)
{
	int error;

	if (flags & ~(unsigned int)FLAGS)
		return -EINVAL;
	if (*message) {
		error = ipcbox_pool_release(pool, *message);
		if (error)
			return error;
		*message = NULL;
	}
	return ipcbox_pool_receive(pool, message, flags, deadline);
}

int ipcbox_pool_next(struct ipcbox_pool *pool,
		     const struct ipcbox_pool_record **message,
		     unsigned int flags, uint64_t deadline)
{
	struct ipcbox_pool_receiver *receiver = pool->receiver;
	uint64_t next = load(&receiver->next);
	const struct ipcbox_pool_record *record = record_at(pool, next);
	const struct ipcbox_pool_record *done;
	uint64_t tail;

	if (!is_at_hand(pool, record, next, flags))
		return next_slowly(pool, message, flags, deadline);
	done = *message;
	tail = load(&receiver->tail);
	/* There is a record at next, so tail has not come round to it. */
	if (__builtin_expect(done != record_at(pool, tail), 0))
		return next_slowly(pool, message, flags, deadline);
	move_next(receiver, record);
	*message = record;
	return release_oldest(pool, receiver, done, tail);
}
