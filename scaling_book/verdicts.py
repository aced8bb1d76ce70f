"""Verdicts: the only place where our number is held against a claim's band."""

import math
from dataclasses import dataclass
from typing import Literal

from scaling_book.claims import TOLERANCE_KINDS, Claim

SYMBOLS: dict[str, str] = {
    "agrees": "●",
    "disagrees": "✕",
    "inconclusive": "○",
    "reproduced": "=",
    "not reproduced": "≠",
    "holds in the stand-in": "◐",
    "holds": "≡",
    "fails": "≢",
    "not assessed here": "–",
    "out of reach": "⊘",
    "finding": "✦",
}
POSITIVE = {"agrees", "reproduced", "holds in the stand-in", "holds"}
NEGATIVE = {"disagrees", "not reproduced", "fails"}


@dataclass(frozen=True)
class Verdict:
    """A word of the ledger, its symbol, and the sentence that explains it."""

    word: str
    reason: str

    @property
    def symbol(self) -> str:
        """The sign shown beside the word."""
        return SYMBOLS[self.word]


def judge(claim: Claim, entry: dict | None) -> Verdict:
    """Return the verdict on one claim, given its entry in a record (or none).

    An entry holds ``estimate`` and, except for exact, refit and identity, ``low`` and
    ``high``;
    or ``not_assessed`` with a reason. At smoke there is no interval and no verdict.

    Raises
    ------
    ValueError
        If the numbers are NaN or swapped.

    >>> c = Claim(id="a.b", paper="p", says="", quantity="", kind="statistical",
    ...           scope="same", band=(0, 1), band_from="theory", interval="t",
    ...           published=dict(where="abstract", source="seen"))
    >>> judge(c, {"estimate": .5, "low": .4, "high": .6}).word
    'agrees'
    """
    if claim.kind == "out-of-reach":
        return Verdict("out of reach", claim.why)
    if entry is None:
        return Verdict("not assessed here", "not part of this profile")
    if "not_assessed" in entry:
        return Verdict("not assessed here", entry["not_assessed"])
    if claim.kind == "finding":
        return Verdict("finding", "our own observation; no published band")
    if claim.kind in TOLERANCE_KINDS:
        return _judge_tolerance(claim, entry["estimate"])
    if "low" not in entry:
        return Verdict("not assessed here", "a smoke run makes no interval")
    return _judge_interval(claim, entry)


def _judge_tolerance(claim: Claim, value: float) -> Verdict:
    if not math.isfinite(value):
        raise ValueError(f"{claim.id}: {value} is not a number to judge")
    words = ("reproduced", "not reproduced")
    if claim.kind == "identity":
        words = ("holds", "fails")
    if claim.inside(value):
        return Verdict(words[0], "within the stated tolerance")
    return Verdict(words[1], "outside the stated tolerance")


def _judge_interval(claim: Claim, entry: dict) -> Verdict:
    low, high = entry["low"], entry["high"]
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"{claim.id}: [{low}, {high}] is not an interval")
    band_low, band_high = claim.limits
    if high < band_low or low > band_high:
        return Verdict("disagrees", "the interval and the band are disjoint")
    if not (claim.inside(low) and claim.inside(high)):
        return Verdict("inconclusive", "the interval crosses the band's edge")
    left_out = entry.get("leave_one_out")
    if left_out and not all(map(claim.inside, left_out)):
        return Verdict("inconclusive", "leaving one size out leaves the band")
    if claim.scope == "stand-in":
        return Verdict("holds in the stand-in", "the interval lies in the band")
    return Verdict("agrees", "the interval lies in the band")


def change_of(expected: str | None, got: str) -> Literal["same", "drift", "flip"]:
    """Compare a verdict with the accepted one: a flip fails the build.

    >>> change_of("agrees", "disagrees"), change_of("agrees", "inconclusive")
    ('flip', 'drift')
    """
    if expected is None or expected == got:
        return "same"
    pair = {expected, got}
    if pair & POSITIVE and pair & NEGATIVE:
        return "flip"
    return "drift"


def false_agreements(claims: list[Claim]) -> float:
    """Return how many false agreements chance alone would give, at most.

    A claim whose true value sits at the edge of its band or outside agrees wrongly
    with probability at most 2.5 % (the 95 % interval must clear one edge).
    """
    return 0.025 * sum(c.interval is not None and c.band is not None for c in claims)
