"""The chapter's interactive figure: a slider over the frequencies' exponent, exact sums."""

import numpy as np

from scaling_core.base.interactive import (
    LOOK,
    interactive_html,
    show_interactive,
    slider,
)
from scaling_core.base.slopes import fit_slopes
from scaling_core.models.sparse_features import feature_frequencies
from studies.superposition.ideal import ideal_losses

WIDTHS = np.unique(np.geomspace(10, 100, 13).round()).astype(int)
ALPHAS = np.arange(2, 21) / 8
START = 2  # of the exponents: 0.5, where the chapter judges
FEW, MANY = 1000, 10**6  # features: the paper's small toys, and nearly endless
LABEL = (
    "Interactive figure: how far the loss falls with the width, without superposition "
    "and as conjectured for steep frequencies, beside a line of one over the width; a "
    "slider changes the exponent of the frequencies."
)


def curves(alpha: float) -> dict[str, np.ndarray]:
    """Return what each account says of the loss at `WIDTHS`, relative to the first.

    Without superposition the m most frequent features are perfect; with it, for steep
    frequencies, the m²/2 most frequent ones cost nothing (conjecture of
    arXiv 2505.10465).

    >>> curves(2.0)["without, a million features"].round(2)[[0, -1]]
    array([1. , 0.1])
    """
    p = feature_frequencies(MANY, "power", alpha)
    beyond = np.cumsum(p[::-1])[::-1]
    losses = {
        "without, a thousand features": ideal_losses(FEW, list(WIDTHS), alpha),
        "without, a million features": ideal_losses(MANY, list(WIDTHS), alpha),
        "with, if steep": beyond[WIDTHS**2 // 2],
    }
    return {name: loss / loss[0] for name, loss in losses.items()}


def frequency_figure(*, exact: str, conjecture: str):
    """Return plotly's figure: each account's loss against the width, and 1/m."""
    from plotly.graph_objects import Figure  # only the extra that makes books

    figure, x = Figure(), WIDTHS.tolist()
    looks = [(exact, "solid"), (exact, "dot"), (conjecture, "dashdot")]
    for i, alpha in enumerate(ALPHAS):
        for (name, y), (color, dash) in zip(curves(alpha).items(), looks, strict=True):
            slope = -fit_slopes(WIDTHS, y[None]).runs[0]
            style = dict(color=color, dash=dash, width=2)
            named = dict(name=f"{name}: {slope:.2f}", visible=i == START)
            y = np.round(y, 5).tolist()
            figure.add_scatter(x=x, y=y, mode="lines", line=style, **named)
        line = dict(color="#000000", dash="dash", width=1)
        named = dict(name="one over the width: 1", visible=i == START)
        figure.add_scatter(x=[10, 100], y=[1, 0.1], mode="lines", line=line, **named)
    traces = len(looks) + 1
    labels = [f"{alpha:.3g}" for alpha in ALPHAS]
    steps = slider(labels, start=START, traces=traces, prefix="exponent alpha: ")
    figure.update_xaxes(title_text="width m", type="log", tickvals=[10, 20, 50, 100])
    figure.update_yaxes(title_text="loss over that at m = 10", type="log", dtick=1)
    figure.update_yaxes(range=[-3.2, 0.1], gridcolor="#EEEEEE")
    figure.update_xaxes(gridcolor="#EEEEEE")
    legend = dict(orientation="h", y=1.02, yanchor="bottom", title_text="exponent")
    look: dict = LOOK | dict(height=470, legend=legend)
    look["margin"] = dict(l=60, r=15, t=100, b=50)
    return figure.update_layout(sliders=[steps], **look)


def show(**colors: str) -> None:
    """Display the figure of `frequency_figure` in a notebook."""
    make = lambda: frequency_figure(**colors)
    show_interactive(
        lambda: interactive_html(make(), div="sp-interactive", label=LABEL)
    )
