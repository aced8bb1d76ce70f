"""Batched damped Newton for many robust fits at once.

Minimises ``F(z) = sum_i w_i rho_delta(r_i(z))`` for B problems side by side,
rho being Huber's function (delta = inf gives least squares). Three things make
it reliable where quasi-Newton stalls (delta = 1e-3 on residuals of 1e-2 is
nearly the absolute value):

* delta starts at the size of the residuals and is lowered as steps succeed;
* the damping is not a multiple of the identity but of the iteratively
  reweighted Gram matrix ``J' diag(w psi/r) J``, a majoriser of Huber's Hessian,
  so that a damped step is never badly scaled;
* the Hessian is exact (``Law.curvature``), so that the last steps are quadratic.

Shapes: B problems, p coordinates, n points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
START_DELTA = 2.0  # times the median absolute residual
LOWER_DELTA = 0.2  # per successful step


@dataclass(frozen=True)
class Objective:
    """What is minimised: a law at given points, a loss, weights and bounds.

    ``weights`` is (n,) or (B, n), ``y`` likewise; ``low`` and ``high`` are (p,),
    ``slow`` marks coordinates that approach a bound step by step; a value below
    ``floor`` is exact to rounding and ends a row once it stops halving.
    """

    evaluate: Callable[[Array], tuple[Array, Array]]
    curvature: Callable[[Array, Array], Array]
    y: Array
    weights: Array
    log_loss: bool
    log_link: bool
    delta: float
    low: Array
    high: Array
    slow: Array | bool = False
    floor: float = 0.0

    @property
    def target(self) -> Array:
        """What the residual is measured from: y, or its logarithm."""
        return np.log(self.y) if self.log_loss else self.y

    def residuals(
        self, z: Array, target: Array
    ) -> tuple[Array, Array, Array | float, Array | float]:
        """Return r, dr/dz (B, p, n), dr/deta and the ratio r''/r'^2 in eta."""
        eta, jac = self.evaluate(z)
        if self.log_loss == self.log_link:
            return eta - target, jac, 1.0, 0.0
        if self.log_loss:
            slope = 1.0 / eta
            jac *= slope[:, None]
            return np.log(eta) - target, jac, slope, -1.0
        mean = np.exp(eta)
        jac *= mean[:, None]
        return mean - target, jac, mean, 1.0 / mean


@dataclass
class Solution:
    """Where the B problems ended."""

    z: Array
    value: Array
    converged: Array
    iterations: int = 0


def _clip(x: Array, low: Array, high: Array) -> Array:
    return np.minimum(
        np.maximum(x, low), high
    )  # np.clip costs five times as much on small arrays


def _huber(r: Array, w: Array, delta: Array) -> Array:
    psi = _clip(r, -delta, delta)
    return np.einsum("bn,bn->b", w * psi, r - 0.5 * psi)


def _derivatives(objective, z, r, jac, slope, kappa, w, delta):
    """Gradient, Newton Hessian and majorising Gram matrix, (B, p), (B, p, p) twice."""
    psi = _clip(r, -delta, delta)
    wpsi = w * psi
    gradient = (jac @ wpsi[:, :, None])[:, :, 0]
    inside = np.abs(r) <= delta
    major = np.where(inside, w, wpsi / r)
    newton = np.where(inside, w, 0.0)
    if not np.isscalar(kappa) or kappa:
        newton = newton + wpsi * kappa
    b, p, n = jac.shape
    both = np.empty((b, 2, p, n))
    np.multiply(jac, newton[:, None], out=both[:, 0])
    np.multiply(jac, major[:, None], out=both[:, 1])
    gram = both.reshape(b, 2 * p, n) @ jac.transpose(0, 2, 1)
    hessian = gram[:, :p] + objective.curvature(z, wpsi * slope)
    return gradient, hessian, gram[:, p:]


def _solve(
    system: Array, g: Array, held: Array, moves: Array, diagonal: Array, tau: Array
) -> Array:
    """Solve ``system step = -g``, coordinates in ``held`` moving as ``moves`` says.

    The system is scaled to a unit majorising diagonal first.
    """
    d = np.sqrt(np.where(held, 1.0, diagonal))
    scaled = system / (d[:, :, None] * d[:, None, :])
    right = -g / d
    index = np.arange(g.shape[1])
    if held.any():
        right = np.where(
            held,
            moves,
            right - (scaled @ np.where(held, moves, 0.0)[:, :, None])[:, :, 0],
        )
        scaled = np.where(held[:, :, None] | held[:, None, :], 0.0, scaled)
        scaled[:, index, index] += held
    scaled[:, index, index] += np.where(held, 0.0, 1e-14 * (1.0 + tau[:, None]))
    try:
        return np.linalg.solve(scaled, right[:, :, None])[:, :, 0] / d
    except np.linalg.LinAlgError:
        scaled[:, index, index] += np.where(held, 0.0, 1e-9 * (1.0 + tau[:, None]))
        return np.linalg.solve(scaled, right[:, :, None])[:, :, 0] / d


def _steps(z, gradient, hessian, major, tau, objective):
    """Return the damped Newton trial points and the gradient without held coordinates.

    Held are coordinates at a bound with the gradient pointing outwards, and those
    the objective does not see (the exponent of a vanished term). A step across a
    bound stops there and the other coordinates are solved again.
    """
    low, high, slow = objective.low, objective.high, objective.slow
    diagonal = np.einsum("bii->bi", major)
    held = ((z <= low) & (gradient >= 0)) | ((z >= high) & (gradient <= 0))
    held |= diagonal <= 1e-18 * diagonal.max(axis=1, keepdims=True)
    g = np.where(held, 0.0, gradient)
    system = hessian + tau[:, None, None] * major
    step = _solve(system, g, held, 0.0 * g, diagonal, tau)
    uphill = ~((step * g).sum(axis=1) <= 0)
    if uphill.any():  # indefinite Hessian: the majoriser always descends
        system = np.where(
            uphill[:, None, None], (1 + tau[:, None, None]) * major, system
        )
        step = _solve(system, g, held, 0.0 * g, diagonal, tau)
    # an exponent may go four fifths of its way to a bound, not jump on it: at alpha = 0
    # the term is a constant and the problem a saddle
    least = np.where(slow & (z - low > 1e-6), -0.8 * (z - low), low - z)
    most = np.where(slow & (high - z > 1e-6), 0.8 * (high - z), high - z)
    for _ in range(g.shape[1]):
        crossed = ~held & ((step < least) | (step > most))
        if not crossed.any():
            break
        moves = _clip(step, least, most)
        held = held | crossed
        step = _solve(system, g, held, moves, diagonal, tau)
    return z + _clip(step, least, most), g


def minimise(
    objective: Objective, z: Array, *, max_iter: int = 400, tol: float = 1e-14
) -> Solution:
    """Minimise from every row of z at once; finished rows leave the batch.

    ``tol`` bounds the Newton decrement relative to the objective.
    """
    with np.errstate(all="ignore"):
        return _minimise(objective, np.array(z, dtype=float), max_iter, tol)


def _minimise(objective, z, max_iter, tol):
    target = objective.delta
    z = np.clip(z, objective.low, objective.high)
    out = Solution(z.copy(), np.full(len(z), np.inf), np.zeros(len(z), bool))
    rows = np.arange(len(z))
    w = np.broadcast_to(objective.weights, (len(z), objective.y.shape[-1]))
    y = np.broadcast_to(objective.target, w.shape)
    r, jac, slope, kappa = objective.residuals(z, y)
    delta = np.maximum(target, START_DELTA * np.median(np.abs(r), axis=1))[:, None]
    state = [
        z,
        _huber(r, w, delta),
        *_derivatives(objective, z, r, jac, slope, kappa, w, delta),
    ]
    tau = np.full(len(z), 1e-3)
    done = ~np.isfinite(state[1])
    good = np.zeros(len(z), bool)
    for out.iterations in range(max_iter + 1):
        if done.any() or out.iterations == max_iter:
            out.z[rows], out.value[rows] = (
                state[0],
                np.where(np.isfinite(state[1]), state[1], np.inf),
            )
            out.converged[rows] = good & done
            keep = ~done
            if not keep.any() or out.iterations == max_iter:
                break
            state = [a[keep] for a in state]
            tau, delta, rows, w, y = (a[keep] for a in (tau, delta, rows, w, y))
        z, value, gradient, hessian, major = state
        trial, g = _steps(z, gradient, hessian, major, tau, objective)
        step = trial - z
        r, jac, slope, kappa = objective.residuals(trial, y)
        trial_value = _huber(r, w, delta)
        accept = trial_value <= value
        at_target = delta[:, 0] <= target
        decrement = -(step * g).sum(axis=1)
        tiny = (np.abs(step) <= 1e-15 * (np.abs(z) + 1e-3)).all(axis=1)
        good = at_target & (tau <= 1e-2) & ((np.abs(decrement) <= tol * value) | tiny)
        good |= at_target & ~accept & (np.abs(decrement) <= 1e-10 * value)
        good |= at_target & (value <= objective.floor) & ~(trial_value < 0.5 * value)
        stuck = ~accept & (tau > 1e9)
        done = good | (at_target & stuck)
        gain = (value - trial_value) / (0.5 * decrement)
        tau = np.where(
            accept,
            tau * np.where(gain > 0.5, 0.1, np.where(gain < 0.1, 4.0, 1.0)),
            np.maximum(tau, 1e-3) * 8,
        )
        tau[tau < 1e-9] = 0.0
        lower = (accept | stuck) & ~at_target
        delta = np.where(lower[:, None], np.maximum(delta * LOWER_DELTA, target), delta)
        reached = _huber(r, w, delta) if lower.any() else trial_value
        fresh = [
            trial,
            reached,
            *_derivatives(objective, trial, r, jac, slope, kappa, w, delta),
        ]
        if accept.all():
            state = fresh
            continue
        state = [
            np.where(accept.reshape(-1, *[1] * (a.ndim - 1)), a, b)
            for a, b in zip(fresh, state)
        ]
        if (
            stuck.any()
        ):  # the next step is taken whatever it gives, under the lowered delta
            state[1] = np.where(stuck & ~at_target, np.inf, state[1])
            tau[stuck] = 1.0
    return out
