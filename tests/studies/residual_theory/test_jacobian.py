"""The distance of a layer from the identity: by autograd, and its law."""

import pytest
import torch
from torch.autograd.functional import jacobian

from studies.residual_theory.jacobian import block_jacobian_deviation, jacobian_law


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("norm", ["pre", "post", "peri", "lns"])
def test_jacobian_against_autograd(make, norm):
    model, h = make(norm=norm), noise(3, 16)
    for part in ("mlp", "layer"):
        found = block_jacobian_deviation(model, h, 1, part=part)

        def step(x, part=part):
            x = x.view(1, 1, -1)
            if part == "layer":
                return model.layer(1, x)[0].flatten()
            b = model.blocks[1]
            if norm == "post":
                return b.mlp_norm(x + b.think(x)).flatten()
            return (x + b.think(x)).flatten()

        expected = [(jacobian(step, x) - torch.eye(16)).norm().item() for x in h]
        assert found == pytest.approx(expected)


@pytest.mark.parametrize("norm", ["pre", "lns"])
def test_jacobian_law_at_every_layer(make, norm):
    """‖J - I‖·rms/c is one number, whatever the layer: LNS nears I faster."""
    model = make(d_model=64, n_layers=9, act="relu", init_std=1 / 8, norm=norm)
    law = jacobian_law(model.config)
    assert law == pytest.approx(11.225, abs=1e-3)
    for layer in (0, 8):
        h = 2.5 * noise(24, 64, seed=layer)
        deviation = block_jacobian_deviation(model, h, layer)
        scale = (layer + 1) ** -0.5 if norm == "lns" else 1.0
        size = h.square().mean(1).sqrt().numpy()
        assert (deviation * size / scale).mean() == pytest.approx(law, rel=0.06)
    with pytest.raises(ValueError, match="ReLU"):
        jacobian_law(make().config)
