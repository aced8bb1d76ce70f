"""Where a claim was measured: the cell of a chapter that records it.

Cells record through helpers too, under names built from parts, so a claim's cell is
found from its strings: its id or short name, or an f-string that the name fits. Among
the cells that hold them it is the last that calls something named ``record...``, else the
first, where the quantity is defined.
"""

import ast
import re
from collections.abc import Iterator, Sequence

import nbformat


def anchor_measured(claim_id: str) -> str:
    """Return the HTML id of the place where a claim was recorded."""
    return "measured-" + claim_id.replace(".", "-")


def cells_of(
    notebook: nbformat.NotebookNode, claim_ids: Sequence[str]
) -> dict[str, int]:
    """Return claim -> the index of the cell that records it; unfound ones are left out.

    >>> cell = nbformat.v4.new_code_cell("chapter.record('a.slope', runs=runs)")
    >>> cells_of(nbformat.v4.new_notebook(cells=[cell]), ["a.slope", "a.other"])
    {'a.slope': 0}
    """
    read = {
        i: (_strings(tree), any(map(_records, ast.walk(tree))))
        for i, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and (tree := _parsed(cell.source))
    }
    places = {c: [i for i in read if _names(c, *read[i][0])] for c in claim_ids}
    recording = {i for i, (_, records) in read.items() if records}
    return {
        c: max((i for i in at if i in recording), default=min(at))
        for c, at in places.items()
        if at
    }


def _names(claim_id: str, plain: set[str], patterns: list[str]) -> bool:
    """Tell whether a cell's strings name a claim."""
    short = claim_id.split(".", 1)[1]
    spelled = {claim_id, short, short.replace("-", "_")}
    fits = any(re.fullmatch(p, x) for p in patterns for x in spelled)
    return fits or not plain.isdisjoint(spelled)


def mark_measured(
    notebook: nbformat.NotebookNode, claim_ids: Sequence[str]
) -> set[str]:
    """Put an anchor before the cell of each claim; return the claims that have one."""
    places = cells_of(notebook, claim_ids)
    for i in sorted(set(places.values()), reverse=True):
        spans = "".join(
            f'<span id="{anchor_measured(claim_id)}"></span>'
            for claim_id, at in places.items()
            if at == i
        )
        text = f'<div class="measured-here">{spans}</div>'
        notebook.cells.insert(i, nbformat.v4.new_markdown_cell(text))
    return set(places)


def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except SyntaxError:  # a line of IPython's
        return None


def _records(node: ast.AST) -> bool:
    """Tell whether a node calls something whose name begins with ``record``."""
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return name.startswith("record")


def _strings(tree: ast.Module) -> tuple[set[str], list[str]]:
    """Return the strings and names of a cell, and its f-strings as patterns.

    A pattern that is a wildcard but for the chapter's name says nothing.
    """
    plain, patterns = set(), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            plain.add(node.value)
        elif isinstance(node, ast.keyword) and node.arg:
            plain.add(node.arg)
        elif isinstance(node, ast.JoinedStr):
            parts = list(_pieces(node))
            fixed = "".join(p for p in parts if p != ".+")
            if re.sub(r"^[a-z-]+\\?\.", "", fixed.replace("\\-", "-")).strip("-"):
                patterns.append("".join(parts))
    return plain, patterns


def _pieces(node: ast.JoinedStr) -> Iterator[str]:
    for value in node.values:
        if isinstance(value, ast.Constant):
            yield re.escape(str(value.value))
        else:
            yield ".+"
