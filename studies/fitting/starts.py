"""What an ordinary optimiser finds from many starts: two laws, as they are used.

Chinchilla's Approach 3: arXiv 2203.15556, section 3.3 (objective); the grid of starts
is that of the notebook of arXiv 2404.10102; coordinates e = log E, a = log A,
b = log B, alpha, beta. Annealing: as many starts as arXiv 2503.12811 tries, in
L_0, A, C, alpha. Chapter: fitting.
"""

from collections.abc import Callable
from itertools import product
from typing import Literal

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

FACTORS, EXPONENTS = (0.0, 5.0, 10.0, 15.0, 20.0, 25.0), (0.0, 0.5, 1.0, 1.5, 2.0)
FLOORS = (-1.0, -0.5, 0.0, 0.5, 1.0)
CHINCHILLA_GRID = (FLOORS, FACTORS, FACTORS, EXPONENTS, EXPONENTS)
SHARES = (0.1, 0.3, 1.0)
ANNEALING_GRID = ((1.0, 2.0, 3.0), SHARES, SHARES, (0.1, 0.3, 0.5, 0.7, 0.9))
DELTA = 1e-3
Objective = Callable[[np.ndarray, dict], tuple[float, np.ndarray]]


def start_grid(axes=CHINCHILLA_GRID) -> np.ndarray:
    """Return every combination of the values, a start a row.

    >>> start_grid().shape, start_grid(ANNEALING_GRID).shape
    ((4500, 5), (135, 4))
    """
    return np.array(list(product(*axes)))


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


def annealing(x: np.ndarray, data) -> tuple[float, np.ndarray]:
    """Return the same of L_0 + A S1^-alpha - C S2."""
    floor, A, C, alpha = x
    log_S1, S2 = np.log(data["S1"]), data["S2"]
    power = np.exp(-alpha * log_S1)
    # the log of a loss below zero has no value
    loss = np.maximum(floor + A * power - C * S2, 1e-3)
    value, psi = huber_sum(np.log(loss / data["L"]))
    slopes = np.stack([np.ones_like(power), power, -S2, -A * log_S1 * power])
    return value, slopes @ (psi / loss)


def huber_sum(r: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the sum of Huber's function of the residuals, and its slope in each.

    >>> value, slope = huber_sum(np.array([1.0]))
    >>> round(value, 7), slope.tolist()
    (0.0009995, [0.001])
    """
    psi = np.clip(r, -DELTA, DELTA)
    return float(np.sum(psi * (r - psi / 2))), psi


def run_starts(
    objective: Objective,
    data: dict,
    starts: np.ndarray,
    reduce: Literal["sum", "mean"] = "sum",
    *,
    least: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Run scipy's L-BFGS-B from every start; return summed objectives and success.

    ``reduce`` decides what the optimiser is given; what is returned is always the
    sum, so that both can be compared. ``least`` bounds all parameters from below.
    """
    scale = 1.0 if reduce == "sum" else 1.0 / len(data["L"])
    bounds = None if least is None else [(least, None)] * starts.shape[1]
    answers = [
        minimize(
            lambda x: tuple(scale * part for part in objective(x, data)),
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
        )
        for start in starts
    ]
    reached = np.array([answer.fun / scale for answer in answers])
    return reached, np.array([answer.success for answer in answers])


def objective_at(params: dict[str, float], data) -> float:
    """Return Chinchilla's objective at five raw constants."""
    logs = np.log([params["E"], params["A"], params["B"]])
    return chinchilla(np.r_[logs, params["alpha"], params["beta"]], data)[0]
