"""The corpus from the standard library: tokens, splits, and steps that repeat."""

import numpy as np
import pytest
import torch

from scaling_core.data.corpora import BLOCK, CHARACTERS, Corpus, python_source

TEXT = "".join(f"line {i}: def f(x): return x ** {i}\n" for i in range(3000))


def test_this_python_has_the_text():
    corpus = python_source()
    assert len(corpus.text) > 2_000_000 and "def " in corpus.text
    assert len(corpus.sha256) == 64
    tokens = corpus.splits["train"]
    assert tokens.max() < corpus.d_vocab == len(CHARACTERS) == 96
    assert corpus.text[:BLOCK] == corpus.decode(tokens[:BLOCK])


def test_splits_are_disjoint_and_whole():
    corpus = Corpus(TEXT)
    train, held_out = corpus.splits["train"], corpus.splits["validation"]
    assert len(train) + len(held_out) == len(TEXT)
    assert corpus.decode(held_out[:BLOCK]) == TEXT[9 * BLOCK : 10 * BLOCK]
    assert 0.05 < len(held_out) / len(TEXT) < 0.11


def test_round_trip():
    corpus = Corpus("")
    assert corpus.decode(corpus.encode(TEXT)) == TEXT
    assert corpus.decode(corpus.encode("é…\t")) == "???"


def test_batches_are_functions_of_seed_split_and_step():
    corpus = Corpus(TEXT)
    batches = corpus.batches(batch=4, n_ctx=16, seed=1)
    assert (
        batches.batch_at(3).shape == (4, 17)
        and batches.batch_at(3).dtype == torch.int64
    )
    assert torch.equal(batches.batch_at(3), batches.batch_at(3))
    others = (
        batches.batch_at(4),
        corpus.batches(batch=4, n_ctx=16, seed=2).batch_at(3),
        corpus.batches(batch=4, n_ctx=16, seed=1, split="validation").batch_at(3),
    )
    assert not any(torch.equal(batches.batch_at(3), other) for other in others)


def test_windows_are_pieces_of_the_text_and_reach_its_end():
    corpus = Corpus(TEXT[:400])
    windows = corpus.batches(batch=64, n_ctx=9, seed=0)
    train = corpus.decode(corpus.splits["train"])
    pieces = {
        corpus.decode(row) for step in range(60) for row in windows.batch_at(step)
    }
    assert all(piece in train for piece in pieces)
    assert train[:10] in pieces and train[-10:] in pieces
    with pytest.raises(ValueError, match="windows of 501 tokens"):
        corpus.batches(batch=1, n_ctx=500, seed=0)


def test_a_python_without_sources_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    python_source.cache_clear()
    with pytest.raises(FileNotFoundError, match="no full standard library"):
        python_source()
    python_source.cache_clear()


def test_encoding_is_exact():
    ids = Corpus("").encode("".join(CHARACTERS))
    assert np.array_equal(ids, np.arange(96))
