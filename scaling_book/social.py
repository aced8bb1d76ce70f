"""The picture that a link to the book shows elsewhere: every judged claim as a mark."""

import io
from collections.abc import Sequence
from pathlib import Path

from scaling_book.lanes import HIGH, LOW, Mark
from scaling_book.verdicts import NEGATIVE, POSITIVE
from scaling_core.base.files import write_atomic

PATH = "book/_static/vendor/social-card.png"  # named in _config.yml; not in git
INCHES, DPI = (12, 6.3), 100  # 1200 x 630 pixels
QUESTION = "Which results about scaling laws survive a second pair of hands?"
INKS = {"for": "#009E73", "open": "#B8A800", "against": "#D55E00"}


def write_card(lanes: Sequence[Sequence[Mark]], title: str, site: Path) -> Path:
    """Draw the marks of all chapters, a column of lines each, below the book's title."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"font.size": 20, "figure.constrained_layout.use": False}):
        figure = Figure(figsize=INCHES, dpi=DPI, facecolor="white")
        ax = figure.add_axes((0.05, 0.09, 0.9, 0.58))
        marks = [mark for found in lanes for mark in found]
        ax.axvspan(1, HIGH, color="#0072B2", alpha=0.12, lw=0)
        ax.axvline(0, color="#D55E00", ls="--", lw=1.5)
        for i, mark in enumerate(marks):
            _draw(ax, mark, -i)
        ax.set(xlim=(LOW, HIGH), ylim=(-len(marks), 1))
        ax.axis("off")
        ax.text(0, 1.01, "chance alone", ha="right", va="bottom", transform=_above(ax))
        ax.text(1, 1.01, "the claim’s band", va="bottom", transform=_above(ax))
        figure.text(0.05, 0.86, title, size=44, weight="bold")
        figure.text(0.05, 0.78, QUESTION, size=24)
        figure.text(
            0.05, 0.02, f"{len(marks)} published claims, re-run and judged", size=20
        )
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return write_atomic(site / PATH, buffer.getvalue())


def _draw(ax, mark: Mark, y: float) -> None:
    word = mark.row.verdict.word
    side = "for" if word in POSITIVE else "against" if word in NEGATIVE else "open"
    ends = [min(max(x, LOW), HIGH) for x in (mark.low, mark.high, mark.x)]
    ax.plot(ends[:2], [y, y], color=INKS[side], lw=2)
    ax.plot(ends[2], y, "o", color=INKS[side], ms=7, clip_on=False)


def _above(ax):
    """Return coordinates with x of the data and y of the axes."""
    from matplotlib.transforms import blended_transform_factory

    return blended_transform_factory(ax.transData, ax.transAxes)
