"""Run a function over a list of configs, once each, surviving kills.

The store is one SQLite file; it brings locking and crash safety. A config's primary
key is the hash of the function's code and of the config, so a finished config is
never run twice and a changed function never meets old results. Several processes,
or several calls, on one store share the work.

Configs always run in processes of their own, which import the code fresh from disk:
an edit after import, a reload or a changed global of the caller cannot mislead.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Pipe, wait
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Literal, Protocol

import pandas as pd

from scaling_core.base.codehash import module_hash
from scaling_core.base.errors import ForeseenError
from scaling_core.base.progress import progress
from scaling_core.training import store as rows
from scaling_core.training.cluster import RayTasks

POLL_SECONDS = 0.2
MAX_DEATHS = 10  # in a row, per worker
TO_JSON = json.JSONEncoder(sort_keys=True, allow_nan=False, check_circular=False).encode


class SweepError(ForeseenError):
    """A sweep was called with something it cannot run; the message says what."""


def run_sweep(
    fn: Callable[..., dict],
    grid: Sequence[dict],
    *,
    store: str | Path,
    jobs: int | None = None,
    backend: Literal["local", "ray"] | None = None,
    retry_failed: bool = False,
    deadline: float | None = None,
) -> pd.DataFrame:
    """Return one row per config: its keys, ``fn(**config)``, status and seconds.

    Parameters
    ----------
    fn
        A function of an importable module that returns a dict of numbers, strings
        or lists. It is run as it stands on disk.
    grid
        Configs with JSON values; equal configs (1 equals 1.0) are run once.
    store
        SQLite file, made if missing.
    jobs
        Processes side by side, one thread each. By default ``SCALING_SWEEP_JOBS``, then
        1.
    backend
        ``ray`` runs the configs on a Ray cluster (`RayTasks`), for more than one
        machine and configs of a minute or more. By default ``SCALING_BACKEND``, then
        ``local``.
    retry_failed
        Run again what failed before (or ``SCALING_RETRY_FAILED=1``); otherwise a
        failure is a row with its error.
    deadline
        ``time.monotonic()`` after which no config is started; those left have the
        status ``pending``.

    Raises
    ------
    SweepError
        For a function that worker processes cannot import, or a config that is not
        a dict of JSON values.
    ClusterError
        If there is no Ray, no such cluster, or no node with so many GPUs.
    StoreError
        If the file is no store, or damaged; the message says what was kept.

    Examples
    --------
    >>> import tempfile
    >>> from urllib.parse import parse_qs  # any function of a module will do
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     frame = run_sweep(parse_qs, [{"qs": "y=4"}], store=f"{folder}/runs.sqlite")
    >>> frame[["qs", "y", "status"]].values.tolist()
    [['y=4', ['4'], 'done']]
    """
    fn_id = identify(fn)
    configs = [_canonical(config, i) for i, config in enumerate(grid)]
    keys = [rows.config_key(fn_id, config) for config in configs]
    engine = backend or os.environ.get("SCALING_BACKEND", "local")
    if engine not in ("local", "ray"):
        raise SweepError(f"unknown backend {engine!r}; allowed: 'local', 'ray'")
    retry_failed = retry_failed or os.environ.get("SCALING_RETRY_FAILED") == "1"
    store = Path(store)
    store.parent.mkdir(parents=True, exist_ok=True)
    with rows.connect(store) as db:
        stored = rows.read(db)
        if retry_failed or not _finished(stored, keys):
            rows.enqueue(db, fn_id, dict(zip(keys, configs, strict=True)), retry_failed)
            if rows.unfinished(db, set(keys)):
                jobs = jobs or int(os.environ.get("SCALING_SWEEP_JOBS", "1"))
                crew = RayTasks(fn_id) if engine == "ray" else _Workers(fn_id, jobs)
                with rows.ownership(db) as owner, contextlib.closing(crew):
                    _share(db, owner, set(keys), crew, deadline)
            stored = rows.read(db)
    return frame(stored, keys, configs)


def identify(fn: Callable) -> str:
    """Return ``module:name@hash``: of the code on disk that a function depends on.

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
    found = getattr(sys.modules.get(module), name, None)
    if found is None or _written_in(found) != _written_in(fn):
        raise SweepError(f"{fn} is not what {module}.{name} holds; pass that function")
    try:
        return f"{module}:{name}@{module_hash(module)}"
    except ModuleNotFoundError as error:
        raise SweepError(
            f"{module}.{name} has no source to hash; a sweep runs a function written "
            "in a module of the package"
        ) from error


def _written_in(fn) -> str | None:
    code = getattr(fn, "__code__", None)
    return code and code.co_filename


def _canonical(config: dict, position: int) -> str:
    try:
        if not isinstance(config, dict):
            raise TypeError(f"{type(config).__name__} is not a dict")
        return TO_JSON(config)
    except (TypeError, ValueError, RecursionError) as error:
        raise SweepError(f"config {position} is not JSON: {error}") from error


def _finished(stored: dict[str, tuple], keys: list[str]) -> bool:
    ended = {key for key in stored if stored[key][1] in ("done", "failed")}
    return ended.issuperset(keys)


def frame(
    stored: dict[str, tuple], keys: list[str], configs: list[str]
) -> pd.DataFrame:
    """Return a row per config: its keys, the results, status, error and seconds."""
    found = [stored[key] for key in keys]
    table = _parse_all(configs)
    results = _parse_all([row[2] or "{}" for row in found])
    for row, result, (_, status, _, error, seconds) in zip(
        table, results, found, strict=True
    ):
        row.update(result, status=status, error=error, seconds=seconds)
    return pd.DataFrame(table)


def _parse_all(texts: list[str]) -> list[dict]:
    """Parse JSON texts in one go, which takes a third of the time."""
    return json.loads(f"[{','.join(texts)}]")


class _Crew(Protocol):
    """Who runs configs: started by key, collected as they end."""

    def has_room(self) -> bool: ...
    def start(self, key: str, config: str) -> None: ...
    def collect(self) -> Iterator[tuple[str, dict | None]]: ...
    def close(self) -> None: ...


def _share(
    db: Connection, owner: str, keys: set[str], crew: _Crew, deadline: float | None
) -> None:
    """Claim, run and store until no config is left; wait for those of other sweeps."""
    running: set[str] = set()
    todo: deque[str] = deque()
    look_at = 0.0
    with progress(total=len(keys), desc="sweep") as bar:
        while True:
            if time.monotonic() >= look_at or not (todo or running):
                look_at = time.monotonic() + rows.HEARTBEAT_SECONDS
                rows.beat(db, owner)
                rows.release_dead(db)
                left = rows.unfinished(db, keys)
                bar.update(len(keys) - len(left) - bar.n)
                todo = deque(key for key in left if left[key] == "pending")
                if not left:
                    return
            late = deadline is not None and time.monotonic() >= deadline
            while not late and crew.has_room() and (row := rows.claim(db, owner, todo)):
                running.add(row[0])
                crew.start(*row)
            if not running:
                if late:
                    return
                time.sleep(POLL_SECONDS)
            for key, outcome in crew.collect():
                if outcome and "refused" in outcome:
                    raise SweepError(outcome["refused"])
                rows.store_outcome(db, key, outcome)
                running.remove(key)
                bar.update(outcome is not None)


class _Workers:
    """Processes on this machine, one config at a time each."""

    def __init__(self, fn_id: str, jobs: int):
        module = "scaling_core.training.worker"
        self.command = [sys.executable, "-P", "-m", module, fn_id]
        path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
        self.environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}
        self.jobs, self.deaths = jobs, 0
        self.processes: dict[Any, subprocess.Popen] = {}  # by our end of a pipe
        self.busy: dict[Any, str] = {}

    def has_room(self) -> bool:
        return len(self.busy) < self.jobs

    def start(self, key: str, config: str) -> None:
        idle = next((line for line in self.processes if line not in self.busy), None)
        line = idle or self._launch()
        self.busy[line] = key
        with contextlib.suppress(BrokenPipeError):  # `collect` will see its end
            line.send(config)

    def _launch(self) -> Any:
        """Start a worker in a group of its own: a Ctrl-C is for its sweep alone."""
        ours, theirs = Pipe()
        with theirs:
            self.processes[ours] = subprocess.Popen(
                [*self.command, str(theirs.fileno())],
                env=self.environment,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        return ours

    def collect(self) -> Iterator[tuple[str, dict | None]]:
        """Yield what ended within a moment; None for a config whose process died."""
        ready = wait(list(self.busy), POLL_SECONDS)
        for line in [line for line in self.busy if line in ready]:
            key = self.busy.pop(line)
            try:
                outcome, self.deaths = line.recv(), 0
            except (EOFError, ConnectionResetError):
                outcome, self.deaths = None, self.deaths + 1
                self._end(line)
            if self.deaths > MAX_DEATHS * self.jobs:
                raise SweepError(f"{self.deaths} worker processes died in a row")
            yield key, outcome

    def _end(self, line) -> None:
        process = self.processes.pop(line)
        process.kill()
        process.wait()
        line.close()

    def close(self) -> None:
        for line in list(self.processes):
            self._end(line)
