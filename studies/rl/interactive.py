"""The chapter's interactive figure: pass@k as the temperature changes.

Shapes: S seeds, Q problems. Plotly is the book's own.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from scaling_core.base.interactive import (
    LOOK,
    interactive_html,
    show_interactive,
    slider,
)
from scaling_core.base.intervals import interval_over_runs
from studies.rl.readings import pass_by_temperature

Chances = Mapping[str, Mapping[float, np.ndarray]]  # model, temperature: (S, Q)


def slider_figure(chances: Chances, *, ks: Sequence[int], colors: Mapping[str, str]):
    """Return plotly's figure: pass@k against k, a slider over the temperature.

    ``chances`` to be right has the models in the order of the legend, each with the same
    temperatures. Points are means over seeds; bars 95 % t intervals.
    """
    from plotly.graph_objects import Figure  # only the extra that makes books

    figure = Figure()
    temperatures = sorted(next(iter(chances.values())))
    start = temperatures.index(1.0) if 1.0 in temperatures else 0
    for i, temperature in enumerate(temperatures):
        for name, of in chances.items():
            runs = np.stack([pass_by_temperature(of[temperature], k) for k in ks], 1)
            style = dict(color=colors[name], size=8)
            bars = dict(array=_half_widths(runs), width=3, thickness=1)
            y = np.round(runs.mean(axis=0), 4).tolist()
            figure.add_scatter(
                x=list(ks),
                y=y,
                error_y=bars,
                marker=style,
                name=name,
                visible=i == start,
            )
    figure.update_xaxes(type="log", title_text="k, answers to a problem", dtick=0.30103)
    figure.update_xaxes(tickvals=list(ks), ticktext=[str(k) for k in ks])
    figure.update_yaxes(title_text="pass@k", range=[0, 1])
    figure.update_xaxes(gridcolor="#EEEEEE").update_yaxes(gridcolor="#EEEEEE")
    look: dict = LOOK | dict(showlegend=False, margin=dict(l=55, r=15, t=60, b=50))
    title = ", ".join(f"<b style='color:{colors[m]}'>{m}</b>" for m in chances)
    labels, prefix = [f"{t:g}" for t in temperatures], "temperature of the draw: "
    steps = slider(labels, start=start, traces=len(chances), prefix=prefix)
    return figure.update_layout(
        title=dict(text=title, font_size=13), sliders=[steps], **look
    )


def _half_widths(runs: np.ndarray) -> list[float]:
    if len(runs) < 2:
        return [0.0] * runs.shape[1]
    found = (interval_over_runs(column, "t") for column in runs.T)
    return [round((i.high - i.low) / 2, 4) for i in found]


def show(chances: Chances, **options) -> None:
    """Display the figure of `slider_figure` in a notebook."""
    label = (
        "Interactive figure: pass@k against k on CountDown, before and after "
        "reinforcement learning; a slider changes the temperature of both."
    )
    show_interactive(
        lambda: interactive_html(
            slider_figure(chances, **options), div="rl-interactive", label=label
        )
    )
