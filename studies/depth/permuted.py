"""The second null: the same training on letters in random order.

A model that sees them can learn how frequent letters are, and nothing of their order.

Shapes: B sequences, T positions.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from scaling_core.training.settings import Training
from scaling_core.training.text import TextSetting
from studies.depth.study import KINDS, train_and_probe


def permute_letters(tokens_BT: Tensor, *, seed: int) -> Tensor:
    """Return the letters of a whole batch in random order, (B, T).

    >>> permute_letters(torch.tensor([[1, 2], [3, 4]]), seed=0).flatten().sort().values
    tensor([1, 2, 3, 4])
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(tokens_BT.numel(), generator=generator)
    return tokens_BT.flatten()[order.to(tokens_BT.device)].view_as(tokens_BT)


def measure_permuted(
    *, n_layers: int, seeds: Sequence[int], checkpoints: Sequence[int], **setting
) -> dict:
    """Train Pre-LN models on permuted letters; return their `probe` at the checkpoints.

    Initial values, letters of each batch and held-out text are those of `measure_kind`
    with the same seed; only the order of the letters in training differs. Each key
    holds (seeds, checkpoints, ...). ``setting`` holds the other fields of
    `TextSetting`.
    """
    texts = [TextSetting(**setting, seed=seed) for seed in seeds]
    models = [text.make_model(**KINDS["pre"], n_layers=n_layers) for text in texts]

    def batch_of(text: TextSetting, step: int) -> Tensor:
        draw = text.seed * text.steps + step
        return permute_letters(text.batch_at(step), seed=draw)

    training = Training(texts[0].steps, texts[0].lr)
    return train_and_probe(texts, models, batch_of, training, checkpoints)
