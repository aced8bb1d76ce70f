"""Two commands on one tree: the second waits, and no result is of both."""

import subprocess
import threading

from scaling_book.runner import tree_lock
from tests.faults import in_child, often

from ..conftest import SCALING
from ..test_execute import wait_until
from .conftest import call, contents


@often("two `scaling run` at once")
def test_two_runs(executed, times):
    source = executed / "notebooks/01_first.py"
    for scale in range(times):
        source.write_text(f"{source.read_text()}\n# %%\nx = {scale}\n")
        command = [SCALING, "run", "first", "--profile", "smoke"]
        pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with (
            subprocess.Popen(command, **pipes) as one,
            subprocess.Popen(command, **pipes) as two,
        ):
            said = [one.communicate(), two.communicate()]
        assert (one.returncode, two.returncode) == (0, 0), said
        out = "".join(text for text, _ in said)
        assert out.count("first: executed") == 1
        assert out.count("first: up to date") == 1


@often("`scaling run` and `accept` at once")
def test_accept_waits_for_a_run(accepted, times, monkeypatch):
    results, waits = accepted / "data/results", accepted / "waits"
    heard = lambda root, say: tree_lock(root, waits.write_text)
    monkeypatch.setattr("scaling_book.runner.tree_lock", heard)
    for _ in range(times):
        (results / "first/cpu.json").unlink()
        before, codes = contents(results), []
        waits.unlink(missing_ok=True)
        accepts = threading.Thread(
            target=lambda codes=codes: codes.append(
                in_child(lambda: call("accept", "first"))
            )
        )
        with tree_lock(accepted):  # as a run holds it
            accepts.start()
            assert wait_until(waits.exists, 60)
            assert contents(results) == before and not codes
        accepts.join()
        assert codes == [0] and (results / "first/cpu.json").is_file()
