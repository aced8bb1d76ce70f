"""Batched bootstrap: thousands of refits at once, over points, runs or residuals.

Shapes: B resamples, p parameters, n points, m prediction points.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .columns import as_column, position, read_inputs
from .law import Array
from .newton import minimise
from .result import FitResult

CHUNK = 120_000  # resamples x parameters x points minimised at once (cache size)


@dataclass(frozen=True)
class Bootstrap:
    """Refitted parameters of every resample, raw units, (B, p)."""

    result: FitResult
    kind: str
    samples: Array
    converged: Array
    z: Array = field(repr=False)

    def _column(self, name: str) -> Array:
        index = position(name, self.result.law.parameters)
        return self.samples[self.converged, index]

    @property
    def standard_errors(self) -> dict[str, float]:
        """Standard deviation of each parameter over converged resamples."""
        names = self.result.law.parameters
        return {name: float(np.std(self._column(name), ddof=1)) for name in names}

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Return the percentile interval of one parameter."""
        return self._ends(self._column(name), level)

    @property
    def doubt(self) -> str:
        """Why the intervals are not to be trusted; empty where they are."""
        return self.result.doubt

    def statistic(self, function, level: float = 0.95) -> tuple[Any, Any]:
        """Return the percentile interval of any function of a params dict.

        Of a function that returns an array the ends are arrays.
        """
        names, rows = self.result.law.parameters, self.samples[self.converged].tolist()
        values = [function(dict(zip(names, row, strict=True))) for row in rows]
        return self._ends(values, level)

    @staticmethod
    def _ends(values: Any, level: float) -> tuple[float, float]:
        ends = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
        low, high = ends.tolist() if ends.ndim == 1 else ends
        return low, high

    def predict(self, data: Any = None) -> Array:
        """Return predictions of every converged resample, (B, m)."""
        inputs = None if data is None else read_inputs(self.result.law, data)
        return self.result.problem.predict(self.z[self.converged], inputs)

    def band(
        self,
        data: Any = None,
        level: float = 0.95,
        *,
        noise: bool = False,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, Array]:
        """Return the lower and upper edge of the band of the curve, (m,) each.

        ``noise=True`` adds resampled residuals: where repeated measurements would fall
        *if the law is true*. Neither band includes model error: on larger runs than
        those fitted laws miss by several times this, which ``extrapolation_cv`` measures.
        """
        curves = self.predict(data)
        if noise:
            rng = rng or np.random.default_rng(0)
            curves = _shaken(self.result, curves, curves.shape, rng)
        low, high = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return low, high


def _shaken(
    result: FitResult, curves: Array, shape: tuple[int, ...], rng: np.random.Generator
) -> Array:
    """Add residuals to curves: centred, scaled up for the parameters spent, smoothed.

    Without smoothing a nearly absolute loss passes through p points and their
    zero residuals make the resamples too alike (De Angelis, Hall and Young,
    J. Amer. Statist. Assoc. 88 (1993) 1310).
    """
    n, spare = result.n, max(result.problem.spare, 1)
    r = (result.residuals - np.mean(result.residuals)) * np.sqrt(n / spare)
    drawn = rng.choice(r, size=shape)
    if result.loss != "mse":
        middle = np.subtract(*np.quantile(r, [0.75, 0.25])) / 1.34
        width = 0.9 * min(np.std(r), middle) * n ** (-1 / 5)
        drawn = drawn + width * rng.normal(size=shape)
    return curves * np.exp(-drawn) if result.problem.log_loss else curves - drawn


def bootstrap(
    result: FitResult,
    n: int = 1000,
    *,
    kind: Literal["pairs", "residual", "cluster"] = "pairs",
    groups: Any = None,
    rng: np.random.Generator | None = None,
) -> Bootstrap:
    """Refit n resamples, all at once.

    Parameters
    ----------
    n
        resamples, two at least; percentile intervals of 95 % want hundreds
    kind
        "pairs" resamples points, "cluster" whole groups (all points of a
        run), "residual" keeps the points and resamples residuals
    groups
        one label per point, for "cluster"

    Raises
    ------
    ValueError
        n < 2, unknown kind, groups missing, or no more points than parameters

    Examples
    --------
    >>> from scaling_core.fitting import fit, PowerLaw
    >>> rng = np.random.default_rng(0)
    >>> x = np.geomspace(1, 1e4, 40)
    >>> L = (1 + 3 * x**-0.5) * np.exp(0.01 * rng.normal(size=40))
    >>> boot = bootstrap(fit(PowerLaw(), {"x": x, "L": L}), 200, rng=rng)
    >>> low, high = boot.interval("alpha")
    >>> low < 0.5 < high
    True
    """
    rng = rng or np.random.default_rng(0)
    problem, size = result.problem, result.n
    if kind not in ("pairs", "residual", "cluster"):
        raise ValueError(f"kind must be pairs, residual or cluster, got {kind!r}")
    if (kind == "cluster") != (groups is not None):
        raise ValueError("groups must be given for kind='cluster' and only then")
    if n < 2:
        raise ValueError(f"n must be >= 2 resamples (1000 for intervals), got {n}")
    if size <= (free := problem.n_free):
        raise ValueError(
            f"no points to spare: {size} points for {free} free parameters leave "
            "nothing to resample"
        )
    weights = y = None
    if kind == "residual":
        y = _shaken(result, result.predict(), (n, size), rng) / problem.scale["target"]
        if problem.log_loss or problem.law.log_link:
            y = np.maximum(y, 1e-300)
    else:
        weights = problem.weights * _counts(n, size, groups, rng)
    z, converged = _refit(result, n, weights, y)
    return Bootstrap(result, kind, problem.raw(z.copy()), converged, z)


def _counts(n: int, size: int, groups: Any, rng: np.random.Generator) -> Array:
    """Return how often each point is drawn in each resample, (n, size)."""
    if groups is None:
        return rng.multinomial(size, np.full(size, 1 / size), size=n).astype(float)
    column = as_column(groups, "groups", labels=True)
    labels, member = np.unique(column, return_inverse=True)
    if len(member) != size:
        raise ValueError(f"groups has {len(member)} entries for {size} points")
    if len(labels) < 2:
        raise ValueError("a cluster bootstrap needs at least two groups")
    share = np.full(len(labels), 1 / len(labels))
    return rng.multinomial(len(labels), share, size=n).astype(float)[:, member]


def _refit(
    result: FitResult, n: int, weights: Array | None, y: Array | None
) -> tuple[Array, Array]:
    """Minimise every resample from the optimum; delta-continuation frees it from there."""
    z, converged = np.empty((n, len(result.z))), np.empty(n, bool)
    chunk = max(8, CHUNK // (len(result.z) * result.n))
    for start in range(0, n, chunk):
        part = slice(start, min(start + chunk, n))
        own = (None if rows is None else rows[part] for rows in (weights, y))
        first = np.tile(result.z, (part.stop - start, 1))
        found = minimise(result.problem.objective(*own), first)
        z[part] = found.z
        converged[part] = found.converged & np.isfinite(found.value)
    return z, converged
