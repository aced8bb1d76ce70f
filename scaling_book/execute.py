"""Execute chapters: jupytext -> papermill -> normalised notebook and record.

Results appear under ``build/executed/<profile>`` and ``build/records/<profile>`` only
when a chapter ran to its end. The execution key holds everything a number depends on;
a chapter whose key is unchanged is not run again.
"""

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import sys
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path

import yaml

from scaling_book.notebooks import convert, normalise
from scaling_core.base.codehash import source_hash
from scaling_core.base.errors import UsageError
from scaling_core.base.files import sha256_of_text, write_atomic
from scaling_core.base.inputs import hash_input, locate_named

CHAPTERS = "book/chapters/"
EXTRA_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
KERNEL_START_ERRORS = ("DeadKernelError", "Kernel didn't respond", "Kernel died")


@dataclass(frozen=True)
class ChapterFile:
    """A chapter as the table of contents names it."""

    name: str
    slug: str
    source: Path


@dataclass(frozen=True)
class Outcome:
    """What became of one chapter in a run."""

    slug: str
    status: str  # "fresh" | "executed" | "failed"
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True)
class Job:
    """All a worker process needs to execute one chapter."""

    root: Path
    chapter: ChapterFile
    profile: str
    parameters: dict = field(default_factory=dict)
    bar: bool = False

    @property
    def work(self) -> Path:
        """The folder where this chapter runs before anything is published."""
        return self.root / "build" / "work" / self.profile / self.chapter.slug


def list_chapters(root: Path) -> list[ChapterFile]:
    """Return the chapters in the order of ``_toc.yml``, the only list of them.

    Raises
    ------
    UsageError
        If the table of contents names a chapter that has no notebook.
    """
    toc = yaml.safe_load((root / "_toc.yml").read_text())
    files = [c["file"] for part in toc["parts"] for c in part["chapters"]]
    names = [f.removeprefix(CHAPTERS) for f in files if f.startswith(CHAPTERS)]
    chapters = []
    for name in names:
        source = root / "notebooks" / f"{name}.py"
        if not source.is_file():
            raise UsageError(f"_toc.yml lists {name}, but {source} does not exist")
        chapters.append(ChapterFile(name, re.sub(r"^\d+_", "", name), source))
    return chapters


def pick_chapters(root: Path, slugs: list[str]) -> list[ChapterFile]:
    """Return the chapters with these slugs (all of them when none is named)."""
    chapters = list_chapters(root)
    known = [c.slug for c in chapters]
    for slug in slugs:
        if slug not in known:
            raise UsageError(f"unknown chapter {slug!r}; allowed: {', '.join(known)}")
    return [c for c in chapters if not slugs or c.slug in slugs]


def executed_path(root: Path, profile: str, name: str) -> Path:
    """Return where the executed notebook of a chapter lies."""
    return root / "build" / "executed" / profile / f"{name}.ipynb"


def static_key(job: Job) -> dict:
    """Return what can be known before a run: code, lock, profile, Python."""
    source = job.chapter.source.read_text()
    return {
        "chapter": sha256_of_text(source),
        "package": source_hash(source),
        "lock": hash_input(job.root / "constraints.txt"),
        "profile": job.profile,
        "python": ".".join(map(str, sys.version_info[:2])),
        "parameters": job.parameters,
    }


def is_fresh(job: Job) -> bool:
    """Tell whether the stored results were made by exactly today's inputs."""
    notebook = executed_path(job.root, job.profile, job.chapter.name)
    key_file = notebook.with_suffix(".key.json")
    record = job.root / "build" / "records" / job.profile / f"{job.chapter.slug}.json"
    if not (notebook.is_file() and record.is_file() and key_file.is_file()):
        return False
    key = json.loads(key_file.read_text())
    inputs = key.pop("inputs")
    now = {name: hash_input(locate_named(name, job.root)) for name in inputs}
    return key == static_key(job) and inputs == now


def run_chapters(
    root: Path,
    slugs: list[str],
    *,
    profile: str,
    jobs: int = 1,
    force: bool = False,
    parameters: dict | None = None,
    say=print,
) -> list[Outcome]:
    """Execute the named chapters that are not fresh, ``jobs`` at a time.

    Raises
    ------
    UsageError
        On an unknown chapter or parameter: nothing is run then.
    """
    bar = jobs == 1 and sys.stderr.isatty()
    todo = [
        Job(root, c, profile, parameters or {}, bar) for c in pick_chapters(root, slugs)
    ]
    for job in todo:
        check_parameters(job)
    with tree_lock(root, say):
        stale = [job for job in todo if force or not is_fresh(job)]
        for job in stale if force else []:
            _forget_stores(job)
        outcomes = [Outcome(j.chapter.slug, "fresh") for j in todo if j not in stale]
        for outcome in outcomes:
            say(f"{outcome.slug}: up to date ({profile})")
        for outcome in _execute_all(stale, jobs):
            say(outcome.message)
            outcomes.append(outcome)
    return outcomes


def _forget_stores(job: Job) -> None:
    """Drop the sweeps' stored results, so that a forced run measures anew."""
    for folder in job.root.glob(f"build/stores/*/{job.profile}/{job.chapter.slug}"):
        shutil.rmtree(folder)


def _execute_all(stale: list[Job], jobs: int):
    """Yield outcomes as chapters end, each in a worker process of its own."""
    if not stale:
        return
    workers = min(jobs, len(stale))
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
        return Outcome(slug, "failed", 0.0, f"{slug}: failed, worker was killed")


def _end_with_parent() -> None:
    """End this worker, and so its kernel, when the command that started it is killed."""

    def watch() -> None:
        parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def check_parameters(job: Job) -> None:
    """Refuse parameters that the chapter's parameters cell does not define."""
    cells = convert(job.chapter.source.read_text(), job.chapter.name).cells
    tagged = [c for c in cells if "parameters" in c.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise UsageError(
            f"{job.chapter.source.name}: {len(tagged)} cells are tagged `parameters`; "
            "allowed: exactly one"
        )
    allowed = re.findall(r"^(\w+)\s*(?::[^=]+)?=", tagged[0].source, re.M)
    for name in job.parameters:
        if name not in allowed:
            raise UsageError(
                f"{job.chapter.slug}: unknown parameter {name!r}; "
                f"allowed: {', '.join(allowed)}"
            )


def execute(job: Job) -> Outcome:
    """Run one chapter in this process and publish its notebook, record and key."""
    start = time.perf_counter()
    key = static_key(job)  # taken before the run: a later edit makes it stale
    shutil.rmtree(job.work, ignore_errors=True)
    job.work.mkdir(parents=True)
    source = job.work / "input.ipynb"
    notebook = convert(job.chapter.source.read_text(), job.chapter.name)
    _write_notebook(notebook, source)
    _prepare_environment(job)
    output = job.work / f"{job.chapter.name}.ipynb"
    error = _papermill(job, source, output)
    seconds = time.perf_counter() - start
    slug = job.chapter.slug
    if error is None and not (job.work / f"{slug}.json").is_file():
        error = "wrote no record: its last cell must call chapter.finish()"
    if error is not None:
        kept = job.root / "build" / "failed" / job.profile / output.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        if output.is_file():
            os.replace(output, kept)
        message = f"{slug}: failed, {error} (kept: {kept.relative_to(job.root)})"
        return Outcome(slug, "failed", seconds, message)
    _publish(job, output, key)
    return Outcome(slug, "executed", seconds, f"{slug}: executed in {seconds:.0f} s")


def _prepare_environment(job: Job) -> None:
    """Set what every kernel sees; an inherited MPLBACKEND would hide all figures."""
    os.environ.pop("MPLBACKEND", None)
    os.environ.update(EXTRA_ENVIRONMENT)
    os.environ["SCALING_RECORDS"] = str(job.work)
    os.environ["IPYTHONDIR"] = str(job.work / "ipython")
    config = job.work / "ipython" / "profile_default" / "ipython_kernel_config.py"
    write_atomic(config, "c = get_config()\nc.IPKernelApp.log_level = 50\n")


def _papermill(job: Job, source: Path, output: Path, tries: int = 2) -> str | None:
    """Execute a notebook; return None, or one line naming the cell and the error."""
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError

    try:
        execute_notebook(
            source,
            output,
            parameters={"profile": job.profile, **job.parameters},
            cwd=job.root,
            progress_bar=job.bar,
            log_output=False,
        )
    except PapermillExecutionError as error:
        first = (error.source or "").strip().splitlines()[:1] or [""]
        what = f"{error.ename}: {error.evalue}".splitlines()[0]
        return f"cell {error.exec_count} ({first[0][:60]!r}): {what}"
    except Exception as error:
        line = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        if tries > 1 and any(sign in line for sign in KERNEL_START_ERRORS):
            return _papermill(job, source, output, tries - 1)
        return line
    return None


def _publish(job: Job, output: Path, key: dict) -> None:
    """Move a complete run into place: the key last, so that a kill leaves it stale."""
    import nbformat

    target = executed_path(job.root, job.profile, job.chapter.name)
    key_file = target.with_suffix(".key.json")
    key_file.unlink(missing_ok=True)
    record = json.loads((job.work / f"{job.chapter.slug}.json").read_text())
    record["provenance"]["parameters"] = job.parameters
    folder = job.root / "build" / "records" / job.profile
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    write_atomic(folder / f"{job.chapter.slug}.json", text)
    notebook = normalise(nbformat.read(output, as_version=4), job.chapter.name)
    _write_notebook(notebook, target)
    key["inputs"] = record["provenance"]["inputs"]
    write_atomic(key_file, json.dumps(key, indent=1) + "\n")
    shutil.rmtree(job.work, ignore_errors=True)


def _write_notebook(notebook, path: Path) -> None:
    import nbformat

    write_atomic(path, nbformat.writes(notebook) + "\n")


@contextlib.contextmanager
def tree_lock(root: Path, say=print):
    """Hold the tree's lock: a second run waits for the first, saying so."""
    path = root / "build" / ".lock"
    path.parent.mkdir(exist_ok=True)
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run holds this tree; waiting for it to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def update_references(root: Path, slugs: list[str]) -> list[Path]:
    """Copy the smoke runs to ``tests/reference``, where nbval and HTML tests read."""
    written = []
    folder = root / "tests" / "reference"
    for chapter in pick_chapters(root, slugs):
        notebook = executed_path(root, "smoke", chapter.name)
        record = root / "build" / "records" / "smoke" / f"{chapter.slug}.json"
        for path in (notebook, record):
            written.append(write_atomic(folder / path.name, path.read_bytes()))
    return written
