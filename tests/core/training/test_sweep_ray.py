"""A sweep on a Ray cluster of two local nodes, one of which is killed on the way."""

import os
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from scaling_core.training.sweep import run_sweep

from . import sweep_functions as functions

ROOT = Path(__file__).parents[3]


@pytest.mark.full
def test_killed_node_loses_and_doubles_no_row(tmp_path, monkeypatch):
    ray = pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT)]))
    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    node = dict(num_cpus=2, object_store_memory=100 * 2**20)
    cluster = Cluster(initialize_head=True, head_node_args=node)
    try:
        second = cluster.add_node(**node)
        ray.init(address=cluster.address, log_to_driver=False)
        killer = threading.Thread(target=_kill_soon, args=(cluster, second))
        killer.start()
        log = tmp_path / "log"
        grid = [{"x": x, "log": str(log), "wait": 1.0} for x in range(16)]
        frame = run_sweep(
            functions.square, grid, store=tmp_path / "runs.sqlite", backend="ray"
        )
        killer.join()
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert (frame.status == "done").all() and len(frame) == 16
    assert frame.y.tolist() == [x * x for x in range(16)]
    started = Counter(log.read_text().split())
    assert set(started) == {str(x) for x in range(16)}


def _kill_soon(cluster, node) -> None:
    time.sleep(3)
    cluster.remove_node(node, allow_graceful=False)
