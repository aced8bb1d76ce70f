"""The grid of ResNets, on a folder that has CIFAR-10's shape and little in it."""

import pickle

import numpy as np
import pytest

from scaling_core.data.images import MissingImagesError
from studies.pruning.resnets import measure_resnets

SMALL = dict(seed=0, pools=[20, 50], share=0.2, steps=2, width=2, batch=8)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SCALING_DATA", str(tmp_path))
    room = tmp_path / "cifar-10-batches-py"
    room.mkdir()
    rng = np.random.default_rng(0)
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        data = rng.integers(256, size=(10, 3072), dtype=np.uint8)
        batch = {b"data": data, b"labels": list(range(10))}
        (room / name).write_bytes(pickle.dumps(batch))
    return room


def test_every_pool_and_policy_has_its_errors(folder):
    found = measure_resnets(**SMALL)
    policies = ["random", "EL2N hard, balanced", "EL2N easy, balanced"]
    assert found["pool"] == [20] * 3 + [50] * 3
    assert found["policy"] == policies * 2
    assert all(0 <= error <= 1 for error in found["full"] + found["half"])
    assert measure_resnets(**SMALL)["policy"] == found["policy"]


def test_a_missing_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("SCALING_DATA", str(tmp_path))
    with pytest.raises(MissingImagesError, match="cifar-10-batches-py"):
        measure_resnets(**SMALL)
