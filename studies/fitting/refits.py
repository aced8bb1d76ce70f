"""What a conclusion from published points rests on: other objectives, fewer points.

Sources: arXiv 2603.22339, arXiv 2404.10102. Units: C in FLOPs, N in parameters, D in tokens.
"""

from collections.abc import Iterable

import numpy as np

from scaling_core.base.intervals import Resamples, bootstrap_runs
from scaling_core.fitting import Bootstrap, Chinchilla, fit, isoflop
from studies.fitting.points import Columns, pick
from studies.fitting.surfaces import deadweight_loss

LOG_MSE = dict(loss="log-huber", delta=10.0)  # never in the tails: squares of logs
OBJECTIVES = {"squares": dict(loss="mse"), "squares of logs": LOG_MSE, "log-Huber": {}}
TARGET = 3.8e25  # FLOPs of Llama 3's largest model


def split_error(data: Columns, objective: str = "squares") -> tuple[float, float]:
    """Return Approach 2's excess of tokens at `TARGET` and the waste, both in percent.

    Against the surface fitted with that objective to the same points.
    """
    D = float(isoflop(data, on="D").predict(TARGET))
    params = fit(Chinchilla(), data, **OBJECTIVES[objective]).params
    excess = D / Chinchilla().optimum(params, TARGET)["D"] - 1
    return float(100 * excess), 100 * deadweight_loss(params, TARGET, D=D)


def without_each_budget(data: Columns) -> dict[float, float]:
    """Return the waste in percent with each budget's points left out."""
    budgets = np.unique(data["C"]).tolist()
    return {C: split_error(pick(data, data["C"] != C))[1] for C in budgets}


def without_random_points(data: Columns, n: int, seeds: Iterable[int]) -> np.ndarray:
    """Return the waste in percent with ``n`` points left out at random, one per seed."""
    wastes = []
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(len(data["L"]))
        wastes.append(split_error(pick(data, np.sort(order[n:])))[1])
    return np.array(wastes)


def excess_resamples(data: Columns, draws: int) -> Resamples:
    """Return the excess of tokens in bootstraps of the points of each budget."""
    names = ("N", "D", "C", "L")
    rows = np.column_stack([data[name] for name in names])

    def excess(drawn: np.ndarray) -> float:
        return split_error(dict(zip(names, drawn.T, strict=True)))[0]

    rng = np.random.default_rng(0)
    return bootstrap_runs(rows, excess, strata=data["C"].tolist(), rng=rng, draws=draws)


def without_each_fifth(data: Columns) -> list[dict[str, float]]:
    """Return the surface fitted without each fifth of the points, least compute first."""
    order = np.argsort(data["N"] * data["D"], kind="stable")
    parts = np.array_split(order, 5)
    return [
        fit(Chinchilla(), pick(data, np.sort(np.setdiff1d(order, part)))).params
        for part in parts
    ]


def without_random_fifth(data: Columns, seeds: Iterable[int]) -> list[dict]:
    """Return the surface fitted without a fifth of the points at random, one per seed."""
    n = len(data["L"])
    kept = [np.random.default_rng(seed).permutation(n)[n // 5 :] for seed in seeds]
    return [fit(Chinchilla(), pick(data, np.sort(rows))).params for rows in kept]


def ratio_resamples(boot: Bootstrap, C: float) -> Resamples:
    """Return D*/N* at C of a fitted surface, and in each of its resamples."""
    law, result = Chinchilla(), boot.result
    drawn = boot.samples[boot.converged].tolist()
    rows = [dict(zip(law.parameters, row, strict=True)) for row in drawn]
    ratios = np.array([float(law.optimum(row, C)["D/N"]) for row in rows])
    ours = float(law.optimum(result.params, C)["D/N"])
    return Resamples("bootstrap", ours, result.n, ratios)


def next_budget_errors(data: Columns) -> list[tuple[float, float, float]]:
    """Return per budget from the fifth on: C, and its best D predicted from those below.

    As shares of the vertex of that budget's own parabola, less one: by Approach 2, and
    by the surface fitted with squares.
    """
    line, rows = isoflop(data, on="D"), []
    for C, vertex in list(zip(line.budgets, line.vertices, strict=True))[4:]:
        below = pick(data, data["C"] < C)
        params = fit(Chinchilla(), below, loss="mse").params
        found = isoflop(below, on="D").predict(C), Chinchilla().optimum(params, C)["D"]
        rows.append((float(C), *(float(D / vertex - 1) for D in found)))
    return rows
