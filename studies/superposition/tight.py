"""The best that packing alone can give: tight frames, frozen, that saw no data.

Introduced in chapter 1.
"""

from collections.abc import Sequence

import numpy as np
import torch

from scaling_core.models.superposition import ToyConfig, ToyEnsemble
from studies.superposition.toys import train_toys

ROUNDS = 100  # of whitening and normalising; rows are then tight to a few 1e-4


def tight_rows(rows_nm: np.ndarray) -> np.ndarray:
    """Return unit rows near the given ones that form a tight frame, WᵀW = (n/m) I.

    Whitening and normalising in turn. Of all unit rows these have the least mean
    squared overlap, κ² (`welch_bound`), though not equal ones.

    Raises
    ------
    ValueError
        If there are fewer rows than dimensions.

    >>> rows = np.random.default_rng(0).standard_normal((12, 3))
    >>> W = tight_rows(rows)
    >>> np.allclose(W.T @ W, 4 * np.eye(3), atol=1e-2)
    True
    """
    rows_nm = np.asarray(rows_nm, dtype=float)
    n, m = rows_nm.shape
    if n < m:
        raise ValueError(f"a frame needs as many rows as dimensions, got {n} and {m}")
    for _ in range(ROUNDS):
        left, _, right = np.linalg.svd(rows_nm, full_matrices=False)
        rows_nm = left @ right
        rows_nm /= np.linalg.norm(rows_nm, axis=1, keepdims=True)
    return rows_nm


def measure_tight(
    *,
    n: int,
    m: int,
    alpha: float,
    seeds: Sequence[int],
    batch: int,
    steps: int,
    test_samples: int,
    lr: float = 1e-1,
    device: str = "cpu",
) -> dict:
    """Train biases and one gain on a frozen tight frame per seed; return the losses.

    The frame is `tight_rows` of the rows that the random control draws; biases start
    at zero, and schedule and data are those of `measure_width`.

    Returns
    -------
    dict
        ``loss``, on fresh samples, one per seed.

    >>> config = dict(n=8, m=2, alpha=0.5, seeds=[0], batch=4, test_samples=8)
    >>> np.shape(measure_tight(**config, steps=2)["loss"])
    (1,)
    """
    config = ToyConfig(n, m, (alpha,), (0.0,), tuple(seeds), bias_std=0.0)
    toys = ToyEnsemble(config, batch=batch, device=device)
    tight_Gnm = np.stack([tight_rows(W) for W in toys.W.cpu().numpy()])
    toys.parameters[:, :-1] = torch.as_tensor(tight_Gnm).mT.to(toys.parameters)
    train_toys(toys, steps, lr, frozen=True)
    return {"loss": toys.test_loss(test_samples).tolist()}
