"""Learning-rate schedules as plain functions: step in, multiplier of the peak out."""

import math


def _check(step: int, total: int, warmup: int, floor: float) -> None:
    if not 0 <= step < total:
        raise ValueError(f"step {step} is outside a run of {total} steps")
    if not 0 <= warmup < total or not 0 <= floor <= 1:
        raise ValueError(
            f"need 0 <= warmup < total and 0 <= floor <= 1; got warmup={warmup}, "
            f"total={total}, floor={floor} (warmup and total are in steps)"
        )


def warmup_cosine(
    step: int, *, total: int, warmup: int = 0, floor: float = 0.0
) -> float:
    """Return linear warm-up to 1, then a half cosine down to ``floor``.

    (step + 1)/warmup while step < warmup; then, with u the fraction of the rest done,
    floor + (1 - floor)(1 + cos πu)/2.

    Raises
    ------
    ValueError
        If step is outside [0, total), or warmup or floor is out of range.

    >>> [round(warmup_cosine(s, total=6, warmup=2, floor=0.1), 2) for s in range(6)]
    [0.5, 1.0, 1.0, 0.87, 0.55, 0.23]
    """
    _check(step, total, warmup, floor)
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / (total - warmup)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))


def warmup_stable_decay(
    step: int, *, total: int, warmup: int = 0, decay: int = 0, floor: float = 0.0
) -> float:
    """Return linear warm-up to 1, a plateau, then ``decay`` steps down to ``floor``.

    Raises
    ------
    ValueError
        As `warmup_cosine`, or if warm-up and decay overlap.

    >>> [warmup_stable_decay(s, total=6, warmup=2, decay=2) for s in range(6)]
    [0.5, 1.0, 1.0, 1.0, 1.0, 0.5]
    """
    _check(step, total, warmup, floor)
    if decay < 0 or warmup + decay > total:
        raise ValueError(f"warmup {warmup} + decay {decay} exceed {total} steps")
    if step < warmup:
        return (step + 1) / warmup
    left = total - step
    return 1.0 if left >= decay else floor + (1 - floor) * left / decay
