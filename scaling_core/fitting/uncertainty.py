"""How uncertain a fit is: sandwich covariance, bands, profile likelihood.

All of it for Huber's loss as for squares. With delta far below the residual
size the loss is nearly absolute, so the mean of psi' is estimated in a wider
window (Hall and Sheather's width, as in quantile regression).

Shapes: p parameters, n points, m prediction points.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import optimize, stats

from .fit import diagnose
from .law import Array
from .newton import minimise
from .result import FitResult, read_inputs


def _scores(result: FitResult):
    """Return weighted psi, smoothed psi', Jacobian (p, n) and free coordinates."""
    problem = result.problem
    objective = problem.objective()
    with np.errstate(all="ignore"):
        r, jac, _, _ = objective.residuals(result.z[None], objective.target)
    r, jac = r[0], jac[0]
    _, _, bound, dead = diagnose(problem, result.z)
    free = ~(bound | dead | (problem.low == problem.high))
    width = 2.43 * 1.4826 * np.median(np.abs(r - np.median(r))) * result.n ** (-1 / 3)
    width = max(objective.delta, width)
    slope = np.where(
        np.abs(r) <= width,
        min(1.0, objective.delta / width) if np.isfinite(width) else 1.0,
        0.0,
    )
    return np.clip(r, -objective.delta, objective.delta), slope, jac, free


def covariance(result: FitResult, kind: str = "sandwich") -> Array:
    """Covariance of the raw parameters (p, p), by the delta method from internal coordinates.

    "sandwich": the spread may differ between points; "robust": it does not,
    ``E psi^2 / (E psi')^2 (J W J')^-1``, less noisy when true. Parameters on a bound or fixed
    get zero; nan where the data do not determine them.

    Examples
    --------
    >>> from scaling_core.fitting import fit, PowerLaw
    >>> x = np.geomspace(1, 1e3, 30)
    >>> L = (1 + 3 * x**-0.5) * np.exp(0.01 * np.random.default_rng(0).normal(size=30))
    >>> se = np.sqrt(np.diag(covariance(fit(PowerLaw(), {"x": x, "L": L}))))
    >>> bool(0.002 < se[2] < 0.02)
    True
    """
    if kind not in ("robust", "sandwich"):
        raise ValueError(f"kind must be robust or sandwich, got {kind!r}")
    psi, slope, jac, free = _scores(result)
    w, j = result.problem.weights, jac[free]
    spare = max(result.n - int(free.sum()), 1)
    try:
        if kind == "robust":
            bread = np.linalg.inv((j * w) @ j.T)
            inner = bread * (w @ psi**2 / spare) / (w @ slope / w.sum()) ** 2
        else:
            bread = np.linalg.inv((j * (w * slope)) @ j.T)
            inner = bread @ ((j * (w * psi) ** 2) @ j.T) @ bread * (result.n / spare)
    except np.linalg.LinAlgError:
        return np.full((len(free), len(free)), np.nan)
    full = np.zeros((len(free), len(free)))
    full[np.ix_(free, free)] = inner
    turn = raw_jacobian(result)
    return turn @ full @ turn.T


def raw_jacobian(result: FitResult) -> Array:
    """Return d raw parameters / d internal coordinates, (p, p), by central differences."""
    p = len(result.z)
    step = 1e-6 * np.maximum(np.abs(result.z), 1e-3)
    ends = result.z + np.concatenate([np.diag(step), -np.diag(step)])
    raw = result.problem.raw(ends)
    return ((raw[:p] - raw[p:]) / (2 * step[:, None])).T


def interval(
    result: FitResult, name: str, level: float = 0.95, kind: str = "sandwich"
) -> tuple[float, float]:
    """Return the Student t interval of one parameter from the covariance.

    A parameter that cannot be negative gets the interval of its logarithm: A
    and B are far from normal on their own scale.

    Examples
    --------
    >>> from scaling_core.fitting import fit, PowerLaw
    >>> x = np.geomspace(1, 1e3, 30)
    >>> L = (1 + 3 * x**-0.5) * np.exp(0.01 * np.random.default_rng(0).normal(size=30))
    >>> low, high = interval(fit(PowerLaw(), {"x": x, "L": L}), "alpha")
    >>> low < 0.5 < high
    True
    """
    index, value = result.law.parameters.index(name), result.params[name]
    half = stats.t.ppf((1 + level) / 2, max(result.n - len(result.z), 1))
    half *= np.sqrt(covariance(result, kind)[index, index])
    if result.problem.bounds[name][0] == 0 and value > 0:
        return float(value * np.exp(-half / value)), float(value * np.exp(half / value))
    return float(value - half), float(value + half)


def band(
    result: FitResult, data: Any, level: float = 0.95, kind: str = "sandwich"
) -> tuple[Array, Array]:
    """Return the delta-method band of the curve, on the log where the loss is.

    Examples
    --------
    >>> from scaling_core.fitting import fit, PowerLaw
    >>> x = np.geomspace(1, 1e3, 30)
    >>> L = (1 + 3 * x**-0.5) * np.exp(0.01 * np.random.default_rng(0).normal(size=30))
    >>> low, high = band(fit(PowerLaw(), {"x": x, "L": L}), {"x": [10.0, 1e6]})
    >>> bool(high[1] - low[1] > high[0] - low[0])
    True
    """
    inputs, problem = read_inputs(result.law, data), result.problem
    cov = covariance(result, kind)
    raw = problem.raw(result.z[None].copy())[0]
    step = 1e-6 * np.maximum(np.abs(raw), 1e-12)
    ends = problem.law.from_raw(
        raw + np.concatenate([np.diag(step), -np.diag(step)]), problem.scale
    )
    centre, curves = (
        problem.predict(result.z[None], inputs)[0],
        problem.predict(ends, inputs),
    )
    slopes = (curves[: len(raw)] - curves[len(raw) :]) / (2 * step[:, None])
    error = np.sqrt(np.einsum("pm,pq,qm->m", slopes, cov, slopes))
    half = stats.t.ppf((1 + level) / 2, max(result.n - len(raw), 1)) * error
    if result.loss == "log-huber":
        return centre * np.exp(-half / centre), centre * np.exp(half / centre)
    return centre - half, centre + half


def profile(result: FitResult, name: str, level: float = 0.95) -> tuple[float, float]:
    """Return the profile-likelihood interval of one parameter.

    The parameter is fixed, the others refitted, and the ends are where the
    objective has risen by ``t^2 E psi^2 / (2 E psi')`` (Huber's likelihood-ratio
    test; for squares the usual F interval). An end beyond a bound is the bound.

    Examples
    --------
    >>> from scaling_core.fitting import fit, PowerLaw
    >>> x = np.geomspace(1, 1e3, 30)
    >>> L = (1 + 3 * x**-0.5) * np.exp(0.01 * np.random.default_rng(0).normal(size=30))
    >>> low, high = profile(fit(PowerLaw(), {"x": x, "L": L}), "E")
    >>> low < 1 < high
    True
    """
    if name not in result.params:
        raise ValueError(f"no parameter {name!r}; the law has {list(result.params)}")
    psi, slope, _, free = _scores(result)
    w, spare = result.problem.weights, max(result.n - int(free.sum()), 1)
    rise = (
        stats.t.ppf((1 + level) / 2, spare) ** 2
        * (w @ psi**2 / spare)
        / (2 * w @ slope / w.sum())
    )
    index = result.law.parameters.index(name)
    spread = np.sqrt(covariance(result)[index, index]) or 0.1 * abs(result.params[name])
    best = float(minimise(result.problem.objective(), result.z[None]).value[0])
    square = 1.0 if result.problem.log_loss else result.problem.scale["target"] ** 2
    limits = result.problem.bounds[name]
    return tuple(
        _end(result, name, side, spread, limits, best * square, rise * square)
        for side in (-1, 1)
    )


def _end(
    result: FitResult,
    name: str,
    side: int,
    spread: float,
    limits,
    best: float,
    rise: float,
) -> float:
    """Walk outwards until the objective has risen enough, then find the crossing."""
    raw = np.array(list(result.params.values()))
    index = result.law.parameters.index(name)
    warm = {"raw": raw.copy()}

    def excess(value: float) -> float:
        fixed = result.problem.rebound({name: (value, value)})
        start = warm["raw"].copy()
        start[index] = value
        z = fixed.law.from_raw(start[None], fixed.scale)
        solution = minimise(fixed.objective(), z)
        warm["raw"] = fixed.raw(solution.z.copy())[0]
        square = 1.0 if fixed.log_loss else fixed.scale["target"] ** 2
        return np.sqrt(max(solution.value[0] * square - best, 0.0)) - np.sqrt(rise)

    centre = result.params[name]
    inner, reach = centre, 2.0 * spread
    for _ in range(40):
        outer = centre + side * reach
        if not limits[0] < outer < limits[1]:
            outer = limits[0] if side < 0 else limits[1]
            if not np.isfinite(outer) or excess(outer) < 0:
                return float(outer)
        if excess(outer) > 0:
            return float(
                optimize.brentq(excess, inner, outer, xtol=1e-6 * spread, rtol=1e-9)
            )
        inner, reach = outer, 1.7 * reach
    return float("inf") * side
