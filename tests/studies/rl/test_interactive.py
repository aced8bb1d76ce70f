"""The interactive figure: what each temperature shows."""

import numpy as np
import pytest

from studies.rl.interactive import slider_figure
from studies.rl.readings import pass_by_temperature

KS = (1, 2, 4)
COUNTS = {
    "before": {0.5: np.array([[0, 4], [2, 2]]), 1.0: np.array([[1, 1], [1, 1]])},
    "after": {0.5: np.array([[4, 4], [4, 4]]), 1.0: np.array([[0, 0], [0, 0]])},
}
COLORS = {"before": "#000000", "after": "#0072B2"}


def test_coverage_by_hand():
    right_SQ = COUNTS["before"][0.5]
    found = np.stack([pass_by_temperature(right_SQ, n=4, k=k) for k in KS], axis=1)
    assert found == pytest.approx(np.array([[0.5, 0.5, 0.5], [0.5, 5 / 6, 1]]))


def test_a_trace_per_model_and_temperature():
    figure = slider_figure(COUNTS, n=4, ks=KS, colors=COLORS)
    assert [trace.name for trace in figure.data] == ["before", "after"] * 2
    assert [trace.visible for trace in figure.data] == [False, False, True, True]
    assert list(figure.data[2].y) == [0.25, 0.5, 1.0]
    assert [step.label for step in figure.layout.sliders[0].steps] == ["0.5", "1"]
    assert list(figure.layout.sliders[0].steps[0].args[0]["visible"]) == [1, 1, 0, 0]
