"""The SQLite file behind a sweep: claims, heartbeats, results.

A row is ``pending``, ``running`` (with its owner, a sweep, and a heartbeat), ``done``
or ``failed``. Rows whose owner is gone go back to pending as if never started; a
config whose own process died three times has failed.
"""

import contextlib
import hashlib
import json
import os
import random
import re
import socket
import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from scaling_core.base.errors import ForeseenError

HEARTBEAT_SECONDS = 5.0
DEAD_AFTER_SECONDS = 60.0
BUSY_SECONDS = 60.0
MAX_ATTEMPTS = 3
LEAST_ROW_BYTES = 128  # two hashes
TEXT_OR_WHOLE = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+\.0(?=[,\]}])')  # in JSON
MAYBE_WHOLE = re.compile(r"\.0[,\]}]")  # found in a tenth of the time
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL)

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS runs (
    key TEXT PRIMARY KEY, fn TEXT NOT NULL, config TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending', result TEXT, error TEXT, seconds REAL,
    owner TEXT, heartbeat REAL, attempts INTEGER NOT NULL DEFAULT 0)""",
    """CREATE INDEX IF NOT EXISTS unfinished ON runs (status)
    WHERE status IN ('pending', 'running')""",
)
CLAIM = """UPDATE runs SET status = 'running', owner = ?, heartbeat = ?,
    attempts = attempts + 1 WHERE key = ? AND status = 'pending' RETURNING config"""
RELEASE = """UPDATE runs SET status = 'pending', attempts = attempts - 1
    WHERE status = 'running' AND owner = ?"""
SWEEPING: set[str] = set()  # the owners that are at work in this process


class StoreError(ForeseenError):
    """A file is no store, or a damaged one; the message says what to do."""


def config_key(fn_id: str, config: str) -> str:
    """Return the primary key of a config, given as sorted JSON.

    Numbers equal in value are one config (1 and 1.0), true and false are their own.

    >>> config_key("f", '{"x": 1.0}') == config_key("f", '{"x": 1}')
    True
    """
    whole = MAYBE_WHOLE.search(config)
    plain = TEXT_OR_WHOLE.sub(_plain, config) if whole else config
    return hashlib.sha256(f"{fn_id}\0{plain}".encode()).hexdigest()


def _plain(match: re.Match) -> str:
    """Write a float that is a whole number as an integer; leave text alone."""
    return match[0] if match[0].startswith('"') else str(int(float(match[0])))


@contextlib.contextmanager
def connect(store: Path) -> Iterator[sqlite3.Connection]:
    """Open the store, made if missing; writers wait for each other.

    Raises
    ------
    StoreError
        If the file is no store, or damaged: what can be read is kept in a new one.
    """
    db = sqlite3.connect(store, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        _prepare(db)
        yield db
    except sqlite3.DatabaseError as error:
        code = _code(error)
        if code == sqlite3.SQLITE_NOTADB:
            raise StoreError(
                f"{store} is no sweep store, or its head is damaged ({error}); "
                "name another file, or move this one away"
            ) from error
        if code == sqlite3.SQLITE_CORRUPT:
            db.close()
            raise StoreError(_salvage(store, error)) from error
        raise
    finally:
        db.close()


def _code(error: sqlite3.DatabaseError) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _prepare(db: sqlite3.Connection) -> None:
    """Set up the file, which others may be doing at this moment.

    A change of journal mode, and the clean-up when a last connection closes, answer
    "locked" at once, whatever the timeout: so they are tried again.
    """
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            if db.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")  # survives kills, saves fsyncs
            for statement in SCHEMA:
                db.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if _code(error) not in BUSY or time.monotonic() > end:
                raise
            time.sleep(random.uniform(0.001, 0.02))


def _salvage(store: Path, error: sqlite3.DatabaseError) -> str:
    """Move a damaged store aside, keep its readable rows, and say so."""
    rows = list(_readable(store))
    stamp = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    fresh = store.with_name(f"{store.name}.salvaged-{stamp}")
    with connect(fresh) as db:
        marks = ", ".join("?" * 10)
        db.execute("BEGIN")
        db.executemany(f"INSERT OR IGNORE INTO runs VALUES ({marks})", rows)
        db.execute("COMMIT")
    damaged = store.with_name(f"{store.name}.damaged-{stamp}")
    for end in ("-wal", "-shm", ""):
        if (part := Path(f"{store}{end}")).exists():
            part.rename(f"{damaged}{end}")
    fresh.rename(store)
    return (
        f"{store} was damaged ({error}): its {len(rows)} readable results are kept in "
        f"a new file of that name, the old one is now {damaged}; start the sweep again"
    )


def _readable(store: Path) -> Iterator[tuple]:
    """Yield the finished rows that a damaged store still gives, one by one."""
    with contextlib.closing(sqlite3.connect(store)) as db:
        for rowid in range(1, store.stat().st_size // LEAST_ROW_BYTES + 2):
            try:
                query = "SELECT * FROM runs WHERE rowid = ?"
                row = db.execute(query, (rowid,)).fetchone()
                if (
                    row
                    and row[3] in ("done", "failed")
                    and row[0] == config_key(*row[1:3])
                ):
                    json.loads(row[4] or "{}")
                    yield row
            except (sqlite3.DatabaseError, ValueError):
                continue  # this row is lost, the next may not be


def enqueue(
    db: sqlite3.Connection, fn_id: str, configs: dict[str, str], retry_failed: bool
) -> None:
    """Add what is new; with ``retry_failed``, put back to pending what failed."""
    stored = dict(db.execute("SELECT key, status FROM runs"))
    new = [(key, fn_id, config) for key, config in configs.items() if key not in stored]
    failed = [(key,) for key in configs if stored.get(key) == "failed"]
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT OR IGNORE INTO runs (key, fn, config) VALUES (?,?,?)", new)
    if retry_failed:
        again = (
            "UPDATE runs SET status = 'pending', attempts = 0, error = NULL "
            "WHERE key = ? AND status = 'failed'"
        )
        db.executemany(again, failed)
    db.execute("COMMIT")


@contextlib.contextmanager
def ownership(db: sqlite3.Connection) -> Iterator[str]:
    """Give a name to claim under; what is still claimed at the end is released.

    So an interrupt is no death: its configs are pending again.
    """
    owner = f"{socket.gethostname()}:{os.getpid()}:{time.time_ns()}"
    SWEEPING.add(owner)
    try:
        yield owner
    finally:
        SWEEPING.discard(owner)
        db.execute(RELEASE, (owner,))


def read(db: sqlite3.Connection) -> dict[str, tuple]:
    """Return (key, status, result, error, seconds) of every row, by key."""
    query = "SELECT key, status, result, error, seconds FROM runs"
    return {row[0]: row for row in db.execute(query)}


def claim(
    db: sqlite3.Connection, owner: str, keys: deque[str]
) -> tuple[str, str] | None:
    """Take the first of ``keys`` that is pending; return key and config, or None."""
    while keys:
        key = keys.popleft()
        row = db.execute(CLAIM, (owner, time.time(), key)).fetchone()
        if row is not None:
            return key, row[0]
    return None


def beat(db: sqlite3.Connection, owner: str) -> None:
    """Keep this owner's claims fresh."""
    db.execute(
        "UPDATE runs SET heartbeat = ? WHERE owner = ? AND status = 'running'",
        (time.time(), owner),
    )


def release_dead(db: sqlite3.Connection) -> None:
    """Put back to pending what sweeps that are gone had claimed."""
    running = "SELECT DISTINCT owner, heartbeat FROM runs WHERE status = 'running'"
    for owner, last in db.execute(running).fetchall():
        if not _alive(owner, last):
            db.execute(f"{RELEASE} AND heartbeat = ?", (owner, last))


def _alive(owner: str, last_beat: float) -> bool:
    host, pid, _ = owner.rsplit(":", 2)
    if host == socket.gethostname():
        if int(pid) == os.getpid():
            return owner in SWEEPING
        if not _process_exists(int(pid)):
            return False
    return time.time() - last_beat < DEAD_AFTER_SECONDS


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def store_outcome(db: sqlite3.Connection, key: str, outcome: dict | None) -> None:
    """Write what became of a config; None: its process died."""
    if outcome is None:
        db.execute(
            "UPDATE runs SET error = 'its process died ' || attempts || ' times', "
            "status = CASE WHEN attempts < ? THEN 'pending' ELSE 'failed' END "
            "WHERE key = ?",
            (MAX_ATTEMPTS, key),
        )
        return
    db.execute(
        "UPDATE runs SET status = ?, result = ?, error = ?, seconds = ? WHERE key = ?",
        (*(outcome.get(k) for k in ("status", "result", "error", "seconds")), key),
    )


def unfinished(db: sqlite3.Connection, keys: set[str]) -> dict[str, str]:
    """Return the status of those of ``keys`` that are pending or running."""
    rows = db.execute(
        "SELECT key, status FROM runs WHERE status IN ('pending', 'running')"
    )
    return {key: status for key, status in rows if key in keys}
