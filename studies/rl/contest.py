"""Two laws for one learning curve, each fitted to its beginning and asked for the rest.

Introduced in the chapter on reinforcement learning.

Shapes: T bins of steps.
"""

import numpy as np

from scaling_core.fitting import SigmoidLog, fit
from studies.rl.published import sigmoid_grid

BINS = 30  # of a run
LEAST = 1e-3  # of a failure rate or an error whose logarithm is taken
CEILINGS = np.arange(0, 1.0001, 0.01)


def binned(reward: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle step (from 1) and the mean reward of at most `BINS` bins.

    >>> binned(np.arange(60.0))[0][:2].tolist()
    [1.5, 3.5]
    """
    width = max(1, len(reward) // BINS)
    count = len(reward) // width
    step = np.arange(count) * width + (width + 1) / 2
    return step, np.reshape(reward[: count * width], (count, width)).mean(axis=1)


def power_law(C: np.ndarray, R: np.ndarray) -> tuple[float, float]:
    """Return k and E of ln(1 - R) = E - k ln C, by least squares (arXiv 2509.25300).

    >>> C = np.array([1.0, 2.0, 4.0])
    >>> [round(float(x), 6) for x in power_law(C, 1 - 0.5 * C**-0.3)]
    [0.3, -0.693147]
    """
    slope, E = np.polyfit(np.log(C), np.log(np.maximum(1 - R, LEAST)), 1)
    return -slope, E


def sigmoid(C: np.ndarray, p: dict[str, float]) -> np.ndarray:
    """Return R_0 + (A - R_0) / (1 + (C_mid/C)^B), arXiv 2510.13786, eq. 1.

    >>> sigmoid(np.array([2.0]), dict(R_0=0.1, A=0.5, C_mid=2.0, B=3.0)).round(9).tolist()
    [0.3]
    """
    with np.errstate(over="ignore"):
        return p["R_0"] + (p["A"] - p["R_0"]) / (1 + (p["C_mid"] / C) ** p["B"])


def forecasts(C: np.ndarray, R: np.ndarray, seen: int, *, R_0: float) -> dict:
    """Return the curves (T,) of laws fitted to the first ``seen`` bins.

    ``power``, `power_law`; ``sigmoid`` from the start rate R_0, by its paper's grid;
    ``free``: R_0 fitted too; ``stay``: the mean of the last fifth of the bins seen.
    """
    k, E = power_law(C[:seen], R[:seen])
    middles = np.geomspace(C[0], 100 * C[-1], 100)
    found = sigmoid_grid(
        C[:seen], R[:seen], R_0=R_0, ceilings=CEILINGS, middles=middles
    )
    free = fit(
        SigmoidLog(),
        {"x": C[:seen], "L": R[:seen]},
        loss="mse",
        bounds={"A": (0, 1), "R_0": (0, 1)},
    ).params
    last = R[seen - max(1, seen // 5) : seen].mean()
    return dict(
        power=1 - np.exp(E - k * np.log(C)),
        sigmoid=sigmoid(C, found | dict(R_0=R_0)),
        free=sigmoid(C, free),
        stay=np.full(len(C), last),
    )


def forecast_errors(reward: np.ndarray, *, R_0: float, share: float = 1.0) -> dict:
    """Return the root mean square errors of `forecasts` on the second half of a run.

    With ``share`` the run ends after that share of its steps. Errors are not below
    `LEAST`, which is less than the noise of a bin.
    """
    C, R = binned(np.asarray(reward)[: int(share * len(reward))])
    seen = len(C) // 2
    curves = forecasts(C, R, seen, R_0=R_0)
    return {
        law: max(float(np.sqrt(np.mean((curve[seen:] - R[seen:]) ** 2))), LEAST)
        for law, curve in curves.items()
    }
