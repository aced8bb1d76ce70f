"""The landing page's figure: every judged claim on one axis, from its null to its band.

Claims have different units, so each is drawn in its own: 0 is what chance alone gives
(the claim's null), 1 the edge of the band that would confirm it. For our number y,

    x = (y - null) / (edge - null),

where the edge is the one nearer to the null. The same map places the interval, the far
edge of the band and the paper's number. Drawn as SVG with positions in per cent, so that
it fits any width and follows the theme.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from scaling_book.ledger import Row
from scaling_book.numbers import show_measured
from scaling_book.pages import anchor
from scaling_book.verdicts import NEGATIVE, POSITIVE

LOW, HIGH = -2.2, 4.2  # what the axis shows; beyond it a mark becomes an arrow
ROW = 13  # pixels between two claims of a lane
SHAPES = {  # verdict -> what its mark is drawn with, 0 being its place
    "agrees": '<circle r="4.5"/>',
    "holds in the stand-in": '<circle r="4.5" class="open"/>'
    '<path d="M0-4.5a4.5 4.5 0 0 0 0 9z"/>',
    "reproduced": '<path d="M-4.5-3.6h9v2.7h-9zM-4.5 .9h9v2.7h-9z"/>',
    "inconclusive": '<circle r="4" class="open"/>',
    "disagrees": '<path d="M-4-4 4 4M4-4-4 4" class="stroke"/>',
    "not reproduced": '<path d="M-4.5-3.6h9v2.7h-9zM-4.5 .9h9v2.7h-9z"/>'
    '<path d="M-2.5 5.5 2.5-5.5" class="stroke thin"/>',
}
PAPER = '<path d="M0-4.2 4.2 0 0 4.2-4.2 0z" class="paper"/>'


@dataclass(frozen=True)
class Mark:
    """A judged claim in units of the distance from its null to its band."""

    row: Row
    x: float
    low: float
    high: float
    far: float
    paper: float | None

    @property
    def beyond(self) -> float:
        """How far our number lies outside the band, 0 inside."""
        return max(1 - self.x, self.x - self.far, 0.0)


def place(row: Row) -> Mark | None:
    """Return a claim's mark; None without a verdict, a band or a null."""
    claim, measured = row.claim, row.measured
    decided = row.verdict.word in POSITIVE | NEGATIVE | {"inconclusive"}
    if not decided or claim.kind == "identity" or not claim.null or not measured:
        return None
    (bottom, top), null = claim.limits, claim.null.value
    near, far = (bottom, top) if null < bottom else (top, bottom)

    def scaled(value: float) -> float:
        return (value - null) / (near - null)

    low, high = sorted(map(scaled, measured.ends))
    printed = claim.published.value if claim.published else None
    paper = None if printed is None else scaled(printed)
    return Mark(row, scaled(measured.estimate), low, high, scaled(far), paper)


def marks_of(rows: Sequence[Row]) -> list[Mark]:
    """Return the marks of a chapter's judged claims, from right to left."""
    return sorted(filter(None, map(place, rows)), key=lambda mark: -mark.x)


def lane(marks: Sequence[Mark], page: str, name: str) -> str:
    """Return one chapter's claims as an SVG, a line each, linked to their cards."""
    height = ROW * len(marks)
    lines = "".join(_line(mark, i, page) for i, mark in enumerate(marks))
    null = _percent(0)
    return (
        f'<svg class="lane" width="100%" height="{height}" role="group" '
        f'aria-label="{escape(name, quote=True)}: {len(marks)} judged claims">'
        f'<line class="null" x1="{null}" x2="{null}" y1="0" y2="{height}"/>{lines}</svg>'
    )


def axis() -> str:
    """Return the axis of all lanes: where chance lies, and where the band begins."""
    said = [(0, "chance alone"), (1, "the claim’s band")]
    texts = "".join(
        f'<text x="{_percent(x)}" y="11" class="{"end" if x == 0 else "start"}">'
        f"{text}</text>"
        for x, text in said
    )
    return f'<svg class="lane axis" width="100%" height="16" aria-hidden="true">{texts}</svg>'


def _line(mark: Mark, i: int, page: str) -> str:
    claim, y = mark.row.claim, ROW * (i + 0.5)
    parts = [
        f'<rect class="band" x="{_percent(1)}" y="{y - 5:g}" height="10" '
        f'width="{_span(1, mark.far)}"/>',
        f'<line class="interval" x1="{_percent(mark.low)}" x2="{_percent(mark.high)}" '
        f'y1="{y:g}" y2="{y:g}"/>',
    ]
    if mark.paper is not None:
        parts.append(_at(mark.paper, y, PAPER))
    parts.append(_at(mark.x, y, SHAPES[mark.row.verdict.word]))
    says = f"{claim.says}: {mark.row.verdict.word}"
    title = f"{says} ({show_measured(mark.row.measured, claim.unit)})"
    css = mark.row.verdict.word.replace(" ", "-")
    return (
        f'<a href="{page}#{anchor(claim.id)}" class="mark {css}" '
        f'aria-label="{escape(says, quote=True)}"><title>{escape(title)}</title>'
        f"{''.join(parts)}</a>"
    )


def _at(x: float, y: float, shape: str) -> str:
    """Return a shape at a place, or an arrow at the end of the axis beyond which it is."""
    if x < LOW or x > HIGH:
        turn = -1 if x < LOW else 1
        head = f"M{-3 * turn}-4.5 {4 * turn} 0 {-3 * turn} 4.5z"
        inside = 1.2 if x < LOW else 98.8
        shape = f'<path d="{head}" class="arrow"/>'
        return f'<svg x="{inside}%" y="{y:g}" overflow="visible">{shape}</svg>'
    return f'<svg x="{_percent(x)}" y="{y:g}" overflow="visible">{shape}</svg>'


def _percent(x: float) -> str:
    inside = min(max(x, LOW), HIGH)
    return f"{100 * (inside - LOW) / (HIGH - LOW):.2f}%"


def _span(start: float, stop: float) -> str:
    """Return the width of a stretch of the axis, at least a hair."""
    width = 100 * (min(stop, HIGH) - start) / (HIGH - LOW)
    return f"{max(width, 0.4):.2f}%"
