"""Compute-optimal size by Approach 2: a parabola for every compute budget.

Approach 3 fits the surface, ``fit(Chinchilla(), ...)``, and uses its ``optimum``.
Source: arXiv 2203.15556, section 3. Chapter: fitting. Units: C in FLOPs, N in
parameters, D in tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .columns import as_column, check_positive
from .law import Array


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


def isoflop(data: Any, *, on: str = "N", budget: str = "C") -> Allocation:
    """Approach 2: a parabola in log10 x per budget, then a line through the vertices.

    ``data`` has columns L, ``on`` (N or D) and the budget. Biased where alpha
    and beta differ; warnings name budgets with fewer than four points, an upside-down
    parabola (left out) or a vertex outside the data. Raises ValueError, with the same
    words, where fewer than two budgets remain.

    Examples
    --------
    >>> C, D = np.repeat([1e20, 1e21], 5), np.geomspace(1e9, 1e10, 5)
    >>> D = np.concatenate([D, D * 10**0.5])
    >>> L = 1.69 + 400 * (C / (6 * D)) ** -0.31 + 400 * D**-0.31
    >>> round(isoflop({"D": D, "C": C, "L": L}, on="D").slope, 3)
    0.5
    """
    columns = {name: as_column(data[name], name) for name in (on, budget, "L")}
    for name, column in columns.items():
        check_positive(column, name, "its logarithm is taken")
    x, C, L = columns.values()
    found, warnings = {}, []
    for level in np.unique(C):
        rows = level == C
        vertex, words = _vertex(np.log10(x[rows]), L[rows])
        warnings += [f"{level:.3g}: {text}" for text in words]
        if vertex is not None:
            found[level] = vertex
    if len(found) < 2:
        raise ValueError(
            f"a power law in compute needs at least two budgets with a parabola that "
            f"opens upwards, got {len(found)} ({'; '.join(warnings[:5])}); give every run "
            f"of a budget the same {budget} and {on} on both sides of its least loss"
        )
    budgets, log_x = np.array(list(found)), np.array(list(found.values()))
    slope, intercept = np.polyfit(np.log10(budgets), log_x, 1).tolist()
    with np.errstate(over="ignore"):  # a flat parabola is least almost anywhere
        vertices = 10.0**log_x
    return Allocation(on, slope, intercept, budgets, vertices, tuple(warnings))


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
