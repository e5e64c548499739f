# SPDX-License-Identifier: GPL-2.0
"""What figures of the bench say: medians, spreads, and ratios to peers."""

from statistics import median


def complete(row, least=False):
    """Add the median of a row's samples and their spread, as a fraction of it.

    With least it is the least of them instead: where there are many short ones, of which
    some are undisturbed.
    """
    if "samples" in row:
        row["median"] = min(row["samples"]) if least else median(row["samples"])
        # The first repeats warm caches; the middle half is what is to be expected.
        ordered = sorted(row["samples"])
        quarter = len(ordered) // 4
        inner = ordered[quarter : len(ordered) - quarter]
        row["spread"] = (inner[-1] - inner[0]) / row["median"] if row["median"] else 0
    return row


def compare(old, new, tolerance):
    """What became slower and what faster from one run to another of the same bench.

    Returns (slower, faster, same): of the first two, (workload, point, transport, old
    median, new median); of the rows that agree within the tolerance, and what both runs'
    own spread explains, only how many there are.
    """
    slower, faster, same = [], [], 0
    for key, row in new.rows.items():
        before, after = old.rows.get(key, {}).get("median"), row.get("median")
        if before is None or after is None:
            continue
        noise = before * tolerance + before * old.rows[key]["spread"] + after * row["spread"]
        if after > before + noise:
            slower.append((*key, before, after))
        elif after < before - noise:
            faster.append((*key, before, after))
        else:
            same += 1
    return slower, faster, same


class Results:
    """The rows of a run, by what they measured."""

    def __init__(self, results):
        self.mode = results["mode"]
        self.transports = {entry["name"]: entry for entry in results["transports"]}
        self.workloads = {entry["name"]: entry for entry in results["workloads"]}
        self.rows = {(row["workload"], row["point"], row["transport"]): row for row in results["rows"]}

    def value(self, workload, point, transport):
        """The median of a row, or None where there is none."""
        return self.rows.get((workload, point, transport), {}).get("median")

    def part(self, workload, point, transport, side):
        """The part of one side, "send" or "receive", or None where it is not known."""
        return self.rows.get((workload, point, transport), {}).get(side)

    def points(self, workload):
        return list(dict.fromkeys(point for name, point, _ in self.rows if name == workload))

    def names(self, workload):
        """The transports that the workload has rows of, in the order of the list."""
        there = {transport for name, _, transport in self.rows if name == workload}
        return [name for name in self.transports if name in there]

    def peers(self, families):
        return [
            name
            for name, entry in self.transports.items()
            if not entry["ours"] and entry["family"] in families
        ]

    def rivals(self, transport):
        """Those peers that do what one of our transports does; or the one that it is."""
        if self.transports[transport].get("preloaded"):
            return [self.transports[transport]["preloaded"]]
        family = self.transports[transport]["family"]
        peers = self.peers(("kernel", "bytes", "library"))
        if family == "shared":
            peers += self.peers(["shared"])
        elif family == "memory":
            # What is done with the memory is in the name: "-kept", "-fresh", or neither.
            # Huge pages are ours alone.
            use = [word for word in transport.split("-")[2:] if word != "huge"]
            peers += [name for name in self.peers(["memory"]) if name.split("-")[2:] == use]
        return peers

    def alternative(self, workload, point, name):
        """What a point costs with a transport that has to do it by other means."""
        value = self.value(workload, point, name)
        # Who has no batches sends the messages one by one.
        return self.value(workload, 1, name) if value is None and workload == "batch" else value

    def best(self, workload, point, names):
        """(median, name) of the best of some transports, or None."""
        found = [(self.alternative(workload, point, name), name) for name in names]
        found = [pair for pair in found if pair[0] is not None]
        return min(found, default=None)
