"""The forest plot of claims: published, ours, band and null, a row a claim."""

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path

from scaling_book.api import COLORS
from scaling_book.ledger import Row
from scaling_core.base.files import write_atomic

STYLE: dict = {
    "font.size": 9,
    "svg.hashsalt": "scaling-replicated",
    "axes.linewidth": 0.6,
    "figure.constrained_layout.use": False,
}
ROW_INCHES = 0.62


def drawable(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with a number of ours and a band or an interval to hold it."""
    return [row for row in rows if row.measured and row.claim.interval is not None]


def draw_forest(rows: Sequence[Row], path: Path) -> str:
    """Draw the forest plot as SVG and return its alternative text.

    Each row has its own axis, since claims have different units.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        height = ROW_INCHES * len(rows) + 0.7
        figure = Figure(figsize=(6.4, height), facecolor="white")
        axes = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
        for ax, row in zip(axes, rows, strict=True):
            _draw_row(ax, row)
        _legend(figure)
        top, bottom = 1 - 0.42 / height, 0.3 / height
        figure.subplots_adjust(0.47, bottom, 0.97, top, hspace=1.4)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    write_atomic(path, buffer.getvalue())
    return alternative_text(rows)


def _draw_row(ax, row: Row) -> None:
    measured, claim, paper = row.measured, row.claim, _paper_marks(row)
    assert measured is not None, "only drawable rows are drawn"
    low, high = measured.ends
    marks = [low, high, *paper]
    marks += [claim.null.value] if claim.null else []
    if claim.band:
        marks += [x for x in claim.band if x is not None]
    pad = 0.12 * (max(marks) - min(marks) or abs(low) or 1)
    left, right = min(marks) - pad, max(marks) + pad
    if claim.band:
        start = left if claim.band[0] is None else claim.band[0]
        stop = right if claim.band[1] is None else claim.band[1]
        ax.axvspan(start, stop, color=COLORS["band"], lw=0)
    if claim.null:
        ax.plot(claim.null.value, 0, "x", color=COLORS["null"], ms=6, mew=1.6)
    if paper:
        ax.plot(paper, [0.55, 0.55], color=COLORS["paper"], lw=1.4, ls="--")
        ax.plot(sum(paper) / 2, 0.55, "D", color=COLORS["paper"], ms=4)
    ax.plot([low, high], [0, 0], color=COLORS["ours"], lw=2.2, solid_capstyle="butt")
    ax.plot(measured.estimate, 0, "o", color=COLORS["ours"], ms=5)
    ax.set(xlim=(left, right), ylim=(-1, 1), yticks=[])
    ax.locator_params(axis="x", nbins=5)
    ax.tick_params(axis="x", labelsize=7, length=2, pad=1)
    ax.spines[["left", "right", "top"]].set_visible(False)
    says = textwrap.wrap(claim.says, 44, max_lines=3, placeholder="…")
    label = "\n".join([f"{row.verdict.symbol} {says[0]}", *says[1:]])
    ax.text(-0.03, 0.5, label, transform=ax.transAxes, ha="right", va="center", size=8)


def _paper_marks(row: Row) -> list[float]:
    published = row.claim.published
    if published is None or published.value is None:
        return []
    spread = published.uncertainty or 0.0
    return [published.value - spread, published.value + spread]


def _legend(figure) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D([], [], color=COLORS["ours"], marker="o", ms=5, label="ours, 95 %"),
        Line2D([], [], color=COLORS["paper"], marker="D", ms=4, ls="--", label="paper"),
        Patch(color=COLORS["band"], label="band"),
        Line2D([], [], color=COLORS["null"], marker="x", ls="", label="null"),
    ]
    figure.legend(
        handles=handles, ncols=4, loc="upper right", frameon=False, fontsize=8
    )


def alternative_text(rows: Sequence[Row]) -> str:
    """Say in words what the forest plot shows."""
    words = [row.verdict.word for row in rows]
    counts = ", ".join(f"{words.count(w)} {w}" for w in sorted(set(words)))
    return f"Forest plot of {len(rows)} claims, ours against the paper: {counts}."
