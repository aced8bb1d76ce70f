"""Ensemble training: Adam against torch's, determinism, resumption, divergence."""

from dataclasses import replace

import pytest
import torch

from scaling_core.models.superposition import ToyConfig, ToyEnsemble
from scaling_core.training import ensemble as module
from scaling_core.training.ensemble import Adam, train_ensemble
from scaling_core.training.settings import Training

CONFIG = ToyConfig(n=16, m=3, alphas=(0.5,), gammas=(-1.0, 0.5), seeds=(0, 1))
ADAM = dict(lr=1e-2, betas=(0.9, 0.999), weight_decay=0.0, clip=None)
TRAINING = Training(40, **ADAM)


def trained(config=CONFIG, training=TRAINING, **options) -> torch.Tensor:
    model = ToyEnsemble(config, batch=32)
    train_ensemble(model, training, **options)
    return model.parameters


def test_adam_equals_torch(monkeypatch):
    monkeypatch.setattr(module, "BLOCK_BYTES", 64)  # many blocks
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(3, 7, dtype=torch.float64, generator=generator)
    ours, theirs = start.clone(), torch.nn.Parameter(start.clone())
    adam, reference = Adam(ours), torch.optim.Adam([theirs], lr=0.02)
    for _ in range(20):
        gradient = torch.randn(3, 7, dtype=torch.float64, generator=generator)
        adam.step(gradient, 0.02)
        theirs.grad = gradient
        reference.step()
    assert torch.allclose(ours, theirs.detach(), rtol=1e-12, atol=1e-14)


def test_adam_with_several_learning_rates_equals_torch(monkeypatch):
    monkeypatch.setattr(module, "BLOCK_BYTES", 64)
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(2, 3, 7, dtype=torch.float64, generator=generator)
    parts = [torch.nn.Parameter(part.clone()) for part in (start[:, :2], start[:, 2:])]
    groups = [dict(params=parts[:1], lr=0.02), dict(params=parts[1:], lr=0.3)]
    reference = torch.optim.Adam(groups, eps=1e-10)
    ours = start.clone()
    lr_scale = torch.tensor([1.0, 1.0, 15.0], dtype=torch.float64).view(1, 3, 1)
    adam = Adam(ours, eps=1e-10, lr_scale=lr_scale)
    for _ in range(20):
        gradient = torch.randn(2, 3, 7, dtype=torch.float64, generator=generator)
        adam.step(gradient, 0.02)
        parts[0].grad, parts[1].grad = gradient[:, :2], gradient[:, 2:]
        reference.step()
    expected = torch.cat([part.detach() for part in parts], dim=1)
    assert torch.allclose(ours, expected, rtol=1e-12, atol=1e-14)


def test_the_bias_has_its_own_learning_rate():
    config = ToyConfig(n=16, m=3, alphas=(0.5,), gammas=(0.0,), bias_lr=4.0)
    model, start = ToyEnsemble(config, batch=32), ToyEnsemble(config, batch=32)
    train_ensemble(model, Training(1, **(ADAM | dict(lr=1e-3)), warmup=0.0))
    moved = (model.parameters - start.parameters).abs().amax(dim=(0, 2))
    assert moved.tolist() == pytest.approx([1e-3] * 3 + [4e-3], rel=1e-2)


def test_whole_training_equals_autograd_and_adamw():
    config = ToyConfig(n=16, m=3, alphas=(0.5,), gammas=(0.5,), seeds=(0,))
    model = ToyEnsemble(config, batch=32, dtype=torch.float64)
    P = model.parameters[0].clone()
    W = torch.nn.Parameter(P[:-1].T.contiguous())
    b = torch.nn.Parameter(P[-1].clone())
    groups = [dict(params=[W], weight_decay=0.5), dict(params=[b], weight_decay=0.0)]
    optimizer = torch.optim.AdamW(groups)
    for step in range(TRAINING.steps):
        x = model.data.dense(model.data.batch_at(step))[0]
        loss = (torch.relu(x @ W @ W.T + b) - x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = TRAINING.lr_at(step)
        optimizer.step()
    train_ensemble(model, TRAINING)
    assert torch.allclose(model.W[0], W.detach(), rtol=1e-6, atol=1e-8)
    assert torch.allclose(model.bias[0], b.detach(), rtol=1e-6, atol=1e-8)


def test_same_seed_same_bits():
    assert torch.equal(trained(), trained())


def test_a_model_does_not_depend_on_its_neighbours():
    # up to the order of sums: vector and scalar kernels round differently
    alone = ToyConfig(n=16, m=3, alphas=(0.5,), gammas=(0.5,), seeds=(1,))
    assert torch.allclose(trained(alone)[0], trained()[3], rtol=1e-4, atol=1e-5)


def test_resumed_run_ends_with_the_same_bits(tmp_path):
    path = tmp_path / "toy.safetensors"
    whole = trained(checkpoint=path, every=25)
    assert path.is_file()
    resumed = ToyEnsemble(CONFIG, batch=32)
    steps = []
    gradient = resumed.gradient
    resumed.gradient = lambda cells: steps.append(1) or gradient(cells)
    train_ensemble(resumed, TRAINING, checkpoint=path)
    assert len(steps) == 15
    assert torch.equal(resumed.parameters, whole)


def test_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "toy.safetensors"
    trained(checkpoint=path, every=40)
    with pytest.raises(ValueError, match="another run"):
        trained(training=Training(41, **ADAM), checkpoint=path)


def test_checkpoint_of_other_seeds_or_batches_is_refused(tmp_path):
    path = tmp_path / "toy.safetensors"
    trained(checkpoint=path, every=40)
    other = ToyEnsemble(replace(CONFIG, seeds=(0, 2)), batch=32)
    for model in (other, ToyEnsemble(CONFIG, batch=16)):
        with pytest.raises(ValueError, match="another run"):
            train_ensemble(model, TRAINING, checkpoint=path)


def test_training_lowers_the_loss():
    model = ToyEnsemble(CONFIG, batch=32)
    before = model.test_loss(500)
    train_ensemble(model, Training(300, **ADAM))
    assert (model.test_loss(500) < 0.5 * before).all()


def test_divergence_is_an_error():
    model = ToyEnsemble(CONFIG, batch=32)
    model.parameters.mul_(1e30)
    with pytest.raises(FloatingPointError, match="diverged"):
        train_ensemble(model, TRAINING)


@pytest.mark.parametrize(
    "bad", [dict(weight_decay=0.1), dict(clip=1.0), dict(bf16=True), dict(micro_rows=2)]
)
def test_what_an_ensemble_has_not_is_refused(bad):
    with pytest.raises(ValueError, match="an ensemble needs"):
        trained(training=Training(10, **(ADAM | bad)))
