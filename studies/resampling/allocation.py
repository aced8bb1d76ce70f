"""Spending a budget of samples by difficulty: groups, what they get, and what it buys.

Problems fall into groups by some forecast of their difficulty. The samples of each group
are set on one half of the problems, and judged on the other. Introduced in the chapter
on resampling.

Shapes: Q problems, g groups, n numbers of samples.
"""

import numpy as np
from scipy.optimize import brentq

GRID = np.r_[0, np.geomspace(0.25, 4096, 60)]  # samples of one problem


def ridge_forecast(x_QD: np.ndarray, y_Q: np.ndarray, strength: float = 1.0):
    """Return a linear forecast of y for all Q from the first half's x and y.

    The columns are scaled to unit deviation; ``strength`` is in units of problems.
    """
    half = len(y_Q) // 2
    x = (x_QD - x_QD[:half].mean(0)) / (x_QD[:half].std(0) + 1e-12)
    mean = y_Q[:half].mean()
    gram = x[:half].T @ x[:half] + strength * np.eye(x.shape[1])
    return x @ np.linalg.solve(gram, x[:half].T @ (y_Q[:half] - mean)) + mean


def solved(p_Q: np.ndarray, n_Q: np.ndarray) -> float:
    """Return the share solved with n samples for each."""
    return float(-np.expm1(n_Q * np.log1p(-p_Q)).mean())


def drawn(p_Q: np.ndarray, n_Q: np.ndarray, *, stop: bool) -> float:
    """Return the mean samples drawn, at most n each; ``stop`` at the first success."""
    if not stop:
        return float(np.mean(n_Q))
    return float(np.mean(-np.expm1(n_Q * np.log1p(-p_Q)) / p_Q))


def gains(p_Q: np.ndarray, *, stop: bool) -> np.ndarray:
    """Return what one more sample for each of a group solves, at each of `GRID`.

    <p (1 - p)^n>; divided by the samples really drawn, <(1 - p)^n>, if problems stop at
    their first success. Falls with n either way.
    """
    left_nQ = np.exp(np.multiply.outer(GRID, np.log1p(-p_Q)))
    drawn_n = np.maximum(left_nQ.mean(axis=1), 1e-300) if stop else 1.0
    return (left_nQ @ p_Q) / len(p_Q) / drawn_n


def budget_ratio(
    p_Q: np.ndarray, score_Q: np.ndarray, n: float, *, stop: bool, groups: int = 5
) -> float:
    """Return ln of n over the mean samples with which groups by a score solve as much.

    Groups are quantiles of the first half's scores. All draw until one more sample
    solves less than a common price; the price is the one at which the second half solves
    what n samples for all would. With ``stop`` both sides stop at the first success.
    """
    half = len(p_Q) // 2
    edges = np.quantile(score_Q[:half], np.arange(1, groups) / groups)
    group_Q = np.searchsorted(edges, score_Q, side="right")
    falls = [-gains(p_Q[:half][group_Q[:half] == g], stop=stop) for g in range(groups)]
    p, group, even = p_Q[half:], group_Q[half:], np.full(len(p_Q) - half, float(n))
    target = solved(p, even)

    def spend(log_price: float) -> np.ndarray:
        found = [np.interp(-np.exp(log_price), fall, GRID) for fall in falls]
        return np.array(found)[group]

    short = lambda z: solved(p, spend(z)) - target
    price = float(np.asarray(brentq(short, np.log(1e-7), np.log(0.5), xtol=1e-3)))
    cost = drawn(p, spend(price), stop=stop)
    return float(np.log(drawn(p, even, stop=stop) / cost))


def stopping_ratio(p_Q: np.ndarray, n: float = 64) -> float:
    """Return ln of n over the samples drawn if problems stop at their first success."""
    return float(np.log(n / drawn(p_Q, np.full(len(p_Q), float(n)), stop=True)))
