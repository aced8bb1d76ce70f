"""The shape every scaling law has: formula, parameters, and how to evaluate it.

Shape letters used in comments: B fits solved at once, p parameters, k of them
linear, q the others, n data points.

Inside a fit a law lives in *internal coordinates* z: columns named in ``scaled``
are divided by their geometric mean and the target by its own, so that every
coordinate is of order one; ``to_raw`` and ``from_raw`` translate. Users only
ever see raw units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

Array = np.ndarray
Exponents = Mapping[str, str | float]  # column -> exponent: "alpha", "-beta" or 2.0
INF = np.inf


@dataclass(frozen=True)
class Law:
    """Base of all laws: ``eta = sum_j c_j phi_j(x; theta)``.

    A separable law states ``linear`` and ``nonlinear`` names, ``basis`` and
    ``slopes``; a law that is not separable overrides ``evaluate`` and
    ``starts``. The prediction is ``eta``, or ``exp(eta)`` where ``log_link``.
    Units follow from ``powers``, the factors c of terms ``c prod x^-e``, and
    from ``logs``, the coordinates kept as logarithms (with the column they are
    measured in, or None).
    """

    formula: ClassVar[str] = ""
    source: ClassVar[str] = ""
    units: ClassVar[Mapping[str, str]] = {}
    meanings: ClassVar[Mapping[str, str]] = {}  # of parameters, in words
    scaled: ClassVar[tuple[str, ...]] = ()
    scale_target: ClassVar[bool] = True
    log_link: ClassVar[bool] = False
    rugged: ClassVar[bool] = False  # many local optima: search around the best ones
    cheap: ClassVar[bool] = True  # worth a second set of starts where data are noisy
    positive: ClassVar[tuple[str, ...]] = ()  # columns that must be > 0
    any_sign: ClassVar[tuple[str, ...]] = ()  # parameters that may be negative
    powers: ClassVar[Mapping[str, Exponents]] = {}
    logs: ClassVar[Mapping[str, str | None]] = {}
    variables: ClassVar[tuple[str, ...]] = ()
    target: ClassVar[str] = "L"
    linear: ClassVar[tuple[str, ...]] = ()
    nonlinear: ClassVar[tuple[str, ...]] = ()

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names in the order of every parameter array."""
        return self.linear + self.nonlinear

    @property
    def coupled(self) -> tuple[str, ...]:
        """Parameters whose raw values depend on the scale of a column."""
        return tuple(self.powers)

    @property
    def constants(self) -> tuple[str, ...]:
        """Additive constants, such as E: zero is a value like others to them."""
        return tuple(n for n in self.linear if n not in self.powers)

    @property
    def limits(self) -> dict[str, tuple[float, float]]:
        """Default bounds in raw units: none below zero, but those of any sign."""
        bare = {name: name.split("[")[0] for name in self.parameters}
        return {k: (0.0, INF) for k, v in bare.items() if v not in self.any_sign}

    def resolved(self, data: Mapping[str, Array]) -> Law:
        """Return the law with its groups read from the data."""
        return self

    def reference(self, name: str, column: Array) -> float:
        """Return what a scaled column is divided by: its geometric mean.

        A term's factor is then its size in the middle of the data, which keeps
        factor and exponent apart.
        """
        return geometric_mean(column)

    # -- evaluation -------------------------------------------------------
    def prepare(self, data: Mapping[str, Array], scale: Mapping[str, float]) -> dict:
        """Precompute from raw columns what ``basis`` and ``slopes`` need."""
        raise NotImplementedError

    def basis(self, theta: Array, prep: dict) -> Array:
        """Return phi, shape (B, k, n)."""
        raise NotImplementedError

    def slopes(self, c: Array, theta: Array, phi: Array, prep: dict) -> Array:
        """Return d eta / d theta, shape (B, q, n)."""
        raise NotImplementedError

    def evaluate(self, z: Array, prep: dict) -> tuple[Array, Array]:
        """Return eta (B, n) and its Jacobian (B, p, n)."""
        k = len(self.linear)
        c, theta = z[:, :k], z[:, k:]
        phi = self.basis(theta, prep)
        eta = (c[:, None, :] @ phi)[:, 0]
        if z.shape[1] == k:
            return eta, phi
        return eta, np.concatenate([phi, self.slopes(c, theta, phi, prep)], axis=1)

    def curvature(self, z: Array, prep: dict, q: Array) -> Array:
        """Return ``sum_i q_i Hess(eta_i)``, (B, p, p), by differences of the Jacobian."""
        k, p = len(self.linear), z.shape[1]
        h = 1e-5 * np.maximum(1.0, np.abs(z[:, k:]))
        steps = np.zeros((len(z), 2 * (p - k), p))
        for m in range(p - k):
            steps[:, 2 * m, k + m], steps[:, 2 * m + 1, k + m] = h[:, m], -h[:, m]
        flat = (z[:, None, :] + steps).reshape(-1, p)
        with np.errstate(all="ignore"):
            _, jac = self.evaluate(flat, prep)
            jac = jac.reshape(len(z), 2 * (p - k), p, -1)
            rows = np.einsum("bmpn,bn->bmp", jac[:, 0::2] - jac[:, 1::2], q)
        out = np.zeros((len(z), p, p))
        out[:, k:, :] = rows / (2 * h[:, :, None])
        out[:, :k, k:] = out[:, k:, :k].transpose(0, 2, 1)
        out[:, k:, k:] = (out[:, k:, k:] + out[:, k:, k:].transpose(0, 2, 1)) / 2
        return out

    # -- starting values --------------------------------------------------
    def grids(self, prep: dict) -> list[Array]:
        """One array of candidate values per nonlinear coordinate."""
        return []

    def depends(self) -> list[tuple[int, ...]]:
        """For each basis function the nonlinear coordinates that enter it."""
        return [tuple(range(len(self.nonlinear)))] * len(self.linear)

    def centre(self) -> Array | None:
        """Return nonlinear coordinates (q,) that are always tried, if there are any."""
        return None

    @property
    def informed(self) -> bool:
        """Whether the centre is the user's own: two starts that agree are enough."""
        return False

    def starts(self, prep: dict, y: Array, w: Array) -> Array | None:
        """Return starting points of the law's own, best first, (K, p); None: the grid's."""
        return None

    def confounded(self, prep: dict) -> str:
        """Say why the design of the data leaves parameters open; empty where it does not."""
        return ""

    def rivals(self, z: Array, prep: dict) -> Array:
        """Return points (K, p) that may fit as well as the optimum z (p,), for the status.

        A law overrides this where a design of the data lets terms change places.
        """
        return np.empty((0, len(z)))

    # -- units ------------------------------------------------------------
    def _factors(self, z: Array, scale: Mapping[str, float]) -> Array:
        """Return raw over internal values, (B, p); only exponents are read from z."""
        index, out = self.parameters.index, np.zeros_like(z)
        out[:, : len(self.linear)] = np.log(scale["target"])
        for name, exponents in self.powers.items():
            for column, e in exponents.items():
                if isinstance(e, str):
                    sign, e = signed(e)
                    e = sign * z[:, index(e)]
                out[:, index(name)] += e * np.log(scale[column])
        return np.exp(out)

    def to_raw(self, z: Array, scale: Mapping[str, float]) -> Array:
        """Translate internal coordinates (B, p) into raw parameters (B, p)."""
        raw = z * self._factors(z, scale)
        for name, column in self.logs.items():
            i = self.parameters.index(name)
            raw[:, i] = np.exp(z[:, i]) * (scale[column] if column else 1.0)
        return raw

    def from_raw(self, raw: Array, scale: Mapping[str, float]) -> Array:
        """Translate raw parameters (B, p) into internal coordinates (B, p)."""
        z = raw / self._factors(raw, scale)
        for name, column in self.logs.items():
            i = self.parameters.index(name)
            with np.errstate(divide="ignore"):
                z[:, i] = np.log(raw[:, i] / (scale[column] if column else 1.0))
        return z

    def derived(self, params: Mapping[str, float]) -> dict[str, float]:
        """Quantities that follow from the parameters; empty for most laws."""
        return {}

    def predict(self, params: Mapping[str, float], data: Mapping[str, Array]) -> Array:
        """Evaluate the law at given raw parameters.

        Examples
        --------
        >>> from scaling_core.fitting import PowerLaw
        >>> float(PowerLaw().predict({"E": 1, "A": 2, "alpha": 0.5}, {"x": [4.0]})[0])
        2.0
        """
        columns = {v: np.atleast_1d(np.asarray(data[v])) for v in self.variables}
        raw = np.array([[params[n] for n in self.parameters]], float)
        scale = unit_scale(self)
        with np.errstate(all="ignore"):
            z, prep = self.from_raw(raw, scale), self.prepare(columns, scale)
            eta, _ = self.evaluate(z, prep)
        return np.exp(eta[0]) if self.log_link else eta[0]


@dataclass(frozen=True)
class OneVariable(Law):
    """A law in one positive column, ``x``, of which it sees ``u``, the scaled logarithm."""

    x: str = field(default="x", kw_only=True)

    @property
    def variables(self):
        return (self.x,)

    @property
    def scaled(self):
        return (self.x,)

    @property
    def positive(self):
        return (self.x,)

    def prepare(self, data, scale):
        return {"u": np.log(data[self.x] / scale[self.x])}


def signed(exponent: str) -> tuple[float, str]:
    """Return the sign and the name of an exponent.

    >>> signed("-beta")
    (-1.0, 'beta')
    """
    return (-1.0, exponent[1:]) if exponent[0] == "-" else (1.0, exponent)


def geometric_mean(values: Array) -> float:
    """Return exp of the mean log of the non-zero magnitudes; 1 when there are none.

    Examples
    --------
    >>> round(geometric_mean(np.array([1.0, 100.0])), 9)
    10.0
    """
    size = np.abs(values[values != 0])
    return float(np.exp(np.mean(np.log(size)))) if len(size) else 1.0


def unit_scale(law: Law) -> dict[str, float]:
    """Return the scale that leaves every column as it is."""
    return dict.fromkeys((*law.variables, "target"), 1.0)


def one_hot(values: Array, levels: tuple) -> Array:
    """Return the (groups, n) membership matrix; unknown levels raise.

    Examples
    --------
    >>> one_hot(np.array(["a", "b", "a"]), ("a", "b"))
    array([[1., 0., 1.],
           [0., 1., 0.]])
    """
    member = np.array([values == level for level in levels], dtype=float)
    if not np.all(member.sum(axis=0) == 1):
        extra = sorted(set(np.asarray(values).tolist()) - set(levels))
        known = f"known: {list(levels)}"
        raise ValueError(f"groups {extra} were not in the fitted data ({known})")
    return member
