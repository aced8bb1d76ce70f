"""One fitting problem: data checked, units scaled, bounds translated, ready to minimise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from . import columns as col
from .law import Array, Law, geometric_mean, unit_scale
from .newton import Objective, minimise
from .varpro import N_STARTS, starting_cells

EXACT = 1e-13  # root mean square residual below which a fit is exact to rounding


@dataclass(frozen=True)
class Problem:
    """A law, its data in raw units, and the same thing in internal coordinates.

    ``low`` and ``high`` are internal bounds (p,); ``scale`` maps each scaled
    column, and ``"target"``, to the number it is divided by.
    """

    law: Law
    data: Mapping[str, Array]
    weights: Array
    loss: str
    delta: float
    bounds: Mapping[str, tuple[float, float]]
    scale: Mapping[str, float]
    prep: dict
    low: Array
    high: Array

    @property
    def y(self) -> Array:
        """Target divided by its scale."""
        return self.data[self.law.target] / self.scale["target"]

    @property
    def log_loss(self) -> bool:
        return self.loss == "log-huber"

    @property
    def unit(self) -> float:
        """What turns an internal residual into one in raw units."""
        return 1.0 if self.log_loss else self.scale["target"]

    @property
    def units(self) -> float:
        """What turns an internal objective into the reported one."""
        return self.unit**2 * (2.0 if self.loss == "mse" else 1.0)

    @property
    def floor(self) -> float:
        """Internal objective below which the fit is exact to rounding."""
        return 0.5 * float(np.sum(self.weights)) * EXACT**2

    @property
    def n_free(self) -> int:
        """Parameters that are not fixed."""
        return int(np.sum(self.low < self.high))

    @property
    def spare(self) -> int:
        """Points that count, less free parameters: n - p."""
        return int(np.sum(self.weights > 0)) - self.n_free

    def objective(
        self, weights: Array | None = None, y: Array | None = None
    ) -> Objective:
        """Return what Newton minimises; weights and y may be (B, n)."""
        return Objective(
            evaluate=lambda z: self.law.evaluate(z, self.prep),
            curvature=lambda z, q: self.law.curvature(z, self.prep, q),
            y=self.y if y is None else y,
            weights=self.weights if weights is None else weights,
            log_loss=self.log_loss,
            log_link=self.law.log_link,
            delta=np.inf if self.loss == "mse" else self.delta / self.unit,
            low=self.low,
            high=self.high,
            slow=np.arange(len(self.low)) >= len(self.law.linear),
            floor=self.floor,
        )

    def starts(
        self,
        weights: Array | None = None,
        *,
        count: int = N_STARTS,
        apart: bool = False,
    ) -> Array:
        """Return starting points (K, p), best first: the law's own, else the grid's.

        Errors on the grid are those of the loss's own residual to first order:
        relative where the loss is on logarithms.
        """
        law, y, w = self.law, self.y, self.weights if weights is None else weights
        with np.errstate(all="ignore"):
            z = law.starts(self.prep, y, w)
            if z is None:
                if law.log_link:
                    target, w = np.log(y), w * (1.0 if self.log_loss else y**2)
                else:
                    target, w = y, w / (y**2 if self.log_loss else 1.0)
                ends = self.low, self.high
                z = starting_cells(law, self.prep, target, w, *ends, count, apart)
        return np.clip(z, self.low, self.high)

    def raw(self, z: Array) -> Array:
        """Translate internal coordinates (B, p) into raw parameters."""
        with np.errstate(all="ignore"):
            return self.law.to_raw(z, self.scale)

    def named(self, z: Array) -> dict[str, float]:
        """Return raw parameters by name at internal coordinates (p,)."""
        raw = self.raw(z[None])[0].tolist()
        return dict(zip(self.law.parameters, raw, strict=True))

    def predict(self, z: Array, data: Mapping[str, Array] | None = None) -> Array:
        """Return predictions in raw units, (B, n), for internal coordinates (B, p)."""
        prep = self.prep if data is None else self.law.prepare(data, self.scale)
        with np.errstate(all="ignore"):
            eta, _ = self.law.evaluate(z, prep)
            return np.exp(eta) if self.law.log_link else eta * self.scale["target"]

    def residuals(self, z: Array) -> Array:
        """Return residuals (n,) as the loss sees them, in raw units of the target."""
        fitted, y = self.predict(z[None])[0], self.data[self.law.target]
        return np.log(fitted) - np.log(y) if self.log_loss else fitted - y

    def rebound(self, bounds: Mapping[str, tuple[float, float]]) -> Problem:
        """Return the same problem under other bounds (raw units)."""
        limits = {**self.bounds, **bounds}
        return build(self.law, self.data, self.loss, self.delta, self.weights, limits)


@dataclass(frozen=True)
class Optimum:
    """A problem and the internal coordinates z (p,) where its minimisation ended."""

    problem: Problem = field(repr=False)
    z: Array = field(repr=False)

    @property
    def law(self) -> Law:
        return self.problem.law

    @property
    def loss(self) -> str:
        return self.problem.loss

    @property
    def delta(self) -> float:
        return self.problem.delta

    @property
    def n(self) -> int:
        """Number of points."""
        return len(self.problem.weights)

    @cached_property
    def params(self) -> dict[str, float]:
        """Raw parameter values, named as in ``law.formula``."""
        return self.problem.named(self.z)

    @cached_property
    def on_bound(self) -> tuple[str, ...]:
        """Free parameters that ended on a bound."""
        bound = diagnose(self.problem, self.z)[2]
        return tuple(np.array(self.law.parameters)[bound].tolist())

    @cached_property
    def released(self) -> Optimum:
        """The optimum without the bounds met by this one: intervals are made of it.

        A bound of the user's gives way to the law's own; an additive constant may
        become negative. Held at a bound a parameter would look known, and those it
        trades with too.
        """
        own = {name: self._released_bounds(name) for name in self.on_bound}
        changed = {k: v for k, v in own.items() if v != self.problem.bounds[k]}
        if not changed:
            return self
        problem = self.problem.rebound(changed)
        raw = np.array([list(self.params.values())])
        found = minimise(problem.objective(), self.law.from_raw(raw, problem.scale))
        return Optimum(problem, found.z[0])

    def _released_bounds(self, name: str) -> tuple[float, float]:
        limits = self.law.limits.get(name, (-np.inf, np.inf))
        return (-np.inf, np.inf) if name in self.law.constants else limits

    @property
    def derived(self) -> dict[str, float]:
        """Quantities that follow from the parameters (a, b, G of Chinchilla, ...)."""
        return self.law.derived(self.params)

    @property
    def residuals(self) -> Array:
        """Residuals (n,) as the loss sees them."""
        return self.problem.residuals(self.z)

    def predict(self, data: Any = None) -> Array:
        """Return predictions at new columns, or at the fitted points.

        Examples
        --------
        >>> from scaling_core.fitting import fit, PowerLaw
        >>> r = fit(PowerLaw(), {"x": [1, 2, 4, 8, 16], "L": [3, 2, 1.5, 1.25, 1.125]})
        >>> r.predict({"x": [32]}).round(6)
        array([1.0625])
        """
        inputs = None if data is None else col.read_inputs(self.law, data)
        return self.problem.predict(self.z[None], inputs)[0]


def build_problem(
    law: Law,
    data: Any,
    loss: str = "log-huber",
    delta: float = 1e-3,
    weights: Any = None,
    bounds: Any = None,
    columns: Any = None,
) -> Problem:
    """Check what a user handed in and set the problem up."""
    found = col.read_columns(law, data, columns)
    n, name = len(found[law.target]), type(law).__name__
    law = law.resolved(found)
    col.check_loss(loss, delta, found[law.target], law.target)
    limits = col.read_bounds(law, bounds)
    free = sum(low < high for low, high in limits.values())
    if n < max(free, 2):
        raise ValueError(
            f"{name} has {free} free parameter{'s' * (free != 1)}; "
            f"{n} point{'s' * (n != 1)} cannot determine {'them' if free != 1 else 'it'}"
        )
    if law.log_link:
        why = f"{name} predicts its logarithm"
        col.check_positive(found[law.target], law.target, why)
    return build(law, found, loss, delta, col.read_weights(weights, n), limits)


def build(law: Law, columns: Mapping, loss, delta, weights, limits: Mapping) -> Problem:
    """Scale units and translate bounds; bounds on values tied to the scale keep raw units."""
    scale, own = unit_scale(law), law.limits
    if all(limits[name] == own.get(name, (-np.inf, np.inf)) for name in law.coupled):
        for name in law.scaled:
            scale[name] = law.reference(name, columns[name])
        if law.scale_target:
            scale["target"] = geometric_mean(columns[law.target])
    low, high = _internal_bounds(law, limits, scale)
    prep, delta = law.prepare(columns, scale), float(delta)
    return Problem(law, columns, weights, loss, delta, limits, scale, prep, low, high)


def _internal_bounds(law: Law, limits: Mapping, scale: Mapping) -> tuple[Array, Array]:
    """Translate bounds one coordinate at a time (the maps are monotone, some falling)."""
    ends = np.array([limits[name] for name in law.parameters])
    out = np.empty_like(ends)
    with np.errstate(all="ignore"):
        inside = np.clip(1.0, ends[:, 0], ends[:, 1])
        ordinary = np.where(np.isfinite(ends).all(1), ends.mean(1), inside)
        for i in range(len(ends)):
            raw = np.tile(ordinary, (2, 1))
            raw[:, i] = ends[i]
            out[i] = np.sort(law.from_raw(raw, scale)[:, i])
    return out[:, 0], out[:, 1]


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
