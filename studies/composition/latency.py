"""How long a forward pass takes, as ratios within one run.

Shapes: R repetitions, M models. Introduced in the chapter on composition.
"""

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn


@torch.no_grad()
def interleaved_seconds(
    models: Sequence[nn.Module], batch: Tensor, *, repeats: int, passes: int = 8
) -> np.ndarray:
    """Return the least time of a forward pass of each model, (R, M), in seconds.

    A repetition takes ``passes`` of every model in turn, so that all of them meet the
    same load, and keeps the least of each: noise only ever adds. Ratios within a
    repetition are what can be compared; the repetition is their unit.
    """
    if repeats < 1 or passes < 1:
        raise ValueError(f"need repeats and passes >= 1, got {repeats} and {passes}")
    seconds = np.full((repeats, len(models)), np.inf)
    for repetition in seconds:
        for _ in range(passes):
            for index, model in enumerate(models):
                start = time.perf_counter()
                model(batch).sum().item()  # waits for a GPU
                spent = time.perf_counter() - start
                repetition[index] = min(repetition[index], spent)
    return seconds
