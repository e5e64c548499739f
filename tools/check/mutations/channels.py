# SPDX-License-Identifier: GPL-2.0
"""Promises of channels, as far as the kernel keeps them; see table.py."""

from mutation import Mutation

MUTATIONS = [
    Mutation(
        "an end has one handle",
        "module/channel.c",
        [("\tif (end->handle)\n\t\treturn -EBUSY;\n", "")],
        "selftests/channel",
        "each_end_has_one_handle",
    ),
    Mutation(
        "nobody is both ends",
        "module/channel.c",
        [("\tif ((handle->rights & both) == both)\n\t\treturn -EINVAL;\n", "\t(void)both;\n")],
        "selftests/channel",
        "each_end_has_one_handle",
    ),
    Mutation(
        "an end maps the other's part for reading only",
        "module/channel.c",
        [("\t\tif (area->vm_flags & VM_WRITE)\n\t\t\treturn -EACCES;\n", "")],
        "selftests/channel",
        "an_end_maps_the_others_part_for_reading_only",
    ),
    Mutation(
        "an end's mapping of the other's part never becomes writable",
        "module/channel.c",
        [("\t\tipcbox_vm_flags_clear(area, VM_MAYWRITE);\n", "")],
        "selftests/channel",
        "a_mapping_for_reading_never_becomes_writable",
    ),
    Mutation(
        "no part of a channel is executed",
        "module/channel.c",
        [("\tipcbox_vm_flags_clear(area, VM_MAYEXEC);\n", "")],
        "selftests/channel",
        "a_mapping_for_reading_never_becomes_writable",
    ),
    Mutation(
        "no page of a channel can be kept beyond the mapping",
        "module/mapping.h",
        [
            (
                "\t\terror = remap_pfn_range(area, address, page_to_pfn(*pages),\n\t\t\t\t\tPAGE_SIZE, area->vm_page_prot);\n",
                "\t\terror = vm_insert_page(area, address, *pages);\n",
            )
        ],
        "selftests/channel_hostile",
        "no_page_can_be_kept_beyond_the_mapping",
    ),
    Mutation(
        "a mapping of a channel ends where it does",
        "module/channel.c",
        [("\tif (area->vm_pgoff >= last || pages > last - area->vm_pgoff)\n", "\tif (!last)\n")],
        "selftests/channel",
        "what_is_not_there_is_not_mapped",
    ),
    Mutation(
        "a copy is not a channel",
        "module/channel.c",
        [("\tif (!(area->vm_flags & VM_SHARED))\n\t\treturn -EINVAL;\n", "")],
        "selftests/channel",
        "what_is_not_there_is_not_mapped",
    ),
    Mutation(
        "a mapping that is inherited counts",
        "module/channel.c",
        [
            (
                "\tatomic_inc(&channel->mappings);\n}\n\nstatic void channel_area_close",
                "\t(void)channel;\n}\n\nstatic void channel_area_close",
            )
        ],
        "selftests/channel",
        "mappings_are_counted",
    ),
    Mutation(
        "WAKE wakes",
        "module/channel.c",
        [("\tchannel_wake(channel, side, 0);\n", "")],
        "selftests/channel",
        "a_consumer_that_sleeps_is_woken",
    ),
    Mutation(
        "WAKE clears the sleeper's wish",
        "module/channel.c",
        [
            (
                "\tatomic_andnot(IPCBOX_CHANNEL_SLEEPS,\n\t\t      channel_attention(&channel->ends[side]));\n",
                "",
            )
        ],
        "selftests/abi_mapped",
        "exact_size_is_granted",
    ),
    Mutation(
        "a WAKE that came before the sleep counts",
        "module/channel.c",
        [
            (
                "\t\tif (!(atomic_read(channel_attention(end)) &\n\t\t      IPCBOX_CHANNEL_SLEEPS))\n\t\t\tbreak;\n",
                "",
            )
        ],
        "selftests/channel",
        "a_wake_ends_a_wait_whatever_the_position",
    ),
    Mutation(
        "an end that goes wakes the other",
        "module/channel.c",
        [("\t\tchannel_wake(channel, channel_opposite(side), EPOLLHUP);\n", "")],
        "selftests/channel",
        "an_end_that_closes_wakes_the_other_at_once",
    ),
    Mutation(
        "who waits is told that the other end is gone",
        "module/channel.c",
        [("\t\tsmp_store_release(&end->ended, true);\n", "")],
        "selftests/channel",
        "a_mapping_keeps_an_end",
    ),
    Mutation(
        "the page of an end that is gone says so",
        "module/channel.c",
        [("\t\tatomic_or(IPCBOX_CHANNEL_ENDED, channel_attention(end));\n", "")],
        "selftests/channel",
        "what_was_published_is_read_before_the_end",
    ),
    Mutation(
        "an end that never came is awaited until UNLINK",
        "module/channel.c",
        [
            (
                "\t\t    (!end->left || state & IPCBOX_STATE_PERSISTENT))\n",
                "\t\t    (state & IPCBOX_STATE_PERSISTENT))\n",
            ),
        ],
        "selftests/channel",
        "an_end_that_was_not_there_yet_is_awaited",
    ),
    Mutation(
        "an end of a persistent channel may come back",
        "module/channel.c",
        [("\t\t    (!end->left || state & IPCBOX_STATE_PERSISTENT))\n", "\t\t    !end->left)\n")],
        "selftests/channel",
        "a_persistent_one_keeps_messages_for_the_next_end",
    ),
    Mutation(
        "an end that comes wants nothing of what the last one wanted",
        "module/channel.c",
        [("\tatomic_set(channel_attention(end), 0);\n", "")],
        "selftests/channel",
        "another_end_may_come_and_goes_on",
    ),
    Mutation(
        "what hostile ends left does not stay",
        "module/channel.c",
        [("\tchannel_repair_locked(channel);\n", "\tif (!channel)\n\t\tchannel_repair_locked(channel);\n")],
        "selftests/channel",
        "what_hostile_ends_left_is_made_good_when_both_are_gone",
    ),
    Mutation(
        "STAT tells no nonsense that an end wrote",
        "module/channel.c",
        [("\tif (bytes <= channel_size(channel))\n", "\tif (channel)\n")],
        "selftests/channel",
        "stat_tells_what_is_there",
    ),
    Mutation(
        "a wait ends at its deadline",
        "module/channel.c",
        [
            ("\tbool late = !forever && ktime_get() >= expires;\n", "\tbool late = false;\n"),
            ("\t\tlate = !schedule_hrtimeout", "\t\tlate = schedule_hrtimeout"),
        ],
        "selftests/channel",
        "wait_ends_as_it_says",
    ),
    Mutation(
        "whoever polls an end is woken",
        "module/channel.c",
        [("\tchannel_arm(channel, side);\n", "\tif (!channel)\n\t\tchannel_arm(channel, side);\n")],
        "selftests/channel",
        "poll_is_woken",
    ),
    Mutation(
        "poll tells a producer of room when half of it is free",
        "module/channel.c",
        [("\treturn used <= channel_size(channel) / 2 ||\n", "\treturn used < channel_size(channel) / 2 ||\n")],
        "selftests/channel",
        "poll_tells_of_messages_and_room",
    ),
    Mutation(
        "STAT of a channel takes no structure that was never published",
        "module/channel.c",
        [("ipcbox_stat, changed_at,", "ipcbox_stat, semaphores,")],
        "selftests/abi_mapped",
        "smaller_size_is_refused",
    ),
    Mutation(
        "a handle on a channel travels in a message",
        "module/channel.c",
        [("\t.travels = true,\n", "")],
        "selftests/descriptors",
        "handles_on_regions_and_channels_travel",
    ),
    Mutation(
        "the ring of a channel is charged to its creator's cgroup",
        "module/channel.c",
        [
            (
                "\tconst gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO;\n",
                "\tconst gfp_t gfp = GFP_KERNEL | __GFP_ZERO;\n",
            ),
        ],
        "selftests/memcg",
        "memory_for_mapping_is_charged_to_the_creator",
    ),
]
