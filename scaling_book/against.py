"""A re-run against a reference, claim by claim: what agrees, moved or was overturned."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from scaling_book.claims import TOLERANCE_KINDS
from scaling_book.ledger import Row, judge_reference, read_record
from scaling_book.numbers import show_measured

State = Literal["agrees", "moved", "verdict differs", "not compared"]
SYMBOLS: dict[State, str] = {
    "agrees": "=",
    "moved": "≠",
    "verdict differs": "✕",
    "not compared": "–",
}
CLOSE = 0.01  # of two numbers that have no interval


@dataclass(frozen=True)
class Comparison:
    """One claim here and in a reference of the same profile, and how they compare."""

    here: Row
    reference: Row
    state: State
    why: str

    @property
    def line(self) -> str:
        """The comparison as one line, with both numbers where there are two."""
        head = f"{SYMBOLS[self.state]} {self.here.claim.id}: {self.state}, {self.why}"
        if self.here.measured is None and self.reference.measured is None:
            return head
        sides = ((self.here, "here"), (self.reference, "reference"))
        return f"{head}; " + "; ".join(f"{name} {_side(row)}" for row, name in sides)

    @property
    def failed(self) -> bool:
        """Tell whether a re-run does not bear the reference out."""
        return self.state in ("moved", "verdict differs")


def _side(row: Row) -> str:
    number = show_measured(row.measured, row.claim.unit)
    return f"{number} ({row.verdict.symbol} {row.verdict.word})"


def reference_file(folder: Path, slug: str, profile: str) -> Path | None:
    """Return a chapter's reference in a folder, None where there is none.

    Either layout will do: ``<slug>/<profile>.json`` as in ``data/results``, or
    ``<slug>.json`` as in ``build/records/<profile>``, where the profile must agree.
    """
    for path in (folder / slug / f"{profile}.json", folder / f"{slug}.json"):
        if path.is_file() and read_record(path)["provenance"]["profile"] == profile:
            return path
    return None


def compare(rows: list[Row], reference: Path) -> list[Comparison]:
    """Compare each row that this profile assesses with the same claim of a reference.

    Both records are judged by today's claims. Two numbers with intervals agree if the
    intervals meet; exact ones if both lie within the stated tolerance; others if they
    lie within 1 %.
    """
    theirs = judge_reference([row.claim for row in rows], read_record(reference))
    pairs = zip(rows, theirs, strict=True)
    due = [pair for pair in pairs if pair[0].claim.assessed_in(pair[0].profile)]
    return [Comparison(a, b, *_judge(a, b)) for a, b in due]


def _judge(here: Row, there: Row) -> tuple[State, str]:
    """Return state and reason: a changed verdict counts before a moved number."""
    claim, a, b = here.claim, here.measured, there.measured
    if a is None or b is None:
        row, where = (here, "here") if a is None else (there, "in the reference")
        return "not compared", f"no number {where}: {row.verdict.reason}"
    if claim.timing:
        return "not compared", "a time, other on every machine"
    if here.verdict.word != there.verdict.word:
        return "verdict differs", here.verdict.reason
    if a.interval and b.interval:
        if a.interval.low <= b.interval.high and b.interval.low <= a.interval.high:
            return "agrees", "within its interval"
        return "moved", "the intervals do not meet"
    if claim.kind in TOLERANCE_KINDS and claim.inside(a.estimate):
        return "agrees", "within the stated tolerance"
    if math.isclose(a.estimate, b.estimate, rel_tol=CLOSE, abs_tol=1e-9):
        return "agrees", f"to {CLOSE:.0%}"
    if claim.interval is not None:
        return "not compared", "a smoke run has no interval to tell noise by"
    return "moved", f"by more than {CLOSE:.0%}"


def count_sentence(found: list[Comparison], where: str) -> str:
    """Count the states in one line.

    >>> count_sentence([], "data/results")
    'Against data/results: 0 agree, 0 moved, 0 verdicts differ, 0 not compared.'
    """
    words = ("agree", "moved", "verdicts differ", "not compared")
    states = [comparison.state for comparison in found]
    counts = (f"{states.count(s)} {w}" for s, w in zip(SYMBOLS, words, strict=True))
    return f"Against {where}: {', '.join(counts)}."
