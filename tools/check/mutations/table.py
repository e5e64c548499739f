# SPDX-License-Identifier: GPL-2.0
"""Promises, how the module would break each, and the test that must see it."""

import channels
import messages
import pools
import regions
from mutation import Mutation

MUTATIONS = [
    # Integrity
    Mutation(
        "a payload arrives whole",
        "module/message.c",
        [("\t\tfrom += segment->size;\n", "\t\tfrom += segment->size - 1;\n")],
        "selftests/message_integrity",
        "large_messages_arrive_whole",
    ),
    Mutation(
        "a receive that fails with EFAULT leaves the message",
        "module/receive.c",
        [
            (
                "\t\tif (error)\n\t\t\tbreak;\n\t\tif (receive_commit(",
                "\t\tif (error) {\n\t\t\treceive_commit(receiving, message);\n\t\t\ti++;\n\t\t\tbreak;\n\t\t}\n"
                "\t\tif (receive_commit(",
            )
        ],
        "selftests/message_integrity",
        "a_bad_buffer_leaves_the_message_in_its_place",
    ),
    Mutation(
        "what a failed receive leaves is in its place",
        "module/queue.c",
        [
            (
                "\treturn ipcbox_queue_place_before(place, &at);\n",
                "\treturn place->priority > at.priority;\n",
            )
        ],
        "selftests/message_integrity",
        "a_bad_buffer_leaves_the_message_in_its_place",
    ),
    Mutation(
        "a receive that fails with EMSGSIZE leaves the message",
        "module/receive.c",
        [
            (
                "\t\t\tincoming->length = entry->length;\n",
                "\t\t\tincoming->length = entry->length;\n"
                "\t\t\tipcbox_queue_remove(&exchange->queue, entry);\n",
            )
        ],
        "selftests/message_integrity",
        "a_small_buffer_is_emsgsize_and_leaves_the_message",
    ),
    Mutation(
        "a send that times out has no effect",
        "module/send.c",
        [
            (
                "\t\tipcbox_room_admit_locked(exchange, share, &wakes);\n",
                "\t\tipcbox_exchange_accept_locked(exchange, message, &wakes);\n",
            ),
            # It is not the sender's any more.
            ("\tif (unlikely(error))\n\t\tipcbox_message_free(message);\n\treturn error;\n", "\treturn error;\n"),
        ],
        "selftests/blocking",
        "a_deadline_ends_a_send_without_effect",
    ),
    Mutation(
        "a process that is being killed takes no message with it",
        "module/receive.c",
        [("\tif (fatal_signal_pending(current))\n\t\treturn -EINTR;\n", "")],
        "selftests/blocking",
        "a_killed_receiver_takes_no_message",
    ),
    Mutation(
        "a waiting process can be killed",
        "module/waiter.c",
        [
            (
                "\t\tif (signal_pending(current))\n",
                "\t\tif (signal_pending(current) && !fatal_signal_pending(current))\n",
            )
        ],
        "selftests/blocking",
        "a_killed_sender_leaves_nothing",
    ),
    # Order
    Mutation(
        "the highest priority comes first",
        "module/queue.h",
        [("a->priority > b->priority", "a->priority < b->priority")],
        "selftests/message_order",
        "the_highest_priority_comes_first",
    ),
    Mutation(
        "within a priority the oldest comes first",
        "module/queue.h",
        [
            (
                "\t\tlist_add_tail(&entry->list, &queue->entries);\n",
                "\t\tlist_add(&entry->list, &queue->entries);\n",
            )
        ],
        "selftests/message_order",
        "within_a_priority_the_oldest_comes_first",
    ),
    Mutation(
        "waiting senders are admitted in order",
        "module/queue.c",
        [
            (
                "\tlist_add_tail(&entry->list, &entry->share->parked);\n",
                "\tlist_add(&entry->list, &entry->share->parked);\n",
            )
        ],
        "selftests/blocking",
        "waiting_senders_are_admitted_in_turn",
    ),
    Mutation(
        "waiting receivers are served in order",
        "module/exchange.c",
        [
            (
                "\t\tlist_add_tail(&waiter->node, &exchange->receivers);\n",
                "\t\tlist_add(&waiter->node, &exchange->receivers);\n",
            )
        ],
        "selftests/blocking",
        "waiting_receivers_are_served_in_turn",
    ),
    Mutation(
        "no message overtakes one that waits for room",
        "module/queue.h",
        [
            ("\tif (!list_empty(&share->parked))\n\t\treturn false;\n", ""),
            (
                "\treturn list_empty(&queue->turns) &&\n\t       ipcbox_queue_has_room(",
                "\treturn ipcbox_queue_has_room(",
            ),
        ],
        "selftests/blocking",
        "a_small_message_does_not_overtake_a_waiting_large_one",
    ),
    # Ends are noticed, and waits end
    Mutation(
        "a mailbox has one receive handle",
        "module/exchange.c",
        [("\t\t\terror = -EBUSY;\n", "\t\t\texchange->receive_handles++;\n")],
        "selftests/mailbox_receiver",
        "has_one_receive_handle",
    ),
    Mutation(
        "a send to an abandoned mailbox is EPIPE",
        "module/exchange.c",
        [("\t       (exchange->abandoned && !(state", "\t       (exchange->abandoned && false && !(state")],
        "selftests/mailbox_receiver",
        "when_the_last_receiver_has_gone",
    ),
    Mutation(
        "waiting senders wake when the receiver goes",
        "module/exchange.c",
        [("\t\tipcbox_room_fail_locked(exchange, error, wakes);\n", "")],
        "selftests/mailbox_receiver",
        "a_waiting_sender_wakes_when_the_last_receiver_closes",
    ),
    Mutation(
        "waiting receivers wake when no sender can come",
        "module/exchange.c",
        [("\t\texchange_fail_receivers_locked(exchange, error, wakes);\n", "")],
        "selftests/mailbox_receiver",
        "a_waiting_receiver_wakes_when_the_last_sender_closes",
    ),
    Mutation(
        "poll shows EPOLLHUP when the receiver has gone",
        "module/notify.c",
        [
            (
                "\t\tif (ipcbox_exchange_no_receiver_locked(exchange))\n\t\t\tevents |= EPOLLHUP;\n",
                "\t\tif (ipcbox_exchange_no_receiver_locked(exchange))\n\t\t\tevents |= 0;\n",
            )
        ],
        "selftests/poll_epoll",
        "a_poller_of_a_sender_wakes_when_the_receiver_goes",
    ),
    Mutation(
        "a poller wakes when the receiver goes",
        "module/exchange.c",
        [("\t\twakes->writable |= EPOLLHUP;\n", "")],
        "selftests/poll_epoll",
        "a_poller_of_a_sender_wakes_when_the_receiver_goes",
    ),
    Mutation(
        "a poller wakes for a message",
        "module/exchange.c",
        [("\twakes->readable |= EPOLLIN | EPOLLRDNORM;\n", "")],
        "selftests/poll_epoll",
        "a_poller_wakes_for_a_message",
    ),
    Mutation(
        "EPOLLOUT promises room for the longest message",
        "module/notify.c",
        [("\t\t\t\t   exchange->max_message_bytes);\n", "\t\t\t\t   0);\n")],
        "selftests/poll_epoll",
        "out_is_room_for_the_largest",
    ),
    Mutation(
        "a deadline ends a wait",
        "module/waiter.c",
        [("\t\tif (likely(forever)) {\n", "\t\tif (true) {\n")],
        "selftests/blocking",
        "a_deadline_ends_a_receive_without_effect",
    ),
    Mutation(
        "O_NONBLOCK is honoured",
        "module/receive.c",
        [("!(request->flags & IPCBOX_NOWAIT) && !nonblock;\n", "!(request->flags & IPCBOX_NOWAIT);\n")],
        "selftests/object_life",
        "the_nonblock_flag_is_the_files",
    ),
    # No peer is trusted
    Mutation(
        "the stamp has the pid of the process that sends",
        "module/message.c",
        [("get_pid(task_tgid(current))", "get_pid(task_tgid(current->real_parent))")],
        "selftests/message_integrity",
        "the_stamp_is_the_senders",
    ),
    Mutation(
        "the stamp has the effective ids",
        "module/message.c",
        [("\tmessage->uid = current_euid();\n", "\tmessage->uid = current_uid();\n")],
        "selftests/message_integrity",
        "the_stamp_has_the_effective_ids",
    ),
    Mutation(
        "the stamp's pid is the receiver's name for it",
        "module/message.h",
        [("likely(!task_pid(current)->level) ?", "true ?")],
        "selftests/box_namespace",
        "a_sender_outside_the_pid_namespace_reads_as_0",
    ),
    Mutation(
        "the stamp's uid is the receiver's name for it",
        "module/message.h",
        [("from_kuid_munged(ns, message->uid)", "__kuid_val(message->uid)")],
        "selftests/box_namespace",
        "a_sender_is_told_in_the_receivers_user_namespace",
    ),
    Mutation(
        "the mode of the caller's class alone counts",
        "module/object.c",
        [("\t\tmode >>= 3;\n", "\t\tmode |= mode >> 3;\n")],
        "selftests/object_access",
        "the_class_of_the_caller_decides",
    ),
    Mutation(
        "a capability counts in the namespace that owns the box",
        "module/box.c",
        [("ns_capable(box->net->user_ns, capability)", "ns_capable(current_user_ns(), capability)")],
        "selftests/object_access",
        "the_capability_of_another_user_namespace_is_none",
    ),
    Mutation(
        "only the owner unlinks",
        "module/object.c",
        [("!ipcbox_object_grants(object, IPCBOX_RIGHT_MANAGE)", "!ipcbox_object_grants(object, 0)")],
        "selftests/object_access",
        "only_the_owner_unlinks",
    ),
    Mutation(
        "a handle without the right gets EACCES",
        "module/handle.c",
        [("\tif (!rights)\n\t\treturn -EACCES;\n", "")],
        "selftests/abi_fields",
        "each_right_is_needed",
    ),
    Mutation(
        "a network namespace has a box of its own",
        "module/box.c",
        [("get_net(current->nsproxy->net_ns)", "get_net(&init_net)")],
        "selftests/box_namespace",
        "a_new_network_namespace_starts_empty",
    ),
    # Limits
    Mutation(
        "a user's bytes in flight have a limit",
        "module/box.h",
        [("\tif (likely(used <= ipcbox_limit(user_bytes)))\n", "\tif (likely(used))\n")],
        "selftests/limits",
        "a_user_has_a_budget_of_bytes",
    ),
    Mutation(
        "bytes in flight are charged to the sender",
        "module/exchange.c",
        [
            (
                "\tuser = ipcbox_user_get(handle->object->box, uid);\n",
                "\tuser = ipcbox_user_get(handle->object->box, handle->object->owner->uid);\n",
            )
        ],
        "selftests/limits",
        "a_budget_is_the_senders",
    ),
    Mutation(
        "subordinate uids have no budget of their own",
        "module/box.c",
        [("\t\tuid = ns->owner;\n", "\t\t;\n")],
        "selftests/limits",
        "subordinate_ids_are_no_further_budget",
    ),
    Mutation(
        "a user's first message always gets in",
        "module/queue.h",
        [("\tif (!share->messages)\n\t\treturn true;\n", "")],
        "selftests/limits",
        "a_full_object_takes_another_users_first_message",
    ),
    Mutation(
        "a user who is not the owner has a share",
        "module/queue.h",
        [("\t       ipcbox_queue_share_has_room(queue, share, length);\n", "\t       true;\n")],
        "selftests/limits",
        "another_than_the_owner_fills_his_share_only",
    ),
    Mutation(
        "users who wait for room take turns",
        "module/queue.c",
        [
            (
                "\tif (!list_empty(&share->parked))\n\t\tlist_add_tail(&share->turn, &queue->turns);\n",
                "\tif (!list_empty(&share->parked))\n\t\tlist_add(&share->turn, &queue->turns);\n",
            )
        ],
        "selftests/limits",
        "users_who_wait_are_admitted_round_robin",
    ),
    Mutation(
        "short messages are charged to the memory cgroup",
        "module/message.c",
        [("#define MESSAGE_GFP (GFP_KERNEL_ACCOUNT |", "#define MESSAGE_GFP (GFP_KERNEL |")],
        "selftests/memcg",
        "small_messages_are_charged_too",
    ),
    Mutation(
        "long messages are charged to the memory cgroup",
        "module/message.c",
        [("\t\t\t  GFP_KERNEL_ACCOUNT | __GFP_NORETRY", "\t\t\t  GFP_KERNEL | __GFP_NORETRY")],
        "selftests/memcg",
        "messages_are_charged_to_the_sender",
    ),
    Mutation(
        "a raised limit admits who waits",
        "module/exchange.c",
        [("\tipcbox_room_admit_locked(exchange, NULL, &wakes);\n", "")],
        "selftests/blocking",
        "a_raised_limit_admits_at_once",
    ),
    Mutation(
        "what goes with its object is counted",
        "module/dead_letter.c",
        [("\tatomic64_inc(&exchange->object.box->discarded);\n", "")],
        "selftests/limits",
        "what_is_destroyed_is_counted",
    ),
    # Objects
    Mutation(
        "a name can be taken exclusively",
        "module/object.c",
        [("\t\tif (request->flags & IPCBOX_CREATE_EXCLUSIVE ||\n", "\t\tif (\n")],
        "selftests/object_life",
        "exclusive_create_fails_if_the_name_exists",
    ),
    Mutation(
        "a persistent object lives until it is unlinked",
        "module/object.c",
        [("\t\t!(object->state & IPCBOX_STATE_PERSISTENT));\n", "\t\ttrue);\n")],
        "selftests/object_life",
        "a_persistent_object_lives_until_unlink",
    ),
    Mutation(
        "ids are never reused",
        "module/box.c",
        [
            (
                "\txa_erase(&box->objects, object->id);\n",
                "\txa_erase(&box->objects, object->id);\n\tif (box->last_id == object->id)\n\t\tbox->last_id--;\n",
            )
        ],
        "selftests/object_life",
        "ids_count_up_and_are_never_reused",
    ),
    Mutation(
        "a create whose answer cannot be given leaves nothing",
        "module/ioctl.c",
        [("\t\tif (call->undo)\n\t\t\tcall->undo(call);\n\t\tfput(call->opened);\n", "")],
        "selftests/object_life",
        "a_result_that_cannot_be_written_is_efault",
    ),
    Mutation(
        "handles are closed on exec",
        "module/ioctl.c",
        [("get_unused_fd_flags(O_CLOEXEC)", "get_unused_fd_flags(0)")],
        "selftests/object_life",
        "handles_are_closed_on_exec",
    ),
    Mutation(
        "a persistent object keeps the module",
        "module/object.c",
        [("\t\t__module_get(THIS_MODULE);\n", "\t\t;\n"), ("\t\tmodule_put(THIS_MODULE);\n", "\t\t;\n")],
        "selftests/unload",
        "a_persistent_object_keeps_it",
    ),
    # The form of calls
    Mutation(
        "an unknown tail that is not zero is E2BIG",
        "module/ioctl.c",
        [("row->size, argument, size);\n", "row->size, argument, min_t(u32, size, row->size));\n")],
        "selftests/abi_matrix",
        "larger_size_with_other_tail_is_refused",
    ),
    Mutation(
        "a structure that is too small is EINVAL",
        "module/ioctl.c",
        [("\tif (size < row->min_size)\n", "\tif (size < sizeof(size))\n")],
        "selftests/abi_matrix",
        "smaller_size_is_refused",
    ),
    Mutation(
        "unknown flags are EINVAL",
        "module/object.c",
        [
            (
                "\treturn !(request->flags & ~flags) && !request->pad",
                "\treturn (flags || true) && !request->pad",
            )
        ],
        "selftests/abi_matrix",
        "unknown_flags_are_refused",
    ),
    Mutation(
        "padding must be zero",
        "module/main.c",
        [("\tif (info->flags || info->pad)\n", "\tif (info->flags)\n")],
        "selftests/abi_matrix",
        "padding_must_be_zero",
    ),
    Mutation(
        "32-bit programs work",
        "module/handle.c",
        [("\t.compat_ioctl = compat_ptr_ioctl,\n", "")],
        "selftests32/abi_matrix",
        "exact_size_is_granted",
    ),
    # Exchanges
    Mutation(
        "a withdrawn message is not received from a copy under way",
        "module/receive.c",
        [("\twithdrawn = delivery->withdrawn;\n", "\twithdrawn = false;\n")],
        "selftests/sync_send",
        "is_withdrawn_from_a_copy_that_hangs",
    ),
    Mutation(
        "a synchronous send withdraws its message at the deadline",
        "module/delivery.c",
        [
            (
                "\tdelivery_unqueue_locked(exchange, delivery);\n\tipcbox_room_admit_locked",
                "\tif (delivery->state == IPCBOX_DELIVERY_QUEUED)\n\t\treturn false;\n"
                "\tdelivery_unqueue_locked(exchange, delivery);\n\tipcbox_room_admit_locked",
            )
        ],
        "selftests/sync_send",
        "the_deadline_withdraws_it_from_the_object",
    ),
    Mutation(
        "who waits for a message learns that no receiver will come",
        "module/delivery.c",
        [("finish_locked(delivery, error, wakes)", "finish_locked(delivery, -ETIMEDOUT, wakes)")],
        "selftests/sync_send",
        "no_receiver_any_more_is_epipe",
    ),
    Mutation(
        "what a closed handle held returns",
        "module/exchange.c",
        [("\twhile (exchange_abandon_some(handle))\n", "\twhile (!handle && exchange_abandon_some(handle))\n")],
        "selftests/held_messages",
        "close_returns_them_in_order",
    ),
    Mutation(
        "each return raises the deliveries",
        "module/settle.c",
        [("\t\tdelivery->deliveries++;\n", "\t\t;\n")],
        "selftests/held_messages",
        "nack_returns_it_to_its_place",
    ),
    Mutation(
        "a call ends when its server dies",
        "module/delivery.c",
        [("\tif (delivery->call && delivery->waiter) {\n", "\tif (!delivery->call && delivery->waiter) {\n")],
        "selftests/call_reply",
        "the_server_closes_or_dies",
    ),
    Mutation(
        "a server learns that its caller is gone",
        "module/settle.c",
        [("\t\treturn -EPIPE;\n", "\t\treturn 0;\n")],
        "selftests/call_reply",
        "the_caller_is_gone_when_the_reply_comes",
    ),
    Mutation(
        "a reply is charged to the caller",
        "module/call.c",
        [
            ("ipcbox_user_charge(share->user, reserved);\n", "0;\n"),
            ("\tdelivery->reserved += reserved;\n", ""),
        ],
        "selftests/call_reply",
        "the_caller_pays_for_both_ways",
    ),
    Mutation(
        "a message is not received after its time",
        "module/receive.c",
        [("\t\tif (!ipcbox_delivery_is_over(delivery))\n", "\t\tif (delivery)\n")],
        "selftests/lifetime_dead_letter",
        "is_never_received_after_its_time",
    ),
    Mutation(
        "what expires leaves the object without receivers",
        "module/expiry.c",
        [("\t\tif (!over)\n", "\t\tif (!over || true)\n")],
        "selftests/lifetime_dead_letter",
        "expires_without_receivers",
    ),
    Mutation(
        "a dead letter tells where it died",
        "module/dead_letter.c",
        [("\tdelivery->origin = exchange->object.id;\n", "\tdelivery->origin = target->object.id;\n")],
        "selftests/lifetime_dead_letter",
        "a_letter_keeps_what_it_was",
    ),
    Mutation(
        "only who may send there names a dead-letter mailbox",
        "module/exchange.c",
        [("\treturn ipcbox_object_grants(target, IPCBOX_RIGHT_SEND) ? 0 : -EACCES;\n", "\treturn 0;\n")],
        "selftests/lifetime_dead_letter",
        "only_who_may_send_there_may_name_it",
    ),
    Mutation(
        "the receiver that came first gets a message that several select",
        "module/exchange.c",
        [("selecting->selector.ticket < plain->selector.ticket", "selecting->selector.ticket > plain->selector.ticket")],
        "selftests/selective_receive",
        "the_first_that_matches_gets_it",
    ),
    Mutation(
        "a full object does not keep a message from who selects it",
        "module/send.c",
        [("\t    !ipcbox_exchange_is_awaited_locked(exchange, message))\n", "\t    true)\n")],
        "selftests/selective_receive",
        "a_full_object_does_not_keep_it_away",
    ),
    Mutation(
        "a signal of notice is sent once",
        "module/notify.c",
        [("\t\tnotice->signal = 0;\n", "\t\t;\n")],
        "selftests/notice",
        "a_signal_is_sent_once",
    ),
    Mutation(
        "only the process itself receives from its mailbox",
        "module/object.c",
        [("\t\treturn IPCBOX_RIGHT_SEND;\n\treturn 0;\n", "\t\treturn IPCBOX_RIGHTS_ALL;\n\treturn 0;\n")],
        "selftests/direct_message",
        "who_might_send_a_signal_may_send",
    ),
    Mutation(
        "a looker is no receiver",
        "module/exchange.c",
        [
            (
                "\tif (handle->rights & IPCBOX_RIGHT_RECEIVE) {\n\t\tif (exchange->object.kind",
                "\tif (handle->rights & (IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_LOOK)) {\n\t\tif (exchange->object.kind",
            )
        ],
        "selftests/look",
        "is_not_the_receiver",
    ),
    Mutation(
        "a looker takes nothing",
        "module/receive.c",
        [("\tif (request->flags & IPCBOX_PEEK)\n\t\trights |=", "\trights |=")],
        "selftests/look",
        "takes_sends_and_changes_nothing",
    ),
    Mutation(
        "who looks needs r in the mode",
        "module/object.c",
        [("\tif (mode & 04)\n", "\trights |= IPCBOX_RIGHT_LOOK;\n\tif (mode & 04)\n")],
        "selftests/look",
        "needs_r_in_the_mode",
    ),
    Mutation(
        "an edge-triggered sender is told that a receiver came",
        "module/exchange.c",
        [("else if (!exchange->receive_handles++)\n", "else if (exchange->receive_handles++)\n")],
        "selftests/poll_epoll",
        "the_coming_of_the_first_receiver_is_an_edge_for_out",
    ),
    Mutation(
        "small writes to a stream stay together",
        "module/stream.c",
        [("\t\t\t\t\t\t\t longest), wait, 0);\n", "\t\t\t\t\t\t\t min_t(size_t, longest, 512)), wait, 0);\n")],
        "selftests/stream",
        "up_to_pipe_buf_bytes_stay_together",
    ),
    Mutation(
        "the position of pwrite is the priority",
        "module/handle.c",
        [("\t\t\t\t\t  position ? *position : 0);\n", "\t\t\t\t\t  position ? *position & 1 : 0);\n")],
        "selftests/poll_epoll",
        "the_position_of_pwrite_is_the_priority",
    ),
    Mutation(
        "pread tells an end from an empty message",
        "module/receive.c",
        [("\t\t\treturn error == -EPIPE && !exact ? 0 : error;\n", "\t\t\treturn error == -EPIPE ? 0 : error;\n")],
        "selftests/poll_epoll",
        "pread_tells_an_end_from_an_empty_message",
    ),
    Mutation(
        "a writer without readers gets SIGPIPE",
        "module/stream.c",
        [("\t\t\tsend_sig(SIGPIPE, current, 0);\n", "\t\t\t;\n")],
        "selftests/stream",
        "sigpipe_kills_who_does_not_expect_it",
    ),
    Mutation(
        "a stream ends when its last writer has closed",
        "module/exchange.c",
        [("\t\t\texchange->deserted = true;\n", "\t\t\t;\n")],
        "selftests/stream",
        "a_waiting_reader_is_told_of_the_end",
    ),
    Mutation(
        "poll shows the rest of a piece that was read in part",
        "module/notify.c",
        [("\t       READ_ONCE(exchange->stream.head);\n", "\t       false;\n")],
        "selftests/stream",
        "poll_says_when_there_are_bytes",
    ),
    # Plain and revocable queues, exclusive notice, what one request may ask for
    Mutation(
        "in a plain queue no user's first message goes in beyond its room",
        "module/queue.h",
        [("\tif (queue->limits.plain)\n\t\treturn ipcbox_queue_has_room(queue, length);\n", "")],
        "selftests/plain_queue",
        "a_user_may_fill_it_and_another_finds_no_room",
    ),
    Mutation(
        "in a plain queue who fits passes who does not",
        "module/queue.c",
        [("\t\t\t\tcontinue;\n\t\t\tunpark(", "\t\t\t\treturn NULL;\n\t\t\tunpark(")],
        "selftests/plain_queue",
        "who_waits_and_fits_passes_who_does_not",
    ),
    Mutation(
        "a revocable object's rights are those of the caller at each use",
        "module/handle.c",
        [("\treturn ipcbox_object_permits(object, rights) ? 0 : -EACCES;\n", "\treturn 0;\n")],
        "selftests/revocable_queue",
        "a_handle_serves_whom_the_mode_lets",
    ),
    Mutation(
        "unlinking a revocable object discards its messages",
        "module/exchange.c",
        [
            (
                "\texchange_empty(ipcbox_exchange_of(object));\n}\n\nstatic const",
                "\tif (!object)\n\t\texchange_empty(ipcbox_exchange_of(object));\n}\n\nstatic const",
            )
        ],
        "selftests/revocable_queue",
        "unlinking_ends_it_for_all_at_once",
    ),
    Mutation(
        "who waits on a revocable object looks at its rights again when they change",
        "module/exchange.c",
        [("\tif (object->state & IPCBOX_STATE_REVOCABLE) {\n", "\tif (!object) {\n")],
        "selftests/revocable_queue",
        "who_waits_looks_again_when_rights_change",
    ),
    Mutation(
        "an object has one exclusive registration",
        "module/notify.c",
        [("\tint error = -EBUSY;\n", "\tint error = 0;\n")],
        "selftests/exclusive_notice",
        "there_is_one_and_it_fires_once",
    ),
    Mutation(
        "closing a descriptor ends the process's registration",
        "module/notify.c",
        [("\tif (READ_ONCE(exchange->registrant))\n", "\tif (!exchange)\n")],
        "selftests/exclusive_notice",
        "closing_any_descriptor_ends_it",
    ),
    Mutation(
        "who waits follows the wall clock",
        "module/exchange.h",
        [("\treturn flags & IPCBOX_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;\n", "\treturn CLOCK_MONOTONIC;\n")],
        "selftests/request_options",
        "who_waits_follows_the_wall_clock_when_it_is_set",
    ),
    Mutation(
        "the lowest tag is received first",
        "module/selector.c",
        [("\t       (traits->tag & selection->mask) < (best->tag & selection->mask);\n", "\t       false;\n")],
        "selftests/selective_receive",
        "by_the_lowest_tag",
    ),
    Mutation(
        "a request for another object than the handle's is refused",
        "module/exchange.h",
        [("\treturn id && id != handle->object->id ? -ESTALE : 0;\n", "\treturn 0;\n")],
        "selftests/request_options",
        "only_the_object_that_is_meant_serves",
    ),
    # Descriptors in messages
    Mutation(
        "a message whose descriptors do not fit stays in its place",
        "module/receive.c",
        [("\t\t       incoming->descriptor_capacity;\n", "\t\t       IPCBOX_DESCRIPTORS_MAX;\n")],
        "selftests/descriptors",
        "too_little_room_leaves_the_message_in_place",
    ),
    Mutation(
        "at the limit of descriptors none is installed",
        "module/files.c",
        [("\t\t\tipcbox_files_uninstall(installed);\n", "")],
        "selftests/descriptors",
        "at_the_limit_of_descriptors_none_is_installed",
    ),
    Mutation(
        "descriptors go again when the header cannot be written",
        "module/receive.c",
        [("\t\tipcbox_files_uninstall(installed);\n\t\treturn -EFAULT;\n", "\t\treturn -EFAULT;\n")],
        "selftests/descriptors",
        "a_copy_that_fails_installs_none",
    ),
    Mutation(
        "descriptors go again when the message is withdrawn meanwhile",
        "module/receive.c",
        [("\t\t\tipcbox_files_uninstall(&installed);\n", "\t\t\t;\n")],
        "selftests/descriptors",
        "a_message_that_is_withdrawn_from_a_copy_leaves_none",
    ),
    Mutation(
        "a message that expires closes its files",
        "module/dead_letter.c",
        [
            (
                "\tatomic64_inc(&exchange->object.box->discarded);\n",
                "\tatomic64_inc(&exchange->object.box->discarded);\n"
                "\tif (message->entry.tracked)\n\t\tmessage->delivery->files = NULL;\n",
            )
        ],
        "selftests/descriptors",
        "a_message_that_expires_closes_them",
    ),
    Mutation(
        "a dead letter has no more descriptors than its mailbox takes",
        "module/dead_letter.c",
        [("\t\tipcbox_delivery_close_files(delivery);\n", "\t\tdelivery->closed = true;\n")],
        "selftests/descriptors",
        "a_dead_letter_comes_without_them_where_they_are_not",
    ),
    Mutation(
        "UNIX sockets do not travel",
        "module/files.c",
        [("\treturn !file_is_unix_socket(file) &&", "\treturn (!file_is_unix_socket(file) || true) &&")],
        "selftests/descriptors",
        "files_that_can_hold_files_are_refused",
    ),
    Mutation(
        "io_uring files do not travel",
        "module/files.c",
        [("&& !file_is_io_uring(file);\n", "&& (!file_is_io_uring(file) || true);\n")],
        "selftests/descriptors",
        "files_that_can_hold_files_are_refused",
    ),
    Mutation(
        "handles on mailboxes and queues do not travel",
        "module/files.c",
        [("\t\treturn ipcbox_handle_travels(file);\n", "\t\treturn true;\n")],
        "selftests/descriptors",
        "files_that_can_hold_files_are_refused",
    ),
    Mutation(
        "a persistent object takes no descriptors",
        "module/exchange.c",
        [("\treturn never ? !count : count <=", "\treturn count <=")],
        "selftests/descriptors",
        "the_object_says_how_many_it_takes",
    ),
    Mutation(
        "descriptors in flight are charged to their sender",
        "module/delivery.c",
        [("delivery_reserve(delivery, files->count * IPCBOX_FILES_COST);\n", "delivery_reserve(delivery, 0);\n")],
        "selftests/descriptors",
        "each_counts_against_the_budget",
    ),
    Mutation(
        "a reply has no more descriptors than its caller takes",
        "module/settle.c",
        [("settlement->reply.descriptor_count > delivery->reply_descriptors", "false")],
        "selftests/descriptors",
        "a_reply_carries_them_as_far_as_the_caller_has_room",
    ),
    # Spinning
    Mutation(
        "nobody spins who was not told to",
        "module/receive.c",
        [("\twaiter->spin = READ_ONCE(receiving->handle->spin);\n", "\twaiter->spin = IPCBOX_SPIN_MAX;\n")],
        "selftests/spin",
        "a_wait_stays_awake_only_when_asked_and_for_another_processor",
    ),
    Mutation(
        "who was told to spin does",
        "module/waiter.c",
        [("\t\tipcbox_spin_wait(waiter);\n", "\t\t;\n")],
        "selftests/spin",
        "a_wait_stays_awake_only_when_asked_and_for_another_processor",
    ),
    Mutation(
        "nobody spins for who is on the same processor",
        "module/spin.c",
        [("READ_ONCE(*waiter->peer) == raw_smp_processor_id())", "READ_ONCE(*waiter->peer) == INT_MAX)")],
        "selftests/spin",
        "a_wait_stays_awake_only_when_asked_and_for_another_processor",
    ),
    Mutation(
        "spinning ends when its time is over",
        "module/spin.c",
        [("ktime_before(ktime_get(), end))", "(end || true))")],
        "selftests/spin",
        "a_wait_stays_awake_no_longer_than_asked",
    ),
    Mutation(
        "the time to spin has a limit",
        "module/spin.c",
        [("\tif (request->flags || request->time > IPCBOX_SPIN_MAX)\n", "\tif (request->flags)\n")],
        "selftests/spin",
        "its_time_is_bounded_and_needs_a_right",
    ),
    Mutation(
        "a receiver that looks far misses nothing that comes back behind it",
        "module/exchange.c",
        [
            (
                "\tif (unlikely(!list_empty(&exchange->walks)))\n"
                "\t\tipcbox_walk_arrival_locked(exchange, message);\n",
                "",
            )
        ],
        "selftests/selective_receive",
        "misses_nothing_that_comes_back_behind_it",
    ),
    Mutation(
        "a search goes on when the lock was released on the way",
        "module/select.c",
        [("\twalk->looks = WALK_LOOKS;\n\treturn true;\n", "\treturn false;\n")],
        "selftests/selective_receive",
        "from_far_behind",
    ),
    Mutation(
        "what is taken from those who wait for room lets in who stood behind",
        "module/receive.c",
        [("\tipcbox_room_admit_locked(exchange, share, wakes);\n", "")],
        "selftests/selective_receive",
        "what_is_taken_from_the_waiting_lets_in_who_stood_behind",
    ),
    Mutation(
        "what is given back too late nobody receives",
        "module/delivery.c",
        [("\tif (delivery && ipcbox_delivery_is_over(delivery))\n", "\tif (false)\n")],
        "selftests/lifetime_dead_letter",
        "given_back_too_late_nobody_receives_it",
    ),
    Mutation(
        "a receiver gets past a crowd of expired messages",
        "module/receive.c",
        [("\twhile (unlikely(error == -EINPROGRESS))\n", "\twhile (false)\n")],
        "selftests/lifetime_dead_letter",
        "a_crowd_of_expired_ones_does_not_hide_the_living",
    ),
    # What is mapped
    Mutation(
        "who looks at one page of a region maps one",
        "module/region.c",
        [("\tif (alone)\n", "\tif (false)\n")],
        "selftests/region_mapping",
        "who_looks_at_one_page_maps_one",
    ),
    Mutation(
        "who reads on in a region gets the neighbours, too",
        "module/region.c",
        [("\t\tif (!pte_none(READ_ONCE(*entry)))\n", "\t\tif (false)\n")],
        "selftests/region_mapping",
        "who_looks_at_one_page_maps_one",
    ),
]

# What is mapped
MUTATIONS += regions.MUTATIONS + channels.MUTATIONS + pools.MUTATIONS

# What short messages and full queues cost
MUTATIONS += messages.MUTATIONS
