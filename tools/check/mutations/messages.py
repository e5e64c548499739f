# SPDX-License-Identifier: GPL-2.0
"""Promises of the memory of messages, and of queues that are full; see table.py."""

from mutation import Mutation

MUTATIONS = [
    Mutation(
        "what is in use of a block is nobody else's",
        "module/block.h",
        [("\tblock->used += size;\n", "\tblock->used += size - sizeof(u64);\n")],
        "selftests/message_memory",
        "what_stays_is_whole_when_others_go",
    ),
    Mutation(
        "who sends is charged, whoever sent before",
        "module/block.h",
        [("block->group == ipcbox_memory_group()", "true")],
        "selftests/memcg",
        "who_sends_is_charged_whoever_sent_before",
    ),
    Mutation(
        "few messages do not hold much memory",
        "module/block.c",
        [("&user->block_bytes) <= most)", "&user->block_bytes) <= U64_MAX)")],
        "selftests/memcg",
        "few_messages_do_not_hold_much_memory",
    ),
    Mutation(
        "a sender is told that it is in though the receiver stops",
        "module/room.c",
        [("\tqueue_delayed_work(system_wq, &exchange->tell_admitted, 1);\n", "")],
        "selftests/full_queue",
        "a_sender_is_told_though_the_receiver_stops",
    ),
    Mutation(
        "a signal does not undo what is in",
        "module/send.c",
        [
            ("\telse\n\t\terror = 0;\n", ""),
            # It is not the sender's any more.
            ("\tif (unlikely(error))\n\t\tipcbox_message_free(message);\n\treturn error;\n", "\treturn error;\n"),
        ],
        "selftests/full_queue",
        "a_signal_does_not_undo_what_is_in",
    ),
    Mutation(
        "a reply does not go where somebody looks at the request",
        "module/settle.c",
        [("\t       refcount_read(&delivery->references) == 1;\n", "\t       true;\n")],
        "selftests/call_reply",
        "who_looks_at_a_request_does_not_see_its_reply",
    ),
    Mutation(
        "a reply where the request was is stamped by who replies",
        "module/message.c",
        [("\tput_pid(message->pid);\n\tmessage_stamp(message, handle);\n", "")],
        "selftests/call_reply",
        "the_header_of_a_reply_tells_who_and_to_what",
    ),
    Mutation(
        "descriptions that cannot be read end a batch",
        "module/send.c",
        [("\t\t\t*count = i;\n\t\t\treturn error;\n", "\t\t\treturn error;\n")],
        "selftests/message_batch",
        "descriptions_that_cannot_be_read_end_it",
    ),
    Mutation(
        "what a batch describes in another version is understood",
        "module/send.c",
        [("likely(stride == sizeof(*outgoing)) &&", "true &&")],
        "selftests/message_batch",
        "one_of_another_version_is_understood",
    ),
    Mutation(
        "a receiver gets those that it described",
        "module/receive.c",
        [("incoming, from, count * size)", "incoming, from, (count - 1) * size)")],
        "selftests/message_batch",
        "a_receiver_gets_those_that_it_described",
    ),
    Mutation(
        "a batch into a pool is as messages one by one",
        "module/pool_send.c",
        [("\t\t    pool_check(exchange, outgoing))\n", "\t\t    false)\n")],
        "selftests/message_batch",
        "one_that_is_wrong_ends_it",
    ),
    Mutation(
        "notice is given of each message of a batch into a pool",
        "module/pool_send.c",
        [("\tif (unlikely(!list_empty(&exchange->notices)))\n\t\tcount = 0;\n", "")],
        "selftests/message_batch",
        "notice_is_given_of_each",
    ),
    Mutation(
        "a batch into a pool is shown when it is there",
        "module/pool_send.c",
        [("\tif (likely(sent))\n\t\tipcbox_pool_ring_show(&exchange->pool->ring);\n", "")],
        "selftests/message_batch",
        "each_message_is_itself",
    ),
]
