"""The interactive figure: what each temperature shows."""

import numpy as np
import pytest

from studies.rl.interactive import slider_figure
from studies.rl.readings import pass_by_temperature

KS = (1, 2, 4)
CHANCES = {
    "before": {0.5: np.array([[0, 1], [0.5, 0.5]]), 1.0: np.array([[0.3] * 2] * 2)},
    "after": {0.5: np.ones((2, 2)), 1.0: np.full((2, 2), 0.5)},
}
COLORS = {"before": "#000000", "after": "#0072B2"}


def test_coverage_by_hand():
    chance_SQ = CHANCES["before"][0.5]
    found = np.stack([pass_by_temperature(chance_SQ, k) for k in KS], axis=1)
    assert found == pytest.approx(np.array([[0.5, 0.5, 0.5], [0.5, 3 / 4, 15 / 16]]))


def test_a_trace_per_model_and_temperature():
    figure = slider_figure(CHANCES, ks=KS, colors=COLORS)
    assert [trace.name for trace in figure.data] == ["before", "after"] * 2
    assert [trace.visible for trace in figure.data] == [False, False, True, True]
    assert list(figure.data[2].y) == [0.3, 0.51, 0.7599]
    assert [step.label for step in figure.layout.sliders[0].steps] == ["0.5", "1"]
    assert list(figure.layout.sliders[0].steps[0].args[0]["visible"]) == [1, 1, 0, 0]
