"""What ``scaling fit`` is asked for and prints: options in; a table or JSON out."""

import json
import math
import os
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from scaling_core.base.errors import UsageError

from .broken import BNSL
from .families import DataConstrained, Kaplan, SaturatingK, SigmoidLog
from .law import Law
from .laws import Chinchilla as Surface
from .laws import PowerLaw
from .powers import PowerSum
from .resampling import Bootstrap
from .result import FitResult
from .selection import extrapolation_cv


class Chinchilla(Surface):
    """The surface; what follows from it is nan where an exponent near 0 leaves it open."""

    def derived(self, params):
        """Return a, b and G as of any surface, each a float.

        >>> Chinchilla().derived(dict(E=2, A=1, B=1, alpha=0, beta=0))
        {'a': nan, 'b': nan, 'G': nan}
        """
        names = super().derived(dict.fromkeys(params, 1.0))
        try:
            found = super().derived(params)
        except ArithmeticError:
            found = dict.fromkeys(names, math.nan)
        return {k: math.nan if isinstance(v, complex) else v for k, v in found.items()}


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
OPEN = 100  # an exponent known to no better than this factor is not known


def find_laws(names: list[str], group: str = "") -> list[Law]:
    """Return the laws of these names, each once; ``group`` names a column of labels.

    >>> find_laws(["kaplan", "kaplan "])
    [Kaplan()]
    """
    names = [name.strip() for name in names]
    if unknown := [name for name in names if name not in LAWS]:
        raise UsageError(f"unknown law {unknown[0]!r}; allowed: {', '.join(LAWS)}")
    found = {name: LAWS[name] for name in names}
    if group:
        sums = {k: law for k, law in LAWS.items() if isinstance(law, PowerSum)}
        if bad := [name for name in found if name not in sums]:
            raise UsageError(f"--group: not for {bad[0]}, only for {', '.join(sums)}")
        found = {name: replace(sums[name], group=group) for name in found}
    return list(found.values())


def list_laws() -> list[str]:
    """Return per law a line with name, formula and columns, then its parameters."""
    lines = []
    for name, law in LAWS.items():
        columns = ", ".join((*law.variables, law.target))
        lines.append(f"{name:<20}{law.formula}  (columns {columns})")
        lines += [f"{'':<22}{k:<8}{words}" for k, words in law.meanings.items()]
    return lines


def parse_bounds(text: str) -> dict[str, tuple[float, float]]:
    """Return bounds from ``E=0:2,alpha=0.3``; one number fixes a parameter.

    >>> parse_bounds("E=0:2, alpha=0.3")
    {'E': (0.0, 2.0), 'alpha': (0.3, 0.3)}
    """
    out = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, ends = (piece.strip() for piece in item.partition("="))
        low, colon, high = ends.partition(":")
        try:
            out[name] = float(low), float(high if colon else low)
        except ValueError:
            want = "--bounds takes NAME=LOW:HIGH or NAME=VALUE, by comma"
            raise UsageError(f"{want}; got {item!r}") from None
    return out


def parse_budgets(text: str) -> list[float]:
    """Return budgets from ``1e21,1e22``.

    >>> parse_budgets("1e21, 1e22")
    [1e+21, 1e+22]
    """
    try:
        budgets = [float(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise UsageError(f"--allocate takes FLOPs by comma: {error}") from None
    if not all(0 < C < math.inf for C in budgets):
        raise UsageError(f"--allocate takes positive FLOPs by comma; got {text!r}")
    return budgets


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


def forward_error(result: FitResult) -> float:
    """Return the forward-chaining error along the first column; nan with few points.

    Along compute where the law has N and D.
    """
    law, problem = result.law, result.problem
    if result.n < 2 * (len(law.parameters) + 2):
        return math.nan
    both = {"N", "D"} <= set(law.variables)
    by = (lambda found: found["N"] * found["D"]) if both else law.variables[0]
    options: dict = dict(loss=problem.loss, delta=problem.delta)
    options["weights"] = problem.weights
    bounds = {k: v for k, v in problem.bounds.items() if v != law.limits.get(k)}
    return extrapolation_cv(law, problem.data, by=by, bounds=bounds, **options).rmse


def left_open(result: FitResult) -> str:
    """Return the exponents that the runs leave open, by comma; empty for none.

    So are runs that are noise: a law can be fitted to them, but its exponents have an
    interval over more than a factor ``OPEN``, or none though there are points to spare.
    """
    if not result.usable or result.problem.spare < 1:
        return ""
    found = result.intervals()
    return ", ".join(
        name
        for name in result.params
        if result.law.units.get(name.split("[")[0]) == "1"
        and not _is_known(*found[name])
    )


def _is_known(low: float, high: float) -> bool:
    """Tell whether an interval says how large a number is.

    >>> _is_known(0.2, 0.3), _is_known(0.001, 0.3), _is_known(math.nan, math.nan)
    (True, False, False)
    """
    return math.isfinite(low) and math.isfinite(high) and not 0 < OPEN * low < high


def show(
    result: FitResult,
    rows: pd.DataFrame | None,
    as_json: bool,
    boot: Bootstrap | None = None,
    best: pd.DataFrame | None = None,
) -> str:
    """Return a fit, with what else was asked for, as text or JSON.

    JSON has null where a number is undefined.
    """
    rows = None if rows is None else rows.drop(columns="result")
    ends = {} if boot is None else {k: boot.interval(k) for k in result.params}
    ahead = math.nan if best is None else forward_error(result)
    if as_json:
        return _as_json(result, rows, ends, best, ahead)
    parts = [result.summary()]
    if boot is not None:
        frame = pd.DataFrame(ends, index=["low", "high"]).T.to_string(
            float_format="{:.4g}".format
        )
        parts.append(f"bootstrap of {len(boot.z)} resamples, 95 % intervals\n{frame}")
    if rows is not None:
        parts.append(rows.to_string(index=False, float_format="{:.3g}".format))
    if best is not None:
        missed = f"{ahead:.2g} (root mean square) when fitted to the smaller runs only"
        told = "" if math.isnan(ahead) else f"\nlarger runs were missed by {missed}"
        parts.append(_allocation_text(best) + told)
    return "\n\n".join(parts)


def _allocation_text(best: pd.DataFrame) -> str:
    """Return the best sizes, a column for each budget, and below what to know of them."""
    numbers = best.drop(columns="note").T
    lines = [numbers.to_string(header=False, float_format="{:.4g}".format)]
    notes = zip(best["C"], best["note"], strict=True)
    return "\n".join([*lines, *(f"{C:.4g}: {note}" for C, note in notes if note)])


def _as_json(result, rows, ends: dict, best, ahead: float) -> str:
    out = {
        "law": type(result.law).__name__,
        "formula": result.law.formula,
        "params": result.params,
        "intervals": {name: list(ends) for name, ends in result.intervals().items()},
        "derived": result.derived if result.usable else {},
        **{k: getattr(result, k) for k in ("objective", "status", "message", "n")},
        "doubt": result.doubt,
        "left_open": left_open(result),
        "methods": result.methods(),
    }
    if ends:
        out["bootstrap"] = {name: list(pair) for name, pair in ends.items()}
    if rows is not None:
        out["comparison"] = rows.to_dict("records")
    if best is not None:
        out |= {"allocation": best.to_dict("records"), "forward_error": ahead}
    return json.dumps(_finite(out), indent=1)


def _finite(value):
    """Replace what JSON cannot hold (NaN, infinities) by null."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
