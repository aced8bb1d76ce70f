"""The shape of a loss curve on log-log axes: is it a straight line at all?

Introduced in chapter 1.
"""

import numpy as np
from numpy.typing import ArrayLike


def local_exponents(ms: ArrayLike, losses_SM: ArrayLike) -> np.ndarray:
    """Return -Δ log L / Δ log m between neighbouring widths, (..., M - 1).

    >>> local_exponents([1, 2, 4], [[1.0, 0.5, 0.125]]).round(9).tolist()
    [[1.0, 2.0]]
    """
    return -np.diff(np.log(losses_SM), axis=-1) / np.diff(np.log(ms))


def bend(ms: ArrayLike, losses_SM: ArrayLike) -> np.ndarray:
    """Return q of log L = c + a log m + q (log m)², one per row, (S,).

    Zero for a power law; the local exponent changes by -2q for each factor e of m.

    >>> bend([1, 2, 4], [[1.0, 0.5, 0.125]]).round(3).tolist()
    [-0.721]
    """
    ms, losses_SM = np.asarray(ms, dtype=float), np.asarray(losses_SM, dtype=float)
    if ms.ndim != 1 or losses_SM.ndim != 2 or losses_SM.shape[1] != len(ms):
        raise ValueError(f"need losses (runs, widths), got {losses_SM.shape}")
    if len(np.unique(ms)) < 3:
        raise ValueError(f"a bend needs three different widths, got {ms}")
    return np.polyfit(np.log(ms), np.log(losses_SM).T, 2)[0]


def log_mean(values: ArrayLike, axis: int | tuple[int, ...] = -1) -> np.ndarray:
    """Return the geometric mean along an axis, over the values there are (no NaN).

    >>> log_mean([[1.0, 4.0, np.nan], [9.0, 9.0, 9.0]])
    array([2., 9.])
    """
    return np.exp(np.nanmean(np.log(values), axis=axis))


def pooled_exponent(points_N2: np.ndarray) -> float:
    """Return minus the slope of one line through all (log x, log y).

    >>> round(pooled_exponent(np.log([[1.0, 1.0], [2.0, 0.5], [4.0, 0.25]])), 9)
    1.0
    """
    return float(-np.polyfit(points_N2[:, 0], points_N2[:, 1], 1)[0])


def exponents_between(x_SM: ArrayLike, y_SM: ArrayLike) -> np.ndarray:
    """Return the slope of log y on log x, row by row, (S,).

    >>> exponents_between([[1.0, 2.0, 4.0]], [[3.0, 12.0, 48.0]]).round(9).tolist()
    [2.0]
    """
    pairs = zip(np.log(x_SM), np.log(y_SM), strict=True)
    return np.array([np.polyfit(x, y, 1)[0] for x, y in pairs])
