"""The store: opened by many at once, damaged, and not a store at all."""

import json
import multiprocessing
from collections import deque

import pytest

from scaling_core.training.store import (
    StoreError,
    claim,
    config_key,
    connect,
    enqueue,
    read,
    store_outcome,
    unfinished,
)
from scaling_core.training.sweep import frame, run_sweep
from tests.faults import often

from . import sweep_functions as functions
from .store_openers import open_stores

PAGE = 4096


@often("8 processes open one new store")
def test_new_store_is_opened_by_many_at_once(tmp_path, times):
    context = multiprocessing.get_context("spawn")
    barrier, failures = context.Barrier(8), context.Queue()
    arguments = (barrier, tmp_path, times, failures)
    processes = [context.Process(target=open_stores, args=arguments) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    found = [failures.get() for _ in range(failures.qsize())]
    assert not found and {process.exitcode for process in processes} == {0}
    assert len(list(tmp_path.glob("*.sqlite"))) == times


def filled(store, rows=200):
    """Fill a store with finished rows; return keys and configs."""
    configs = [json.dumps({"x": x}) for x in range(rows)]
    keys = [config_key("f", config) for config in configs]
    with connect(store) as db:
        enqueue(db, "f", dict(zip(keys, configs, strict=True)), False)
        for x, key in enumerate(keys):
            outcome = {"status": "done", "result": json.dumps({"y": x}), "seconds": 0.0}
            store_outcome(db, key, outcome)
    return keys, configs


def damage(store, page):
    content = bytearray(store.read_bytes())
    content[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)
    store.write_bytes(content)


def use(store, keys, configs):
    """Do what a sweep does with its store; return results and what is left to run."""
    with connect(store) as db:
        enqueue(db, "f", dict(zip(keys, configs, strict=True)), False)
        left = unfinished(db, set(keys))
        while claim(db, "host:1:1", deque(left)):
            pass
        return frame(read(db), keys, configs), len(left)


def test_damaged_store_keeps_what_can_be_read(tmp_path):
    keys, configs = filled(tmp_path / "whole.sqlite")
    whole = (tmp_path / "whole.sqlite").read_bytes()
    lost = []
    for page in range(1, len(whole) // PAGE):
        store = tmp_path / str(page) / "runs.sqlite"
        store.parent.mkdir()
        store.write_bytes(whole)
        damage(store, page)
        message = ""
        try:
            results, left = use(store, keys, configs)
        except StoreError as error:
            message = str(error)
            results, left = use(store, keys, configs)
        if message:
            assert str(store) in message and "start the sweep again" in message
            assert len(list(store.parent.glob("*.damaged-*"))) == 1
            lost.append(left)
        done = results[results.status == "done"].to_dict("records")
        assert len(done) == 200 - left and all(row["x"] == row["y"] for row in done)
    assert len(lost) > 5 and sorted(lost)[len(lost) // 2] < 40


def test_other_files_are_no_stores_and_left_alone(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("x,y\n" * 1000)
    with pytest.raises(StoreError, match=r"results\.csv is no sweep store"):
        run_sweep(functions.square, [{"x": 1}], store=path)
    assert path.read_text() == "x,y\n" * 1000
