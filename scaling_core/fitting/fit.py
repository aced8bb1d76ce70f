"""Fit a scaling law: many starts, one optimum, and a status that means something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .law import Array, Law
from .newton import minimise
from .problem import Problem, build_problem
from .result import FitResult

AGREE = 1e-6  # relative gap between objectives that count as the same optimum
MAX_COSINE = 1e-5  # larger: the gradient is not zero
NOISY = 0.03  # relative residual above which a second, robust set of starts is tried
MAX_CONDITION = 1e8  # larger: some combination of parameters is free
APART = 0.05  # relative change of a coordinate by which two optima differ


def fit(
    law: Law,
    data: Any,
    *,
    loss: str = "log-huber",
    delta: float = 1e-3,
    weights: Any = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    rng: np.random.Generator | None = None,
) -> FitResult:
    """Fit a law to data by robust least squares, to the global optimum where it can be had.

    Minimises ``sum_i w_i Huber_delta(r_i)`` with r = log prediction - log target
    ("log-huber"), or prediction - target ("huber", delta in units of the target;
    "mse": squares). Raw units in and out.

    Parameters
    ----------
    data : mapping or data frame with the columns ``law.variables`` and ``law.target``
    weights : one per point, e.g. 1 / variance
    bounds : raw (low, high) per parameter name; equal ends fix it
    rng : adds six random starts around the best ones

    Raises
    ------
    ValueError : missing or unequal columns, NaN, values <= 0 under a logarithm,
        fewer points than free parameters, unknown loss or parameter
    TypeError : a law's class instead of an instance

    Notes
    -----
    Log-Huber with delta = 1e-3 is the objective of arXiv 2203.15556, eq. D.10.
    Introduced in the chapter "Fitting scaling laws honestly".

    Examples
    --------
    >>> import numpy as np
    >>> from scaling_core.fitting import fit, PowerLaw
    >>> x = np.geomspace(10, 1e5, 8)
    >>> result = fit(PowerLaw(), {"x": x, "L": 2 + 30 * x**-0.5})
    >>> result.status, round(result.params["E"], 9)
    ('converged', 2.0)
    """
    problem = build_problem(law, data, loss, delta, weights, bounds)
    starts = problem.starts()
    if rng is not None:
        starts = np.concatenate([starts, around(starts[:1], 6, problem, rng)])
    return solve(problem, starts)


def solve(problem: Problem, starts: Array) -> FitResult:
    """Minimise from all starts and judge the outcome; look again where in doubt."""
    rng = np.random.default_rng(0)
    found = minimise(problem.objective(), starts)
    z, value, converged = found.z, found.value, found.converged
    for attempt in range(4):
        least = np.min(value)
        more = _second_look(problem, z, value, converged, attempt, rng)
        if more is None:
            break
        found = minimise(problem.objective(), more)
        z = np.concatenate([z, found.z])
        value = np.concatenate([value, found.value])
        converged = np.concatenate([converged, found.converged])
        if np.min(value) >= least * (1 - AGREE):
            break
    best = int(np.argmin(np.where(np.isfinite(value), value, np.inf)))
    agreeing = int(_agreeing(value, converged, problem).sum())
    return _judge(
        problem, z[best], float(value[best]), bool(converged[best]), agreeing, len(z)
    )


def _second_look(problem, z, value, converged, attempt, rng) -> Array | None:
    """Return more starts where few agree, the data are noisy or the law is rugged."""
    if not np.isfinite(value).any():
        return None
    best = z[np.argmin(value)]
    noisy = attempt == 0 and problem.law.cheap and _noise(problem, best) > NOISY
    near = around(z[np.argsort(value)[:3]], 18, problem, rng)
    if noisy:
        return np.concatenate([near[:6], _reweighted(problem, best)])
    agree = _agreeing(value, converged, problem).sum() > 1
    return None if agree and not problem.law.rugged else near


def _noise(problem: Problem, z: Array) -> float:
    """Return the root mean square residual relative to the target."""
    r = problem.residuals(z)
    r = (
        r
        if problem.log_loss
        else r / np.sqrt(np.mean(problem.data[problem.law.target] ** 2))
    )
    return float(np.sqrt(problem.weights @ r**2 / problem.weights.sum()))


def _reweighted(problem: Problem, z: Array) -> Array:
    """Return starts from a grid on which the outliers of the best fit so far count less."""
    r = np.abs(problem.residuals(z))
    robust = problem.weights / np.maximum(r, np.median(r) / 10 + 1e-300)
    return np.concatenate(
        [problem.starts(w, count=16, apart=True) for w in (problem.weights, robust)]
    )


def around(z: Array, count: int, problem: Problem, rng: np.random.Generator) -> Array:
    """Return count random points around the rows of z, inside the bounds."""
    chosen = z[np.arange(count) % len(z)]
    spread = np.exp(rng.normal(0, 0.5, chosen.shape))
    return np.clip(
        chosen * spread + rng.normal(0, 1e-3, chosen.shape), problem.low, problem.high
    )


def _agreeing(value: Array, converged: Array, problem: Problem) -> Array:
    best = np.min(value)
    return converged & (value <= best * (1 + AGREE) + problem.floor)


def _rival(problem: Problem, z: Array, value: float) -> str:
    """Name another optimum that the data cannot tell from z; empty where there is none.

    "Cannot tell" means: the objective is larger by less than a factor exp(1/n).
    """
    starts = problem.law.rivals(z, problem.prep)
    if not len(starts):
        return ""
    found = minimise(problem.objective(), np.clip(starts, problem.low, problem.high))
    apart = (np.abs(found.z - z) > APART * np.abs(z)).any(1)
    level = max(value * np.exp(1 / len(problem.y)), problem.floor)
    for other in found.z[apart & found.converged & (found.value <= level)][:1]:
        raw = dict(zip(problem.law.parameters, problem.raw(other[None].copy())[0]))
        named = ", ".join(f"{k} = {raw[k]:.3g}" for k in problem.law.nonlinear)
        return f"{named} fits as well"
    return ""


def diagnose(problem: Problem, z: Array) -> tuple[float, float, Array, Array]:
    """Return gradient cosine, condition number, and which coordinates are bound or dead."""
    objective = problem.objective()
    with np.errstate(all="ignore"):
        r, jac, _, _ = objective.residuals(z[None], objective.target)
    root = np.sqrt(problem.weights)
    jac, psi = jac[0] * root, np.clip(r[0], -objective.delta, objective.delta) * root
    size = np.linalg.norm(jac, axis=1)
    fixed = problem.low == problem.high
    near = 1e-9 * (1 + np.abs(z)) + np.where(objective.slow, 1e-6, 0.0)
    bound = ((z - problem.low <= near) | (problem.high - z <= near)) & ~fixed
    dead = (size <= 1e-9 * size.max()) & ~fixed & ~bound
    free = ~(fixed | bound | dead)
    unit = jac[free] / size[free, None]
    cosine = np.abs(unit @ psi) / max(np.linalg.norm(psi), 1e-300)
    values = np.linalg.svd(unit, compute_uv=False) if free.any() else np.ones(1)
    condition = values[0] / values[-1] if values[-1] > 0 else np.inf
    return float(cosine.max(initial=0.0)), float(condition), bound, dead


def _judge(
    problem: Problem,
    z: Array,
    value: float,
    converged: bool,
    agreeing: int,
    starts: int,
) -> FitResult:
    """Turn the end of a minimisation into a result with a status in words."""
    if not np.isfinite(value):
        raise ValueError(
            f"{type(problem.law).__name__} has no finite prediction at any start; "
            "check units and bounds"
        )
    names = problem.law.parameters
    cosine, condition, bound, dead = diagnose(problem, z)
    exact = value <= problem.floor
    cosine = 0.0 if exact else cosine
    flat = [v for v in problem.law.scaled if np.ptp(problem.data[v]) == 0]
    named = lambda mask: ", ".join(np.array(names)[mask])
    if not exact and cosine > MAX_COSINE and not converged:
        status, message = (
            "failed",
            f"the gradient is not zero (cosine {cosine:.1e}); do not use these numbers",
        )
    elif flat:
        status, message = "not-identified", f"{', '.join(flat)} takes one value only"
    elif bound.any():
        status, message = (
            "at-bound",
            f"{named(bound)} on a bound"
            + (f", {named(dead)} without effect" if dead.any() else ""),
        )
    elif dead.any():
        status, message = (
            "not-identified",
            f"{named(dead)} without effect on the predictions",
        )
    elif not condition < MAX_CONDITION:
        status, message = (
            "not-identified",
            f"Jacobian condition {condition:.1e}: parameters trade off freely",
        )
    elif rival := _rival(problem, z, value):
        status, message = "not-identified", rival
    elif agreeing < 2 and starts > 1:
        status, message = (
            "starts-disagree",
            "the best value may not be the least there is",
        )
    else:
        status, message = "converged", "the gradient is zero"
    message += f"; {agreeing} of {starts} starts agree"
    if np.sum(problem.weights > 0) <= np.sum(problem.low < problem.high):
        message += "; no points to spare: intervals are undefined"
    params = dict(zip(names, problem.raw(z[None].copy())[0].tolist()))
    return FitResult(
        problem.law,
        params,
        value * problem.units,
        status,
        message,
        cosine,
        agreeing,
        starts,
        condition,
        len(problem.y),
        problem.loss,
        problem.delta,
        problem.residuals(z),
        problem,
        z,
    )


def starting_point(law: Law, data: Any) -> dict[str, float]:
    """Return the best start in raw units (what ``Law.guess`` gives)."""
    problem = build_problem(law, data, "mse", 1.0, None, None)
    z = problem.starts()[:1]
    return dict(zip(problem.law.parameters, problem.raw(z.copy())[0].tolist()))
