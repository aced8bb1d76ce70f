"""The chapter's interactive figure: a slider over the blocks' scale, the coin law."""

from collections.abc import Sequence

import numpy as np

from scaling_core.base.interactive import (
    LOOK,
    interactive_html,
    show_interactive,
    slider,
)
from studies.residual_theory.paths import expected_path_shares, mean_length

SCALES = 2 ** np.arange(-4, 1.5, 0.5)
START = 4  # of the scales: a quarter, one over the root of sixteen blocks
BLOCKS = (4, 16, 64)
LABEL = (
    "Interactive figure: share of the squared signal that has passed a number of "
    "blocks, for networks of 4, 16 and 64 blocks; a slider changes the scale of the "
    "blocks."
)


def lengths(scale: float) -> dict[int, tuple[float, float]]:
    """Return blocks -> mean length of a path, and its bound, the log of the gain.

    Blocks have unit gain before λ scales them: Σ λ²/(1 + λ²) ≤ Σ ln(1 + λ²).

    >>> mean, bound = lengths(0.25)[16]
    >>> round(mean, 2), round(bound, 2)
    (0.94, 0.97)
    """
    gain = scale**2
    means = {n: mean_length(expected_path_shares([gain] * n)) for n in BLOCKS}
    return {n: (mean, n * float(np.log1p(gain))) for n, mean in means.items()}


def paths_figure(colors: Sequence[str]):
    """Return plotly's figure: shares by blocks passed, a line for each depth."""
    from plotly.graph_objects import Figure  # only the extra that makes books

    figure, symbols = Figure(), ("circle", "square", "diamond")
    for i, scale in enumerate(SCALES):
        looks = zip(lengths(scale).items(), colors, symbols, strict=True)
        for (n, (mean, bound)), color, symbol in looks:
            shares = expected_path_shares([scale**2] * n)
            figure.add_scatter(
                x=list(range(n + 1)),
                y=shares.round(4).tolist(),
                name=f"{n} blocks: {mean:.2f}; {bound:.2f}",
                mode="lines+markers",
                line=dict(color=color, width=2),
                marker=dict(symbol=symbol, size=5),
                visible=i == START,
            )
    labels = [f"{scale:.2g}" for scale in SCALES]
    steps = slider(labels, start=START, traces=len(BLOCKS), prefix="scale lambda: ")
    figure.update_xaxes(title_text="blocks passed", range=[-1, 65], zeroline=False)
    figure.update_yaxes(title_text="share of the squared signal", range=[0, 1.02])
    figure.update_layout(xaxis_gridcolor="#EEEEEE", yaxis_gridcolor="#EEEEEE")
    title = dict(text="mean length; log of the gain", side="top")
    legend = dict(orientation="h", y=1.02, yanchor="bottom", title=title)
    look: dict = LOOK | dict(height=470, legend=legend, showlegend=True)
    look["margin"] = dict(l=60, r=15, t=100, b=50)
    return figure.update_layout(sliders=[steps], **look)


def show(colors: Sequence[str]) -> None:
    """Display the figure of `paths_figure` in a notebook."""
    make = lambda: paths_figure(colors)
    show_interactive(
        lambda: interactive_html(make(), div="rt-interactive", label=LABEL)
    )
