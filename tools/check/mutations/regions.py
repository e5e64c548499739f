# SPDX-License-Identifier: GPL-2.0
"""Promises of regions, of sealing and of semaphores; see table.py."""

from mutation import Mutation

MAPPING = [
    Mutation(
        "who may only look maps nothing",
        "module/region.c",
        [("\tif (!(handle->rights & IPCBOX_RIGHT_RECEIVE))\n\t\treturn -EACCES;\n\tif (area", "\tif (area")],
        "selftests/region_mapping",
        "protection_is_checked_against_rights",
    ),
    Mutation(
        "a mapping stays within its region",
        "module/region.c",
        [("\tif (area->vm_pgoff > pages || vma_pages(area) > pages - area->vm_pgoff)\n", "\tif (!pages)\n")],
        "selftests/region_mapping",
        "a_mapping_stays_within_the_region",
    ),
    Mutation(
        "the memory of a region is mapped through handles only",
        "module/region.c",
        [("\t\tregion_file_operations.mmap = region_refuse_mmap;\n", "\t\t(void)region_refuse_mmap;\n")],
        "selftests/region_seal",
        "nothing_writes_to_a_sealed_region",
    ),
    Mutation(
        "a region has no holes",
        "module/region.c",
        [("\t\tregion_file_operations.fallocate = NULL;\n", "")],
        "selftests/region_mapping",
        "it_has_no_holes",
    ),
    Mutation(
        "mappings are counted, those that are inherited or cut, too",
        "module/region.c",
        [
            (
                "\tatomic_inc(&region->mappings);\n\tipcbox_object_pin_mapped(&region->object);\n}",
                "\tipcbox_object_pin_mapped(&region->object);\n}",
            )
        ],
        "selftests/region_mapping",
        "mappings_are_counted",
    ),
    Mutation(
        "a mapping keeps its region",
        "module/region.c",
        [
            (
                "\tatomic_inc(&region->mappings);\n\tipcbox_object_pin_mapped(&region->object);\n\treturn 0;\n",
                "\tatomic_inc(&region->mappings);\n\treturn 0;\n",
            ),
            (
                "\tatomic_dec(&region->mappings);\n\tipcbox_object_unpin_mapped(&region->object);\n",
                "\tatomic_dec(&region->mappings);\n",
            ),
        ],
        "selftests/region_mapping",
        "a_mapping_keeps_the_region",
    ),
    Mutation(
        "a region's mapping is named after it",
        "module/region.c",
        [('"ipcbox:%llu", object->id', '"ipcbox:%llu", object->id + 1')],
        "selftests/region_mapping",
        "maps_tells_which_region_it_is",
    ),
    Mutation(
        "a region of huge pages has some where it asks for them",
        "module/region.c",
        [("\tif (region->huge && region_huge_mount)\n", "\tif (false)\n")],
        "selftests/region_mapping",
        "huge_pages_are_used_where_they_are_asked_for",
    ),
    Mutation(
        "memory for mapping has a budget",
        "module/object.c",
        [("\t\towner->mapped_bytes <= most - object->mapped_bytes);\n", "\t\ttrue);\n")],
        "selftests/region_mapping",
        "memory_has_a_budget",
    ),
    Mutation(
        "the charge for memory goes when its object does",
        "module/object.c",
        [("\towner->mapped_bytes -= object->mapped_bytes;\n", "")],
        "selftests/region_mapping",
        "a_killed_process_leaves_nothing",
    ),
    Mutation(
        "a page is charged to the creator's cgroup, whoever touches it first",
        "module/region.c",
        [("\tif (toucher != region->memcg) {\n", "\tif (toucher != region->memcg && !toucher) {\n")],
        "selftests/memcg",
        "memory_for_mapping_is_charged_to_the_creator",
    ),
    Mutation(
        "a handle on a region travels in a message",
        "module/region.c",
        [("\t.travels = true,\n", "")],
        "selftests/descriptors",
        "handles_on_regions_and_channels_travel",
    ),
]

SEALING = [
    Mutation(
        "what is sealed is not made writable later",
        "module/region.c",
        [("\tipcbox_vm_flags_clear(area, VM_MAYWRITE);\n\treturn 0;\n", "\treturn 0;\n")],
        "selftests/region_seal",
        "nothing_writes_to_a_sealed_region",
    ),
    Mutation(
        "STAT tells that a region is sealed",
        "module/region.c",
        [("\t\tstat->state |= IPCBOX_STATE_SEALED;\n", "\t\t;\n")],
        "selftests/region_seal",
        "nothing_writes_to_a_sealed_region",
    ),
    Mutation(
        "only who may write seals",
        "module/region.c",
        [
            (
                "\tif (!(handle->rights & IPCBOX_RIGHT_SEND))\n\t\treturn -EACCES;\n\tif (mutex_lock",
                "\tif (mutex_lock",
            )
        ],
        "selftests/region_seal",
        "seal_checks_its_values",
    ),
    Mutation(
        "a region that could not be sealed is as it was",
        "module/region.c",
        [("\t\tatomic_set(&region->writable, 0);\n", "")],
        "selftests/region_seal",
        "map_files_do_not_write_either",
    ),
    Mutation(
        "a writer that is gone is none",
        "module/region.c",
        [("\tif (region_may_write(area))\n\t\tatomic_dec(&region->writable);\n\tatomic_dec", "\tatomic_dec")],
        "selftests/region_seal",
        "a_killed_writer_is_no_writer",
    ),
    Mutation(
        "write(2) does not change what is sealed",
        "module/seal.c",
        [("F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)", "F_SEAL_SHRINK | F_SEAL_GROW)")],
        "selftests/region_seal",
        "map_files_do_not_write_either",
    ),
    Mutation(
        "a page that was lent is not the sealed one",
        "module/seal.c",
        [("\t\t\terror = seal_replace(mapping, folio);\n", "\t\t\t;\n")],
        "selftests/region_seal",
        "pages_that_were_lent_are_not_the_sealed_ones",
    ),
    Mutation(
        "readers see the sealed page, not the one that was lent",
        "module/seal.c",
        [
            (
                "\t\tunmap_mapping_pages(mapping, folio->index,\n"
                "\t\t\t\t    folio_nr_pages(folio), false);\n",
                "",
            )
        ],
        "selftests/region_seal",
        "pages_that_were_lent_are_not_the_sealed_ones",
    ),
]

SEMAPHORES = [
    Mutation(
        "all operations are done or none",
        "module/sem.c",
        [
            (
                "\tfor (i = 0; i < request->count; i++) {\n\t\terror = sem_check(",
                "\tfor (i = 0; i < 1; i++) {\n\t\terror = sem_check(",
            )
        ],
        "selftests/semaphore",
        "all_is_done_or_nothing",
    ),
    Mutation(
        "operations on one semaphore count in their order",
        "module/sem.c",
        [
            (
                "\ts64 before = sem_changed_before(request, index);\n",
                "\ts64 before = sem_changed_before(request, 0);\n",
            ),
        ],
        "selftests/semaphore",
        "all_is_done_or_nothing",
    ),
    Mutation(
        "a semaphore keeps its maximum",
        "module/sem.c",
        [("\tif (value > sem->maximum)\n", "\tif (value > IPCBOX_SEM_VALUE_MAX)\n")],
        "selftests/semaphore",
        "a_maximum_is_kept",
    ),
    Mutation(
        "who takes does not overtake who waits to take",
        "module/sem.c",
        [("\treturn first && first->ticket < request->ticket;\n", "\treturn false;\n")],
        "selftests/semaphore",
        "who_came_first_is_served_first",
    ),
    Mutation(
        "who gives up lets the next go",
        "module/sem.c",
        [("\t\tif (list_is_first(&request->node, &sem->rising))\n\t\t\tsem_mark(set, sem);\n", "")],
        "selftests/semaphore",
        "one_who_gives_up_lets_the_next_go",
    ),
    Mutation(
        "zero is waited for",
        "module/sem.c",
        [("\t\tif (sem->value == request->need)\n", "\t\tif (sem->value < request->need)\n")],
        "selftests/semaphore",
        "zero_is_waited_for",
    ),
    Mutation(
        "what was done with UNDO is undone when the handle goes",
        "module/semaphore.c",
        [("\t\tipcbox_sem_revert(&region->set, handle->undo);\n", "")],
        "selftests/semaphore",
        "closing_undoes",
    ),
    Mutation(
        "undoing wakes",
        "module/semaphore.c",
        [
            (
                "\t\tipcbox_sem_revert(&region->set, handle->undo);\n"
                "\t\tsemaphore_settle_locked(region, &wakes);\n",
                "\t\tipcbox_sem_revert(&region->set, handle->undo);\n",
            )
        ],
        "selftests/semaphore",
        "undoing_wakes",
    ),
    Mutation(
        "a process that is killed while it holds gives back",
        "module/sem.c",
        [("\t\tif (operation->flags & IPCBOX_SEM_UNDO)\n\t\t\tsem_note(", "\t\tif (!operation)\n\t\t\tsem_note(")],
        "selftests/region_death",
        "at_each_step_of_a_semaphore",
    ),
    Mutation(
        "the death of a holder is told",
        "module/sem.c",
        [("\t\t\tsem->dead = true;\n", "\t\t\t;\n")],
        "selftests/semaphore",
        "a_waiter_learns_of_the_death",
    ),
    Mutation(
        "the death of a holder is told once",
        "module/sem.c",
        [("\t\t\tsem->dead = false;\n\t\t\tresult", "\t\t\tresult")],
        "selftests/semaphore",
        "the_death_of_a_holder_is_told_once",
    ),
    Mutation(
        "the death of who used one that counts is not told",
        "module/sem.c",
        [("value > sem->value && sem->maximum == 1)", "value > sem->value)")],
        "selftests/semaphore",
        "the_death_of_a_holder_is_told_once",
    ),
    Mutation(
        "what was done before a semaphore was set is not undone",
        "module/sem.c",
        [("\tsem->era++;\n", "")],
        "selftests/semaphore",
        "setting_forgets_what_was_to_be_undone",
    ),
    Mutation(
        "setting wakes who can go on",
        "module/sem.c",
        [("\tsem->era++;\n\tsem_mark(set, sem);\n", "\tsem->era++;\n")],
        "selftests/semaphore",
        "setting_wakes",
    ),
    Mutation(
        "what is to be undone has a range",
        "module/sem.c",
        [
            (
                "\t\t    adjust < -IPCBOX_SEM_VALUE_MAX)\n\t\t\treturn false;\n",
                "\t\t    adjust < -IPCBOX_SEM_VALUE_MAX)\n\t\t\treturn true;\n",
            ),
        ],
        "selftests/semaphore",
        "undo_has_a_range",
    ),
    Mutation(
        "UNLINK ends the wait for a semaphore to rise",
        "module/semaphore.c",
        [("\t\tsemaphore_fail_all_locked(region, &region->set.sems[i].rising,\n\t\t\t\t\t  &wakes);\n", "")],
        "selftests/semaphore",
        "unlink_ends_all_waiting",
    ),
    Mutation(
        "UNLINK ends the wait for a semaphore to fall",
        "module/semaphore.c",
        [("\t\tsemaphore_fail_all_locked(region, &region->set.sems[i].falling,\n\t\t\t\t\t  &wakes);\n", "")],
        "selftests/semaphore",
        "unlink_ends_all_waiting",
    ),
    Mutation(
        "nobody waits for a semaphore of an unlinked region",
        "module/semaphore.c",
        [("\t\tresult = -EPIPE;\n\t} else if", "\t\tresult = -EAGAIN;\n\t} else if")],
        "selftests/semaphore",
        "unlink_ends_all_waiting",
    ),
    Mutation(
        "a change needs the right to send, and zero the right to receive",
        "module/semaphore.c",
        [("\t\tif (!(handle->rights & (operation->change ?\n", "\t\tif (!(handle->rights & (region ?\n")],
        "selftests/abi_mapped_fields",
        "each_right_is_needed",
    ),
    Mutation(
        "setting a semaphore needs the right to manage",
        "module/semaphore.c",
        [("\tif (!(handle->rights & IPCBOX_RIGHT_MANAGE))\n\t\treturn -EACCES;\n", "\t(void)handle;\n")],
        "selftests/abi_mapped_fields",
        "each_right_is_needed",
    ),
    Mutation(
        "values that are refused are not set in part",
        "module/semaphore.c",
        [
            (
                "\t\tif (!semaphore_value_valid(region, &values[i]))\n\t\t\terror = -EINVAL;\n",
                "\t\tif (!semaphore_value_valid(region, &values[i]))\n\t\t\terror = -EINVAL;\n"
                "\t\telse\n\t\t\tregion->set.sems[values[i].semaphore].value = values[i].value;\n",
            )
        ],
        "selftests/abi_mapped_fields",
        "a_refused_array_is_not_done_in_part",
    ),
    Mutation(
        "what the caller knows of a semaphore's state and the kernel does not is zero",
        "module/semaphore.c",
        [("\t\t    clear_user(next + size, stride - size))\n", "\t\t    clear_user(next + size, 0))\n")],
        "selftests/abi_mapped_fields",
        "large_strides_are_taken_by_their_tail",
    ),
    Mutation(
        "poll tells of the operations that it was told to watch",
        "module/semaphore.c",
        [("\tif (handle->watch) {\n", "\tif (!handle) {\n")],
        "selftests/semaphore",
        "poll_tells_when_it_can_be_done",
    ),
    Mutation(
        "who sleeps in poll is woken by a semaphore",
        "module/semaphore.c",
        [("\tif (!waitqueue_active(&region->changed))\n", "\tif (waitqueue_active(&region->changed))\n")],
        "selftests/semaphore",
        "a_sleeping_poller_is_woken",
    ),
    Mutation(
        "a semaphore tells who used it last",
        "module/semaphore.c",
        [
            (
                "\tif (!result || result == -EOWNERDEAD)\n\t\tsemaphore_note_locked(",
                "\tif (result)\n\t\tsemaphore_note_locked(",
            ),
        ],
        "selftests/semaphore",
        "waiting_ends_when_it_can_be_done",
    ),
]

MUTATIONS = MAPPING + SEALING + SEMAPHORES
