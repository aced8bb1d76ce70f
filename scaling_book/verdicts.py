"""Verdicts: the only place where our number is held against a claim's band."""

import math
from dataclasses import dataclass
from typing import Literal

from scaling_book.claims import TOLERANCE_KINDS, Claim
from scaling_book.measure import Measured
from scaling_core.base.intervals import Interval

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
MOVING = "still moving with training"


@dataclass(frozen=True)
class Verdict:
    """A word of the ledger, its symbol, and the sentence that explains it."""

    word: str
    reason: str

    @property
    def symbol(self) -> str:
        """The sign shown beside the word."""
        return SYMBOLS[self.word]


def judge(claim: Claim, measured: Measured | None, why_not: str = "") -> Verdict:
    """Return the verdict on one claim, given our number (or why there is none).

    Raises
    ------
    ValueError
        If an exact value is NaN.

    >>> c = Claim(id="a.b", paper="p", says="", quantity="", kind="statistical",
    ...           scope="same", band=(0, 1), band_from="theory", interval="t",
    ...           published=dict(where="abstract", source="seen"))
    >>> judge(c, Measured(0.5, Interval(0.5, 0.4, 0.6, 5, "t"))).word
    'agrees'
    """
    if claim.kind == "out-of-reach":
        return Verdict("out of reach", claim.why)
    if measured is None:
        return Verdict("not assessed here", why_not)
    if claim.kind == "finding":
        return Verdict("finding", "our own observation; no published band")
    if claim.kind in TOLERANCE_KINDS:
        return _judge_tolerance(claim, measured.estimate)
    if measured.interval is None:
        return Verdict("not assessed here", "a smoke run makes no interval")
    return _judge_interval(claim, measured, measured.interval)


def _judge_tolerance(claim: Claim, value: float) -> Verdict:
    if not math.isfinite(value):
        raise ValueError(f"{claim.id}: {value} is not a number to judge")
    words = ("reproduced", "not reproduced")
    if claim.kind == "identity":
        words = ("holds", "fails")
    if claim.inside(value):
        return Verdict(words[0], "within the stated tolerance")
    return Verdict(words[1], "outside the stated tolerance")


def _judge_interval(claim: Claim, measured: Measured, ours: Interval) -> Verdict:
    band_low, band_high = claim.limits
    half = measured.half_trained
    half_inside = claim.inside(half.estimate) if half else None
    if ours.high < band_low or ours.low > band_high:
        if half_inside:
            return Verdict("inconclusive", MOVING)
        return Verdict("disagrees", "the interval and the band are disjoint")
    if not (claim.inside(ours.low) and claim.inside(ours.high)):
        return Verdict("inconclusive", "the interval crosses the band's edge")
    if not all(map(claim.inside, measured.leave_one_out or ())):
        return Verdict("inconclusive", "leaving one size out leaves the band")
    if half_inside is False:
        return Verdict("inconclusive", MOVING)
    if claim.scope == "stand-in":
        return Verdict("holds in the stand-in", "the interval lies in the band")
    return Verdict("agrees", "the interval lies in the band")


def change_of(accepted: str | None, got: str) -> Literal["same", "drift", "flip"]:
    """Compare a verdict with the accepted one: a flip fails the build.

    >>> change_of("agrees", "disagrees"), change_of("agrees", "inconclusive")
    ('flip', 'drift')
    """
    if accepted is None or accepted == got:
        return "same"
    pair = {accepted, got}
    if pair & POSITIVE and pair & NEGATIVE:
        return "flip"
    return "drift"


def false_agreements(claims: list[Claim]) -> float:
    """Return how many false agreements chance alone would give, at most.

    A claim whose true value sits at the edge of its band or outside agrees wrongly
    with probability at most 2.5 % (the 95 % interval must clear one edge).
    """
    return 0.025 * sum(c.interval is not None and c.band is not None for c in claims)
