"""Compute-optimal sizes: Approach 3 from a fitted surface, Approach 2 from parabolas.

Source: arXiv 2203.15556, section 3. Chapter: fitting. Units: C in FLOPs, N in
parameters, D in tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .columns import as_column, check_positive, find_columns
from .law import Array
from .laws import FLOPS, Chinchilla
from .result import FitResult

if TYPE_CHECKING:
    import pandas as pd

    from .resampling import Bootstrap

APART = 0.1  # natural log between two budgets, at least
SHOWN = ("N", "D", "D/N", "L")


def allocation(
    fitted: FitResult | Bootstrap,
    C: Any,
    *,
    level: float = 0.95,
    flops_per_token_parameter: float = FLOPS,
) -> pd.DataFrame:
    """Return the best N and D for C FLOPs with intervals, a row per budget (and group).

    Columns: C, group (where the law has groups), then N, D, D/N and L, each followed by
    ``_low`` and ``_high``, and ``note``, which is empty or says what the intervals leave
    out. Of a fit they are delta-method intervals on the log, of a bootstrap percentiles:
    the uncertainty of the parameters if the law is true. How far the law itself misses
    beyond the largest runs is what ``extrapolation_cv`` measures.

    Raises
    ------
    ValueError
        no Chinchilla fit, or budgets that are not positive

    Examples
    --------
    >>> from scaling_core.fitting import fit
    >>> N, D = np.geomspace(1e8, 1e10, 5).repeat(5), np.tile(np.geomspace(1e9, 1e11, 5), 5)
    >>> L = 1.69 + 406.4 * N**-0.34 + 410.7 * D**-0.28
    >>> L *= np.exp(0.001 * np.random.default_rng(0).normal(size=25))
    >>> best = allocation(fit(Chinchilla(), {"N": N, "D": D, "L": L}), 5.76e23).iloc[0]
    >>> bool(best["N_low"] < 32.2e9 < best["N_high"]), best["note"]
    (True, '96 times the compute of the largest run: model error not included')
    """
    import pandas as pd

    result = fitted if isinstance(fitted, FitResult) else fitted.result
    law, data = result.law, result.problem.data
    if not isinstance(law, Chinchilla):
        raise ValueError(
            f"only Chinchilla has an optimum here, got {type(law).__name__}"
        )
    budgets = as_column(np.atleast_1d(C), "C")
    check_positive(budgets, "C", "it is a budget in FLOPs")
    largest = flops_per_token_parameter * np.max(data["N"] * data["D"])
    notes = [_note(factor, fitted.doubt) for factor in budgets / largest]
    tables = []
    for label in law.levels or (None,):

        def best(params: dict, label=label) -> Array:
            own = law.of_group(params, label)
            found = law.optimum(own, budgets, flops_per_token_parameter)
            return np.stack([found[name] for name in SHOWN])

        columns = {"C": budgets} | ({} if label is None else {"group": label})
        values, (lows, highs) = best(result.params), fitted.statistic(best, level)
        for name, *ends in zip(SHOWN, values, lows, highs, strict=True):
            named = (name, f"{name}_low", f"{name}_high")
            columns |= dict(zip(named, ends, strict=True))
        tables.append(pd.DataFrame({**columns, "note": notes}))
    return pd.concat(tables, ignore_index=True)


def _note(factor: float, doubt: str) -> str:
    """Say what the intervals at ``factor`` times the largest compute leave out."""
    times = f"{factor:.2g} times the compute of the largest run"
    beyond = f"{times}: model error not included" if factor > 1.05 else ""
    doubt = f"not to be trusted: {doubt}" if doubt else ""
    return "; ".join(filter(None, [doubt, beyond]))


@dataclass(frozen=True)
class Allocation:
    """A power law of the optimum in compute, ``log10 x* = slope log10 C + intercept``.

    ``budgets`` and ``vertices`` are the per-budget optima it went through,
    ``warnings`` what makes them doubtful.
    """

    on: str
    slope: float
    intercept: float
    budgets: Array
    vertices: Array
    warnings: tuple[str, ...] = ()

    def predict(self, C: Any) -> Array:
        """Return the optimal ``on`` at budgets C."""
        log_C = np.log10(np.asarray(C, dtype=float))
        return 10.0 ** (self.slope * log_C + self.intercept)


def isoflop(
    data: Any, *, on: str = "N", budget: str = "C", columns: Any = None
) -> Allocation:
    """Approach 2: a parabola in log10 x per budget, then a line through the vertices.

    ``data`` has columns L, ``on`` (N or D) and the budget (``columns`` maps these names
    to others). Runs whose budgets lie within a tenth of a neighbour's are one group, at
    its median: ``C = 6 N D`` is never the same number twice. Biased where alpha and beta
    differ; warnings name budgets with fewer than four points, an upside-down parabola
    (left out) or a vertex outside the data. Raises ValueError, with the same words,
    where fewer than two budgets remain.

    Examples
    --------
    >>> C, D = np.repeat([1e20, 1e21], 5), np.geomspace(1e9, 1e10, 5)
    >>> D = np.concatenate([D, D * 10**0.5])
    >>> L = 1.69 + 400 * (C / (6 * D)) ** -0.31 + 400 * D**-0.31
    >>> round(isoflop({"D": D, "C": C, "L": L}, on="D").slope, 3)
    0.5
    """
    found = find_columns(data, (on, budget, "L"), columns, "isoflop")
    x, C, L = (as_column(column, name) for name, column in found.items())
    for name, column in ((on, x), (budget, C), ("L", L)):
        check_positive(column, name, "its logarithm is taken")
    vertices, warnings = {}, []
    for rows in _budgets(C):
        level = float(np.median(C[rows]))
        vertex, words = _vertex(np.log10(x[rows]), L[rows])
        if np.ptp(np.log(C[rows])) > 2 * APART:
            words.append(
                f"from {C[rows].min():.3g} to {C[rows].max():.3g}, one budget?"
            )
        warnings += [f"{level:.3g}: {text}" for text in words]
        if vertex is not None:
            vertices[level] = vertex
    if len(vertices) < 2:
        raise ValueError(
            f"a power law in compute needs at least two budgets with a parabola that "
            f"opens upwards, got {len(vertices)} ({'; '.join(warnings[:5])}); give the "
            f"runs of a budget {budget} alike to a few per cent, and {on} on both sides "
            "of the least loss"
        )
    budgets, log_x = np.array(list(vertices)), np.array(list(vertices.values()))
    slope, intercept = np.polyfit(np.log10(budgets), log_x, 1).tolist()
    with np.errstate(over="ignore"):  # a flat parabola is least almost anywhere
        return Allocation(on, slope, intercept, budgets, 10.0**log_x, tuple(warnings))


def _budgets(C: Array) -> list[Array]:
    """Return the rows of each budget: C sorted, and cut wherever it jumps.

    >>> _budgets(np.array([1.0, 8.0, 1.01, 7.9]))
    [array([0, 2]), array([3, 1])]
    """
    order = np.argsort(C, kind="stable")
    jumps = np.flatnonzero(np.diff(np.log(C[order])) > APART) + 1
    return np.split(order, jumps)


def _vertex(u: Array, L: Array) -> tuple[float | None, list[str]]:
    """Return where the parabola through (u, L) is least, if it is, and what is doubtful."""
    if len(np.unique(u)) < 3:
        return None, ["fewer than three sizes, left out"]
    centre = u.mean()
    a, b, _ = np.polyfit(u - centre, L, 2)
    if not a > 0:
        return None, ["parabola opens downwards, left out"]
    vertex, words = float(centre - b / (2 * a)), []
    if not u.min() <= vertex <= u.max():
        words.append("vertex outside the sizes measured")
    if len(u) < 4:
        words.append("three points only, no check of the parabola")
    return vertex, words
