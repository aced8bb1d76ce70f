"""The best that packing alone can give: tight frames, frozen, that saw no data.

Introduced in chapter 1.
"""

import numpy as np
import torch

from scaling_core.models.superposition import ToyEnsemble

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


def tighten(toys: ToyEnsemble) -> None:
    """Replace the rows that each model drew by the `tight_rows` near them."""
    tight_Gnm = np.stack([tight_rows(W) for W in toys.W.cpu().numpy()])
    toys.parameters[:, :-1] = torch.as_tensor(tight_Gnm).mT.to(toys.parameters)
