"""95 % intervals over runs. The run (one seed) is the unit, never the data point.

Coverage at n = 5 of nominal 95 % decides the defaults: Student t keeps its level,
percentile bootstraps cover about 84 %, so a bootstrap needs at least 20 runs.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

MIN_BOOTSTRAP_RUNS = 20
MIN_FREQUENCY_RUNS = 20
MIN_JACKKNIFE_ROWS = 5
BOOTSTRAP_DRAWS = 4000
SCALES: dict[str, tuple[Callable, Callable]] = {  # where a t interval is made, and back
    "t": (np.asarray, np.asarray),
    "t-log": (np.log, np.exp),  # ratios
    "t-fisher-z": (np.arctanh, np.tanh),  # correlations
}


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


def check_runs(runs: ArrayLike, *, least: int = 2) -> np.ndarray:
    """Return ``runs`` as a float vector of at least ``least`` finite values.

    Raises
    ------
    ValueError
        If there are too few values, or one is NaN or infinite.

    Examples
    --------
    >>> check_runs([1, 2])
    array([1., 2.])
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


def interval_over_runs(
    runs: ArrayLike, method: str, *, level: float = 0.95
) -> Interval:
    """Return the interval of the named method over runs, one value each.

    "t": mean ± t_{n-1} s/√n; "t-log" (ratios) and "t-fisher-z" (correlations): the
    same of log x and of atanh x, mapped back; "clopper-pearson": the exact interval of
    a frequency, of at least 20 runs of 0 or 1 (five of five leaves 0.48 below).

    Raises
    ------
    ValueError
        If the method is unknown or the runs are too few or not what it is for.

    >>> i = interval_over_runs([1.0, 2.0, 3.0], "t")
    >>> round(i.low, 3), i.estimate, round(i.high, 3)
    (-0.484, 2.0, 4.484)
    >>> round(interval_over_runs([1] * 20, "clopper-pearson").low, 3)
    0.832
    """
    values = check_runs(runs)
    if method == "clopper-pearson":
        return _frequency_interval(values, level)
    if method not in SCALES:
        allowed = [*SCALES, "clopper-pearson"]
        raise ValueError(f"unknown interval {method!r}; allowed: {allowed}")
    if method == "t-log" and (values <= 0).any():
        raise ValueError(f"ratios must be positive, got {values.min()}")
    if method == "t-fisher-z" and (np.abs(values) >= 1).any():
        raise ValueError("correlations must lie strictly between -1 and 1")
    there, back = SCALES[method]
    inner = there(values)
    n, mean = len(inner), inner.mean()
    # not scipy's ttest_1samp: of equal runs it makes NaN, not an interval of length 0
    half = stats.t.ppf((1 + level) / 2, n - 1) * inner.std(ddof=1) / np.sqrt(n)
    middle, low, high = (float(back(x)) for x in (mean, mean - half, mean + half))
    return Interval(middle, low, high, n, method)


def _frequency_interval(hits: np.ndarray, level: float) -> Interval:
    if not np.isin(hits, (0, 1)).all():
        raise ValueError("a frequency needs runs of 0 or 1")
    n, count = len(hits), int(hits.sum())
    if n < MIN_FREQUENCY_RUNS:
        raise ValueError(f"a frequency needs >= {MIN_FREQUENCY_RUNS} runs, got {n}")
    got = stats.binomtest(count, n).proportion_ci(level, method="exact")
    return Interval(count / n, float(got.low), float(got.high), n, "clopper-pearson")


@dataclass(frozen=True)
class Resamples:
    """A statistic of ``n`` runs and its replicates: what an interval is made of.

    Attributes
    ----------
    method
        "bootstrap" or "jackknife".
    replicates
        The statistic of each resample, or with each row left out.
    """

    method: str
    estimate: float
    n: int
    replicates: np.ndarray


def bootstrap_runs(
    runs: ArrayLike,
    statistic: Callable[[np.ndarray], float],
    *,
    strata: Sequence | None = None,
    rng: np.random.Generator,
    draws: int = BOOTSTRAP_DRAWS,
) -> Resamples:
    """Return ``statistic`` of resampled runs, within strata.

    ``runs`` is (n,) or (n, k), a row per run; each resample draws rows with replacement
    inside each stratum (design cell; one label per run), so that cells keep their sizes.

    Raises
    ------
    ValueError
        If there are fewer than 20 runs, or not one label for each.

    >>> rng = np.random.default_rng(0)
    >>> bootstrap_runs(np.ones(20), np.mean, rng=rng, draws=2).replicates
    array([1., 1.])
    """
    values = np.asarray(runs, dtype=float)
    n = len(values)
    if n < MIN_BOOTSTRAP_RUNS:
        raise ValueError(f"a bootstrap needs >= {MIN_BOOTSTRAP_RUNS} runs, got {n}")
    labels = np.zeros(n) if strata is None else np.asarray(strata)
    if labels.shape != (n,):
        raise ValueError(f"need a stratum for each of {n} runs, got {labels.shape}")
    cells = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    replicates = np.empty(draws)
    for i in range(draws):
        rows = np.concatenate([rng.choice(cell, len(cell)) for cell in cells])
        replicates[i] = statistic(values[rows])
    return Resamples("bootstrap", float(statistic(values)), n, replicates)


def jackknife_runs(
    runs: ArrayLike, statistic: Callable[[np.ndarray], float]
) -> Resamples:
    """Return ``statistic`` with each row of ``runs``, (n,) or (n, k), left out.

    For a statistic of few rows that a bootstrap would need twenty of.

    Raises
    ------
    ValueError
        If there are fewer than five rows.

    >>> jackknife_runs([1.0, 2, 3, 4, 5], np.mean).replicates.tolist()
    [3.5, 3.25, 3.0, 2.75, 2.5]
    """
    values = np.asarray(runs, dtype=float)
    n = len(values)
    if n < MIN_JACKKNIFE_ROWS:
        raise ValueError(f"a jackknife needs >= {MIN_JACKKNIFE_ROWS} rows, got {n}")
    left_out = [statistic(np.delete(values, i, axis=0)) for i in range(n)]
    return Resamples("jackknife", float(statistic(values)), n, np.array(left_out))


def resampled_interval(resamples: Resamples, *, level: float = 0.95) -> Interval:
    """Return the percentile interval of a bootstrap, or the t interval of a jackknife.

    Jackknife: s.e.² = (n - 1)/n Σ (θ₋ᵢ - mean θ₋)², n - 1 degrees of freedom (Efron and
    Tibshirani 1993, chapter 11).

    Raises
    ------
    ValueError
        If the method is unknown, or a replicate is not finite.

    >>> got = resampled_interval(jackknife_runs([1.0, 2, 3, 4, 5], np.mean))
    >>> expected = interval_over_runs([1.0, 2, 3, 4, 5], "t")  # of a mean: t itself
    >>> abs(got.low - expected.low) < 1e-12
    True
    """
    replicates, n = check_runs(resamples.replicates), resamples.n
    estimate = resamples.estimate
    if resamples.method == "bootstrap":
        ends = np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2])
        low, high = min(ends[0], estimate), max(ends[1], estimate)
    elif resamples.method == "jackknife":
        error = np.sqrt((n - 1) / n * np.sum((replicates - replicates.mean()) ** 2))
        half = stats.t.ppf((1 + level) / 2, n - 1) * error
        low, high = estimate - half, estimate + half
    else:
        raise ValueError(
            f"unknown resampling {resamples.method!r}; allowed: bootstrap, jackknife"
        )
    return Interval(estimate, float(low), float(high), n, resamples.method)


def decimals_for(half_width: float) -> int:
    """Return the decimals that show two significant digits of a half-width.

    >>> decimals_for(0.034), decimals_for(12.0)
    (3, 0)
    """
    if not half_width > 0 or not math.isfinite(half_width):
        return 3
    return max(0, 1 - math.floor(math.log10(half_width)))


def with_interval(runs: ArrayLike) -> str:
    """Return the mean and the half-width of its t interval, or one run's value alone.

    Two significant digits of the half-width, four of a value alone.

    >>> with_interval([0.018, 0.02, 0.022]), with_interval([1.0])
    ('0.0200 ± 0.0050', '1')
    """
    values = check_runs(runs, least=1)
    if len(values) == 1:
        return f"{values[0]:.4g}".replace("-", "−")
    got = interval_over_runs(values, "t")
    half = got.high - got.estimate
    if half == 0:
        return f"{got.estimate:.4g} ± 0".replace("-", "−")
    places = decimals_for(half)
    return f"{got.estimate:.{places}f} ± {half:.{places}f}".replace("-", "−")
