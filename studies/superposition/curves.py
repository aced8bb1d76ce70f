"""The shape of a loss curve on log-log axes: is it a straight line at all?

And how well a score tells two kinds apart. Introduced in chapter 1.
"""

import numpy as np
from numpy.typing import ArrayLike

from scaling_core.base.slopes import fit_slopes


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


def bend_error(ms: ArrayLike, losses_M: ArrayLike) -> float:
    """Return the standard error of the `bend` of one curve, from its residuals.

    >>> bend_error([1, 2, 4, 8], [8.0, 4.0, 2.0, 1.0]) < 1e-9
    True
    """
    log_m, log_loss = np.log(ms), np.log(losses_M)
    if len(log_m) < 4:
        raise ValueError(f"an error takes four widths or more, got {len(log_m)}")
    _, covariance = np.polyfit(log_m, log_loss, 2, cov=True)
    return float(covariance[0, 0] ** 0.5)


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


def chance_above(x: ArrayLike, y: ArrayLike) -> float:
    """Return P(x > y) over all pairs, ties counting half; NaN if there are none.

    The area under the curve of a score that is to tell the first kind from the other.

    >>> chance_above([2, 3], [1, 2])
    0.875
    """
    gaps = np.subtract.outer(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
    if not gaps.size:
        return float("nan")
    return float((gaps > 0).mean() + (gaps == 0).mean() / 2)


def exponent_gap(ms: ArrayLike, ours_SM: ArrayLike, theirs_SM: ArrayLike) -> np.ndarray:
    """Return the exponent of our losses minus that of theirs, run by run, (S,).

    Over as many of the first widths as our losses have.

    >>> exponent_gap([1, 2, 4], [[4.0, 1.0]], [[4.0, 2.0, 1.0]]).round(9).tolist()
    [1.0]
    """
    ours, theirs = np.asarray(ours_SM), np.asarray(theirs_SM)
    count = ours.shape[1]
    ms = np.asarray(ms)[:count]
    return fit_slopes(ms, theirs[:, :count]).runs - fit_slopes(ms, ours).runs


def bends_left_out(ms: ArrayLike, losses_SM: ArrayLike) -> np.ndarray:
    """Return the `bend` without each width in turn, (M, S)."""
    ms, losses_SM = np.asarray(ms), np.asarray(losses_SM)
    left = range(len(ms))
    return np.array([bend(np.delete(ms, i), np.delete(losses_SM, i, 1)) for i in left])
