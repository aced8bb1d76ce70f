"""Linear maps: known answers."""

import numpy as np
import pytest
import torch

from scaling_core.models.streams import record_streams
from studies.composition.linear_maps import (
    fit_affine,
    linear_replacement,
    relative_error,
    ridge_layer_maps,
)


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def test_affine_maps_are_recovered():
    x, W, b = noise(60, 5), noise(5, 3, seed=1), noise(3, seed=2)
    fit = fit_affine(x, x @ W + b, ridge=0.0)
    assert torch.allclose(fit.W_PQ, W, atol=1e-10) and torch.allclose(fit.b_Q, b)
    assert relative_error(fit(x), x @ W + b) < 1e-12


def test_ridge_minimises_its_objective():
    x, y = noise(20, 4), noise(20, 2, seed=1)
    fit = fit_affine(x, y, ridge=0.1)
    W, b = (t.clone().requires_grad_() for t in (fit.W_PQ, fit.b_Q))
    centred = x - x.mean(0)
    penalty = 0.1 * (centred.T @ centred).diagonal().mean()
    value = (x @ W + b - y).square().sum() + penalty * W.square().sum()
    gradients = torch.autograd.grad(value, (W, b))
    assert all(g.abs().max() < 1e-10 for g in gradients)


def test_linear_layers_are_useless(make, tokens):
    """A layer that is an affine map of its stream is replaced without loss."""
    model = make()
    with torch.no_grad():
        model.blocks[1].attn.out.weight.zero_()
        model.blocks[1].mlp.down.weight.zero_()
    ratios = linear_replacement(model, tokens.repeat(20, 1), ridge=0.0)
    assert ratios[1] == pytest.approx(1.0, abs=1e-7)


def test_layer_maps_find_the_same_layer(make, tokens):
    """A model maps onto itself without error, and onto its own past with some."""
    h = record_streams(make(), tokens.repeat(30, 1)).h
    x = [s + 0.01 * noise(*s.shape, seed=i) for i, s in enumerate(h)]
    errors = ridge_layer_maps(x, h, ridge=1e-8)
    assert errors.shape == (5, 5)
    assert (errors.argmin(axis=0) == np.arange(5)).all()
    with pytest.raises(ValueError, match="leaves no sequence"):
        ridge_layer_maps(x, h, fit_share=1.0)
