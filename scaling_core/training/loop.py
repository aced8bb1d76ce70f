"""One training loop for every module of the book: AdamW, a schedule, resumption.

A batch is a pure function of the step, so a resumed run sees what an unbroken one
would have seen, and ends with the same bits.
"""

import hashlib
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from scaling_core.base.progress import progress
from scaling_core.training.checkpoint import load_checkpoint, save_checkpoint
from scaling_core.training.schedules import warmup_cosine, warmup_stable_decay

Batch = Tensor | tuple[Tensor, ...]
CPU_MICRO_TOKENS = 2048  # of one forward pass: activations stay near the cache
GPU_CHECK_EVERY = 20  # steps between looks at the losses, which wait for the device


@dataclass(frozen=True)
class Training:
    """How to train.

    Attributes
    ----------
    steps, lr
        Number of steps, and the peak learning rate.
    schedule
        ``cosine``, ``wsd`` (plateau, then linear decay), ``constant``, or a function
        from the step to a multiplier of ``lr``.
    warmup, decay
        Of the named schedules, as fractions of the steps; ``decay`` is for wsd.
    floor
        Last learning rate as a fraction of the peak.
    weight_decay
        Decoupled, on matrices only: gains, biases and vectors have none.
    clip
        Largest norm of the whole gradient; None for no clipping.
    micro_rows
        Rows per forward pass; gradients add up to those of the whole batch. By
        default `CPU_MICRO_TOKENS` for tokens on a CPU, else the whole; 0: whole.
    bf16, compile
        Autocast to bfloat16, and `torch.compile`: for a GPU.
    """

    steps: int
    lr: float = 1e-3
    schedule: Literal["cosine", "wsd", "constant"] | Callable[[int], float] = "cosine"
    warmup: float = 0.1
    decay: float = 0.2
    floor: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    weight_decay: float = 0.1
    clip: float | None = 1.0
    micro_rows: int | None = None
    bf16: bool = False
    compile: bool = False

    def __post_init__(self):
        if self.steps < 1 or not self.lr > 0 or not 0 <= self.warmup < 1:
            raise ValueError(
                f"need steps >= 1, lr > 0 and warmup, a fraction, in [0, 1); "
                f"got {self.steps}, {self.lr}, {self.warmup}"
            )
        known = ("cosine", "wsd", "constant")
        if not callable(self.schedule) and self.schedule not in known:
            raise ValueError(
                f"schedule={self.schedule!r}; allowed: {known} or a function"
            )

    def lr_at(self, step: int) -> float:
        """Return the learning rate of one step.

        >>> Training(steps=10, lr=1.0, warmup=0.2).lr_at(0)
        0.5
        """
        if callable(self.schedule):
            return self.lr * self.schedule(step)
        shape = dict(total=self.steps, warmup=int(self.warmup * self.steps))
        if self.schedule == "cosine":
            return self.lr * warmup_cosine(step, floor=self.floor, **shape)
        decay = int(self.decay * self.steps) if self.schedule == "wsd" else 0
        scale = warmup_stable_decay(step, decay=decay, floor=self.floor, **shape)
        return self.lr * scale


@dataclass
class TrainingLog:
    """What happened: per-step curves, and how fast.

    Attributes
    ----------
    loss, gradient_norm
        (steps,) training loss, and gradient norm before clipping.
    seconds, rows, positions
        Wall seconds, rows and (rows x length) seen, over all resumptions.
    done
        Steps done: fewer than asked for if a deadline passed.
    """

    loss: np.ndarray
    gradient_norm: np.ndarray
    seconds: float
    rows: int
    positions: int
    done: int

    @property
    def positions_per_second(self) -> float:
        """Throughput: tokens a second, for sequences."""
        return self.positions / max(self.seconds, 1e-9)


class DivergedError(FloatingPointError):
    """A loss or gradient became NaN or infinite, at ``step``.

    ``checkpoint`` is the last file written before, or None.
    """

    def __init__(self, step: int, lr: float, checkpoint: Path | None):
        where = f"last good checkpoint: {checkpoint}" if checkpoint else "no checkpoint"
        super().__init__(
            f"loss or gradient is not finite at step {step} (learning rate {lr:.3g}); "
            f"a smaller rate or tighter clipping is the usual cure; {where}"
        )
        self.step, self.checkpoint = step, checkpoint


def next_token_loss(model: nn.Module, tokens_BT: Tensor) -> Tensor:
    """Return the mean cross-entropy in nats of tokens 1.. given those before."""
    logits = model(tokens_BT[:, :-1])
    return cross_entropy(logits.flatten(0, 1).float(), tokens_BT[:, 1:].flatten())


def labelled_loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Return the mean cross-entropy of the label at each position; negative: none."""
    tokens_BT, labels_BT = batch
    logits = model(tokens_BT).flatten(0, 1).float()
    return cross_entropy(logits, labels_BT.flatten().clamp(min=-1), ignore_index=-1)


@torch.no_grad()
def evaluate(
    model: nn.Module, batches: list[Batch], loss: Callable = next_token_loss
) -> float:
    """Return the mean loss over batches of equal size."""
    return float(np.mean([loss(model, batch).item() for batch in batches]))


def train(
    model: nn.Module,
    batch_at: Callable[[int], Batch],
    training: Training,
    *,
    loss: Callable[[nn.Module, Batch], Tensor] = next_token_loss,
    checkpoint: str | Path | None = None,
    every: int = 1000,
    deadline: float | None = None,
    after_step: Callable[[int], None] | None = None,
    desc: str = "",
) -> TrainingLog:
    """Train ``model`` in place.

    Parameters
    ----------
    batch_at
        The batch of a step, a pure function: a tensor or tuple of tensors with the
        same first axis.
    loss
        Mean loss of a batch (all rows weigh the same).
    checkpoint
        File to resume from if it exists, and to write each ``every`` steps and at
        the end.
    deadline
        ``time.monotonic()`` after which the run saves its state and returns.
    after_step
        Called with the number of steps done, to evaluate the model as it trains.

    Raises
    ------
    DivergedError
        If a loss or gradient is not finite; the weights are left as they are.
    ValueError
        If the checkpoint belongs to another model or training.

    Examples
    --------
    >>> model = nn.Linear(1, 1)
    >>> square = lambda model, x: (model(x) - 2 * x).square().mean()
    >>> log = train(model, lambda s: torch.ones(4, 1), Training(200, 0.1), loss=square)
    >>> bool(log.loss[-1] < 1e-2)
    True
    """
    run = _Run(model, training, checkpoint)
    start, began = run.resume(), time.perf_counter()
    before = run.log.seconds
    forward = torch.compile(model) if training.compile else model
    bar = progress(range(start, training.steps), desc=desc)
    for step in bar:
        run.step(step, batch_at(step), partial(loss, forward))
        if after_step is not None:
            after_step(step + 1)
        run.log.seconds = before + time.perf_counter() - began
        last = step + 1 == training.steps
        late = deadline is not None and time.monotonic() >= deadline
        save = run.path is not None and ((step + 1) % every == 0 or last or late)
        if save or last or late or run.on_cpu or (step + 1) % GPU_CHECK_EVERY == 0:
            bar.set_postfix(loss=f"{run.check(step):.4g}", refresh=False)
        if save:
            run.save()
        if late:
            break
    return run.finish()


class _Run:
    """The state of one training run."""

    def __init__(self, model: nn.Module, training: Training, checkpoint):
        self.model, self.training = model, training
        self.path = Path(checkpoint) if checkpoint else None
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.device = self.parameters[0].device
        self.on_cpu = self.device.type == "cpu"
        self.optimizer = make_adamw(model, training)
        self.curves = torch.zeros(2, training.steps, device=self.device)
        self.log = TrainingLog(np.empty(0), np.empty(0), 0.0, 0, 0, 0)
        self.checked, self.saved = 0, None

    def name(self) -> str:
        """What this run is: model, training, and the learning rates themselves."""
        rates = [self.training.lr_at(s) for s in range(self.training.steps)]
        digest = hashlib.sha256(repr(rates).encode()).hexdigest()[:16]
        kind = getattr(self.model, "config", type(self.model).__name__)
        return repr((kind, replace(self.training, schedule="constant"), digest))

    def resume(self) -> int:
        if self.path is None or not self.path.is_file():
            return 0
        done, extra = load_checkpoint(
            self.path, self.model, self.optimizer, run=self.name()
        )
        self.curves.copy_(extra["curves"])
        seconds, rows, positions = extra["totals"].tolist()
        self.log = TrainingLog(
            np.empty(0), np.empty(0), seconds, int(rows), int(positions), done
        )
        self.checked, self.saved = done, self.path
        return done

    def step(self, step: int, batch: Batch, loss: Callable[[Batch], Tensor]) -> None:
        lr = self.training.lr_at(step)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.curves[0, step] = self._gradients(batch, loss)
        limit = self.training.clip or float("inf")
        norm = nn.utils.clip_grad_norm_(self.parameters, limit)
        self.curves[1, step] = norm
        if self.on_cpu:
            self.check(step)  # before the update: the weights stay good
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.log.done = step + 1

    def _gradients(self, batch: Batch, loss) -> Tensor:
        """Add up the gradients of the micro-batches; return the mean loss."""
        parts = batch if isinstance(batch, tuple) else (batch,)
        rows, size = len(parts[0]), self.training.micro_rows
        if size is None and self.on_cpu and not parts[0].is_floating_point():
            size = -(-rows // max(1, round(parts[0].numel() / CPU_MICRO_TOKENS)))
        self.log.rows += rows
        self.log.positions += parts[0].shape[:2].numel()
        total = torch.zeros((), device=self.device)
        for micro in zip(*(p.split(size or rows) for p in parts), strict=True):
            with precision(self.training, self.device):
                value = loss(micro if isinstance(batch, tuple) else micro[0])
            value = value * (len(micro[0]) / rows)
            value.backward()
            total += value.detach()
        return total

    def check(self, step: int) -> float:
        """Return the last loss, or raise for the first step that was not finite."""
        seen = self.curves[:, self.checked : step + 1].cpu()
        bad = (~torch.isfinite(seen)).any(dim=0).nonzero()
        if len(bad):
            first = self.checked + int(bad[0])
            raise DivergedError(first, self.training.lr_at(first), self.saved)
        self.checked = step
        return float(seen[0, -1])

    def save(self) -> None:
        log = self.log
        totals = torch.tensor(
            [log.seconds, log.rows, log.positions], dtype=torch.float64
        )
        extra = dict(curves=self.curves, totals=totals)
        self.saved = save_checkpoint(
            self.path,
            self.model,
            self.optimizer,
            step=log.done,
            run=self.name(),
            extra=extra,
        )

    def finish(self) -> TrainingLog:
        loss, norm = self.curves[:, : self.log.done].cpu().double().numpy()
        return replace(self.log, loss=loss, gradient_norm=norm)


def precision(training: Training, device: torch.device):
    """Return the context of a forward pass: bfloat16 autocast if asked for."""
    if not training.bf16:
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def make_adamw(model: nn.Module, training: Training) -> torch.optim.AdamW:
    """Return fused AdamW with weight decay on matrices only."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in parameters if p.ndim >= 2]
    vectors = [p for p in parameters if p.ndim < 2]
    groups = [
        dict(params=matrices, weight_decay=training.weight_decay),
        dict(params=vectors, weight_decay=0.0),
    ]
    groups = [group for group in groups if group["params"]]
    return torch.optim.AdamW(
        groups, lr=training.lr, betas=training.betas, eps=training.eps, fused=True
    )
