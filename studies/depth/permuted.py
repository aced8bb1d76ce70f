"""The second null: the same training on letters in random order.

A model that sees them can learn how frequent letters are, and nothing of their order.

Shapes: B sequences, T positions.
"""

import torch
from torch import Tensor

from scaling_core.training.text import TextSetting


def permute_letters(tokens_BT: Tensor, *, seed: int) -> Tensor:
    """Return the letters of a whole batch in random order, (B, T).

    >>> permute_letters(torch.tensor([[1, 2], [3, 4]]), seed=0).flatten().sort().values
    tensor([1, 2, 3, 4])
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(tokens_BT.numel(), generator=generator)
    return tokens_BT.flatten()[order.to(tokens_BT.device)].view_as(tokens_BT)


def permuted_batch(text: TextSetting, step: int) -> Tensor:
    """Return the batch of a step with its letters in an order of its own, (B, T + 1)."""
    draw = text.seed * text.steps + step
    return permute_letters(text.batch_at(step), seed=draw)
