"""The chapter's interactive figure: a slider over the pool; plotly is the book's own."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from scaling_core.base.interactive import (
    LOOK,
    interactive_html,
    show_interactive,
    slider,
)
from studies.pruning.replica import solve
from studies.pruning.rules import Cell, Keep
from studies.pruning.simulate import simulate_all

GREY = "#6E6E6E"
SYMBOLS: dict[Keep, str] = {"hard": "circle", "easy": "square", "random": "diamond"}


def slider_figure(
    pools: Sequence[float],
    angles: Sequence[float],
    *,
    shares: Sequence[float],
    dots: Sequence[float],
    colors: dict[Keep, str],
    N: int,
    seeds: Sequence[int],
):
    """Return plotly's figure: error against the share kept, a panel per angle.

    Lines are the theory at ``shares``, points the simulation at ``dots`` (mean, bars of
    two standard errors); the slider changes the pool.
    """
    from plotly.subplots import make_subplots  # only the extra that makes books

    titles = [f"probe at {angle:g}°" for angle in angles]
    shape: dict = dict(shared_yaxes=True, horizontal_spacing=0.04)
    figure = make_subplots(1, len(angles), subplot_titles=titles, **shape)
    start = len(pools) // 2
    for i, pool in enumerate(pools):
        for column, angle in enumerate(angles, 1):
            for keep, color in colors.items():
                at = 0.0 if keep == "random" else angle
                make = partial(_cell, pool, keep, at)
                style = dict(row=1, col=column, visible=i == start, name=keep)
                _add_theory(figure, [make(f) for f in shares], color, style)
                runs = simulate_all([make(f) for f in dots], N=N, seeds=seeds)
                _add_points(figure, dots, runs, color, SYMBOLS[keep], style)
    figure.update_xaxes(type="log", title_text="share kept", gridcolor="#EEEEEE")
    figure.update_xaxes(tickvals=[0.1, 0.2, 0.5, 1], range=[-1.05, 0.05])
    figure.update_yaxes(type="log", gridcolor="#EEEEEE", range=[-1.65, -0.25])
    figure.update_yaxes(tickvals=[0.03, 0.05, 0.1, 0.2, 0.5])
    figure.update_yaxes(title_text="test error", col=1)
    look: dict = LOOK | dict(showlegend=False, margin=dict(l=55, r=15, t=70, b=50))
    text = ", ".join(f"<b style='color:{c}'>{k}</b>" for k, c in colors.items())
    title = dict(text=f"Kept examples: {text}", font_size=13)
    labels, prefix = [f"{x:g}" for x in pools], "examples per weight in the pool: "
    traces = 2 * len(angles) * len(colors)
    steps = slider(labels, start=start, traces=traces, prefix=prefix)
    return figure.update_layout(title=title, sliders=[steps], **look)


def _cell(pool: float, keep: Keep, angle: float, share: float) -> Cell:
    return Cell(pool, float(share), keep, angle)


def _add_theory(figure, cells: list[Cell], color: str, style: dict) -> None:
    x = [cell.share for cell in cells]
    y = [round(solve(cell).error, 5) for cell in cells]
    line = dict(color=color, width=2)
    figure.add_scatter(x=x, y=y, mode="lines", line=line, **style)


def _add_points(figure, x, runs: np.ndarray, color, symbol: str, style: dict) -> None:
    mean = runs.mean(axis=0)
    spread = 2 * runs.std(axis=0, ddof=min(1, len(runs) - 1)) / len(runs) ** 0.5
    bars = dict(array=np.round(spread, 5).tolist(), width=2, thickness=1)
    marker = dict(color=color, symbol=symbol, size=7)
    y, x = np.round(mean, 5).tolist(), list(x)
    figure.add_scatter(x=x, y=y, error_y=bars, mode="markers", marker=marker, **style)


def slider_html(figure, div: str = "pr-interactive") -> str:
    """Return the figure as HTML for a page of the book; a sentence where it cannot run."""
    label = (
        "Interactive figure: test error against the share kept, a panel per angle of the "
        "probe, for hard, easy and random examples; a slider changes the pool."
    )
    return interactive_html(figure, div=div, label=label)


def show(*args, **options) -> None:
    """Display the figure of `slider_figure` in a notebook."""
    show_interactive(lambda: slider_html(slider_figure(*args, **options)))
