"""What tests of faults share: commands as a user sees them, and a book to try them on."""

import contextlib
import io
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

import pytest

from scaling_core.cli import main
from tests.faults import TRACEBACK

from ..conftest import write_chapter


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    def is_one_clear_line(self) -> bool:
        """Tell whether it refused with a line for each fault, at most four."""
        said = self.err + "".join(x for x in self.out.splitlines() if "failed" in x)
        return self.code in (1, 2) and 0 < len(said) < 2000 and said.count("\n") <= 4


def call(*words) -> Done:
    """Run a command of ``scaling`` in this process, which is quicker than another.

    What a user would see as a traceback has the exit code ``TRACEBACK``.
    """
    out, err, code = io.StringIO(), io.StringIO(), 0
    before, sys.argv = sys.argv, ["scaling", *map(str, words)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        err.write(end.code if isinstance(end.code, str) else "")
    except BaseException:
        code = TRACEBACK
        err.write(traceback.format_exc())
    finally:
        sys.argv = before
    return Done(code, out.getvalue(), err.getvalue())


def contents(folder: Path) -> dict[str, bytes]:
    """Return what the files under a folder hold, less locks and unfinished writes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def restore(folder: Path, before: dict[str, bytes]) -> None:
    """Give files back what they held; what is new, or has become a folder, goes."""
    for path in sorted(folder.rglob("*"), reverse=True):
        name = str(path.relative_to(folder))
        if path.is_dir() and name in before:
            path.rmdir()
        elif path.is_file() and name not in before and path.name != ".lock":
            path.unlink()
    for name, content in before.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)


@pytest.fixture
def accepted(executed, monkeypatch) -> Path:
    """Return a miniature book with references, in which nothing is slow.

    No HTML is built, and what would be executed counts as done.
    """
    from scaling_book.execute import Outcome

    def pretend(stale, jobs, *more):
        return [Outcome(job.chapter.slug, "executed", "done") for job in stale]

    monkeypatch.setattr("scaling_book.render.build_html", lambda site, say: site)
    monkeypatch.setattr("scaling_book.runner._execute_all", pretend)
    for slug in ("first", "second"):
        smoke = (executed / f"build/records/smoke/{slug}.json").read_bytes()
        (executed / f"tests/reference/{slug}.json").write_bytes(smoke)
    path = executed / "notebooks/01_first.py"
    assert path.read_text() == write_chapter(executed, 1, "first").read_text()
    assert call("accept", "first").code == 0
    return executed
