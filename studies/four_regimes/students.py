"""Students that learn from teachers of their own kind, networks of ReLUs.

Teacher and student have two hidden layers; inputs are uniform in [-1, 1]^d, targets are
the teacher's outputs over their standard deviation, and losses are mean squared errors
(so 1 means: nothing learnt). A student is what its best validation loss chose; its test
loss is taken on other inputs. Introduced in the chapter on the four regimes.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
import torch
from torch import Tensor

from scaling_core.models.mlp import ROWS, MLPConfig, MLPEnsemble, forward
from scaling_core.models.sparse_features import stream_seed
from scaling_core.training.batched import plain_adam, train_batched

BATCH, HELD_OUT, LOOKS = 64, 1000, 25


def teach(d: int, width: int, n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return n inputs (n, d) and a random teacher's targets (n, 1) of variance one.

    The teacher has two hidden layers of ``width``, and biases: N(0, 2 / inputs) and
    N(0, 1/4), so that its kinks lie anywhere.
    """
    generator = torch.Generator().manual_seed(stream_seed(seed, f"teacher {d}"))
    config = MLPConfig((d, width, width, 1))
    parameters = torch.zeros(config.n_parameters)
    for (W, b), std in zip(config.layers(parameters), config.stds, strict=True):
        W.normal_(0, std, generator=generator)
        b.normal_(0, 0.5, generator=generator)
    x = 2 * torch.rand(n, d, generator=generator) - 1
    y = torch.cat([forward(config, parameters, part) for part in x.split(4096)])
    return x.numpy(), ((y - y.mean()) / y.std()).numpy()


def student_losses(
    *,
    d: int,
    Ds: Sequence[int],
    steps: int,
    seeds: Sequence[int],
    width: int = 64,
    teacher: int = 32,
    starts: int = 1,
    device: str = "cpu",
) -> dict[str, list]:
    """Return test losses of students, (seeds, Ds), each seed with a teacher of its own.

    Parameters
    ----------
    Ds
        Numbers of examples, the smaller sets first parts of the larger ones; a last
        one far above the others may stand for "no end of data".
    starts
        Students of each seed and D, whose losses are averaged.

    Returns
    -------
    ``chosen`` by validation among `LOOKS` looks, and ``last``, at the end of training.
    """
    tables = [teach(d, teacher, max(Ds) + 2 * HELD_OUT, seed=s) for s in seeds]
    held = [[torch.from_numpy(part[: 2 * HELD_OUT]) for part in t] for t in tables]
    x, y = (np.concatenate([t[i][2 * HELD_OUT :] for t in tables]) for i in (0, 1))
    shape = (len(seeds), len(Ds), starts)
    cells = [
        (n, D, start) for n, D, start in product(range(len(seeds)), Ds, range(starts))
    ]
    model = MLPEnsemble(
        MLPConfig((d, width, width, 1), loss="squared"),
        x,
        y,
        [n * max(Ds) + np.arange(D) for n, D, _ in cells],
        batch=BATCH,
        seeds=[1000 * seeds[n] + start for n, _, start in cells],
        device=device,
    )
    looks = []

    def look(step: int) -> None:
        nets = model.parameters.view(len(seeds), -1, model.parameters.shape[-1])
        looks.append([_squared(model, *pair) for pair in zip(nets, held, strict=True)])

    at = {max(1, round(steps * n / LOOKS)) for n in range(1, LOOKS + 1)}
    train_batched(model, plain_adam(steps), pause_at=at, paused=look)
    seen = np.array(looks)  # (looks, seeds, validation and test, students of a seed)
    valid, test = (seen[:, :, part].reshape(len(looks), *shape) for part in (0, 1))
    best = valid.argmin(axis=0)[None]
    chosen = np.take_along_axis(test, best, axis=0)[0]
    both = {"chosen": chosen, "last": test[-1]}
    return {name: losses.mean(axis=-1).tolist() for name, losses in both.items()}


@torch.no_grad()
def _squared(model: MLPEnsemble, nets: Tensor, held: list[Tensor]) -> np.ndarray:
    """Return validation and test losses of networks, (2, networks)."""
    x, y = (part.to(model.x) for part in held)
    parts = zip(x.split(ROWS), y.split(ROWS), strict=True)
    off = [(forward(model.config, nets, a) - b).square() for a, b in parts]
    both = torch.cat(off, 1).view(len(nets), 2, HELD_OUT)
    return both.double().mean(-1).T.cpu().numpy()
