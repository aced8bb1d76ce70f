"""Learning curves under different schedules, and how well one formula predicts them.

Formula: arXiv 2408.11029. Public curves: thu-yao-01-luo/MultiPowerLaw (MIT), arXiv
2503.12811: three model sizes, nine schedules, peak rate 3e-4 after 2,160 steps of
warm-up. Our own curves: `own_schedules`. Chapter: fitting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scaling_core.base.slopes import r_squared
from scaling_core.data.online import locate
from scaling_core.fitting import FitResult, fit
from studies.fitting import own_schedules
from studies.fitting.laws import LRAnnealing, schedule_areas

SIZES = ("25M", "100M", "400M")
SCHEDULES = (
    *("constant_24000", "cosine_24000", "constant_72000", "cosine_72000"),
    *("wsd_20000_24000", "wsdld_20000_24000", "wsdcon_3", "wsdcon_9", "wsdcon_18"),
)
PEAK, WARM_UP = 3e-4, 2160  # of the public curves
MEMORIES = (0.003, 0.01, 0.03, 0.1, 0.3)  # 1 / (1 - lambda) over the number of steps
SKIPPED = 12  # of our own evaluations, the first ones


@dataclass(frozen=True)
class Curve:
    """Losses at some steps of a run, (P,), and the rate of every step, from step 0.

    Falls of the rate count from the end of ``warm_up`` on.
    """

    step: np.ndarray
    loss: np.ndarray
    lr: np.ndarray
    warm_up: int

    def columns(self, decay: float) -> dict[str, np.ndarray]:
        """Return S1, S2 and L at the steps where the loss is known."""
        first, second = schedule_areas(self.lr, decay, start=self.warm_up)
        return {"S1": first[self.step], "S2": second[self.step], "L": self.loss}


Curves = Mapping[str, Curve]  # schedule -> curve of one model


def public_curve(step: np.ndarray, lr: np.ndarray, loss: np.ndarray) -> Curve:
    """Return a logged curve with the rate of every step rebuilt.

    Between logged steps the rate is interpolated, which blurs a sudden drop by less
    than one logging interval.
    """
    steps = np.arange(int(step[-1]) + 1)
    every = np.interp(steps, step, lr)
    every[:WARM_UP] = PEAK * steps[:WARM_UP] / WARM_UP
    return Curve(step.astype(int), loss, every, WARM_UP)


def read_curves(size: str) -> dict[str, Curve] | None:
    """Return all nine curves of a size by schedule, or None if one is absent."""
    curves = {}
    for schedule in SCHEDULES:
        path = locate(f"multipowerlaw/{size}_{schedule}.csv")
        if path is None:
            return None
        table = pd.read_csv(path)[["step", "lr", "loss"]]
        curves[schedule] = public_curve(*table.values.T)
    return curves


def twin_curves(*, noise: float = 0.002, seed: int = 0) -> dict[str, Curve]:
    """Return made-up curves that follow the formula, for readers without the data."""
    rng = np.random.default_rng(seed)
    truth = dict(L_0=2.8, A=0.6, C=0.5, alpha=0.45)
    curves = {}
    tails = {"constant_24000": 1.0, "cosine_24000": 0.1, "cosine_72000": 0.1}
    for name, tail in tails.items():
        total = int(name[-5:])
        step = np.arange(WARM_UP + 16, total, 128)
        place = (step - WARM_UP) / (total - WARM_UP)
        lr = PEAK * (tail + (1 - tail) * (1 + np.cos(np.pi * place)) / 2)
        areas = public_curve(step, lr, np.zeros(len(step))).columns(0.999)
        loss = LRAnnealing().predict(truth, areas) + noise * rng.normal(size=len(step))
        curves[name] = public_curve(step, lr, loss)
    return curves


def own_curves(losses: Mapping[str, Sequence[float]], steps: int) -> dict[str, Curve]:
    """Return the curves of one seed of our own, rates in units of the peak.

    The first `SKIPPED` of the `own_schedules.POINTS` losses are left out.
    """
    at = steps // own_schedules.POINTS * np.arange(1, own_schedules.POINTS + 1) - 1
    warm_up = int(own_schedules.WARM_UP * steps)
    curves = {}
    for name, loss in losses.items():
        rate = own_schedules.schedule(name, steps)
        lr = np.array([rate(step) for step in range(steps)])
        curves[name] = Curve(at[SKIPPED:], np.array(loss[SKIPPED:]), lr, warm_up)
    return curves


def own_decays(steps: int) -> list[float]:
    """Return the decays whose memories are `MEMORIES`, shares of the steps.

    >>> own_decays(1000)[-1] == 1 - 1 / 300
    True
    """
    return [1 - 1 / max(memory * steps, 1.0) for memory in MEMORIES]


def columns(curves: Curves, names: Sequence[str], decay: float) -> dict:
    """Return S1, S2 and L of several curves, joined."""
    parts = [curves[name].columns(decay) for name in names]
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}


@dataclass(frozen=True)
class Prediction:
    """One fit of the formula, and how it predicts the curves that were not fitted.

    ``scores`` has R squared and the relative error of the last loss per schedule.
    """

    decay: float
    result: FitResult
    scores: dict[str, tuple[float, float]]

    @property
    def memory(self) -> float:
        """Steps over which a fall of the rate is remembered."""
        return 1 / (1 - self.decay)

    @property
    def worst(self) -> float:
        """The smallest R squared on the unseen curves."""
        return min(r2 for r2, _ in self.scores.values())

    @property
    def last_error(self) -> float:
        """The mean relative error of the last loss on the unseen curves."""
        return float(np.mean([error for _, error in self.scores.values()]))


def predict_unseen(
    curves: Curves, seen: Sequence[str], decays: Sequence[float], *, falls: bool = True
) -> Prediction:
    """Fit the named curves, choosing the decay on them, and score all others.

    Without ``falls`` C is held at zero, the null: S2 and the decay do not enter.
    """
    bounds = None if falls else {"C": (0.0, 0.0)}
    fits = [
        (decay, fit(LRAnnealing(), columns(curves, seen, decay), bounds=bounds))
        for decay in (decays if falls else decays[:1])
    ]
    decay, result = min(fits, key=lambda pair: pair[1].objective)
    scores = {}
    for name in curves:
        if name not in seen:
            data = curves[name].columns(decay)
            predicted, truth = result.predict(data), data["L"]
            error = abs(float(predicted[-1] / truth[-1]) - 1)
            scores[name] = r_squared(predicted, truth), error
    return Prediction(decay, result, scores)
