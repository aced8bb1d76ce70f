"""Train the toy model at every width, and hold what the chapter measures on it.

Introduced in chapter 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scaling_core.base.slopes import Slopes, fit_slopes
from scaling_core.models.superposition import ToyConfig, ToyEnsemble
from scaling_core.training.ensemble import EnsembleTraining, train_ensemble


@dataclass(frozen=True)
class ToyRuns:
    """Toys of one family at several widths.

    Attributes
    ----------
    config
        The family; its m is that of the last width.
    ms
        (X,) widths.
    losses
        (alphas, seeds, gammas, X) losses on fresh samples, summed over features.
    weights
        One array (alphas, seeds, gammas, n, m) per width.
    """

    config: ToyConfig
    ms: tuple[int, ...]
    losses: np.ndarray
    weights: list[np.ndarray]

    def cell(self, alpha: float, gamma: float) -> tuple[int, slice, int]:
        """Return the index of all seeds of one (alpha, gamma).

        Raises
        ------
        ValueError
            If they were not trained.
        """
        c = self.config
        if alpha not in c.alphas or gamma not in c.gammas:
            raise ValueError(
                f"no toys at alpha={alpha}, gamma={gamma}; "
                f"there are alphas {c.alphas} and gammas {c.gammas}"
            )
        return c.alphas.index(alpha), slice(None), c.gammas.index(gamma)

    def loss(self, alpha: float, gamma: float) -> np.ndarray:
        """Return the (seeds, X) losses of one (alpha, gamma)."""
        return self.losses[self.cell(alpha, gamma)]

    def slopes(self, alpha: float, gamma: float) -> Slopes:
        """Return the log-log slopes of the loss on the width, one per seed."""
        return fit_slopes(self.ms, self.loss(alpha, gamma))

    def rows(self, alpha: float, gamma: float, m: int) -> np.ndarray:
        """Return the (seeds, n, m) weights of one (alpha, gamma) at one width."""
        return self.weights[self.ms.index(m)][self.cell(alpha, gamma)]


def train_toys(
    config: ToyConfig,
    ms: Sequence[int],
    training: EnsembleTraining | None,
    *,
    batch: int,
    test_samples: int,
    device: str = "cpu",
    batched: bool | None = None,
) -> ToyRuns:
    """Train every (alpha, seed, gamma) of ``config`` at each width of ``ms``.

    All models of one width are one tensor; widths share their data. With
    ``training=None`` the untrained models are measured. ``batched`` as in
    `ToyEnsemble`: worth setting for very many very small models.

    >>> toys = train_toys(ToyConfig(n=8, m=2), [2, 4], None, batch=4,
    ...                   test_samples=8)
    >>> toys.losses.shape
    (1, 1, 1, 2)
    """
    shape = (len(config.alphas), len(config.seeds), len(config.gammas))
    losses, weights = [], []
    for m in ms:
        model = ToyEnsemble(
            replace(config, m=m), batch=batch, device=device, batched=batched
        )
        if training is not None:
            train_ensemble(model, training, desc=f"width {m}")
        losses.append(model.test_loss(test_samples).reshape(shape))
        W = model.W.cpu().numpy()
        weights.append(W.reshape(*shape, *W.shape[1:]))
    return ToyRuns(
        replace(config, m=ms[-1]), tuple(ms), np.stack(losses, axis=-1), weights
    )
