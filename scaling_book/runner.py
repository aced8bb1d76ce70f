"""Run many chapters: only what is stale, some side by side, one command at a time."""

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path

from filelock import FileLock, Timeout

from scaling_book.board import Board
from scaling_book.chapters import built_record, executed_path, pick_chapters
from scaling_book.execute import Job, Outcome, check_parameters, dress_anew, execute
from scaling_book.lint import complaints
from scaling_core.base.files import write_atomic

Say = Callable[[str], object]


def run_chapters(
    root: Path,
    slugs: list[str],
    *,
    profile: str,
    jobs: int = 1,
    force: bool = False,
    parameters: dict | None = None,
    environment: dict[str, str] | None = None,
    say: Say = print,
) -> list[Outcome]:
    """Execute the named chapters that are not fresh, ``jobs`` at a time.

    A chapter without a notebook fails alone. ``environment`` is set for the kernels.

    Raises
    ------
    UsageError
        On an unknown chapter or parameter: nothing is run then.
    """
    picked = pick_chapters(root, slugs)
    made = (parameters or {}, environment or {})
    todo = [Job(root, chapter, profile, *made) for chapter in picked]
    for job in todo:
        if not job.chapter.missing:
            check_parameters(job)
    outcomes = []
    with tree_lock(root, say):
        for outcome in _outcomes(todo, jobs, force, say):
            say(outcome.message)
            outcomes.append(outcome)
    return outcomes


def _outcomes(todo: list[Job], jobs: int, force: bool, say: Say) -> Iterator[Outcome]:
    """Yield what needs no run first, then each chapter as it ends."""
    stale = []
    for job in todo:
        slug = job.chapter.slug
        if fault := _fault(job):
            yield Outcome(slug, "failed", f"{slug}: failed, {fault}")
        elif force or (state := job.state) == "stale":
            stale.append(job)
        elif state == "prose":
            outcome = dress_anew(job)
            yield from [outcome] if outcome else []
            stale += [] if outcome else [job]
        else:
            yield Outcome(slug, "fresh", f"{slug}: up to date ({job.profile})")
    for job in stale if force else []:  # a forced run measures its sweeps anew
        for store in job.root.glob(f"build/stores/*/{job.profile}/{job.chapter.slug}"):
            shutil.rmtree(store)
    if stale:
        workers = min(jobs, len(stale))
        with Board(stale, workers, say) as board:
            for outcome in _execute_all(stale, workers):
                board.ended(outcome.slug)
                yield outcome


def _fault(job: Job) -> str:
    """Return what stops a chapter before it is run, "" for nothing."""
    if job.chapter.missing:
        return job.chapter.missing_message
    return next(complaints(job.notebook().cells, job.chapter.source.name), "")


def _execute_all(stale: list[Job], workers: int) -> Iterator[Outcome]:
    """Yield outcomes as chapters end, each in a worker process of its own."""
    spawn = get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, _end_with_parent) as pool:
        futures = {pool.submit(execute, job): job for job in stale}
        try:
            for future in as_completed(futures):
                yield _outcome(future, futures[future].chapter.slug)
        except KeyboardInterrupt:  # leave now; leaving the pool would wait for kernels
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            for worker in active_children():
                worker.kill()
            raise


def _outcome(future: Future, slug: str) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool:  # killed from outside, or out of memory
        return Outcome(slug, "failed", f"{slug}: failed, worker was killed")


def _end_with_parent() -> None:
    """End this worker, and so its kernel, when the command that started it is killed."""

    def watch(parent) -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, args=[parent_process()], daemon=True).start()


@contextlib.contextmanager
def tree_lock(root: Path, say: Say = print) -> Iterator[None]:
    """Hold the tree's lock: a second run waits for the first, saying so."""
    path = root / "build" / ".lock"
    path.parent.mkdir(exist_ok=True)
    lock = FileLock(path)
    try:
        held = lock.acquire(timeout=0)
    except Timeout:
        say("another run holds this tree; waiting for it to end")
        held = lock.acquire()
    with held:
        yield


def update_references(root: Path, slugs: list[str]) -> list[Path]:
    """Copy the smoke runs to ``tests/reference``, where nbval and HTML tests read."""
    written = []
    folder = root / "tests" / "reference"
    for chapter in pick_chapters(root, slugs):
        notebook = executed_path(root, "smoke", chapter.name)
        for path in (notebook, built_record(root, "smoke", chapter.slug)):
            written.append(write_atomic(folder / path.name, path.read_bytes()))
    return written
