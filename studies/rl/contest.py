"""Two laws for one learning curve, each fitted to its beginning and asked for the rest.

Introduced in the chapter on reinforcement learning.

Shapes: T bins of steps.
"""

import numpy as np

from scaling_core.fitting import SigmoidLog, fit
from studies.rl.published import sigmoid, sigmoid_grid

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


def started_power_law(C: np.ndarray, R: np.ndarray, R_0: float) -> np.ndarray:
    """Return C_0 and k of 1 - R = (1 - R_0)(1 + C/C_0)^-k, least squares of the logarithm.

    A power law with a start: k in closed form for each C_0 of a grid.

    >>> C = np.array([1.0, 3.0, 7.0, 15.0])
    >>> found = started_power_law(C, 1 - 0.9 * (1 + C) ** -0.3, 0.1)
    >>> bool(abs(found[1] - 0.3) < 0.02)
    True
    """
    y = np.log(np.maximum(1 - R, LEAST) / (1 - R_0))
    starts = np.geomspace(C[0] / 100, 100 * C[-1], 400)
    u = np.log1p(C / starts[:, None])
    k = -(u @ y) / (u * u).sum(axis=1)
    best = np.argmin(((y + k[:, None] * u) ** 2).sum(axis=1))
    return np.array([starts[best], k[best]])


def forecasts(
    C: np.ndarray, R: np.ndarray, seen: int, *, R_0: float, first: int = 0
) -> dict:
    """Return the curves (T,) of laws fitted to the bins from ``first`` to ``seen``.

    ``power``, `power_law`; ``sigmoid`` from the start rate R_0, by a grid like its
    paper's, A >= R_0; ``started``, `started_power_law` from R_0; ``free``: the sigmoid
    with R_0 fitted too; ``line``, straight in C; ``stay``: the mean of the last fifth of
    the bins seen.
    """
    C_fit, R_fit = C[first:seen], R[first:seen]
    k, E = power_law(C_fit, R_fit)
    found = sigmoid_grid(
        C_fit,
        R_fit,
        R_0=R_0,
        ceilings=CEILINGS[min(R_0, 1) <= CEILINGS],
        middles=np.geomspace(C[0], 100 * C[-1], 100),
    )
    free = fit(
        SigmoidLog(),
        {"x": C_fit, "L": R_fit},
        loss="mse",
        bounds={"A": (0, 1), "R_0": (0, 1)},
    ).params
    C_0, gain = started_power_law(C_fit, R_fit, R_0)
    last = R[seen - max(1, seen // 5) : seen].mean()
    return dict(
        power=1 - np.exp(E - k * np.log(C)),
        sigmoid=sigmoid(C, R_0=R_0, **found),
        started=1 - (1 - R_0) * (1 + C / C_0) ** -gain,
        free=sigmoid(C, **free),
        line=np.polyval(np.polyfit(C_fit, R_fit, 1), C),
        stay=np.full(len(C), last),
    )


def forecast_errors(
    reward: np.ndarray, *, R_0: float, share: float = 1.0, skip: int = 0
) -> dict:
    """Return the root mean square errors of `forecasts` on the second half of a run.

    With ``share`` the run ends after that share of its steps; bins that reach into the
    first ``skip`` steps are fitted by no law. Errors are not below `LEAST`, which is less
    than the noise of a bin.
    """
    C, R = binned(np.asarray(reward)[: int(share * len(reward))])
    seen, first = len(C) // 2, after(C, skip)
    curves = forecasts(C, R, seen, R_0=R_0, first=first)
    return {
        law: max(float(np.sqrt(np.mean((curve[seen:] - R[seen:]) ** 2))), LEAST)
        for law, curve in curves.items()
    }


def after(C: np.ndarray, skip: int) -> int:
    """Return the first bin beyond ``skip`` steps, five bins before the middle at most.

    >>> after(np.arange(1.0, 61.0, 2), 4), after(np.arange(1.0, 21.0, 2), 20)
    (2, 0)
    """
    return max(0, min(int(np.searchsorted(C, skip + 0.5)), len(C) // 2 - 5))


def joint_slopes(
    y: np.ndarray, *causes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return slopes of y on all causes at once, their standard errors, and R².

    Least squares with an intercept; errors are nan where nothing is left to judge by.

    >>> x, z = np.array([0.0, 1, 2, 3]), np.array([1.0, 0, 0, 1])
    >>> joint_slopes(1 + 2 * x - z, x, z)[0].round(6).tolist()
    [2.0, -1.0]
    """
    X = np.column_stack([np.ones(len(y)), *causes])
    y = np.asarray(y)
    gram = np.linalg.pinv(X.T @ X)
    left = y - X @ (gram @ X.T @ y)
    free = len(y) - X.shape[1]
    squares = left @ left
    errors = np.sqrt(np.diag(gram) * (squares / free if free > 0 else np.nan))
    explained = 1 - squares / np.sum((y - y.mean()) ** 2)
    return (gram @ X.T @ y)[1:], errors[1:], float(explained)
