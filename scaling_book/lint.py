"""What a chapter must not do, found in its cells: seeds, numbers or figures by hand."""

import re
from collections.abc import Iterable, Iterator, Sequence

from scaling_book.ledger import Row
from scaling_book.numbers import quoted_value

BY_HAND = re.compile(r"\bseeds\s*=\s*(?:(?:list|tuple)\()?\s*(?:range\(|[\[(]\s*\d)")
NO_PROSE = re.compile(r"`[^`]*`|\$[^$]*\$|<[^>]*>")
TYPED = re.compile(r"(?<![\w.`−-])[−-]?\d+\.\d{2,}(?![\w`]|\.\d)")


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


def typed_numbers(text: str, rows: Sequence[Row]) -> Iterator[str]:
    """Yield each number of a text that a claim has, with the quote to write instead.

    Of three digits or more, as the card shows it; what a paper prints may be typed.

    >>> list(typed_numbers("It is 1.020.", []))
    []
    """
    known = {}
    for row in rows:
        for option, scale in (("value", 1), ("percent", 100)):
            if row.measured:
                quote = f"{{claim:{option}}}`{row.claim.id}`"
                known[quoted_value(row.measured, scale)] = quote
    for row in rows:
        if row.claim.published and row.claim.published.value is not None:
            known.pop(f"{row.claim.published.value:g}", None)
    for found in TYPED.finditer(NO_PROSE.sub("", text)):
        digits = re.sub(r"\D", "", found[0]).lstrip("0")
        number = found[0].replace("-", "−")
        if len(digits) >= 3 and number in known:
            yield f"{found[0]} is typed by hand; write {known[number]}"
