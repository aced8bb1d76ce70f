"""Laws of a training recipe: learning-rate schedule and floating-point precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .law import Array, Law

INF = np.inf


def schedule_areas(
    lr: Array, decay: float = 0.999, start: int = 0
) -> tuple[Array, Array]:
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
    from scipy.signal import lfilter

    lr = np.asarray(lr, dtype=float)
    falls = -np.diff(lr, prepend=lr[:1])
    falls[: start + 1] = 0.0
    return np.cumsum(lr), np.cumsum(lfilter([1.0], [1.0, -decay], falls))


@dataclass(frozen=True)
class LRAnnealing(Law):
    """Loss at every step of any learning-rate schedule, ``L = L_0 + A S1^-alpha - C S2``.

    S1 and S2 come from ``schedule_areas``. Source: arXiv 2408.11029, abstract.
    Chapter: fitting.

    Examples
    --------
    >>> from scaling_core.fitting import fit
    >>> S1, S2 = schedule_areas(3e-4 * np.cos(np.linspace(0, 1.5, 400)))
    >>> L = 2.6 + 0.4 * S1**-0.5 - 0.3 * S2
    >>> round(fit(LRAnnealing(), {"S1": S1, "S2": S2, "L": L}).params["C"], 6)
    0.3
    """

    formula = "L = L_0 + A S1^-alpha - C S2"
    source = "arXiv 2408.11029"
    units = {"L_0": "of L", "A": "of L S1^alpha", "C": "of L / S2", "alpha": "1"}
    variables = scaled = ("S1", "S2")
    positive = ("S1",)
    linear = ("L_0", "A", "C")
    nonlinear = ("alpha",)
    coupled = ("A", "C")

    @property
    def limits(self):
        return dict.fromkeys(self.parameters, (0.0, INF))

    def prepare(self, data, scale):
        return {
            "u": np.log(data["S1"] / scale["S1"]),
            "fall": -data["S2"] / scale["S2"],
        }

    def basis(self, theta, prep):
        power = np.exp(-theta * prep["u"])
        return np.stack(
            [np.ones_like(power), power, np.broadcast_to(prep["fall"], power.shape)],
            axis=1,
        )

    def slopes(self, c, theta, phi, prep):
        return (-c[:, 1:2] * prep["u"] * phi[:, 1])[:, None]

    def grids(self, prep):
        return [np.geomspace(0.02, 3.0, 40)]

    def depends(self):
        return [(), (0,), ()]

    def _factors(self, alpha, scale):
        one = np.ones_like(alpha)
        return scale["target"] * np.column_stack(
            [one, scale["S1"] ** alpha, one / scale["S2"]]
        )

    def to_raw(self, z, scale):
        return np.column_stack([z[:, :3] * self._factors(z[:, 3], scale), z[:, 3]])

    def from_raw(self, raw, scale):
        return np.column_stack(
            [raw[:, :3] / self._factors(raw[:, 3], scale), raw[:, 3]]
        )


@dataclass(frozen=True)
class FloatQuantisation(Law):
    """Loss under floating-point training with E exponent and M mantissa bits, block size B.

    ``L = n N^-alpha + d D^-beta + epsilon + D^beta N^-alpha log2(B) / (gamma (E+.5)^delta (M+.5)^nu)``.
    Linear in epsilon, n, d and 1/gamma; alpha and beta are shared with the last
    term. Source: arXiv 2501.02423, Table 2. Chapter: fitting.

    Examples
    --------
    >>> FloatQuantisation().best_mantissa(dict(delta=3.1926, nu=2.9543), bits=8).round(2)
    np.float64(3.34)
    """

    formula = "L = epsilon + n N^-alpha + d D^-beta + D^beta N^-alpha log2(B) / (gamma (E+.5)^delta (M+.5)^nu)"
    source = "arXiv 2501.02423, Table 2"
    units = {
        "epsilon": "of L",
        "n": "of L N^alpha",
        "d": "of L D^beta",
        "gamma": "D^beta / (N^alpha of L)",
        "alpha": "1",
        "beta": "1",
        "delta": "1",
        "nu": "1",
    }
    variables = ("N", "D", "E", "M", "B")
    positive = ("N", "D", "B")
    scaled = ("N", "D", "E", "M")
    neutral = {"E": 0.5, "M": 0.5}
    linear = ("epsilon", "n", "d", "gamma")
    nonlinear = ("alpha", "beta", "delta", "nu")
    coupled = ("n", "d", "gamma")

    @property
    def limits(self):
        return dict.fromkeys(self.parameters, (0.0, INF))

    def reference(self, name, column):
        """Return the least number of bits for E and M: there the last term is large."""
        return float(column.min()) if name in "EM" else super().reference(name, column)

    def prepare(self, data, scale):
        return {
            "u": np.log(data["N"] / scale["N"]),
            "v": np.log(data["D"] / scale["D"]),
            "e": np.log((data["E"] + 0.5) / (scale["E"] + 0.5)),
            "m": np.log((data["M"] + 0.5) / (scale["M"] + 0.5)),
            "b": np.log2(data["B"]),
        }

    def basis(self, theta, prep):
        alpha, beta, delta, nu = (theta[:, i : i + 1] for i in range(4))
        size, tokens = np.exp(-alpha * prep["u"]), np.exp(-beta * prep["v"])
        noise = prep["b"] * size / tokens * np.exp(-delta * prep["e"] - nu * prep["m"])
        return np.stack([np.ones_like(size), size, tokens, noise], axis=1)

    def slopes(self, c, theta, phi, prep):
        n, d, noise = (c[:, i : i + 1] * phi[:, i] for i in (1, 2, 3))
        return np.stack(
            [
                -prep["u"] * (n + noise),
                prep["v"] * (noise - d),
                -prep["e"] * noise,
                -prep["m"] * noise,
            ],
            axis=1,
        )

    def grids(self, prep):
        exponents, bits = np.geomspace(0.05, 1.5, 10), np.linspace(0.5, 6.5, 5)
        return [exponents, exponents, bits, bits]

    def depends(self):
        return [(), (0,), (1,), (0, 1, 2, 3)]

    def _logs(self, theta, scale):
        """Return the logs of the factors of n, d and 1/gamma, (B, 3)."""
        alpha, beta, delta, nu = theta.T
        n0, d0 = np.log(scale["N"]), np.log(scale["D"])
        e0, m0 = np.log(scale["E"] + 0.5), np.log(scale["M"] + 0.5)
        return np.column_stack(
            [alpha * n0, beta * d0, alpha * n0 - beta * d0 + delta * e0 + nu * m0]
        )

    def to_raw(self, z, scale):
        raw = z.copy()
        raw[:, :4] *= scale["target"]
        raw[:, 1:4] *= np.exp(self._logs(z[:, 4:], scale))
        with np.errstate(divide="ignore"):
            raw[:, 3] = 1.0 / raw[:, 3]
        return raw

    def from_raw(self, raw, scale):
        z = raw.copy()
        z[:, 3] = 1.0 / z[:, 3]
        z[:, 1:4] /= np.exp(self._logs(raw[:, 4:], scale))
        z[:, :4] /= scale["target"]
        return z

    def best_mantissa(self, params, bits):
        """Return the loss-minimising M of a format of ``bits`` = 1 + E + M bits."""
        return np.float64(params["nu"] * bits / (params["delta"] + params["nu"]) - 0.5)
