"""The contest of two laws: each wins on its own data."""

import numpy as np
import pytest

from studies.rl.contest import binned, forecast_errors, forecasts, power_law, sigmoid

STEPS = np.arange(1, 61.0)
POWER = 1 - 0.9 * STEPS**-0.2
SIGMOID = sigmoid(STEPS, dict(R_0=0.1, A=0.6, C_mid=20.0, B=2.5))


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
