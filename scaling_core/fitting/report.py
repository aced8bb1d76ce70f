"""What ``scaling fit`` reads and prints: a CSV in; a table, a comparison or JSON out."""

import io
import json
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from scaling_core.base.errors import UsageError

from .broken import BNSL
from .columns import CellError
from .families import DataConstrained, Kaplan, SaturatingK, SigmoidLog
from .law import Law
from .laws import Chinchilla, PowerLaw
from .result import FitResult
from .selection import Comparison, table

LAWS = {
    "power": PowerLaw(),
    "pure-power": PowerLaw(floor=False),
    "chinchilla": Chinchilla(),
    "kaplan": Kaplan(),
    "data-constrained": DataConstrained(),
    "sigmoid": SigmoidLog(),
    "saturating-k": SaturatingK(),
    "bnsl": BNSL(),
}
ENDINGS = (".png", ".svg", ".pdf")


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


def find_laws(names: list[str]) -> list[Law]:
    """Return the laws of these names, each once.

    >>> find_laws(["kaplan", "kaplan "])
    [Kaplan()]
    """
    names = [name.strip() for name in names]
    if unknown := [name for name in names if name not in LAWS]:
        raise UsageError(f"unknown law {unknown[0]!r}; allowed: {', '.join(LAWS)}")
    return [LAWS[name] for name in dict.fromkeys(names)]


def list_laws() -> list[str]:
    """Return a line per law: name, formula, columns."""
    return [
        f"{name:<20}{law.formula}  (columns {', '.join((*law.variables, law.target))})"
        for name, law in LAWS.items()
    ]


def parse_columns(text: str) -> dict[str, str]:
    """Return law column -> CSV column from ``N=params,D=tokens,L=loss``.

    A name with a comma goes in double quotes.

    >>> parse_columns('N="params, all", L=loss')
    {'N': 'params, all', 'L': 'loss'}
    """
    pairs = {}
    parts = re.findall(r'(?:"[^"]*"|[^,])+', text)
    for item in filter(None, (part.strip() for part in parts)):
        name, equals, column = (piece.strip() for piece in item.partition("="))
        if len(column) > 1 and column[0] == column[-1] == '"':
            column = column[1:-1].strip()
        if not (name and equals and column):
            raise UsageError(
                f"--columns takes NAME=COLUMN[,NAME=COLUMN…], a COLUMN with a comma "
                f"in double quotes; got {item!r}"
            )
        if name in pairs:
            both = f"{pairs[name]!r} and {column!r}"
            raise UsageError(f"--columns names {name} twice: {both}")
        pairs[name] = column
    return pairs


def check_plot(path: Path) -> None:
    """Raise unless a figure can be written at this path."""
    fault = None
    if path.is_dir():
        fault = "is a folder; name a file in it"
    elif path.suffix.lower() not in ENDINGS:
        fault = f"got the ending {path.suffix!r}; allowed: {', '.join(ENDINGS)}"
    elif not path.parent.is_dir():
        fault = f"there is no folder {path.parent}"
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        fault = "cannot be written to"
    if fault:
        raise UsageError(f"--plot {path}: {fault}")


def read_runs(path: Path, laws: list[Law], columns: dict[str, str]) -> Runs:
    """Return the columns these laws need as float arrays, with their lines in the CSV.

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
    data = {}
    for name, column in names.items():
        if column not in header:
            hint = f"the file has {header} (say --columns {name}=COLUMN)"
            raise UsageError(f"{path}: no column {column!r} for {name}; {hint}")
        if (count := header.count(column)) > 1:
            twice = f"names the column {column!r} {count} times"
            raise UsageError(f"{path}: line 1 {twice}; give each a name of its own")
        text = cells[header.index(column)].str.strip()
        numbers = np.asarray(pd.to_numeric(text, errors="coerce"), dtype=float)
        if len(bad := np.flatnonzero(~np.isfinite(numbers))):
            place = f"{path}: line {lines[bad[0]]}, column {column}"
            found = f"found {text.iloc[bad[0]]!r}, expected a finite number"
            raise UsageError(f"{place}: {found}")
        data[name] = numbers
    return Runs(path, data, names, lines)


def _read_cells(path: Path) -> tuple[list[str], pd.DataFrame, list[int]]:
    """Return the header, the cells as text, and the line of every row."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as text ({error})") from error
    rows = [(i, row) for i, row in enumerate(text.splitlines(), 1) if row.strip(", \t")]
    if len(rows) < 2:
        raise UsageError(f"{path}: expected a header line and rows; got no rows")
    first = rows[0][1]
    if "," not in first and (marks := [m for m in ";\t|" if m in first]):
        want = "expected cells separated by commas, numbers with decimal points"
        raise UsageError(f"{path}: line 1 has no comma but {marks[0]!r}; {want}")
    want = _count_cells(first)
    for line, row in rows:
        if row.count('"') % 2:
            raise UsageError(f"{path}: line {line} opens a double quote, not closed")
        if (got := _count_cells(row)) != want:
            raise UsageError(f"{path}: line {line} has {got} cells, the header {want}")
    whole = io.StringIO("\n".join(row for _, row in rows))
    cells = pd.read_csv(whole, header=None, dtype=str, keep_default_na=False)
    lines = [line for line, _ in rows[1:]]
    return cells.iloc[0].str.strip().tolist(), cells.iloc[1:], lines


def _count_cells(row: str) -> int:
    """Return one more than the commas outside double quotes.

    >>> _count_cells('1,"2,5",3')
    3
    """
    return re.sub('"[^"]*"', "", row).count(",") + 1


def show(result: FitResult, rows: list[Comparison], as_json: bool) -> str:
    """Return a fit, and a comparison if there is one, as text or JSON.

    JSON has null where a number is undefined.
    """
    if not as_json:
        return "\n\n".join([result.summary(), *([table(rows)] if rows else [])])
    out = {
        "law": type(result.law).__name__,
        "formula": result.law.formula,
        "params": result.params,
        "intervals": {name: list(ends) for name, ends in result.intervals().items()},
        "derived": result.derived if result.usable else {},
        **{k: getattr(result, k) for k in ("objective", "status", "message", "n")},
        "methods": result.methods(),
    }
    if rows:
        keys = ("name", "k", "aicc", "bic", "delta_aicc", "extrapolation", "status")
        out["comparison"] = [{k: getattr(row, k) for k in keys} for row in rows]
    return json.dumps(_finite(out), indent=1)


def _finite(value):
    """Replace what JSON cannot hold (NaN, infinities) by null."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
