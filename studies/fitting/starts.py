"""What an ordinary optimiser finds from many starts of Chinchilla's Approach 3.

Objective: arXiv 2203.15556, section 3.3; the grid of starts is that of the notebook of
arXiv 2404.10102; coordinates e = log E, a = log A, b = log B, alpha, beta. Chapter:
fitting.
"""

from itertools import product
from typing import Literal

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

FACTORS, EXPONENTS = (0.0, 5.0, 10.0, 15.0, 20.0, 25.0), (0.0, 0.5, 1.0, 1.5, 2.0)
FLOORS = (-1.0, -0.5, 0.0, 0.5, 1.0)
DELTA = 1e-3
TOLERANCES = dict(ftol=2.22e-9, gtol=1e-5)  # scipy's own


def start_grid() -> np.ndarray:
    """Return every combination of the starting values, a start a row.

    >>> start_grid().shape
    (4500, 5)
    """
    return np.array(list(product(FLOORS, FACTORS, FACTORS, EXPONENTS, EXPONENTS)))


def chinchilla(x: np.ndarray, data) -> tuple[float, np.ndarray]:
    """Return the summed Huber loss of the log residuals and its gradient."""
    log_N, log_D = np.log(data["N"]), np.log(data["D"])
    e, a, b, alpha, beta = x
    terms = np.stack([np.full_like(log_N, e), a - alpha * log_N, b - beta * log_D])
    prediction = logsumexp(terms, axis=0)
    share = np.exp(terms - prediction)
    value, psi = huber_sum(prediction - np.log(data["L"]))
    slopes = np.stack([*share, -log_N * share[1], -log_D * share[2]])
    return value, slopes @ psi


def huber_sum(r: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the sum of Huber's function of the residuals, and its slope in each.

    >>> value, slope = huber_sum(np.array([1.0]))
    >>> round(value, 7), slope.tolist()
    (0.0009995, [0.001])
    """
    psi = np.clip(r, -DELTA, DELTA)
    return float(np.sum(psi * (r - psi / 2))), psi


def run_starts(
    data: dict,
    starts: np.ndarray,
    reduce: Literal["sum", "mean", "mean, tight"] = "sum",
) -> tuple[np.ndarray, np.ndarray]:
    """Run scipy's L-BFGS-B from every start; return summed objectives and success.

    ``reduce`` decides what the optimiser is given, tight: with its tolerances divided
    by the number of points too. What is returned is always the sum.
    """
    scale = 1.0 if reduce == "sum" else 1.0 / len(data["L"])
    tight = scale if reduce == "mean, tight" else 1.0
    options = {name: tight * value for name, value in TOLERANCES.items()}
    how = dict(jac=True, method="L-BFGS-B", options=options)
    given = lambda x: tuple(scale * part for part in chinchilla(x, data))
    answers = [minimize(given, start, **how) for start in starts]
    reached = np.array([answer.fun / scale for answer in answers])
    return reached, np.array([answer.success for answer in answers])


def objective_at(params: dict[str, float], data) -> float:
    """Return Chinchilla's objective at five raw constants."""
    logs = np.log([params["E"], params["A"], params["B"]])
    return chinchilla(np.r_[logs, params["alpha"], params["beta"]], data)[0]
