# SPDX-License-Identifier: GPL-2.0
"""Plots of a run by gnuplot, as SVG and as PNG."""

import shutil
import subprocess

from rows import Results

# Workloads that have a plot, and whether their points are far apart.
PLOTS = {"oneway": "bytes", "depth": "messages waiting", "senders": "senders"}

TERMINALS = {"svg": "svg size 900,600 dynamic background 'white'", "png": "pngcairo size 900,600"}


def script(results, workload, terminal, path):
    names = [
        name
        for name in results.names(workload)
        if any(results.value(workload, point, name) for point in results.points(workload))
    ]
    unit = "instructions" if results.mode == "icount" else "nanoseconds"
    lines = [
        f"set terminal {terminal}",
        f"set output '{path}'",
        "set logscale xy",
        "set grid",
        "set key outside right",
        f"set xlabel '{PLOTS[workload]}'",
        f"set ylabel '{unit} a message'",
    ]
    plots = []
    for name in names:
        ours = results.transports[name]["ours"]
        plots.append(f"'-' title '{name}' with linespoints linewidth {3 if ours else 1} noenhanced")
    lines.append("plot " + ", ".join(plots).replace("noenhanced", ""))
    for name in names:
        for point in sorted(results.points(workload)):
            value = results.value(workload, point, name)
            if value and point:
                lines.append(f"{point} {value}")
        lines.append("e")
    return "\n".join(lines) + "\n"


def draw(data, path):
    """Draw all plots beside the file of figures; returns what to say of them."""
    if not shutil.which("gnuplot"):
        return "none: gnuplot is not installed"
    results = Results(data)
    drawn = []
    for workload in PLOTS:
        if len(results.points(workload)) < 2:
            continue
        for suffix, terminal in TERMINALS.items():
            target = path.with_name(f"{path.stem}-{workload}.{suffix}")
            subprocess.run(
                ["gnuplot"], input=script(results, workload, terminal, target), text=True, check=True
            )
            drawn.append(target.name)
    return " ".join(drawn) or "none"
