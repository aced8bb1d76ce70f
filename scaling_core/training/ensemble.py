"""Train many small models as one tensor: Adam, a schedule, and a gradient given.

The model brings its own gradient (written by hand where that pays) and its own
decoupled decay; this module brings Adam (arXiv 1412.6980), the loop and resumption.
"""

from itertools import repeat
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from scaling_core.base.progress import progress
from scaling_core.training.checkpoint import load_tensors, run_name, save_tensors
from scaling_core.training.settings import Training

BLOCK_BYTES = 2**18  # Adam's five passes run block by block, inside the cache


class Ensemble(Protocol):
    """What `train_ensemble` needs of a model.

    A model may also have ``lr_scale``: multiples of the learning rate, of a shape
    that broadcasts to the parameters, or None.
    """

    parameters: Tensor
    data: Any  # with batch_at(step): a pure function of the step

    def gradient(self, batch, /) -> Tensor: ...
    def decay_(self, lr: float) -> None: ...


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
    training: Training,
    *,
    checkpoint: str | Path | None = None,
    every: int = 1000,
    desc: str = "",
) -> None:
    """Train the models in place: decay with the current lr, then Adam.

    Parameters
    ----------
    training
        As for `train`, without what a model's own decay and gradient leave no room
        for: weight decay and clipping (0 and None), micro-batches, bf16, compile.
    checkpoint
        File to resume from if it exists, and to write each ``every`` steps. A
        resumed run ends with the same bits as an unbroken one.

    Raises
    ------
    ValueError
        If the training asks for what there is not, or the checkpoint belongs to
        another run: another model, training, first weights or first batch.
    FloatingPointError
        If a parameter is not finite at the end.

    Examples
    --------
    >>> from scaling_core.models.superposition import ToyConfig, ToyEnsemble
    >>> toys = ToyEnsemble(ToyConfig(n=20, m=4, seeds=(0, 1)), batch=64)
    >>> before = toys.test_loss(1000)
    >>> train_ensemble(toys, Training(200, 0.01, weight_decay=0.0, clip=None))
    >>> bool((toys.test_loss(1000) < before).all())
    True
    """
    t = training
    if t.weight_decay or t.clip or t.micro_rows or t.bf16 or t.compile:
        raise ValueError(
            "an ensemble needs weight_decay=0 and clip=None (the model brings its own "
            "decay), and has neither micro-batches nor bf16 nor compilation"
        )
    adam = Adam(
        model.parameters,
        betas=training.betas,
        eps=training.eps,
        lr_scale=getattr(model, "lr_scale", None),
    )
    state = dict(parameters=adam.parameters, first=adam.first, second=adam.second)
    path, run = Path(checkpoint) if checkpoint else None, ""
    if path is not None:
        run = run_name(model, training, model.parameters, model.data.batch_at(0))
    if path is not None and path.is_file():
        adam.steps, stored = load_tensors(path, run=run)
        for name, tensor in state.items():
            tensor.copy_(stored[name])
    for step in progress(range(adam.steps, training.steps), desc=desc):
        lr = training.lr_at(step)
        gradient = model.gradient(model.data.batch_at(step))
        model.decay_(lr)
        adam.step(gradient, lr)
        if path is not None and (step + 1) % every == 0:
            save_tensors(path, state, step=adam.steps, run=run)
    if not bool(torch.isfinite(model.parameters).all()):
        raise FloatingPointError(
            f"training diverged within {training.steps} steps at peak lr "
            f"{training.lr}; a smaller learning rate is the usual cure"
        )
