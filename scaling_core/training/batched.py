"""Train an ensemble that brings its gradient, and look at it on the way.

`train_ensemble` is for models of megabytes and runs that resume; this is for thousands
of small networks: torch's fused Adam makes one pass over all parameters.
"""

from collections.abc import Callable, Collection
from typing import Literal

import torch

from scaling_core.base.progress import progress
from scaling_core.models.mlp import MLPEnsemble
from scaling_core.training.settings import Training


def plain_adam(
    steps: int,
    lr: float = 3e-3,
    *,
    schedule: Literal["cosine", "constant"] = "cosine",
) -> Training:
    """Return how small networks train: Adam, no warm-up, by default a cosine to zero.

    At a ``constant`` rate a run that is stopped earlier is a shorter run.

    >>> plain_adam(4, 1.0).lr_at(2), plain_adam(4, 1.0, schedule="constant").lr_at(2)
    (0.5, 1.0)
    """
    return Training(
        steps,
        lr,
        schedule=schedule,
        warmup=0.0,
        floor=0.0,
        betas=(0.9, 0.999),
        weight_decay=0.0,
        clip=None,
    )


def train_batched(
    model: MLPEnsemble,
    training: Training,
    *,
    pause_at: Collection[int] = (),
    paused: Callable[[int], None] | None = None,
    desc: str = "",
) -> None:
    """Train every network in place; ``paused`` is called after the steps ``pause_at``.

    Raises
    ------
    ValueError
        If the training asks for weight decay, clipping, micro-batches, bf16 or compile.
    FloatingPointError
        If a parameter is not finite at the end.

    Examples
    --------
    >>> import numpy as np
    >>> from scaling_core.models.mlp import MLPConfig
    >>> two = MLPEnsemble(
    ...     MLPConfig((2, 8, 2)), np.eye(2), [0, 1], [[0, 1]] * 2, batch=2, seeds=[0, 1]
    ... )
    >>> train_batched(two, plain_adam(200, 0.02))
    >>> two.errors(np.eye(2), [0, 1]).tolist()
    [0.0, 0.0]
    """
    t = training
    if t.weight_decay or t.clip or t.micro_rows or t.bf16 or t.compile:
        raise ValueError(f"need weight_decay=0, clip=None and no more; got {t}")
    adam = torch.optim.Adam(
        [torch.nn.Parameter(model.parameters)], betas=t.betas, eps=t.eps, fused=True
    )
    group = adam.param_groups[0]
    for step in progress(range(t.steps), desc=desc):
        group["lr"] = t.lr_at(step)
        group["params"][0].grad = model.gradient(model.data.batch_at(step))
        adam.step()
        if paused is not None and step + 1 in pause_at:
            paused(step + 1)
    if not bool(torch.isfinite(model.parameters).all()):
        raise FloatingPointError(f"diverged within {t.steps} steps at peak lr {t.lr}")
