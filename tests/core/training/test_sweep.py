"""Sweeps: resume, no doubles, failures as rows, shared stores, kills."""

import fcntl
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor

import pytest

from scaling_core.training import sweep
from scaling_core.training.store import (
    claim,
    config_key,
    connect,
    enqueue,
    release_dead,
)
from scaling_core.training.sweep import SweepError, run_sweep
from tests.faults import often

from . import sweep_functions as functions


@pytest.fixture
def store(tmp_path):
    return tmp_path / "runs.sqlite"


def lines(path):
    return Counter(path.read_text().split())


def start_sweep(name, grid, store):
    """Run a sweep in a process of its own."""
    code = (
        "from scaling_core.training.sweep import run_sweep\n"
        "from tests.core.training import sweep_functions as functions\n"
        f"run_sweep(functions.{name}, {grid!r}, store={str(store)!r})\n"
    )
    return subprocess.Popen([sys.executable, "-c", code])


def wait_for_lines(log, count):
    while not log.exists() or len(log.read_text().split()) < count:
        time.sleep(0.02)


def row(store, columns="status, attempts"):
    with connect(store) as db:
        return db.execute(f"SELECT {columns} FROM runs").fetchone()


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
    with ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(run_sweep, functions.square, grid, store=store)
            for _ in range(2)
        ]
        frames = [call.result() for call in calls]
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


def test_retry_by_environment(store, monkeypatch, tmp_path):
    grid = [{"x": 2, "log": str(tmp_path / "log")}]
    run_sweep(functions.fail_on_two, grid, store=store)
    (tmp_path / "log.fixed").touch()
    monkeypatch.setenv("SCALING_RETRY_FAILED", "1")
    assert run_sweep(functions.fail_on_two, grid, store=store).status[0] == "done"


def test_stored_rows_start_no_process(store, monkeypatch):
    first = run_sweep(functions.square, [{"x": 3}], store=store)
    monkeypatch.setattr(sweep, "_Workers", lambda *_: pytest.fail("started"))
    again = run_sweep(functions.square, [{"x": 3}], store=store)
    assert again.to_dict() == first.to_dict()


def test_a_sweep_runs_its_own_grid_only(store, tmp_path):
    log = str(tmp_path / "log")
    grid = [{"x": x, "log": log} for x in range(3)]
    run_sweep(functions.square, grid, store=store, deadline=0.0)
    run_sweep(functions.square, grid[1:2], store=store)
    assert lines(tmp_path / "log") == {"1": 1}


def test_numbers_equal_in_value_are_one_config(store):
    grid = [{"x": [1], "log": None}, {"x": [1.0], "log": None}, {"x": [True]}]
    keys = [config_key("f", json.dumps(c, sort_keys=True)) for c in grid]
    assert keys[0] == keys[1] != keys[2]
    assert config_key("f", '{"x": "1.0"}') != config_key("f", '{"x": "1"}')
    frame = run_sweep(functions.square, [{"x": 2.0}, {"x": 2}], store=store)
    assert frame.x.tolist() == [2.0, 2] and frame.pid.nunique() == 1


@pytest.mark.parametrize("result", [[1, 2], "text", 3, None, "leave"])
def test_result_that_is_no_dict_is_a_failed_row(store, result):
    for _ in range(2):
        frame = run_sweep(functions.no_dict, [{"x": result}], store=store)
        assert frame.status[0] == "failed"
    assert ("SystemExit: bye" if result == "leave" else "dict") in frame.error[0]


def test_what_a_function_prints_is_no_answer(store):
    assert run_sweep(functions.talk, [{"x": 1}], store=store).y[0] == 1


def test_result_that_repeats_a_config_key_is_a_failed_row(store):
    frame = run_sweep(functions.clash, [{"x": 1}], store=store)
    assert "repeat config keys" in frame.error[0]


def test_numpy_results_are_stored(store):
    frame = run_sweep(functions.numpy_result, [{"x": 1.5}], store=store)
    assert frame["mean"][0] == 1.5 and frame["curve"][0] == [0, 1, 2]


def test_config_that_kills_its_process_fails_after_three_tries(store):
    frame = run_sweep(functions.die, [{"x": 1}], store=store, jobs=2)
    assert frame.status[0] == "failed" and "died 3 times" in frame.error[0]


@often("a sweep is killed (`kill -9`)")
def test_killed_sweep_resumes_without_doubles(store, tmp_path, times):
    """Kill a sweep at random instants, then finish it: each config ends once."""
    log, rng = tmp_path / "log", random.Random(times)
    grid = [{"x": x, "log": str(log), "wait": 0.1} for x in range(3 * times + 5)]
    for kill in range(times):
        child = start_sweep("square", grid, store)
        wait_for_lines(log, 3 * kill + 3)
        time.sleep(rng.uniform(0, 0.1))
        child.send_signal(signal.SIGKILL)
        child.wait()
    frame = run_sweep(functions.square, grid, store=store)
    assert (frame.status == "done").all()
    assert (frame.y == frame.x**2).all()
    counts = lines(log)
    assert set(counts) == {str(config["x"]) for config in grid}
    again = sum(counts.values()) - len(grid)
    assert again <= times, "only the config in flight may start twice"


@pytest.fixture
def interruptible():
    """Heed interrupts: what a shell starts in the background ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interrupts_are_no_deaths_and_a_rerun_starts_at_once(store, tmp_path):
    grid = [{"x": 1, "log": str(tmp_path / "log"), "number": int(signal.SIGINT)}]
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            run_sweep(functions.signal_sweep, grid, store=store)
        assert row(store) == ("pending", 0)
    frame = run_sweep(functions.signal_sweep, grid, store=store)
    assert frame.status[0] == "done" and row(store) == ("done", 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_ended_sweeps_are_no_deaths(store, tmp_path, number):
    grid = [{"x": 1, "log": str(tmp_path / "log"), "number": int(number)}]
    for _ in range(3):
        assert start_sweep("signal_sweep", grid, store).wait() == -number
    frame = run_sweep(functions.signal_sweep, grid, store=store)
    assert frame.status[0] == "done" and row(store) == ("done", 1)


def test_workers_end_with_their_sweep(store, tmp_path):
    log = tmp_path / "log"
    child = start_sweep("hold", [{"x": 1, "log": str(log)}], store)
    wait_for_lines(log, 1)
    child.kill()
    child.wait()
    with open(log) as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # free once the worker is gone


def test_claims_of_an_earlier_sweep_of_this_process_are_free(store):
    with connect(store) as db:
        enqueue(db, "f", {"key": "{}"}, False)
        owner = f"{socket.gethostname()}:{os.getpid()}:1"
        assert claim(db, owner, deque(["key"])) == ("key", "{}")
        assert claim(db, "other", deque(["key"])) is None
        release_dead(db)
        assert claim(db, "other", deque(["key"])) == ("key", "{}")


def test_deadline_leaves_the_rest_pending(store):
    grid = [{"x": x, "wait": 0.3} for x in range(5)]
    end = time.monotonic() + 0.4
    frame = run_sweep(functions.square, grid, store=store, deadline=end)
    assert set(frame.status) == {"done", "pending"}
    assert (run_sweep(functions.square, grid, store=store).status == "done").all()


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


def test_unknown_backend_is_refused(store, monkeypatch):
    monkeypatch.setenv("SCALING_BACKEND", "dask")
    with pytest.raises(SweepError, match="'local', 'ray'"):
        run_sweep(functions.square, [{"x": 1}], store=store)
    with pytest.raises(SweepError, match="'local', 'ray'"):
        run_sweep(functions.square, [{"x": 1}], store=store, backend="dask")


def test_the_number_of_processes_may_come_from_outside(store, monkeypatch):
    monkeypatch.setenv("SCALING_SWEEP_JOBS", "2")
    grid = [{"x": i} for i in range(8)]
    made = []
    real = sweep._Workers._launch
    monkeypatch.setattr(
        sweep._Workers, "_launch", lambda crew: made.append(1) or real(crew)
    )
    frame = run_sweep(functions.square, grid, store=store)
    assert set(frame.status) == {"done"} and len(made) == 2
