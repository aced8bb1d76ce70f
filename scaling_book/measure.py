"""What a record holds for one claim, and the estimate and interval made of it.

An entry is one of ``{"runs": […], "leave_one_out": [[…]], "half_trained": […]}`` (the
last two where given), ``{"resamples": {"method", "estimate", "n", "replicates"}}``,
``{"value", "tolerance_of"}`` or ``{"not_assessed": why}``. Intervals are made here and
nowhere else, so that a claim's ``interval`` acts at the next render.
"""

from dataclasses import dataclass

import numpy as np

from scaling_book.claims import Claim
from scaling_book.errors import RecordError
from scaling_core.base.intervals import (
    Interval,
    Resamples,
    interval_over_runs,
    resampled_interval,
)

RESAMPLED = ("bootstrap", "jackknife")
FORMS = ("runs", "resamples", "value", "not_assessed")
MIN_RUNS = 5
MIN_RUNS_PRIMARY_GPU = 10


@dataclass(frozen=True)
class Measured:
    """Our number for a claim: at smoke, and for exact values, without an interval."""

    estimate: float
    interval: Interval | None = None
    leave_one_out: tuple[float, float] | None = None
    half_trained: Interval | None = None

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of the interval, or the number twice where there is none."""
        one = self.interval
        return (one.low, one.high) if one else (self.estimate, self.estimate)


def form_of(entry: dict, what: str = "an entry") -> str:
    """Return which of the four forms an entry has.

    Raises
    ------
    RecordError
        If it has none or several of them.
    """
    forms = [form for form in FORMS if form in entry]
    if len(forms) != 1:
        raise RecordError(f"{what} holds one of {', '.join(FORMS)}; got {forms}")
    return forms[0]


def check_form(claim: Claim, entry: dict) -> None:
    """Refuse an entry from which the claim's number cannot be made.

    Raises
    ------
    RecordError
        Naming the claim, what it needs and what stands there.
    """
    got, needed = form_of(entry, claim.id), "runs"
    if got == "resamples":
        got = entry["resamples"]["method"]
    if claim.interval is None:
        needed = "value"
    elif claim.interval in RESAMPLED:
        needed = claim.interval
    if got not in (needed, "not_assessed"):
        raise RecordError(
            f"{claim.id}: kind {claim.kind}, interval {claim.interval} needs {needed}, "
            f"the record holds {got}; record that and run the chapter again"
        )


def as_json(claim_id: str, name: str, given):
    """Return what a record's JSON holds of one argument, its numbers finite."""
    if name == "not_assessed":
        return str(given)
    if name == "resamples":
        numbers = {"estimate": given.estimate, "replicates": given.replicates}
        finite = {k: as_json(claim_id, k, x) for k, x in numbers.items()}
        return {"method": given.method, "n": given.n, **finite}
    numbers = np.asarray(given, dtype=float)
    if not numbers.size or not np.isfinite(numbers).all():
        raise RecordError(f"{claim_id}: {name} is empty or not finite: {given}")
    return numbers.tolist()


def check_shapes(claim_id: str, entry: dict) -> None:
    """Refuse runs that are no vector, and rows beside them that are of other runs."""
    names = {"runs", "leave_one_out", "half_trained"} & set(entry)
    try:
        shapes = {name: np.shape(entry[name]) for name in names}
    except ValueError as error:  # rows of unequal length
        raise RecordError(f"{claim_id}: rows of unequal length") from error
    lengths = {shape[-1] for shape in shapes.values()}
    if names and (len(shapes.get("runs", ())) != 1 or len(lengths) != 1):
        raise RecordError(
            f"{claim_id}: runs hold one value per seed, and what stands beside them "
            f"as many; got shapes {shapes}"
        )


def point_estimate(entry: dict) -> float:
    """Return an assessed entry's number without its claim: the mean of plain runs.

    >>> point_estimate({"runs": [1.0, 3.0]})
    2.0
    """
    if "runs" in entry:
        return float(np.mean(entry["runs"]))
    return entry["value"] if "value" in entry else entry["resamples"]["estimate"]


def measure(claim: Claim, entry: dict, profile: str) -> Measured | None:
    """Return estimate, interval and ranges of an entry; None if it was not assessed.

    At smoke one run will do and there is no interval.

    Raises
    ------
    RecordError
        If the entry does not suit the claim, or holds too few runs for the profile.
    """
    check_form(claim, entry)
    if "not_assessed" in entry:
        return None
    if claim.interval is None or profile == "smoke":
        return Measured(point_estimate(entry))
    _check_count(claim, entry, profile)
    try:
        half = None
        if "resamples" in entry:
            interval = resampled_interval(Resamples(**entry["resamples"]))
        else:
            interval = interval_over_runs(entry["runs"], claim.interval)
        if "half_trained" in entry:
            half = interval_over_runs(entry["half_trained"], claim.interval)
    except ValueError as error:
        raise RecordError(f"{claim.id}: no interval can be made: {error}") from error
    left_out = None
    if "leave_one_out" in entry:
        means = [float(np.mean(row)) for row in entry["leave_one_out"]]
        left_out = (min(means), max(means))
    return Measured(interval.estimate, interval, left_out, half)


def _check_count(claim: Claim, entry: dict, profile: str) -> None:
    n = entry["resamples"]["n"] if "resamples" in entry else len(entry["runs"])
    least = MIN_RUNS_PRIMARY_GPU if claim.primary and profile == "gpu" else MIN_RUNS
    if n < least:
        raise RecordError(
            f"{claim.id}: {n} runs; {profile} needs >= {least}: raise the chapter's "
            "sizes and run it again"
        )
