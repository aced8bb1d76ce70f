"""Kaplan's joint law of loss in parameters and tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .law import Law


@dataclass(frozen=True)
class Kaplan(Law):
    """Kaplan's joint law, ``L = ((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D``.

    Not linear in anything, but log L is linear in two of four coordinates, and
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
