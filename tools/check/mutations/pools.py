# SPDX-License-Identifier: GPL-2.0
"""Promises of receive pools, as far as the kernel keeps them; see table.py."""

from mutation import Mutation

MUTATIONS = [
    Mutation(
        "the receiver maps the ring for reading only",
        "module/pool_map.c",
        [("\treturn area->vm_flags & VM_WRITE ? -EACCES : 0;\n", "\treturn 0;\n")],
        "selftests/receive_pool",
        "only_its_own_page_is_the_receivers_to_write",
    ),
    Mutation(
        "a mapping of the ring never becomes writable",
        "module/pool_map.c",
        [("\t\tipcbox_vm_flags_clear(area, VM_MAYWRITE);\n", "\t\t;\n")],
        "selftests/receive_pool",
        "the_ring_cannot_be_made_writable",
    ),
    Mutation(
        "no part of a pool is executed",
        "module/pool_map.c",
        [("\tipcbox_vm_flags_clear(area, VM_MAYEXEC);\n", "")],
        "selftests/receive_pool",
        "the_ring_cannot_be_made_writable",
    ),
    Mutation(
        "only the receiver maps a pool",
        "module/pool_map.c",
        [("\tif (!(handle->rights & IPCBOX_RIGHT_RECEIVE))\n\t\treturn -EACCES;\n", "")],
        "selftests/receive_pool",
        "only_the_receive_handle_maps",
    ),
    Mutation(
        "only the receiver waits for a pool",
        "module/pool_receive.c",
        [("\tif (!(handle->rights & IPCBOX_RIGHT_RECEIVE))\n\t\treturn -EACCES;\n", "")],
        "selftests/abi_mapped_fields",
        "each_right_is_needed_of_a_pool",
    ),
    Mutation(
        "a receiver that maps finds senders named as it knows them",
        "module/pool_map.c",
        [
            (
                "\tif (!pool_names_equal(&names, &pool->names))\n",
                "\tif (false && !pool_names_equal(&names, &pool->names))\n",
            ),
        ],
        "selftests/receive_pool",
        "senders_are_named_as_the_receiver_knows_them",
    ),
    Mutation(
        "a reader's wait ends when somebody maps the pool",
        "module/pool_map.c",
        [("\twake_up_interruptible(&exchange->readable);\n", "")],
        "selftests/receive_pool",
        "a_wait_ends_when_somebody_maps",
    ),
    Mutation(
        "what a receiver has released before its end is received",
        "module/pool_map.c",
        [("\t\tmore = ipcbox_pool_reclaim_locked(exchange, &wakes);\n", "\t\tmore = false;\n")],
        "selftests/receive_pool",
        "what_was_not_released_is_for_the_next_receiver",
    ),
    Mutation(
        "the next receiver does not see what the last one has received",
        "module/pool.c",
        [("\tpool_clear(exchange);\n", "\tif (!exchange)\n\t\tpool_clear(exchange);\n")],
        "selftests/receive_pool",
        "what_was_not_released_is_for_the_next_receiver",
    ),
    Mutation(
        "while somebody maps a pool nobody reads it otherwise",
        "module/pool_receive.c",
        [("\tif (pool->mappings)\n\t\treturn -EBUSY;\n", "")],
        "selftests/receive_pool",
        "read_and_receive_work_without_a_mapping",
    ),
    Mutation(
        "a receive from a pool that fails leaves the message",
        "module/pool_receive.c",
        [("\tpool_end_reading(reading, !error);\n", "\tpool_end_reading(reading, true);\n")],
        "selftests/receive_pool",
        "read_and_receive_work_without_a_mapping",
    ),
    Mutation(
        "a buffer that is too short leaves the message in the pool",
        "module/pool_receive.c",
        [("\t\t\tif (record->length > reading->capacity && !reading->cut)\n", "\t\t\tif (!record->length)\n")],
        "selftests/receive_pool",
        "read_and_receive_work_without_a_mapping",
    ),
    Mutation(
        "tokens and selection are refused on a pool",
        "module/pool_receive.c",
        [
            (
                "\tif (request->flags & (IPCBOX_HOLD | IPCBOX_PEEK | IPCBOX_SELECT_ALL))\n",
                "\tif (request->flags & IPCBOX_HOLD)\n",
            ),
        ],
        "selftests/receive_pool",
        "only_plain_messages_go_in",
    ),
    Mutation(
        "priorities and lifetimes are refused on a pool",
        "module/pool_send.c",
        [
            (
                "\tif (outgoing->priority || outgoing->lifetime ||\n\t    outgoing->descriptor_count)\n",
                "\tif (outgoing->descriptor_count)\n",
            ),
        ],
        "selftests/receive_pool",
        "only_plain_messages_go_in",
    ),
    Mutation(
        "a receiver that waits for its pool is woken",
        "module/pool.h",
        [("\tif (wq_has_sleeper(&exchange->readable))\n", "\tif (!exchange)\n")],
        "selftests/receive_pool",
        "a_receiver_that_waits_is_woken",
    ),
    Mutation(
        "a wait for a pool ends when no sender will come",
        "module/pool_receive.c",
        [("\t\tresult = -EPIPE;\n", "\t\tresult = -EAGAIN;\n")],
        "selftests/receive_pool",
        "the_end_of_all_senders_is_noticed",
    ),
    Mutation(
        "who waits for room in a pool gets it when it is released",
        "module/pool.c",
        [("\tipcbox_room_admit_locked(exchange, share, wakes);\n", "")],
        "selftests/receive_pool",
        "a_sender_that_waits_goes_on_when_there_is_room",
    ),
    Mutation(
        "a receiver that only looks is asked to tell of room",
        "module/pool.c",
        [("\tWRITE_ONCE(ring->page->wake_at, wake_at);\n", "")],
        "selftests/receive_pool",
        "senders_that_wait_are_let_in_when_the_receiver_never_waits",
    ),
    Mutation(
        "who polls for room in a pool is woken",
        "module/pool.c",
        [("\t\twakes->writable |= EPOLLOUT | EPOLLWRNORM;\n", "")],
        "selftests/receive_pool",
        "poll_wakes_both_sides",
    ),
    Mutation(
        "a user has a share of a pool and no more",
        "module/pool_send.c",
        [
            (
                "\t\t     !ipcbox_queue_share_has_room(queue, &sender->share->share,\n\t\t\t\t\t\t  parcel->length)))\n",
                "\t\t     false))\n",
            )
        ],
        "selftests/receive_pool",
        "another_user_fills_its_share_and_no_more",
    ),
    Mutation(
        "a message in a pool is charged to its sender",
        "module/pool_send.c",
        [
            (
                "\t\t     ipcbox_user_charge(sender->share->user, parcel->length +\n"
                "\t\t\t\t\tIPCBOX_MESSAGE_OVERHEAD)))\n",
                "\t\t     !sender))\n",
            )
        ],
        "selftests/receive_pool",
        "a_message_is_charged_until_it_is_released",
    ),
    Mutation(
        "the charge for a message in a pool goes when it is released",
        "module/pool.c",
        [
            (
                "\tipcbox_user_uncharge(share->user, credit->bytes +\n"
                "\t\t\t     messages * IPCBOX_MESSAGE_OVERHEAD);\n",
                "",
            )
        ],
        "selftests/receive_pool",
        "a_message_is_charged_until_it_is_released",
    ),
    Mutation(
        "a record names who sends now, not who sent before by that handle",
        "module/pool_send.c",
        [
            (
                "\treturn sender && sender->cred == current_cred() &&\n\t       sender->pid",
                "\treturn sender && sender->pid",
            ),
        ],
        "selftests/receive_pool",
        "a_sender_that_becomes_another_is_named_anew",
    ),
    Mutation(
        "notice is given of a short message in a pool",
        "module/pool_send.c",
        [("\tif (unlikely(notify))\n\t\tipcbox_pool_notify(", "\tif (false)\n\t\tipcbox_pool_notify(")],
        "selftests/receive_pool",
        "notice_is_given_of_arrivals",
    ),
    Mutation(
        "poll goes by what the receiver has read",
        "module/pool.c",
        [
            (
                "\t\t\t\t\t      READ_ONCE(pool->receiver->next)) :\n",
                "\t\t\t\t\t      READ_ONCE(pool->receiver->tail)) :\n",
            ),
        ],
        "selftests/receive_pool",
        "poll_tells_what_the_receiver_has_not_read",
    ),
    Mutation(
        "what is in a pool that goes is counted",
        "module/pool.c",
        [("\tatomic64_inc(&exchange->object.box->discarded);\n", "")],
        "selftests/receive_pool",
        "a_killed_receiver_ends_a_mailbox_that_is_not_persistent",
    ),
    Mutation(
        "what is in a pool that goes is charged no more",
        "module/pool.c",
        [
            (
                "\tipcbox_user_uncharge(share->user,\n"
                "\t\t\t     (u64)record->length + IPCBOX_MESSAGE_OVERHEAD);\n",
                "\t(void)share;\n",
            )
        ],
        "selftests/receive_pool",
        "a_killed_receiver_ends_a_mailbox_that_is_not_persistent",
    ),
    Mutation(
        "the memory of a pool is charged to its creator's cgroup",
        "module/pool.c",
        [("\t(GFP_KERNEL_ACCOUNT | __GFP_ZERO |", "\t(GFP_KERNEL | __GFP_ZERO |")],
        "selftests/memcg",
        "memory_for_mapping_is_charged_to_the_creator",
    ),
]
