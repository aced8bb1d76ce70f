"""Checkpoints that are damaged or hostile: an error, nothing run, nothing filled in."""

import pickle
import random

import pytest
import torch
from safetensors import SafetensorError
from torch import nn

from scaling_core.training.checkpoint import load_checkpoint, save_checkpoint
from tests.faults import often


class Payload:
    """What a pickle would do to whoever opens it."""

    def __reduce__(self):
        return (open, ("stolen", "w"))


def model():
    net = nn.Linear(8, 8)
    with torch.no_grad():
        net.weight.fill_(0.5)
    return net


def cut_or_flip(content: bytes, rng: random.Random) -> bytes:
    """Return a file cut short, or with a bit of its head flipped.

    A flipped bit of a weight is a weight: no format without checksums can tell.
    """
    if rng.random() < 0.5:
        return content[: rng.randrange(len(content))]
    at = rng.randrange(8 + int.from_bytes(content[:8], "little"))
    return (
        content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]
    )


@often("a checkpoint is damaged")
def test_damage_is_an_error_or_harmless(tmp_path, times):
    path, rng = tmp_path / "a.safetensors", random.Random(times)
    save_checkpoint(path, model(), step=3, run="this")
    whole, accepted = path.read_bytes(), 0
    for _ in range(times):
        path.write_bytes(cut_or_flip(whole, rng))
        net = model()
        try:
            step, _ = load_checkpoint(path, net, run="this")
        except (SafetensorError, ValueError, UnicodeDecodeError, OSError):
            assert (net.weight == 0.5).all()
        else:  # a bit of the step, or of the name "step"
            accepted += 1
            assert step != 3 or (net.weight == 0.5).all()
    assert accepted <= times / 20


def test_a_pickle_is_no_checkpoint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.safetensors"
    for content in (pickle.dumps(Payload()), b"", b"\0" * 100, b"\xff" * 100):
        path.write_bytes(content)
        with pytest.raises(SafetensorError):
            load_checkpoint(path, model())
    torch.save({"weight": Payload()}, path)
    with pytest.raises(SafetensorError):
        load_checkpoint(path, model())
    assert not (tmp_path / "stolen").exists()
