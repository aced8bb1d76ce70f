"""The loss without superposition: exact sums over the features left out.

Introduced in chapter 1.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from scaling_core.base.slopes import fit_slopes
from scaling_core.models.sparse_features import (
    MEAN_SQUARE,
    MEAN_VALUE,
    Law,
    feature_frequencies,
)


def unlearned_feature_loss(p: ArrayLike, represented: int | ArrayLike) -> float:
    """Return the exact loss if some features are perfect and the rest never decoded.

    Σ over the others of ⟨v²⟩p_i - ⟨v⟩²p_i²: each is predicted by its mean
    (arXiv 2505.10465, eq. 4). ``represented`` is a number k of first features, or
    a mask.

    Raises
    ------
    ValueError
        If a frequency is not in [0, 1], or the mask has another length.

    >>> round(unlearned_feature_loss([0.5, 0.3], 1), 4)
    0.31
    """
    p, represented = np.asarray(p, dtype=float), np.asarray(represented)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"frequencies must lie in [0, 1], got {p.min()} to {p.max()}")
    if represented.ndim == 0:
        represented = np.arange(len(p)) < represented
    rest = p[~represented.astype(bool)]
    return float((MEAN_SQUARE * rest - MEAN_VALUE**2 * rest**2).sum())


def ideal_losses(
    n: int,
    ms: Sequence[int],
    alpha: float,
    *,
    density: float = 1.0,
    law: Law = "power",
) -> np.ndarray:
    """Return the loss without superposition at each width: the top m are perfect.

    ``alpha`` and ``law`` as in `feature_frequencies`.

    >>> ideal_losses(2, [1, 2], 0.0).round(4)
    array([0.4167, 0.    ])
    """
    p = feature_frequencies(n, law, alpha, density)
    variances = MEAN_SQUARE * p - MEAN_VALUE**2 * p**2
    beyond = np.append(np.cumsum(variances[::-1])[::-1], 0.0)  # the first 0, 1, … n
    return beyond[np.minimum(ms, n)]


def ideal_weak_exponent(
    n: int, ms: Sequence[int], alpha: float, *, density: float = 1.0
) -> float:
    """Return minus the log-log slope of `ideal_losses`, at finite n and these widths.

    For n → ∞ and alpha > 1 it tends to alpha - 1 (arXiv 2505.10465, section 3.1).

    >>> round(ideal_weak_exponent(256, [6, 10, 16, 26, 40], 0.5), 3)
    0.173
    """
    losses = ideal_losses(n, ms, alpha, density=density)
    return float(-fit_slopes(ms, losses[None]).runs[0])
