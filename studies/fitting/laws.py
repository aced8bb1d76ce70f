"""Laws of training recipes that this chapter alone fits: schedule, precision, streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.signal import lfilter

from scaling_core.fitting.law import Law
from scaling_core.fitting.powers import PowerSum
from scaling_core.fitting.varpro import solve_bounded

INF = np.inf


def schedule_areas(
    lr: np.ndarray, decay: float = 0.999, start: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return S1 and S2 of a learning-rate schedule, one value per step.

    ``S1(s) = sum_{i <= s} lr_i`` and ``S2(s) = sum_{i <= s} m_i`` with the momentum
    ``m_i = decay m_{i-1} + lr_{i-1} - lr_i``, started at zero in step ``start``
    (the end of warm-up; earlier falls do not count). Source: arXiv 2408.11029.

    Examples
    --------
    >>> s1, s2 = schedule_areas(np.array([1.0, 1.0, 0.5, 0.5]), decay=0.5)
    >>> s1.tolist(), s2.tolist()
    ([1.0, 2.0, 2.5, 3.0], [0.0, 0.0, 0.5, 0.75])
    """
    lr = np.asarray(lr, dtype=float)
    falls = -np.diff(lr, prepend=lr[:1])
    falls[: start + 1] = 0.0
    return np.cumsum(lr), np.cumsum(lfilter([1.0], [1.0, -decay], falls))


class LRAnnealing(PowerSum):
    """Loss at every step of any learning-rate schedule, ``L = L_0 + A S1^-alpha - C S2``.

    S1 and S2 come from ``schedule_areas``. Source: arXiv 2408.11029, abstract.

    Examples
    --------
    >>> from scaling_core.fitting import fit
    >>> S1, S2 = schedule_areas(3e-4 * np.cos(np.linspace(0, 1.5, 400)))
    >>> L = 2.6 + 0.4 * S1**-0.5 - 0.3 * S2
    >>> round(fit(LRAnnealing(), {"S1": S1, "S2": S2, "L": L}).params["C"], 6)
    0.3
    """

    terms: ClassVar = {"L_0": {}, "A": {"S1": "alpha"}, "C": {"S2": -1.0}}
    minus = ("C",)
    source = "arXiv 2408.11029"

    def grids(self, prep):
        return [np.geomspace(0.02, 3.0, 40)]


class PowerStreams(PowerSum):
    """Streams that act like parameters by a power, ``L = E + A N^-alpha P^-kappa``.

    The rival of a logarithm: with P = 1, 2, 4, 8 the two are hard to tell apart.

    >>> law = PowerStreams()
    >>> p = dict(E=1.0, A=2.0, alpha=0.5, kappa=1.0)
    >>> float(law.predict(p, {"N": [4.0], "P": [2.0]})[0])
    1.5
    """

    terms: ClassVar = {"E": {}, "A": {"N": "alpha", "P": "kappa"}}
    source = "ours, for comparison"

    def grids(self, prep):
        return [np.geomspace(0.02, 2.0, 16), np.geomspace(0.005, 1.0, 16)]


class FloatQuantisation(PowerSum):
    """Loss under floating-point training with E exponent and M mantissa bits, block size B.

    ``L = n N^-alpha + d D^-beta + epsilon
    + D^beta N^-alpha log2(B) / (gamma (E+.5)^delta (M+.5)^nu)``. Linear in epsilon,
    n, d and 1/gamma. Source: arXiv 2501.02423, Table 2.

    Examples
    --------
    >>> FloatQuantisation().best_mantissa(dict(delta=3.1926, nu=2.9543), bits=8).round(2)
    np.float64(3.34)
    """

    terms: ClassVar = {
        "epsilon": {},
        "n": {"N": "alpha"},
        "d": {"D": "beta"},
        "gamma": {"N": "alpha", "D": "-beta", "E": "delta", "M": "nu"},
    }
    source = "arXiv 2501.02423, Table 2"

    @property
    def formula(self):
        last = "D^beta N^-alpha log2(B) / (gamma (E+.5)^delta (M+.5)^nu)"
        return f"L = epsilon + n N^-alpha + d D^-beta + {last}"

    @property
    def variables(self):
        return ("N", "D", "E", "M", "B")

    @property
    def positive(self):
        return ("N", "D", "B")

    def reference(self, name, column):
        """Return the least number of bits for E and M: there the last term is large."""
        least = float(column.min()) + 0.5
        return least if name in "EM" else super().reference(name, column)

    def prepare(self, data, scale):
        shifted = {name: data[name] + 0.5 for name in "EM"}
        prep = super().prepare({**data, **shifted}, scale)
        noise = prep["gamma"]
        constant = noise.constant * np.log2(data["B"])
        return {**prep, "gamma": noise._replace(constant=constant)}

    def grids(self, prep):
        exponents, bits = np.geomspace(0.05, 1.5, 10), np.linspace(0.5, 6.5, 5)
        return [exponents, exponents, bits, bits]

    def to_raw(self, z, scale):
        raw = super().to_raw(z, scale)
        with np.errstate(divide="ignore"):
            raw[:, 3] = 1.0 / raw[:, 3]
        return raw

    def from_raw(self, raw, scale):
        inverse = raw.copy()
        inverse[:, 3] = 1.0 / raw[:, 3]
        return super().from_raw(inverse, scale)

    def best_mantissa(self, params, bits):
        """Return the loss-minimising M of a format of ``bits`` = 1 + E + M bits."""
        return np.float64(params["nu"] * bits / (params["delta"] + params["nu"]) - 0.5)


@dataclass(frozen=True)
class ParScale(Law):
    """Loss with P parallel streams, ``L = E + (A 1e9 / (N (k ln P + 1)))^alpha``.

    Source: arXiv 2505.10475, eq. of section 3.

    Examples
    --------
    >>> p = dict(E=0.69, A=0.0113, alpha=0.19, k=0.39)
    >>> ParScale().predict(p, {"N": [1e9, 1e9], "P": [1, 8]}).round(3)
    array([1.117, 1.071])
    """

    formula = "L = E + (A 1e9 / (N (k ln P + 1)))^alpha"
    source = "arXiv 2505.10475"
    units: ClassVar = {"E": "of L", "A": "1e9 parameters", "alpha": "1", "k": "1"}
    variables = positive = ("N", "P")
    scaled = ("N",)
    scale_target = False
    linear = ("E",)
    nonlinear = ("A", "alpha", "k")
    logs: ClassVar = {"A": "N"}

    def prepare(self, data, scale):
        return {"u": np.log(data["N"] / scale["N"]), "p": np.log(data["P"])}

    def evaluate(self, z, prep):
        e, a, alpha, k = (z[:, i : i + 1] for i in range(4))
        streams = k * prep["p"] + 1
        g = a - prep["u"] - np.log(streams)
        term = np.exp(alpha * g)
        by_k = -alpha * term * prep["p"] / streams
        return e + term, np.stack([np.ones_like(term), alpha * term, g * term, by_k], 1)

    def starts(self, prep, y, w):
        """Solve E and A^alpha on a grid of alpha and k."""
        axes = np.geomspace(0.03, 1.5, 16), np.linspace(0, 2, 9)
        alpha, k = (g.ravel()[:, None] for g in np.meshgrid(*axes))
        power = np.exp(-alpha * (prep["u"] + np.log(k * prep["p"] + 1)))
        phi = np.stack([np.ones_like(power), power], axis=1)
        weighted = phi * (w / y**2)
        low, gram = np.array([0.0, 1e-3 * y.min()]), weighted @ phi.transpose(0, 2, 1)
        c = solve_bounded(gram, weighted @ y, low, np.full(2, INF))
        error = (((c[:, None] @ phi)[:, 0] / y - 1) ** 2) @ w
        a = np.log(c[:, 1]) / alpha[:, 0]
        z = np.column_stack([c[:, 0], a, alpha[:, 0], k[:, 0]])
        return z[np.argsort(error)[[0, 1, 2, 4, 8, 16]]]

    def to_raw(self, z, scale):
        return super().to_raw(z, scale) * [1.0, 1e-9, 1.0, 1.0]

    def from_raw(self, raw, scale):
        return super().from_raw(raw * [1.0, 1e9, 1.0, 1.0], scale)
