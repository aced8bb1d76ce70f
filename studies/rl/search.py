"""Backtracking against direct samples at equal FLOPs of generation: no training.

Source: arXiv 2504.07052 and its repository's analysis, whose formula this is.
"""

import numpy as np

from scaling_core.data.published import load_published

SHAPES = {  # width, layers, width of keys and values, width of the MLP
    "3M": (256, 6, 64, 512),
    "17M": (512, 8, 128, 1024),
    "38M": (512, 10, 128, 2048),
    "144M": (1024, 12, 256, 3072),
}
DIRECT_TOKENS = {"countdown": 212, "sudoku": 332}  # of one direct sample


def generation_flops(size: str, tokens) -> np.ndarray:
    """Return layers·((2d² + 2d·d_kv + 3d·d_ff)T + d·T(T + 1)/2) of T tokens.

    >>> float(generation_flops("3M", 1))
    3343872.0
    """
    d, layers, kv, ff = SHAPES[size]
    T = np.asarray(tokens, dtype=float)
    return layers * ((2 * d * d + 2 * d * kv + 3 * d * ff) * T + d * T * (T + 1) / 2)


def solved_curves(game: str, size: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return FLOPs and percent solved of ``backtracking`` and ``direct``."""
    table = load_published("rl_backtrack")
    own = table[(table.game == game) & (table["size"] == size)]
    out = {}
    for method, rows in own.groupby("method"):
        budget = rows.budget.to_numpy(float)
        flops = generation_flops(size, budget)
        if method == "direct":
            flops = budget * generation_flops(size, DIRECT_TOKENS[game])
        out[str(method)] = flops, rows.percent.to_numpy(float)
    return out


def gap(game: str, size: str) -> float:
    """Return direct less backtracking, in points, at the largest common budget.

    Between budgets, linearly in the logarithm of the FLOPs.
    """
    curves = solved_curves(game, size).values()
    budget = np.log(min(flops[-1] for flops, _ in curves))
    backtracking, direct = (
        float(np.interp(budget, np.log(flops), solved)) for flops, solved in curves
    )
    return direct - backtracking


def gap_at_longest(game: str, size: str, samples: int = 16) -> tuple[float, float]:
    """Return direct with so many samples less backtracking at its longest, in points.

    And what the samples cost, as a share of the trace's FLOPs: not an equal budget.
    """
    curves = solved_curves(game, size)
    (trace, found), (cost, direct) = curves["backtracking"], curves["direct"]
    at = int(np.log2(samples))
    return float(direct[at] - found[-1]), float(cost[at] / trace[-1])
