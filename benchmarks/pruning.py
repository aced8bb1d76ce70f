"""Cost of pruning, theory, simulation and digits, against named peers.

    python benchmarks/pruning.py --json

CPU seconds, one thread. Simulation: 59 cells at 200 weights, 20 seeds; ours and peers are
timed at few seeds (``timed``: ours all cells, peers a few) and scaled. Theory: the
table of 7 shares times 8 sizes at a perfect ranking, caches cleared; the peer starts a
plain root finder cold, and ``wrong`` counts errors that are off by 1e-3 or not found.
Digits: 78 networks of 196-64-10 at batch 64, 1200 steps, 10 seeds; ours is timed on all
78, the loops over networks on a few, both over fewer steps after a warm-up, and scaled.
"""

import argparse
import json
import os
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from scipy.optimize import lsq_linear, root
from sklearn.svm import LinearSVC

from scaling_core.data.images import digits
from scaling_core.models.mlp import MLPConfig, MLPEnsemble
from scaling_core.training.batched import plain_adam, train_batched
from studies.pruning.digits import BATCH
from studies.pruning.frontier import theory_grid
from studies.pruning.margin import by_least_squares, hard_margin
from studies.pruning.replica import _averages, _Perfect, solve
from studies.pruning.rules import Cell
from studies.pruning.simulate import angle_error, kept_examples

N, SEEDS = 200, 20
PEER_CELLS = (2, 4, 21, 40)  # of the 59: what slow peers are timed on
SHARES = (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.02)
KEPT = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0)
NETS, STEPS, TIMED_STEPS, TIMED_NETS = 78, 1200, 150, 4


def cpu_seconds(call) -> tuple[float, object]:
    """Return CPU seconds of one call, and its result."""
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def by_bounded_least_squares(A: np.ndarray) -> np.ndarray:
    """Solve the same problem of least distance by scipy's lsq_linear (BVLS)."""
    E, f = np.vstack([A.T, np.ones(len(A))]), np.append(np.zeros(A.shape[1]), 1.0)
    rest = E @ lsq_linear(E, f, (0, np.inf), method="bvls").x - f
    return -rest[:-1] / rest[-1]


def by_liblinear(A: np.ndarray) -> np.ndarray:
    """Approach the largest margin by scikit-learn's LinearSVC with a large C."""
    machine = LinearSVC(
        C=1e4, loss="hinge", fit_intercept=False, tol=1e-4, max_iter=20_000
    )
    y = np.where(np.arange(len(A)) % 2, 1, -1)  # liblinear wants two classes
    return machine.fit(A * y[:, None], y).coef_[0]


def simulation_rows(seeds: int) -> list[dict]:
    """Time ours on all cells, peers on a few, each over some seeds; scale to all."""
    rows, cells = [], theory_grid()
    few = [cells[i] for i in PEER_CELLS]
    solvers = {
        "ours": (hard_margin, cells),
        "scipy nnls": (by_least_squares, cells),
        "ours, the peers' cells": (hard_margin, few),
        "scipy lsq_linear": (by_bounded_least_squares, few),
        "scikit-learn LinearSVC": (by_liblinear, few),
    }
    exact: dict = {}
    for name, (solver, its_cells) in solvers.items():
        seconds, off = 0.0, 0.0
        for cell in its_cells:
            for seed in range(seeds):
                rng = np.random.default_rng(seed)
                drawn, A = cpu_seconds(lambda: kept_examples(cell, N, rng=rng))
                spent, w = cpu_seconds(lambda: solver(A))
                seconds += drawn + spent
                error = angle_error(w)
                off = max(off, abs(error - exact.setdefault((cell, seed), error)))
        row = dict(simulation=name, timed=len(its_cells) * seeds)
        row |= dict(seconds=seconds, per_20_seeds=seconds * SEEDS / seeds)
        rows.append(row | dict(largest_difference=off))
    return rows


def cold_error(cell: Cell) -> float:
    """Return the error by a plain root finder on the same equations, from R = 0.5."""
    problem = _Perfect(cell)

    def gaps(x):
        p, k = x
        mean = _averages(p, 0.0, k, *problem.nodes(p if p else 1e-9, 0.0, k))
        left = p * (1 - cell.kept * mean["P"]) - cell.kept * mean["hu"]
        return [cell.kept * mean["hh"] - 1, left]

    found = root(gaps, [0.58, 0.5])
    return np.arctan2(1, found.x[0]) / np.pi if found.success else np.nan


def theory_rows() -> list[dict]:
    """Time the table by our nested search and by a cold root finder."""
    cells = [Cell.of_kept(kept, share) for share in SHARES for kept in KEPT]
    solve.cache_clear()
    ours, errors = cpu_seconds(lambda: np.array([solve(c).error for c in cells]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer, cold = cpu_seconds(lambda: np.array([cold_error(c) for c in cells]))
    wrong = int((~(np.abs(cold - errors) < 1e-3)).sum())
    return [
        dict(theory="ours (nested search)", seconds=ours, cells=len(cells), wrong=0),
        dict(theory="scipy root, cold", seconds=peer, cells=len(cells), wrong=wrong),
    ]


def train_one(x, y, rows, *, steps: int, fused: bool | None) -> None:
    """Train one network the plain way: a module, autograd, AdamW and a schedule."""
    net = torch.nn.Sequential(
        torch.nn.Linear(196, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)
    )
    adam = torch.optim.AdamW(net.parameters(), lr=3e-3, fused=fused)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    order = torch.empty(0, dtype=torch.long)
    for _ in range(steps):
        while len(order) < BATCH:
            order = torch.cat([order, rows[torch.randperm(len(rows))]])
        now, order = order[:BATCH], order[BATCH:]
        adam.zero_grad()
        torch.nn.functional.cross_entropy(net(x[now]), y[now]).backward()
        adam.step()
        schedule.step()


def digit_rows(rounds: int = 3) -> list[dict]:
    """Time training of pruned pools: all at once, and by loops over networks."""
    torch.set_num_threads(1)
    data = digits().shrink(2)
    x, y = torch.tensor(data.flat), torch.tensor(data.y)
    kept = [100 + 50 * (i % 64) for i in range(NETS)]
    lists = [np.random.default_rng(i).permutation(4000)[:n] for i, n in enumerate(kept)]

    def ours(steps):
        setting = dict(batch=BATCH, seeds=range(NETS))
        model = MLPEnsemble(MLPConfig((196, 64, 10)), x, y, lists, **setting)
        train_batched(model, plain_adam(steps))

    def loop(fused):
        few = [torch.tensor(lists[i]) for i in range(9, NETS, 20)]
        return lambda steps: [
            train_one(x, y, rows, steps=steps, fused=fused) for rows in few
        ]

    calls = {
        "ours": (ours, NETS),
        "loop, AdamW as it comes": (loop(None), TIMED_NETS),
        "loop, fused AdamW": (loop(True), TIMED_NETS),
    }
    table = []
    for name, (call, nets) in calls.items():
        call(2)
        times = [cpu_seconds(lambda: call(TIMED_STEPS))[0] for _ in range(rounds)]
        each = min(times) / nets / TIMED_STEPS
        row = dict(digits=name, networks_timed=nets, us_per_step=each * 1e6)
        table.append(row | dict(seconds_10_seeds=each * NETS * STEPS * 10))
    for row in table:
        row["times_ours"] = row["us_per_step"] / table[0]["us_per_step"]
    return table


def show(rows: list[dict]) -> None:
    """Print rows as a table."""
    print("  ".join(f"{name:>18}" for name in rows[0]))
    for row in rows:
        cells = (f"{x:.3g}" if isinstance(x, float) else str(x) for x in row.values())
        print("  ".join(f"{cell:>18}" for cell in cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--seeds", type=int, default=2, help="seeds that are timed")
    options = parser.parse_args()
    tables = {"theory": theory_rows(), "simulation": simulation_rows(options.seeds)}
    tables |= {"digits": digit_rows()}
    if options.json:
        print(json.dumps({"benchmark": "pruning", **tables}, indent=1))
        return
    for rows in tables.values():
        show(rows)


if __name__ == "__main__":
    main()
