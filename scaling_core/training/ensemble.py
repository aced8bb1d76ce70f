"""Train many small models as one tensor: Adam, a schedule, and a gradient given.

The model brings its own gradient (written by hand where that pays) and its own
decoupled decay; this module brings Adam (arXiv 1412.6980), the loop and resumption.
"""

from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from scaling_core.base.files import write_atomic
from scaling_core.base.progress import progress
from scaling_core.training.schedules import warmup_cosine

BLOCK_BYTES = 2**18  # Adam's five passes run block by block, inside the cache


class Ensemble(Protocol):
    """What `train_ensemble` needs of a model.

    A model may also have ``lr_scale``: multiples of the learning rate, of a shape
    that broadcasts to the parameters, or None.
    """

    parameters: Tensor
    data: Any  # with batch_at(step): a pure function of the step

    def gradient(self, batch) -> Tensor: ...
    def decay_(self, lr: float) -> None: ...


@dataclass(frozen=True)
class EnsembleTraining:
    """How to train: Adam with linear warm-up, then cosine decay.

    Attributes
    ----------
    steps, lr
        Number of steps, and the peak learning rate.
    warmup, floor
        Warm-up as a fraction of the steps, final learning rate as a fraction of lr.
    betas, eps
        Of Adam.
    """

    steps: int
    lr: float = 1e-2
    warmup: float = 0.1
    floor: float = 0.05
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    def __post_init__(self):
        if self.steps < 1 or not self.lr > 0 or not 0 <= self.warmup < 1:
            raise ValueError(
                f"need steps >= 1, lr > 0 and warmup, a fraction, in [0, 1); "
                f"got {self.steps}, {self.lr}, {self.warmup}"
            )

    def lr_at(self, step: int) -> float:
        """Return the learning rate of one step.

        >>> EnsembleTraining(steps=10, lr=1.0, warmup=0.2).lr_at(0)
        0.5
        """
        warmup = int(self.warmup * self.steps)
        scale = warmup_cosine(step, total=self.steps, warmup=warmup, floor=self.floor)
        return self.lr * scale


class Adam:
    """Adam on one tensor, block by block so that its passes stay in cache.

    m ← β₁m + (1-β₁)g;  v ← β₂v + (1-β₂)g²;
    P ← P - ηs (m/(1-β₁ᵗ)) / (√(v/(1-β₂ᵗ)) + ε), with s = ``lr_scale`` (1 if None).
    """

    def __init__(
        self,
        parameters: Tensor,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        lr_scale: Tensor | None = None,
    ):
        self.parameters, self.betas, self.eps = parameters, betas, eps
        self.lr_scale = None
        if lr_scale is not None:
            self.lr_scale = lr_scale.expand_as(parameters).contiguous()
        self.first = torch.zeros_like(parameters)
        self.second = torch.zeros_like(parameters)
        self.steps = 0
        block = parameters.numel()
        if parameters.device.type == "cpu":
            block = min(block, max(1, BLOCK_BYTES // parameters.element_size()))
        self._scratch = parameters.new_empty(block)

    def _blocks(self, gradient: Tensor):
        size = len(self._scratch)
        whole = (self.parameters, gradient, self.first, self.second)
        blocks = [t.view(-1).split(size) for t in whole]
        scales = repeat(None, len(blocks[0]))
        if self.lr_scale is not None:
            scales = self.lr_scale.view(-1).split(size)
        return zip(*blocks, scales, strict=True)

    @torch.no_grad()
    def step(self, gradient: Tensor, lr: float) -> None:
        """Update the parameters in place with one gradient."""
        beta1, beta2 = self.betas
        self.steps += 1
        unbias1 = 1 - beta1**self.steps
        unbias2 = (1 - beta2**self.steps) ** 0.5
        for p, g, m, v, s in self._blocks(gradient):
            m.lerp_(g, 1 - beta1)
            v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
            scale = torch.sqrt(v, out=self._scratch[: len(v)])
            scale.div_(unbias2).add_(self.eps)
            if s is not None:
                scale.div_(s)
            p.addcdiv_(m, scale, value=-lr / unbias1)


def train_ensemble(
    model: Ensemble,
    training: EnsembleTraining,
    *,
    checkpoint: str | Path | None = None,
    every: int = 1000,
    desc: str = "",
) -> None:
    """Train the models in place: decay with the current lr, then Adam.

    Parameters
    ----------
    checkpoint
        File to resume from if it exists, and to write each ``every`` steps. A
        resumed run ends with the same bits as an unbroken one.

    Raises
    ------
    ValueError
        If the checkpoint belongs to another model or another training.
    FloatingPointError
        If a parameter is not finite at the end.
    """
    adam = Adam(
        model.parameters,
        betas=training.betas,
        eps=training.eps,
        lr_scale=getattr(model, "lr_scale", None),
    )
    tag = repr((getattr(model, "config", None), training))
    path = Path(checkpoint) if checkpoint else None
    if path is not None and path.is_file():
        _load(path, adam, tag)
    for step in progress(range(adam.steps, training.steps), desc=desc):
        lr = training.lr_at(step)
        gradient = model.gradient(model.data.batch_at(step))
        model.decay_(lr)
        adam.step(gradient, lr)
        if path is not None and (step + 1) % every == 0:
            _save(path, adam, tag)
    if not bool(torch.isfinite(model.parameters).all()):
        raise FloatingPointError(
            f"training diverged within {training.steps} steps at peak lr "
            f"{training.lr}; a smaller learning rate is the usual cure"
        )


def _save(path: Path, adam: Adam, tag: str) -> None:
    from safetensors.torch import save

    state = dict(parameters=adam.parameters, first=adam.first, second=adam.second)
    state = {name: tensor.cpu().contiguous() for name, tensor in state.items()}
    write_atomic(path, save(state, {"run": tag, "steps": str(adam.steps)}))


def _load(path: Path, adam: Adam, tag: str) -> None:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        stored = file.metadata() or {}
        if stored.get("run") != tag:
            raise ValueError(
                f"{path} was written by another run: it holds {stored.get('run')}, "
                f"this run is {tag}; delete the file or name another"
            )
        adam.steps = int(stored["steps"])
        for name in ("parameters", "first", "second"):
            getattr(adam, name).copy_(file.get_tensor(name))
