"""Draw the ratios: a bar for each comparison, to the left of 1 where we cost less, with its target."""

from __future__ import annotations

from pathlib import Path

from table import Row


def draw(rows: list[Row], ran_on: str, file: Path) -> None:
    """Write a picture; its kind is the file's ending, such as ``.svg`` or ``.png``.

    Args:
        rows: those that were measured are drawn.
        ran_on: the machine, for the caption.
        file: where to.
    """
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    shown = [row for row in reversed(rows) if row.ratio]
    figure, axes = pyplot.subplots(figsize=(11, 1 + 0.28 * len(shown)), layout="constrained")
    places = range(len(shown))
    kept = [row.target is None or (row.ratio or 0) <= row.target for row in shown]
    axes.barh(places, [row.ratio for row in shown], color=["#2a7f62" if ok else "#c8553d" for ok in kept])
    aimed = [(row.target, place) for row, place in zip(shown, places, strict=True) if row.target]
    if aimed:
        axes.scatter(*zip(*aimed, strict=True), marker="|", s=120, color="black", label="target", zorder=3)
        axes.legend(loc="lower right")
    axes.set_xscale("log")
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.set_yticks(places, [f"{row.question}\nbeside {row.peer}" for row in shown], fontsize=6)
    axes.set_xlabel("cost of cloudreel, by that of its peer")
    axes.set_title(ran_on, fontsize=8)
    figure.savefig(file)
