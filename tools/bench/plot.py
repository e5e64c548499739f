# SPDX-License-Identifier: GPL-2.0
"""Plots of a run by gnuplot, as SVG and as PNG."""

import shutil
import subprocess

from rows import Results

# Workloads that have a plot, and what is to the right.
PLOTS = {"oneway": "bytes", "depth": "messages waiting", "senders": "senders", "crowd": "senders"}

TERMINALS = {"svg": "svg size 900,600 dynamic background 'white'", "png": "pngcairo size 900,600"}


def script(terminal, path, labels, curves):
    """What gnuplot is to do: CURVES are (name, whether it is ours, pairs of numbers)."""
    lines = [
        f"set terminal {terminal}",
        f"set output '{path}'",
        "set logscale xy",
        "set grid",
        "set key outside right",
        f"set xlabel '{labels[0]}'",
        f"set ylabel '{labels[1]}'",
    ]
    plots = [f"'-' title '{name}' with linespoints linewidth {3 if ours else 1}" for name, ours, _ in curves]
    lines.append("plot " + ", ".join(plots))
    for _, _, pairs in curves:
        lines += [f"{x} {y}" for x, y in pairs] + ["e"]
    return "\n".join(lines) + "\n"


def curves_of(results, workload):
    """The medians of each transport, by point; a logarithmic scale has no 0."""
    curves = []
    for name in results.names(workload):
        pairs = [(point, results.value(workload, point, name)) for point in sorted(results.points(workload))]
        pairs = [(point, value) for point, value in pairs if point and value and value > 0]
        if pairs:
            curves.append((name, results.transports[name]["ours"], pairs))
    return curves


def latency_curves(results):
    """How many round trips took how long."""
    return [
        (f"{name} {point} B", results.transports[name]["ours"], [pair for pair in row["histogram"] if pair[0]])
        for (_, point, name), row in results.rows.items()
        if row.get("histogram")
    ]


def draw(data, path):
    """Draw all plots beside the file of figures; returns what to say of them."""
    if not shutil.which("gnuplot"):
        return "none, for gnuplot is missing: apt install gnuplot-nox"
    results = Results(data)
    unit = "instructions" if results.mode == "icount" else "nanoseconds"
    wanted = {
        workload: ((label, f"{unit} a message"), curves_of(results, workload))
        for workload, label in PLOTS.items()
        if len(results.points(workload)) > 1
    }
    if latency_curves(results):
        wanted["latency"] = (("nanoseconds", "round trips"), latency_curves(results))
    drawn = []
    for name, (labels, curves) in wanted.items():
        for suffix, terminal in TERMINALS.items():
            target = path.with_name(f"{path.stem}-{name}.{suffix}")
            subprocess.run(["gnuplot"], input=script(terminal, target, labels, curves), text=True, check=True)
            drawn.append(target.name)
    return " ".join(drawn) or "none"
