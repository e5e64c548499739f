# SPDX-License-Identifier: GPL-2.0
"""What ipcbox is to reach in the virtual machines, and whether it does.

A target is what it is about, the greatest figure that meets it, and a function that
finds the figure in the results, None where they do not have what it needs.
"""

SINGLE_PEERS = ("pipe", "unix-stream", "unix-seqpacket", "unix-datagram", "posix-mq", "sysv-msg")


def against(workload, point, ours, peers):
    """The ratio of one of ours to the best of some peers."""

    def find(results):
        value = results.value(workload, point, ours)
        best = results.best(workload, point, peers)
        return value / best[0] if value is not None and best else None

    return find


def growth(workload, point, first=1, ours="ipcbox"):
    """How much more it costs at one point than at the first."""

    def find(results):
        few = results.value(workload, first, ours)
        many = results.value(workload, point, ours)
        return many / few if few and many is not None else None

    return find


def plain(workload, point, ours):
    return lambda results: results.value(workload, point, ours)


def part(side, workload, point, ours):
    """What one side has of the figure, "send" or "receive"."""
    return lambda results: results.part(workload, point, ours, side)


INSTRUCTIONS = [
    ("round trip, 16 B, send/receive, of POSIX mq", 1.03, against("roundtrip", 16, "ipcbox", ["posix-mq"])),
    ("round trip, 16 B, call/answer, of POSIX mq", 0.98, against("roundtrip", 16, "ipcbox-call", ["posix-mq"])),
    ("one way, 64 B, of the best peer", 0.80, against("oneway", 64, "ipcbox", SINGLE_PEERS)),
    (
        "one way, 64 B, batch of 32, of the best peer that keeps messages",
        0.20,
        against("batch", 32, "ipcbox", SINGLE_PEERS[2:]),
    ),
    (
        "the same to a receive pool",
        0.20,
        against("batch", 32, "ipcbox-pool", SINGLE_PEERS[2:]),
    ),
    ("one way, 64 KiB, of the best peer", 1.0, against("oneway", 65536, "ipcbox", SINGLE_PEERS)),
    ("receive pool, 64 B, of the best peer", 0.35, against("oneway", 64, "ipcbox-pool", SINGLE_PEERS)),
    ("receive pool, 64 B, receiver, instructions", 60, part("receive", "oneway", 64, "ipcbox-pool")),
    ("one way, 64 KiB, receive pool, of the best peer", 0.60, against("oneway", 65536, "ipcbox-pool", SINGLE_PEERS)),
    ("8 MiB by sealed region, instructions", 15000, plain("oneway", 8 << 20, "ipcbox-region")),
    ("8 MiB by sealed region, of 4 KiB", 1.10, growth("oneway", 8 << 20, 4096, "ipcbox-region")),
    ("the same, of huge pages", 1.10, growth("oneway", 8 << 20, 4096, "ipcbox-region-huge")),
    (
        "8 MiB by sealed region that is kept mapped, instructions",
        15000,
        plain("oneway", 8 << 20, "ipcbox-region-kept"),
    ),
    ("channel, 64 B, both sides, instructions", 120, plain("oneway", 64, "ipcbox-channel")),
    ("growth: 100,000 deep, of 1", 1.10, growth("depth", 100000)),
    ("growth: 1,000 priorities, of 1", 1.10, growth("priorities", 1000)),
    ("growth: 512 senders, of 1", 1.10, growth("senders", 512)),
    ("growth: 100,000 objects, of 1", 1.10, growth("objects", 100000)),
    ("1,000 selective receivers waiting, of 1", 1.5, growth("selective", 1000)),
    ("kernel memory a queued 16 B message, bytes", 128, plain("memory", 16, "ipcbox")),
]

# With two processors, by wall time.
TIMES = [
    (
        "round trip, 16 B, call/answer with spinning, of POSIX mq",
        0.5,
        against("roundtrip", 16, "ipcbox-call-spin", ["posix-mq"]),
    ),
    ("many to one, 8 senders, of the best peer", 1.0, against("crowd", 8, "ipcbox", SINGLE_PEERS)),
]

# The channel's user-space part, natively.
NATIVE = [
    ("channel, 64 B, of a bare ring", 1.3, against("ring", 64, "channel-ring", ["bare-ring"])),
    ("channel, 4 KiB, of a bare ring", 1.3, against("ring", 4096, "channel-ring", ["bare-ring"])),
    ("channel, 64 KiB, of memcpy (0.8 of its bandwidth)", 1.25, against("ring", 65536, "channel-ring", ["memcpy"])),
]

TARGETS = {"icount": INSTRUCTIONS, "smp": TIMES, "native": NATIVE}


def show(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def table(results):
    lines = ["targets:"]
    for text, most, find in TARGETS[results.mode]:
        value = find(results)
        if value is None:
            verdict, shown = "not measured", "-"
        else:
            verdict, shown = "met" if value <= most else "MISSED", show(value)
        lines.append(f"  {text:66}{shown:>9} (at most {show(most)}): {verdict}")
    return "\n".join(lines)
