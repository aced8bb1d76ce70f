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
AFTER_RL = ("3M", "17M")  # sizes whose shares after GRPO the repository has


def generation_flops(size: str, tokens) -> np.ndarray:
    """Return layers·((2d² + 2d·d_kv + 3d·d_ff)T + d·T(T + 1)/2) of T tokens.

    >>> float(generation_flops("3M", 1))
    3343872.0
    """
    d, layers, kv, ff = SHAPES[size]
    T = np.asarray(tokens, dtype=float)
    return layers * ((2 * d * d + 2 * d * kv + 3 * d * ff) * T + d * T * (T + 1) / 2)


def solved_curves(
    game: str, size: str, rl: str = "before"
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return FLOPs and percent solved of ``backtracking`` and ``direct``.

    ``rl`` is before or after: after GRPO a direct sample is taken to be as long.
    """
    table = load_published("rl_backtrack")
    own = table[(table.game == game) & (table["size"] == size) & (table.rl == rl)]
    out = {}
    for method, rows in own.groupby("method"):
        budget = rows.budget.to_numpy(float)
        flops = generation_flops(size, budget)
        if method == "direct":
            flops = budget * generation_flops(size, DIRECT_TOKENS[game])
        out[str(method)] = flops, rows.percent.to_numpy(float)
    return out


def gaps(game: str, size: str, rl: str = "before") -> np.ndarray:
    """Return direct less backtracking, in points, at each common budget, ascending.

    Budgets are those of either method within the other's range; the last is the
    largest common one. Between budgets, linearly in the logarithm of the FLOPs.
    """
    curves = [*solved_curves(game, size, rl).values()]  # backtracking, direct
    low, high = (pick(f[i] for f, _ in curves) for pick, i in ((max, 0), (min, -1)))
    budgets = np.unique([x for f, _ in curves for x in f if low <= x <= high])
    backtracking, direct = (
        np.interp(np.log(budgets), np.log(flops), solved) for flops, solved in curves
    )
    return direct - backtracking
