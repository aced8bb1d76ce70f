"""How uncertain a fit is: sandwich covariance, intervals, bands, profile likelihood.

All of it for Huber's loss as for squares. With delta far below the residual
size the loss is nearly absolute, so the mean of psi' is estimated in a wider
window (Hall and Sheather's width, as in quantile regression). Scores are divided
by one less the leverage (HC3, MacKinnon and White, J. Econometrics 29 (1985) 305),
quantiles are Student's with n - p degrees of freedom; with n = p all is nan. Where a
parameter ended on a bound, all is that of the fit without the bound
(``Optimum.released``), cut at the bound: held there it would look known.

Shapes: p parameters, n points, m prediction points.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy import optimize, stats

from .columns import position, read_inputs
from .law import Array
from .newton import minimise
from .problem import Optimum, diagnose

ALONE = 1e-6  # 1 - leverage below which a point is fitted by a parameter of its own


def _scores(result: Optimum):
    """Return psi, smoothed psi', leverage (n,), Jacobian (p, n), free and dead coordinates.

    psi' is smoothed over residuals ``r / sqrt(1 - h)``, which are of the size of the noise.
    """
    problem = result.problem
    objective = problem.objective()
    with np.errstate(all="ignore"):
        r, jac, _, _ = objective.residuals(result.z[None], objective.target)
    r, jac = r[0], jac[0]
    _, _, bound, dead = diagnose(problem, result.z)
    free = ~(bound | dead | (problem.low == problem.high))
    q, _ = np.linalg.qr((jac[free] * np.sqrt(problem.weights)).T)
    h = np.minimum(np.sum(q**2, axis=1), 1.0)
    wide = r / np.sqrt(np.maximum(1 - h, ALONE))
    width = 2.43 * 1.4826 * np.median(np.abs(wide - np.median(wide)))
    # a nearly absolute loss meets p points: the window holds one more at least
    least = np.sort(np.abs(wide))[min(int(free.sum()), result.n - 1)]
    width = max(objective.delta, width * result.n ** (-1 / 3), least)
    height = min(1.0, objective.delta / width) if np.isfinite(width) else 1.0
    slope = np.where(np.abs(wide) <= width, height, 0.0)
    psi = np.clip(r, -objective.delta, objective.delta)
    return psi, slope, h, jac, free, dead


def _spread(psi: Array, h: Array, spare: int) -> Array:
    """Return HC3's ``psi / (1 - h)``; a point fitted alone (h = 1) gets the average size."""
    typical = np.sqrt(np.sum(psi**2) / spare)
    return np.where(1 - h > ALONE, psi / np.maximum(1 - h, ALONE), typical)


@np.errstate(all="ignore")
def covariance(result: Optimum, kind: str = "sandwich") -> Array:
    """Covariance of the raw parameters (p, p), by the delta method from internal coordinates.

    "sandwich": the spread may differ between points,
    ``H^-1 [J diag(w psi / (1 - h))^2 J'] H^-1`` with ``H = J diag(w psi') J'`` and the
    leverage ``h_i = w_i j_i' (J W J')^-1 j_i`` (HC3 of MacKinnon and White 1985);
    "robust": it does not, ``E psi^2 / (E psi')^2 (J W J')^-1`` with n - p in E psi^2,
    less noisy when true. Fixed parameters get zero; nan where the data do not determine
    them, and everywhere if n - p < 1.

    Examples
    --------
    >>> from scaling_core.fitting import fit, PowerLaw
    >>> data = {"x": [1, 2, 4, 8, 16, 32], "L": [4.02, 3.11, 2.5, 2.07, 1.74, 1.53]}
    >>> bool(0.01 < np.sqrt(covariance(fit(PowerLaw(), data))[2, 2]) < 0.2)
    True
    """
    if kind not in ("robust", "sandwich"):
        raise ValueError(f"kind must be robust or sandwich, got {kind!r}")
    result = result.released
    psi, slope, h, jac, free, dead = _scores(result)
    w, j = result.problem.weights, jac[free]
    if (spare := result.problem.spare) < 1:
        return np.full((len(free), len(free)), np.nan)
    try:
        if kind == "robust":
            bread = np.linalg.inv((j * w) @ j.T)
            inner = bread * (w @ psi**2 / spare) / (w @ slope / w.sum()) ** 2
        else:
            bread = np.linalg.inv((j * (w * slope)) @ j.T)
            inner = bread @ ((j * (w * _spread(psi, h, spare)) ** 2) @ j.T) @ bread
    except np.linalg.LinAlgError:
        return np.full((len(free), len(free)), np.nan)
    full = np.zeros((len(free), len(free)))
    full[np.ix_(free, free)] = inner
    turn = raw_jacobian(result)
    raw = turn @ full @ turn.T
    raw[dead, :] = raw[:, dead] = np.nan
    return raw


def raw_jacobian(result: Optimum) -> Array:
    """Return d raw parameters / d internal coordinates, (p, p), by central differences."""
    ends, step = _beside(result.z, 1e-3)
    raw = result.problem.raw(ends)
    return ((raw[: len(step)] - raw[len(step) :]) / (2 * step[:, None])).T


def _beside(point: Array, least: float) -> tuple[Array, Array]:
    """Return points one step up, then one down, in each coordinate, and the steps (p,)."""
    step = 1e-6 * np.maximum(np.abs(point), least)
    return point + np.concatenate([np.diag(step), -np.diag(step)]), step


def _picker(result: Optimum, name: str) -> Callable:
    """Return the function that reads a parameter, or a derived value, from a params dict."""
    if name in result.derived:
        return lambda params: result.law.derived(params)[name]
    position(name, result.law.parameters, result.derived)
    return lambda params: params[name]


def interval(
    result: Optimum, name: str, level: float = 0.95, kind: str = "sandwich"
) -> tuple[float, float]:
    """Return the Student t interval of a parameter or derived value, n - p degrees of freedom.

    What cannot be negative gets the interval of its logarithm: A, B and G are far from
    normal on their own scale. An additive constant (E) does not, so that its interval
    can reach its bound, 0. nan if n - p < 1 or the data do not determine it.

    Examples
    --------
    >>> from scaling_core.fitting import fit, PowerLaw
    >>> data = {"x": [1, 2, 4, 8, 16, 32], "L": [4.02, 3.11, 2.5, 2.07, 1.74, 1.53]}
    >>> low, high = interval(fit(PowerLaw(), data), "alpha")
    >>> low < 0.5 < high
    True
    """
    bounds = result.problem.bounds.get(name, (0.0, np.inf))
    logs = bounds[0] == 0 and name not in result.law.constants
    ends = statistic(result, _picker(result, name), level, kind, logs=logs)
    low, high = np.clip(ends, *bounds).tolist()
    return low, high


@np.errstate(all="ignore")
def statistic(
    result: Optimum,
    function: Callable,
    level: float = 0.95,
    kind: str = "sandwich",
    *,
    logs: bool = True,
) -> tuple[Any, Any]:
    """Return the interval of a function of a params dict, by the delta method.

    The error is ``sqrt(g' V g)`` with V the covariance and g the derivative by the
    parameters. Ends are floats, or arrays of the function's shape; with ``logs`` they
    are those of the logarithm where the function is positive.

    Examples
    --------
    >>> from scaling_core.fitting import fit, PowerLaw
    >>> data = {"x": [1, 2, 4, 8, 16, 32], "L": [4.02, 3.11, 2.5, 2.07, 1.74, 1.53]}
    >>> low, high = statistic(fit(PowerLaw(), data), lambda p: p["A"] + p["E"])
    >>> low < 4 < high
    True
    """
    names, centre = result.law.parameters, result.released.params
    value = np.asarray(function(centre), dtype=float)
    ends, step = _beside(np.array(list(centre.values())), 1e-12)
    moved = [function(dict(zip(names, row, strict=True))) for row in ends.tolist()]
    slope = np.array(moved, dtype=float).reshape(2, len(step), -1)
    slope = (slope[0] - slope[1]) / (2 * step[:, None])
    half = _half_width(result, slope, level, kind).reshape(value.shape)
    here = np.asarray(function(result.params), dtype=float)
    low, high = _ends(value, half, here, logs & (value > 0))
    return (low, high) if value.ndim else (float(low), float(high))


def _half_width(result: Optimum, slope: Array, level: float, kind: str) -> Array:
    """Return Student's half-width (m,) of values with these derivatives (p, m)."""
    used = (slope != 0).any(
        axis=1
    )  # the covariance may be nan for what does not matter
    cov, slope = covariance(result, kind)[np.ix_(used, used)], slope[used]
    error = np.sqrt(np.einsum("pm,pq,qm->m", slope, cov, slope))
    return stats.t.ppf((1 + level) / 2, result.problem.spare) * error


def _ends(value: Array, half: Array, here: Array, logs: Any) -> tuple[Array, Array]:
    """Return both ends around the released value; the estimate ``here`` lies within."""
    low = np.where(logs, value * np.exp(-half / value), value - half)
    high = np.where(logs, value * np.exp(half / value), value + half)
    return np.minimum(low, here), np.maximum(high, here)


@np.errstate(all="ignore")
def band(
    result: Optimum, data: Any, level: float = 0.95, kind: str = "sandwich"
) -> tuple[Array, Array]:
    """Return the delta-method band of the curve, on the log where the loss is.

    Examples
    --------
    >>> from scaling_core.fitting import fit, PowerLaw
    >>> data = {"x": [1, 2, 4, 8, 16, 32], "L": [4.02, 3.11, 2.5, 2.07, 1.74, 1.53]}
    >>> low, high = band(fit(PowerLaw(), data), {"x": [10.0, 1e6]})
    >>> bool(high[1] - low[1] > high[0] - low[0])
    True
    """
    inputs, free = read_inputs(result.law, data), result.released
    problem = free.problem
    ends, step = _beside(problem.raw(free.z[None].copy())[0], 1e-12)
    centre = problem.predict(free.z[None], inputs)[0]
    curves = problem.predict(problem.law.from_raw(ends, problem.scale), inputs)
    slopes = (curves[: len(step)] - curves[len(step) :]) / (2 * step[:, None])
    half = _half_width(result, slopes, level, kind)
    here = result.problem.predict(result.z[None], inputs)[0]
    return _ends(centre, half, here, (result.loss == "log-huber") & (centre > 0))


def profile(result: Optimum, name: str, level: float = 0.95) -> tuple[float, float]:
    """Return the profile-likelihood interval of one parameter.

    The parameter is fixed, the others refitted, and the ends are where the
    objective has risen by ``t^2 E psi^2 / (2 E psi')`` (Huber's likelihood-ratio
    test; for squares the usual F interval). An end beyond a bound is the bound;
    nan if n - p < 1 or the residuals say nothing of the noise. Below
    some 20 points and a nearly absolute loss it is too narrow: prefer ``interval``.

    Examples
    --------
    >>> from scaling_core.fitting import fit, PowerLaw
    >>> x = np.geomspace(1, 1e3, 30)
    >>> L = (1 + 3 * x**-0.5) * np.exp(0.01 * np.random.default_rng(0).normal(size=30))
    >>> low, high = profile(fit(PowerLaw(), {"x": x, "L": L}), "E")
    >>> low < 1 < high
    True
    """
    index = position(name, result.law.parameters)
    if result.problem.spare < 1:
        return np.nan, np.nan
    psi, slope, *_ = _scores(result)
    w, spare = result.problem.weights, result.problem.spare
    noise = (w @ psi**2 / spare) / (2 * w @ slope / w.sum())
    rise = stats.t.ppf((1 + level) / 2, spare) ** 2 * noise
    variance = covariance(result)[index, index]
    spread = np.sqrt(variance) if variance > 0 else 0.1 * abs(result.params[name])
    best = float(minimise(result.problem.objective(), result.z[None]).value[0])
    square = result.problem.unit**2
    limits = result.problem.bounds[name]
    to = spread, limits, best * square, rise * square
    return _end(result, name, -1, *to), _end(result, name, 1, *to)


def _end(
    result: Optimum, name: str, side: int, spread: float, limits, best: float, rise
) -> float:
    """Walk outwards until the objective has risen enough, then find the crossing."""
    index = result.law.parameters.index(name)
    warm = {"raw": np.array(list(result.params.values()))}

    @cache  # an end seen again, from another warm start, must keep its sign
    def excess(value: float) -> float:
        fixed = result.problem.rebound({name: (value, value)})
        start = warm["raw"].copy()
        start[index] = value
        z = fixed.law.from_raw(start[None], fixed.scale)
        solution = minimise(fixed.objective(), z)
        warm["raw"] = fixed.raw(solution.z.copy())[0]
        value = solution.value[0] * fixed.unit**2
        return np.sqrt(max(value - best, 0.0)) - np.sqrt(rise)

    centre = result.params[name]
    if not excess(centre) < 0:
        return float("nan")
    inner, reach = centre, 2.0 * spread
    for _ in range(40):
        outer = centre + side * reach
        if not limits[0] < outer < limits[1]:
            outer = limits[0] if side < 0 else limits[1]
            if not np.isfinite(outer) or excess(outer) < 0:
                return float(outer)
        if excess(outer) > 0:
            options = dict(method="brentq", xtol=1e-6 * spread, rtol=1e-9)
            ends = inner, outer
            return float(optimize.root_scalar(excess, bracket=ends, **options).root)
        inner, reach = outer, 1.7 * reach
    return float("inf") * side
