"""One tiny language model under six schedules: two to be fitted, four to be predicted.

Runs of one seed share initial values and batches, so that they differ by their
schedule alone. Kept apart from what fits the curves, so that a change there retrains
nothing. Chapter: fitting.
"""

from collections.abc import Callable

import torch

from scaling_core.data.corpora import python_source
from scaling_core.models.transformer import Transformer, TransformerConfig
from scaling_core.training.loop import Training, next_token_loss, train
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
    windows = corpus.batches(batch=batch, n_ctx=64, seed=seed)
    held_out = corpus.batches(batch=eval_rows, n_ctx=64, seed=seed, split="validation")
    tokens_BT = held_out.batch_at(0)
    losses = []

    @torch.no_grad()
    def evaluate(done: int) -> None:
        if done % (steps // POINTS) == 0:
            losses.append(float(next_token_loss(model, tokens_BT)))

    training = Training(steps, lr, schedule=schedule(name, steps), warmup=0.0)
    train(model, windows.batch_at, training, after_step=evaluate)
    return dict(loss=losses)
