"""The toy model: its manual gradient, decay and loss against definitions."""

import numpy as np
import pytest
import torch

from scaling_core.models import superposition
from scaling_core.models.superposition import ToyConfig, ToyEnsemble

CONFIG = ToyConfig(
    n=12,
    m=3,
    alphas=(0.0, 1.0),
    gammas=(-1.0, 0.5, 0.0),
    seeds=(0, 1),
    density=2.0,
)


def ensemble(*, batched=False, **changes) -> ToyEnsemble:
    config = ToyConfig(**{**CONFIG.__dict__, **changes})
    return ToyEnsemble(config, batch=50, dtype=torch.float64, batched=batched)


def definition(model: ToyEnsemble, P: torch.Tensor, cells) -> torch.Tensor:
    """Mean over samples and features of (y - x)² for each model, densely."""
    x = model.data.dense(cells).repeat_interleave(model.per_stream, 0)
    W = P[:, :-1].mT
    y = torch.relu(x @ W @ W.mT + P[:, -1:])
    return (y - x).square().mean((1, 2))


@pytest.mark.parametrize("slice_bytes", [12 * 8 * 7, 2**21])
@pytest.mark.parametrize("batched", [False, True])
def test_gradient_equals_autograd(batched, slice_bytes, monkeypatch):
    monkeypatch.setattr(superposition, "SLICE_BYTES", slice_bytes)
    model = ensemble(batched=batched)
    assert model.slice_rows == (7 if slice_bytes < 1000 and not batched else 50)
    for step in (0, 17):
        cells = model.data.batch_at(step)
        P = model.parameters.clone().requires_grad_()
        definition(model, P, cells).sum().backward()
        ours = model.gradient(cells)
        assert (ours - P.grad).abs().max() <= 1e-10 * P.grad.abs().max()
        model.parameters -= 0.1 * ours


@pytest.mark.parametrize("batched", [False, True])
def test_gradient_equals_finite_differences(batched):
    model = ensemble(batched=batched, alphas=(0.5,), gammas=(0.0,), seeds=(3,))
    cells = model.data.batch_at(0)
    ours = model.gradient(cells)[0].clone()
    for position in [(0, 0), (2, 5), (3, 1), (3, 11)]:
        shift = torch.zeros_like(model.parameters)
        shift[0][position] = 1e-6
        up = definition(model, model.parameters + shift, cells)
        down = definition(model, model.parameters - shift, cells)
        assert (up - down).item() / 2e-6 == pytest.approx(
            ours[position].item(), rel=1e-5, abs=1e-9
        )


@pytest.mark.parametrize("batched", [False, True])
def test_loss_is_the_sum_over_features(batched):
    model = ensemble(batched=batched)
    cells = model.data.batch_at(4)
    expected = definition(model, model.parameters, cells) * 12
    assert torch.allclose(model.loss(cells), expected, rtol=1e-12)


@pytest.mark.parametrize("batched", [False, True])
def test_parts_of_the_loss_against_definitions(batched):
    model = ensemble(batched=batched)
    cells = model.data.batch_at(4)
    x = model.data.dense(cells).repeat_interleave(model.per_stream, 0)
    y = torch.relu(x @ model.W @ model.W.mT + model.bias[:, None])
    active, silent = x > 0, y == 0
    square = (y - x).square()
    masks = (~active, active & silent, active & ~silent)
    expected = [(square * mask).sum((1, 2)) / 50 for mask in masks]
    assert min(part.max() for part in expected) > 0
    assert torch.allclose(model.loss_parts(cells), torch.stack(expected, 1))


def test_zero_model_loses_the_second_moment():
    model = ensemble(alphas=(0.0,), seeds=(0,))
    model.parameters.zero_()
    assert model.test_loss(20_000) == pytest.approx(2.0 * 4 / 3, rel=0.05)


def test_float32_gradient_is_close():
    single = ToyEnsemble(CONFIG, batch=50)
    cells = single.data.batch_at(0)
    P = single.parameters.clone().requires_grad_()
    definition(single, P, cells).sum().backward()
    ours = single.gradient(cells)
    assert (ours - P.grad).norm() <= 1e-5 * P.grad.norm()


def test_decay_of_both_signs():
    model = ensemble()
    before = model.W.clone()
    bias = model.bias.clone()
    model.decay_(0.1)
    norms = before.norm(dim=-1, keepdim=True)
    for g, (_, _, gamma) in enumerate(CONFIG.cells()):
        factor = 1 - 0.1 * gamma if gamma >= 0 else 1 - 0.1 * gamma * (1 / norms[g] - 1)
        assert torch.allclose(model.W[g], before[g] * factor, rtol=1e-13)
    assert torch.equal(model.bias, bias)


def test_growth_pulls_norms_to_one_and_shrinkage_to_zero():
    model = ensemble()
    for _ in range(400):
        model.decay_(0.05)
    norms = model.W.norm(dim=-1)
    gammas = torch.tensor([gamma for _, _, gamma in CONFIG.cells()])
    assert torch.allclose(norms[gammas < 0], torch.ones(()).double(), atol=1e-6)
    assert norms[gammas > 0].max() < 1e-3


def test_decay_of_a_zero_row_stays_finite():
    model = ensemble()
    model.parameters[:, :-1, 0] = 0
    model.decay_(0.1)
    assert torch.isfinite(model.parameters).all()


def test_initial_values_have_the_papers_variances():
    model = ToyEnsemble(ToyConfig(n=4000, m=25, seeds=(0,)), batch=2)
    assert model.W.var().item() == pytest.approx(1 / 25, rel=0.05)
    assert model.bias.std().item() == pytest.approx(1.0, rel=0.05)
    flat = ToyEnsemble(ToyConfig(n=40, m=5, bias_std=0.0), batch=2)
    assert not flat.bias.any()


def test_models_of_a_seed_share_start_and_data():
    model = ensemble()
    P = model.parameters.view(2, 2, 3, 4, 12)  # alphas, seeds, gammas
    assert torch.equal(P[0, :, 0], P[1, :, 2])
    assert not torch.equal(P[0, 0], P[0, 1])
    wide = ensemble(m=5)
    x, y = (e.data.dense(e.data.batch_at(9)) for e in (model, wide))
    assert torch.equal(x, y)


def test_order_of_the_models():
    cells = CONFIG.cells()
    assert len(cells) == 12 and cells[4] == (0.0, 1, 0.5)


@pytest.mark.parametrize(
    "bad",
    [
        dict(m=0),
        dict(m=13),
        dict(gammas=()),
        dict(seeds=(0, 1, 0)),  # one run counted twice
        dict(gammas=(-1.0, float("nan"))),
    ],
)
def test_bad_config_is_refused(bad):
    with pytest.raises(ValueError):
        ToyConfig(**{**CONFIG.__dict__, **bad})


def test_test_loss_uses_fresh_samples():
    model = ensemble()
    train = model.loss(model.data.batch_at(0)).numpy()
    test = model.test_loss(50)
    assert test.shape == (12,) and not np.array_equal(train, test)


def test_no_test_samples_is_refused():
    with pytest.raises(ValueError, match="samples >= 1"):
        ensemble().test_loss(0)
