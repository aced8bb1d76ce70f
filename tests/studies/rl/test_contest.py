"""The contest of two laws: each wins on its own data."""

import numpy as np
import pytest

from studies.rl.contest import (
    binned,
    forecast_errors,
    forecasts,
    joint_slopes,
    power_law,
    started_power_law,
)
from studies.rl.published import sigmoid

STEPS = np.arange(1, 61.0)
POWER = 1 - 0.9 * STEPS**-0.2
SIGMOID = sigmoid(STEPS, R_0=0.1, A=0.6, C_mid=20.0, B=2.5)


def test_power_law_recovers_what_was_put_in():
    k, E = power_law(STEPS, POWER)
    assert k == pytest.approx(0.2) and np.exp(E) == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("reward", "best", "worse"),
    [(POWER, "power", "stay"), (SIGMOID, "sigmoid", "power")],
)
def test_each_law_forecasts_its_own_data(reward, best, worse):
    errors = forecast_errors(reward, R_0=0.1)
    assert errors[best] < 0.02 and errors[best] < errors[worse] / 2
    assert errors["free"] >= 0.001  # no error is below the floor


def test_nothing_of_the_second_half_is_seen():
    changed = SIGMOID.copy()
    changed[30:] = 0
    for law, curve in forecasts(STEPS, SIGMOID, 30, R_0=0.1).items():
        again = forecasts(STEPS, changed, 30, R_0=0.1)[law]
        np.testing.assert_array_equal(curve, again)


def test_a_share_of_a_run_is_a_shorter_run():
    short = forecast_errors(SIGMOID[:30], R_0=0.1)
    assert forecast_errors(SIGMOID, R_0=0.1, share=0.5) == short


def test_bins_are_means():
    step, mean = binned(np.array([1.0, 3.0] * 30))
    assert step[0] == 1.5 and len(step) == 30 and (mean == 2).all()


def test_a_power_law_with_a_start_is_recovered():
    R = 1 - 0.8 * (1 + STEPS / 10) ** -0.4
    C_0, k = started_power_law(STEPS, R, 0.2)
    np.testing.assert_allclose([C_0, k], [10, 0.4], rtol=0.03)
    errors = forecast_errors(R, R_0=0.2)
    assert errors["started"] < 0.005 < errors["line"]


def test_what_is_skipped_moves_no_law():
    dipped = POWER.copy()
    dipped[:10] -= 0.3
    clean, whole = (
        forecast_errors(dipped, R_0=0.1, skip=skip)["power"] for skip in (10, 0)
    )
    assert clean < 0.002 < whole
    changed = forecast_errors(POWER, R_0=0.1, skip=10)
    again = forecast_errors(dipped, R_0=0.1, skip=10)
    assert changed == again


def test_a_sigmoid_does_not_fall():
    falling = np.linspace(0.5, 0.2, 60)
    curve = forecasts(STEPS, falling, 30, R_0=0.5)["sigmoid"]
    assert curve.min() >= 0.5 - 1e-12


def test_joint_slopes_tell_two_causes_apart():
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    z = x + 0.5 * rng.normal(size=400)
    slopes, errors, explained = joint_slopes(
        x - 0.5 * z + 0.1 * rng.normal(size=400), x, z
    )
    assert np.abs(slopes - [1, -0.5]).max() < 4 * errors.max() < 0.1
    assert 0.8 < explained < 1
    alone = joint_slopes(np.array([1.0, 2.0]), *np.eye(2))
    assert np.isnan(alone[1]).all()
