"""How often each fault is tried, in `make test` and in `make test-full`; how to die.

The table of the README is made of the counts (`python -m tests.faults` prints it), and a
test holds the two together.
"""

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

TRACEBACK = 99  # the exit code of what a user would see as one
KILLED = -signal.SIGKILL
WRITES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod")
HEAD = "| fault | tried in `make test` | in `make test-full` | and then |\n|---|---|---|---|\n"
COUNTS: dict[str, tuple[int, int, str]] = {
    "a sweep is killed (`kill -9`)": (
        1,
        20,
        "the next call goes on: each config is stored once",
    ),
    "a node of a Ray cluster is killed in mid-sweep": (
        0,
        1,
        "its configs run elsewhere, each is stored once: the local table (20 s, 0.9 GB)",
    ),
    "`scaling run` is killed": (0, 10, "the earlier run stands, or the new one whole"),
    "a run is killed while it publishes": (10, 60, "the same"),
    "`scaling accept` is killed": (
        10,
        60,
        "each file is old or new; again, all is new",
    ),
    "`scaling fetch` is killed": (10, 60, "no part of a file stands under its name"),
    "the disk is full, or a file too large": (10, 40, "one line; what was there stays"),
    "a folder may not be written": (1, 4, "one line; what was there stays"),
    "a file is damaged, or of another form": (50, 2000, "one line names it"),
    "a checkpoint is damaged": (
        20,
        400,
        "an error, but for single bits of its head; no code runs",
    ),
    "a file is hostile": (14, 14, "one line; nothing of it is run"),
    "readers get nonsense (fuzz)": (300, 110_000, "a result or one line"),
    "two `scaling run` at once": (0, 5, "the second waits, then finds all done"),
    "`scaling run` and `accept` at once": (1, 10, "the second waits"),
    "two `scaling fetch` at once": (3, 30, "one whole file"),
    "8 processes open one new store": (10, 200, "they share it"),
    "a chapter is run a second time, from nothing": (
        1,
        11,
        "each number is the same, bit for bit",
    ),
    "another processor, and two threads": (0, 11, "each verdict is the same"),
    "a lie is planted": (10, 10, "it is refused, or shown by name"),
}


def often(fault: str):
    """Mark a test with how often it tries a fault, as its argument ``times``."""
    few, full, _ = COUNTS[fault]
    if few == full:
        return pytest.mark.parametrize("times", [few], ids=str)
    runs = [few] if few else []
    runs.append(pytest.param(full, marks=pytest.mark.full))
    return pytest.mark.parametrize("times", runs, ids=str)


def table() -> str:
    """Return the table as it stands in the README."""
    rows = [
        f"| {fault} | {few or '–'} | {f'{full:,}'.replace(',', ' ')} | {then} |\n"
        for fault, (few, full, then) in COUNTS.items()
    ]
    return HEAD + "".join(rows)


def in_child(action: Callable[[], object]) -> int:
    """Do something in a forked process; return its exit code, minus a signal's number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads and fork
        child = os.fork()
    if child == 0:
        code = TRACEBACK
        try:
            code = getattr(action(), "code", 0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die_at(write: int, folder: Path) -> None:
    """Kill this process as it comes to its n-th write (from 0) under a folder."""
    seen = [0]

    def watch(event: str, arguments: tuple) -> None:
        if event not in WRITES or not str(arguments[0]).startswith(str(folder)):
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
            return
        if seen[0] == write:
            os.kill(os.getpid(), signal.SIGKILL)
        seen[0] += 1

    sys.addaudithook(watch)


def killed_at(write, folder, action) -> int:
    """Do something in a process that dies at its n-th write; return its exit code."""

    def doomed():
        die_at(write, folder)
        return action()

    return in_child(doomed)


if __name__ == "__main__":
    print(table())
