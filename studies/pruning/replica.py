r"""Theory of a perceptron trained to the largest margin on pruned data.

The student is J = R e₁ + b e₂ + λ n with e₁ the teacher, e₂ the probe's part across it
and n all else; u = |x·e₁| and v = y x·e₂ are the plane coordinates of a kept example.
With h = κ - R u - b v - λ g, g standard normal, and α kept examples per weight,

    λ² = α E[h₊²],  R (1 - α P[h>0]) = α E[h₊ u],  b (1 - α P[h>0]) = α E[h₊ v].

The three equations are those of arXiv 2206.14486 (theory section) in a compact form,
which holds for any rule of selection; the published integrals stand in the tests. They
say that κ is largest on the sphere R² + b² + λ² = 1 while λ² = α E[h₊²], a problem with
one solution, which is how they are solved: cold starts of a root finder go astray.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import ndtr

from studies.pruning.rules import REACH, Cell, kept_margins

KINK = np.array([-6.0, -3.0, -1.0, 1.0, 3.0, 6.0])  # panels around h = 0, in λ
WIDTH = np.array([-8.0, -4.0, -2.0, -0.7, 0.7, 2.0, 4.0, 8.0])  # the same around u
X_GAUSS, W_GAUSS = np.polynomial.legendre.leggauss(6)
LARGEST = 16.0  # of log(R / λ): errors down to 1e-7
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Solution:
    """The student that the theory predicts.

    Attributes
    ----------
    error
        Test error on data that are not pruned, arccos(R)/π.
    R, rho
        Cosine of the student with the teacher, and with the probe.
    kappa
        Margin over the student's length.
    support
        Support vectors per weight, α P[h > 0].
    """

    error: float
    R: float
    rho: float
    kappa: float
    support: float


@lru_cache(maxsize=4096)
def solve(cell: Cell) -> Solution:
    """Return the theory's student for one cell.

    Raises
    ------
    RuntimeError
        If the equations are not met to 1e-6.

    >>> round(solve(Cell.of_kept(3.0, 0.1)).error, 4)
    0.0176
    >>> round(solve(Cell.of_kept(2.0, 0.5, angle=np.degrees(0.3))).error, 4)
    0.1697
    """
    flat = cell.angle == 0 or not cell.prunes
    problem = _Perfect(cell) if flat else _Imperfect(cell)
    p, q = problem.best()
    k, mean, slopes = problem.margin(p, q)
    size = np.sqrt(1 + p**2 + q**2)
    gap = max(abs(slope) for slope in slopes) * size
    if not gap < TOLERANCE:
        raise RuntimeError(f"no solution found for {cell}: equations off by {gap:.1e}")
    theta = np.radians(cell.angle)
    rho = (p * np.cos(theta) + q * np.sin(theta)) / size
    error = np.arctan2(np.hypot(1, q), p) / np.pi
    support = cell.kept * mean["P"]
    return Solution(float(error), p / size, float(rho), k / size, float(support))


class _Perfect:
    """A probe that is the teacher (or no probe): b = 0, averages over u alone.

    All lengths are in units of λ: p = R/λ, q = b/λ, k = κ/λ.
    """

    def __init__(self, cell: Cell):
        self.alpha = cell.kept
        margins = kept_margins(cell)
        self.last = (1.0, np.inf)  # scale and k of the last call, to start from
        self.low = max(0.0, margins[-1][0])
        self.high = min(margins[-1][1], REACH)

    def nodes(self, p: float, q: float, k: float):
        """Return u, v, weights; panels are dense where h changes sign."""
        kink = (k + KINK) / p
        even = np.linspace(self.low, self.high, 7)
        edges = np.sort(np.clip(np.append(even, kink), self.low, self.high))
        u, w = _panels(edges)
        w = w * np.exp(-(u**2) / 2)
        return u, np.zeros_like(u), w / w.sum()

    def margin(self, p: float, q: float) -> tuple[float, dict, np.ndarray]:
        """Return k with α E[h₊²] = 1, averages there, and the slopes of -κ in p, q."""
        scale = 1 + abs(p) + abs(q)
        far = REACH * scale
        k = min(self.last[1] * scale / self.last[0], far)
        for _ in range(60):  # Newton on the root, which is convex in k
            mean = _averages(p, q, k, *self.nodes(p, q, k))
            if mean["hh"] < 1e-3 / self.alpha:
                k = far  # so far left that the slope says nothing
                continue
            root = np.sqrt(self.alpha * mean["hh"])
            step = (root - 1) * root / (self.alpha * mean["h"])
            k = k - step
            if abs(step) < 1e-10 * (1 + abs(k)):
                break
        self.last = (scale, k)
        norm = 1 + p**2 + q**2
        fields = np.array([mean["hu"], mean["hv"]]) / mean["h"]
        return k, mean, (k * np.array([p, q]) / norm - fields) / np.sqrt(norm)

    def best(self) -> tuple[float, float]:
        """Return the p of the largest margin; κ has one maximum in log p."""
        slope = lambda x: self.margin(np.exp(x), 0.0)[2][0] * np.exp(x)
        return float(np.exp(root_between(slope, -6.0, LARGEST, 1e-10))), 0.0


class _Imperfect(_Perfect):
    """A probe at an angle: averages over its margin s and over u given s."""

    def __init__(self, cell: Cell):
        super().__init__(cell)
        self.cell = cell
        theta = np.radians(cell.angle)
        self.cos, self.sin = np.cos(theta), np.sin(theta)
        bends = self.sin * np.array([-6.0, -3.0, -1.0, 0.0, 1.0, 3.0, 6.0])
        lowest = -REACH * np.tan(theta)  # below it no u ≥ 0 is left
        s, w = [], []
        for low, high in kept_margins(cell):
            even = np.linspace(max(low, lowest), high, 4)
            if high > lowest:
                edges = np.sort(np.clip(np.append(even, bends), even[0], high))
                for store, values in zip((s, w), _panels(edges), strict=True):
                    store.append(values)
        self.s, self.w = np.concatenate(s)[:, None], np.concatenate(w)[:, None]
        self.w = self.w * np.exp(-(self.s**2) / 2)

    def nodes(self, p: float, q: float, k: float):
        """Return u, v = (s - u cos θ)/sin θ and weights over the kept half-plane."""
        middle = self.cos * self.s
        slope = p - q * self.cos / self.sin
        kink = (k - q * self.s / self.sin + KINK) / (slope if slope else 1e-300)
        even = middle + self.sin * WIDTH
        edges = np.concatenate([even, kink], axis=1)
        low, high = np.maximum(even[:, :1], 0), np.maximum(even[:, -1:], 0)
        u, w = _panels(np.sort(np.clip(edges, low, high), axis=1))
        z = (u - middle) / self.sin
        w = w * self.w * np.exp(-(z**2) / 2)
        return u, (self.s - u * self.cos) / self.sin, w / w.sum()

    def best(self) -> tuple[float, float]:
        """Return p and q of the largest margin, from the perfect probe's solution."""
        p, _ = _Perfect(replace(self.cell, angle=0.0)).best()
        p = min(p, 1 / self.sin)

        def height(x):
            p, q = np.sinh(x)
            k, _, slopes = self.margin(p, q)
            return -k / np.sqrt(1 + p**2 + q**2), slopes * np.cosh(x)

        start = np.arcsinh([p, 0.1 * p])
        found = minimize(height, start, jac=True, method="BFGS", options={"gtol": 1e-9})
        p, q = np.sinh(found.x)
        return float(p), float(q)


def root_between(f: Callable, low: float, high: float, within: float) -> float:
    """Return the root of f, which changes sign between low and high (Brent)."""
    return float(brentq(f, low, high, xtol=within))  # pyright: ignore


def _panels(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Gauss-Legendre nodes and weights between neighbouring edges (last axis)."""
    middle, half = (edges[..., 1:] + edges[..., :-1]) / 2, np.diff(edges) / 2
    x = middle[..., None] + half[..., None] * X_GAUSS
    w = half[..., None] * W_GAUSS
    shape = (*edges.shape[:-1], -1)
    return x.reshape(shape), w.reshape(shape)


def _averages(p: float, q: float, k: float, u, v, w) -> dict[str, float]:
    """Return E of h₊², h₊, h₊u, h₊v and P[h > 0], the average over g in closed form."""
    m = k - p * u - q * v
    P, density = ndtr(m), np.exp(-(m**2) / 2) / np.sqrt(2 * np.pi)
    h = m * P + density
    hh = (m**2 + 1) * P + m * density
    wh = w * h
    means = dict(hh=w * hh, h=wh, hu=wh * u, hv=wh * v, P=w * P)
    return {name: float(x.sum()) for name, x in means.items()}
