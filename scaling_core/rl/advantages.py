"""Advantages of answers within their group: how much better than the others' mean.

Shapes: P prompts, G answers to each.
"""

from typing import Literal

from torch import Tensor

Normalise = Literal["group", "batch", "none"]
SMALL = 1e-6  # added to a standard deviation


def advantages(reward_PG: Tensor, normalise: Normalise = "group") -> Tensor:
    """Return A = r - mean of its group, over a standard deviation, (P, G).

    That of the group (arXiv 2402.03300, section 4.1), of A over the whole batch
    (arXiv 2510.13786, section 4), or none; always with 1/G, so that a group of one
    has advantage 0.

    Raises
    ------
    ValueError
        For another name of a normalisation.

    >>> import torch
    >>> advantages(torch.tensor([[1.0, 0.0], [1.0, 1.0]])).round().tolist()
    [[1.0, -1.0], [0.0, 0.0]]
    """
    centred_PG = reward_PG - reward_PG.mean(dim=1, keepdim=True)
    if normalise == "none":
        return centred_PG
    if normalise == "group":
        scale = centred_PG.square().mean(dim=1, keepdim=True).sqrt()
    elif normalise == "batch":
        scale = centred_PG.square().mean().sqrt()
    else:
        raise ValueError(f"normalise={normalise!r}; allowed: group, batch, none")
    return centred_PG / (scale + SMALL)


def informative(reward_PG: Tensor) -> Tensor:
    """Return which groups have rewards that differ, bool (P,).

    In the others every advantage is 0 (zero-variance filter, arXiv 2503.14476).

    >>> import torch
    >>> informative(torch.tensor([[1.0, 0.0], [1.0, 1.0]])).tolist()
    [True, False]
    """
    return (reward_PG != reward_PG[:, :1]).any(dim=1)
