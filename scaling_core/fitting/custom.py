"""Any function a user brings, with its linear parameters found and eliminated."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from .law import Array, Law

STEP = 6e-6  # of central differences, in units of the coordinate
GRIDS = {1: (61, 1e4), 2: (25, 1e3), 3: (9, 100.0), 4: (5, 20.0)}  # values, reach


@dataclass(frozen=True)
class Custom(Law):
    """A law given as ``function(*inputs, *parameters)``, in the manner of curve_fit.

    ``inputs`` names the leading arguments, which are columns; the others are
    parameters. ``start`` gives each nonlinear parameter an order of magnitude
    (default 1); parameters in which the function is linear need none: they are
    found numerically and eliminated. To pickle a result, give a function of a module:
    Python pickles no lambda.

    Examples
    --------
    >>> from scaling_core.fitting import fit
    >>> law = Custom(lambda x, a, b: a * (1 - np.exp(-b * x)), start={"b": 0.1})
    >>> x = np.linspace(1, 50, 20)
    >>> r = fit(law, {"x": x, "y": 3 * (1 - np.exp(-0.07 * x))}, loss="mse")
    >>> round(r.params["a"], 8), round(r.params["b"], 8), r.law.linear
    (3.0, 0.07, ('a',))
    """

    function: Callable[..., Array]
    inputs: tuple[str, ...] = ("x",)
    output: str = "y"
    start: Mapping[str, float] = field(default_factory=dict)
    split: tuple[tuple[str, ...], tuple[str, ...]] | None = None  # found from the data

    scale_target = False
    cheap = False
    source = "given by the user"

    def __post_init__(self):
        if unknown := sorted(set(self.start) - set(self._names)):
            has = list(self._names)
            raise ValueError(f"start names {unknown}; the function has {has}")

    @property
    def formula(self):
        name = getattr(self.function, "__name__", "f")
        return f"{self.output} = {name}({', '.join(self.inputs + self._names)})"

    @property
    def variables(self):
        return self.inputs

    @property
    def target(self):
        return self.output

    @property
    def _names(self):
        return tuple(inspect.signature(self.function).parameters)[len(self.inputs) :]

    @property
    def any_sign(self):
        return self._names

    @property
    def linear(self):
        return self.split[0] if self.split else ()

    @property
    def nonlinear(self):
        return self.split[1] if self.split else self._names

    def resolved(self, data):
        if self.split is not None:
            return self
        linear = self._find_linear(data)
        others = tuple(name for name in self._names if name not in linear)
        return replace(self, split=(linear, others))

    def _call(self, data, values: Mapping[str, float]) -> Array:
        columns = [data[v] for v in self.inputs]
        with np.errstate(all="ignore"):
            out = self.function(*columns, *[values[n] for n in self._names])
        return np.broadcast_to(np.asarray(out, dtype=float), np.shape(columns[0]))

    def _find_linear(self, data) -> tuple[str, ...]:
        """Return parameters in which the function is jointly linear, with nothing left over."""
        rng = np.random.default_rng(0)
        size = {n: self.start.get(n, 1.0) or 1.0 for n in self._names}
        known: tuple[str, ...] = ()
        for name in self._names:
            if all(self._is_affine(data, (*known, name), size, rng) for _ in range(2)):
                known = (*known, name)
        rest = self._call(data, {n: 0.0 if n in known else v for n, v in size.items()})
        return known if known and (rest == 0).all() else ()

    def _is_affine(self, data, names, size: Mapping[str, float], rng) -> bool:
        """Test f(a + b - o) = f(a) + f(b) - f(o) in these names, and that the last matters."""
        point = {n: v * rng.uniform(0.8, 1.2) for n, v in size.items()}
        drawn = [{n: size[n] * rng.uniform(0.5, 2.0) for n in names} for _ in "oab"]
        o, a, b = (point | values for values in drawn)
        joint = point | {n: a[n] + b[n] - o[n] for n in names}
        moved = o | {names[-1]: a[names[-1]]}
        calls = [self._call(data, values) for values in (o, a, b, joint, moved)]
        if not np.isfinite(calls).all():
            return False
        f_o, f_a, f_b, f_j, f_m = calls
        slack = 1e-11 * (np.abs(f_o) + np.abs(f_a) + np.abs(f_b)) + 1e-300
        affine = (np.abs(f_j - f_a - f_b + f_o) <= slack).all()
        return bool(affine and (f_m != f_o).any())

    def prepare(self, data, scale):
        return {v: np.asarray(data[v], dtype=float) for v in self.inputs}

    @property
    def _sizes(self):
        return np.array([abs(self.start.get(n, 1.0)) or 1.0 for n in self.nonlinear])

    def _values(self, c, theta, prep):
        """Evaluate for every row of c and theta, (B, n)."""
        rows = np.concatenate([c, theta * self._sizes], axis=1)
        named = (dict(zip(self.parameters, row, strict=True)) for row in rows)
        return np.stack([self._call(prep, values) for values in named])

    def basis(self, theta, prep):
        units = [np.tile(unit, (len(theta), 1)) for unit in np.eye(len(self.linear))]
        if not units:
            return np.zeros((len(theta), 0, len(prep[self.inputs[0]])))
        return np.stack([self._values(unit, theta, prep) for unit in units], axis=1)

    def slopes(self, c, theta, phi, prep):
        out = []
        for m in range(theta.shape[1]):
            step = np.zeros_like(theta)
            step[:, m] = STEP * np.maximum(1e-3, np.abs(theta[:, m]))
            up, down = (self._values(c, theta + s * step, prep) for s in (1, -1))
            out.append((up - down) / (2 * step[:, m : m + 1]))
        return np.stack(out, axis=1)

    def evaluate(self, z, prep):
        if self.linear:
            return super().evaluate(z, prep)
        return self._values(z[:, :0], z, prep), self.slopes(z[:, :0], z, z, prep)

    def curvature(self, z, prep, q):
        return np.zeros((len(z), z.shape[1], z.shape[1]))

    def centre(self):
        """Return the user's own starting values: one size each, with their signs."""
        return np.array([np.sign(self.start.get(n, 1.0)) for n in self.nonlinear])

    @property
    def informed(self):
        return bool(self.start)

    def grids(self, prep):
        signs = self.centre()
        count, reach = GRIDS.get(len(signs), (3, 10.0))
        around, zero = np.geomspace(1 / reach, reach, count), np.linspace(-2, 2, count)
        return [s * around if s else zero for s in signs]

    def _factors(self, z, scale):
        return np.concatenate([np.ones(len(self.linear)), self._sizes])
