"""Noisy digits and two losses: does training for coverage beat a temperature?

A network's softmax is a proposer with known chances, so that pass@N is exact. Losses:
cross-entropy, and -ln(1 - (1 - p)^N) for N samples (arXiv 2502.07154). Introduced in
the chapter on resampling.

Shapes: G networks, P parameters, B batch, N images, C classes.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scaling_core.models.mlp import MLPConfig, MLPEnsemble, forward
from scaling_core.rl.coverage import coverage_loss
from scaling_core.training.batched import plain_adam, train_batched
from studies.resampling.verifiers import pictures

TRAIN, TUNE, TEST = 800, 1000, 2000  # images
NOISE = 0.6  # standard deviation added to pixels from 0 to 1
TEMPERATURES = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0)
BATCH = 64


class CoverageEnsemble(MLPEnsemble):
    """Networks of which the last half minimise the coverage loss of N samples."""

    N: int = 4

    def gradient(self, rows_GB: Tensor) -> Tensor:
        """Return d/dparameters of each network's mean loss, (G, P)."""
        rows_GB = rows_GB.to(self.x.device)
        parameters = self.parameters.detach().requires_grad_()
        logits = forward(self.config, parameters, self.x[rows_GB])
        logp = (logits.log_softmax(-1) * self.targets[rows_GB]).sum(-1)
        half = len(logp) // 2
        loss = -logp[:half].mean(1).sum()
        loss = loss + coverage_loss(logp[half:], self.N).mean(1).sum()
        return torch.autograd.grad(loss, parameters)[0]


@dataclass(frozen=True)
class Looks:
    """Pass@N at each look and temperature, (looks, losses, seeds, temperatures).

    ``tune`` on the images that choose temperature and stopping, ``test`` on others;
    losses: cross-entropy, coverage. ``steps``: of the looks; ``top``: argmax accuracy on
    the test images, (looks, losses, seeds).
    """

    steps: tuple[int, ...]
    tune: np.ndarray
    test: np.ndarray
    top: np.ndarray

    def at_best(self, look: int) -> np.ndarray:
        """Return pass@N of a look, each run at its temperature, (losses, seeds)."""
        best = self.tune[look].argmax(-1)[..., None]
        return np.take_along_axis(self.test[look], best, -1)[..., 0]

    def best_temperature(self, look: int) -> np.ndarray:
        """Return these temperatures, (losses, seeds)."""
        return np.array(TEMPERATURES)[self.tune[look].argmax(-1)]

    def narrowing(self, last: int, *, plain: bool) -> np.ndarray:
        """Return ln of cross-entropy's best pass@N up to a look over that at it, (seeds,).

        The best look is chosen on the tuning images; ``plain`` keeps temperature one.
        """
        tune, test = self.tune[: last + 1, 0], self.test[: last + 1, 0]
        which = np.zeros(tune.shape[:2], int) if plain else tune.argmax(-1)
        tune, test = (
            np.take_along_axis(x, which[..., None], 2)[..., 0] for x in (tune, test)
        )
        best = tune.argmax(0)
        return np.log(test[best, np.arange(test.shape[1])] / test[last])


def pass_at(logits: Tensor, y: Tensor, N: int) -> np.ndarray:
    """Return pass@N at each of `TEMPERATURES`, (..., temperatures), of (..., N, C)."""
    out = []
    for temperature in TEMPERATURES:
        logp = (logits.double() / temperature).log_softmax(-1)
        p = logp.gather(-1, y.expand(logits.shape[:-1])[..., None])[..., 0].exp()
        out.append((1 - (1 - p) ** N).mean(-1))
    return torch.stack(out, -1).cpu().numpy()


def _noisy(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([seed, 2])
    data = pictures()
    rows = rng.permutation(len(data))[: TRAIN + TUNE + TEST]
    x = data.flat[rows]
    return x + NOISE * rng.standard_normal(x.shape, dtype=np.float32), data.y[rows]


def measure_losses(
    *, seeds: list[int], steps: int, looks: int, N: int = 4, width=128, device="cpu"
) -> Looks:
    """Train both losses on each seed's digits from the same weights, and look on the way."""
    drawn = [_noisy(seed) for seed in seeds]
    x = np.concatenate([x[:TRAIN] for x, _ in drawn])
    y = np.concatenate([y[:TRAIN] for _, y in drawn])
    lists = [np.arange(i * TRAIN, (i + 1) * TRAIN) for i in range(len(seeds))] * 2
    config = MLPConfig((x.shape[1], width, width, 10))
    shape: dict = dict(batch=BATCH, device=device)
    nets = CoverageEnsemble(config, x, y, lists, seeds=list(seeds) * 2, **shape)
    nets.N = N
    at = [round(steps * (i + 1) / looks) for i in range(looks)]
    found: dict[str, list] = dict(tune=[], test=[], top=[])
    held = [(torch.tensor(x[TRAIN:]), torch.tensor(y[TRAIN:])) for x, y in drawn]

    def look(step: int) -> None:
        rows: dict[str, list] = {name: [] for name in found}
        both = nets.parameters.view(2, len(seeds), -1)
        for i, (x, y) in enumerate(held):
            logits, y = forward(config, both[:, i], x.to(nets.x)), y.to(nets.x.device)
            rows["tune"].append(pass_at(logits[:, :TUNE], y[:TUNE], N))
            rows["test"].append(pass_at(logits[:, TUNE:], y[TUNE:], N))
            right = logits[:, TUNE:].argmax(-1) == y[TUNE:]
            rows["top"].append(right.double().mean(-1).cpu().numpy())
        for name, values in rows.items():
            found[name].append(np.stack(values, 1))

    training = plain_adam(steps, 1e-3, schedule="constant")
    train_batched(nets, training, pause_at=at, paused=look)
    return Looks(tuple(at), **{name: np.array(v) for name, v in found.items()})
