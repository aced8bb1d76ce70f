"""What the theory of pruning says about policy: best shares, free shares, crossings."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import fminbound
from scipy.special import ndtr, ndtri

from studies.pruning.replica import root_between, solve
from studies.pruning.rules import Cell, Keep, Rule

UNPRUNED = 0.5005  # limit of error times examples per weight, largest margin


def theory_grid() -> list[Cell]:
    """Return the 59 cells in which theory and simulation meet.

    >>> cells = theory_grid()
    >>> len(cells), sum(fair(cell) for cell in cells)
    (59, 52)
    """
    pools = (0.5, 1.0, 2.0, 4.0, 8.0)
    keeps: tuple[Keep, ...] = ("hard", "easy")
    rules: tuple[Rule, ...] = ("field", "signed")
    cells = [Cell(pool, 1.0) for pool in pools]
    for pool in pools:
        for share in (0.7, 0.4, 0.2):
            cells += [Cell(pool, share, keep) for keep in keeps]
    for angle in (10.0, 20.0, 40.0):
        for pool, share in ((1.0, 0.5), (2.0, 0.5), (4.0, 0.25), (8.0, 0.25)):
            cells += [Cell(pool, share, "hard", angle, rule) for rule in rules]
    return cells


def fair(cell: Cell) -> bool:
    """Tell whether a finite sample can be held against the theory.

    Near two hard examples per weight, the storage capacity, a small share makes the
    simulated errors spread widely. Left out in advance; with them the slope hardly moves.
    """
    near = 1.6 - 1e-9 <= cell.kept < 2.4
    return not (near and cell.keep == "hard" and cell.share <= 0.25)


def best_share(kept: float, *, floor: float, angle: float = 0.0) -> float:
    """Return the share, floor <= f <= 1, whose hard examples give the least error.

    >>> best_share(3.0, floor=0.1)
    0.1
    """
    error = lambda x: solve(Cell.of_kept(kept, float(np.exp(x)), angle=angle)).error
    grid = np.linspace(np.log(floor), 0, 9)
    errors = [error(x) for x in grid]
    i = int(np.argmin(errors))
    if i in (0, len(grid) - 1):
        return round(float(np.exp(grid[i])), 12)
    found = fminbound(error, grid[i - 1], grid[i + 1], xtol=0.01)
    return float(np.exp(found))


def frontier(kept: Sequence[float], *, floor: float, angle: float) -> pd.DataFrame:
    """Return per number kept the best share, its error, and that of random examples."""
    rows = []
    for k in kept:
        share = best_share(k, floor=floor, angle=angle)
        best = solve(Cell.of_kept(k, share, angle=angle)).error
        rows.append((k, share, best, solve(Cell(k, 1.0)).error))
    return pd.DataFrame(rows, columns=["kept", "share", "error", "random"])


def free_share(pool: float, *, tolerance: float = 0.05) -> float:
    """Return the smallest share whose error is within ``tolerance`` of the whole pool's.

    >>> round(free_share(8.0), 2)
    0.36
    """
    whole = solve(Cell(pool, 1.0)).error
    excess = lambda f: solve(Cell(pool, f)).error / whole - 1 - tolerance
    return root_between(excess, 1 / pool, 1.0, 1e-4)


def crossing_pool(share: float, rival: Keep) -> float:
    """Return the pool from which hard examples beat the rival's at this share.

    >>> round(crossing_pool(0.5, "easy"), 1), round(crossing_pool(0.5, "random"), 1)
    (5.0, 2.9)
    """

    def lead(x: float) -> float:
        pool = float(np.exp(x))
        hard, other = Cell(pool, share), Cell(pool, share, rival)
        return np.log(solve(hard).error / solve(other).error)

    return float(np.exp(root_between(lead, np.log(0.5), np.log(40.0), 1e-3)))


def late_prefactor(share: float, angle: float) -> float:
    """Return C = f / (2 Φ(γ / sin θ) - 1), with error -> 0.5005 C / kept (our formula).

    ``share`` is f, ``angle`` θ in degrees and γ the cut of the field; C -> sin θ as f
    -> 0: no cut, however deep, gains more than that factor.

    >>> round(late_prefactor(0.2, 10.0), 4), round(late_prefactor(0.001, 10.0), 4)
    (0.2338, 0.1736)
    """
    cut = ndtri((1 + share) / 2)
    return float(share / (2 * ndtr(cut / np.sin(np.radians(angle))) - 1))
