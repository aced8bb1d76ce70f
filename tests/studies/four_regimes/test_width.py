"""The linear limit: closed form against small steps, kernels against wide networks."""

import numpy as np
import pytest
import torch

from scaling_core.data import images
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


def test_infinite_kernel_is_that_of_a_wide_network(data):
    x = data[0]
    model = width.centred(width.config_of(64, 4096), x, data[1], [0])
    J = width.jacobian(model.config, model.parameters[0].double(), x)
    expected = width.infinite_kernel(x.numpy(), x.numpy())
    assert (J @ J.T).numpy() == pytest.approx(expected, rel=0.1)


def test_linear_outputs_are_those_of_a_barely_moved_network(data):
    x, y, x_test, _ = data
    config = width.config_of(64, 32)
    model = width.centred(config, x, 1e-4 * y, [3])
    how = dict(lr=0.1, steps=[20])
    theta = model.parameters[0].double()
    linear = width.linear_outputs(config, theta, x, 1e-4 * y, x_test, **how)
    J = width.jacobian(config, theta, x)
    test = width.jacobian(config, theta, x_test)
    a = width.linear_descent(J @ J.T, 1e-4 * y, **how)
    assert torch.allclose(linear[0], test @ J.T @ a[0], atol=1e-9)


def test_trained_networks_near_the_limit():
    found = width.width_losses(
        images.small_digits(),
        widths=[16, 1024],
        starts=6,
        steps=40,
        seed=0,
        examples=40,
        test=200,
    )
    assert found["trained"].shape == found["linear"].shape == (2, 2, 6)
    gap = np.abs(found["trained"].mean(-1) - found["limit"][:, None])
    assert (gap[:, 1] < gap[:, 0]).all() and (gap[:, 1] < 0.01).all()
    assert (found["spread"][:, 1] < found["spread"][:, 0] / 8).all()
