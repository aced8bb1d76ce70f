"""Run a function over a list of configs, once each, surviving kills.

The store is one SQLite file; it brings locking and crash safety. A config's primary
key is the hash of the function's code and of the config, so a finished config is
never run twice and a changed function never meets old results. Several processes,
or several calls, on one store share the work.
"""

import contextlib
import hashlib
import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from scaling_core.base.codehash import PACKAGES, module_hash, source_hash
from scaling_core.base.progress import progress
from scaling_core.training.store import (
    CLAIM,
    connect,
    count_open,
    enqueue,
    frame,
    heartbeat,
    new_owner,
    release_dead,
    store_outcome,
)

POLL_SECONDS = 0.2
MAX_DEATHS = 10
RESERVED = {"status", "seconds", "error"}


class SweepError(ValueError):
    """A sweep was called with something it cannot run; the message says what."""


def run_sweep(
    fn: Callable[..., dict],
    grid: Sequence[dict],
    *,
    store: str | Path,
    jobs: int = 1,
    backend: Literal["local", "ray"] = "local",
    retry_failed: bool = False,
    deadline: float | None = None,
) -> pd.DataFrame:
    """Return one row per config: its keys, ``fn(**config)``, status and seconds.

    Parameters
    ----------
    fn
        A function of an importable module that returns a dict of numbers, strings
        or lists.
    grid
        Configs with JSON values; equal configs are run once.
    store
        SQLite file, made if missing.
    jobs
        Processes side by side, one thread each; 1 runs in this process.
    backend
        ``ray`` runs the configs on a Ray cluster, for more than one machine.
    retry_failed
        Run again what failed before; otherwise a failure is a row with its error.
    deadline
        ``time.monotonic()`` after which no config is started; those left have the
        status ``pending``.

    Raises
    ------
    SweepError
        For a function that worker processes cannot import, or a config that is not
        a dict of JSON values.

    Examples
    --------
    >>> import tempfile
    >>> from scaling_core.training.schedules import warmup_cosine
    >>> grid = [dict(step=s, total=10, warmup=2) for s in (0, 5)]
    >>> run_sweep(len, grid, store=tempfile.mktemp())
    Traceback (most recent call last):
    scaling_core.training.sweep.SweepError: builtins.len has no source to hash; a \
sweep runs a function written in a module of the package
    """
    name, code = name_and_code(fn)
    configs = [_canonical(config, i) for i, config in enumerate(grid)]
    keys = [_key(name, code, config) for config in configs]
    fn_id = f"{name}@{code}"
    store = Path(store)
    store.parent.mkdir(parents=True, exist_ok=True)
    with connect(store) as db:
        enqueue(db, fn_id, dict(zip(keys, configs, strict=True)), retry_failed)
    if backend == "ray":
        _run_ray(fn, store, fn_id, set(keys), deadline)
    elif backend != "local":
        raise SweepError(f"unknown backend {backend!r}; allowed: 'local', 'ray'")
    elif jobs == 1:
        _run_here(fn, store, fn_id, keys, deadline)
    else:
        _run_workers(store, fn_id, keys, jobs, deadline)
    with connect(store) as db:
        return frame(db, keys, configs)


def name_and_code(fn: Callable) -> tuple[str, str]:
    """Return a function's ``module:name`` and the hash of the code it depends on.

    Raises
    ------
    SweepError
        If a fresh process could not import it: lambdas, closures, and functions
        defined in a notebook or script.
    """
    module, name = getattr(fn, "__module__", None), getattr(fn, "__qualname__", "?")
    if module in (None, "__main__") or "<" in name or "." in name:
        raise SweepError(
            f"{module}.{name} lives in a notebook, script or closure, where worker "
            "processes cannot import it; move it to a module of the package"
        )
    if module.split(".")[0] in PACKAGES:
        return f"{module}:{name}", module_hash(module)
    file = getattr(sys.modules[module], "__file__", None)
    if file is None:
        raise SweepError(
            f"{module}.{name} has no source to hash; a sweep runs a function written "
            "in a module of the package"
        )
    source = Path(file).read_text()
    digest = hashlib.sha256((source + source_hash(source)).encode()).hexdigest()
    return f"{module}:{name}", digest


def _canonical(config: dict, position: int) -> str:
    try:
        if not isinstance(config, dict):
            raise TypeError(f"{type(config).__name__} is not a dict")
        return json.dumps(config, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SweepError(f"config {position} is not JSON: {error}") from error


def _key(name: str, code: str, config: str) -> str:
    return hashlib.sha256(f"{name}\0{code}\0{config}".encode()).hexdigest()


def work(
    fn: Callable, store: Path, fn_id: str, should_stop: Callable[[], bool]
) -> Iterator[str]:
    """Claim, run and store configs until none is pending; yield each key done."""
    owner = new_owner()
    with connect(store) as db, heartbeat(store, owner):
        while not should_stop():
            row = db.execute(CLAIM, (owner, time.time(), fn_id)).fetchone()
            if row is None:
                return
            key, config = row
            outcome = call(fn, json.loads(config))
            store_outcome(db, key, outcome)
            yield key


def call(fn: Callable, config: dict) -> dict:
    """Run one config; return status, result or error, and seconds."""
    start = time.perf_counter()
    try:
        result = fn(**config)
        clash = set(result) & (set(config) | RESERVED)
        if clash:
            raise SweepError(f"result keys {sorted(clash)} repeat config keys")
        outcome = {"status": "done", "result": json.dumps(result, default=_to_json)}
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        message = f"{type(error).__name__}: {error} ({place})"
        outcome = {"status": "failed", "error": message}
    return outcome | {"seconds": time.perf_counter() - start}


def _to_json(value):
    if isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(
        f"{type(value).__name__} in a result; allowed: numbers, text, lists"
    )


def _passed(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline


def _run_here(fn, store, fn_id, keys, deadline) -> None:
    """Work in this process, then wait for what other processes have claimed."""
    with _progress(store, keys) as update:
        while True:
            for _ in work(fn, store, fn_id, lambda: _passed(deadline)):
                update()
            if update() == 0 or _passed(deadline):
                return
            time.sleep(POLL_SECONDS)
            with connect(store) as db:
                release_dead(db)


def _run_workers(store, fn_id, keys, jobs, deadline) -> None:
    """Let ``jobs`` worker processes share the store; replace those that die."""
    wanted = set(keys)
    with connect(store) as db:
        jobs = min(jobs, max(1, count_open(db, wanted)))
    start = [sys.executable, "-m", "scaling_core.training.sweep", str(store), fn_id]
    if deadline is not None:
        start.append(str(deadline - time.monotonic()))
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": _python_path()}
    workers: list[subprocess.Popen] = []
    died = 0
    try:
        with _progress(store, keys) as update:
            while (left := update()) and not _passed(deadline):
                died += sum(w.poll() not in (None, 0) for w in workers)
                if died > MAX_DEATHS * jobs:
                    raise SweepError(f"worker processes keep dying, {died} so far")
                workers = [w for w in workers if w.poll() is None]
                with connect(store) as db:
                    release_dead(db)
                while len(workers) < min(jobs, left):
                    workers.append(subprocess.Popen(start, env=environment))
                time.sleep(POLL_SECONDS)
        for worker in workers:
            worker.wait()
    finally:
        for worker in workers:
            worker.terminate()


def _python_path() -> str:
    """Return a search path on which workers find what this process finds."""
    return os.pathsep.join(p for p in sys.path if p)


@contextlib.contextmanager
def _progress(store: Path, keys: list[str]):
    """Give a function that refreshes a bar (with time left) and counts what is open."""
    wanted = set(keys)
    with connect(store) as db:
        already = len(wanted) - count_open(db, wanted)
        with progress(total=len(wanted), desc="sweep") as bar:
            bar.update(already)

            def update() -> int:
                left = count_open(db, wanted)
                bar.update(len(wanted) - left - bar.n)
                return left

            yield update


def _run_ray(fn, store, fn_id, keys, deadline) -> None:
    """Run the pending configs as Ray tasks; the driver alone writes the store."""
    import ray

    task = ray.remote(max_retries=3)(call)
    with connect(store) as db, _progress(store, list(keys)) as update:
        rows = db.execute(
            "SELECT key, config FROM runs WHERE fn = ? AND status = 'pending'", (fn_id,)
        )
        todo = {
            task.remote(fn, json.loads(config)): key
            for key, config in rows.fetchall()
            if key in keys
        }
        while todo and not _passed(deadline):
            ready, _ = ray.wait(list(todo), timeout=1.0)
            for reference in ready:
                store_outcome(db, todo.pop(reference), ray.get(reference))
            update()
        for reference in todo:
            ray.cancel(reference)


def main(store: str, fn_id: str, seconds_left: str = "inf") -> None:
    """Be a worker: share the store until nothing is pending or the parent is gone."""
    parent, end = os.getppid(), time.monotonic() + float(seconds_left)
    name = fn_id.split("@")[0]
    module, function = name.split(":")
    fn = getattr(importlib.import_module(module), function)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    found = "{}@{}".format(*name_and_code(fn))
    if found != fn_id:
        raise SweepError(f"{name} changed while the sweep ran; start it again")

    def should_stop() -> bool:
        return os.getppid() != parent or time.monotonic() >= end

    for _ in work(fn, Path(store), fn_id, should_stop):
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
