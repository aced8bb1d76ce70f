"""Learning curves under different schedules, and how well one formula predicts them.

Data: thu-yao-01-luo/MultiPowerLaw (MIT), arXiv 2503.12811: three model sizes, nine
schedules, peak rate 3e-4 after 2,160 steps of warm-up. Formula: arXiv 2408.11029.
Chapter: fitting.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from scaling_core.data.online import locate
from scaling_core.fitting import FitResult, LRAnnealing, fit, schedule_areas
from studies.fitting.starts import huber_sum

SIZES = ("25M", "100M", "400M")
SCHEDULES = (
    "constant_24000",
    "cosine_24000",
    "constant_72000",
    "cosine_72000",
    "wsd_20000_24000",
    "wsdld_20000_24000",
    "wsdcon_3",
    "wsdcon_9",
    "wsdcon_18",
)
PEAK, WARM_UP = 3e-4, 2160


def read_curve(size: str, schedule: str) -> pd.DataFrame | None:
    """Return one logged curve (step, lr, loss), or None where the file is absent."""
    path = locate(f"multipowerlaw/{size}_{schedule}.csv")
    return None if path is None else pd.read_csv(path)


def read_curves(size: str) -> dict[str, pd.DataFrame] | None:
    """Return all nine curves of a size by schedule, or None if one is absent."""
    curves = {schedule: read_curve(size, schedule) for schedule in SCHEDULES}
    return None if any(c is None for c in curves.values()) else curves


def twin_curves(*, noise: float = 0.002, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Return made-up curves that follow the formula, for readers without the data."""
    rng = np.random.default_rng(seed)
    curves = {}
    for name, total, tail in (
        ("constant_24000", 24000, 1.0),
        ("cosine_24000", 24000, 0.1),
        ("cosine_72000", 72000, 0.1),
    ):
        step = np.arange(WARM_UP + 16, total, 128)
        place = (step - WARM_UP) / (total - WARM_UP)
        lr = PEAK * (tail + (1 - tail) * (1 + np.cos(np.pi * place)) / 2)
        curve = pd.DataFrame({"step": step, "lr": lr})
        areas = curve_areas(curve, 0.999)
        truth = dict(L_0=2.8, A=0.6, C=0.5, alpha=0.45)
        curve["loss"] = LRAnnealing().predict(truth, areas)
        curve["loss"] += noise * rng.normal(size=len(curve))
        curves[name] = curve
    return curves


def curve_areas(curve: pd.DataFrame, decay: float) -> dict[str, np.ndarray]:
    """Return S1 and S2 at the logged steps; the rate of every step is rebuilt.

    Falls count from the end of warm-up on. Between logged steps the rate is
    interpolated, which blurs a sudden drop by less than one logging interval.
    """
    steps = np.arange(int(curve.step.iloc[-1]) + 1)
    lr = np.interp(steps, curve.step, curve.lr)
    lr[:WARM_UP] = PEAK * steps[:WARM_UP] / WARM_UP
    first, second = schedule_areas(lr, decay, start=WARM_UP)
    at = curve.step.to_numpy(int)
    return {"S1": first[at], "S2": second[at]}


def columns(curves: dict[str, pd.DataFrame], names, decay: float) -> dict:
    """Return S1, S2 and L of several curves, joined."""
    parts = [curve_areas(curves[n], decay) | {"L": curves[n].loss} for n in names]
    return {k: np.concatenate([p[k] for p in parts]) for k in ("S1", "S2", "L")}


def fit_annealing(curves, names, decays) -> tuple[float, FitResult]:
    """Fit the formula to the named curves at each decay; keep the best objective."""
    fits = [
        (decay, fit(LRAnnealing(), columns(curves, names, decay))) for decay in decays
    ]
    return min(fits, key=lambda pair: pair[1].objective)


def r_squared(prediction: np.ndarray, truth: np.ndarray) -> float:
    """Return the share of the variance of ``truth`` that is explained.

    >>> r_squared(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    1.0
    """
    truth = np.asarray(truth, dtype=float)
    spread = np.sum((truth - truth.mean()) ** 2)
    return float(1 - np.sum((truth - prediction) ** 2) / spread)


def unseen_r_squared(curves, result: FitResult, decay: float, seen) -> dict[str, float]:
    """Return R squared of the prediction on every schedule that was not fitted."""
    out = {}
    for name in curves:
        if name not in seen:
            data = columns(curves, [name], decay)
            out[name] = r_squared(result.predict(data), data["L"])
    return out


@dataclass(frozen=True)
class Prediction:
    """One fit of the formula: memory factor, fit, worst R squared on unseen curves."""

    decay: float
    result: FitResult
    worst: float

    @property
    def memory(self) -> float:
        """Steps over which a fall of the rate is remembered."""
        return 1 / (1 - self.decay)


def predict_unseen(curves, seen, decays) -> Prediction:
    """Fit the named curves (choosing the decay on them) and score all others."""
    decay, result = fit_annealing(curves, seen, decays)
    worst = min(unseen_r_squared(curves, result, decay, seen).values())
    return Prediction(decay, result, worst)


def predict_without_falls(curves, seen) -> float:
    """Return the worst R squared on unseen curves of a fit with C = 0, the null."""
    data = columns(curves, seen, decay=0.99)  # any: S2 does not enter
    result = fit(LRAnnealing(), data, bounds={"C": (0.0, 0.0)})
    return min(unseen_r_squared(curves, result, 0.99, seen).values())


def start_grid() -> np.ndarray:
    """Return 135 starts (L_0, A, C, alpha), as many as arXiv 2503.12811 tries.

    >>> start_grid().shape
    (135, 4)
    """
    scales = (0.1, 0.3, 1.0)
    return np.array(
        list(product((1.0, 2.0, 3.0), scales, scales, (0.1, 0.3, 0.5, 0.7, 0.9)))
    )


def single_starts(data: dict[str, np.ndarray], starts: np.ndarray) -> np.ndarray:
    """Run scipy's L-BFGS-B from every start; return the summed log-Huber objectives.

    Exact gradients, default settings, parameters >= 0: one start as one would use it.
    """
    options = dict(jac=True, method="L-BFGS-B", bounds=[(1e-9, None)] * 4)
    ends = [minimize(objective, start, args=(data,), **options) for start in starts]
    return np.array([end.fun for end in ends])


def objective(z: np.ndarray, data) -> tuple[float, np.ndarray]:
    """Return the summed Huber loss of the log residuals at (L_0, A, C, alpha); gradient."""
    law, columns = LRAnnealing(), {k: np.asarray(data[k]) for k in ("S1", "S2")}
    prep = law.prepare(columns, {"S1": 1.0, "S2": 1.0})
    eta, jacobian = law.evaluate(np.asarray(z)[None], prep)
    eta = np.maximum(eta[0], 1e-3)  # the log of a loss below zero has no value
    value, psi = huber_sum(np.log(eta / np.asarray(data["L"])))
    return value, jacobian[0] @ (psi / eta)
