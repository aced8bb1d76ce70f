"""Tables that a reader filters and sorts, and the same rows as files.

The page holds the whole table as HTML and works without a script. With one, DataTables
(copied from itables, see `assets.py`) adds search, sorting and a choice for each filter;
`?verdict=agrees` in an address sets that filter.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import pandas as pd

from scaling_book.pages import html_table
from scaling_core.base.files import write_atomic

STATIC = "../../_static"  # as seen from the pages in book/generated
WIDE = "---\nhtml_theme.sidebar_secondary.remove: true\n---\n\n"  # a page's head
SCRIPTS = (f"{STATIC}/vendor/datatables.js", f"{STATIC}/tables.js")


def filter_table(
    heads: Sequence[str],
    body: list[list[str]],
    caption: str,
    *,
    ids: Sequence[str],
    filters: Mapping[str, Sequence[str]],
    css: str = "",
) -> str:
    """Return a table with ids of its rows, and filters by a label for each row.

    Parameters
    ----------
    filters
        Name of a filter -> a label for each row; labels with a ``|`` are several.
    """
    attributes = [
        f'id="{ids[i]}" '
        + " ".join(
            f'data-{name}="{escape(labels[i], quote=True)}"'
            for name, labels in filters.items()
        )
        for i in range(len(body))
    ]
    table = html_table(heads, body, caption, f"filtered {css}".strip(), attributes)
    scripts = "".join(f'<script defer src="{path}"></script>' for path in SCRIPTS)
    return (
        f'<div class="filter-table" data-filters="{" ".join(filters)}">{table}</div>'
        f"{scripts}"
    )


def write_downloads(folder: Path, name: str, rows: list[dict]) -> str:
    """Write rows as CSV and as JSON, and return the sentence that links both."""
    write_atomic(folder / f"{name}.csv", pd.DataFrame(rows).to_csv(index=False))
    text = json.dumps(rows, indent=1, ensure_ascii=False)
    write_atomic(folder / f"{name}.json", text + "\n")
    return (
        f"The table as files: {{download}}`CSV <{name}.csv>`, "
        f"{{download}}`JSON <{name}.json>`."
    )


def short_list(labels: Sequence[str]) -> str:
    """Return several labels of one filter as one attribute.

    >>> short_list(["a", "b", "a"])
    'a|b'
    """
    return "|".join(dict.fromkeys(labels))
