"""Broken power laws: smooth breaks in log-log space."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit, log_expit

from .law import INF, OneVariable


@dataclass(frozen=True)
class BNSL(OneVariable):
    """Broken neural scaling law with ``breaks`` smooth breaks.

    ``L = a + b x^-c0 prod_i (1 + (x/d_i)^(1/f_i))^(-c_i f_i)``, linear in a and b: a is
    the limit at large x, c0 the first slope; at each d the slope changes by c, over a
    width f. Breaks are reported by rising d. Source: arXiv 2210.14891, eq. 1.

    Examples
    --------
    >>> BNSL(breaks=2).parameters
    ('a', 'b', 'c0', 'c1', 'd1', 'f1', 'c2', 'd2', 'f2')
    """

    breaks: int = 1

    formula = "L = a + b x^-c0 prod_i (1 + (x/d_i)^(1/f_i))^(-c_i f_i)"
    source = "arXiv 2210.14891, eq. 1"
    linear = ("a", "b")
    meanings: ClassVar = {
        "a": "limit at large x",
        "b": "offset of the first power at x = 1",
        "c0": "first slope, the power by which L falls",
        "c1": "by how much the slope changes at the break",
        "d1": "place of the break",
        "f1": "width of the break, in ln x",
    }

    def _own(self, letters: str) -> list[str]:
        return [f"{s}{i + 1}" for i in range(self.breaks) for s in letters]

    @property
    def rugged(self):
        return self.breaks > 1

    @property
    def units(self):
        own = {name: {"d": "of x"}.get(name[0], "1") for name in self._own("cdf")}
        return {"a": "of L", "b": "of L x^c0", "c0": "1", **own}

    @property
    def nonlinear(self):
        return ("c0", *self._own("cdf"))

    @property
    def powers(self):
        return {"b": {self.x: "c0"}}

    @property
    def logs(self):
        return {name: self.x if name[0] == "d" else None for name in self._own("df")}

    @property
    def limits(self):
        return dict.fromkeys(["a", "b", *self._own("df")], (0.0, INF))

    def _breaks(self, theta, prep):
        """Return per break c, f and w = (u - d)/f with the softplus of w."""
        for i in range(1, theta.shape[1], 3):
            c, d, log_f = (theta[:, j : j + 1] for j in range(i, i + 3))
            f = np.exp(log_f)
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

    def starts(self, prep, y, w):
        """Solve log(y - a) = log b - c0 u - sum c_i f_i softplus(...) for b and all c.

        That is linear once a, d and f are given, so every set of break places is
        tried, with several a and sharpnesses.
        """
        d, f = self._cells(prep["u"])
        floors = y.min() * np.array([0.0, 0.4, 0.7, 0.85, 0.95])
        bends = f[:, :, None] * log_expit((d[:, :, None] - prep["u"]) / f[:, :, None])
        lines = np.stack([np.ones_like(prep["u"]), -prep["u"]])
        lines = np.broadcast_to(lines, (len(d), *lines.shape))
        design = np.concatenate([lines, bends], axis=1)
        solved = [self._solve_floor(design, d, f, floor, y, w) for floor in floors]
        z, error = (np.concatenate(parts) for parts in zip(*solved, strict=True))
        order = np.argsort(error, kind="stable")
        # the best cell of each set of places, so that starts lie apart
        places = np.tile(d, (len(floors), 1))[order]
        _, first = np.unique(places, axis=0, return_index=True)
        apart = order[np.sort(first)]
        last = max(len(apart) / 2, 12)
        ranks = np.unique((np.geomspace(1, last, 24) - 1).astype(int))
        return z[np.concatenate([order[:2], apart[ranks[ranks < len(apart)]]])]

    def _cells(self, u):
        """Return all sets of places d and widths f, (G, breaks) each."""
        span = np.ptp(u) + 1e-9
        few = self.breaks < 3
        places = u.min() + span * np.linspace(0.05, 0.95, 13 if few else 9)
        sharp = np.geomspace(0.01, 0.25, 4) * span
        each = list(itertools.product(sharp, repeat=self.breaks))
        each = each if few else [(f,) * self.breaks for f in sharp]
        sets = itertools.combinations(places, self.breaks)
        cells = itertools.product(sets, each)
        return (np.array(rows) for rows in zip(*cells, strict=True))

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
        a, b = np.full(len(c), floor), np.exp(c[:, 0])
        return np.column_stack([a, b, c[:, 1], breaks]), error

    def to_raw(self, z, scale):
        raw = super().to_raw(z, scale)
        groups = raw[:, 3:].reshape(len(raw), self.breaks, 3)
        order = np.argsort(groups[:, :, 1], axis=1)[:, :, None]
        raw[:, 3:] = np.take_along_axis(groups, order, axis=1).reshape(len(raw), -1)
        return raw
