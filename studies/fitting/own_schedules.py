"""One tiny language model under six schedules: two to be fitted, four to be predicted.

Runs of one seed share initial values and batches, so that they differ by their
schedule alone. As long as the rates are those of a constant schedule, so are the
weights: that part is trained once. Kept apart from what fits the curves, so that a
change there retrains nothing. Chapter: fitting.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from scaling_core.data.corpora import python_source
from scaling_core.models.transformer import Transformer, TransformerConfig
from scaling_core.training.loop import Training, make_adamw, next_token_loss
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


@dataclass
class Run:
    """A model in training, with its optimiser and the held-out losses so far."""

    model: Transformer
    optimizer: torch.optim.Optimizer
    clip: float
    done: int = 0
    losses: list[float] = field(default_factory=list)

    def advance(
        self,
        rates: Sequence[float],
        to: int,
        batch_at: Callable[[int], Tensor],
        evaluate: Callable[[nn.Module], float],
    ) -> None:
        """Train as `scaling_core.training.loop.train` does, up to ``to`` steps done.

        Evaluates at `POINTS` of the steps that there are rates for.
        """
        every = len(rates) // POINTS
        for step in range(self.done, to):
            for group in self.optimizer.param_groups:
                group["lr"] = rates[step]
            next_token_loss(self.model, batch_at(step)).backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
            self.optimizer.step()
            self.optimizer.zero_grad()
            if (step + 1) % every == 0:
                self.losses.append(evaluate(self.model))
        self.done = max(self.done, to)


def measure_schedules(
    *, steps: int, d_model: int, lr: float, batch: int, eval_rows: int, seed: int
) -> dict[str, list[float]]:
    """Train one model under each schedule; return held-out losses at `POINTS` steps.

    Raises
    ------
    ValueError
        If the steps are no multiple of `POINTS`.
    """
    if steps < 1 or steps % POINTS:
        raise ValueError(f"need a multiple of {POINTS} steps, got {steps}")
    corpus = python_source()
    config = TransformerConfig(
        d_model=d_model, n_layers=2, n_heads=2, d_vocab=corpus.d_vocab, n_ctx=64
    )
    model = Transformer(config, generator=torch.Generator().manual_seed(seed))
    windows = corpus.batches(batch=batch, n_ctx=64, seed=seed)
    held_out = corpus.batches(batch=eval_rows, n_ctx=64, seed=seed, split="validation")
    tokens_BT = held_out.batch_at(0)

    @torch.no_grad()
    def evaluate(model: nn.Module) -> float:
        return float(next_token_loss(model, tokens_BT))

    training = Training(steps, lr)
    trunk = Run(model, make_adamw(model, training), clip=1.0)
    rates = {
        name: lr * np.array([schedule(name, steps)(s) for s in range(steps)])
        for name in (*FITTED, *UNSEEN)
    }
    constant = rates.pop("constant")
    parts_at = {k: int(np.argmax(rate != constant)) for k, rate in rates.items()}
    losses = {}
    for name in sorted(rates, key=lambda name: parts_at[name]):
        trunk.advance(constant, parts_at[name], windows.batch_at, evaluate)
        branch = deepcopy(trunk)
        branch.advance(rates[name], steps, windows.batch_at, evaluate)
        losses[name] = branch.losses
    trunk.advance(constant, steps, windows.batch_at, evaluate)
    return losses | {"constant": trunk.losses}
