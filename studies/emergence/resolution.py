"""Pass rates too small to be seen: draw until it passes, the law, steps, test sets.

arXiv 2310.03262 (PassUntil). Introduced in the chapter on emergence.

Shapes: X sizes of model, S steps of a task.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import hyp2f1


def draws_until(
    p: float, passes: int, count: int, *, rng: np.random.Generator
) -> np.ndarray:
    """Return how many draws it took until ``passes`` of them had passed, (count,)."""
    return passes + rng.negative_binomial(passes, p, size=count)


def expected_rate(p: ArrayLike, passes: int = 1) -> np.ndarray:
    """Return the mean of r/K, K draws until the r-th pass, in closed form.

    E[r/K] = p ₂F₁(1, 1; r + 1; 1 - p); for r = 1 it is -p ln p / (1 - p). The estimate
    (r - 1)/(K - 1), r > 1, has the mean p.

    >>> expected_rate([0.3, 0.01]).round(3).tolist()
    [0.516, 0.047]
    """
    p = np.asarray(p, dtype=float)
    if not ((p > 0) & (p <= 1)).all():
        raise ValueError(f"pass rates must lie in (0, 1], got {p.min()} to {p.max()}")
    if passes == 1:  # the series diverges where 1 - p rounds to 1
        return np.where(p < 1, -p * np.log(p) / np.where(p < 1, 1 - p, 1), 1.0)
    return p * hyp2f1(1, 1, passes + 1, 1 - p)


def log_log(rate: ArrayLike) -> np.ndarray:
    """Return F = ln(-ln PU), a straight line in ln N under the law.

    Raises
    ------
    ValueError
        For a rate of 0 or 1, for which there is none.
    """
    rate = np.asarray(rate, dtype=float)
    if not ((rate > 0) & (rate < 1)).all():
        raise ValueError(f"pass rates must lie in (0, 1), got {rate.tolist()}")
    return np.log(-np.log(rate))


def fit_rate_law(rate_X: ArrayLike, size_X: ArrayLike) -> tuple[float, float]:
    """Return c and alpha of -ln PU = c N^-alpha, by a straight line in F (eq. 3).

    >>> N = np.array([1e3, 1e4, 1e5])
    >>> [round(x, 6) for x in fit_rate_law(np.exp(-8 * N**-0.3), N)]
    [8.0, 0.3]
    """
    line = np.polyfit(np.log(size_X), log_log(rate_X), 1)
    return float(np.exp(line[1])), float(-line[0])


def bend(rate_X: ArrayLike, size_X: ArrayLike) -> float:
    """Return minus the quadratic coefficient of F in ln N: 0 under the law.

    Above 0 is *accelerated*: the task is gained faster than the law says.

    >>> N = np.array([1e3, 1e4, 1e5])
    >>> abs(round(bend(np.exp(-8 * N**-0.3), N), 9))
    0.0
    """
    return float(-np.polyfit(np.log(size_X), log_log(rate_X), 2)[0])


def law_over_line(rate_X: ArrayLike, size_X: ArrayLike) -> float:
    """Return ln of the error of a straight line of ln PU over that of the law.

    Both forecast ln PU of the largest size from the smaller ones. Above 0 the law is the
    better forecast.
    """
    x, rate = np.log(size_X), np.asarray(rate_X, dtype=float)
    last = np.log(rate[-1])
    line = np.polyval(np.polyfit(x[:-1], np.log(rate[:-1]), 1), x[-1])
    c, alpha = fit_rate_law(rate[:-1], np.asarray(size_X)[:-1])
    law = -c * np.exp(-alpha * x[-1])
    errors = [max(abs(guess - last), 1e-12) for guess in (line, law)]
    return float(np.log(errors[0] / errors[1]))


def least_convexity(
    products: int, *, rng: np.random.Generator, any_of: bool = False
) -> float:
    """Return the smallest second difference of F over random tasks of several steps.

    Each step obeys the law with a c and an alpha of its own; the task needs all of two
    to eight steps (F is then a log-sum-exp of lines in ln N: convex), or any one of
    them, for which there is no such rule.
    """
    x = np.log(np.logspace(3, 9, 25))
    least = np.inf
    for steps in rng.integers(2, 9, size=products):
        log_c, alpha = rng.uniform((1, 0.02), (5, 0.5), size=(steps, 2)).T
        F_S = log_c[:, None] - alpha[:, None] * (x - x[0])
        if any_of:
            log_fail = _log_complement(-np.exp(F_S)).sum(axis=0)
            F = np.log(-_log_complement(log_fail))
        else:
            F = np.logaddexp.reduce(F_S)
        least = min(least, float(np.diff(F, 2).min()))
    return least


def _log_complement(log_p: np.ndarray) -> np.ndarray:
    """Return ln(1 - p) without rounding p or 1 - p away."""
    small = log_p < -np.log(2)
    low, high = (np.where(small == keep, log_p, -1.0) for keep in (True, False))
    return np.where(small, np.log1p(-np.exp(low)), np.log(-np.expm1(high)))


def items_to_see(rate: ArrayLike, chance: float = 0.95) -> np.ndarray:
    """Return how many items a test needs to show one pass with this chance.

    n = ln(1 - chance) / ln(1 - PU), about 3/PU at 0.95.

    >>> items_to_see([0.03, 4e-5]).round().tolist()
    [98.0, 74892.0]
    """
    return np.log1p(-chance) / np.log1p(-np.asarray(rate, dtype=float))


def chance_to_tell(rate_X: ArrayLike, items: int) -> np.ndarray:
    """Return the chance that a test of so many items shows a pass, (X,).

    >>> chance_to_tell([0.03, 4e-5], 100).round(3).tolist()
    [0.952, 0.004]
    """
    return -np.expm1(items * np.log1p(-np.asarray(rate_X, dtype=float)))
