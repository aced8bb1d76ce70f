"""Measurements on untrained transformers against identities and each other."""

import numpy as np
import pytest
import torch

from studies.residual_theory import untrained as u

SHAPE = dict(d_model=16, n_layers=3)


def test_redraw_gives_each_seed_its_own_weights_of_the_right_size():
    model = u.untrained("pre", seed=0, d_model=64, n_layers=2)
    first = model.blocks[0].mlp.up.weight.detach().clone()
    u.redraw(model, 3)
    again = model.blocks[0].mlp.up.weight.detach().clone()
    u.redraw(model, 3)
    assert not torch.equal(first, again)
    assert torch.equal(again, model.blocks[0].mlp.up.weight)
    assert float(again.std()) == pytest.approx(1 / 8, rel=0.03)
    assert float(model.embedding.weight.detach().std()) == pytest.approx(1.0, rel=0.1)
    assert (model.blocks[0].attn_norm.weight == 1).all()


def test_redraw_keeps_scaled_initialisation():
    model = u.untrained("pre", seed=0, init="scaled", d_model=64, n_layers=8)
    block = u.redraw(model, 3).blocks[2]
    assert block.attn.qkv.weight.std().item() == pytest.approx(1 / 8, rel=0.03)
    assert float(block.mlp.down.weight.detach().std()) == pytest.approx(
        1 / 32, rel=0.03
    )


def test_mean_squares_have_a_row_per_seed_and_do_not_repeat():
    V = u.mean_squares("lns", [1, 2, 1], **SHAPE)
    assert V.shape == (3, 4)
    assert (V[0] == V[2]).all() and (V[0] != V[1]).all()


def test_masks_keep_the_stated_share_of_the_named_matrices():
    model = u.untrained("pre", seed=0, d_model=64, n_layers=1)
    generator = torch.Generator().manual_seed(0)
    u.keep_at_random(model, 0.25, generator=generator)
    block = model.blocks[0]
    assert float((block.mlp.down.weight != 0).double().mean()) == pytest.approx(
        0.25, abs=0.01
    )
    assert (block.mlp.up.weight != 0).all()
    with pytest.raises(ValueError, match="share in"):
        u.keep_at_random(model, 0.0, generator=generator)
    with pytest.raises(ValueError, match="no parameter ends with"):
        u.keep_at_random(model, 0.5, matrices=("w",), generator=generator)


def test_full_density_changes_nothing():
    assert u.masked_growth(1.0, u.OUTPUTS, [0, 1], **SHAPE) == pytest.approx(1.0)


@pytest.mark.parametrize("norm", ["pre", "lns", "peri"])
def test_sublayer_jacobians_are_those_of_finite_differences(norm):
    model = u.untrained(norm, seed=0, **SHAPE)
    A, h = u.sublayer_jacobians(model, token=2)
    assert A.shape == (6, 16, 16) and h.shape == (7, 16)
    start, step = torch.tensor(h[2]), 1e-6
    direction = torch.linspace(-1, 1, 16, dtype=torch.float64)

    def layer(x):
        return model.layer(1, x[None, None])[0][0, 0].detach()

    slope = (layer(start + step * direction) - layer(start - step * direction)) / (
        2 * step
    )
    whole = (np.eye(16) + A[3]) @ (np.eye(16) + A[2])
    assert whole @ direction.numpy() == pytest.approx(slope.numpy(), abs=1e-6)
    assert layer(start).numpy() == pytest.approx(h[4], abs=1e-12)


def test_post_norm_has_no_sublayer_of_this_kind():
    with pytest.raises(ValueError, match="post norm"):
        u.sublayer_jacobians(u.untrained("post", seed=0, **SHAPE))


def test_gradient_gain_is_that_of_the_model_with_its_final_norm():
    model = u.untrained("pre", seed=0, norm_eps=u.TINY, **SHAPE)
    A, h = u.sublayer_jacobians(model)
    gain = u.gradient_gain(A, h)
    x = torch.tensor(h[0], requires_grad=True)
    y = x[None, None]
    for layer in range(3):
        y = model.layer(layer, y)[0]
    y = model.final_norm(y)[0, 0]
    rows = [torch.autograd.grad(v, x, retain_graph=True)[0] for v in y]
    assert gain[-1] == pytest.approx(float(torch.stack(rows).square().sum()) / 16)
    assert gain[0] == pytest.approx(15 / 16 / np.square(h[0]).mean())


def test_rescaling_is_hidden_in_peri_and_seen_in_pre():
    peri, pre = (
        u.rescale_output(
            u.untrained(norm, seed=0, norm_eps=u.TINY, **SHAPE), 1, 4.0, seed=0
        )
        for norm in ("peri", "pre")
    )
    assert (peri.output, peri.gradient) == pytest.approx((1.0, 0.25))
    assert max(peri.output_error, peri.gradient_error) < 1e-12
    assert (pre.output, pre.gradient) == pytest.approx((4.0, 1.0))
    assert (pre.output_error, pre.gradient_error) == pytest.approx((3.0, 3.0))


def test_rescaling_leaves_the_model_as_it_was():
    model = u.untrained("pre", seed=0, **SHAPE)
    before = model.blocks[1].mlp.down.weight.detach().clone()
    u.rescale_output(model, 1, 8.0, seed=0)
    assert torch.equal(before, model.blocks[1].mlp.down.weight)


def test_attention_residuals_start_as_pre_norm_and_leave_it():
    plain, twin = u.attnres_pair(seed=0, n_ctx=4, **SHAPE)
    assert max(u.twin_difference(plain, twin)) < 1e-12
    with torch.no_grad():  # at any other query a read is another mixture
        twin.reads.query.normal_(generator=torch.Generator().manual_seed(0))
    assert min(u.twin_difference(plain, twin)) > 1e-3
