"""Losses of n-gram tables: known answers."""

import numpy as np
import pytest
import torch

from scaling_core.data.corpora import Corpus, python_source
from scaling_core.data.ngrams import ngram_losses


def test_ngrams_are_the_plain_count():
    corpus = python_source()
    train = corpus.splits["train"].astype(int)
    tokens, labels = torch.tensor([[69, 70]]), torch.tensor([[70, 71]])
    one, two, _ = ngram_losses(corpus, tokens, labels)
    V = corpus.d_vocab
    share = (np.bincount(train, minlength=V) + 5 / V) / (len(train) + 5)
    assert one == pytest.approx(-np.log(share[[70, 71]]).mean())
    pairs = [
        ((train[:-1] == a) & (train[1:] == b)).sum() for a, b in [(69, 70), (70, 71)]
    ]
    wholes = [(train[:-1] == a).sum() for a in (69, 70)]
    p = (np.array(pairs) + 5 * share[[70, 71]]) / (np.array(wholes) + 5)
    assert two == pytest.approx(-np.log(p).mean(), rel=1e-6)


def test_a_text_that_repeats_is_known_from_its_last_character():
    corpus = Corpus("ab" * 50_000)
    tokens, labels = torch.tensor([[66, 67, 66]]), torch.tensor([[67, 66, 67]])
    one, two, three = ngram_losses(corpus, tokens, labels)
    assert one == pytest.approx(np.log(2), abs=0.01)
    assert two < 1e-3 and three < 1e-3
