"""Show a plotly figure on a page of the book; plotly itself is the book's own."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

SCRIPT = "../../_static/vendor/plotly.min.js"  # as seen from book/chapters/*.html
# Options of ``update_layout`` that all these figures share.
LOOK: dict[str, Any] = dict(
    template=None,
    height=420,
    font_color="#222222",
    paper_bgcolor="white",
    plot_bgcolor="white",
)


def slider(labels: Sequence[str], *, start: int, traces: int, prefix: str) -> dict:
    """Return plotly's slider: each label shows the next ``traces`` traces alone.

    ``start`` is the label shown first, ``prefix`` stands before the one shown.

    >>> one = slider(["1", "2"], start=0, traces=2, prefix="pool: ")["steps"][1]
    >>> one["label"], one["args"]
    ('2', [{'visible': [False, False, True, True]}])
    """
    steps = []
    for i, label in enumerate(labels):
        shown = [place == i for place in range(len(labels)) for _ in range(traces)]
        steps.append(dict(method="update", label=label, args=[{"visible": shown}]))
    return dict(active=start, steps=steps, pad_t=55, currentvalue_prefix=prefix)


def interactive_html(figure: Any, *, div: str, label: str) -> str:
    """Return the figure as HTML for a page of the book; a sentence where it cannot run.

    ``figure`` is a plotly figure, ``div`` the id of its place, unique on the page, and
    ``label`` what a screen reader says.
    """
    return (
        "<style>@media print{.interactive{display:none}}</style>"
        f'<div class="interactive" id="{div}" role="img" aria-label="{label}">'
        "<p>The slider runs on the book's page, with scripts on.</p></div>"
        f'<script src="{SCRIPT}"></script>'
        f"<script>(function(){{var at=document.getElementById('{div}');"
        "if(!window.Plotly||!at)return;at.innerHTML='';"
        f"var f={figure.to_json(engine='json')};"
        "Plotly.newPlot(at,f.data,f.layout,{responsive:true,displaylogo:false,"
        "displayModeBar:false});})();</script>"
    )


def show_interactive(make_html: Callable[[], str]) -> None:
    """Display HTML in a notebook; do nothing where there is none, or no plotly."""
    if find_spec("IPython") and find_spec("plotly"):
        from IPython.display import HTML, display

        display(HTML(make_html()))
