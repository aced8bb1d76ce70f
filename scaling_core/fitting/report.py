"""What ``scaling fit`` reads and shows: a CSV in, a table, JSON and a plot out.

Everything here works on finished fits handed in by the command line; fitting itself
is the business of ``scaling_core.fitting``.
"""

import csv
import json
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scaling_core import fitting
from scaling_core.base.errors import UsageError
from scaling_core.fitting.columns import CellError

LAWS = {
    "power": fitting.PowerLaw(),
    "pure-power": fitting.PowerLaw(floor=False),
    "chinchilla": fitting.Chinchilla(),
    "kaplan": fitting.Kaplan(),
    "data-constrained": fitting.DataConstrained(),
    "parscale": fitting.ParScale(),
    "lr-annealing": fitting.LRAnnealing(),
    "float-quantisation": fitting.FloatQuantisation(),
    "sigmoid": fitting.SigmoidLog(),
    "saturating-k": fitting.SaturatingK(),
    "bnsl": fitting.BNSL(),
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


def find_laws(names: list[str]) -> list:
    """Return the laws of these names, each once.

    >>> find_laws(["parscale", "parscale "])
    [ParScale()]
    """
    found = {}
    for name in (name.strip() for name in names):
        if name not in LAWS:
            raise UsageError(f"unknown law {name!r}; allowed: {', '.join(LAWS)}")
        found[name] = LAWS[name]
    return list(found.values())


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
            raise UsageError(
                f"--columns names {name} twice: {pairs[name]!r} and {column!r}"
            )
        pairs[name] = column
    return pairs


def check_plot(path: Path) -> None:
    """Raise unless a figure can be written at this path."""
    if path.is_dir():
        raise UsageError(f"--plot {path}: is a folder; name a file in it")
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"--plot {path}: got the ending {path.suffix!r}; allowed: {', '.join(ENDINGS)}"
        )
    if not path.parent.is_dir():
        raise UsageError(f"--plot {path}: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"--plot {path}: cannot be written to")


def read_runs(path: Path, needed: list[str], columns: dict[str, str]) -> Runs:
    """Return the needed columns of a CSV as float arrays, with their lines.

    Raises
    ------
    UsageError
        Naming the file, the line, the column and what was found there.
    """
    header, rows = _read_rows(path)
    unknown = sorted(set(columns) - set(needed))
    if unknown:
        raise UsageError(f"the law has no {unknown}; its columns are {needed}")
    names = {name: columns.get(name, name) for name in needed}
    for name, column in names.items():
        if column not in header:
            raise UsageError(
                f"{path}: no column {column!r} for {name}; the file has {header} "
                f"(say --columns {name}=COLUMN)"
            )
        if header.count(column) > 1:
            raise UsageError(
                f"{path}: line 1 names the column {column!r} {header.count(column)} times; "
                "give each column a name of its own"
            )
    at = {name: header.index(column) for name, column in names.items()}
    data = {
        name: np.array([_number(path, line, names[name], row, i) for line, row in rows])
        for name, i in at.items()
    }
    return Runs(path, data, names, [line for line, _ in rows])


def _read_rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as text ({error})") from error
    reader = csv.reader(text.splitlines())
    header = [cell.strip() for cell in next(reader, [])]
    if len(header) == 1 and (marks := [m for m in ";\t|" if m in header[0]]):
        raise UsageError(
            f"{path}: line 1 has no comma but {marks[0]!r}; expected cells separated by "
            "commas, numbers with decimal points"
        )
    rows = [(reader.line_num, row) for row in reader if any(c.strip() for c in row)]
    if not rows:
        raise UsageError(
            f"{path}: expected a header line and rows; got {len(header)} "
            "header cells and no rows"
        )
    for line, row in rows:
        if len(row) != len(header):
            raise UsageError(
                f"{path}: line {line} has {len(row)} cells, the header {len(header)}"
            )
    return header, rows


def _number(path: Path, line: int, column: str, row: list[str], index: int) -> float:
    cell = row[index].strip()
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(
            f"{path}: line {line}, column {column}: found {cell!r}, "
            "expected a finite number"
        )
    return value


def find_intervals(result) -> dict[str, tuple[float, float]]:
    """Return 95 % intervals of parameters and derived values; nan where undefined.

    A fit that is not identified or failed has none, and no derived values.
    """
    if not result.usable:
        return dict.fromkeys(result.params, (math.nan, math.nan))
    return {n: fitting.interval(result, n) for n in (*result.params, *result.derived)}


def show_fit(result, intervals: dict[str, tuple[float, float]]) -> str:
    """Return parameters with 95 % intervals, what follows from them, and the status.

    The status of a failed fit comes first.
    """
    status = [f"status: {result.status} ({result.message})", ""]
    failed = result.status == "failed"
    lines = [*(status if failed else ()), result.law.formula, ""]
    lines.append(f"{'parameter':<12}{'estimate':>14}   95 % interval")
    for name, value in {**result.params, **_derived(result)}.items():
        derived = "" if name in result.params else "   derived"
        ends = _ends(*intervals[name])
        lines.append(f"{name:<12}{value:>14.6g}   {ends}{derived}")
    return "\n".join([*lines, "", *(() if failed else status), result.methods()])


def _derived(result) -> dict[str, float]:
    return result.derived if result.usable else {}


def _ends(low: float, high: float) -> str:
    """Show an interval.

    >>> _ends(0.25, 0.5), _ends(math.nan, 1.0), _ends(0.0, 0.0)
    ('[0.25, 0.5]', 'undefined', 'undefined (on a bound)')
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return "undefined"
    return f"[{low:.4g}, {high:.4g}]" if low < high else "undefined (on a bound)"


def fit_as_json(result, intervals, rows=()) -> str:
    """Return a fit, and a comparison if there is one, as JSON; undefined is null."""
    out = {
        "law": type(result.law).__name__,
        "formula": result.law.formula,
        "params": result.params,
        "intervals": {k: list(v) for k, v in intervals.items()},
        "derived": _derived(result),
        "objective": result.objective,
        "status": result.status,
        "message": result.message,
        "n": result.n,
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
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def curves(data: dict, law) -> list[tuple[str, dict]]:
    """Return up to four curves along the law's first variable: label, columns.

    The other variables are held at quantiles of the data; the first runs over its
    range and one decade beyond.
    """
    first, *others = law.variables
    x = np.geomspace(data[first].min(), 10 * data[first].max(), 120)
    if not others:
        return [("fit", {first: x})]
    levels = np.unique(np.quantile(data[others[0]], [0.05, 0.35, 0.65, 0.95]))
    found = []
    for level in levels:
        columns = {name: np.full_like(x, np.median(data[name])) for name in others}
        columns |= {first: x, others[0]: np.full_like(x, level)}
        found.append((f"{others[0]} = {level:.2g}", columns))
    return found


def draw_fit(path: Path, result, data: dict, drawn: list[tuple]) -> None:
    """Draw points, curves and 95 % bands on log-log axes.

    ``drawn`` holds (label, columns, prediction, low, high) for each curve.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    first, target = result.law.variables[0], result.law.target
    figure = Figure(figsize=(6.4, 4.2), facecolor="white", layout="constrained")
    ax = figure.subplots()
    shades = mpl.colormaps["viridis"](np.linspace(0.1, 0.85, len(drawn)))
    for (label, columns, middle, low, high), shade in zip(drawn, shades, strict=True):
        ax.plot(columns[first], middle, color=shade, label=label)
        ax.fill_between(columns[first], low, high, color=shade, alpha=0.2, lw=0)
    ax.plot(data[first], data[target], "o", ms=3, color="#444444", label="data")
    ax.set(xscale="log", yscale="log", xlabel=first, ylabel=target)
    ax.set_title(f"{result.law.formula}: {result.status}", fontsize=9)
    ax.legend(fontsize=8, frameon=False)
    figure.savefig(path, dpi=150)
