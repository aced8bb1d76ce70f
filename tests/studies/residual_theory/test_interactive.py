"""The slider over the blocks' scale: means against sums, and what each step shows."""

import numpy as np
import pytest

from studies.residual_theory import interactive


@pytest.mark.parametrize("scale", interactive.SCALES)
def test_the_mean_path_is_never_longer_than_the_log_of_the_gain(scale):
    for n, (mean, bound) in interactive.lengths(scale).items():
        assert mean == pytest.approx(n * scale**2 / (1 + scale**2))
        assert mean < bound == pytest.approx(np.log((1 + scale**2) ** n))


def test_each_step_of_the_slider_shows_its_own_three_depths():
    figure = interactive.paths_figure(["#000000", "#0072B2", "#D55E00"])
    (slider,) = figure.layout.sliders
    assert [step.label for step in slider.steps][interactive.START] == "0.25"
    assert all(sum(trace.y) == pytest.approx(1, abs=2e-3) for trace in figure.data)
    shown = [trace.name for trace in figure.data if trace.visible]
    assert shown[1] == "16 blocks: 0.94; 0.97" and len(shown) == 3
    for i, step in enumerate(slider.steps):
        visible = np.flatnonzero(step.args[0]["visible"]).tolist()
        assert visible == [3 * i, 3 * i + 1, 3 * i + 2]
    assert len(figure.to_json(engine="json")) < 60_000
