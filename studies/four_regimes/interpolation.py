"""Interpolate a smooth function of d variables: geometry, nothing is trained.

Piecewise linear interpolation of D points errs by O(D^(-2/d)), so its squared error is
D^(-4/d); the nearest neighbour's is D^(-2/d) (arXiv 2004.10802; 2102.06701, Sec. 2.2).
Introduced in the chapter on the four regimes.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import KDTree

WAVES, TESTS = 8, 4000


def smooth_function(d: int, *, rng: np.random.Generator) -> Callable:
    """Return a sum of `WAVES` cosines of random direction, at most a period long.

    >>> f = smooth_function(2, rng=np.random.default_rng(0))
    >>> f(np.zeros((5, 2))).shape
    (5,)
    """
    waves = rng.normal(0, 2 / np.sqrt(d), (d, WAVES))
    phases = rng.uniform(0, 2 * np.pi, WAVES)
    return lambda x_ND: np.cos(x_ND @ waves + phases).sum(axis=1)


def interpolation_errors(
    d: int, Ds: Sequence[int], *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean squared errors of linear interpolation and of the nearest neighbour.

    Points are uniform in [0, 1]^d, errors are taken in the inner half [1/4, 3/4]^d,
    which a hull of few points covers; a point outside it has no linear value, and a
    draw with such a point raises.

    Raises
    ------
    ValueError
        If test points lie outside the hull of the examples: D is too small for d.
    """
    rng = np.random.default_rng([seed, 22, d])
    f = smooth_function(d, rng=rng)
    tests = rng.uniform(0.25, 0.75, (TESTS, d))
    truth, linear, nearest = f(tests), [], []
    for D in Ds:
        x = rng.uniform(size=(D, d))
        y = f(x)
        if d == 1:
            order = np.argsort(x[:, 0])
            guess = np.interp(tests[:, 0], x[order, 0], y[order])
        else:
            guess = LinearNDInterpolator(x, y)(tests)
        if np.isnan(guess).any():
            raise ValueError(f"{D} points in {d} dimensions do not cover the tests")
        linear.append(np.mean((guess - truth) ** 2))
        near = y[KDTree(x).query(tests)[1]]
        nearest.append(np.mean((near - truth) ** 2))
    return np.array(linear), np.array(nearest)
