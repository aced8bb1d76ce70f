"""Sweeps: resume, no doubles, failures as rows, shared stores, kills."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from scaling_core.training.store import connect
from scaling_core.training.sweep import SweepError, run_sweep

from . import sweep_functions as functions


@pytest.fixture
def store(tmp_path):
    return tmp_path / "runs.sqlite"


def lines(path):
    return Counter(path.read_text().split())


def test_rows_hold_config_result_status_and_seconds(store):
    frame = run_sweep(functions.square, [{"x": 3}, {"x": 2}], store=store)
    assert frame[["x", "y", "status"]].values.tolist() == [
        [3, 9, "done"],
        [2, 4, "done"],
    ]
    assert (frame.seconds >= 0).all()


def test_finished_configs_are_not_run_again(store, tmp_path):
    log = str(tmp_path / "log")
    grid = [{"x": x, "log": log} for x in (1, 2, 1)]
    assert len(run_sweep(functions.square, grid, store=store)) == 3
    run_sweep(functions.square, [*grid, {"x": 5, "log": log}], store=store)
    assert lines(tmp_path / "log") == {"1": 1, "2": 1, "5": 1}


def test_two_workers_share_the_grid_without_doubles(store, tmp_path):
    grid = [{"x": x, "log": str(tmp_path / "log"), "wait": 0.05} for x in range(12)]
    frame = run_sweep(functions.square, grid, store=store, jobs=2)
    assert (frame.status == "done").all()
    assert set(lines(tmp_path / "log").values()) == {1}
    assert frame.pid.nunique() == 2 and os.getpid() not in set(frame.pid)


def test_two_calls_share_one_store(store, tmp_path):
    grid = [{"x": x, "log": str(tmp_path / "log"), "wait": 0.05} for x in range(10)]
    frames = []

    def call():
        frames.append(run_sweep(functions.square, grid, store=store))

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((frame.status == "done").all() for frame in frames)
    assert set(lines(tmp_path / "log").values()) == {1}


def test_failure_is_a_row_and_retried_only_when_asked(store, tmp_path):
    log = str(tmp_path / "log")
    grid = [{"x": x, "log": log} for x in (1, 2, 3)]
    frame = run_sweep(functions.fail_on_two, grid, store=store)
    assert frame.status.tolist() == ["done", "failed", "done"]
    assert "RuntimeError: two is bad (sweep_functions.py:" in frame.error[1]
    (tmp_path / "log.fixed").touch()
    frame = run_sweep(functions.fail_on_two, grid, store=store)
    assert frame.status[1] == "failed"
    frame = run_sweep(functions.fail_on_two, grid, store=store, retry_failed=True)
    assert frame.status.tolist() == ["done"] * 3


def test_result_that_repeats_a_config_key_is_a_failed_row(store):
    frame = run_sweep(functions.clash, [{"x": 1}], store=store)
    assert "repeat config keys" in frame.error[0]


def test_numpy_results_are_stored(store):
    frame = run_sweep(functions.numpy_result, [{"x": 1.5}], store=store)
    assert frame["mean"][0] == 1.5 and frame["curve"][0] == [0, 1, 2]


def test_config_that_kills_its_process_fails_after_three_tries(store):
    frame = run_sweep(functions.die, [{"x": 1}], store=store, jobs=2)
    assert frame.status[0] == "failed" and "died 3 times" in frame.error[0]


def test_killed_sweep_resumes_without_doubles(store, tmp_path):
    """Kill a sweep in the middle, then finish it: each config ends once."""
    log = tmp_path / "log"
    grid = [{"x": x, "log": str(log), "wait": 0.1} for x in range(8)]
    code = (
        "from scaling_core.training.sweep import run_sweep\n"
        "from tests.core.training import sweep_functions as functions\n"
        f"run_sweep(functions.square, {grid!r}, store={str(store)!r})\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code])
    while not log.exists() or len(log.read_text().split()) < 3:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    frame = run_sweep(functions.square, grid, store=store)
    assert (frame.status == "done").all()
    counts = lines(log)
    assert set(counts) == {str(x) for x in range(8)}
    assert sum(counts.values()) <= 9, "only the config in flight may start twice"


def test_deadline_leaves_the_rest_pending(store):
    grid = [{"x": x, "wait": 0.3} for x in range(5)]
    end = time.monotonic() + 0.4
    frame = run_sweep(functions.square, grid, store=store, deadline=end)
    assert set(frame.status) == {"done", "pending"}
    assert (run_sweep(functions.square, grid, store=store).status == "done").all()


def test_changed_code_does_not_meet_old_results(store, monkeypatch):
    run_sweep(functions.square, [{"x": 1}], store=store)
    monkeypatch.setattr(
        "scaling_core.training.sweep.source_hash", lambda source: "other"
    )
    run_sweep(functions.square, [{"x": 1}], store=store)
    with connect(store) as db:
        assert db.execute("SELECT count(*) FROM runs").fetchone() == (2,)


@pytest.mark.parametrize(
    "fn, grid, word",
    [
        (lambda x: {}, [{"x": 1}], "module of the package"),
        (functions.square, [{"x": object()}], "config 0 is not JSON"),
        (functions.square, [{"x": 1}, [2]], "config 1"),
        (functions.square, [{"x": float("nan")}], "config 0"),
    ],
)
def test_misuse_is_one_clear_error(store, fn, grid, word):
    with pytest.raises(SweepError, match=word):
        run_sweep(fn, grid, store=store)


def test_unknown_backend_is_refused(store):
    with pytest.raises(SweepError, match="'local', 'ray'"):
        run_sweep(functions.square, [{"x": 1}], store=store, backend="dask")
