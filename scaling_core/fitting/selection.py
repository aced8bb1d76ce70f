"""Choosing between laws: information criteria and error on scales not fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import optimize, special

from .columns import as_column, read_columns
from .law import Array, Law
from .result import FitResult
from .solve import fit

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Extrapolation:
    """Forward-chaining errors: fold i was fitted on everything below ``cuts[i]``.

    ``errors`` are log predictions minus log targets of the scored points (plain
    differences where the loss is not on logarithms), ``fold`` says which fold.
    """

    cuts: tuple[float, ...]
    errors: Array
    fold: Array
    status: tuple[str, ...]

    @property
    def rmse(self) -> float:
        """Root mean square error over all scored points."""
        return float(np.sqrt(np.mean(self.errors**2)))

    @property
    def rmse_by_fold(self) -> tuple[float, ...]:
        """Root mean square error of each fold."""
        folds = [self.errors[self.fold == i] for i in range(len(self.cuts))]
        return tuple(float(np.sqrt(np.mean(errors**2))) for errors in folds)


def log_likelihood(result: FitResult) -> float:
    """Return the log likelihood at the best noise scale s, density ``exp(-w rho(r)/s) / Z(s/w)``.

    For squares this is the Gaussian one; for Huber's loss
    ``Z(t) = sqrt(2 pi t) erf(delta / sqrt(2 t)) + (2 t / delta) exp(-delta^2 / (2 t))``.
    Comparable between laws fitted with the same loss to the same data.

    Examples
    --------
    >>> from scaling_core.fitting import PowerLaw, fit
    >>> r = fit(PowerLaw(floor=False), {"x": [1, 2, 4, 8], "L": [4, 2.1, 0.9, 0.5]}, loss="mse")
    >>> s2 = np.mean(r.residuals**2)
    >>> bool(np.isclose(log_likelihood(r), -2 * np.log(2 * np.pi * s2) - 2))
    True
    """
    delta = np.inf if result.loss == "mse" else result.delta
    w = result.problem.weights
    w = w[w > 0]
    total = result.objective * (0.5 if result.loss == "mse" else 1.0)
    if total <= 0:
        return np.inf
    guess = total / len(w)

    def negative(log_s: float) -> float:
        s = np.exp(log_s)
        return total / s + float(np.sum(_log_partition(s / w, delta)))

    bracket, options = np.log(guess) + np.array([-8, 8]), {"xatol": 1e-10}
    found: optimize.OptimizeResult = optimize.minimize_scalar(
        negative, bounds=bracket, method="bounded", options=options
    )
    return -float(found.fun)


def _log_partition(t: Array, delta: float) -> Array:
    if not np.isfinite(delta):
        return 0.5 * np.log(2 * np.pi * t)
    inner = np.sqrt(2 * np.pi * t) * special.erf(delta / np.sqrt(2 * t))
    return np.log(inner + 2 * t / delta * np.exp(-(delta**2) / (2 * t)))


def compare(
    laws: Sequence[Law], data: Any, *, by: Any = None, splits: int = 4, **options: Any
) -> pd.DataFrame:
    """Fit several laws to the same data and rank them by AICc, best first.

    Columns: law, k (free parameters and the noise scale), log_likelihood, aicc, bic,
    delta_aicc (to the best law), extrapolation (nan without ``by``), status, and result,
    the fit itself. ``by`` (see ``extrapolation_cv``) adds the forward-chaining error,
    which answers the question one usually has. ``options`` go to ``fit``.

    Examples
    --------
    >>> from scaling_core.fitting import PowerLaw
    >>> x = np.geomspace(1, 1e4, 30)
    >>> L = (1 + 3 * x**-0.5) * np.exp(0.01 * np.random.default_rng(0).normal(size=30))
    >>> table = compare([PowerLaw(floor=False), PowerLaw()], {"x": x, "L": L}, by="x")
    >>> table.law[0], bool(table.delta_aicc[1] > 10)
    ('PowerLaw', True)
    """
    import pandas as pd

    if isinstance(laws, (Law, type)):
        raise TypeError("laws must be a list of laws: compare([Chinchilla()], data)")
    rows = []
    for law in laws:
        result = fit(law, data, **options)
        k, score = result.problem.n_free + 1, log_likelihood(result)
        n = result.problem.spare + k - 1
        correction = 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else np.inf
        row = {"law": type(law).__name__, "k": k, "log_likelihood": score}
        row |= {"aicc": 2 * k - 2 * score + correction, "delta_aicc": np.nan}
        row |= {"bic": float(k * np.log(n) - 2 * score), "extrapolation": np.nan}
        if by is not None:
            chained = extrapolation_cv(law, data, by=by, splits=splits, **options)
            row["extrapolation"] = chained.rmse
        rows.append({**row, "status": result.status, "result": result})
    table = pd.DataFrame(rows).sort_values("aicc", kind="stable", ignore_index=True)
    if np.isfinite(table.aicc[0]):
        table["delta_aicc"] = table.aicc - table.aicc[0]
    return table


def extrapolation_cv(
    law: Law,
    data: Any,
    *,
    by: str | Callable | Any,
    splits: int = 4,
    weights: Any = None,
    columns: Any = None,
    **options: Any,
) -> Extrapolation:
    """Fit below a scale, score above it, and move the scale up.

    Parameters
    ----------
    by
        what orders the points: a column name, a function of the columns, or
        one value per point (compute, say)
    splits
        folds. Points are cut at equal counts; fold i is fitted to the
        first i parts and scored on part i + 1. Parts too small to fit are merged
        into the first.

    Raises
    ------
    ValueError
        fewer than two parts remain

    Examples
    --------
    >>> from scaling_core.fitting import PowerLaw
    >>> x = np.geomspace(1, 1e4, 40)
    >>> cv = extrapolation_cv(PowerLaw(), {"x": x, "L": 1 + 3 * x**-0.5}, by="x")
    >>> len(cv.cuts), cv.rmse < 1e-10
    (4, True)
    """
    own = (columns or {}).get(by, by) if isinstance(by, str) else by
    columns = read_columns(law, data, columns)
    values = by(columns) if callable(by) else data[own] if isinstance(by, str) else by
    order, n = as_column(values, "by"), len(columns[law.target])
    if len(order) != n:
        raise ValueError(f"by has {len(order)} entries for {n} points")
    need = len(law.resolved(columns).parameters) + 2
    quantiles = np.quantile(order, np.arange(1, splits + 1) / (splits + 1))
    cuts = np.unique(quantiles).tolist()
    cuts = [c for c in cuts if np.sum(order <= c) >= need and np.any(order > c)]
    if not cuts:
        raise ValueError(
            f"no cut leaves {need} points below it and one above; "
            "fewer splits or more points"
        )
    given = None if weights is None else np.asarray(weights)
    errors, fold, status = [], [], []
    for i, (cut, upper) in enumerate(zip(cuts, [*cuts[1:], np.inf], strict=True)):
        low, high = order <= cut, (order > cut) & (order <= upper)
        part = {k: v[low] for k, v in columns.items()}
        own = None if given is None else given[low]
        result = fit(law, part, weights=own, **options)
        predicted = result.predict({k: v[high] for k, v in columns.items()})
        truth, logs = columns[law.target][high], result.loss == "log-huber"
        errors.append(np.log(predicted) - np.log(truth) if logs else predicted - truth)
        fold.append(np.full(len(truth), i))
        status.append(result.status)
    errors, fold = np.concatenate(errors), np.concatenate(fold)
    return Extrapolation(tuple(cuts), errors, fold, tuple(status))
