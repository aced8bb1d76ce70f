"""How well one formula (arXiv 2408.11029) predicts the curves of `own_schedules`.

Shapes: P points of a curve, B sequences, T positions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scaling_core.base.slopes import r_squared
from scaling_core.data import ngrams
from scaling_core.data.corpora import python_source
from scaling_core.fitting import FitResult, fit
from studies.fitting import own_schedules
from studies.fitting.laws import LRAnnealing, schedule_areas

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


@dataclass(frozen=True)
class Prediction:
    """What one fit of the formula says of a curve that was not fitted, beside a copy.

    The copy is the fitted curve whose rates are nearest. ``law`` and ``copy`` are root
    mean square errors in nats, ``last`` the two errors of the last loss.
    """

    r_squared: float
    copied: str
    copy_r_squared: float
    law: float
    copy: float
    last: tuple[float, float]


def fit_curves(
    curves: Curves, seen: Sequence[str], decays: Sequence[float], *, falls: bool = True
) -> tuple[float, FitResult]:
    """Fit the named curves; return the decay chosen on them, and the fit.

    Without ``falls`` C is held at zero: S2 and the decay do not enter.
    """
    bounds = None if falls else {"C": (0.0, 0.0)}
    fits = []
    for decay in decays if falls else decays[:1]:
        parts = [curves[name].columns(decay) for name in seen]
        data = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
        fits.append((decay, fit(LRAnnealing(), data, bounds=bounds)))
    return min(fits, key=lambda pair: pair[1].objective)


def predict_unseen(
    curves: Curves, seen: Sequence[str], decays: Sequence[float], **options
) -> dict[str, Prediction]:
    """Fit the named curves and predict all others, each also by the nearest of them."""
    decay, result = fit_curves(curves, seen, decays, **options)
    out = {}
    for name, curve in curves.items():
        if name in seen:
            continue
        apart = {k: float(np.abs(curves[k].lr - curve.lr).mean()) for k in seen}
        near = min(apart, key=lambda k: apart[k])
        guesses = result.predict(curve.columns(decay)), curves[near].loss
        errors = [guess - curve.loss for guess in guesses]
        law, copy = (float(np.sqrt(np.mean(e**2))) for e in errors)
        r2 = [r_squared(guess, curve.loss) for guess in guesses]
        last = float(abs(errors[0][-1])), float(abs(errors[1][-1]))
        out[name] = Prediction(r2[0], near, r2[1], law, copy, last)
    return out


def gain_over_copy(found: Mapping[str, Prediction]) -> float:
    """Return the copy's error over the law's, geometric mean over the unseen curves."""
    return float(np.exp(np.mean([np.log(p.copy / p.law) for p in found.values()])))


def ngram_losses(seed: int, rows: int) -> list[float]:
    """Return losses of letter tables on the windows the models are scored on, in nats."""
    corpus = python_source()
    held_out = corpus.batches(batch=rows, n_ctx=64, seed=seed, split="validation")
    tokens_BT = held_out.batch_at(0)
    return ngrams.ngram_losses(corpus, tokens_BT[:, :-1], tokens_BT[:, 1:])
