"""Show a plotly figure on a page of the book; plotly itself is the book's own."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

SCRIPT = "../../_static/vendor/plotly.min.js"  # as seen from book/chapters/*.html


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
