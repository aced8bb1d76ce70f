"""What ``scaling fit`` reads and shows: a CSV in, a table, JSON and a plot out.

Everything here works on finished fits handed in by the command line; fitting itself
is the business of ``scaling_core.fitting``.
"""

import csv
import json
import math
from pathlib import Path

import numpy as np

from scaling_core.book.errors import UsageError

LAWS = {
    "power": "L = E + A x^-alpha",
    "pure-power": "L = A x^-alpha",
    "chinchilla": "L = E + A N^-alpha + B D^-beta",
    "kaplan": "L = ((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D",
    "data-constrained": "columns N, U_N, D, U_D",
    "parscale": "columns N, P",
    "lr-annealing": "columns S1, S2",
    "float-quantisation": "columns N, D, E, M, B",
    "sigmoid": "sigmoid in log x",
    "saturating-k": "columns N, X",
    "bnsl": "smoothly broken power law in x, one break",
}


def parse_columns(text: str) -> dict[str, str]:
    """Return law column -> CSV column from ``N=params,D=tokens,L=loss``.

    >>> parse_columns("N=params, L=loss")
    {'N': 'params', 'L': 'loss'}
    """
    pairs = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, equals, column = (piece.strip() for piece in item.partition("="))
        if not (name and equals and column):
            raise UsageError(
                f"--columns takes NAME=COLUMN[,NAME=COLUMN…]; got {item!r}"
            )
        pairs[name] = column
    return pairs


def read_runs(path: Path, needed: list[str], columns: dict[str, str]) -> dict:
    """Return the needed columns of a CSV as float arrays.

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
    at = {name: header.index(column) for name, column in names.items()}
    return {
        name: np.array([_number(path, line, names[name], row, i) for line, row in rows])
        for name, i in at.items()
    }


def _read_rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as text ({error})") from error
    reader = csv.reader(text.splitlines())
    header = [cell.strip() for cell in next(reader, [])]
    rows = [(reader.line_num, row) for row in reader if any(c.strip() for c in row)]
    if not rows:
        raise UsageError(f"{path}: expected a header line and rows; got {len(header)} "
                         "header cells and no rows")
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


def show_fit(result, intervals: dict[str, tuple[float, float]]) -> str:
    """Return parameters with 95 % intervals, what follows from them, and the status."""
    lines = [f"{result.law.formula}", ""]
    lines.append(f"{'parameter':<12}{'estimate':>14}   95 % interval")
    for name, value in result.params.items():
        low, high = intervals[name]
        lines.append(f"{name:<12}{value:>14.6g}   [{low:.4g}, {high:.4g}]")
    lines += [f"{name:<12}{value:>14.6g}" for name, value in result.derived.items()]
    lines += ["", f"status: {result.status} ({result.message})", "", result.methods()]
    return "\n".join(lines)


def fit_as_json(result, intervals, rows=()) -> str:
    """Return a fit, and a comparison if there is one, as JSON."""
    out = {
        "law": type(result.law).__name__,
        "formula": result.law.formula,
        "params": result.params,
        "intervals": {k: list(v) for k, v in intervals.items()},
        "derived": result.derived,
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
