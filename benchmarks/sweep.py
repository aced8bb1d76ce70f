"""What a sweep adds to its configs, and what a batched ensemble saves; with limits.

    python benchmarks/sweep.py --json

overhead_ms: wall milliseconds per config that does nothing, one worker process.
open_s: CPU seconds to read a finished sweep of 10^5 rows as a table.
over_ideal: wall time of 10^4 configs of 5 ms over two processes, over half the sum of
what the configs took. The work is a sleep, so that a busy processor is no worker's fault.
ms_per_model: CPU milliseconds per step and model of toys of superposition trained as one
tensor, n = 100, m = 10, batch 256; 1 to 256 models.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from timing import fastest
from tiny import square

from scaling_core.models.superposition import ToyConfig, ToyEnsemble
from scaling_core.training.ensemble import Adam
from scaling_core.training.store import config_key, connect, store_outcome
from scaling_core.training.sweep import identify, run_sweep

SIZES = (1, 4, 16, 64, 256)
TINY_SECONDS = 0.005


def overhead_ms(folder: Path, configs: int) -> float:
    """Time configs that do nothing, the start of the worker among it."""
    grid = [{"x": x} for x in range(configs)]
    start = time.perf_counter()
    run_sweep(square, grid, store=folder / "nothing.sqlite", jobs=1)
    return (time.perf_counter() - start) / configs * 1e3


def open_s(folder: Path, configs: int) -> float:
    """Time the reading of a finished sweep; its rows are written without running it."""
    store = folder / "finished.sqlite"
    grid = [{"x": x, "law": "power", "seed": x % 7, "lr": 0.01} for x in range(configs)]
    run_sweep(square, grid, store=store, deadline=0.0)
    fn_id, result = identify(square), {"status": "done", "seconds": 0.1}
    with connect(store) as db:
        db.execute("BEGIN")
        for config in grid:
            key = config_key(fn_id, json.dumps(config, sort_keys=True))
            values = json.dumps({"y": config["x"] ** 2, "loss": config["x"] / 7})
            store_outcome(db, key, result | {"result": values})
        db.execute("COMMIT")

    def read():
        frame = run_sweep(square, grid, store=store)
        assert len(frame) == configs and (frame.status == "done").all()

    return fastest({"read": read}, rounds=5)["read"]


def over_ideal(folder: Path, configs: int) -> float:
    """Compare the wall time of two processes with half of what the configs took."""
    grid = [{"x": x, "seconds": TINY_SECONDS} for x in range(configs)]
    start = time.perf_counter()
    frame = run_sweep(square, grid, store=folder / "tiny.sqlite", jobs=2)
    return (time.perf_counter() - start) / (frame.seconds.sum() / 2)


def ms_per_model(models: int, rounds: int) -> float:
    """Time whole steps (sampling, gradient, decay, Adam) of an ensemble."""
    toys = ToyEnsemble(ToyConfig(n=100, m=10, seeds=tuple(range(models))), batch=256)
    adam = Adam(toys.parameters)
    steps = max(1, 64 // models)

    def train():
        for step in range(steps):
            gradient = toys.gradient(toys.data.batch_at(step))
            toys.decay_(1e-3)
            adam.step(gradient, 1e-3)

    train()
    return fastest({"train": train}, rounds)["train"] / steps / models * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--share", type=float, default=1.0, help="of the configs")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tasks = [  # with configs and limit
        (overhead_ms, 2000, 5.0),
        (open_s, 100_000, 1.0),
        (over_ideal, 10_000, 1.3),
    ]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for task, configs, limit in tasks:
            count = max(2, int(configs * options.share))
            measured = round(task(Path(folder), count), 3)
            row = dict(what=task.__name__, configs=count, measured=measured)
            rows.append(row | dict(limit=limit))
    for models in SIZES:
        cost = round(ms_per_model(models, rounds=5), 3)
        rows.append(dict(what="ms_per_model", models=models, measured=cost))
    if options.json:
        print(json.dumps({"benchmark": "sweep", "rows": rows}, indent=1))
        return
    for row in rows:
        size = row.get("configs", row.get("models"))
        limit = f"  limit {row['limit']}" if "limit" in row else ""
        print(f"{row['what']:>12} {size:>7} {row['measured']:9.3f}{limit}")


if __name__ == "__main__":
    main()
