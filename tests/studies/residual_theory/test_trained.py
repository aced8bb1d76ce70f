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


def test_a_tiny_run():
    setting = dict(d_model=16, n_heads=2, n_ctx=8, batch=4, steps=2, eval_rows=4)
    result = trained.measure_growth(norm="peri", n_layers=2, seed=0, **setting)
    for stage in ("init", "half", "full"):
        assert len(result[f"{stage}_mean_square"]) == 3
        assert 0 < result[f"{stage}_higher"] < 2
    assert result["init_loss"] != result["half_loss"] != result["full_loss"]
    assert result["ngrams"][0] > result["ngrams"][1]


def test_a_setting_is_spelled_as_its_fields():
    with pytest.raises(TypeError, match="width"):
        trained.measure_growth(norm="pre", n_layers=2, seed=0, width=3)
