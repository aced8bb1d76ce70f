"""The reversal on CIFAR-10 with the network of the paper, for a graphics card."""

import numpy as np

from scaling_core.base.inputs import optional_folder
from scaling_core.data import images
from scaling_core.models.resnet import ResNetTraining
from studies.pruning.scores import EARLY_PASSES, keep, keep_in_each_class


def measure_resnets(
    *,
    seed: int,
    pools: list[int],
    steps: int,
    share: float = 0.2,
    nets: int = 2,
    width: int = 64,
    batch: int = 512,
    device: str = "cpu",
) -> dict[str, list]:
    """Return test errors of ResNet-18 by pool and policy, for one seed.

    Pools are the first images of one random order of CIFAR-10's training set, read from
    ``SCALING_DATA/cifar-10-batches-py``, and errors are those on its test set. Policies:
    ``random``, and the hard and the easy of each class by EL2N, a mean over ``nets``
    networks after a quarter of the steps, or six passes over the pool if these are more.
    All train for ``steps``; ``half`` is a look at half of them.
    """
    train, test = images.cifar10(optional_folder() / "cifar-10-batches-py")
    order = np.random.default_rng([seed, 0]).permutation(len(train))
    shape: dict = dict(width=width, batch=batch, device=device)
    found: dict[str, list] = {
        name: [] for name in ("pool", "share", "policy", "full", "half")
    }
    for size in pools:
        x, y = train.x[order[:size]], train.y[order[:size]]
        passes = EARLY_PASSES * size // batch
        early = max(1, min(steps, max(steps // 4, passes)))
        off = np.zeros(size)
        for net in range(nets):
            probe = ResNetTraining(
                x, y, np.arange(size), seed=1000 * seed + net, **shape
            )
            probe.train(steps, until=early)
            off += np.linalg.norm(probe.probabilities(x) - np.eye(10)[y], axis=1)
        luck = np.random.default_rng([seed, 1]).random(size)
        chosen = {"random": keep(luck, share)}
        for side in ("hard", "easy"):
            rows = keep_in_each_class(off / nets, y, share, side)
            chosen[f"EL2N {side}, balanced"] = rows
        for policy, rows in chosen.items():
            model = ResNetTraining(x, y, rows, seed=1000 * seed + 900, **shape)
            errors: dict[int, float] = {}

            def look(step: int, model=model, errors=errors) -> None:
                if step in (max(1, steps // 2), steps):
                    wrong = model.probabilities(test.x).argmax(1) != test.y
                    errors[step] = float(wrong.mean())

            model.train(steps, paused=look)
            half, full = errors[max(1, steps // 2)], errors[steps]
            row = (size, share, policy, full, half)
            for name, value in zip(found, row, strict=True):
                found[name].append(value)
    return found
