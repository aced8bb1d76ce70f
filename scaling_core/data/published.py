"""Numbers quoted from papers: small CSV tables whose head names the public source."""

import re

import pandas as pd

from scaling_core.base.files import book_root
from scaling_core.base.inputs import note_input


def load_published(name: str) -> pd.DataFrame:
    """Read ``data/published/<name>.csv`` of the book around the working directory.

    Lines starting with ``#`` are comments; ``# source: ...`` is kept in
    ``.attrs["source"]``. The file counts as an input of the run.

    Raises
    ------
    ValueError
        If ``name`` is not a plain file name, or the table names no source.
    FileNotFoundError
        If there is no such table; the message lists those there are.
    """
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise ValueError(f"{name!r} is not the name of a table (letters, digits, _)")
    folder = book_root() / "data" / "published"
    path = folder / f"{name}.csv"
    note_input(path)
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.csv"))) or "none"
        raise FileNotFoundError(f"no published table {name!r}; there are: {known}")
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    source = [line[9:].strip() for line in head if line.startswith("# source:")]
    if not source:
        raise ValueError(
            f"{path}: no '# source: ...' line: where do its numbers come from?"
        )
    table = pd.read_csv(path, comment="#")
    table.attrs["source"] = " ".join(source)
    return table
