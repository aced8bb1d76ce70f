"""Execute one chapter: jupytext -> papermill -> normalised notebook and record.

Results appear under ``build/executed/<profile>`` and ``build/records/<profile>`` only
when a chapter ran to its end, the key last.
"""

import json
import os
import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from yaml import YAMLError

from scaling_book.board import noting
from scaling_book.chapters import ChapterFile, built_record, executed_path
from scaling_book.curves import curves_path
from scaling_book.errors import FileError
from scaling_book.kernels import LoggedKernel, private_sockets, set_environment
from scaling_book.keys import State, execution_key, key_file, state_of
from scaling_book.notebooks import convert, dress, normalise, write_notebook
from scaling_book.reading import one_line, read_json, read_notebook
from scaling_book.records import seal
from scaling_core.base.errors import UsageError
from scaling_core.base.files import write_atomic

KERNEL_START_ERRORS = ("DeadKernelError", "Kernel didn't respond", "Kernel died")


@dataclass(frozen=True)
class Outcome:
    """What became of one chapter in a run."""

    slug: str
    status: str  # "fresh" | "dressed" | "executed" | "failed"
    message: str


@dataclass(frozen=True)
class Job:
    """All a worker process needs to execute one chapter."""

    root: Path
    chapter: ChapterFile
    profile: str
    parameters: dict = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        """The folder where this chapter runs before anything is published."""
        return self.root / "build" / "work" / self.profile / self.chapter.slug

    @property
    def log(self) -> Path:
        """What the kernel prints outside of cells; kept where the chapter fails."""
        folder = self.root / "build" / "failed" / self.profile
        return folder / f"{self.chapter.name}.log"

    @property
    def state(self) -> State:
        """Whether the stored results belong to today's inputs."""
        return state_of(self.root, self.chapter, self.profile, self.parameters)

    def key(self) -> dict:
        """Return today's execution key."""
        return execution_key(self.root, self.chapter, self.profile, self.parameters)

    def notebook(self) -> nbformat.NotebookNode:
        """Return the chapter as a notebook, not executed."""
        try:
            return convert(self.chapter.text, self.chapter.name)
        except (ValueError, RecursionError, YAMLError) as error:
            raise FileError(
                f"{self.chapter.source}: no notebook in percent format "
                f"({one_line(error)})"
            ) from error


def check_parameters(job: Job) -> None:
    """Refuse parameters that the chapter's parameters cell does not define."""
    cells = job.notebook().cells
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
                f"allowed: {', '.join(allowed)} (sizes are changed in "
                f"notebooks/{job.chapter.source.name}, in its call of `sizes`)"
            )


def execute(job: Job) -> Outcome:
    """Run one chapter in this process and publish its notebook, record and key."""
    start = time.perf_counter()
    key = job.key()  # taken before the run: a later edit makes it stale
    shutil.rmtree(job.work, ignore_errors=True)
    for folder in (job.work, job.log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    job.log.unlink(missing_ok=True)
    source = job.work / "input.ipynb"
    write_notebook(job.notebook(), source)
    set_environment(job.work / "ipython")
    os.environ.update(job.environment, SCALING_RECORDS=str(job.work))
    output = job.work / f"{job.chapter.name}.ipynb"
    error = _papermill(job, source, output)
    slug = job.chapter.slug
    if error is None and not (job.work / f"{slug}.json").is_file():
        error = "wrote no record: its last cell must call chapter.finish()"
    if error is not None:
        kept = job.log.with_suffix(".ipynb")
        if output.is_file():
            os.replace(output, kept)
        message = f"{slug}: failed, {error} (kept: {kept.relative_to(job.root)})"
        return Outcome(slug, "failed", message)
    _publish(job, output, key)
    job.log.unlink()
    seconds = time.perf_counter() - start
    return Outcome(slug, "executed", f"{slug}: executed in {seconds:.0f} s")


def _papermill(job: Job, source: Path, output: Path, tries: int = 2) -> str | None:
    """Execute a notebook; return None, or one line naming the cell and the error."""
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    try:
        with private_sockets() as sockets:
            execute_notebook(
                source,
                output,
                parameters={"profile": job.profile, **job.parameters},
                cwd=job.root,
                progress_bar=False,
                on_cell_start=noting(job, nbformat.read(source, as_version=4).cells),
                log_output=False,
                kernel_manager_class=LoggedKernel,
                config=Config(LoggedKernel=sockets | {"log_file": str(job.log)}),
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
    key_path = key_file(job.root, job.chapter, job.profile)
    key_path.unlink(missing_ok=True)
    made = job.work / f"{job.chapter.slug}.json"
    record = json.loads(made.read_text())
    record["provenance"]["parameters"] = job.parameters
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    path = built_record(job.root, job.profile, job.chapter.slug)
    write_atomic(path, text)
    if curves_path(made).is_file():
        os.replace(curves_path(made), curves_path(path))
    else:
        curves_path(path).unlink(missing_ok=True)
    notebook = normalise(nbformat.read(output, as_version=4), job.chapter.name)
    write_notebook(notebook, executed_path(job.root, job.profile, job.chapter.name))
    key |= {"inputs": record["provenance"]["inputs"], "seal": seal(record)}
    write_atomic(key_path, json.dumps(key, indent=1) + "\n")
    shutil.rmtree(job.work, ignore_errors=True)


def dress_anew(job: Job) -> Outcome | None:
    """Put today's prose, tags and comments around the outputs of the stored run.

    None if the stored cells are not those of the chapter: then it must run.
    """
    key_path = key_file(job.root, job.chapter, job.profile)
    stored, key = read_json(key_path), job.key()
    path = executed_path(job.root, job.profile, job.chapter.name)
    try:
        dressed = dress(job.notebook(), read_notebook(path), job.chapter.name)
    except (ValueError, StopIteration):
        return None
    write_notebook(dressed, path)
    write_atomic(key_path, json.dumps(stored | key, indent=1) + "\n")
    slug = job.chapter.slug
    return Outcome(slug, "dressed", f"{slug}: new prose, nothing executed")
