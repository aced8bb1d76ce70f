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
from dataclasses import dataclass, fields

import numpy as np

Array = np.ndarray
START_DELTA = 2.0  # times the median absolute residual
LOWER_DELTA = 0.2  # per successful step
AGREE = 1e-6  # relative gap between objectives that count as the same optimum
ENOUGH = 3  # rows that agree on a value before rows above it are given up ...
PATIENCE = 20  # ... which get as many steps first


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

    def joined(self, other: Solution) -> Solution:
        """Return the rows of both."""
        names = ("z", "value", "converged")
        pairs = ((getattr(self, name), getattr(other, name)) for name in names)
        z, value, converged = map(np.concatenate, pairs)
        return Solution(z, value, converged)


def _clip(x: Array, low: Array, high: Array) -> Array:
    return np.minimum(
        np.maximum(x, low), high
    )  # np.clip costs five times as much on small arrays


def _huber(r: Array, w: Array, delta: Array) -> Array:
    psi = _clip(r, -delta, delta)
    return np.einsum("bn,bn->b", w * psi, r - 0.5 * psi)


def _derivatives(objective, z, w, delta, r, jac, slope, kappa):
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


@dataclass
class _System:
    """The linear systems ``matrix step = -g`` of B damped steps, scaled."""

    matrix: Array
    right: Array
    size: Array  # what the scaled step is divided by
    tau: Array

    @classmethod
    def scaled(cls, matrix: Array, g: Array, diagonal: Array, tau: Array) -> _System:
        """Scale by the majoriser's diagonal."""
        size = np.sqrt(diagonal)
        matrix = matrix / (size[:, :, None] * size[:, None, :])
        np.einsum("bii->bi", matrix)[...] += 1e-14 * (1.0 + tau[:, None])
        return cls(matrix, -g / size, size, tau)

    def solve(self, held: Array, moves: Array, some: Array | slice = slice(None)):
        """Return the steps of some rows, coordinates in ``held`` moving as ``moves`` says."""
        matrix, right, size = self.matrix[some], self.right[some], self.size[some]
        held, moves = held[some], moves[some]
        unit = np.eye(held.shape[1])
        if held.any():
            shift = np.where(held, moves * size, 0.0)
            right = right - (matrix @ shift[:, :, None])[:, :, 0]
            right = np.where(held, shift, right)
            both = held[:, :, None] | held[:, None, :]
            matrix = np.where(both, unit, matrix)
        try:
            step = np.linalg.solve(matrix, right[:, :, None])[:, :, 0]
        except np.linalg.LinAlgError:
            more = 1e-9 * (1.0 + self.tau[some])
            matrix = matrix + more[:, None, None] * unit
            step = np.linalg.solve(matrix, right[:, :, None])[:, :, 0]
        return np.where(held, moves, step / size)


@dataclass
class _Rows:
    """Problems still running, a row each: settings, place, and the loss around it."""

    index: Array  # row of the solution
    w: Array
    y: Array
    tau: Array  # damping
    delta: Array  # (B, 1), on its way down to the objective's
    z: Array
    value: Array
    gradient: Array
    hessian: Array
    major: Array

    def only(self, keep: Array) -> _Rows:
        """Return the rows chosen by a mask."""
        return _Rows(*(getattr(self, f.name)[keep] for f in fields(self)))

    def move(self, accept: Array, fresh: tuple) -> None:
        """Put the accepted rows at their new places."""
        names = ("z", "value", "gradient", "hessian", "major")
        for name, new in zip(names, fresh, strict=True):
            if not accept.all():
                mask = accept.reshape(-1, *[1] * (new.ndim - 1))
                new = np.where(mask, new, getattr(self, name))
            setattr(self, name, new)


def _steps(rows: _Rows, objective: Objective) -> tuple[Array, Array]:
    """Return the damped Newton trial points and the gradient without held coordinates.

    Held are coordinates at a bound with the gradient pointing outwards, and those
    the objective does not see (the exponent of a vanished term). A step across a
    bound stops there and the other coordinates are solved again.
    """
    low, high, slow = objective.low, objective.high, objective.slow
    z, gradient, tau, major = rows.z, rows.gradient, rows.tau, rows.major
    diagonal = np.einsum("bii->bi", major)
    held = ((z <= low) & (gradient >= 0)) | ((z >= high) & (gradient <= 0))
    held |= diagonal <= 1e-18 * diagonal.max(axis=1, keepdims=True)
    g = np.where(held, 0.0, gradient)
    still, scale = np.zeros_like(g), np.where(held, 1.0, diagonal)
    system = _System.scaled(rows.hessian + tau[:, None, None] * major, g, scale, tau)
    step = system.solve(held, still)
    uphill = np.flatnonzero(~((step * g).sum(axis=1) <= 0))
    if len(uphill):  # indefinite Hessian: the majoriser always descends
        down = (1 + tau[uphill, None, None]) * major[uphill]
        parts = g[uphill], scale[uphill], tau[uphill]
        system.matrix[uphill] = _System.scaled(down, *parts).matrix
        step[uphill] = system.solve(held, still, uphill)
    # an exponent may go four fifths of its way to a bound, not jump on it: at alpha = 0
    # the term is a constant and the problem a saddle
    least, most = low - z, high - z
    least = np.where(slow & (least < -1e-6), 0.8 * least, least)
    most = np.where(slow & (most > 1e-6), 0.8 * most, most)
    for _ in range(g.shape[1]):
        crossed = ~held & ((step < least) | (step > most))
        across = np.flatnonzero(crossed.any(axis=1))
        if not len(across):
            break
        held |= crossed
        step[across] = system.solve(held, _clip(step, least, most), across)
    return z + _clip(step, least, most), g


def minimise(
    objective: Objective,
    z: Array,
    *,
    max_iter: int = 400,
    tol: float = 1e-14,
    known: Array | None = None,
) -> Solution:
    """Minimise from every row of z at once; finished rows leave the batch.

    ``tol`` bounds the Newton decrement relative to the objective. ``known`` says that the
    rows are starts of one problem, whose earlier rows converged to these values: after
    ``PATIENCE`` steps rows above a value that ``ENOUGH`` rows reached are given up.
    """
    z = np.clip(np.array(z, dtype=float), objective.low, objective.high)
    out = Solution(z, np.full(len(z), np.inf), np.zeros(len(z), bool))
    with np.errstate(all="ignore"):
        rows = _first_rows(objective, z)
        good, done = np.zeros(len(z), bool), ~np.isfinite(rows.value)
        for out.iterations in range(max_iter + 1):
            last = out.iterations == max_iter
            if done.any() or last:
                value = np.where(np.isfinite(rows.value), rows.value, np.inf)
                out.z[rows.index], out.value[rows.index] = rows.z, value
                out.converged[rows.index] = good & done
                if last or done.all():
                    break
                rows = rows.only(~done)
            good, done = _advance(objective, rows, tol)
            if known is not None and out.iterations >= PATIENCE:
                reached = np.append(known, out.value[out.converged])
                done = done | _beaten(objective, rows, reached)
    return out


def _beaten(objective: Objective, rows: _Rows, reached: Array) -> Array:
    """Return which rows are above the least value, if enough have converged to that.

    A row on its way to less than any value reached keeps all others running.
    """
    at_target = rows.delta[:, 0] <= objective.delta
    least = min(
        reached.min(initial=np.inf), rows.value.min(initial=np.inf, where=at_target)
    )
    agreeing = np.sum(reached <= least * (1 + AGREE) + objective.floor)
    return at_target & (rows.value > least) & (agreeing >= ENOUGH)


def _first_rows(objective: Objective, z: Array) -> _Rows:
    w = np.broadcast_to(objective.weights, (len(z), objective.y.shape[-1]))
    y = np.broadcast_to(objective.target, w.shape)
    r, *slopes = objective.residuals(z, y)
    size = START_DELTA * np.median(np.abs(r), axis=1)
    delta = np.maximum(objective.delta, size)[:, None]
    around = _derivatives(objective, z, w, delta, r, *slopes)
    index, tau = np.arange(len(z)), np.full(len(z), 1e-3)
    return _Rows(index, w, y, tau, delta, z.copy(), _huber(r, w, delta), *around)


def _advance(objective: Objective, rows: _Rows, tol: float) -> tuple[Array, Array]:
    """Take one damped step in every row; return which rows have converged, and ended."""
    value, target = rows.value, objective.delta
    trial, g = _steps(rows, objective)
    step = trial - rows.z
    r, *slopes = objective.residuals(trial, rows.y)
    trial_value = _huber(r, rows.w, rows.delta)
    accept, at_target = trial_value <= value, rows.delta[:, 0] <= target
    decrement = -(step * g).sum(axis=1)
    tiny = (np.abs(step) <= 1e-15 * (np.abs(rows.z) + 1e-3)).all(axis=1)
    good = (rows.tau <= 1e-2) & ((np.abs(decrement) <= tol * value) | tiny)
    good |= ~accept & (np.abs(decrement) <= 1e-10 * value)
    good |= (value <= objective.floor) & ~(trial_value < 0.5 * value)
    good &= at_target
    stuck = ~accept & (rows.tau > 1e9)
    _damp(rows, accept, (value - trial_value) / (0.5 * decrement))
    lower = (accept | stuck) & ~at_target
    if lower.any():
        lowered = np.maximum(rows.delta * LOWER_DELTA, target)
        rows.delta = np.where(lower[:, None], lowered, rows.delta)
        trial_value = _huber(r, rows.w, rows.delta)
    around = _derivatives(objective, trial, rows.w, rows.delta, r, *slopes)
    rows.move(accept, (trial, trial_value, *around))
    if stuck.any():  # the next step is taken whatever it gives, under the lowered delta
        rows.value = np.where(stuck & ~at_target, np.inf, rows.value)
        rows.tau[stuck] = 1.0
    return good, good | (at_target & stuck)


def _damp(rows: _Rows, accept: Array, gain: Array) -> None:
    """Lower the damping where the quadratic model held, raise it where it did not."""
    factor = np.where(gain > 0.5, 0.1, np.where(gain < 0.1, 4.0, 1.0))
    rows.tau = np.where(accept, rows.tau * factor, np.maximum(rows.tau, 1e-3) * 8)
    rows.tau[rows.tau < 1e-9] = 0.0
