"""95 % intervals over runs. The run (one seed) is the unit, never the data point.

Coverage at n = 5 of nominal 95 % decides the defaults: Student t keeps its level,
percentile bootstraps cover about 84 %, so a bootstrap needs at least 20 runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

MIN_BOOTSTRAP_RUNS = 20
MIN_FREQUENCY_RUNS = 20
BOOTSTRAP_DRAWS = 4000


@dataclass(frozen=True)
class Interval:
    """An estimate over ``n`` runs with its interval ``[low, high]``."""

    estimate: float
    low: float
    high: float
    n: int
    method: str

    def __post_init__(self):
        numbers = (self.estimate, self.low, self.high)
        if not np.isfinite(numbers).all():
            raise ValueError(f"an interval needs finite numbers, got {numbers}")
        if not self.low <= self.estimate <= self.high:
            raise ValueError(f"expected low <= estimate <= high, got {numbers}")


def check_runs(runs: Sequence[float], *, least: int = 2) -> np.ndarray:
    """Return ``runs`` as a float vector of at least ``least`` finite values.

    Raises
    ------
    ValueError
        If there are too few values, or one is NaN or infinite.
    """
    values = np.asarray(runs, dtype=float)
    if values.ndim != 1 or len(values) < least:
        raise ValueError(
            f"need one value per run, at least {least}; got shape {values.shape}"
        )
    if not np.isfinite(values).all():
        bad = np.flatnonzero(~np.isfinite(values)).tolist()
        raise ValueError(f"runs {bad} are not finite: {values[bad].tolist()}")
    return values


def t_interval(runs: Sequence[float], *, level: float = 0.95) -> Interval:
    """Return mean and Student t interval, mean ± t_{n-1} s/√n.

    >>> i = t_interval([1.0, 2.0, 3.0])
    >>> round(i.low, 3), i.estimate, round(i.high, 3)
    (-0.484, 2.0, 4.484)
    """
    values = check_runs(runs)
    n, mean = len(values), float(values.mean())
    quantile = stats.t.ppf((1 + level) / 2, n - 1)
    half = float(quantile * values.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, n, "t")


def log_t_interval(runs: Sequence[float], *, level: float = 0.95) -> Interval:
    """Return the geometric mean and the t interval of the logs, for ratios.

    Raises
    ------
    ValueError
        If a run is not positive.
    """
    values = check_runs(runs)
    if (values <= 0).any():
        raise ValueError(f"ratios must be positive, got {values.min()}")
    return _transformed(np.log(values), np.exp, "t-log", level)


def fisher_z_interval(runs: Sequence[float], *, level: float = 0.95) -> Interval:
    """Return the t interval of atanh(r) over runs, mapped back: for correlations.

    Raises
    ------
    ValueError
        If a run is not strictly between -1 and 1.
    """
    values = check_runs(runs)
    if (np.abs(values) >= 1).any():
        raise ValueError("correlations must lie strictly between -1 and 1")
    return _transformed(np.arctanh(values), np.tanh, "t-fisher-z", level)


def _transformed(values, back: Callable, method: str, level: float) -> Interval:
    inner = t_interval(values, level=level)
    numbers = [float(back(x)) for x in (inner.estimate, inner.low, inner.high)]
    return Interval(*numbers, inner.n, method)


def clopper_pearson(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """Return the exact interval of a frequency, ``successes`` out of ``n`` runs.

    Raises
    ------
    ValueError
        If ``n`` is below 20 (five of five leaves a lower bound of 0.48) or the
        count is impossible.

    >>> round(clopper_pearson(20, 20).low, 3)
    0.832
    """
    if n < MIN_FREQUENCY_RUNS:
        raise ValueError(f"a frequency needs >= {MIN_FREQUENCY_RUNS} runs, got {n}")
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} runs")
    tail = (1 - level) / 2
    low = stats.beta.ppf(tail, successes, n - successes + 1) if successes else 0.0
    high = (
        stats.beta.ppf(1 - tail, successes + 1, n - successes) if successes < n else 1.0
    )
    return Interval(successes / n, float(low), float(high), n, "clopper-pearson")


def bootstrap_interval(
    runs: Sequence,
    statistic: Callable[[np.ndarray], float] = np.mean,
    *,
    strata: Sequence | None = None,
    rng: np.random.Generator,
    level: float = 0.95,
    draws: int = BOOTSTRAP_DRAWS,
) -> Interval:
    """Return the percentile bootstrap of ``statistic`` over runs, within strata.

    ``runs`` is an (n,) or (n, k) array, a row per run; each resample draws rows with
    replacement inside each stratum (design cell), so that cells keep their sizes.

    Raises
    ------
    ValueError
        If there are fewer than 20 runs, or a resample gives no finite number.
    """
    values = np.asarray(runs, dtype=float)
    if len(values) < MIN_BOOTSTRAP_RUNS:
        raise ValueError(
            f"a bootstrap needs >= {MIN_BOOTSTRAP_RUNS} runs, got {len(values)}"
        )
    labels = np.zeros(len(values)) if strata is None else np.asarray(strata)
    cells = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    resampled = np.empty(draws)
    for i in range(draws):
        rows = np.concatenate([rng.choice(cell, len(cell)) for cell in cells])
        resampled[i] = statistic(values[rows])
    check_runs(resampled)
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    estimate = float(statistic(values))
    low, high = min(low, estimate), max(high, estimate)
    return Interval(estimate, float(low), float(high), len(values), "bootstrap")


def jackknife_interval(
    runs: Sequence, statistic: Callable[[np.ndarray], float], *, level: float = 0.95
) -> Interval:
    """Return the t interval of ``statistic`` with the jackknife's standard error.

    For a statistic of few rows that a bootstrap would need twenty of:
    s.e.² = (n - 1)/n Σ (θ₋ᵢ - mean θ₋)², n - 1 degrees of freedom. ``runs`` is (n,) or
    (n, k), a row per run. Source: Efron and Tibshirani (1993), chapter 11.

    Raises
    ------
    ValueError
        If there are fewer than five rows, or the statistic is not finite.

    >>> got, t = jackknife_interval([1.0, 2, 3, 4, 5], np.mean), t_interval([1, 2, 3, 4, 5])
    >>> abs(got.low - t.low) < 1e-12  # of a mean: the t interval itself
    True
    """
    values = np.asarray(runs, dtype=float)
    n = len(values)
    if n < 5:
        raise ValueError(f"a jackknife needs >= 5 rows, got {n}")
    left_out = check_runs([statistic(np.delete(values, i, axis=0)) for i in range(n)])
    error = np.sqrt((n - 1) / n * np.sum((left_out - left_out.mean()) ** 2))
    half = float(stats.t.ppf((1 + level) / 2, n - 1) * error)
    estimate = float(statistic(values))
    return Interval(estimate, estimate - half, estimate + half, n, "jackknife")


def interval_over_runs(
    runs: Sequence,
    method: str,
    *,
    statistic: Callable | None = None,
    strata: Sequence | None = None,
) -> Interval:
    """Return the interval of the named method over runs (see the claim schema).

    The bootstrap's generator is seeded with 0: same runs, same interval.

    >>> interval_over_runs([1.0, 2.0, 3.0], "t").n
    3
    """
    if method == "bootstrap":
        rng = np.random.default_rng(0)
        return bootstrap_interval(runs, statistic or np.mean, strata=strata, rng=rng)
    if method == "jackknife" and strata is None:
        return jackknife_interval(runs, statistic or np.mean)
    if statistic is not None or strata is not None:
        raise ValueError(
            f"statistic belongs to bootstrap and jackknife, strata to bootstrap; "
            f"not to {method!r}"
        )
    if method == "clopper-pearson":
        hits = check_runs(runs)
        if not np.isin(hits, (0, 1)).all():
            raise ValueError("a frequency needs runs of 0 or 1")
        return clopper_pearson(int(hits.sum()), len(hits))
    known = {
        "t": t_interval,
        "t-log": log_t_interval,
        "t-fisher-z": fisher_z_interval,
    }
    if method not in known:
        raise ValueError(f"unknown interval {method!r}; allowed: {sorted(known)}")
    return known[method](runs)


def with_interval(runs: Sequence[float], fmt: str = ".2f") -> str:
    """Return the mean and the half-width of its t interval, or one run's value alone.

    >>> with_interval([1.0, 2.0, 3.0], ".1f"), with_interval([1.0])
    ('2.0 ± 2.5', '1.00')
    """
    if len(runs) < 2:
        return format(float(np.mean(runs)), fmt)
    got = t_interval(runs)
    return f"{got.estimate:{fmt}} ± {got.high - got.estimate:{fmt}}"
