"""Several small models of one shape, trained as one: for tiny batches, or a GPU.

On a CPU it pays below about 500 tokens per model and step (1.2 to 2 times at widths
32 and 64) and not above; there, train one after another, or in processes.

Shapes: G models.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from scaling_core.base.progress import progress
from scaling_core.models.attention import Attention
from scaling_core.training.loop import (
    Batch,
    DivergedError,
    Training,
    next_token_loss,
    precision,
)


def train_many(
    models: Sequence[nn.Module],
    batch_at: Callable[[int], Batch],
    training: Training,
    *,
    loss: Callable[..., Tensor] = next_token_loss,
    pause_at: Collection[int] = (),
    paused: Callable[[int], None] | None = None,
    desc: str = "",
) -> np.ndarray:
    """Train models of one shape in place; return their losses, (G, steps).

    Each model sees its own batches and is clipped by its own gradient norm: up to
    rounding, the result is that of `train` on each alone.

    Parameters
    ----------
    batch_at
        The batches of a step: tensors with a first axis over models.
    training
        As for `train`; micro-batches and compilation are not for ensembles.
    pause_at, paused
        After these numbers of steps ``paused`` is called with the number, and finds
        the models as they are then.

    Raises
    ------
    ValueError
        If the training asks for micro-batches or compilation.
    DivergedError
        If a model's loss or gradient is not finite.

    Examples
    --------
    >>> models = [nn.Linear(1, 1), nn.Linear(1, 1)]
    >>> square = lambda model, x: (model(x) - 2 * x).square().mean()
    >>> batch_at = lambda step: torch.ones(2, 4, 1)
    >>> losses = train_many(models, batch_at, Training(200, 0.1), loss=square)
    >>> losses.shape, bool((losses[:, -1] < 1e-2).all())
    ((2, 200), True)
    """
    if training.micro_rows or training.compile:
        raise ValueError("an ensemble has neither micro-batches nor compilation")
    base = _template(models[0])
    stacked, buffers = stack_module_state(list(models))
    parameters = {k: nn.Parameter(p.detach()) for k, p in stacked.items()}
    optimizer = _adamw(parameters, training)

    def one(weights, state, batch):
        return loss(lambda *x: functional_call(base, (weights, state), x), batch)

    losses = vmap(one)
    curves = np.empty((len(models), training.steps))
    for step in progress(range(training.steps), desc=desc):
        for group in optimizer.param_groups:
            group["lr"] = training.lr_at(step)
        with precision(training, next(iter(parameters.values())).device):
            loss_G = losses(parameters, buffers, batch_at(step))
        loss_G.sum().backward()
        norm_G = _clip(parameters.values(), training.clip)
        curves[:, step] = loss_G.detach().float().cpu().numpy()
        if not torch.isfinite(loss_G.detach() + norm_G).all():
            raise DivergedError(step, training.lr_at(step), None)
        optimizer.step()
        optimizer.zero_grad()
        if paused is not None and step + 1 in pause_at:
            _scatter(parameters, models)
            paused(step + 1)
    _scatter(parameters, models)
    return curves


def _template(model: nn.Module) -> nn.Module:
    """Return a model to call with others' weights: kernels that batch over models."""
    base = deepcopy(model)
    for module in base.modules():
        if isinstance(module, Attention):
            module.many = True
    return base


def _adamw(parameters: Mapping[str, Tensor], training: Training) -> torch.optim.AdamW:
    matrices = [p for p in parameters.values() if p.ndim >= 3]
    vectors = [p for p in parameters.values() if p.ndim < 3]
    group = partial(dict, lr=training.lr, betas=training.betas, eps=training.eps)
    groups = [
        group(params=matrices, weight_decay=training.weight_decay),
        group(params=vectors, weight_decay=0.0),
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], fused=True)


@torch.no_grad()
def _clip(parameters: Iterable[Tensor], limit: float | None) -> Tensor:
    """Clip each model's gradient; return the norms before, (G,)."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    squares = (g.flatten(1).square().sum(dim=1) for g in gradients)
    norm_G = sum(squares, start=torch.zeros(())).sqrt()
    if limit is not None:
        scale_G = (limit / (norm_G + 1e-6)).clamp(max=1.0)
        for g in gradients:
            g.mul_(scale_G.view(-1, *[1] * (g.ndim - 1)))
    return norm_G


@torch.no_grad()
def _scatter(parameters: Mapping[str, Tensor], models: Sequence[nn.Module]) -> None:
    for index, model in enumerate(models):
        for name, parameter in model.named_parameters():
            parameter.copy_(parameters[name][index])
