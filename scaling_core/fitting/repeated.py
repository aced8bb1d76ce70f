"""The law of loss with repeated data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .law import Law


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
    units: ClassVar = {
        **{"E": "of L", "A": "of L N^alpha", "B": "of L D^beta"},
        **{"alpha": "1", "beta": "1", "R_N": "repetitions", "R_D": "repetitions"},
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
