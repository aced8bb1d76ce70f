"""What running chapters are doing, and how long they may still take.

A worker notes the cell it is at in a small file beside its notebook; sweeps stand in
their stores. On a terminal a line per chapter is drawn anew each second; elsewhere, as
in CI, a plain line per chapter is said each minute.
"""

import contextlib
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scaling_book.chapters import ChapterFile
from scaling_book.cost import Expected, expected, rows_of, stores
from scaling_core.base.files import write_atomic

DRAWN_EACH = 1.0  # seconds, on a terminal
SAID_EACH = 60.0  # elsewhere
ALIVE = 120.0  # a sweep that did not stir for longer is not running
SWEEP = """SELECT sum(status IN ('done', 'failed')), count(*),
    sum(status = 'running'), avg(seconds) FROM runs
    WHERE fn IN (SELECT fn FROM runs WHERE status = 'running' AND heartbeat > {since})
    GROUP BY fn"""
Say = Callable[[str], object]


class Watched(Protocol):
    """What the board asks of a job."""

    @property
    def root(self) -> Path: ...
    @property
    def chapter(self) -> ChapterFile: ...
    @property
    def profile(self) -> str: ...
    @property
    def work(self) -> Path: ...


def note_file(job: Watched) -> Path:
    """Return where a worker notes the cell it is at."""
    return job.work / "progress.json"


def noting(job: Watched, cells: Sequence) -> Callable:
    """Return what notes each cell of a notebook as it starts, with the part it is in."""
    started = time.time()  # papermill adds a cell of parameters to those given

    def note(cell, cell_index: int) -> None:
        """Take what nbclient hands to ``on_cell_start``."""
        texts = [c.source for c in cells[:cell_index] if c.cell_type == "markdown"]
        heads = re.findall(r"^##+ (.+)$", "\n".join(texts), re.M)
        noted = {"started": started, "cell": cell_index + 1, "cells": len(cells) + 1}
        noted["part"] = re.sub(r"[`*$]", "", heads[-1]) if heads else ""
        write_atomic(note_file(job), json.dumps(noted))

    return note


def clock(seconds: float) -> str:
    """Format a duration as minutes and seconds.

    >>> clock(7), clock(615.4)
    ('0:07', '10:15')
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


@dataclass(frozen=True)
class Status:
    """Where one chapter stands."""

    elapsed: float
    expected: Expected | None
    cell: str = ""
    sweep: str = ""

    @property
    def left(self) -> float | None:
        """Seconds that it may still take; None if nobody knows."""
        if self.expected is None:
            return None
        left = self.expected.seconds - self.elapsed
        return None if left < 0 and self.expected.at_least else max(left, 0.0)

    @property
    def times(self) -> str:
        """Elapsed time and time left in words."""
        if self.left is None:
            return f"{clock(self.elapsed)}, time left unknown"
        if self.left == 0:
            return f"{clock(self.elapsed)}, longer than expected"
        least = self.expected and self.expected.at_least
        return (
            f"{clock(self.elapsed)}, {'at least' if least else 'about'} "
            f"{clock(self.left)} left"
        )

    def __str__(self) -> str:
        """Return the whole status as one line."""
        return "; ".join(filter(None, (self.times, self.cell, self.sweep)))


def status_of(job: Watched, expect: Expected | None) -> Status | None:
    """Return where a chapter stands, None if it has not begun."""
    try:
        noted = json.loads(note_file(job).read_text())
    except (OSError, ValueError):
        return None
    cell = f"cell {noted['cell']}/{noted['cells']}"
    if noted["part"]:
        cell += f" {noted['part'][:40]}"
    elapsed = time.time() - noted["started"]
    return Status(elapsed, expect, cell, sweep_of(job))


def sweep_of(job: Watched) -> str:
    """Return how far the sweep that is running has come, with its time left."""
    query = SWEEP.format(since=time.time() - ALIVE)
    for store in stores(job.root, job.chapter.slug, job.profile):
        for done, total, running, seconds in rows_of(store, query):
            text = f"sweep {done}/{total}"
            if seconds:
                left = seconds * (total - done) / max(running, 1)
                text += f", about {clock(left)} left"
            return text
    return ""


class Board:
    """Shows the chapters that run, from a thread of its own, until it is left.

    Parameters
    ----------
    jobs
        What will be executed, in order.
    workers
        How many chapters run side by side.
    say
        Takes the plain lines.
    """

    def __init__(self, jobs: Sequence[Watched], workers: int, say: Say = print):
        self.todo = {job.chapter.slug: job for job in jobs}
        self.count, self.workers, self.say = len(jobs), workers, say
        self.expected = {
            slug: expected(job.root, job.chapter, job.profile)
            for slug, job in self.todo.items()
        }
        for job in jobs:
            note_file(job).unlink(missing_ok=True)  # of a run that was killed
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._drawn = _Drawn() if sys.stderr.isatty() else None

    def __enter__(self):
        """Say what is ahead, and start to show it."""
        self.say(self._ahead())
        if self._drawn:
            self._drawn.live.start()
        self._thread.start()
        return self

    def __exit__(self, *problem):
        """Stop showing; the lines vanish."""
        self._over.set()
        self._thread.join()
        if self._drawn:
            self._drawn.live.stop()

    def ended(self, slug: str) -> None:
        """Take a chapter off the board."""
        self.todo.pop(slug, None)

    def _ahead(self) -> str:
        what = f"{self.count} chapter{'s' if self.count > 1 else ''} to execute"
        return f"{what}, {self._time_left({})}"

    def _time_left(self, running: dict[str, Status]) -> str:
        """Return in words what all that is left may take."""
        known = {s: x for s in list(self.todo) if (x := self.expected[s])}
        if len(known) < len(self.todo):
            return "time left unknown, no earlier run says"
        lefts = [
            running[slug].left or 0.0 if slug in running else x.seconds
            for slug, x in known.items()
        ]
        seconds = max(sum(lefts) / self.workers, max(lefts, default=0.0))
        bounded = any(x.at_least for x in known.values())
        minutes = round(seconds / 60)
        if not minutes:
            return "time left unknown" if bounded else "less than a minute left"
        return f"{'at least' if bounded else 'about'} {minutes} min left"

    def _watch(self) -> None:
        period = DRAWN_EACH if self._drawn else SAID_EACH
        while not self._over.wait(period):
            found = (
                (s, status_of(j, self.expected[s])) for s, j in [*self.todo.items()]
            )
            running = {slug: status for slug, status in found if status}
            if self._drawn:
                ended = f"{self.count - len(self.todo)} of {self.count} done"
                self._drawn.draw(running, f"{ended}, {self._time_left(running)}")
            else:
                for slug, status in running.items():
                    self.say(f"{slug}: {status}")


class _Drawn:
    """The lines on a terminal: rich does the drawing."""

    def __init__(self):
        from rich.console import Console
        from rich.live import Live

        self.live = Live(
            console=Console(stderr=True),
            refresh_per_second=1 / DRAWN_EACH,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        )

    def draw(self, running: dict[str, Status], last: str) -> None:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1))
        times = max((len(status.times) for status in running.values()), default=0)
        for width in (max(map(len, running), default=0), 12, times, 0):
            table.add_column(no_wrap=True, min_width=width)  # the last one gives way
        for slug, status in running.items():
            share = status.elapsed / status.expected.seconds if status.expected else 0.0
            bar = ProgressBar(total=1.0, completed=min(share, 1.0), width=12)
            where = "; ".join(filter(None, (status.sweep, status.cell)))
            table.add_row(slug, bar, status.times, where)
        with contextlib.suppress(Exception):  # a terminal that went away stops no run
            self.live.update(Group(table, Text(last)))
