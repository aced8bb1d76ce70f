"""The landing page: one figure of the ledger, surprises, verdicts and chapters."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from scaling_book.claims import Claim
from scaling_book.cost import full_seconds, references
from scaling_book.lanes import Mark, axis, lane, marks_of
from scaling_book.ledger import ChapterLedger, Row, read_record
from scaling_book.numbers import show_measured, show_number, show_published, with_unit
from scaling_book.overview import Entry, answer, shown_rows, write_picture
from scaling_book.pages import anchor, chip
from scaling_book.social import write_card
from scaling_book.verdicts import NEGATIVE, Verdict

SURPRISES = 5
ORDER = (  # of a bar, from left to right; identities are counted apart
    "agrees",
    "reproduced",
    "holds in the stand-in",
    "inconclusive",
    "disagrees",
    "not reproduced",
    "finding",
    "not assessed here",
    "out of reach",
)
CLAIMS = "book/generated/all-claims.html"


def landing_page(
    ledgers: Sequence[ChapterLedger], entries: Mapping[str, Entry], site: Path
) -> str:
    """Return what `index.md` includes; the pictures are written below ``site``."""
    shown = {x.chapter.slug: shown_rows(x) for x in ledgers}
    rows = [row for found in shown.values() for row in found]
    lanes = {slug: marks_of(found) for slug, found in shown.items()}
    by_theme = _by_theme(ledgers, entries)
    ordered = [x.chapter.slug for found in by_theme.values() for x in found]
    write_card([lanes[slug] for slug in ordered], "Scaling, Replicated", site)
    parts = [
        _totals(rows),
        _figure(by_theme, lanes),
        _surprises(ledgers, lanes),
        "## The chapters",
        _cards(by_theme, shown, entries, site),
    ]
    return "\n\n".join(parts) + "\n"


def page_of(ledger: ChapterLedger) -> str:
    """Return the address of a chapter's page from the site's root."""
    return f"book/chapters/{ledger.chapter.name}.html"


def _by_theme(
    ledgers: Sequence[ChapterLedger], entries: Mapping[str, Entry]
) -> dict[str, list[ChapterLedger]]:
    """Return theme -> its chapters, themes in the order of their first chapter."""
    themes = list(dict.fromkeys(entry.theme for entry in entries.values()))
    key = {slug: themes.index(entry.theme) for slug, entry in entries.items()}
    ordered = sorted(ledgers, key=lambda x: key[x.chapter.slug])
    grouped = groupby(ordered, key=lambda x: key[x.chapter.slug])
    return {themes[i]: list(found) for i, found in grouped}


def counts(rows: Sequence[Row]) -> Counter[str]:
    """Count the verdicts of claims about papers, and findings; identities are left out."""
    return Counter(row.verdict.word for row in rows if row.claim.kind != "identity")


def verdict_bar(rows: Sequence[Row]) -> str:
    """Return the verdicts as one stacked bar: width and number are the count.

    >>> verdict_bar([])
    '<div class="verdict-bar" role="img" aria-label="no claims"></div>'
    """
    count = counts(rows)
    words = [word for word in ORDER if count[word]]
    said = ", ".join(f"{count[word]} {word}" for word in words) or "no claims"
    segments = "".join(
        f'<span class="chip {css(word)}" style="flex-grow: {count[word]}">'
        f"{count[word]}</span>"
        for word in words
    )
    return f'<div class="verdict-bar" role="img" aria-label="{said}">{segments}</div>'


def css(word: str) -> str:
    """Return the class of a verdict's chip."""
    return chip(Verdict(word, "")).split('"')[1].removeprefix("chip ")


def _totals(rows: Sequence[Row]) -> str:
    """Return how many claims there are, as a bar with its key; identities apart."""
    count = counts(rows)
    keys = "".join(
        f'<li><a href="{CLAIMS}?verdict={quote(word)}">'
        f"{chip(Verdict(word, ''))} {count[word]}</a></li>"
        for word in ORDER
        if count[word]
    )
    checks = [row for row in rows if row.claim.kind == "identity"]
    holding = sum(row.verdict.word == "holds" for row in checks)
    papers = len({row.claim.paper for row in rows if row.claim.kind != "identity"})
    apart = (
        f"{count.total()} claims, findings of ours among them, about {papers} papers. "
        f"Of {len(checks)} exact statements that only test our code, {holding} hold; "
        "they are not in the bar."
    )
    return (
        f'<div class="totals">{verdict_bar(rows)}<ul class="verdict-key">{keys}</ul>'
        f"<p>{apart}</p></div>"
    )


def _figure(
    by_theme: Mapping[str, Sequence[ChapterLedger]], lanes: Mapping[str, list[Mark]]
) -> str:
    """Return every judged claim of the book on one axis, by theme and chapter."""
    total = sum(map(len, lanes.values()))
    if not total:
        return ""
    blocks = []
    for theme, ledgers in by_theme.items():
        drawn = [x for x in ledgers if lanes[x.chapter.slug]]
        if drawn:
            blocks.append(f'<p class="theme">{escape(theme)}</p>')
        blocks += [_lane_row(x, lanes[x.chapter.slug]) for x in drawn]
    paper = sum(mark.paper is not None for found in lanes.values() for mark in found)
    caption = (
        f"All {total} judged claims, a line each, in the order of their marks. Each has its own "
        "unit, stretched so that what chance alone gives (the claim’s null) and the "
        "near edge of the band that would confirm it lie below each other. Mark and "
        f"line: our number with its 95 % interval; grey diamond: the paper’s, where it "
        f"prints one ({paper}); shaded: the band; an arrow: beyond the axis. Each line "
        "leads to its claim."
    )
    return (
        '<figure class="lanes" id="every-claim">'
        f'<div class="lane-row"><span></span>{axis()}</div>{"".join(blocks)}'
        f"<figcaption><p>{caption}</p></figcaption></figure>"
    )


def _lane_row(ledger: ChapterLedger, marks: Sequence[Mark]) -> str:
    page, title = page_of(ledger), ledger.chapter.title
    return (
        f'<div class="lane-row"><a class="lane-name" href="{page}">{escape(title)}</a>'
        f"{lane(marks, page, title)}</div>"
    )


def surprises(lanes: Mapping[str, Sequence[Mark]]) -> list[Mark]:
    """Return the marks that surprised: what disagrees, the furthest from its band.

    Claims that carry their chapter come first, and a chapter gives one at most. What the
    paper says must have been read in the paper.
    """
    against = [
        (slug, mark)
        for slug, found in lanes.items()
        for mark in found
        if mark.row.verdict.word in NEGATIVE and _is_read(mark.row.claim)
    ]
    against.sort(key=lambda x: (not x[1].row.claim.primary, -x[1].beyond))
    first: dict[str, Mark] = {}
    for slug, mark in against:
        first.setdefault(slug, mark)
    return list(first.values())[:SURPRISES]


def _is_read(claim: Claim) -> bool:
    return claim.published is not None and claim.published.source == "seen"


def _surprises(
    ledgers: Sequence[ChapterLedger], lanes: Mapping[str, Sequence[Mark]]
) -> str:
    found = surprises(lanes)
    if not found:
        return ""
    of = {x.chapter.slug: x for x in ledgers}
    items = "".join(_surprise(mark, of[mark.row.claim.slug]) for mark in found)
    words = ["", "The result", "Two results", "Three results", "Four results"]
    head = words[len(found)] if len(found) < SURPRISES else "The five results"
    rule = (
        "Picked by code: of the claims that disagree or were not reproduced, those "
        "furthest from their band on the axis above, one a chapter, claims that carry "
        "a chapter first; statements that we have at second hand are left out."
    )
    return (
        f"## {head} that surprised us\n\n"
        f'<ol class="surprises">{items}</ol>\n\n<p class="rule">{rule}</p>'
    )


def _surprise(mark: Mark, ledger: ChapterLedger) -> str:
    row, claim = mark.row, mark.row.claim
    assert claim.null, "a mark has a null"
    null = with_unit(show_number(claim.null.value), claim.unit)
    facts = {
        "Paper": show_published(claim),
        "Ours": show_measured(row.measured, claim.unit),
        "Chance alone": f"{null} ({claim.null.what})",
    }
    cells = "".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())
    page = page_of(ledger)
    return (
        f'<li><p class="claim-says"><a href="{page}#{anchor(claim.id)}">'
        f"{escape(claim.says)}</a> {chip(row.verdict)}</p><dl>{cells}</dl>"
        f'<p>In <a href="{page}">{escape(ledger.chapter.title)}</a></p></li>'
    )


def _cards(
    by_theme: Mapping[str, Sequence[ChapterLedger]],
    shown: Mapping[str, list[Row]],
    entries: Mapping[str, Entry],
    site: Path,
) -> str:
    """Return the chapters as cards: picture, question, answer, verdicts, minutes."""
    rows = {row.claim.id: row for found in shown.values() for row in found}
    blocks = []
    for theme, ledgers in by_theme.items():
        blocks.append(f'<h3 class="theme">{escape(theme)}</h3>')
        cards = []
        for ledger in ledgers:
            slug = ledger.chapter.slug
            said = answer(entries[slug], rows, slug)
            picture = write_picture(site, ledger.chapter, entries[slug].figure)
            bar = verdict_bar(shown[slug])
            cards.append(_card(ledger, entries[slug], said, picture, bar))
        blocks.append(f'<div class="chapter-grid">{"".join(cards)}</div>')
    return f'<div class="chapters">{"".join(blocks)}</div>'


def _minutes(ledger: ChapterLedger, entry: Entry) -> str:
    """Return what a run at cpu takes from nothing, from its record if that tells."""
    for path in references(ledger.chapter.source.parents[1], ledger.chapter, "cpu"):
        if path.is_file():
            seconds, at_least = full_seconds(read_record(path))
            if not at_least:
                return f"{max(seconds / 60, 1):.0f}"
    return f"{entry.minutes:g}"


def _card(
    ledger: ChapterLedger, entry: Entry, said: str, picture: tuple[str, str], bar: str
) -> str:
    path, alt = picture
    image = ""
    if path:
        image = f'<img src="{path}" alt="{escape(alt, quote=True)}" loading="lazy">'
    time = f"A first run takes about {_minutes(ledger, entry)} minutes on one core."
    return (
        f'<div class="chapter-card">{image}<div>'
        f'<h4><a href="{page_of(ledger)}">{escape(ledger.chapter.title)}</a></h4>'
        f'<p class="question">{escape(entry.question)}</p><p>{escape(said)}</p>'
        f'{bar}<p class="time">{time}</p></div></div>'
    )
