"""The linear limit: closed form against small steps, kernels against wide networks."""

import numpy as np
import pytest
import torch

from scaling_core.data import images
from scaling_core.models.mlp import forward
from studies.four_regimes import width


@pytest.fixture(scope="module")
def data():
    parts = width.parity_digits(images.small_digits(), 12, test=20, seed=0)
    return [part.double() for part in parts]


def test_closed_form_is_many_small_steps():
    draw = torch.Generator().manual_seed(0)
    J = torch.randn(5, 9, generator=draw, dtype=torch.float64)
    y, theta = torch.randn(5, generator=draw, dtype=torch.float64), torch.zeros(9)
    theta, lr = theta.double(), 0.1
    for _ in range(30):
        theta -= lr / 5 * J.T @ (J @ theta - y)
    a = width.linear_descent(J @ J.T, y, lr=lr, steps=[30])[0]
    assert torch.allclose(J.T @ a, theta, atol=1e-12)
    with pytest.raises(ValueError, match="no descent"):
        width.linear_descent(J @ J.T, y, lr=100.0, steps=[1])


def test_kernel_without_a_slope_is_the_limit_of_many_steps():
    a = width.linear_descent(torch.zeros(1, 1), torch.ones(1), lr=0.5, steps=[8])
    assert a.item() == pytest.approx(4.0)


def jacobian(config, theta, x):
    """Return df(x)/dθ by torch, (N, P)."""
    of_one = torch.func.grad(lambda theta, x: forward(config, theta, x[None])[0, 0])
    return torch.func.vmap(of_one, in_dims=(None, 0))(theta, x)


def test_kernel_by_hand_is_that_of_the_jacobian(data):
    x, y, x_test, _ = data
    config = width.config_of(64, 32)
    theta = width.centred(config, x, y, [3]).parameters[0].double()
    draw = torch.Generator().manual_seed(1)
    theta = theta + 0.1 * torch.randn(len(theta), generator=draw, dtype=theta.dtype)
    J, test = jacobian(config, theta, x), jacobian(config, theta, x_test)
    assert torch.allclose(width.tangent_kernel(config, theta, x_test, x), test @ J.T)
    linear = width.linear_outputs(config, theta, x, y, x_test, lr=0.1, steps=[20])
    moved, lr = torch.zeros_like(theta), 0.1
    for _ in range(20):
        moved -= lr / len(x) * J.T @ (J @ moved - y)
    assert torch.allclose(linear[0], test @ moved, atol=1e-9)


def test_infinite_kernel_is_that_of_a_wide_network(data):
    x, config = data[0], width.config_of(64, 8192)
    theta = width.centred(config, x, data[1], [0]).parameters[0].double()
    kernel = width.tangent_kernel(config, theta, x, x).numpy()
    expected = width.infinite_kernel(x.numpy(), x.numpy())
    assert kernel == pytest.approx(expected, rel=0.1)


def test_trained_networks_near_the_limit():
    found = width.width_losses(
        images.small_digits(),
        widths=[16, 1024],
        starts=6,
        linear_starts=8,
        steps=40,
        seed=0,
        examples=40,
        test=200,
    )
    assert found["trained"].shape == (2, 2, 6) and found["linear"].shape == (2, 2, 8)
    steady = width.steadied(found["trained"], found["linear"])
    assert steady == pytest.approx(found["trained"].mean(-1), rel=0.2)
    gap = np.abs(found["trained"].mean(-1) - found["limit"][:, None])
    assert (gap[:, 1] < gap[:, 0]).all() and (gap[:, 1] < 0.01).all()
    assert (found["linear_spread"][:, 1] < found["linear_spread"][:, 0] / 8).all()
    assert (found["spread"][:, 1] < found["spread"][:, 0] / 8).all()
