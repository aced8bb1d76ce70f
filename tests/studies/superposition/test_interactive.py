"""The chapter's slider shows the exact sums and the closed forms they tend to."""

import numpy as np
import pytest

from studies.superposition import interactive
from studies.superposition.ideal import ideal_weak_exponent


def exponents(alpha):
    m = np.log(interactive.WIDTHS)
    return [-np.polyfit(m, np.log(y), 1)[0] for y in interactive.curves(alpha).values()]


def test_steep_frequencies_have_the_exponents_of_endless_features():
    _, without, packed = exponents(2.0)
    assert without == pytest.approx(1.0, abs=0.02)
    assert packed == pytest.approx(2.0, abs=0.05)


def test_few_features_have_the_exponent_that_the_page_quotes():
    few, *_ = exponents(0.5)
    assert few == pytest.approx(
        ideal_weak_exponent(interactive.FEW, list(interactive.WIDTHS), 0.5)
    )


def test_each_step_of_the_slider_shows_its_own_four_lines():
    figure = interactive.frequency_figure(exact="#009E73", conjecture="#6E6E6E")
    (slider,) = figure.layout.sliders
    assert [step.label for step in slider.steps][interactive.START] == "0.5"
    shown = [trace.name for trace in figure.data if trace.visible]
    assert len(shown) == 4 and shown[-1].endswith(": 1")
    for i, step in enumerate(slider.steps):
        assert np.flatnonzero(step.args[0]["visible"]).tolist() == [
            *range(4 * i, 4 * i + 4)
        ]
    assert len(figure.to_json(engine="json")) < 60_000
