"""The runs that ``scaling fit`` reads: a CSV in, columns of the law out."""

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from scaling_core.base.errors import UsageError

from .columns import CellError
from .law import Law

MOST_COLUMNS = 10_000  # pandas takes minutes for a million
SMALLEST, LARGEST = 1e-100, 1e100  # squares and products of two keep clear of overflow


@dataclass(frozen=True)
class Runs:
    """What a CSV held: columns under the law's names, and where each came from.

    ``names`` maps a law's column to the file's, ``lines`` a row to the file's line.
    """

    path: Path
    data: dict[str, np.ndarray]
    names: dict[str, str]
    lines: list[int]

    def explain(self, error: ValueError) -> UsageError:
        """Return a fit's complaint about these data in the file's own words."""
        if not isinstance(error, CellError) or error.column not in self.names:
            return UsageError(f"{self.path}: {error}")
        return UsageError(
            f"{self.path}: line {self.lines[error.row]}, column "
            f"{self.names[error.column]}: found {error.found:g}; {error.why}"
        )


def read_runs(
    path: Path, laws: list[Law], columns: dict[str, str], weights: str = ""
) -> Runs:
    """Return the columns these laws need as float arrays, with their lines in the CSV.

    Labels of groups stay text; ``weights`` names a column read under that name.

    Raises
    ------
    UsageError
        Naming the file, the line, the column and what was found there.
    """
    every = (name for law in laws for name in (*law.variables, law.target))
    needed = list(dict.fromkeys(every))
    if unknown := sorted(set(columns) - set(needed)):
        raise UsageError(f"the law has no {unknown}; its columns are {needed}")
    header, cells, lines = _read_cells(path)
    names = {name: columns.get(name, name) for name in needed}
    names |= {"weights": weights} if weights else {}
    labels, data = {getattr(law, "group", None) for law in laws}, {}
    for name, column in names.items():
        if column not in header:
            some = f"{header[:20]}{' …' if len(header) > 20 else ''}"
            hint = f"the file has {some} (say --columns {name}=COLUMN)"
            raise UsageError(f"{path}: no column {column!r} for {name}; {hint}")
        if (count := header.count(column)) > 1:
            twice = f"names the column {column!r} {count} times"
            raise UsageError(f"{path}: line 1 {twice}; give each a name of its own")
        text = cells[header.index(column)].str.strip()
        if name in labels:
            data[name] = text.to_numpy(str)
            continue
        numbers = np.asarray(pd.to_numeric(text, errors="coerce"), dtype=float)
        sizes = np.abs(numbers)
        fine = (sizes == 0) | (sizes >= SMALLEST) & (sizes <= LARGEST)
        if len(bad := np.flatnonzero(~fine)):
            want = "a finite number"
            if np.isfinite(numbers[bad[0]]):
                want = f"0 or a size from {SMALLEST:g} to {LARGEST:g}; take other units"
            place = f"{path}: line {lines[bad[0]]}, column {column}"
            raise UsageError(f"{place}: found {text.iloc[bad[0]]!r}, expected {want}")
        data[name] = numbers
    return Runs(path, data, names, lines)


def _read_cells(path: Path) -> tuple[list[str], pd.DataFrame, list[int]]:
    """Return the header, the cells as text, and the line of every row."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as text ({error})") from error
    rows = [(i, row) for i, row in enumerate(text.splitlines(), 1) if row.strip(", \t")]
    if len(rows) < 2:
        raise UsageError(f"{path}: expected a header line and rows; got no rows")
    first = rows[0][1]
    if "," not in first and (marks := [m for m in ";\t|" if m in first]):
        want = "expected cells separated by commas, numbers with decimal points"
        raise UsageError(f"{path}: line 1 has no comma but {marks[0]!r}; {want}")
    if (want := _count_cells(first)) > MOST_COLUMNS:
        most = f"allowed: {MOST_COLUMNS}; a run is a line, not a column"
        raise UsageError(f"{path}: line 1 has {want} cells; {most}")
    for line, row in rows:
        if row.count('"') % 2:
            raise UsageError(f"{path}: line {line} opens a double quote, not closed")
        if (got := _count_cells(row)) != want:
            raise UsageError(f"{path}: line {line} has {got} cells, the header {want}")
    whole = io.StringIO("\n".join(row for _, row in rows))
    try:
        cells = pd.read_csv(whole, header=None, dtype=str, keep_default_na=False)
    except ValueError as error:  # quotes inside a cell that was not opened by one
        raise UsageError(f"{path}: {error}") from error
    lines = [line for line, _ in rows[1:]]
    return cells.iloc[0].str.strip().tolist(), cells.iloc[1:], lines


def _count_cells(row: str) -> int:
    """Return one more than the commas outside double quotes.

    >>> _count_cells('1,"2,5",3')
    3
    """
    return re.sub('"[^"]*"', "", row).count(",") + 1
