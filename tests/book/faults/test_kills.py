"""Commands that are killed: what stood before still stands, or the new one does, whole."""

import json
import random
import shutil
import subprocess
import time

from scaling_book.chapters import list_chapters
from scaling_book.execute import Job, _publish
from scaling_book.notebooks import write_notebook
from scaling_book.reading import read_notebook
from scaling_book.records import read_record
from tests.faults import KILLED, in_child, killed_at, often

from ..conftest import SCALING, scaling
from ..test_execute import wait_until
from .conftest import call, contents, restore

WRITES = 12  # a command here has fewer, so that it also comes to its end


@often("`scaling accept` is killed")
def test_accept(accepted, times):
    """The chapter was accepted before, with other numbers, so that all is replaced."""
    path = accepted / "build/records/cpu/first.json"
    record = json.loads(path.read_text())
    record["values"]["first.slope"]["runs"] = [1.0, 1.01, 1.02, 1.03, 1.05]
    record["provenance"]["date"] = "2026-01-01"
    path.write_text(json.dumps(record))
    (accepted / "build/executed/cpu/01_first.key.json").unlink()
    results = accepted / "data/results"
    old = contents(results)
    assert in_child(lambda: call("accept", "first")) == 0
    new, survived = contents(results), 0
    for write in range(times):
        restore(results, old)
        code = killed_at(write % WRITES, results, accept_first)
        assert code in (0, KILLED)
        survived += code == 0
        for name, content in contents(results).items():
            assert content in (old.get(name), new.get(name)), name
        assert call("check").code == 0
        assert accept_first().code == 0 and contents(results) == new
    assert survived < times / 2


def accept_first():
    return call("accept", "first")


def publish(job):
    """Publish another run of the first chapter: what follows its last cell."""
    job.work.mkdir(parents=True, exist_ok=True)
    record = read_record(job.root / "build/records/smoke/first.json")
    record["values"]["first.slope"]["runs"] = [2.0]
    (job.work / "first.json").write_text(json.dumps(record))
    notebook = read_notebook(job.root / "build/executed/smoke/01_first.ipynb")
    notebook.cells[0].source = notebook.cells[0].source.replace("first", "new", 1)
    output = job.work / "01_first.ipynb"
    write_notebook(notebook, output)
    _publish(job, output, job.key())


@often("a run is killed while it publishes")
def test_publishing(executed, times):
    build = executed / "build"
    job = Job(executed, list_chapters(executed)[0], "smoke")
    old = contents(build)
    publish(job)
    new, whole = contents(build), 0
    assert job.state == "fresh" and new != old
    for write in range(times):
        restore(build, old)
        code = killed_at(write % WRITES, build, lambda: publish(job))
        assert code in (0, KILLED)
        shutil.rmtree(job.work, ignore_errors=True)
        found = contents(build)
        for name, content in found.items():
            assert content in (old.get(name), new.get(name)), name
        if job.state == "fresh":
            assert found in (old, new)
            whole += 1
    assert times < WRITES or whole


@often("`scaling run` is killed")
def test_run(executed, times):
    """At random instants of a run; then the command is given again."""
    source = executed / "notebooks/01_first.py"
    source.write_text(source.read_text().replace("scale = 1.0", "scale = 3.0"))
    command, rng = [SCALING, "run", "first", "--profile", "smoke"], random.Random(0)
    build, old = executed / "build", contents(executed / "build")
    start = time.monotonic()
    assert scaling(*command[1:], cwd=executed).returncode == 0
    length, new = time.monotonic() - start, contents(build)
    job, ours = Job(executed, list_chapters(executed)[0], "smoke"), "01_first"
    for _ in range(times):
        gone = lambda: shutil.rmtree(build, ignore_errors=True) or not build.exists()
        assert wait_until(gone, 60), "a killed run still writes"
        for name, content in old.items():
            (build / name).parent.mkdir(parents=True, exist_ok=True)
            (build / name).write_bytes(content)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
            time.sleep(rng.uniform(0, length))
            running.kill()
        found, name = contents(build), f"executed/smoke/{ours}.ipynb"
        assert found[name] in (old[name], new[name])
        assert job.state == "stale" or found[name] == new[name]
        read_record(build / "records/smoke/first.json")
        done = scaling(*command[1:], cwd=executed)
        assert done.returncode == 0, done.stderr
        assert contents(build)[name] == new[name]
        assert job.state == "fresh"
