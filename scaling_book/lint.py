"""What a chapter must not do, found in its cells: seeds, numbers or figures by hand."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from scaling_book.ledger import ChapterLedger, Row
from scaling_book.numbers import quoted_value

BY_HAND = re.compile(r"\bseeds\s*=\s*(?:(?:list|tuple)\()?\s*(?:range\(|[\[(]\s*\d)")
FENCED = re.compile(r"^(`{3,}|\${2}).*?^\s*\1", re.MULTILINE | re.DOTALL)
NO_PROSE = re.compile(r"`[^`]*`|\$[^$]*\$|<[^>]*>|\]\([^)]*\)")
TYPED = re.compile(r"(?<![\w.`−-])[−-]?\d+\.\d+(?![\w`]|\.\d)")
SENTENCE = re.compile(r"(?<=[.?!:])\s+(?=[A-Z*{])|\n\s*\n")
CITED = re.compile(r"\{cite|\barXiv\b|\b(?:Fig|Figs|Table|Eq|Section|Theorem|Lemma)\b")
LITERAL = re.compile(r"(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?")


def complaints(cells: Iterable, name: str) -> Iterator[str]:
    """Yield what a chapter's cells do against the rules, before it is run.

    Seeds come from ``chapter.seeds``: a list by hand may hold those of a pilot. A figure
    has an alt text.
    """
    for i, cell in enumerate(cells):
        where = f"{name}, cell {i}"
        if cell.cell_type == "code" and (found := BY_HAND.search(cell.source)):
            yield f"{where}: {found[0]!r}: seeds by hand; take them from chapter.seeds"
        options = cell.metadata.get("mystnb", {})
        if "figure" in options and not options.get("image", {}).get("alt"):
            yield f"{where}: a figure without alt text (mystnb: image: alt)"


def numbers_by_hand(cells: Sequence, name: str, ledger: ChapterLedger) -> Iterator[str]:
    """Yield each number that a chapter's prose or captions type though code knows it."""
    rows = [*ledger.rows, *(r for rows in ledger.references.values() for r in rows)]
    settings = settings_of(cells, rows)
    for i, cell in enumerate(cells):
        text = cell.source if cell.cell_type == "markdown" else ""
        caption = cell.metadata.get("mystnb", {}).get("figure", {}).get("caption", "")
        for fault in typed_numbers(f"{text}{caption}", rows, settings):
            yield f"{name}, cell {i}: {fault}"


def settings_of(cells: Iterable, rows: Iterable[Row]) -> set[float]:
    """Return the numbers that prose may type: those that code or claims spell out."""
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    found = {float(x) for source in code for x in LITERAL.findall(source)}
    for claim in (row.claim for row in rows):
        stated = [x.value for x in (claim.published, claim.null) if x]
        found |= {x for x in [*stated, *(claim.band or ())] if x is not None}
    return found


def typed_numbers(
    text: str, rows: Sequence[Row], settings: Collection[float] = ()
) -> Iterator[str]:
    """Yield each decimal of a text that is typed though code knows it, and what to do.

    A setting may be typed, and so may what a paper prints, in a sentence that cites it.
    So no run on another machine is refused for a number that happens to equal a paper's.

    >>> list(typed_numbers("It is 1.7. The paper has 1.8 (Table 2).", []))
    ['1.7 is typed by hand; glue it, or cite the paper in its sentence']
    """
    for sentence in SENTENCE.split(NO_PROSE.sub("", FENCED.sub("", text))):
        for found in TYPED.finditer(sentence):
            number = found[0].replace("-", "−")
            if float(number.lstrip("−")) in settings or CITED.search(sentence):
                continue
            quote = _quotes(rows).get(number)
            cure = quote or "glue it, or cite the paper in its sentence"
            yield f"{found[0]} is typed by hand; {cure}"


def _quotes(rows: Sequence[Row]) -> dict[str, str]:
    """Return what to write for our numbers as cards show them; a paper's own are free."""
    stated = [r.claim.published.value for r in rows if r.claim.published]
    printed = {f"{x:g}" for x in stated if x is not None}
    return {
        shown: f"write {{claim:{option}}}`{row.claim.id}`"
        for row in rows
        for option, scale in (("value", 1), ("percent", 100))
        if row.measured
        and (shown := quoted_value(row.measured, scale))
        and shown not in printed
    }
