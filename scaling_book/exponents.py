"""The page "One exponent, many papers": every claim whose number is an exponent.

Grouped by what sets the number, published and ours side by side, in a figure (drawn at
render) and a table. Differences of two exponents stand apart, since the axis of the
others says nothing of them.
"""

import io
import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from scaling_book.api import COLORS
from scaling_book.claims import Claim, Exponent
from scaling_book.forest import STYLE
from scaling_book.ledger import ChapterLedger, Row
from scaling_book.numbers import show_published
from scaling_book.pages import anchor, chip, html_table, ours_cell
from scaling_book.papers import Paper
from scaling_core.base.files import write_atomic

CAUSES = {  # cause -> what it says on the page; all of `claims.Cause`, in this order
    "spectrum": "How fast frequencies or eigenvalues fall",
    "dimension": "The dimension of the data",
    "variance": "Fluctuation around a limit",
    "overlap": "Overlap of more features than dimensions",
    "depth": "Sums over layers",
    "examples": "Which examples are kept",
    "compute": "Size, data and compute: fitted, no cause derived",
    "optimiser": "Best settings of the optimiser",
}
DIFFERENCES = "Differences of two exponents"
FIGURE = "book/generated/exponents.svg"
SHAPES = {  # marker -> what it means, and the words of the verdicts it stands for
    "o": ("ours, agrees", {"agrees", "reproduced", "holds in the stand-in"}),
    "s": ("ours, inconclusive", {"inconclusive"}),
    "X": ("ours, disagrees", {"disagrees", "not reproduced"}),
    "^": ("ours, no verdict", {"finding", "not assessed here"}),
}
Groups = dict[str, list[tuple[Row, str]]]


def exponents_page(
    ledgers: Sequence[ChapterLedger], papers: Mapping[str, Paper], site: Path
) -> str:
    """Return the page in MyST, and draw its figure below ``site``.

    A book without any exponent, or without a number for one, has a page too.
    ``papers``: key of the bibliography -> paper.
    """
    title = "# One exponent, many papers"
    groups = group_exponents(ledgers)
    rows = [row for found in groups.values() for row, _ in found]
    if not rows:
        return f"{title}\n\nNo claim of these chapters is an exponent.\n"
    parts = [title, counts_sentence(rows), causes_sentence(groups)]
    drawn = {k: kept for k, found in groups.items() if (kept := _drawable(found))}
    if drawn:
        alt = draw_exponents(drawn, site / FIGURE)
        parts.append(f"```{{figure}} /{FIGURE}\n:alt: {alt}\n:name: fig-exponents\n")
        parts[-1] += f"\n{_caption(len(rows) - sum(map(len, drawn.values())))}\n```"
    heads = ["Exponent", "Paper", "Ours", "Verdict"]
    for name, found in groups.items():
        body = [_table_row(row, page, papers[row.claim.paper]) for row, page in found]
        parts += [f"## {name}", html_table(heads, body, f"Exponents: {name.lower()}.")]
    return "\n\n".join(parts) + "\n"


def group_exponents(ledgers: Sequence[ChapterLedger]) -> Groups:
    """Return heading -> rows with their chapter's page, causes first, in order."""
    groups: Groups = {name: [] for name in [*CAUSES.values(), DIFFERENCES]}
    for ledger in ledgers:
        for row in ledger.rows:
            if row.claim.exponent:
                cause = CAUSES[row.claim.exponent.cause]
                name = DIFFERENCES if row.claim.exponent.minus else cause
                groups[name].append((row, ledger.chapter.name))
    return {name: found for name, found in groups.items() if found}


def published_range(row: Row) -> tuple[float, float] | None:
    """Return the paper's number less and plus its uncertainty, if we saw it there."""
    published = row.claim.published
    if not published or published.value is None or published.source != "seen":
        return None
    spread = published.uncertainty or 0.0
    return published.value - spread, published.value + spread


def counts_sentence(rows: Sequence[Row]) -> str:
    """Say how many exponents there are, and how many of ours lie where the paper's do."""
    papers = len({row.claim.paper for row in rows})
    inside, touching = [], []
    for row in rows:
        paper, ours = published_range(row), row.measured
        if paper and ours and paper[0] < paper[1]:
            inside.append(paper[0] <= ours.estimate <= paper[1])
            touching.append(ours.ends[0] <= paper[1] and paper[0] <= ours.ends[1])
    return (
        f"The exponent is the number of a scaling law that travels, into other papers "
        f"and into plans. In this book {len(rows)} claims are exponents, about "
        f"{papers} paper{'s' * (papers > 1)}. In {len(inside)} of them a number of ours stands beside "
        f"a published one with an uncertainty: ours lies within it in {sum(inside)}, "
        f"and our interval touches it in {sum(touching)}. What the uncertainty is "
        "differs from paper to paper, so the verdicts go by the bands of "
        "[the claims](all-claims.md)."
    )


def causes_sentence(groups: Groups) -> str:
    """Warn that equal numbers have different causes, and say where an exponent of 1 is."""
    held = {}
    for name, found in groups.items():
        ours = [row.measured.ends for row, _ in found if row.measured]
        count = sum(low < 1 < high for low, high in ours if name != DIFFERENCES)
        held |= {name.lower(): count} if count else {}
    warning = (
        "**Equal numbers can have different causes.** Overlaps of random directions "
        "fall as one over the width; a loss limited by variance nears its limit as one "
        "over the number of examples; a wide network nears its linear limit as one over "
        "its width. All three have an exponent of one, and an exponent alone tells none "
        "of them from the others. So the numbers stand here under what the paper, or "
        "the chapter, takes to set them."
    )
    if held:
        where = "; ".join(f"{name} ({count})" for name, count in held.items())
        warning += f" Intervals of ours around one: {where}."
    return warning


def _drawable(found: list[tuple[Row, str]]) -> list[Row]:
    """Leave out identities, which test our code, and what has no number at all."""
    return [
        row
        for row, _ in found
        if row.claim.kind != "identity" and (row.measured or published_range(row))
    ]


def _caption(left_out: int) -> str:
    return (
        "Exponents by cause: the paper's number (open, with its uncertainty where it "
        "gives one) and ours (filled, with its 95 % interval over runs where there is "
        "one); shape and sign say how code judged it. Exponents keep the sign of their "
        "claim. Only in the tables: identities and claims without a number "
        f"({left_out} rows), and papers' numbers known second-hand."
    )


def _table_row(row: Row, page: str, paper: Paper) -> list[str]:
    claim, exponent = row.claim, exponent_of(row.claim)
    link = f"../chapters/{page}.html#{anchor(claim.id)}"
    what = f'<a href="{link}">{escape(in_words(exponent))}</a>'
    what += f" (cause: {exponent.cause})" if exponent.minus else ""
    says = f"<br><small>{escape(claim.says)}</small>"
    stated = f"{paper.link}: {escape(show_published(claim))}"
    if claim.published is None:
        stated = f"states none ({paper.link})"
    return [what + says, stated, ours_cell(row), chip(row.verdict)]


def exponent_of(claim: Claim) -> Exponent:
    """Return the exponent of a claim that is one."""
    assert claim.exponent is not None, f"{claim.id} is no exponent"
    return claim.exponent


def in_words(exponent: Exponent) -> str:
    """Return what the exponent is of and in, and what is subtracted.

    >>> in_words(Exponent.model_validate({"of": "loss", "in": "D", "cause": "compute"}))
    'loss in D'
    """
    less = f", minus {exponent.minus}" if exponent.minus else ""
    return f"{exponent.of} in {exponent.in_}{less}"


def draw_exponents(groups: dict[str, list[Row]], path: Path) -> str:
    """Draw all rows on one axis, a heading over each group; return the alternative text.

    Narrow, so that its letters can be read on a phone; on opaque white, as all figures.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    lines = sum(len(rows) + 1 for rows in groups.values())
    with mpl.rc_context(STYLE):
        height = 0.33 * lines + 1.4
        figure = Figure(figsize=(4.8, height), facecolor="white")
        ax, y, shown = figure.subplots(), 0.0, set()
        for name, rows in groups.items():
            at, white = ax.get_yaxis_transform(), dict(fc="white", ec="none", pad=1)
            ax.text(-0.92, y, name, transform=at, weight="bold", bbox=white)
            for row in rows:
                y += 1
                shown.add(_draw_row(ax, row, y))
            y += 1
        ax.set(ylim=(y - 0.4, -0.9), yticks=[], xlabel="exponent")
        ax.spines[["left", "right", "top"]].set_visible(False)
        for side, where in (("top", 0.9), ("bottom", 0.5)):
            ax.tick_params(axis="x", length=2, **{side: True, f"label{side}": True})
            figure.subplots_adjust(**{side: abs((side == "top") - where / height)})
        figure.subplots_adjust(left=0.47, right=0.97)
        ax.grid(axis="x", color="0.9", lw=0.6)
        ax.axvline(0, color="0.6", lw=0.8)
        _legend(figure, shown)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    write_atomic(path, buffer.getvalue())
    return _alternative_text(groups)


def _draw_row(ax, row: Row, y: float) -> str:
    """Draw one row at height ``y`` and return the marker of its verdict."""
    claim, paper, marker = row.claim, published_range(row), ""
    if paper:
        style = dict(color=COLORS["paper"], lw=1.2)
        ax.plot(paper, [y - 0.16] * 2, ls="--", **style)
        ax.plot(sum(paper) / 2, y - 0.16, "D", mfc="white", ms=4.5, **style)
    if row.measured:
        marker = next(m for m, (_, w) in SHAPES.items() if row.verdict.word in w)
        ax.plot(row.measured.ends, [y + 0.12] * 2, color=COLORS["ours"], lw=1.8)
        ax.plot(row.measured.estimate, y + 0.12, marker, color=COLORS["ours"], ms=6)
    exponent = exponent_of(claim)
    label = f"{row.verdict.symbol} {exponent.of} in {exponent.in_}"
    below = f"minus {exponent.minus}" if exponent.minus else claim.id.split(".")[1]
    below = textwrap.shorten(f"{claim.slug}: {below}", 40, placeholder="…")
    label, at = textwrap.shorten(label, 34, placeholder="…"), ax.get_yaxis_transform()
    ax.text(-0.87, y - 0.2, label, va="center", transform=at)
    ax.text(-0.80, y + 0.26, below, size=7, color="0.4", va="center", transform=at)
    return marker


def _legend(figure, shown: set[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=COLORS["paper"], marker="D", mfc="white", ls="--", ms=4.5)
    ]
    handles += [
        Line2D([], [], color=COLORS["ours"], marker=m) for m in SHAPES if m in shown
    ]
    labels = ["paper", *(text for m, (text, _) in SHAPES.items() if m in shown)]
    figure.legend(
        handles, labels, ncols=2, loc="upper center", frameon=False, fontsize=8
    )


def _alternative_text(groups: dict[str, list[Row]]) -> str:
    counts = "; ".join(f"{name.lower()}, {len(rows)}" for name, rows in groups.items())
    ours = [row.measured for rows in groups.values() for row in rows if row.measured]
    ends = [end for measured in ours for end in measured.ends]
    span = f" Ours run from {min(ends):.2g} to {max(ends):.2g}." if ends else ""
    return f"Exponents published and ours on one axis, by cause: {counts}.{span}"
