"""Execution: what is run or dressed anew, and what a failure leaves behind."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from itertools import chain
from pathlib import Path

import pytest

from scaling_book.chapters import list_chapters
from scaling_book.execute import Job
from scaling_book.runner import run_chapters, tree_lock

from .conftest import SCALING, scaling, write_chapter


def statuses(root, *slugs, **kw):
    lines = []
    outcomes = run_chapters(root, list(slugs), profile="smoke", say=lines.append, **kw)
    return {o.slug: o.status for o in outcomes}, lines


def state(root, slug):
    chapter = next(c for c in list_chapters(root) if c.slug == slug)
    return Job(root, chapter, "smoke").state


def test_no_change_executes_nothing(executed):
    assert statuses(executed)[0] == {"first": "fresh", "second": "fresh"}
    claims = executed / "data/claims/first.yml"
    claims.write_text(claims.read_text().replace("band: [0.9", "band: [0.8"))
    assert state(executed, "first") == "fresh", "a claims file retrains nothing"
    (executed / "constraints.txt").write_text("numpy==2.4.7\n")
    assert state(executed, "first") == "stale", "the lock is part of the key"


def test_new_prose_is_put_around_the_stored_outputs(executed):
    """Nothing is executed, and the bytes are those that each run would give."""
    source = executed / "notebooks/01_first.py"
    text = source.read_text().replace("# # Chapter first", "# # Another title")
    text = text.replace("sizes = chapter", "# a reason\nsizes = chapter")
    source.write_text(text.replace("# %%\nchapter.rec", '# %% tags=["t"]\nchapter.rec'))
    found, lines = statuses(executed)
    assert found == {"first": "dressed", "second": "fresh"}
    assert "first: new prose, nothing executed" in lines
    assert statuses(executed)[0]["first"] == "fresh"
    notebook = executed / "build/executed/smoke/01_first.ipynb"
    dressed = notebook.read_bytes()
    assert b"Another title" in dressed and b"a reason" in dressed
    assert statuses(executed, "first", force=True)[0] == {"first": "executed"}
    assert notebook.read_bytes() == dressed
    text = dressed.decode()
    assert str(executed) not in text and "/tmp/" not in text


@pytest.mark.parametrize(
    "old, new",
    [
        ("scale = 1.0", "scale = 2.0"),
        ("# %%\nchapter.record", "chapter.record"),
        ("import Chapter", "import Chapter\nimport scaling_core.base.slopes"),
    ],
)
def test_new_code_is_run(executed, old, new):
    source = executed / "notebooks/01_first.py"
    assert old in source.read_text()
    source.write_text(source.read_text().replace(old, new, 1))
    assert state(executed, "first") == "stale"
    assert state(executed, "second") == "fresh"


def test_data_read_is_part_of_the_key(executed):
    key_file = executed / "build/executed/smoke/01_first.key.json"
    key = json.loads(key_file.read_text())
    key["inputs"] = {"data/published/x.csv": None}
    key_file.write_text(json.dumps(key))
    assert state(executed, "first") == "fresh", "absent then, absent now"
    (executed / "data/published").mkdir()
    (executed / "data/published/x.csv").write_text("a\n1\n")
    assert state(executed, "first") == "stale"


def test_failing_cell_is_one_line_and_keeps_the_earlier_page(executed):
    page = executed / "build/executed/smoke/01_first.ipynb"
    before = page.read_bytes()
    source = executed / "notebooks/01_first.py"
    source.write_text(source.read_text() + "\n# %%\nraise ValueError('planted')\n")
    done = scaling("run", "--profile", "smoke", cwd=executed)
    assert done.returncode == 1
    line = next(x for x in done.stdout.splitlines() if "failed" in x)
    assert "first" in line and "ValueError: planted" in line and "cell" in line
    assert page.read_bytes() == before
    assert (executed / "build/failed/smoke/01_first.ipynb").is_file()


def test_chapter_that_never_finishes_is_a_failure(mini_book):
    path = write_chapter(mini_book, 1, "first")
    path.write_text(path.read_text().replace("chapter.finish()", ""))
    found, lines = statuses(mini_book, "first")
    assert found == {"first": "failed"} and "finish" in " ".join(lines)


@pytest.mark.parametrize(
    "words, allowed",
    [
        (["run", "third"], "first, second"),
        (["run", "--profile", "quick"], "smoke, cpu, gpu"),
        (["run", "-p", "steps=3"], "profile, scale"),
        (["run", "-p", "nonsense"], "NAME=VALUE"),
        (["check", "third"], "first, second"),
        (["accept", "third"], "first, second"),
    ],
)
def test_unknown_names_are_exit_2_with_the_allowed_names(mini_book, words, allowed):
    done = scaling(*words, cwd=mini_book)
    assert done.returncode == 2 and allowed in done.stderr
    assert not (mini_book / "build/executed").exists()


def test_outside_a_book_is_exit_2(tmp_path):
    done = scaling("list", cwd=tmp_path)
    assert done.returncode == 2 and "not inside a book" in done.stderr


def test_a_missing_notebook_stops_its_chapter_only(mini_book):
    (mini_book / "notebooks/02_second.py").unlink()
    done = scaling("run", "--profile", "smoke", cwd=mini_book)
    assert done.returncode == 1
    assert "first: executed" in done.stdout
    assert "second: failed" in done.stdout and "02_second.py" in done.stdout
    assert "02_second  1 claims  (its" in scaling("list", cwd=mini_book).stdout
    first = mini_book / "notebooks/01_first.py"
    first.write_text(first.read_text().replace("`first.slope`", "`second.slope`"))
    assert scaling("run", "first", "--profile", "smoke", cwd=mini_book).returncode == 0
    for word in ("check", "render"):
        done = scaling(word, "--profile", "smoke", cwd=mini_book)
        assert done.returncode == 1 and "02_second.py is missing" in done.stderr
    pages = mini_book / "_build/html/book/chapters"
    assert "claim-card" in (pages / "01_first.html").read_text()
    assert "(not assessed here)" in (pages / "01_first.html").read_text()
    assert "is missing" in (pages / "02_second.html").read_text()


def test_a_command_prints_its_own_lines_only(executed):
    """The same of a run that executes is asserted where ``executed`` is made."""
    done = scaling("run", "--profile", "smoke", cwd=executed)
    lines = ["first: up to date (smoke)", "second: up to date (smoke)"]
    assert done.stderr == "" and done.stdout.splitlines() == lines


def test_options_of_sweeps_reach_the_kernel(mini_book, tmp_path, monkeypatch):
    show = "import os; print(os.environ.get('SCALING_BACKEND'), end='')"
    show += "; print(os.environ.get('SCALING_RETRY_FAILED'))"
    show += "; print(os.environ.get('SCALING_RAY_GPUS'), os.environ['RAY_ADDRESS'])"
    write_chapter(mini_book, 1, "first", imports=show)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    (tmp_path / "ray.py").touch()  # it is looked for, not imported
    words = ["run", "first", "--profile", "smoke", "--retry-failed", "--backend", "ray"]
    with socket.create_server(("127.0.0.1", 0)) as head:
        address = f"127.0.0.1:{head.getsockname()[1]}"
        words += ["--ray-address", address, "--gpus-per-task", "0.5"]
        assert scaling(*words, cwd=mini_book).returncode == 0
    notebook = json.loads(
        (mini_book / "build/executed/smoke/01_first.ipynb").read_text()
    )
    said = [o.get("text", []) for c in notebook["cells"] for o in c.get("outputs", [])]
    assert f"ray1\n0.5 {address}\n" in "".join(chain(*said))


@pytest.mark.parametrize(
    "words, message",
    [
        (["--gpus-per-task", "1"], "need --backend ray"),
        (["--ray-address", "auto"], "need --backend ray"),
        (["--backend", "ray", "--ray-address", "head"], "allowed: HOST:PORT, auto"),
        (["--backend", "ray", "--gpus-per-task", "1.5"], "whole numbers, or parts"),
    ],
)
def test_misused_options_of_sweeps_are_one_line(mini_book, words, message):
    done = scaling("run", "--profile", "smoke", *words, cwd=mini_book)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert message in done.stderr and not (mini_book / "build").exists()


def test_second_run_on_one_tree_waits_and_says_so(mini_book):
    said, order = [], []

    def second():
        with tree_lock(mini_book, said.append):
            order.append("second")

    with tree_lock(mini_book):
        thread = threading.Thread(target=second)
        thread.start()
        while not said:
            time.sleep(0.01)
        order.append("first")
    thread.join()
    assert order == ["first", "second"] and "waiting" in said[0]


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="needs /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_killed_command_leaves_no_process_and_no_result_behind(mini_book, how):
    report = mini_book / "kernel.pid"
    slow = (
        "import os, pathlib, time\n"
        f"pathlib.Path({str(report)!r}).write_text(str(os.getpid()))\n"
        "time.sleep(120)\n"
    )
    write_chapter(mini_book, 1, "first", imports=slow)
    command = [SCALING, "run", "first", "--profile", "smoke"]
    options = dict(cwd=mini_book, stderr=subprocess.DEVNULL, preexec_fn=hear_interrupts)
    with subprocess.Popen(command, **options) as running:
        assert wait_until(lambda: report.is_file() and report.read_text(), 60)
        running.send_signal(how)
        running.send_signal(how)  # a second Ctrl-C must not hang either
        running.wait(20)
    kernel = Path("/proc") / report.read_text() / "stat"
    ended = lambda: not kernel.exists() or kernel.read_text().split()[2] == "Z"
    assert wait_until(ended, 20), "the kernel outlived the command"
    assert not list((mini_book / "build" / "records").rglob("first.json"))


def hear_interrupts():
    """Undo what a shell does to a job in the background: to ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_until(condition, seconds):
    """Return whether the condition comes true in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return bool(condition())
