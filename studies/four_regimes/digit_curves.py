"""Learning curves on real digits: kernel regression and networks of several widths.

A seed splits the digits into pool, validation and test; smaller training sets are first
parts of larger ones. Networks are stopped, and their width is chosen, by the validation
loss. Introduced in the chapter on the four regimes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import cholesky, solve_triangular
from scipy.spatial.distance import cdist

from scaling_core.data.images import Images
from scaling_core.models.mlp import MLPConfig, MLPEnsemble
from scaling_core.training.batched import plain_adam, train_batched

BATCH, LOOK_EVERY, RIDGE = 64, 30, 1e-3


@dataclass(frozen=True)
class Split:
    """Inputs and classes of pool, validation and test set."""

    x: tuple[np.ndarray, ...]
    y: tuple[np.ndarray, ...]

    def merged(self, k: int = 2) -> "Split":
        """Return the same digits with classes merged in groups of k: 0 and 1, …

        >>> one = np.arange(4)
        >>> Split((), (one,)).merged().y[0].tolist()
        [0, 0, 1, 1]
        """
        return Split(self.x, tuple(y // k for y in self.y))

    def noisy(self, sd: float, *, seed: int) -> "Split":
        """Return the digits with normal noise of ``sd`` on every pixel of every set."""
        rng = np.random.default_rng([seed, 24])
        add = lambda x: (x + sd * rng.normal(size=x.shape)).astype(np.float32)
        return Split(tuple(map(add, self.x)), self.y)


def split(digits: Images, *, held_out: int, seed: int) -> Split:
    """Return a random split: two sets of ``held_out``, the rest is the pool."""
    order = np.random.default_rng([seed, 25]).permutation(len(digits))
    cut = [held_out, 2 * held_out]
    valid, test, pool = np.split(order, cut)
    rows = (pool, valid, test)
    return Split(tuple(digits.flat[r] for r in rows), tuple(digits.y[r] for r in rows))


def kernel_errors(data: Split, ns: Sequence[int], *, ridge: float = RIDGE):
    """Return the test error of Gaussian-kernel regression on the first n, for each n.

    k(x, x') = exp(-|x - x'|² / 2 I s), with I inputs of mean square s, and one-hot
    targets. One Cholesky factor serves all n: its leading block is that of the block.
    """
    x, y = data.x[0].astype(float)[: max(ns)], data.y[0][: max(ns)]
    scale = 2 * x.shape[1] * np.mean(np.square(x))
    kernel = lambda a: np.exp(-cdist(a, x, "sqeuclidean") / scale)
    factor = cholesky(kernel(x) + ridge * np.eye(len(x)), lower=True)
    targets = np.eye(y.max() + 1)[y]
    forward = solve_triangular(factor, targets, lower=True)
    tests = solve_triangular(factor, kernel(data.x[2].astype(float)).T, lower=True)
    guesses = [(tests[:n].T @ forward[:n]).argmax(axis=1) for n in ns]
    return np.array([np.mean(guess != data.y[2]) for guess in guesses])


def neighbour_errors(data: Split, ns: Sequence[int]) -> np.ndarray:
    """Return the test error of the nearest neighbour among the first n, for each n."""
    apart = cdist(data.x[2], data.x[0][: max(ns)])
    nearest = [apart[:, :n].argmin(axis=1) for n in ns]
    return np.array([np.mean(data.y[0][rows] != data.y[2]) for rows in nearest])


def network_curves(
    data: Split,
    ns: Sequence[int],
    *,
    width: int,
    steps: int,
    seed: int,
    lr: float = 3e-3,
    device: str = "cpu",
) -> dict[str, np.ndarray]:
    """Return what networks of one hidden layer learn from the first n, for each n.

    Adam at a constant rate, so that the first half of a training is a training of half
    the length; looked at every `LOOK_EVERY` steps, and stopped at the look of the least
    validation loss.

    Returns
    -------
    ``loss`` (cross-entropy) and ``error`` on the test set and ``valid``, the validation
    loss: (2, len(ns)), stopped within the first half of the steps, and within all.
    """
    config = MLPConfig((data.x[0].shape[1], width, int(data.y[0].max()) + 1))
    model = MLPEnsemble(
        config,
        data.x[0],
        data.y[0],
        [np.arange(n) for n in ns],
        batch=BATCH,
        seeds=[1000 * seed] * len(ns),
        device=device,
    )
    training = plain_adam(steps, lr, schedule="constant")
    every, looks = min(LOOK_EVERY, max(1, steps // 2)), []

    def look(step: int) -> None:
        looks.append([_score(model, data.x[i], data.y[i]) for i in (1, 2)])

    train_batched(model, training, pause_at=range(every, steps + 1, every), paused=look)
    seen = np.array(looks)  # (looks, validation and test, loss and error, ns)
    found = {"loss": [], "error": [], "valid": []}
    for last in (len(seen) // 2, len(seen)):
        best = seen[:last, 0, 0].argmin(axis=0), np.arange(len(ns))
        found["loss"].append(seen[:, 1, 0][best])
        found["error"].append(seen[:, 1, 1][best])
        found["valid"].append(seen[:, 0, 0][best])
    return {name: np.array(rows) for name, rows in found.items()}


def best_width(curves: Sequence[dict[str, np.ndarray]]) -> np.ndarray:
    """Return test errors at the width of least validation loss, at each size."""
    valid = np.array([curve["valid"] for curve in curves])
    errors = np.array([curve["error"] for curve in curves])
    return np.take_along_axis(errors, valid.argmin(axis=0)[None], axis=0)[0]


def _score(model: MLPEnsemble, x: np.ndarray, y: np.ndarray) -> tuple:
    """Return cross-entropy and share of errors of every network."""
    logits = model.outputs(x).double()
    truth = torch.from_numpy(y).to(logits.device)
    log_p = logits.log_softmax(-1)[:, torch.arange(len(y)), truth]
    missed = (logits.argmax(-1) != truth).double()
    return (-log_p).mean(1).cpu().numpy(), missed.mean(1).cpu().numpy()
