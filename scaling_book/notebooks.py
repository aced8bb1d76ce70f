"""Notebooks as data: jupytext conversion, and a normal form that two runs share."""

import hashlib
from pathlib import Path

import nbformat

from scaling_core.base.files import write_atomic

KEPT_METADATA = ("kernelspec", "language_info")
DROPPED_CELL_METADATA = ("papermill", "execution", "lines_to_next_cell")


def convert(source: str, name: str) -> nbformat.NotebookNode:
    """Return the notebook of a percent script, with ids that depend on content only.

    Papermill needs a kernel name; a script without one gets ``python3``.
    """
    import jupytext

    notebook = jupytext.reads(source, fmt="py:percent")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel})
    for cell in notebook.cells:
        for key in DROPPED_CELL_METADATA:
            cell.metadata.pop(key, None)
    return set_ids(notebook, name)


def write_notebook(notebook: nbformat.NotebookNode, path: Path) -> Path:
    """Write a notebook; the file is whole or absent."""
    return write_atomic(path, nbformat.writes(notebook) + "\n")


def set_ids(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """Give each cell an id hashed from chapter, position and source."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for i, cell in enumerate(notebook.cells):
        text = f"{name}\0{i}\0{cell.source}".encode()
        cell.id = hashlib.sha256(text).hexdigest()[:12]
    return notebook


def normalise(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """Drop times, paths, widgets and stderr, so that equal runs give equal bytes.

    The cell that papermill injects is kept (it validates the run) but not shown.
    """
    for key in set(notebook.metadata) - set(KEPT_METADATA):
        notebook.metadata.pop(key)
    notebook.metadata.get("language_info", {}).pop("version", None)
    for cell in notebook.cells:
        for key in DROPPED_CELL_METADATA:
            cell.metadata.pop(key, None)
        tags = cell.metadata.get("tags")
        if is_injected(cell) and "remove-cell" not in tags:
            tags.append("remove-cell")
        if not tags:
            cell.metadata.pop("tags", None)
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    return set_ids(notebook, name)


def is_injected(cell) -> bool:
    """Tell whether papermill injected this cell."""
    return "injected-parameters" in cell.metadata.get("tags", [])


def sources(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the cell sources, less the cell that papermill injected."""
    return [cell.source for cell in notebook.cells if not is_injected(cell)]


def dress(
    notebook: nbformat.NotebookNode, executed: nbformat.NotebookNode, name: str
) -> nbformat.NotebookNode:
    """Put the outputs of an executed notebook under today's cells of equal code."""
    ran = [c for c in executed.cells if c.cell_type == "code" and not is_injected(c)]
    today = [c for c in notebook.cells if c.cell_type == "code"]
    for cell, old in zip(today, ran, strict=True):
        cell.outputs, cell.execution_count = old.outputs, old.execution_count
    tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
    after = next(t for t, tag in enumerate(tags) if "parameters" in tag) + 1
    notebook.cells[after:after] = [c for c in executed.cells if is_injected(c)]
    notebook.metadata = executed.metadata
    return normalise(notebook, name)
