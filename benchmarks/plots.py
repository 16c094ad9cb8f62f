"""Plots of the results, as SVG files that depend on nothing but the numbers."""

import statistics
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from .results import Row, Table

BLUE, RED, GREY = "#2a6f97", "#c0392b", "#6b7280"

mpl.rcParams.update(
    {
        "svg.hashsalt": "flask-divio",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
)


def save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    # One line ending and no spaces at the end of lines, as in the other files.
    lines = path.read_text().splitlines()
    path.write_text("".join(f"{line.rstrip()}\n" for line in lines))


def targets(rows: list[Row], path: Path) -> None:
    """How far each ratio is from its target: what reaches 1 meets it, and 2 is where a bar ends."""
    compared = [row for row in rows if row.target and row.theirs and not row.of_ours]
    figure = Figure(figsize=(9, 0.34 * len(compared) + 1.2), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(reversed(compared)):
        sign, target = row.target.split()[0], float(row.target.split()[1])
        ratio = statistics.median(row.ratios)
        share = min(2, ratio / target if sign == "≥" else target / ratio)
        axes.barh(place, share, color=BLUE if row.met else RED, height=0.6)
        said = f"{ratio:.2f} ({row.target})"
        behind = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        axes.text(share + 0.02, place, said, va="center", fontsize=9, bbox=behind)
    axes.axvline(1, color=GREY, linewidth=1)
    axes.set_yticks(
        range(len(compared)),
        [f"{row.what.replace('`', '')}, {row.unit}" for row in reversed(compared)],
        fontsize=9,
    )
    axes.set_xlabel("ratio (and its target), as a share of the target")
    axes.set_xlim(0, 2.5)
    save(figure, path)


def clients(table: Table, path: Path) -> None:
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    workers = sorted(set(table.column("workers")))
    for number, color in zip(workers, (GREY, BLUE, RED), strict=True):
        rows = [row for row in table.rows if row[0] == number]
        label = f"{number} worker{'s' if number != 1 else ''}"
        for axes, place in ((left, 2), (right, 3)):
            points = [row[1] for row in rows], [row[place] for row in rows]
            axes.plot(*points, marker="o", color=color, label=label)
    for axes, title in ((left, "requests/s"), (right, "memory of all processes, MB")):
        axes.set_xscale("log")
        axes.set_ylim(bottom=0)
        axes.set_xticks(sorted(set(table.column("clients"))))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.minorticks_off()
        axes.set_xlabel("clients")
        axes.set_title(title, loc="left", fontsize=10)
    left.legend(frameon=False)
    save(figure, path)


def uploads(table: Table, path: Path) -> None:
    figure = Figure(figsize=(9, 3), layout="constrained")
    names = [f"{size} MB" for size in table.column("MB of an upload")]
    for axes, heading in zip(
        figure.subplots(1, 2), ("MB/s", "growth of a worker's memory, MB"), strict=True
    ):
        values = table.column(heading)
        axes.bar(names, values, color=BLUE, width=0.5)
        for place, value in enumerate(values):
            axes.text(place, value, f"{value:,}", ha="center", va="bottom", fontsize=9)
        axes.set_ylim(bottom=0, top=max(*values, 1) * 1.15)
        axes.set_xlabel("size of an upload")
        axes.set_title(heading, loc="left", fontsize=10)
    save(figure, path)
