"""The batched MLP: gradients against autograd, lists kept apart, training like torch."""

import numpy as np
import pytest
import torch

from scaling_core.models.mlp import MLPConfig, MLPEnsemble, Passes, forward
from scaling_core.training.batched import train_batched
from scaling_core.training.settings import Training

RNG = np.random.default_rng(0)
X = RNG.standard_normal((30, 5))
Y = RNG.integers(3, size=30)
LISTS = [range(20), range(10, 30), [4, 5, 6]]
ADAM = dict(betas=(0.9, 0.999), weight_decay=0.0, clip=None)


def ensemble(config, y=Y, lists=LISTS, seeds=(0, 1, 2), batch=8):
    return MLPEnsemble(
        config, X, y, lists, batch=batch, seeds=seeds, dtype=torch.float64
    )


def loss(config, parameters, x, y):
    """Sum over networks of the mean loss, written plainly."""
    f = forward(config, parameters, x)
    if config.loss == "squared":
        return (f - y).square().sum(-1).mul(0.5).mean(-1).sum()
    log_p = f.log_softmax(-1).gather(-1, y[..., None])
    return -log_p.mean(dim=(1, 2)).sum()


@pytest.mark.parametrize("ntk", [False, True])
@pytest.mark.parametrize("kind", ["cross-entropy", "squared"])
@pytest.mark.parametrize("act", ["relu", "tanh"])
@pytest.mark.parametrize("hidden", [(), (4,), (4, 6)])
def test_gradient_equals_autograd(hidden, act, kind, ntk):
    config = MLPConfig((5, *hidden, 3), act, kind, ntk)
    targets = Y if kind == "cross-entropy" else RNG.standard_normal((30, 3))
    model = ensemble(config, targets)
    model.parameters += 0.1  # biases too
    rows = model.data.batch_at(0)
    P = model.parameters.clone().requires_grad_()
    loss(config, P, torch.as_tensor(X)[rows], torch.as_tensor(targets)[rows]).backward()
    assert P.grad is not None
    assert torch.allclose(model.gradient(rows), P.grad, rtol=1e-10, atol=1e-12)


def test_gradient_equals_finite_differences():
    config = MLPConfig((5, 4, 3), "tanh", ntk=True)
    model = ensemble(config)
    rows, x, y = model.data.batch_at(0), torch.as_tensor(X), torch.as_tensor(Y)
    gradient = model.gradient(rows).clone()
    direction = torch.randn(3, 39, generator=torch.Generator().manual_seed(0)).double()
    up, down = (
        loss(config, model.parameters + s * direction, x[rows], y[rows])
        for s in (1e-5, -1e-5)
    )
    assert float((gradient * direction).sum()) == pytest.approx(
        float(up - down) / 2e-5, rel=1e-6
    )


def test_both_forms_start_as_one_function_of_the_stated_size():
    plain, ntk = (MLPConfig((5, 500, 3), ntk=form) for form in (False, True))
    starts = [ensemble(config).outputs(X) for config in (plain, ntk)]
    assert torch.allclose(*starts)
    wide = MLPEnsemble(plain, X, Y, [[0]] * 50, batch=1, seeds=range(50))
    expected = np.square(X).sum(1).mean() / 5  # E f² = ‖x‖²/I at √(2/I), √(1/I)
    assert float(wide.outputs(X).square().mean()) == pytest.approx(expected, rel=0.25)


def test_training_equals_a_torch_module_and_its_adam():
    config, training = MLPConfig((5, 4, 3)), Training(30, lr=1e-2, **ADAM)
    model = ensemble(config)
    (W1, b1), (W2, b2) = config.layers(model.parameters[1].clone())
    net = torch.nn.Sequential(
        torch.nn.Linear(5, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3)
    ).double()
    for own, given in zip(net.parameters(), (W1.T, b1[0], W2.T, b2[0]), strict=True):
        own.data = given.clone()
    adam = torch.optim.Adam(net.parameters())
    for step in range(30):
        rows = model.data.batch_at(step)[1]
        adam.param_groups[0]["lr"] = training.lr_at(step)
        adam.zero_grad()
        x, y = torch.as_tensor(X)[rows], torch.as_tensor(Y)[rows]
        torch.nn.functional.cross_entropy(net(x), y).backward()
        adam.step()
    train_batched(model, training)
    with torch.no_grad():
        expected = net(torch.as_tensor(X))
    assert torch.allclose(model.outputs(X)[1], expected, rtol=1e-6, atol=1e-8)


def test_a_network_trains_as_it_would_alone():
    config, training = MLPConfig((5, 4, 3)), Training(20, lr=1e-2, **ADAM)
    together, alone = ensemble(config), ensemble(config, Y, LISTS[1:2], seeds=(1,))
    seen = []
    train_batched(together, training, pause_at=(10,), paused=seen.append)
    train_batched(alone, training)
    assert seen == [10]
    assert torch.allclose(together.parameters[1], alone.parameters[0], atol=1e-10)


def test_a_pass_shows_every_row_once():
    data = Passes([range(10), [3, 4]], batch=5, seeds=[0, 0])
    steps = torch.stack([data.batch_at(s) for s in range(200)])  # several blocks
    for first in (0, 66, 198):
        seen = steps[first : first + 2, 0].reshape(-1)
        assert sorted(seen.tolist()) == list(range(10))
    assert steps[:2, 0].tolist() != steps[2:4, 0].tolist()  # a new order
    assert set(steps[:, 1].reshape(-1).tolist()) == {3, 4}
    assert torch.equal(data.batch_at(70), steps[70])  # whatever came before


def test_examples_outside_the_list_do_not_matter():
    changed = X.copy()
    changed[20:] = 0
    config, training = MLPConfig((5, 4, 3)), Training(10, lr=1e-2, **ADAM)
    models = [
        MLPEnsemble(config, x, Y, LISTS[:1], batch=4, seeds=[0]) for x in (X, changed)
    ]
    for model in models:
        train_batched(model, training)
    assert torch.equal(models[0].parameters, models[1].parameters)


def test_errors_are_shares_of_missed_classes():
    model = ensemble(MLPConfig((5, 3)))
    W, _ = model.config.layers(model.parameters)[0]
    W.zero_()
    assert model.errors(X, Y) == pytest.approx([(Y != 0).mean()] * 3)


def test_separable_classes_are_learned():
    x = np.eye(5).repeat(4, axis=0)
    y = np.arange(5).repeat(4)
    model = MLPEnsemble(
        MLPConfig((5, 16, 5)), x, y, [range(20)] * 2, batch=10, seeds=[0, 1]
    )
    train_batched(model, Training(100, lr=1e-2, **ADAM))
    assert model.errors(x, y).tolist() == [0, 0]


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(sizes=(5,)), "inputs and outputs; got"),
        (dict(act="gelu"), "allowed: .'relu', 'tanh'"),
        (dict(loss="mse"), "allowed: .'cross-entropy', 'squared'"),
    ],
)
def test_bad_configs(change, message):
    with pytest.raises(ValueError, match=message):
        MLPConfig(**change)


def test_bad_calls():
    with pytest.raises(ValueError, match=r"shapes .*\(30, 5\).*sizes are \(6, 3\)"):
        ensemble(MLPConfig((6, 3)))
    with pytest.raises(ValueError, match="3 lists, 2 seeds"):
        ensemble(MLPConfig((5, 3)), seeds=(0, 1))
    with pytest.raises(ValueError, match="at least one row"):
        ensemble(MLPConfig((5, 3)), lists=[[], [1], [2]])
    with pytest.raises(ValueError, match="weight_decay=0, clip=None"):
        train_batched(ensemble(MLPConfig((5, 3))), Training(1))
    model = ensemble(MLPConfig((5, 3), loss="squared"))
    with pytest.raises(FloatingPointError, match="diverged within 3 steps"):
        train_batched(model, Training(3, lr=float("inf"), **ADAM))
