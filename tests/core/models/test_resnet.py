"""ResNet-18: its size, what a crop is, and that it learns from its rows alone."""

import numpy as np
import pytest
import torch

from scaling_core.models.resnet import PAD, ResNetTraining, resnet18


def colours(n: int, side: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Images of one colour a class, with noise."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    x = 0.2 * rng.random((n, side, side, 3)) + 0.8 * np.eye(3)[y][:, None, None]
    return x.astype(np.float32), y


def test_sizes():
    """Shape after each stage, and the known number of parameters at width 64."""
    net = resnet18(generator=torch.Generator().manual_seed(0))
    assert sum(p.numel() for p in net.parameters()) == 11_173_962
    small = resnet18(7, width=2, generator=torch.Generator().manual_seed(0)).eval()
    x, shapes = torch.rand(5, 3, 32, 32), []
    for layer in small:
        x = layer(x)
        shapes.append(tuple(x.shape[1:]))
    assert shapes[2::2][:5] == [(2, 32, 32)] * 2 + [(4, 16, 16), (8, 8, 8), (16, 4, 4)]
    assert shapes[-1] == (7,)


def test_the_first_weights_are_those_of_the_seed():
    nets = [
        resnet18(width=2, generator=torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    ]
    one, same, other = (next(net.parameters()) for net in nets)
    assert torch.equal(one, same) and not torch.equal(one, other)
    wide = resnet18(generator=torch.Generator().manual_seed(0))[3].path[0].weight
    assert float(wide.detach().std()) == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)


def test_crops_are_windows_of_the_padded_image():
    x = np.random.default_rng(0).random((3, 8, 8, 3), dtype=np.float32)
    model = ResNetTraining(x, np.arange(3), np.arange(3), seed=0, width=2, batch=3)
    padded = np.pad(x, [(0, 0), (PAD, PAD), (PAD, PAD), (0, 0)])
    windows = {
        padded[n, i : i + 8, j : j + 8][:, ::turn].tobytes(): (n, i, j, turn)
        for n in range(3)
        for i in range(2 * PAD + 1)
        for j in range(2 * PAD + 1)
        for turn in (1, -1)
    }
    rows = torch.arange(3).repeat(200)
    crops = model.crops(rows).permute(0, 2, 3, 1).contiguous().numpy()
    seen = [windows[crop.tobytes()] for crop in crops]
    assert [n for n, *_ in seen] == rows.tolist()
    for k, values in ((1, 9), (2, 9), (3, 2)):
        assert len({window[k] for window in seen}) == values


def test_it_learns_from_its_rows():
    x, y = colours(30)
    wrong = np.where(np.arange(30) < 15, y, (y + 1) % 3)
    model = ResNetTraining(x, wrong, np.arange(15), seed=0, width=8, batch=15)
    steps = []
    model.train(80, paused=steps.append)
    p = model.probabilities(x)
    assert steps == list(range(1, 81))
    assert p.shape == (30, 10) and p.sum(axis=1) == pytest.approx(1)
    assert (p.argmax(axis=1) == y).mean() > 0.9  # not the labels it never saw


def test_the_first_steps_are_those_of_the_whole():
    x, y = colours(12)
    found = []
    for until in (3, None):
        model = ResNetTraining(x, y, np.arange(12), seed=1, width=2, batch=6)
        model.train(6, until=until, paused=lambda k, m=model: found.append(
            (k, m.probabilities(x))))  # fmt: skip
    assert [k for k, _ in found] == [1, 2, 3, 1, 2, 3, 4, 5, 6]
    assert found[2][1] == pytest.approx(found[5][1], abs=1e-5)
