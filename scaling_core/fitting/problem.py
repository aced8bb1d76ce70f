"""One fitting problem: data checked, units scaled, bounds translated, ready to minimise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import columns as col
from .law import Array, Law, geometric_mean, unit_scale
from .newton import Objective

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
    def units(self) -> float:
        """What turns an internal objective into the reported one."""
        square = 1.0 if self.log_loss else self.scale["target"] ** 2
        return square * (2.0 if self.loss == "mse" else 1.0)

    @property
    def floor(self) -> float:
        """Internal objective below which the fit is exact to rounding."""
        return 0.5 * float(np.sum(self.weights)) * EXACT**2

    def objective(
        self, weights: Array | None = None, y: Array | None = None
    ) -> Objective:
        """Return what Newton minimises; weights and y may be (B, n)."""
        linear_units = 1.0 if self.log_loss else self.scale["target"]
        slow = np.arange(len(self.low)) >= len(self.law.linear)
        return Objective(
            evaluate=lambda z: self.law.evaluate(z, self.prep),
            curvature=lambda z, q: self.law.curvature(z, self.prep, q),
            y=self.y if y is None else y,
            weights=self.weights if weights is None else weights,
            log_loss=self.log_loss,
            log_link=self.law.log_link,
            delta=np.inf if self.loss == "mse" else self.delta / linear_units,
            low=self.low,
            high=self.high,
            slow=slow,
            floor=self.floor,
        )

    def starts(self, weights: Array | None = None, **options: Any) -> Array:
        """Return starting points (K, p), best first."""
        w = self.weights if weights is None else weights
        with np.errstate(all="ignore"):
            z = self.law.starts(
                self.prep,
                self.y,
                w,
                log_loss=self.log_loss,
                low=self.low,
                high=self.high,
                **options,
            )
        return np.clip(z, self.low, self.high)

    def raw(self, z: Array) -> Array:
        """Translate internal coordinates (B, p) into raw parameters."""
        with np.errstate(all="ignore"):
            return self.law.to_raw(z, self.scale)

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
        return build(
            self.law,
            self.data,
            self.loss,
            self.delta,
            self.weights,
            {**self.bounds, **bounds},
        )


def build_problem(
    law: Law, data: Any, loss: str, delta: float, weights: Any, bounds: Any
) -> Problem:
    """Check what a user handed in and set the problem up."""
    columns = col.read_columns(law, data)
    n = len(columns[law.target])
    law = law.resolved(columns)
    col.check_loss(loss, delta, columns[law.target], law.target)
    limits = col.read_bounds(law, bounds)
    free = sum(low < high for low, high in limits.values())
    if n < max(free, 2):
        raise ValueError(
            f"{type(law).__name__} has {free} free parameter{'s' * (free != 1)}; "
            f"{n} point{'s' * (n != 1)} cannot determine {'them' if free != 1 else 'it'}"
        )
    if law.log_link:
        col.check_positive(
            columns[law.target],
            law.target,
            f"{type(law).__name__} predicts its logarithm",
        )
    return build(law, columns, loss, delta, col.read_weights(weights, n), limits)


def build(
    law: Law,
    columns: Mapping[str, Array],
    loss: str,
    delta: float,
    weights: Array,
    limits: Mapping,
) -> Problem:
    """Scale units and translate bounds; bounds on values tied to the scale keep raw units."""
    scale = unit_scale(law)
    tied = any(
        limits[name] != law.limits.get(name, (-np.inf, np.inf)) for name in law.coupled
    )
    if not tied:
        for name in law.scaled:
            scale[name] = law.reference(name, columns[name])
        if law.scale_target:
            scale["target"] = geometric_mean(columns[law.target])
    low, high = _internal_bounds(law, limits, scale)
    prep = law.prepare(columns, scale)
    return Problem(
        law, columns, weights, loss, float(delta), limits, scale, prep, low, high
    )


def _internal_bounds(law: Law, limits: Mapping, scale: Mapping) -> tuple[Array, Array]:
    """Translate bounds one coordinate at a time (the maps are monotone, some falling)."""
    names = law.parameters
    ends = np.array([limits[name] for name in names])
    out = np.empty_like(ends)
    with np.errstate(all="ignore"):
        ordinary = np.where(
            np.isfinite(ends).all(1), ends.mean(1), np.clip(1.0, ends[:, 0], ends[:, 1])
        )
        for i in range(len(names)):
            raw = np.tile(ordinary, (2, 1))
            raw[:, i] = ends[i]
            out[i] = np.sort(law.from_raw(raw, scale)[:, i])
    return out[:, 0], out[:, 1]
