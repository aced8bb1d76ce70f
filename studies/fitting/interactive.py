"""The chapter's interactive figure: a slider over the width; plotly is the book's own."""

import numpy as np

from scaling_core.base.interactive import LOOK, interactive_html, show_interactive
from scaling_core.fitting import Chinchilla
from studies.fitting.approach2 import POINTS, SURFACES, closed_form_error
from studies.fitting.surfaces import simulate_isoflop

NAMES = ("Chinchilla", "asymmetric")
INK, ACCENT, GREY = "#0072B2", "#D55E00", "#6E6E6E"
BUDGET = 1e21
WIDTHS = np.geomspace(2, 32, 17)
START = 12  # of the widths: a factor 16, the paper's widest


def bias_figure():
    """Return plotly's figure: a curve per surface, and a parabola per width of grid."""
    from plotly.subplots import make_subplots  # only the extra that makes books

    figure = make_subplots(1, len(NAMES), horizontal_spacing=0.08)
    for column, name in enumerate(NAMES, 1):
        line = dict(color=GREY, width=2)
        _add(figure, column, "loss at fixed compute", *_loss(name, 32.0, 61), line=line)
        title = dict(text=f"{name}: log D/D*", font_size=12)
        figure.update_xaxes(title=title, col=column)
    for i, width in enumerate(WIDTHS):
        for column, name in enumerate(NAMES, 1):
            _add_parabola(figure, column, *_loss(name, width, POINTS), i == START)
    figure.update_xaxes(range=[-1.6, 1.6], zeroline=True, zerolinecolor=GREY)
    figure.update_xaxes(gridcolor="#EEEEEE")
    figure.update_yaxes(zeroline=False, gridcolor="#EEEEEE")
    figure.update_yaxes(title_text="loss above the best", col=1)
    look: dict = LOOK | dict(showlegend=False, height=400)
    look["margin"] = dict(l=55, r=15, t=60, b=50)
    title = dict(text=_title(WIDTHS[START]), font_size=13)
    return figure.update_layout(title=title, sliders=[_slider()], **look)


def _add(figure, column: int, name: str, x, y, **style) -> None:
    """Add a trace, rounded so that the page stays small."""
    x, y = np.round(x, 4).tolist(), np.round(y, 5).tolist()
    mode = "markers" if "marker" in style else "lines"
    figure.add_scatter(x=x, y=y, name=name, mode=mode, row=1, col=column, **style)


def _add_parabola(figure, column: int, x, y, visible: bool) -> None:
    """Add the parabola through the points, then the points and its vertex."""
    c = np.polyfit(x, y, 2)
    grid, vertex = np.linspace(x[0], x[-1], 41), -c[1] / (2 * c[0])
    style = dict(line=dict(color=INK, width=2), visible=visible)
    _add(figure, column, "parabola", grid, np.polyval(c, grid), **style)
    n, marker = len(x), dict(size=[7] * len(x) + [13])
    marker |= dict(color=[INK] * n + [ACCENT], symbol=["circle"] * n + ["diamond"])
    at, height = np.append(x, vertex), np.append(y, np.polyval(c, vertex))
    name = "runs, and the minimum found"
    _add(figure, column, name, at, height, marker=marker, visible=visible)


def _slider() -> dict:
    """Return the slider: each width shows the curves and traces of its own."""
    steps = []
    for i, width in enumerate(WIDTHS):
        shown = np.repeat(np.arange(len(WIDTHS)) == i, 2 * len(NAMES))
        visible = [True] * len(NAMES) + shown.tolist()
        args = [{"visible": visible}, {"title.text": _title(width)}]
        steps.append(dict(method="update", label=f"{width:.1f}", args=args))
    prefix = "half-width of the grid: factor "
    return dict(active=START, steps=steps, pad_t=55, currentvalue_prefix=prefix)


def _loss(name: str, width: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return D over the optimum, and the loss above that of the optimum."""
    surface = SURFACES[name]
    data = simulate_isoflop(surface, budgets=[BUDGET], width=width, n=n)
    best = Chinchilla().optimum(surface, BUDGET)
    return np.log10(data["D"] / best["D"]), data["L"] - best["L"]


def _title(width: float) -> str:
    exponents = {k: (SURFACES[k]["alpha"], SURFACES[k]["beta"]) for k in NAMES}
    errors = {k: closed_form_error(*pair, width) for k, pair in exponents.items()}
    parts = [f"{k} {e:+.1f} %".replace("-", "\u2212") for k, e in errors.items()]
    return "Error of the optimal tokens<br>" + ", ".join(parts)


def bias_html(div: str = "ft-interactive") -> str:
    """Return the figure as HTML for a page of the book; a sentence where it cannot run."""
    label = (
        "Interactive figure: two loss curves at fixed compute with a fitted parabola; "
        "a slider widens the grid, and the minimum found moves away from zero."
    )
    return interactive_html(bias_figure(), div=div, label=label)


def show() -> None:
    """Display the figure in a notebook."""
    show_interactive(bias_html)
