"""The law of repeated data where it did not hold: pools of half-hidden digits.

Introduced in the chapter on curation.
"""

from collections.abc import Sequence

import numpy as np

from scaling_core.data.images import digits
from scaling_core.models.mlp import MLPConfig, MLPEnsemble
from scaling_core.training.batched import train_batched
from scaling_core.training.settings import Training

HIDDEN = (0, 5, 8, 11)  # side in pixels of the square that is hidden, by pool


def hide(x_NSS: np.ndarray, side: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return images with a square at a random place set to zero.

    >>> hide(np.ones((1, 4, 4)), 2, rng=np.random.default_rng(0)).sum()
    np.float64(12.0)
    """
    N, S = x_NSS.shape[:2]
    row, column = (
        (at <= np.arange(S)) & (np.arange(S) < at + side)
        for at in rng.integers(S - side + 1, size=(2, N, 1))
    )
    return x_NSS * ~(row[:, :, None] & column[:, None, :])


def measure_occluded(*, seed: int, pool: int, passes: Sequence[int]) -> dict:
    """Return test errors on whole digits of networks trained on four pools again and again.

    ``missed``: shares, a row for each of `HIDDEN`, a column for each of ``passes``.
    """
    rng = np.random.default_rng(seed)
    images = digits().shrink(2)
    order = rng.permutation(len(images))
    parts = order[: 4 * pool].reshape(4, pool)
    test = order[-1000:]
    x = images.x.copy()
    for rows, side in zip(parts, HIDDEN, strict=True):
        x[rows] = hide(x[rows], side, rng=rng)
    config = MLPConfig((x[0].size, 64, 10))
    model = MLPEnsemble(
        config, x.reshape(len(x), -1), images.y, parts, batch=50, seeds=[seed] * 4
    )
    per_pass, errors = pool // 50, []

    def look(_: int) -> None:
        errors.append(model.errors(images.flat[test], images.y[test]))

    still: dict = dict(schedule="constant", warmup=0.0, weight_decay=0.0, clip=None)
    pauses = [k * per_pass for k in passes]
    training = Training(max(pauses), 1e-3, **still)
    train_batched(model, training, pause_at=pauses, paused=look)
    return dict(missed=np.transpose(errors).tolist())
