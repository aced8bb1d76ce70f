"""The chapter's interactive figure: tries, verifiers, and a slider over the cost."""

from collections.abc import Sequence

import numpy as np

from scaling_core.base.interactive import (
    LOOK,
    interactive_html,
    show_interactive,
    slider,
)

LABEL = (
    "Interactive figure: value of at most K tries of the weakest proposer against K, a "
    "line for each verifier; a slider changes the cost of a wrong answer."
)


def cost_figure(
    K: Sequence[int],
    right_vK: np.ndarray,
    wrong_vK: np.ndarray,
    *,
    names: Sequence[str],
    colors: Sequence[str],
    costs: Sequence[float],
    single: np.ndarray,
):
    """Return plotly's figure: right - cost·wrong against K, a line for each verifier.

    ``single``: right and wrong answers of one sample of the strongest proposer, dashed.
    """
    from plotly.graph_objects import Figure  # only the extra that makes books

    figure, start, K = Figure(), len(costs) // 2, list(K)
    names, colors = [*names, "strong, once"], [*colors, "#000000"]
    for i, cost in enumerate(costs):
        values = [*(right_vK - cost * wrong_vK), np.full(len(K), single @ [1, -cost])]
        for name, color, value in zip(names, colors, values, strict=True):
            dash = "dash" if name == names[-1] else "solid"
            line = dict(color=color, width=2, dash=dash)
            style = dict(mode="lines", name=name, line=line, visible=i == start)
            figure.add_scatter(x=K, y=np.round(value, 4).tolist(), **style)
    labels, prefix = [f"{cost:g}" for cost in costs], "cost of a wrong answer: "
    steps = slider(labels, start=start, traces=len(names), prefix=prefix)
    figure.update_xaxes(type="log", title_text="tries at most", gridcolor="#EEEEEE")
    figure.update_yaxes(
        title_text="value", gridcolor="#EEEEEE", zerolinecolor="#999999"
    )
    look: dict = LOOK | dict(height=430, legend_title_text="verifier")
    look["margin"] = dict(l=60, r=15, t=30, b=50)
    return figure.update_layout(sliders=[steps], **look)


def show(*args, **options) -> None:
    """Display the figure of `cost_figure` in a notebook."""
    make = lambda: cost_figure(*args, **options)
    show_interactive(
        lambda: interactive_html(make(), div="rs-interactive", label=LABEL)
    )
