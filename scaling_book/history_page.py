"""The page of history: each claim's number over accepted runs, commits and machines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path

from scaling_book.claims import Claim
from scaling_book.history import read_history
from scaling_book.ledger import ChapterLedger
from scaling_book.measure import Measured
from scaling_book.numbers import show_measured, show_number, with_unit
from scaling_book.pages import anchor, chip
from scaling_book.sources import repository
from scaling_book.tables import WIDE, filter_table
from scaling_book.verdicts import SYMBOLS, Verdict
from scaling_core.base.intervals import decimals_for

FILE = "data/results/history.csv"
WIDTH, HEIGHT, PAD = 120, 30, 5  # of a small plot, in pixels
HEADS = ["Claim", "Chapter", "Profile", "Over runs", "Last number", "Verdicts"]
GONE = "taken out since"


@dataclass(frozen=True)
class Point:
    """A claim's number in one accepted run."""

    date: str
    commit: str
    profile: str
    claim: str
    estimate: float
    low: float | None
    high: float | None
    verdict: str
    device: str

    @property
    def ends(self) -> tuple[float, float]:
        """The interval, or the number twice."""
        if self.low is None or self.high is None:
            return self.estimate, self.estimate
        return self.low, self.high


def load_history(root: Path) -> list[Point]:
    """Return the lines of the history, oldest first; without a file, none."""
    return [_point(line) for line in read_history(root / FILE)]


def _point(line: dict[str, str]) -> Point:
    low, high = (float(line[k]) if line[k] else None for k in ("low", "high"))
    return Point(
        line["date"],
        line["commit"],
        line["profile"],
        line["claim"],
        float(line["estimate"]),
        low,
        high,
        line["verdict"],
        line["device"].replace("; ", " with "),  # accelerator with its host
    )


def history_page(root: Path, ledgers: Sequence[ChapterLedger]) -> str:
    """Return the page of every claim's numbers over accepted runs."""
    points = load_history(root)
    if not points:
        return "# History\n\nNo run has been accepted yet.\n"
    claims = {row.claim.id: row.claim for x in ledgers for row in x.rows}
    of = {x.chapter.slug: x for x in ledgers}
    key = lambda p: (p.claim, p.profile)
    order = sorted(points, key=lambda p: (p.claim not in claims, *key(p)))
    series = [list(found) for _, found in groupby(order, key=key)]
    runs = {(p.date, p.commit, p.profile, p.claim.split(".")[0]) for p in points}
    devices = sorted({f"“{p.device}”" for p in points if p.device})
    several = sum(len(found) > 1 for found in series)
    text = (
        f"Each time a run becomes the reference, its numbers are added here: {len(runs)} "
        f"runs of chapters so far, on {len(devices)} kinds of machine "
        f"({' and '.join(devices) or 'not recorded'}). {several} of {len(series)} series "
        "have more than one point. The small plots show them in order, with 95 % "
        "intervals and the band shaded; runs differ in code and sizes as well as in "
        "chance, and the commit says by what. A claim whose statistic changed has "
        "another name since."
    )
    table = _table(series, claims, of, repository(root))
    return f"{WIDE}# History\n\n{text}\n\n{table}\n"


def _table(
    series: Sequence[list[Point]],
    claims: Mapping[str, Claim],
    of: Mapping[str, ChapterLedger],
    address: str,
) -> str:
    body = [_cells(found, claims.get(found[0].claim), of, address) for found in series]
    changed = ["same" if _same(found) else "changed" for found in series]
    return filter_table(
        HEADS,
        body,
        "Each claim’s number over accepted runs.",
        ids=[f"history-{anchor(x[0].claim)}-{x[0].profile}" for x in series],
        filters={
            "chapter": [_chapter(found[0], of)[0] for found in series],
            "verdicts": changed,
            "runs": ["several" if len(found) > 1 else "one" for found in series],
        },
        css="history",
    )


def _same(found: Sequence[Point]) -> bool:
    return len({point.verdict for point in found}) == 1


def _chapter(point: Point, of: Mapping[str, ChapterLedger]) -> tuple[str, str]:
    """Return title and page of a point's chapter, or its slug."""
    slug = point.claim.split(".")[0]
    if slug not in of:
        return slug, ""
    chapter = of[slug].chapter
    return chapter.title, f"../chapters/{chapter.name}.html"


def _cells(
    found: list[Point],
    claim: Claim | None,
    of: Mapping[str, ChapterLedger],
    address: str,
) -> list[str]:
    last = found[-1]
    title, page = _chapter(last, of)
    said = f"<code>{last.claim}</code><br><small>{GONE}</small>"
    if claim:
        link = f'<a href="{page}#{anchor(claim.id)}">{escape(claim.says)}</a>'
        said = f"{link}<br><small><code>{claim.id}</code></small>"
    unit = claim.unit if claim else ""
    words = [word for word, _ in groupby(point.verdict for point in found)]
    trail = " → ".join(chip(Verdict(word, "")) for word in words)
    return [
        said,
        escape(title),
        last.profile,
        sparkline(found, claim) + _runs(found, unit, address),
        _number(last, unit),
        trail,
    ]


def _number(point: Point, unit: str) -> str:
    low, high = point.ends
    if low == high:
        return escape(show_measured(Measured(point.estimate), unit))
    places = min(decimals_for((high - low) / 2), 6)
    value, low, high = (show_number(x, places) for x in (point.estimate, low, high))
    return escape(with_unit(f"{value} [{low}, {high}]", unit))


def _runs(found: Sequence[Point], unit: str, address: str) -> str:
    """Return the runs behind a plot, folded: date, commit, machine, number, verdict."""
    items = "".join(
        f'<li>{p.date}, <a href="{address}/commit/{p.commit}">{p.commit[:7]}</a>'
        f"{', ' + escape(p.device) if p.device else ''}: {_number(p, unit)} "
        f"{SYMBOLS[p.verdict]} {p.verdict}</li>"
        for p in found
    )
    runs = "1 run" if len(found) == 1 else f"{len(found)} runs"
    return f"<details><summary>{runs}</summary><ul>{items}</ul></details>"


def sparkline(found: Sequence[Point], claim: Claim | None) -> str:
    """Return a claim's numbers in order as a small plot; nothing for a single run."""
    if len(found) < 2:
        return ""
    ends = [x for point in found for x in point.ends]
    bottom, top = min(ends), max(ends)
    if claim and claim.band:
        low, high = claim.limits
        # The nearer edge of the band is in the plot; a far one would flatten the rest.
        reach = (top - bottom) or abs(top) or 1.0
        edges = [x for x in (low, high) if bottom - 2 * reach < x < top + 2 * reach]
        bottom, top = min([bottom, *edges]), max([top, *edges])
    scale = (HEIGHT - 2 * PAD) / ((top - bottom) or 1.0)

    def y(value: float) -> float:
        return round(PAD + (top - min(max(value, bottom), top)) * scale, 1)

    parts = []
    if claim and claim.band and claim.limits[0] <= top and claim.limits[1] >= bottom:
        upper, lower = y(claim.limits[1]), y(claim.limits[0])
        upper = 0 if claim.limits[1] > top else upper
        lower = HEIGHT if claim.limits[0] < bottom else lower
        size = f'y="{upper}" height="{max(lower - upper, 1):g}"'
        parts.append(f'<rect class="band" width="{WIDTH}" {size}/>')
    step = (WIDTH - 2 * PAD) / (len(found) - 1)
    places = [(round(PAD + i * step, 1), point) for i, point in enumerate(found)]
    trail = " ".join(f"{x},{y(p.estimate)}" for x, p in places)
    parts.append(f'<polyline points="{trail}"/>')
    for x, p in places:
        (low, high), middle = map(y, p.ends), y(p.estimate)
        if low != high:
            parts.append(f'<path d="M{x} {low}V{high}"/>')
        parts.append(f'<circle cx="{x}" cy="{middle}" r="2.2"/>')
    verdicts = ", ".join(p.verdict for p in found)
    return (
        f'<svg class="sparkline" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{len(found)} runs: {verdicts}">{"".join(parts)}</svg>'
    )
