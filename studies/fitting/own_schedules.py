"""The annealing law on curves of our own: one tiny language model, six schedules.

Four schedules are for fitting, two to be predicted. Runs of one seed share initial
values and batches, so that they differ by their schedule alone. Law: arXiv 2408.11029.
Chapter: fitting.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from scaling_core.data.corpora import python_source
from scaling_core.fitting import FitResult, LRAnnealing, fit, schedule_areas
from scaling_core.models.transformer import Transformer, TransformerConfig
from scaling_core.training.loop import Training, next_token_loss, train
from scaling_core.training.schedules import warmup_cosine, warmup_stable_decay
from studies.fitting.annealing import r_squared

WARM_UP, LAST = 0.1, 0.1  # share of the steps; last rate as a share of the peak
MEMORIES = (0.003, 0.01, 0.03, 0.1, 0.3)  # 1 / (1 - lambda) over the number of steps
POINTS, SKIPPED = 60, 12  # evaluations per curve, of which the first are left out
FITTED = ("constant", "cosine", "late decay", "one drop")
UNSEEN = ("straight line", "two drops")


def schedule(name: str, steps: int) -> Callable[[int], float]:
    """Return a schedule: a function from the step to a multiple of the peak rate.

    >>> [schedule("two drops", 10)(s) for s in (0, 3, 5, 9)]
    [1.0, 1.0, 0.5, 0.1]
    """
    warmup = int(WARM_UP * steps)
    drops = {"constant": [], "one drop": [(0.5, 0.3)]}
    drops["two drops"] = [(0.4, 0.5), (0.75, LAST)]
    decays = {"late decay": steps // 4, "straight line": steps - warmup}

    def rate(step: int) -> float:
        shape = dict(total=steps, warmup=warmup)
        if name == "cosine":
            return warmup_cosine(step, floor=LAST, **shape)
        decay = decays.get(name, 0)
        multiple = warmup_stable_decay(step, decay=decay, floor=LAST, **shape)
        fallen = [low for at, low in drops.get(name, []) if step >= at * steps]
        return fallen[-1] if fallen else multiple

    if name not in (*FITTED, *UNSEEN):
        raise ValueError(f"schedule {name!r}; allowed: {(*FITTED, *UNSEEN)}")
    return rate


def measure_schedule(
    *,
    name: str,
    steps: int,
    d_model: int,
    lr: float,
    batch: int,
    eval_rows: int,
    seed: int,
) -> dict:
    """Train one model under one schedule; return its held-out ``loss`` at `POINTS` steps."""
    corpus = python_source()
    config = TransformerConfig(
        d_model=d_model, n_layers=2, n_heads=2, d_vocab=corpus.d_vocab, n_ctx=64
    )
    model = Transformer(config, generator=torch.Generator().manual_seed(seed))
    shape = dict(n_ctx=64, seed=seed)
    windows = corpus.batches(batch=batch, **shape)
    held_out = corpus.batches(batch=eval_rows, split="validation", **shape).batch_at(0)
    losses = []

    @torch.no_grad()
    def evaluate(done: int) -> None:
        if done % (steps // POINTS) == 0:
            losses.append(float(next_token_loss(model, held_out)))

    training = Training(steps, lr, schedule=schedule(name, steps), warmup=0.0)
    train(model, windows.batch_at, training, after_step=evaluate)
    return dict(loss=losses)


def areas(name: str, steps: int, memory: float) -> dict[str, np.ndarray]:
    """Return S1 and S2 in units of peak rate, at the points of a curve.

    ``memory`` is 1 / (1 - lambda) as a share of the steps.
    """
    lr = np.array([schedule(name, steps)(s) for s in range(steps)])
    decay = 1 - 1 / max(memory * steps, 1.0)
    both = schedule_areas(lr, decay, start=int(WARM_UP * steps))
    points = [a.reshape(POINTS, -1)[SKIPPED:, -1] for a in both]
    return dict(zip(("S1", "S2"), points))


def columns(curves: Mapping[str, Sequence[float]], names, steps, memory) -> dict:
    """Return S1, S2 and L of several curves, joined."""
    parts = [
        areas(n, steps, memory) | {"L": np.asarray(curves[n])[SKIPPED:]} for n in names
    ]
    return {k: np.concatenate([p[k] for p in parts]) for k in ("S1", "S2", "L")}


def fit_seed(curves, steps: int, *, annealing: bool = True) -> tuple[float, FitResult]:
    """Fit the four curves of a seed; return the memory chosen on them, and the fit.

    Without ``annealing`` C is held at zero: the loss then depends on S1 alone.
    """
    bounds = None if annealing else {"C": (0.0, 0.0)}
    fits = [
        (
            memory,
            fit(LRAnnealing(), columns(curves, FITTED, steps, memory), bounds=bounds),
        )
        for memory in (MEMORIES if annealing else MEMORIES[:1])
    ]
    return min(fits, key=lambda pair: pair[1].objective)


def score_unseen(curves, steps: int, memory: float, found: FitResult) -> np.ndarray:
    """Return R squared and the relative error of the last loss, (2, unseen schedules)."""
    scores = []
    for name in UNSEEN:
        data = columns(curves, [name], steps, memory)
        predicted = found.predict(data)
        error = abs(predicted[-1] / data["L"][-1] - 1)
        scores.append((r_squared(predicted, data["L"]), error))
    return np.array(scores).T
