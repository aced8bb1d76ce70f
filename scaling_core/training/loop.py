"""One training loop for every module of the book: AdamW, a schedule, resumption.

A batch is a pure function of the step, so a resumed run sees what an unbroken one
would have seen, and ends with the same bits.
"""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from scaling_core.base.progress import progress
from scaling_core.training.checkpoint import load_checkpoint, run_name, save_checkpoint
from scaling_core.training.settings import Training

Batch = Tensor | tuple[Tensor, ...]
CPU_MICRO_TOKENS = 2048  # of one forward pass: activations stay near the cache
GPU_CHECK_EVERY = 20  # steps between looks at the losses, which wait for the device


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
    """Return the mean cross-entropy in nats of tokens 1.. given those before.

    >>> certain = lambda tokens: 50 * torch.nn.functional.one_hot(tokens + 1).float()
    >>> next_token_loss(certain, torch.tensor([[0, 1, 2]])).item()  # each is the next
    0.0
    """
    logits = model(tokens_BT[:, :-1])
    return cross_entropy(logits.flatten(0, 1).float(), tokens_BT[:, 1:].flatten())


class LabelledLoss:
    """The mean cross-entropy of the label at each position; negative: none.

    >>> even = lambda tokens: torch.zeros(*tokens.shape, 2)
    >>> batch = torch.tensor([[0, 1, 1]]), torch.tensor([[-1, 0, 1]])
    >>> LabelledLoss()(even, batch).exp().item(), LabelledLoss.weight(batch)
    (2.0, 2)
    """

    def __call__(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        tokens_BT, labels_BT = batch
        logits = model(tokens_BT).flatten(0, 1).float()
        return cross_entropy(logits, labels_BT.flatten().clamp(min=-1), ignore_index=-1)

    @staticmethod
    def weight(batch: tuple[Tensor, Tensor]) -> int:
        """Return how many labels the mean is over."""
        return int((batch[1] >= 0).sum())


labelled_loss = LabelledLoss()


@torch.no_grad()
def evaluate(
    model: nn.Module, batches: list[Batch], loss: Callable = next_token_loss
) -> float:
    """Return the mean loss over batches of equal size.

    >>> mean = lambda model, batch: model(batch).mean()
    >>> evaluate(nn.Identity(), [torch.zeros(2), torch.ones(2)], mean)
    0.5
    """
    return float(np.mean([loss(model, batch).item() for batch in batches]))


def train(
    model: nn.Module,
    batch_at: Callable[[int], Batch],
    training: Training,
    *,
    loss: Callable[..., Tensor] = next_token_loss,
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
        Mean loss of a batch. All rows weigh the same, unless it has a method
        ``weight(batch)``: what its mean is over, such as the number of labels.
    checkpoint
        File to resume from if it exists, with the model as it was first made, and
        to write each ``every`` steps and at the end.
    deadline
        ``time.monotonic()`` after which the run saves its state and returns.
    after_step
        Called with the number of steps done, to evaluate the model as it trains.

    Raises
    ------
    DivergedError
        If a loss or gradient is not finite; the weights are left as they are.
    ValueError
        If a batch has no label, or if the checkpoint belongs to another run: another
        model or its first weights, training, loss, or first batch.

    Examples
    --------
    >>> model = nn.Linear(1, 1)
    >>> square = lambda model, x: (model(x) - 2 * x).square().mean()
    >>> log = train(model, lambda s: torch.ones(4, 1), Training(200, 0.1), loss=square)
    >>> bool(log.loss[-1] < 1e-2)
    True
    """
    run = _Run(model, training, batch_at, loss, checkpoint)
    start, began = run.resume(), time.perf_counter()
    before = run.log.seconds
    forward = torch.compile(model) if training.compile else model
    bar = progress(range(start, training.steps), desc=desc)
    for step in bar:
        run.step(step, forward)
        if after_step is not None:
            after_step(step + 1)
        run.log.seconds = before + time.perf_counter() - began
        last = step + 1 == training.steps
        late = deadline is not None and time.monotonic() >= deadline
        save = (step + 1) % every == 0 or last or late
        if save or run.on_cpu or (step + 1) % GPU_CHECK_EVERY == 0:
            bar.set_postfix(loss=f"{run.check(step):.4g}", refresh=False)
        if save:
            run.save()
        if late:
            break
    return run.finish()


class _Run:
    """The state of one training run."""

    def __init__(
        self, model: nn.Module, training: Training, batch_at, loss, checkpoint
    ):
        self.model, self.training = model, training
        self.batch_at, self.loss = batch_at, loss
        self.weight: Callable[[Batch], int] = getattr(loss, "weight", _rows)
        self.path = Path(checkpoint) if checkpoint else None
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.device = self.parameters[0].device
        self.on_cpu = self.device.type == "cpu"
        self.optimizer = make_adamw(model, training)
        self.curves = torch.zeros(2, training.steps, device=self.device)
        self.log = TrainingLog(np.empty(0), np.empty(0), 0.0, 0, 0, 0)
        self.checked, self.saved = 0, None
        self.name = ""
        if self.path is not None:  # before the first step: with the first weights
            content = (model.state_dict(), _objective(loss), batch_at(0))
            self.name = run_name(model, training, *content)

    def resume(self) -> int:
        if self.path is None or not self.path.is_file():
            return 0
        done, extra = load_checkpoint(
            self.path, self.model, self.optimizer, run=self.name
        )
        self.curves.copy_(extra["curves"])
        seconds, rows, positions = extra["totals"].tolist()
        self.log = TrainingLog(
            np.empty(0), np.empty(0), seconds, int(rows), int(positions), done
        )
        self.checked, self.saved = done, self.path
        return done

    def step(self, step: int, forward: Callable) -> None:
        lr = self.training.lr_at(step)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.curves[0, step] = self._gradients(step, forward)
        limit = self.training.clip or float("inf")
        norm = nn.utils.clip_grad_norm_(self.parameters, limit)
        self.curves[1, step] = norm
        if self.on_cpu:
            self.check(step)  # before the update: the weights stay good
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.log.done = step + 1

    def _gradients(self, step: int, forward: Callable) -> Tensor:
        """Add up the gradients of the micro-batches; return the mean loss."""
        batch = self.batch_at(step)
        parts = batch if isinstance(batch, tuple) else (batch,)
        rows, size = len(parts[0]), self.training.micro_rows
        if size is None and self.on_cpu and not parts[0].is_floating_point():
            size = -(-rows // max(1, round(parts[0].numel() / CPU_MICRO_TOKENS)))
        self.log.rows += rows
        self.log.positions += parts[0].shape[:2].numel()
        pieces = zip(*(p.split(size or rows) for p in parts), strict=True)
        micros = [p if isinstance(batch, tuple) else p[0] for p in pieces]
        total = torch.zeros((), device=self.device)
        for micro, share in zip(micros, self._shares(micros, step), strict=True):
            if share:
                with precision(self.training, self.device):
                    value = self.loss(forward, micro)
                value = value * share
                value.backward()
                total += value.detach()
        return total

    def _shares(self, micros: list[Batch], step: int) -> list[float]:
        """Return what part of the whole batch's mean each micro-batch brings."""
        if len(micros) == 1:
            return [1.0]  # without counting, for which a GPU would have to stop
        weights = [self.weight(micro) for micro in micros]
        if not any(weights):
            raise _no_labels(step)
        return [weight / sum(weights) for weight in weights]

    def check(self, step: int) -> float:
        """Return the last loss, or raise for the first step that was not finite."""
        seen = self.curves[:, self.checked : step + 1].cpu()
        bad = (~torch.isfinite(seen)).any(dim=0).nonzero()
        if len(bad):
            first = self.checked + int(bad[0])
            if not self.weight(self.batch_at(first)):
                raise _no_labels(first)
            raise DivergedError(first, self.training.lr_at(first), self.saved)
        self.checked = step
        return float(seen[0, -1])

    def save(self) -> None:
        if self.path is None:
            return
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
            run=self.name,
            extra=extra,
        )

    def finish(self) -> TrainingLog:
        loss, norm = self.curves[:, : self.log.done].cpu().double().numpy()
        return replace(self.log, loss=loss, gradient_norm=norm)


def _rows(batch: Batch) -> int:
    return len(batch[0] if isinstance(batch, tuple) else batch)


def _no_labels(step: int) -> ValueError:
    return ValueError(f"the batch of step {step} has no label: its mean loss is 0/0")


def _objective(loss: Callable) -> list:
    """Return what tells one loss from another: name, code and constants."""
    loss = getattr(loss, "func", loss)  # of a partial
    code = getattr(loss, "__code__", None)
    parts = [getattr(loss, "__qualname__", type(loss).__qualname__)]
    if code is not None:
        parts += [code.co_code, code.co_names]
        parts += [c for c in code.co_consts if isinstance(c, int | float | str)]
    return parts


def precision(training: Training, device: torch.device):
    """Return the context of a forward pass: bfloat16 autocast if asked for."""
    if not training.bf16:
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def make_adamw(model: nn.Module, training: Training) -> torch.optim.AdamW:
    """Return fused AdamW with weight decay on matrices only.

    >>> groups = make_adamw(nn.Linear(2, 3), Training(10, weight_decay=0.1)).param_groups
    >>> [(len(group["params"]), group["weight_decay"]) for group in groups]
    [(1, 0.1), (1, 0.0)]
    """
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
