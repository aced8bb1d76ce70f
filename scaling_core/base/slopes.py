"""Log-log slopes per run: the unit of uncertainty is the run, not the point."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Slopes:
    """Straight lines log y = intercept + slope · log x, one per run.

    Attributes
    ----------
    runs
        (S,) slopes, sign as is: negative for a falling loss.
    intercepts
        (S,) natural-log intercepts.
    leave_one_out
        (X, S) slopes with size i left out; empty with fewer than three sizes.
    r_squared
        (S,) share of the variance of log y that the line explains.
    """

    runs: np.ndarray
    intercepts: np.ndarray
    leave_one_out: np.ndarray
    r_squared: np.ndarray

    def predict(self, x: ArrayLike) -> np.ndarray:
        """Return the (S, len(x)) fitted values.

        >>> fit_slopes([1, 2, 4], [[2.0, 1.0, 0.5]]).predict([8]).round(4)
        array([[0.25]])
        """
        log_x = np.log(np.asarray(x, dtype=float))
        return np.exp(self.intercepts[:, None] + self.runs[:, None] * log_x)


def fit_slopes(x: ArrayLike, y_SX: ArrayLike) -> Slopes:
    """Fit log y on log x by least squares, separately for each row (run) of ``y_SX``.

    Parameters
    ----------
    x
        (X,) sizes, at least two different ones.
    y_SX
        (S, X) positive values, a row per run.

    Raises
    ------
    ValueError
        If the shapes differ, a value is not positive and finite, or sizes coincide.

    >>> fit_slopes([1, 10, 100], [[5.0, 0.5, 0.05]]).runs.round(12)
    array([-1.])
    """
    x, y_SX = np.asarray(x, dtype=float), np.asarray(y_SX, dtype=float)
    if x.ndim != 1 or y_SX.ndim != 2 or y_SX.shape[1] != len(x):
        raise ValueError(
            f"need x of shape (X,) and y of shape (runs, X); got {x.shape} and "
            f"{y_SX.shape} (a single run is y[None])"
        )
    for name, values in (("x", x), ("y", y_SX)):
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise ValueError(f"{name} must be positive and finite to take its log")
    if len(np.unique(x)) < 2:
        raise ValueError(f"a slope needs two different sizes, got {x.tolist()}")
    log_x, log_y = np.log(x), np.log(y_SX)
    slopes, intercepts = _ols(log_x, log_y)
    residual = log_y - intercepts[:, None] - slopes[:, None] * log_x
    total = np.square(log_y - log_y.mean(axis=1, keepdims=True)).sum(axis=1)
    unexplained = np.square(residual).sum(axis=1)
    r_squared = 1 - np.divide(
        unexplained, total, out=np.zeros_like(total), where=total > 0
    )
    return Slopes(slopes, intercepts, _leave_one_out(log_x, log_y), r_squared)


def _ols(x: np.ndarray, y_SX: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centred = x - x.mean()
    slopes = y_SX @ centred / (centred @ centred)
    return slopes, y_SX.mean(axis=1) - slopes * x.mean()


def _leave_one_out(x: np.ndarray, y_SX: np.ndarray) -> np.ndarray:
    rest = [np.arange(len(x)) != i for i in range(len(x))]
    rows = [
        _ols(x[keep], y_SX[:, keep])[0] for keep in rest if len(np.unique(x[keep])) > 1
    ]
    return np.array(rows).reshape(-1, len(y_SX))
