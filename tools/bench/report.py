# SPDX-License-Identifier: GPL-2.0
"""Tables of a run, for people."""

import targets
from rows import Results

NAME_WIDTH = 20


def number(value):
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def point_name(value):
    for unit, size in (("Mi", 1 << 20), ("Ki", 1 << 10)):
        if value >= size and value % size == 0:
            return f"{value // size}{unit}"
    return f"{value:,}"


def line(name, cells, width):
    return f"{name:{NAME_WIDTH}}" + "".join(f"{cell:>{width}}" for cell in cells)


def ratio(results, workload, point, name):
    value = results.value(workload, point, name)
    best = results.best(workload, point, results.rivals(name))
    return f"{value / best[0]:.2f}" if value is not None and best and best[0] else "-"


def any_figure(results, workload, name):
    rows = [results.rows.get((workload, point, name), {}) for point in results.points(workload)]
    return any(row.get("error") != "EOPNOTSUPP" for row in rows)


def table(results, workload):
    """The rows of one workload: a line a transport, a column a point."""
    points = results.points(workload)
    # Those that cannot do it at any point have nothing to show.
    names = [name for name in results.names(workload) if any_figure(results, workload, name)]
    entry = results.workloads[workload]
    unit = "instructions" if entry["unit"] == "ns" and results.mode == "icount" else entry["unit"]
    cells = {
        name: [number(results.value(workload, point, name)) for point in points] for name in names
    }
    width = 2 + max(8, *(len(cell) for row in cells.values() for cell in row))
    lines = [f"{workload}: {unit}, by {entry['what']}", line("", map(point_name, points), width)]
    for name in names:
        lines.append(line(name, cells[name], width))
        if results.transports[name]["ours"]:
            ratios = [ratio(results, workload, point, name) for point in points]
            peer = results.transports[name].get("preloaded", "best peer")
            lines.append(line(f"  of {peer}", ratios, width))
    best = [results.best(workload, point, results.peers(("kernel", "bytes", "library"))) for point in points]
    if any(best):
        lines.append(line("  best peer", [pair[1].split("-")[-1] if pair else "-" for pair in best], width))
    spreads = [
        (row["spread"], key[2]) for key, row in results.rows.items() if key[0] == workload and "spread" in row
    ]
    widest = max(spreads, default=(0, "none"))
    lines.append(f"  spread of repeats at most {100 * widest[0]:.2f} % ({widest[1]})")
    return "\n".join(lines)


def quantile(histogram, share):
    """The time that this share of round trips did not exceed, of [time, count] pairs."""
    left = share * sum(count for _, count in histogram)
    for time, count in histogram:
        left -= count
        if left <= 0:
            return time
    return histogram[-1][0]


def latencies(results):
    """How long round trips took: shares of them, and the longest."""
    found = {key: row["histogram"] for key, row in results.rows.items() if row.get("histogram")}
    if not found:
        return None
    shares = [0.5, 0.9, 0.99, 0.999, 0.9999]
    width = 12
    lines = [
        "latency: nanoseconds of a round trip that so many per cent of them did not exceed",
        line("", [f"{100 * share:g} %" for share in shares] + ["longest"], width),
    ]
    for (_, point, name), histogram in found.items():
        cells = [number(quantile(histogram, share)) for share in shares] + [number(histogram[-1][0])]
        lines.append(line(f"{name} {point_name(point)}", cells, width))
    return "\n".join(lines)


def processor_time(results):
    """Processor seconds for a million messages, of the workloads that know them."""
    found = {key: row["cpu"] for key, row in results.rows.items() if row.get("cpu")}
    if not found:
        return None
    points = sorted({(workload, point) for workload, point, _ in found})
    lines = [
        "processor time: seconds for a million messages, both sides",
        line("", [f"{workload} {point}" for workload, point in points], 12),
    ]
    for name in results.transports:
        cells = [found.get((workload, point, name)) for workload, point in points]
        if any(cells):
            # Nanoseconds a message are milliseconds a million.
            lines.append(line(name, [f"{cell / 1000:.2f}" if cell else "-" for cell in cells], 12))
    return "\n".join(lines)


# What the short table shows: a workload, a point, and what it is.
SUMMARY = [
    ("roundtrip", 16, "round trip, 16 B"),
    ("oneway", 64, "one way, 64 B"),
    ("oneway", 4096, "one way, 4 KiB"),
    ("oneway", 65536, "one way, 64 KiB"),
    ("oneway", 8 << 20, "one way, 8 MiB"),
    ("batch", 32, "64 B in batches of 32"),
    ("crowd", 8, "8 senders at once, 64 B"),
    ("memory", 16, "kernel memory of a 16 B message, bytes"),
]


def summary(data):
    """The short table, as Markdown: each of our ways beside the best peer."""
    results = Results(data)
    lines = ["| what | by | figure | best peer | its figure | ratio |", "| --- | --- | --- | --- | --- | --- |"]
    for workload, point, what in SUMMARY:
        for name in results.names(workload):
            value = results.value(workload, point, name)
            entry = results.transports[name]
            if not entry["ours"] or entry.get("preloaded") or value is None:
                continue
            best = results.best(workload, point, results.rivals(name))
            cells = [what, f"`{name}`", number(value), *([best[1], number(best[0])] if best else ["-", "-"])]
            lines.append("| " + " | ".join([*cells, ratio(results, workload, point, name)]) + " |")
    return "\n".join([*lines, "", *preload_summary(results)])


# What the table of the preload shows.
PRELOAD_SUMMARY = [
    *SUMMARY[:4],
    ("crowd", 8, "8 senders at once, 64 B"),
    ("lookup", 1000, "opening one of 1,000 by its name"),
]


def preload_summary(results):
    """What programs gain or lose that are started with the preload, as Markdown."""
    names = [name for name, entry in results.transports.items() if entry.get("preloaded")]
    heads = [f"{results.transports[name]['preloaded']} | with the preload | ratio" for name in names]
    lines = [" | ".join(["| what", *heads]) + " |", "| --- |" + " --- | --- | --- |" * len(names)]
    for workload, point, what in PRELOAD_SUMMARY:
        cells = [what]
        for name in names:
            pair = (results.transports[name]["preloaded"], name)
            cells += [number(results.value(workload, point, transport)) for transport in pair]
            cells.append(ratio(results, workload, point, name))
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def failures(results):
    """Rows that should have been and are not."""
    return [
        f"  {workload} {point} {transport}: {row['error']}"
        for (workload, point, transport), row in results.rows.items()
        if row.get("error") not in (None, "EOPNOTSUPP", "ENODEV")
    ]


def tables(data):
    results = Results(data)
    parts = [
        f"{results.mode}: kernel {data['kernel']}, ipcbox {data['revision']},"
        f" {'the least' if results.mode == 'native' else 'medians'} of {data['repeats']} repeats"
    ]
    if results.mode in ("smp", "host"):
        parts[0] += f"; load of the host before: {data['load']:.1f}"
    parts += [table(results, workload) for workload in results.workloads if results.points(workload)]
    parts += [text for text in (processor_time(results), latencies(results)) if text]
    if results.mode in targets.TARGETS:
        parts.append(targets.table(results))
    failed = failures(results)
    if failed:
        parts.append("\n".join(["not measured:", *failed]))
    return "\n\n".join(parts)
