"""One tiny language model under six schedules: two to be fitted, four to be predicted.

Runs of one seed share initial values and batches, so that they differ by their
schedule alone. As long as the rates are those of a constant schedule, so are the
weights: that part is trained once. Kept apart from what fits the curves, so that a
change there retrains nothing. Chapter: fitting.
"""

from collections.abc import Callable
from copy import deepcopy

import numpy as np
import torch
from torch.nn.utils import clip_grad_norm_

from scaling_core.data.corpora import python_source
from scaling_core.models.transformer import Transformer, TransformerConfig
from scaling_core.training.loop import Training, evaluate, make_adamw, next_token_loss
from scaling_core.training.schedules import warmup_cosine, warmup_stable_decay

WARM_UP, LAST = 0.1, 0.1  # share of the steps; last rate as a share of the peak
POINTS = 60  # evaluations per curve
FITTED = ("constant", "cosine")
UNSEEN = ("late decay", "straight line", "one drop", "two drops")


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


def measure_schedules(
    *, steps: int, d_model: int, lr: float, batch: int, eval_rows: int, seed: int
) -> dict[str, list[float]]:
    """Train one model under each schedule; return held-out losses at `POINTS` steps."""
    if steps < 1 or steps % POINTS:
        raise ValueError(f"need a multiple of {POINTS} steps, got {steps}")
    corpus = python_source()
    config = TransformerConfig(
        d_model=d_model, n_layers=2, n_heads=2, d_vocab=corpus.d_vocab, n_ctx=64
    )
    model = Transformer(config, generator=torch.Generator().manual_seed(seed))
    windows = corpus.batches(batch=batch, n_ctx=64, seed=seed)
    held_out = corpus.batches(batch=eval_rows, n_ctx=64, seed=seed, split="validation")
    test: list = [held_out.batch_at(0)]

    def advance(run, rates, start: int, end: int) -> None:
        """Train and evaluate, with the steps of `scaling_core.training.loop.train`."""
        model, optimizer, losses = run
        for step in range(start, end):
            for group in optimizer.param_groups:
                group["lr"] = rates[step]
            next_token_loss(model, windows.batch_at(step)).backward()
            clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            if (step + 1) % (steps // POINTS) == 0:
                losses.append(evaluate(model, test))

    names = (*FITTED, *UNSEEN)
    rates = {k: [lr * schedule(k, steps)(s) for s in range(steps)] for k in names}
    constant = rates["constant"]
    shared = {k: int(np.equal(r, constant).cumprod().sum()) for k, r in rates.items()}
    trunk, done, losses = (model, make_adamw(model, Training(steps, lr)), []), 0, {}
    for name in sorted(names, key=lambda name: shared[name]):
        advance(trunk, constant, done, shared[name])
        done, branch = shared[name], deepcopy(trunk)
        advance(branch, rates[name], done, steps)
        losses[name] = branch[2]
    return losses
