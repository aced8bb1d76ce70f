"""Published laws that are no plain sums of powers: joint, repeated data, sigmoid, saturating."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.special import expit

from .law import Law, OneVariable, one_hot
from .laws import Chinchilla


@dataclass(frozen=True)
class Kaplan(Law):
    """Kaplan's joint law, ``L = ((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D``.

    N_c and D_c are the sizes at which the loss would be 1 were the other without end,
    alpha_N and alpha_D the powers by which it falls. Not linear in anything, but log L is linear in two of four coordinates, and
    the starts use that. Source: arXiv 2001.08361, eq. 1.5.

    Examples
    --------
    >>> p = dict(N_c=8.8e13, alpha_N=0.076, D_c=5.4e13, alpha_D=0.095)
    >>> round(float(Kaplan().predict(p, {"N": [1e9], "D": [1e10]})[0]), 2)
    2.48
    """

    formula = "L = ((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D"
    source = "arXiv 2001.08361, eq. 1.5"
    units: ClassVar = {"N_c": "of N", "alpha_N": "1", "D_c": "of D", "alpha_D": "1"}
    meanings: ClassVar = {
        "N_c": "parameters at which loss is 1, data without end",
        "alpha_N": "power of parameters by which loss falls",
        "D_c": "tokens at which loss is 1, model without end",
        "alpha_D": "power of tokens by which loss falls",
    }
    variables = scaled = positive = ("N", "D")
    scale_target = False
    log_link = True
    nonlinear = ("N_c", "alpha_N", "D_c", "alpha_D")
    logs: ClassVar = {"N_c": "N", "D_c": "D"}

    def prepare(self, data, scale):
        return {x: np.log(data[x] / scale[x]) for x in "ND"}

    def evaluate(self, z, prep):
        n_c, alpha_n, d_c, alpha_d = (z[:, i : i + 1] for i in range(4))
        ratio, gap = alpha_n / alpha_d, n_c - prep["N"]
        first, second = ratio * gap, d_c - prep["D"]
        total = np.logaddexp(first, second)
        share = np.exp(first - total)
        by_d_c, by_alpha_d = alpha_d * (1 - share), total - share * first
        jac = [alpha_n * share, share * gap, by_d_c, by_alpha_d]
        return alpha_d * total, np.stack(jac, axis=1)

    def starts(self, prep, y, w):
        """Solve log L = s (q + h(p, r)) for q and s on a grid of (p, r)."""
        width = np.ptp(prep["N"]) + np.ptp(prep["D"]) + 1.0
        axes = np.linspace(-width, width, 33), np.geomspace(0.15, 6.0, 17)
        p, r = (g.ravel()[:, None] for g in np.meshgrid(*axes))
        h, t = np.logaddexp(p - r * prep["N"], -prep["D"]), np.log(y)
        mean_h, mean_t = (h @ w) / w.sum(), (t @ w) / w.sum()
        off = h - mean_h[:, None]
        s = np.maximum((off * (t - mean_t)) @ w / (off**2 @ w + 1e-300), 1e-3)
        q = mean_t / s - mean_h
        error = ((s[:, None] * (h + q[:, None]) - t) ** 2) @ w
        order = np.argsort(error)[[0, 1, 2, 5, 10, 20, 40]]
        return np.column_stack([(p[:, 0] + q) / r[:, 0], r[:, 0] * s, q, s])[order]


@dataclass(frozen=True)
class DataConstrained(Law):
    """Chinchilla with repeated tokens and excess parameters worth less and less.

    ``L = E + A N'^-alpha + B D'^-beta`` with
    ``D' = U_D (1 + R_D (1 - exp(-(D/U_D - 1)/R_D)))`` and the same for N' from N and
    U_N; R_N and R_D are the paper's R* values. ``tied`` sets beta = alpha as the paper
    does. Source: arXiv 2305.16264, section 3.

    Examples
    --------
    >>> law = DataConstrained(tied=True)
    >>> p = dict(E=1.87, A=521, B=1488, alpha=0.3527, R_N=5.31, R_D=15.39)
    >>> few = {"N": [1e9], "U_N": [1e9], "D": [4e10], "U_D": [1e10]}
    >>> bool(law.predict(p, few)[0] < law.predict(p, {**few, "D": [1e10]})[0])
    True
    """

    tied: bool = False

    formula = (
        "L = E + A N'^-alpha + B D'^-beta, "
        "X' = U_X (1 + R_X (1 - exp(-(X/U_X - 1)/R_X)))"
    )
    source = "arXiv 2305.16264, section 3"
    units: ClassVar = dict(E="of L", A="of L N^alpha", B="of L D^beta", alpha="1")
    units |= dict(beta="1", R_N="repetitions", R_D="repetitions")
    meanings: ClassVar = {
        **Chinchilla.meanings,
        "R_N": "excess parameters, in multiples of U_N, at which they fade by 1/e",
        "R_D": "repetitions of the data at which they fade by 1/e",
    }
    scaled = ("N", "D")
    positive = variables = ("N", "U_N", "D", "U_D")
    linear = ("E", "A", "B")
    logs: ClassVar = {"R_N": None, "R_D": None}

    @property
    def nonlinear(self):
        return (("alpha",) if self.tied else ("alpha", "beta")) + ("R_N", "R_D")

    @property
    def powers(self):
        return {"A": {"N": "alpha"}, "B": {"D": "alpha" if self.tied else "beta"}}

    def prepare(self, data, scale):
        out = {}
        for x in "ND":
            unique = data[f"U_{x}"]
            out[x] = np.log(np.minimum(data[x], unique) / scale[x])
            out[f"R_{x}"] = np.maximum(data[x] / unique - 1.0, 0.0)
        return out

    def _pieces(self, theta, prep):
        """Return for N and D the exponent, log X' and its derivative in log R*."""
        for m, x in enumerate("ND"):
            exponent = theta[:, :1] if self.tied else theta[:, m : m + 1]
            repeats, r = prep[f"R_{x}"], np.exp(theta[:, [m - 2]])
            ratio = repeats / r
            gained = -r * np.expm1(-ratio)
            slope = (gained - repeats * np.exp(-ratio)) / (1 + gained)
            yield exponent, prep[x] + np.log1p(gained), slope

    def basis(self, theta, prep):
        powers = [np.exp(-e * worth) for e, worth, _ in self._pieces(theta, prep)]
        return np.stack([np.ones_like(powers[0]), *powers], axis=1)

    def slopes(self, c, theta, phi, prep):
        exponents, repeats = [], []
        for j, (e, worth, slope) in enumerate(self._pieces(theta, prep), start=1):
            value = c[:, j : j + 1] * phi[:, j]
            exponents.append(-worth * value)
            repeats.append(-e * slope * value)
        exponents = [sum(exponents)] if self.tied else exponents
        return np.stack([*exponents, *repeats], axis=1)

    def grids(self, prep):
        exponents = [np.geomspace(0.05, 1.5, 11)] * (1 if self.tied else 2)
        some, unused = np.log(np.geomspace(1.0, 100.0, 5)), np.log([10.0])
        return exponents + [some if prep[f"R_{x}"].any() else unused for x in "ND"]

    def depends(self):
        return [(), (0, 1), (0, 2)] if self.tied else [(), (0, 2), (1, 3)]


@dataclass(frozen=True)
class SigmoidLog(OneVariable):
    """Sigmoid in log x, ``L = R_0 + (A - R_0) / (1 + (C_mid/x)^B)``.

    R_0 is the value at small x, A the ceiling (or floor) at large x, C_mid the
    half-way point and B > 0 the steepness. Source: arXiv 2510.13786, eq. 1
    (pass rate in RL compute). Chapter: rl.

    Examples
    --------
    >>> from scaling_core.fitting import fit
    >>> x = np.geomspace(1, 1e4, 30)
    >>> y = 0.1 + 0.5 / (1 + (200 / x) ** 1.7)
    >>> r = fit(SigmoidLog(), {"x": x, "L": y}, loss="mse")
    >>> {k: round(v, 6) for k, v in r.params.items()}
    {'R_0': 0.1, 'A': 0.6, 'C_mid': 200.0, 'B': 1.7}
    """

    formula = "L = R_0 + (A - R_0) / (1 + (C_mid/x)^B)"
    source = "arXiv 2510.13786, eq. 1"
    units: ClassVar = {"R_0": "of L", "A": "of L", "C_mid": "of x", "B": "1"}
    meanings: ClassVar = {
        "R_0": "value at small x",
        "A": "ceiling (or floor) at large x",
        "C_mid": "x half-way between the two",
        "B": "steepness",
    }
    linear = ("R_0", "A")
    nonlinear = ("C_mid", "B")
    any_sign = ("R_0", "A")

    @property
    def logs(self):
        return {"C_mid": self.x}

    def basis(self, theta, prep):
        t = theta[:, 1:] * (prep["u"] - theta[:, :1])
        return np.stack([expit(-t), expit(t)], axis=1)

    def slopes(self, c, theta, phi, prep):
        bell = (c[:, 1:] - c[:, :1]) * phi[:, 0] * phi[:, 1]
        by_mid, by_steepness = -theta[:, 1:] * bell, (prep["u"] - theta[:, :1]) * bell
        return np.stack([by_mid, by_steepness], axis=1)

    def grids(self, prep):
        low, high = prep["u"].min(), prep["u"].max()
        width = high - low + 1e-9
        middles = np.linspace(low - width / 2, high + width, 31)
        return [middles, np.geomspace(0.5, 60.0, 24) / width]


@dataclass(frozen=True)
class SaturatingK(Law):
    """Log-linear law whose slope saturates in model size.

    ``ln L = E[N] - k(N) ln X`` with ``k(N) = K_max / (1 + N_0/N)`` and a free
    intercept for every N in the data. Source: arXiv 2509.25300, eqs. 1 and 8.
    Chapter: rl.

    Examples
    --------
    >>> from scaling_core.fitting import fit
    >>> axes = [1e9, 1e10, 7e10], np.geomspace(1e16, 1e20, 6)
    >>> N, X = (g.ravel() for g in np.meshgrid(*axes))
    >>> L = np.exp(3 - 0.13 / (1 + 13e9 / N) * np.log(X))
    >>> r = fit(SaturatingK(), {"N": N, "X": X, "L": L})
    >>> round(r.params["K_max"], 9), round(r.params["N_0"] / 1e9, 6)
    (0.13, 13.0)
    """

    levels: tuple = ()

    formula = "ln L = E[N] - K_max / (1 + N_0/N) ln X"
    source = "arXiv 2509.25300, eqs. 1 and 8"
    units: ClassVar = {"E": "of ln L", "K_max": "1", "N_0": "of N"}
    meanings: ClassVar = {
        "E": "ln L at X = 1, one for every N",
        "K_max": "power of X by which loss falls, for the largest models",
        "N_0": "model size at which that power is halved",
    }
    variables = scaled = positive = ("N", "X")
    scale_target = False
    log_link = True
    nonlinear = ("N_0",)
    logs: ClassVar = {"N_0": "N"}
    any_sign = ("E",)

    @property
    def linear(self):
        return (*self.coupled, "K_max")

    @property
    def coupled(self):
        return tuple(f"E[{level:g}]" for level in self.levels)

    def resolved(self, data):
        levels = self.levels or tuple(np.unique(data["N"]).tolist())
        return replace(self, levels=levels)

    def prepare(self, data, scale):
        return {
            "u": np.log(data["N"] / scale["N"]),
            "x": np.log(data["X"] / scale["X"]),
            "member": one_hot(np.asarray(data["N"], dtype=float), self.levels),
        }

    def basis(self, theta, prep):
        slope = -prep["x"] * expit(prep["u"] - theta)
        members = np.broadcast_to(prep["member"], (len(theta), *prep["member"].shape))
        return np.concatenate([members, slope[:, None]], axis=1)

    def slopes(self, c, theta, phi, prep):
        share = expit(prep["u"] - theta)
        return (c[:, -1:] * prep["x"] * share * (1 - share))[:, None]

    def grids(self, prep):
        return [np.linspace(prep["u"].min() - 5, prep["u"].max() + 5, 41)]

    def depends(self):
        return [()] * len(self.levels) + [(0,)]

    def _shift(self, raw, scale):
        """Return k(N) ln X_0 of every level, and 0 for K_max and N_0, (B, p)."""
        if scale["X"] == 1:
            return 0.0
        k = raw[:, -2:-1] / (1 + raw[:, -1:] / np.array(self.levels))
        return np.pad(k * np.log(scale["X"]), ((0, 0), (0, 2)))

    def to_raw(self, z, scale):
        raw = super().to_raw(z, scale)
        return raw + self._shift(raw, scale)

    def from_raw(self, raw, scale):
        return super().from_raw(raw, scale) - self._shift(raw, scale)

    def k(self, params, N):
        """Return the slope k(N).

        Examples
        --------
        >>> float(SaturatingK().k({"K_max": 0.2, "N_0": 1e9}, 1e9))
        0.1
        """
        return params["K_max"] / (1 + params["N_0"] / np.asarray(N, dtype=float))
