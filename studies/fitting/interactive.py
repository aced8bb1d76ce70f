"""The one interactive figure of the chapter: a slider over the width of the grid.

The figure is written as data for plotly's script, which the book keeps once in its
static files; nothing is loaded from outside and nothing needs plotly in Python.
"""

import json

import numpy as np

from scaling_core.fitting import Chinchilla, simulate_isoflop
from studies.fitting.approach2 import POINTS, SURFACES, closed_form_error

SCRIPT = "../../_static/vendor/plotly.min.js"  # as seen from book/chapters/*.html
NAMES = ("Chinchilla", "asymmetric")
INK, ACCENT, GREY = "#0072B2", "#D55E00", "#6E6E6E"
BUDGET = 1e21
START = 12  # of 17 widths: a factor 16, the paper's widest


def bias_figure(widths=None) -> dict:
    """Return the figure (data, layout) as plain lists and dicts."""
    widths = np.geomspace(2, 32, 17) if widths is None else widths
    traces, steps = [], []
    for column, name in enumerate(NAMES):
        traces.append(_curve(name, column))
    fixed, moving = len(traces), 2 * len(NAMES)
    for i, width in enumerate(widths):
        for column, name in enumerate(NAMES):
            traces += _parabola(name, column, float(width), i == START)
        shown = [True] * fixed + [False] * (moving * len(widths))
        start = fixed + i * moving
        shown[start : start + moving] = [True] * moving
        steps.append(
            {
                "method": "update",
                "label": f"{width:.1f}",
                "args": [{"visible": shown}, {"title.text": _title(float(width))}],
            }
        )
    return {"data": traces, "layout": _layout(steps, float(widths[START]))}


def _loss(name: str, width: float, n: int) -> tuple[list, np.ndarray]:
    """Return D over the optimum, and the loss above that of the optimum."""
    surface = SURFACES[name]
    data = simulate_isoflop(surface, budgets=[BUDGET], width=width, n=n)
    best = Chinchilla().optimum(surface, BUDGET)
    return np.log10(data["D"] / best["D"]), data["L"] - best["L"]


def _curve(name: str, column: int) -> dict:
    x, y = _loss(name, 32.0, 61)
    line = {"color": GREY, "width": 2}
    return _trace(x, y, column, "loss at fixed compute", mode="lines", line=line)


def _parabola(name: str, column: int, width: float, visible: bool) -> list[dict]:
    x, y = _loss(name, width, POINTS)
    c = np.polyfit(x, y, 2)
    grid = np.linspace(x[0], x[-1], 41)
    vertex = -c[1] / (2 * c[0])
    line = {"color": INK, "width": 2}
    parabola = _trace(
        grid, np.polyval(c, grid), column, "parabola", mode="lines", line=line
    )
    marker = {"size": [7] * len(x) + [13], "color": [INK] * len(x) + [ACCENT]}
    marker["symbol"] = ["circle"] * len(x) + ["diamond"]
    points = _trace(
        [*x, vertex],
        [*y, np.polyval(c, vertex)],
        column,
        "runs, and the minimum found",
        mode="markers",
        marker=marker,
    )
    return [{**parabola, "visible": visible}, {**points, "visible": visible}]


def _trace(x, y, column: int, name: str, **style) -> dict:
    axis = "" if column == 0 else str(column + 1)
    return {
        "type": "scatter",
        "x": [round(float(v), 4) for v in x],
        "y": [round(float(v), 5) for v in y],
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "name": name,
        **style,
    }


def _title(width: float) -> str:
    parts = []
    for name in NAMES:
        surface = SURFACES[name]
        error = closed_form_error(surface["alpha"], surface["beta"], width)
        parts.append(f"{name} {error:+.1f} %".replace("-", "\u2212"))
    return "Error of the optimal tokens<br>" + ", ".join(parts)


def _layout(steps: list[dict], width: float) -> dict:
    layout = {
        "title": {"text": _title(width), "font": {"size": 13}},
        "showlegend": False,
        "height": 400,
        "margin": {"l": 55, "r": 15, "t": 60, "b": 50},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "font": {"color": "#222222"},
        "sliders": [
            {
                "active": START,
                "steps": steps,
                "pad": {"t": 55},
                "currentvalue": {"prefix": "half-width of the grid: factor "},
            }
        ],
    }
    for column, name in enumerate(NAMES):
        axis = "" if column == 0 else str(column + 1)
        left, right = (0.0, 0.46) if column == 0 else (0.54, 1.0)
        layout[f"xaxis{axis}"] = {
            "domain": [left, right],
            "title": {"text": f"{name}: log D/D*", "font": {"size": 12}},
            "range": [-1.6, 1.6],
            "anchor": f"y{axis}",
            "zeroline": True,
            "zerolinecolor": GREY,
            "gridcolor": "#EEEEEE",
        }
        layout[f"yaxis{axis}"] = {
            "anchor": f"x{axis}",
            "title": {"text": "loss above the best" if column == 0 else ""},
            "gridcolor": "#EEEEEE",
            "zeroline": False,
        }
    return layout


def bias_html(div: str = "ft-interactive") -> str:
    """Return the figure as HTML for a page of the book; a sentence where it cannot run.

    >>> "cdn" in bias_html()
    False
    """
    figure = json.dumps(bias_figure(), separators=(",", ":"))
    label = (
        "Interactive figure: two loss curves at fixed compute with a fitted parabola; "
        "a slider widens the grid, and the minimum found moves away from zero."
    )
    return (
        "<style>@media print{.interactive{display:none}}</style>"
        f'<div class="interactive" id="{div}" role="img" aria-label="{label}">'
        "<p>The slider runs on the book's page, with scripts on.</p></div>"
        f'<script src="{SCRIPT}"></script>'
        f"<script>(function(){{var at=document.getElementById('{div}');"
        "if(!window.Plotly||!at)return;at.innerHTML='';"
        f"var f={figure};"
        "Plotly.newPlot(at,f.data,f.layout,{responsive:true,displaylogo:false,"
        "displayModeBar:false});})();</script>"
    )


def show() -> None:
    """Display the figure in a notebook; do nothing where there is none."""
    try:
        from IPython.display import HTML, display
    except ImportError:
        return
    display(HTML(bias_html()))
