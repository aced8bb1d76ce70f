"""More laws of loss in size: Kaplan, repeated data, parallel streams.

Shapes: B fits at once, k linear and q nonlinear parameters, n points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .law import Array, Law
from .varpro import solve_bounded

INF = np.inf


@dataclass(frozen=True)
class Kaplan(Law):
    """Kaplan's joint law, ``L = ((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D``.

    Not linear in anything, but log L is linear in two of four coordinates, and
    the starts use that. Source: arXiv 2001.08361, eq. 1.5. Chapter: fitting.

    Examples
    --------
    >>> p = dict(N_c=8.8e13, alpha_N=0.076, D_c=5.4e13, alpha_D=0.095)
    >>> round(float(Kaplan().predict(p, {"N": [1e9], "D": [1e10]})[0]), 2)
    2.48
    """

    formula = "L = ((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D"
    source = "arXiv 2001.08361, eq. 1.5"
    units = {"N_c": "of N", "alpha_N": "1", "D_c": "of D", "alpha_D": "1"}
    scaled = positive = ("N", "D")
    scale_target = False
    log_link = True
    nonlinear = ("N_c", "alpha_N", "D_c", "alpha_D")
    variables = ("N", "D")

    @property
    def limits(self):
        return dict.fromkeys(self.nonlinear, (0.0, INF))

    def prepare(self, data, scale):
        return {
            "u": np.log(data["N"] / scale["N"]),
            "v": np.log(data["D"] / scale["D"]),
        }

    def evaluate(self, z, prep):
        n_c, alpha_n, d_c, alpha_d = (z[:, i : i + 1] for i in range(4))
        ratio, gap = alpha_n / alpha_d, n_c - prep["u"]
        first, second = ratio * gap, d_c - prep["v"]
        total = np.logaddexp(first, second)
        share = np.exp(first - total)
        jac = [
            alpha_n * share,
            share * gap,
            alpha_d * (1 - share),
            total - share * first,
        ]
        return alpha_d * total, np.stack(jac, axis=1)

    def starts(self, prep, y, w, **_):
        """Solve log L = s (q + h(p, r)) for q and s on a grid of (p, r)."""
        width = np.ptp(prep["u"]) + np.ptp(prep["v"]) + 1.0
        p, r = (
            g.ravel()[:, None]
            for g in np.meshgrid(
                np.linspace(-width, width, 33), np.geomspace(0.15, 6.0, 17)
            )
        )
        h = np.logaddexp(p - r * prep["u"], -prep["v"])
        t = np.log(y)
        mean_h, mean_t = (h @ w) / w.sum(), (t @ w) / w.sum()
        s = (
            ((h - mean_h[:, None]) * (t - mean_t))
            @ w
            / (((h - mean_h[:, None]) ** 2) @ w + 1e-300)
        )
        s = np.maximum(s, 1e-3)
        q = mean_t / s - mean_h
        error = ((s[:, None] * (h + q[:, None]) - t) ** 2) @ w
        order = np.argsort(error)[[0, 1, 2, 5, 10, 20, 40]]
        z = np.column_stack([(p[:, 0] + q) / r[:, 0], r[:, 0] * s, q, s])
        return z[order]

    def to_raw(self, z, scale):
        return np.column_stack(
            [
                np.exp(z[:, 0]) * scale["N"],
                z[:, 1],
                np.exp(z[:, 2]) * scale["D"],
                z[:, 3],
            ]
        )

    def from_raw(self, raw, scale):
        with np.errstate(divide="ignore"):
            return np.column_stack(
                [
                    np.log(raw[:, 0] / scale["N"]),
                    raw[:, 1],
                    np.log(raw[:, 2] / scale["D"]),
                    raw[:, 3],
                ]
            )


def _repeat(total: Array, unique: Array) -> Array:
    return np.maximum(total / unique - 1.0, 0.0)


@dataclass(frozen=True)
class DataConstrained(Law):
    """Chinchilla with repeated tokens and excess parameters worth less and less.

    ``L = E + A N'^-alpha + B D'^-beta`` with ``D' = U_D (1 + R_D (1 - exp(-(D/U_D - 1)/R_D)))``
    and the same for N' from N and U_N; R_N and R_D are the paper's R* values.
    ``tied`` sets beta = alpha as the paper does. Source: arXiv 2305.16264,
    section 3. Chapter: fitting.

    Examples
    --------
    >>> law = DataConstrained(tied=True)
    >>> p = dict(E=1.87, A=521, B=1488, alpha=0.3527, R_N=5.31, R_D=15.39)
    >>> few = {"N": [1e9], "U_N": [1e9], "D": [4e10], "U_D": [1e10]}
    >>> bool(law.predict(p, few)[0] < law.predict(p, {**few, "D": [1e10]})[0])
    True
    """

    tied: bool = False

    formula = "L = E + A N'^-alpha + B D'^-beta, X' = U_X (1 + R_X (1 - exp(-(X/U_X - 1)/R_X)))"
    source = "arXiv 2305.16264, section 3"
    units = {
        "E": "of L",
        "A": "of L N^alpha",
        "B": "of L D^beta",
        "alpha": "1",
        "beta": "1",
        "R_N": "repetitions",
        "R_D": "repetitions",
    }
    scaled = ("N", "D")
    positive = variables = ("N", "U_N", "D", "U_D")
    linear = ("E", "A", "B")
    coupled = ("A", "B")

    @property
    def nonlinear(self):
        return (("alpha",) if self.tied else ("alpha", "beta")) + ("R_N", "R_D")

    @property
    def limits(self):
        return dict.fromkeys(self.parameters, (0.0, INF))

    def prepare(self, data, scale):
        return {
            "u": np.log(np.minimum(data["N"], data["U_N"]) / scale["N"]),
            "rn": _repeat(data["N"], data["U_N"]),
            "v": np.log(np.minimum(data["D"], data["U_D"]) / scale["D"]),
            "rd": _repeat(data["D"], data["U_D"]),
        }

    def _effective(self, log_r, x, repeats):
        """Return log X' and its derivative in log R*, (B, n) each."""
        r = np.exp(log_r)
        ratio = repeats / r
        gained = -r * np.expm1(-ratio)
        return x + np.log1p(gained), (gained - repeats * np.exp(-ratio)) / (1 + gained)

    def _pieces(self, theta, prep):
        alpha, beta = theta[:, :1], theta[:, :1] if self.tied else theta[:, 1:2]
        n, dn = self._effective(theta[:, -2:-1], prep["u"], prep["rn"])
        d, dd = self._effective(theta[:, -1:], prep["v"], prep["rd"])
        return alpha, beta, n, dn, d, dd

    def basis(self, theta, prep):
        alpha, beta, n, _, d, _ = self._pieces(theta, prep)
        return np.stack(
            [np.ones_like(n), np.exp(-alpha * n), np.exp(-beta * d)], axis=1
        )

    def slopes(self, c, theta, phi, prep):
        alpha, beta, n, dn, d, dd = self._pieces(theta, prep)
        a, b = c[:, 1:2] * phi[:, 1], c[:, 2:3] * phi[:, 2]
        exponents = [-n * a - d * b] if self.tied else [-n * a, -d * b]
        return np.stack([*exponents, -alpha * dn * a, -beta * dd * b], axis=1)

    def grids(self, prep):
        exponents, repeats = (
            np.geomspace(0.05, 1.5, 11),
            np.log(np.geomspace(1.0, 100.0, 5)),
        )
        unused = np.log([10.0])
        return [exponents] * (1 if self.tied else 2) + [
            repeats if prep["rn"].any() else unused,
            repeats if prep["rd"].any() else unused,
        ]

    def depends(self):
        return [(), (0, 1), (0, 2)] if self.tied else [(), (0, 2), (1, 3)]

    def _factors(self, theta, scale):
        alpha, beta = theta[:, 0], theta[:, 0 if self.tied else 1]
        return scale["target"] * np.column_stack(
            [np.ones_like(alpha), scale["N"] ** alpha, scale["D"] ** beta]
        )

    def to_raw(self, z, scale):
        raw = z.copy()
        raw[:, :3] *= self._factors(z[:, 3:], scale)
        raw[:, -2:] = np.exp(z[:, -2:])
        return raw

    def from_raw(self, raw, scale):
        z = raw.copy()
        z[:, :3] /= self._factors(raw[:, 3:], scale)
        z[:, -2:] = np.log(raw[:, -2:])
        return z


@dataclass(frozen=True)
class ParScale(Law):
    """Loss with P parallel streams, ``L = E + (A 1e9 / (N (k ln P + 1)))^alpha``.

    Source: arXiv 2505.10475, eq. of section 3. Chapter: fitting.

    Examples
    --------
    >>> p = dict(E=0.69, A=0.0113, alpha=0.19, k=0.39)
    >>> ParScale().predict(p, {"N": [1e9, 1e9], "P": [1, 8]}).round(3)
    array([1.117, 1.071])
    """

    formula = "L = E + (A 1e9 / (N (k ln P + 1)))^alpha"
    source = "arXiv 2505.10475"
    units = {"E": "of L", "A": "1e9 parameters", "alpha": "1", "k": "1"}
    variables = positive = ("N", "P")
    scaled = ("N",)
    scale_target = False
    linear = ("E",)
    nonlinear = ("A", "alpha", "k")
    coupled = ()

    @property
    def limits(self):
        return dict.fromkeys(self.parameters, (0.0, INF))

    def prepare(self, data, scale):
        return {"u": np.log(data["N"] / scale["N"]), "p": np.log(data["P"])}

    def evaluate(self, z, prep):
        e, a, alpha, k = (z[:, i : i + 1] for i in range(4))
        streams = k * prep["p"] + 1
        g = a - prep["u"] - np.log(streams)
        term = np.exp(alpha * g)
        jac = [
            np.ones_like(term),
            alpha * term,
            g * term,
            -alpha * term * prep["p"] / streams,
        ]
        return e + term, np.stack(jac, axis=1)

    def starts(self, prep, y, w, **_):
        """Solve E and A^alpha on a grid of alpha and k."""
        alpha, k = (
            g.ravel()[:, None]
            for g in np.meshgrid(np.geomspace(0.03, 1.5, 16), np.linspace(0, 2, 9))
        )
        power = np.exp(-alpha * (prep["u"] + np.log(k * prep["p"] + 1)))
        phi = np.stack([np.ones_like(power), power], axis=1)
        weighted = phi * (w / y**2)
        low = np.array([0.0, 1e-3 * y.min()])
        c = solve_bounded(
            weighted @ phi.transpose(0, 2, 1), weighted @ y, low, np.full(2, INF)
        )
        error = (((c[:, None] @ phi)[:, 0] / y - 1) ** 2) @ w
        z = np.column_stack(
            [c[:, 0], np.log(c[:, 1]) / alpha[:, 0], alpha[:, 0], k[:, 0]]
        )
        return z[np.argsort(error)[[0, 1, 2, 4, 8, 16]]]

    def to_raw(self, z, scale):
        raw = z.copy()
        raw[:, 1] = np.exp(z[:, 1]) * scale["N"] / 1e9
        return raw

    def from_raw(self, raw, scale):
        z = raw.copy()
        with np.errstate(divide="ignore"):
            z[:, 1] = np.log(raw[:, 1] * 1e9 / scale["N"])
        return z
