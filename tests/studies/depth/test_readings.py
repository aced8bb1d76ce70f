"""Lens, attribution, Jacobians and linear maps: exact ends and known answers."""

import numpy as np
import pytest
import torch
from torch.autograd.functional import jacobian

from scaling_core.models.streams import record_streams
from studies.depth.attribution import integrated_gradients
from studies.depth.lens import logit_lens
from studies.depth.linear_maps import (
    fit_affine,
    linear_replacement,
    relative_error,
    ridge_layer_maps,
    usefulness,
)
from studies.residual_theory.jacobian import block_jacobian_deviation, jacobian_law


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("norm", ["pre", "post", "peri", "lns"])
def test_lens_ends_at_the_output(make, tokens, norm):
    lens = logit_lens(make(norm=norm), tokens)
    assert lens.kl.shape == (5,) and lens.kl[-1] == 0.0 and (lens.kl[:-1] > 0).all()
    assert lens.overlap[-1] == 1.0 and (lens.overlap <= 1).all()


def test_lens_is_the_kl_by_hand(make, tokens):
    model = make()
    streams = record_streams(model, tokens)
    p, q = (model.unembed(streams.h[i]).softmax(-1) for i in (1, -1))
    kl = (p * (p / q).log()).sum(-1).mean().item()
    assert logit_lens(model, tokens).kl[1] == pytest.approx(kl, rel=1e-4)


def test_integrated_gradients_are_complete(make, tokens):
    model = make()

    def target(logits):
        return logits.softmax(-1)[:, -1, 3]

    for layer in (0, 2, 4):
        result = integrated_gradients(model, tokens, layer, target, steps=48)
        assert result.completeness_error < 2e-3
        assert result.attribution.shape == (3, 10)
    left = integrated_gradients(model, tokens, 3, target, steps=256, rule="left")
    assert left.completeness_error < 0.02
    zero = integrated_gradients(model, tokens, 4, target, steps=8, baseline="zero")
    assert zero.attribution.sum() != 0
    with pytest.raises(ValueError, match="baseline='noise'"):
        integrated_gradients(model, tokens, 0, target, baseline="noise")


def test_attribution_of_a_linear_outcome_is_exact(make, tokens):
    """After the last layer only the read position can matter."""
    model = make()
    model.final_norm = torch.nn.Identity()
    result = integrated_gradients(model, tokens, 4, lambda y: y[:, 6, 2], steps=1)
    assert result.completeness_error < 1e-12
    others = np.delete(result.attribution, 6, axis=1)
    assert not others.any()


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
    assert usefulness(np.array([1.2, ratios[1]])) == 0.5


def test_replacement_judged_on_other_tokens_is_no_better(make):
    generator = torch.Generator().manual_seed(4)
    few, many = (torch.randint(13, (n, 10), generator=generator) for n in (6, 6))
    model = make()
    same = linear_replacement(model, few)
    other = linear_replacement(model, few, fit_on=many)
    assert other.shape == (4,) and not np.allclose(same, other)


def test_layer_maps_find_the_same_layer(make, tokens):
    """A model maps onto itself without error, and onto its own past with some."""
    h = record_streams(make(), tokens.repeat(30, 1)).h
    x = [s + 0.01 * noise(*s.shape, seed=i) for i, s in enumerate(h)]
    errors = ridge_layer_maps(x, h, ridge=1e-8)
    assert errors.shape == (5, 5)
    assert (errors.argmin(axis=0) == np.arange(5)).all()
    with pytest.raises(ValueError, match="leaves no sequence"):
        ridge_layer_maps(x, h, fit_share=1.0)
