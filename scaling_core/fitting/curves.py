"""Laws of one variable with more shape: sigmoid in log x, saturating slope, broken power law."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, log_expit

from .law import Law, one_hot

INF = np.inf


@dataclass(frozen=True)
class SigmoidLog(Law):
    """Sigmoid in log x, ``L = R_0 + (A - R_0) / (1 + (C_mid/x)^B)``.

    R_0 is the value at small x, A the ceiling (or floor) at large x, C_mid the
    half-way point and B > 0 the steepness. Source: arXiv 2510.13786, eq. 1
    (pass rate in RL compute). Chapters: fitting, rl.

    Examples
    --------
    >>> from scaling_core.fitting import fit
    >>> x = np.geomspace(1, 1e4, 30)
    >>> y = 0.1 + 0.5 / (1 + (200 / x) ** 1.7)
    >>> r = fit(SigmoidLog(), {"x": x, "L": y}, loss="mse")
    >>> {k: round(v, 6) for k, v in r.params.items()}
    {'R_0': 0.1, 'A': 0.6, 'C_mid': 200.0, 'B': 1.7}
    """

    x: str = "x"

    formula = "L = R_0 + (A - R_0) / (1 + (C_mid/x)^B)"
    source = "arXiv 2510.13786, eq. 1"
    units = {"R_0": "of L", "A": "of L", "C_mid": "of x", "B": "1"}
    linear = ("R_0", "A")
    nonlinear = ("C_mid", "B")

    @property
    def variables(self):
        return (self.x,)

    scaled = positive = variables

    @property
    def limits(self):
        return {"C_mid": (0.0, INF), "B": (0.0, INF)}

    def prepare(self, data, scale):
        return {"u": np.log(data[self.x] / scale[self.x])}

    def basis(self, theta, prep):
        t = theta[:, 1:] * (prep["u"] - theta[:, :1])
        return np.stack([expit(-t), expit(t)], axis=1)

    def slopes(self, c, theta, phi, prep):
        bell = (c[:, 1:] - c[:, :1]) * phi[:, 0] * phi[:, 1]
        return np.stack(
            [-theta[:, 1:] * bell, (prep["u"] - theta[:, :1]) * bell], axis=1
        )

    def grids(self, prep):
        low, high = prep["u"].min(), prep["u"].max()
        width = high - low + 1e-9
        return [
            np.linspace(low - width / 2, high + width, 31),
            np.geomspace(0.5, 60.0, 24) / width,
        ]

    def to_raw(self, z, scale):
        return np.column_stack(
            [z[:, :2] * scale["target"], np.exp(z[:, 2]) * scale[self.x], z[:, 3]]
        )

    def from_raw(self, raw, scale):
        with np.errstate(divide="ignore"):
            mid = np.log(raw[:, 2] / scale[self.x])
        return np.column_stack([raw[:, :2] / scale["target"], mid, raw[:, 3]])


@dataclass(frozen=True)
class SaturatingK(Law):
    """Log-linear law whose slope saturates in model size.

    ``ln L = E[N] - k(N) ln X`` with ``k(N) = K_max / (1 + N_0/N)`` and a free
    intercept for every N in the data. Source: arXiv 2509.25300, eqs. 1 and 8.
    Chapter: rl.

    Examples
    --------
    >>> from scaling_core.fitting import fit
    >>> N, X = (g.ravel() for g in np.meshgrid([1e9, 1e10, 7e10], np.geomspace(1e16, 1e20, 6)))
    >>> L = np.exp(3 - 0.13 / (1 + 13e9 / N) * np.log(X))
    >>> r = fit(SaturatingK(), {"N": N, "X": X, "L": L})
    >>> round(r.params["K_max"], 9), round(r.params["N_0"] / 1e9, 6)
    (0.13, 13.0)
    """

    levels: tuple = ()

    formula = "ln L = E[N] - K_max / (1 + N_0/N) ln X"
    source = "arXiv 2509.25300, eqs. 1 and 8"
    units = {"E": "of ln L", "K_max": "1", "N_0": "of N"}
    variables = scaled = positive = ("N", "X")
    scale_target = False
    log_link = True
    nonlinear = ("N_0",)

    @property
    def linear(self):
        return (*self.coupled, "K_max")

    @property
    def coupled(self):
        return tuple(f"E[{level:g}]" for level in self.levels)

    @property
    def limits(self):
        return {"K_max": (0.0, INF), "N_0": (0.0, INF)}

    def resolved(self, data):
        return (
            self
            if self.levels
            else replace(self, levels=tuple(np.unique(data["N"]).tolist()))
        )

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

    def _shift(self, k_max, n_0, scale):
        """Return k(N) ln X_0 of every level, (B, levels)."""
        return (
            k_max[:, None]
            / (1 + n_0[:, None] / np.array(self.levels))
            * np.log(scale["X"])
        )

    def to_raw(self, z, scale):
        n_0 = np.exp(z[:, -1]) * scale["N"]
        shift = self._shift(z[:, -2], n_0, scale) if scale["X"] != 1 else 0.0
        return np.column_stack([z[:, :-2] + shift, z[:, -2], n_0])

    def from_raw(self, raw, scale):
        shift = self._shift(raw[:, -2], raw[:, -1], scale) if scale["X"] != 1 else 0.0
        with np.errstate(divide="ignore"):
            return np.column_stack(
                [raw[:, :-2] - shift, raw[:, -2], np.log(raw[:, -1] / scale["N"])]
            )

    def k(self, params, N):
        """Return the slope k(N).

        Examples
        --------
        >>> float(SaturatingK().k({"K_max": 0.2, "N_0": 1e9}, 1e9))
        0.1
        """
        return params["K_max"] / (1 + params["N_0"] / np.asarray(N, dtype=float))


@dataclass(frozen=True)
class BNSL(Law):
    """Broken neural scaling law with ``breaks`` smooth breaks.

    ``L = a + b x^-c0 prod_i (1 + (x/d_i)^(1/f_i))^(-c_i f_i)``, linear in a and b.
    Breaks are reported by rising d. Source:
    arXiv 2210.14891, eq. 1. Chapter: fitting.

    Examples
    --------
    >>> BNSL(breaks=2).parameters
    ('a', 'b', 'c0', 'c1', 'd1', 'f1', 'c2', 'd2', 'f2')
    """

    breaks: int = 1
    x: str = "x"

    formula = "L = a + b x^-c0 prod_i (1 + (x/d_i)^(1/f_i))^(-c_i f_i)"
    source = "arXiv 2210.14891, eq. 1"
    linear = ("a", "b")
    coupled = ("b",)

    @property
    def rugged(self):
        return self.breaks > 1

    @property
    def units(self):
        own = {
            f"{s}{i + 1}": {"c": "1", "d": "of x", "f": "1"}[s]
            for i in range(self.breaks)
            for s in "cdf"
        }
        return {"a": "of L", "b": "of L x^c0", "c0": "1", **own}

    @property
    def variables(self):
        return (self.x,)

    scaled = positive = variables

    @property
    def nonlinear(self):
        return ("c0", *(f"{s}{i + 1}" for i in range(self.breaks) for s in "cdf"))

    @property
    def limits(self):
        own = {f"{s}{i + 1}": (0.0, INF) for i in range(self.breaks) for s in "df"}
        return {"a": (0.0, INF), "b": (0.0, INF), **own}

    def prepare(self, data, scale):
        return {"u": np.log(data[self.x] / scale[self.x])}

    def _breaks(self, theta, prep):
        """Return per break c, d, f and w = (u - d)/f with the softplus of w."""
        for i in range(1, theta.shape[1], 3):
            c, d, f = (
                theta[:, i : i + 1],
                theta[:, i + 1 : i + 2],
                np.exp(theta[:, i + 2 : i + 3]),
            )
            w = (prep["u"] - d) / f
            yield c, f, w, -log_expit(-w)

    def basis(self, theta, prep):
        g = -theta[:, :1] * prep["u"]
        for c, f, _, soft in self._breaks(theta, prep):
            g = g - c * f * soft
        return np.stack([np.ones_like(g), np.exp(g)], axis=1)

    def slopes(self, c, theta, phi, prep):
        out = [-np.broadcast_to(prep["u"], phi[:, 1].shape)]
        for ci, f, w, soft in self._breaks(theta, prep):
            share = expit(w)
            out += [-f * soft, ci * share, -ci * f * (soft - w * share)]
        return np.stack(out, axis=1) * (c[:, 1:2] * phi[:, 1])[:, None]

    def starts(self, prep, y, w, **_):
        """Solve log(y - a) = log b - c0 u - sum c_i f_i softplus(...) for b and all c.

        That is linear once a, d and f are given, so every set of break places is
        tried, with several a and sharpnesses.
        """
        u, span = prep["u"], np.ptp(prep["u"]) + 1e-9
        places = u.min() + span * np.linspace(0.05, 0.95, 13 if self.breaks < 3 else 9)
        sharp = np.geomspace(0.01, 0.25, 4) * span
        each = (
            list(itertools.product(sharp, repeat=self.breaks))
            if self.breaks < 3
            else [(f,) * self.breaks for f in sharp]
        )
        d, f = (
            np.array(rows)
            for rows in zip(
                *itertools.product(itertools.combinations(places, self.breaks), each)
            )
        )
        bends = -f[:, :, None] * -log_expit((d[:, :, None] - u) / f[:, :, None])
        design = np.concatenate(
            [np.broadcast_to([np.ones_like(u), -u], (len(d), 2, len(u))), bends], axis=1
        )
        floors = y.min() * np.array([0.0, 0.4, 0.7, 0.85, 0.95])
        z, error = (
            np.concatenate(parts)
            for parts in zip(
                *[self._solve_floor(design, d, f, floor, y, w) for floor in floors]
            )
        )
        order = np.argsort(error, kind="stable")
        # the best cell of each set of places, so that starts lie apart
        _, first = np.unique(
            np.tile(d, (len(floors), 1))[order], axis=0, return_index=True
        )
        apart = order[np.sort(first)]
        ranks = np.unique(
            (np.geomspace(1, max(len(apart) / 2, 12), 24) - 1).astype(int)
        )
        return z[np.concatenate([order[:2], apart[ranks[ranks < len(apart)]]])]

    def _solve_floor(self, design, d, f, floor, y, w):
        """Return every cell's start and its relative error for one value of a."""
        t, weights = np.log(y - floor), w * (1 - floor / y) ** 2
        weighted = design * weights
        gram = weighted @ design.transpose(0, 2, 1)
        gram += 1e-10 * np.einsum("gii->g", gram)[:, None, None] * np.eye(gram.shape[1])
        c = np.linalg.solve(gram, (weighted @ t)[:, :, None])[:, :, 0]
        curve = floor + np.exp((c[:, None] @ design)[:, 0])
        error = (curve / y - 1) ** 2 @ w
        breaks = np.stack([c[:, 2:], d, np.log(f)], axis=2).reshape(len(c), -1)
        return np.column_stack(
            [np.full(len(c), floor), np.exp(c[:, 0]), c[:, 1], breaks]
        ), error

    def to_raw(self, z, scale):
        raw = z.copy()
        raw[:, :2] *= scale["target"]
        raw[:, 1] *= scale[self.x] ** z[:, 2]
        raw[:, 4::3] = np.exp(z[:, 4::3]) * scale[self.x]
        raw[:, 5::3] = np.exp(z[:, 5::3])
        groups = raw[:, 3:].reshape(len(raw), self.breaks, 3)
        order = np.argsort(groups[:, :, 1], axis=1)[:, :, None]
        raw[:, 3:] = np.take_along_axis(groups, order, axis=1).reshape(len(raw), -1)
        return raw

    def from_raw(self, raw, scale):
        z = raw.copy()
        z[:, :2] /= scale["target"]
        z[:, 1] /= scale[self.x] ** raw[:, 2]
        with np.errstate(divide="ignore"):
            z[:, 4::3] = np.log(raw[:, 4::3] / scale[self.x])
            z[:, 5::3] = np.log(raw[:, 5::3])
        return z
