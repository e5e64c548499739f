# SPDX-License-Identifier: GPL-2.0
"""What QEMU notes of the blocks that it executes ("-d exec,nochain,in_asm"), counted."""

import bisect
import collections

KERNEL = 1 << 63
# Entries with at least this part of all instructions are the row's own.
FREQUENT = 0.03
# On the way to what an ioctl is for.
WAY_THERE = ("handle_ioctl", "device_ioctl", "ioctl_find", "ipcbox_ioctl_serve", "ipcbox_copy")


class Symbols:
    """What the guest's /proc/kallsyms says of its functions."""

    def __init__(self, text):
        found = {}
        for line in text.splitlines():
            address, _, name, *module = line.split()
            found[int(address, 16)] = name + (" " + module[0] if module else "")
        self.addresses = sorted(found)
        self.names = [found[address] for address in self.addresses]
        self.known = {}

    def find(self, address):
        """The function, and whether this is its beginning."""
        if address not in self.known:
            if address < KERNEL:
                self.known[address] = ("(the program)", False)
            else:
                index = bisect.bisect_right(self.addresses, address) - 1
                self.known[address] = (self.names[index], self.addresses[index] == address)
        return self.known[address]


def is_instruction(line):
    """The rest of a long instruction is on lines of its own, without a word."""
    return line.startswith(b"0x") and any(len(word) != 2 for word in line.split()[1:])


def blocks(path):
    """Each block that was executed: its address, and how many instructions it has."""
    lengths = {}
    length = None
    with path.open("rb") as notes:
        for line in notes:
            if line.startswith(b"Trace "):
                words = line.split(None, 4)
                if len(words) < 4 or b"]" not in line:
                    break  # The last line may be cut off.
                block = words[2]
                if length is not None:
                    lengths[block] = length
                    length = None
                # One from before the notes began is seen again when it is translated anew.
                if block in lengths:
                    yield int(words[3].split(b"/")[1], 16), lengths[block]
            elif line.startswith(b"Stopped execution"):
                yield None, None
            elif line.startswith(b"IN:"):
                length = 0
            elif length is not None and is_instruction(line):
                length += 1


class Entry:
    """All entries into the kernel for one reason."""

    def __init__(self):
        self.times = 0
        self.instructions = 0
        self.functions = collections.Counter()
        self.calls = collections.Counter()


class Count:
    """Sorts blocks by what the kernel was entered for."""

    def __init__(self, symbols):
        self.symbols = symbols
        self.entries = collections.defaultdict(Entry)
        self.in_kernel = False
        self.label = None
        self.pending = []

    def add(self, address, instructions):
        name, begins = self.symbols.find(address)
        kernel = address >= KERNEL
        if kernel != self.in_kernel:
            self.flush()
            self.in_kernel = kernel
            self.label = name.removeprefix("asm_") if kernel else "(the program)"
        self.pending.append((name, instructions, begins))
        if not begins:
            return
        if self.label.startswith("entry_SYSCALL") and name.startswith(("__x64_sys_", "__ia32_sys_")):
            self.label = name.split("_sys_")[1]
        elif self.label == "ioctl" and name.endswith("[ipcbox]") and not name.startswith(WAY_THERE):
            self.label = "ioctl: " + name.split()[0]

    def flush(self):
        """What is under way is over: it is known by now what it was for."""
        if not self.pending:
            return
        entry = self.entries[self.label]
        entry.times += 1
        for name, instructions, begins in self.pending:
            entry.instructions += instructions
            entry.functions[name] += instructions
            entry.calls[name] += begins
        self.pending.clear()


def count(path, symbols):
    counted = Count(symbols)
    last = None
    for address, instructions in blocks(path):
        if address is None:
            last = None  # It did not begin: it is noted again when it does.
            continue
        if last:
            counted.add(*last)
        last = (address, instructions)
    # What was under way at the beginning and at the end is not whole.
    return {label: entry for label, entry in counted.entries.items() if label}


def functions_table(functions, calls, operations, top):
    for name, instructions in functions.most_common(top):
        times = f"{calls[name] / operations:10.1f}" if calls[name] else " " * 10
        yield f"{instructions / operations:12,.0f} {times}   {name}"


def table(entries, top):
    """Everything, for people."""
    total = sum(entry.instructions for entry in entries.values())
    ranked = sorted(entries.items(), key=lambda item: -item[1].instructions)
    frequent = [(label, entry) for label, entry in ranked if entry.instructions >= FREQUENT * total]
    operations = min(entry.times for label, entry in frequent if entry.times)
    yield f"{operations:,} operations, {total / operations:,.0f} instructions each"
    yield ""
    yield "instructions      times   of each operation, entered for"
    for label, entry in ranked:
        if entry.instructions >= total / 1000:
            yield f"{entry.instructions / operations:12,.0f} {entry.times / operations:10.2f}   {label}"
    functions, calls = collections.Counter(), collections.Counter()
    for entry in entries.values():
        functions.update(entry.functions)
        calls.update(entry.calls)
    yield ""
    yield "instructions      calls   of each operation, by function"
    yield from functions_table(functions, calls, operations, 3 * top)
    for label, entry in frequent:
        if label != "(the program)":
            yield ""
            yield f"instructions      calls   of each operation, in {label}"
            yield from functions_table(entry.functions, entry.calls, operations, top)
