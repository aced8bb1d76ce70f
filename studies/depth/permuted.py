"""The second null: the same training on letters in random order.

A model that sees them can learn how frequent letters are, and nothing of their order.

Shapes: B sequences, T positions.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from scaling_core.training.many import train_many
from scaling_core.training.settings import Training
from scaling_core.training.text import TextSetting
from studies.depth.study import KINDS, probe


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
    held_out = [text.held_out() for text in texts]
    seen = []

    def batches_at(step: int) -> Tensor:
        draw = [t.seed * texts[0].steps + step for t in texts]
        batches = [text.batch_at(step) for text in texts]
        pairs = zip(batches, draw, strict=True)
        return torch.stack([permute_letters(batch, seed=s) for batch, s in pairs])

    def look(_step: int) -> None:
        seen.append([probe(m, *x) for m, x in zip(models, held_out, strict=True)])

    if 0 in checkpoints:
        look(0)
    train_many(
        models,
        batches_at,
        Training(texts[0].steps, texts[0].lr),
        pause_at=checkpoints,
        paused=look,
    )
    by_seed = list(zip(*seen, strict=True))
    return {key: [[x[key] for x in row] for row in by_seed] for key in by_seed[0][0]}
