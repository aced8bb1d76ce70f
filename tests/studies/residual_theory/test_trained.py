"""Trained streams: the share of higher orders, and a tiny run."""

import pytest
import torch

from studies.residual_theory import trained


def test_one_layer_has_no_higher_order(make, tokens):
    model = make(n_layers=1)
    assert trained.higher_order_share(model, model.embed(tokens)) < 1e-12


def test_weak_layers_have_little(make, tokens):
    weak = make(n_layers=3)
    with torch.no_grad():
        for block in weak.blocks:
            block.attn.out.weight *= 1e-4
            block.mlp.down.weight *= 1e-4
    assert trained.higher_order_share(weak, weak.embed(tokens)) < 1e-3


def test_gradients_fall_as_the_output_grows_in_peri_and_not_in_pre(make, tokens):
    labels = tokens.roll(1, dims=1)
    for norm in ("peri", "pre"):
        model = make(n_layers=2, norm=norm, norm_eps=1e-30)
        before = trained.output_gradients(model, tokens, labels)
        with torch.no_grad():
            model.blocks[-1].mlp.down.weight *= 3
        after = trained.output_gradients(model, tokens, labels)
        assert after["input"] == pytest.approx(before["input"])
        assert after["output"][1] == pytest.approx(3 * before["output"][1])
        falls = after["gradient"][1] / before["gradient"][1] == pytest.approx(1 / 3)
        assert falls is (norm == "peri")


def test_the_gradient_is_the_steepest_slope_of_the_loss(make, tokens):
    model, labels = make(n_layers=2), tokens.roll(1, dims=1)
    sizes = trained.output_gradients(model, tokens, labels)
    logits = model(tokens).flatten(0, 1)
    loss = torch.nn.functional.cross_entropy(logits, labels.flatten())
    weight = model.blocks[0].mlp.down.weight
    (direction,) = torch.autograd.grad(loss, weight)
    losses = []
    for step in (1e-5, -2e-5):
        with torch.no_grad():
            weight += step * direction / direction.norm()
            logits = model(tokens).flatten(0, 1)
        losses.append(torch.nn.functional.cross_entropy(logits, labels.flatten()))
    slope = (losses[0] - losses[1]).item() / 2e-5
    assert slope == pytest.approx(sizes["gradient"][0], rel=1e-5)


def test_a_tiny_run():
    setting = dict(d_model=16, n_heads=2, n_ctx=8, batch=4, steps=2, eval_rows=4)
    result = trained.measure_growth(norm="peri", n_layers=2, seed=0, **setting)
    for stage in ("init", "half", "full"):
        assert len(result[f"{stage}_mean_square"]) == 3
        assert 0 < result[f"{stage}_higher"] < 2
        for key in ("gradient", "input", "output"):
            assert (
                min(result[f"{stage}_{key}"]) > 0 and len(result[f"{stage}_{key}"]) == 2
            )
    assert result["init_loss"] != result["half_loss"] != result["full_loss"]
    assert result["ngrams"][0] > result["ngrams"][1]


def test_a_setting_is_spelled_as_its_fields():
    with pytest.raises(TypeError, match="width"):
        trained.measure_growth(norm="pre", n_layers=2, seed=0, width=3)
