"""Sweeps on a Ray cluster: a node killed on the way, GPUs per config, no cluster."""

import os
import socket
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from scaling_core.base import cluster as settings
from scaling_core.base.cluster import check_cluster
from scaling_core.base.errors import UsageError
from scaling_core.training.cluster import ClusterError
from scaling_core.training.store import connect
from scaling_core.training.sweep import run_sweep

from . import sweep_functions as functions

FAULT = "a node of a Ray cluster is killed in mid-sweep"
NODE = dict(num_cpus=2, object_store_memory=100 * 2**20)
SOON = {"health_check_initial_delay_ms": 1000, "health_check_period_ms": 500}
MOST_BYTES = 1.5e9


@pytest.fixture(scope="module")
def cluster():
    """A cluster of one node with a GPU by name, found by ``RAY_ADDRESS``."""
    ray = pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        head = NODE | dict(num_gpus=1, include_dashboard=False, _system_config=SOON)
        cluster = Cluster(initialize_head=True, head_node_args=head)
        patch.setenv("RAY_ADDRESS", cluster.address)
        yield cluster
        ray.shutdown()
        cluster.shutdown()


@pytest.mark.full
def test_killed_node_loses_and_doubles_no_row(cluster, tmp_path, capsys):
    """It is killed when it holds two configs and four rows are in the store."""
    node = cluster.add_node(**NODE)
    doomed = node.all_processes["raylet"][0].process.pid
    store, log = tmp_path / "ray.sqlite", tmp_path / "log"
    grid = [{"x": x, "log": str(log), "doomed": doomed} for x in range(12)]
    peak, ended, start = [0], threading.Event(), time.monotonic()

    def kill():
        while _held(log, doomed) < 2 or _done(store) < 4:
            time.sleep(0.05)
        cluster.remove_node(node, allow_graceful=False)

    def watch():
        while not ended.wait(0.3):
            peak[0] = max(peak[0], _family_bytes())

    threads = [threading.Thread(target=kill), threading.Thread(target=watch)]
    for thread in threads:
        thread.start()
    frame = run_sweep(functions.outlive, grid, store=store, backend="ray")
    seconds = time.monotonic() - start
    ended.set()
    for thread in threads:
        thread.join()
    starts = [line.split(":") for line in log.read_text().split()]
    lost = {x for x, parent in starts if parent == str(doomed)}
    assert len(lost) == 2
    assert Counter(x for x, _ in starts) == {
        str(c["x"]): 1 + (str(c["x"]) in lost) for c in grid
    }
    assert _done(store) == len(grid)
    local = run_sweep(functions.outlive, grid, store=tmp_path / "local.sqlite")
    assert (frame.status == "done").all()
    same = [column for column in local if column not in ("seconds", "error")]
    assert frame[same].to_dict() == local[same].to_dict()
    assert 0 < peak[0] < MOST_BYTES
    with capsys.disabled():
        print(f"\na node lost: {seconds:.0f} s, {peak[0] / 1e9:.2f} GB at most")


def _held(log: Path, doomed: int) -> int:
    return log.read_text().count(f":{doomed}\n") if log.exists() else 0


def _done(store: Path) -> int:
    with connect(store) as db:
        query = "SELECT count(*) FROM runs WHERE status = 'done'"
        return db.execute(query).fetchone()[0]


def _family_bytes() -> int:
    """Return the memory of this process and all below it, shared pages once (PSS)."""
    children, sizes = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            pss = (folder / "smaps_rollup").read_text().split("\nPss:")[1].split()[0]
        except (OSError, IndexError):  # it ended, or is not ours to read
            continue
        children.setdefault(parent, []).append(int(folder.name))
        sizes[int(folder.name)] = 1024 * int(pss)
    family = [os.getpid()]
    for process in family:
        family += children.get(process, [])
    return sum(sizes.get(process, 0) for process in family)


@pytest.mark.full
def test_gpus_are_kept_per_config(cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("SCALING_RAY_GPUS", "1")
    grid, store = [{"x": x} for x in range(3)], tmp_path / "runs.sqlite"
    frame = run_sweep(functions.visible_gpus, grid, store=store, backend="ray")
    assert frame.gpus.tolist() == ["0"] * 3
    monkeypatch.setenv("SCALING_RAY_GPUS", "2")
    with pytest.raises(ClusterError, match="asks for 2 GPUs; no node .* more than 1"):
        run_sweep(functions.visible_gpus, [{"x": 5}], store=store, backend="ray")


@pytest.mark.full
def test_a_config_that_kills_its_process_fails_after_three_tries(cluster, tmp_path):
    store = tmp_path / "runs.sqlite"
    frame = run_sweep(functions.die, [{"x": 1}], store=store, backend="ray")
    assert frame.status[0] == "failed" and "died 3 times" in frame.error[0]


@pytest.mark.full
def test_an_edit_between_sweeps_counts(cluster, tmp_path, monkeypatch):
    """Worker processes of an earlier sweep hold the old code, and are not asked."""
    module = tmp_path / "edited_between.py"
    module.write_text("def fn(x):\n    return {'y': x}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import edited_between  # pyright: ignore[reportMissingImports]

    store = tmp_path / "runs.sqlite"
    run_sweep(edited_between.fn, [{"x": 1}], store=store, backend="ray")
    module.write_text("def fn(x):\n    return {'y': -x}\n")
    frame = run_sweep(edited_between.fn, [{"x": 1}], store=store, backend="ray")
    assert frame.y[0] == -1


def test_nobody_at_an_address_is_one_line(tmp_path, monkeypatch):
    with socket.socket() as free:  # bound, but nobody listens
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(UsageError, match="no Ray cluster answers at 127"):
            run_sweep(
                functions.square,
                [{"x": 1}],
                store=tmp_path / "runs.sqlite",
                backend="ray",
            )


@pytest.mark.parametrize("address", ["head", ":1", "head:", "ray://head:1", "a:b"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(UsageError, match="allowed: HOST:PORT, auto"):
        check_cluster(address)


@pytest.mark.parametrize("gpus", ["-1", "1.5", "nan", "inf", "two"])
def test_what_is_no_number_of_gpus_is_refused(gpus):
    with pytest.raises(UsageError, match="whole numbers, or parts"):
        check_cluster("", gpus)


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(settings, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="extra `cluster`"):
        check_cluster()
