"""The two laws everyone starts from: a power law with a floor, and Chinchilla."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .law import INF
from .powers import PowerSum

ONE_PATH = 0.99  # squared correlation of log N and log D above which terms may swap
SAME_PATH = 2e-3  # largest distance of log D from a line in log N, over its range
POWER = {"alpha": "power of x by which it falls"}
FLOPS = 6.0  # per token and parameter


@dataclass(frozen=True)
class PowerLaw(PowerSum):
    """Power law with or without a floor, ``L = E + A x^-alpha``.

    E is the loss that no x removes, A what remains to be removed at x = 1, alpha the
    power by which that falls. ``floor=False`` drops E; alpha may then be negative (a
    growing quantity).
    Source: arXiv 1712.00409, section 3 (learning curves). Chapter: fitting.

    Examples
    --------
    >>> import numpy as np
    >>> from scaling_core.fitting import fit
    >>> x = np.geomspace(1, 1e4, 12)
    >>> result = fit(PowerLaw(), {"x": x, "L": 1.7 + 5 * x**-0.3})
    >>> round(result.params["alpha"], 9)
    0.3
    """

    floor: bool = True
    x: str = "x"

    source = "arXiv 1712.00409, section 3"

    @property
    def meanings(self):
        floor = {"E": "loss that no x removes"} if self.floor else {}
        return {**floor, "A": f"what remains to be removed at {self.x} = 1", **POWER}

    @property
    def terms(self):
        return {**({"E": {}} if self.floor else {}), "A": {self.x: "alpha"}}

    @property
    def any_sign(self):
        return () if self.floor else ("alpha",)


@dataclass(frozen=True)
class Chinchilla(PowerSum):
    """Loss in parameters N and tokens D, ``L = E + A N^-alpha + B D^-beta``.

    E is the loss of an infinite model on infinite data, A and B the excess of one
    parameter and of one token, alpha and beta the powers by which these fall.
    ``group`` and ``share`` as in ``PowerSum``: a family of surfaces with common
    exponents. Source: arXiv 2203.15556, eq. 10. Chapter: fitting.

    Examples
    --------
    >>> import numpy as np
    >>> from scaling_core.fitting import fit
    >>> axes = np.geomspace(1e8, 1e10, 5), np.geomspace(1e9, 1e11, 5)
    >>> N, D = (g.ravel() for g in np.meshgrid(*axes))
    >>> L = 1.69 + 406.4 * N**-0.34 + 410.7 * D**-0.28
    >>> result = fit(Chinchilla(), {"N": N, "D": D, "L": L})
    >>> round(result.params["alpha"], 6), result.status
    (0.34, 'converged')
    """

    terms: ClassVar = {"E": {}, "A": {"N": "alpha"}, "B": {"D": "beta"}}
    meanings: ClassVar = {
        "E": "loss of an infinite model on infinite data",
        "A": "excess of a model of one parameter",
        "B": "excess of one token",
        "alpha": "power of parameters by which their excess falls",
        "beta": "power of tokens by which their excess falls",
    }
    source = "arXiv 2203.15556, eq. 10"

    def confounded(self, prep):
        """Runs along one path D = k N^p fit as well with the terms of N and D exchanged."""
        (_, u), (_, v) = prep["A"].logs[0], prep["B"].logs[0]
        if np.ptp(u) == 0 or np.ptp(v) == 0:
            return ""
        p, c = np.polyfit(u, v, 1)
        if p <= 0 or np.abs(v - p * u - c).max() > SAME_PATH * np.ptp(v):
            return ""
        return "D is a power of N: with their terms exchanged the law fits as well"

    def rivals(self, z, prep):
        """Return the optimum with the terms of N and D exchanged, where D is a power of N.

        With ``D = k N^p`` the surface with alpha' = p beta, beta' = alpha / p meets the
        same losses, so that runs along one ratio D/N cannot tell the two apart.
        """
        (_, u), (_, v) = prep["A"].logs[0], prep["B"].logs[0]
        e, a, b = (len(self.names(letter)) for letter in "EAB")
        if a != b or np.ptp(u) == 0 or np.ptp(v) == 0:
            return super().rivals(z, prep)
        p, c = np.polyfit(u, v, 1)
        if np.corrcoef(u, v)[0, 1] ** 2 < ONE_PATH or p <= 0:
            return super().rivals(z, prep)
        E, A, B, (alpha, beta) = np.split(z, [e, e + a, e + a + b])
        A, B = B * np.exp(-c * beta), A * np.exp(c * alpha / p)
        return np.concatenate([E, A, B, [p * beta, alpha / p]])[None]

    def derived(self, params):
        """Return a, b and G of ``N* = G (C/6)^a``, ``D* = (C/6)^b / G``.

        Examples
        --------
        >>> p = dict(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
        >>> d = Chinchilla().derived(p)
        >>> round(d["a"], 3), round(d["G"], 2)
        (0.452, 1.34)
        """
        alpha, beta = params["alpha"], params["beta"]
        total = alpha + beta
        out = {"a": beta / total, "b": alpha / total}
        if "A" in params and "B" in params:
            below = beta * params["B"]
            ratio = alpha * params["A"] / below if below else INF
            out["G"] = ratio ** (1 / total)
        return out

    def optimum(self, params, C, flops_per_token_parameter=FLOPS):
        """Return N*, D*, D*/N* and the loss of the best split of C FLOPs.

        Examples
        --------
        >>> p = dict(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
        >>> best = Chinchilla().optimum(p, C=5.76e23)
        >>> round(best["N"] / 1e9), round(best["D"] / best["N"])
        (32, 93)
        """
        d = self.derived(params)
        budget = np.asarray(C, dtype=float) / flops_per_token_parameter
        N, D = d["G"] * budget ** d["a"], budget ** d["b"] / d["G"]
        of_size = params["A"] * N ** -params["alpha"]
        of_tokens = params["B"] * D ** -params["beta"]
        return {"N": N, "D": D, "D/N": D / N, "L": params["E"] + of_size + of_tokens}
