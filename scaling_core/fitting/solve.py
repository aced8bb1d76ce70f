"""Fit a scaling law: many starts, one optimum, and a status that means something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .law import Array, Law
from .newton import AGREE, ENOUGH, Solution, minimise
from .problem import Problem, build_problem, diagnose
from .result import FitResult, Status

MAX_COSINE = 1e-5  # larger: the gradient is not zero
NOISY = 0.03  # relative residual above which a second, robust set of starts is tried
MAX_CONDITION = 1e8  # larger: some combination of parameters is free
FRESH = 16  # independent starts more where few agree
APART = 0.05  # relative change of a coordinate by which two optima differ


def fit(
    law: Law,
    data: Any,
    *,
    loss: str = "log-huber",
    delta: float = 1e-3,
    weights: Any = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    columns: Mapping[str, str] | None = None,
    rng: np.random.Generator | None = None,
) -> FitResult:
    """Fit a law to data by robust least squares, to the global optimum where it can be had.

    Minimises ``sum_i w_i Huber_delta(r_i)`` with r = log prediction - log target
    ("log-huber"), or prediction - target ("huber", delta in units of the target;
    "mse": squares). Raw units in and out.

    Parameters
    ----------
    data
        mapping or data frame with the columns ``law.variables`` and ``law.target``
    weights
        one per point, e.g. 1 / variance
    bounds
        raw (low, high) per parameter name; equal ends fix it
    columns
        the data's own names, ``{"N": "params"}``
    rng
        adds six random starts around the best ones

    Raises
    ------
    ValueError
        missing or unequal columns, NaN, values <= 0 under a logarithm,
        fewer points than free parameters, unknown loss or parameter
    TypeError
        a law's class instead of an instance

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
    problem = build_problem(law, data, loss, delta, weights, bounds, columns)
    starts = problem.starts()
    if rng is not None:
        starts = np.concatenate([starts, around(starts[:1], 6, problem, rng)])
    return _judge(problem, *solve(problem, starts))


def guess(law: Law, data: Any) -> dict[str, float]:
    """Return raw starting values without a fit: the best cell of the grid.

    Examples
    --------
    >>> from scaling_core.fitting import PowerLaw
    >>> x = np.geomspace(1, 100, 9)
    >>> abs(guess(PowerLaw(), {"x": x, "L": 1 + 3 * x**-0.5})["alpha"] - 0.5) < 0.1
    True
    """
    problem = build_problem(law, data, "mse")
    return problem.named(problem.starts()[0])


def solve(problem: Problem, starts: Array) -> tuple[Solution, Array]:
    """Minimise from all starts, and look again where in doubt.

    Returns the ends of all starts, and which of the starts were independent: not drawn
    around an end found before.
    """
    rng = np.random.default_rng(0)
    found = minimise(problem.objective(), starts, known=np.empty(0))
    own = np.ones(len(starts), bool)
    for attempt in range(4):
        least = np.min(found.value)
        near, fresh = _second_look(problem, found, own, starts, attempt, rng)
        if not len(near) + len(fresh):
            break
        new = ~(fresh[:, None] == starts).all(axis=2).any(axis=1)
        starts = np.concatenate([starts, near, fresh[new]])
        more, known = starts[len(own) :], found.value[found.converged]
        found = found.joined(minimise(problem.objective(), more, known=known))
        own = np.concatenate([own, np.arange(len(more)) >= len(near)])
        if np.min(found.value) >= least * (1 - AGREE):
            break
    return found, own


def _second_look(
    problem: Problem, found: Solution, own: Array, starts: Array, attempt: int, rng
) -> tuple[Array, Array]:
    """Return more starts where few agree, the data are noisy or the law is rugged.

    First those near the best ends so far, then independent ones.
    """
    none = found.z[:0]
    if not np.isfinite(found.value).any():
        return none, none
    best = found.z[np.argmin(found.value)]
    near = around(found.z[np.argsort(found.value)[:3]], 18, problem, rng)
    if attempt == 0 and problem.law.cheap and _noise(problem, best) > NOISY:
        return near[:6], _reweighted(problem, best)
    agree = (_agreeing(problem, found) & own).sum() >= ENOUGH
    if agree and not problem.law.rugged:
        return none, none
    if agree:
        return near, none
    fresh = [problem.starts(count=FRESH, apart=True)]
    if problem.law.informed and attempt == 0:  # the last start is the user's own
        place = starts[-1:]
        fresh.append(around(place, 8, problem, rng, spread=0.1))
    return near, np.concatenate(fresh)


def _noise(problem: Problem, z: Array) -> float:
    """Return the root mean square residual relative to the target."""
    r, w, y = problem.residuals(z), problem.weights, problem.data[problem.law.target]
    size = 1.0 if problem.log_loss else np.mean(y**2)
    return float(np.sqrt(w @ r**2 / w.sum() / size))


def _reweighted(problem: Problem, z: Array) -> Array:
    """Return starts from a grid on which the outliers of the best fit so far count less."""
    r, w = np.abs(problem.residuals(z)), problem.weights
    robust = w / np.maximum(r, np.median(r) / 10 + 1e-300)
    apart = [problem.starts(each, count=16, apart=True) for each in (w, robust)]
    return np.concatenate(apart)


def around(
    z: Array,
    count: int,
    problem: Problem,
    rng: np.random.Generator,
    spread: float = 0.5,
) -> Array:
    """Return count random points around the rows of z, inside the bounds."""
    chosen = z[np.arange(count) % len(z)]
    moved = chosen * np.exp(rng.normal(0, spread, chosen.shape))
    moved += rng.normal(0, 1e-3, chosen.shape)
    return np.clip(moved, problem.low, problem.high)


def _agreeing(problem: Problem, found: Solution) -> Array:
    level = np.min(found.value) * (1 + AGREE) + problem.floor
    return found.converged & (found.value <= level)


def _judge(problem: Problem, found: Solution, own: Array) -> FitResult:
    """Turn the end of a minimisation into a result with a status in words."""
    best = int(np.argmin(found.value))
    z, value, starts = found.z[best], float(found.value[best]), int(own.sum())
    if not np.isfinite(value):
        raise ValueError(
            f"{type(problem.law).__name__} has no finite prediction at any start; "
            "check units and bounds"
        )
    agreeing = int((_agreeing(problem, found) & own).sum())
    cosine, condition, bound, dead = diagnose(problem, z)
    cosine = 0.0 if value <= problem.floor else cosine
    doubt = _identified(problem, z, value, condition, bound, dead)
    if cosine > MAX_COSINE and not found.converged[best]:
        words = (
            f"the gradient is not zero (cosine {cosine:.1e}); do not use these numbers"
        )
        status, message = "failed", words
    elif doubt is not None:
        status, message = doubt
    elif agreeing < min(2 if problem.law.informed else ENOUGH, starts):
        status, message = (
            "starts-disagree",
            "the best value may not be the least there is",
        )
    else:
        status, message = "converged", "the gradient is zero"
    message += f"; {agreeing} of {starts} independent starts agree"
    if problem.spare < 1:
        message += "; no points to spare: intervals are undefined"
    return FitResult(
        problem,
        z,
        objective=value * problem.units,
        status=status,
        message=message,
        gradient_norm=cosine,
        agreeing_starts=agreeing,
        starts=starts,
        condition=condition,
    )


def _identified(
    problem: Problem,
    z: Array,
    value: float,
    condition: float,
    bound: Array,
    dead: Array,
) -> tuple[Status, str] | None:
    """Return what the data leave open, as a status and its words; None for nothing."""
    law = problem.law
    named = lambda mask: ", ".join(np.array(law.parameters)[mask])
    without = f"{named(dead)} without effect"
    if flat := [v for v in law.scaled if np.ptp(problem.data[v]) == 0]:
        return "not-identified", f"{', '.join(flat)} takes one value only"
    if path := law.confounded(problem.prep):
        return "not-identified", path
    if bound.any():
        return "at-bound", f"{named(bound)} on a bound" + f", {without}" * bool(
            dead.any()
        )
    if dead.any():
        return "not-identified", f"{without} on the predictions"
    if not condition < MAX_CONDITION:
        words = f"Jacobian condition {condition:.1e}: parameters trade off freely"
        return "not-identified", words
    rival = _rival(problem, z, value)
    return ("not-identified", rival) if rival else None


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
        raw = problem.named(other)
        return (
            ", ".join(f"{k} = {raw[k]:.3g}" for k in problem.law.nonlinear)
            + " fits as well"
        )
    return ""
