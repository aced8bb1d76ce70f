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
    intercepts, slopes = _least_squares(log_y, log_x)
    lines = intercepts[:, None] + slopes[:, None] * log_x
    explained = [r_squared(*pair) for pair in zip(lines, log_y, strict=True)]
    rest = [keep for keep in ~np.eye(len(x), dtype=bool) if len(np.unique(x[keep])) > 1]
    left_out = [_least_squares(log_y[:, keep], log_x[keep])[1] for keep in rest]
    left_out = np.array(left_out).reshape(-1, len(y_SX))
    return Slopes(slopes, intercepts, left_out, np.array(explained))


@dataclass(frozen=True)
class LogLinear:
    """Slopes of one fit in several variables, with their standard errors."""

    intercept: float
    slopes: np.ndarray
    errors: np.ndarray


def log_fit(y: ArrayLike, *x: ArrayLike) -> LogLinear:
    """Fit ``log y = intercept + Σ s_i log x_i`` by least squares, of one run.

    Raises
    ------
    ValueError
        If there are not more points than constants.

    >>> log_fit([3, 6, 12.1], [1, 2, 4]).slopes.round(2)
    array([1.01])
    """
    target, columns = np.log(np.asarray(y, dtype=float)), [np.log(c) for c in x]
    spare = len(target) - len(columns) - 1
    if spare < 1:
        raise ValueError(f"{len(target)} points for {len(columns) + 1} constants")
    coefficients = _least_squares(target[None], *columns)[:, 0]
    design = np.column_stack([np.ones(len(target)), *columns])
    residual = target - design @ coefficients
    covariance = np.linalg.inv(design.T @ design) * (residual @ residual) / spare
    errors = np.sqrt(np.diag(covariance))[1:]
    return LogLinear(float(coefficients[0]), coefficients[1:], errors)


def r_squared(prediction: ArrayLike, truth: ArrayLike) -> float:
    """Return the share of the variance of ``truth`` that is explained, 1 at best.

    Where ``truth`` is constant: 1 if it is met exactly, else minus infinity.

    >>> r_squared([1.0, 2.0], [1.0, 2.0]), r_squared([1.5, 1.5], [1.0, 2.0])
    (1.0, 0.0)
    """
    truth = np.asarray(truth, dtype=float)
    missed = float(np.sum((truth - np.asarray(prediction)) ** 2))
    spread = float(np.sum((truth - truth.mean()) ** 2))
    if spread == 0:
        return 1.0 if missed == 0 else -np.inf
    return 1 - missed / spread


def _least_squares(y_SX: np.ndarray, *columns: np.ndarray) -> np.ndarray:
    """Return (1 + columns, S) coefficients, the constants first."""
    design = np.column_stack([np.ones(y_SX.shape[1]), *columns])
    return np.linalg.lstsq(design, y_SX.T, rcond=None)[0]
