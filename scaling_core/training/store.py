"""The SQLite file behind a sweep: claims, heartbeats, results.

A row is ``pending``, ``running`` (with its owner and a heartbeat), ``done`` or
``failed``. Rows whose owner died go back to pending, at most three times.
"""

import contextlib
import json
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

HEARTBEAT_SECONDS = 5.0
DEAD_AFTER_SECONDS = 60.0
MAX_ATTEMPTS = 3

SCHEMA = """CREATE TABLE IF NOT EXISTS runs (
    key TEXT PRIMARY KEY, fn TEXT NOT NULL, config TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending', result TEXT, error TEXT, seconds REAL,
    owner TEXT, heartbeat REAL, attempts INTEGER NOT NULL DEFAULT 0)"""
CLAIM = """UPDATE runs SET status = 'running', owner = ?, heartbeat = ?,
    attempts = attempts + 1 WHERE key = (
    SELECT key FROM runs WHERE fn = ? AND status = 'pending' LIMIT 1)
    RETURNING key, config"""


@contextlib.contextmanager
def connect(store: Path) -> Iterator[sqlite3.Connection]:
    """Open the store for a few statements; writers wait for each other."""
    db = sqlite3.connect(store, timeout=60, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(SCHEMA)
        yield db
    finally:
        db.close()


def enqueue(db, fn_id: str, configs: dict[str, str], retry_failed: bool) -> None:
    """Add what is new, and free what a dead process had claimed."""
    db.execute("BEGIN IMMEDIATE")
    rows = [(key, fn_id, config) for key, config in configs.items()]
    db.executemany("INSERT OR IGNORE INTO runs (key, fn, config) VALUES (?,?,?)", rows)
    if retry_failed:
        again = (
            "UPDATE runs SET status = 'pending', attempts = 0 "
            "WHERE key = ? AND status = 'failed'"
        )
        db.executemany(again, [(key,) for key in configs])
    db.execute("COMMIT")
    release_dead(db)


def release_dead(db: sqlite3.Connection) -> None:
    """Put back to pending what processes that no longer live were running.

    A config whose process died three times (out of memory, say) has failed.
    """
    running = db.execute(
        "SELECT DISTINCT owner, heartbeat FROM runs WHERE status = 'running'"
    ).fetchall()
    for owner, beat in running:
        if not _alive(owner, beat):
            db.execute(
                "UPDATE runs SET error = 'its process died ' || attempts || ' times', "
                "status = CASE WHEN attempts < ? THEN 'pending' ELSE 'failed' END "
                "WHERE status = 'running' AND owner = ? AND heartbeat = ?",
                (MAX_ATTEMPTS, owner, beat),
            )


def new_owner() -> str:
    """Return a name for this process that says where it lives."""
    return f"{socket.gethostname()}:{os.getpid()}:{time.time_ns()}"


def _alive(owner: str, beat: float) -> bool:
    host, pid, _ = owner.rsplit(":", 2)
    if host == socket.gethostname() and not _process_exists(int(pid)):
        return False
    return time.time() - beat < DEAD_AFTER_SECONDS


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def heartbeat(store: Path, owner: str):
    """Keep this owner's claims fresh from a thread while configs run."""
    done = threading.Event()

    def beat():
        while not done.wait(HEARTBEAT_SECONDS):
            with connect(store) as db:
                db.execute(
                    "UPDATE runs SET heartbeat = ? "
                    "WHERE owner = ? AND status = 'running'",
                    (time.time(), owner),
                )

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def store_outcome(db: sqlite3.Connection, key: str, outcome: dict) -> None:
    db.execute(
        "UPDATE runs SET status = ?, result = ?, error = ?, seconds = ? WHERE key = ?",
        (
            outcome["status"],
            outcome.get("result"),
            outcome.get("error"),
            outcome["seconds"],
            key,
        ),
    )


def count_open(db: sqlite3.Connection, keys: set[str]) -> int:
    """Return how many of ``keys`` are pending or running."""
    rows = db.execute("SELECT key FROM runs WHERE status IN ('pending', 'running')")
    return len(keys & {key for (key,) in rows})


def frame(db, keys: list[str], configs: list[str]) -> pd.DataFrame:
    columns = "key, status, result, error, seconds"
    stored = {row[0]: row[1:] for row in db.execute(f"SELECT {columns} FROM runs")}
    rows = []
    for key, config in zip(keys, configs, strict=True):
        status, result, error, seconds = stored[key]
        row = json.loads(config) | (json.loads(result) if result else {})
        rows.append(row | {"status": status, "error": error, "seconds": seconds})
    return pd.DataFrame(rows)
