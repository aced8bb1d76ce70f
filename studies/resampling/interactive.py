"""The chapter's interactive figure: tries, verifiers, and a slider over the cost."""

from collections.abc import Sequence

import numpy as np

from scaling_core.base.interactive import interactive_html, show_interactive

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
    single: tuple[float, float],
):
    """Return plotly's figure: right - cost·wrong against K, a line for each verifier.

    ``single``: right and wrong answers of one sample of the strongest proposer, dashed.
    """
    from plotly.graph_objects import Figure  # only the extra that makes books

    figure, start, K = Figure(), len(costs) // 2, list(K)
    for i, cost in enumerate(costs):
        value_vK = right_vK - cost * wrong_vK
        for name, color, y in zip(names, colors, value_vK, strict=True):
            figure.add_scatter(
                x=K,
                y=np.round(y, 4).tolist(),
                mode="lines",
                name=name,
                line=dict(color=color, width=2),
                visible=i == start,
            )
        strong = round(single[0] - cost * single[1], 4)
        figure.add_scatter(
            x=[K[0], K[-1]],
            y=[strong, strong],
            mode="lines",
            name="strong, once",
            line=dict(color="#000000", dash="dash", width=1),
            visible=i == start,
        )
    slider = _slider(costs, start, len(names) + 1)
    figure.update_xaxes(type="log", title_text="tries at most", gridcolor="#EEEEEE")
    figure.update_yaxes(
        title_text="value", gridcolor="#EEEEEE", zerolinecolor="#999999"
    )
    look: dict = dict(template=None, height=430, font_color="#222222")
    look |= dict(paper_bgcolor="white", plot_bgcolor="white")
    look |= dict(margin=dict(l=60, r=15, t=30, b=50), legend_title_text="verifier")
    return figure.update_layout(sliders=[slider], **look)


def _slider(costs: Sequence[float], start: int, traces: int) -> dict:
    steps = []
    for i, cost in enumerate(costs):
        shown = np.repeat(np.arange(len(costs)) == i, traces).tolist()
        steps.append(
            dict(method="update", label=f"{cost:g}", args=[{"visible": shown}])
        )
    prefix = "cost of a wrong answer: "
    return dict(active=start, steps=steps, pad_t=55, currentvalue_prefix=prefix)


def cost_html(figure, div: str = "rs-interactive") -> str:
    """Return the figure as HTML for a page of the book."""
    return interactive_html(figure, div=div, label=LABEL)


def show(*args, **options) -> None:
    """Display the figure of `cost_figure` in a notebook."""
    show_interactive(lambda: cost_html(cost_figure(*args, **options)))
