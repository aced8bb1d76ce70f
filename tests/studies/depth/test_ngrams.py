"""Tables of letters: counted by hand on a small text, ordered on the real one."""

import numpy as np
import pytest
import torch

from scaling_core.data.corpora import Corpus
from scaling_core.training.text import TextSetting
from studies.depth import ngrams


@pytest.fixture
def small(monkeypatch):
    corpus = Corpus("ab" * 50)
    monkeypatch.setattr(ngrams, "python_source", lambda: corpus)
    ngrams._log_table.cache_clear()
    yield corpus
    ngrams._log_table.cache_clear()


def test_losses_by_hand(small):
    tokens = torch.from_numpy(small.encode("abab").astype(np.int64))[None]
    labels = torch.from_numpy(small.encode("baba").astype(np.int64))[None]
    V = small.d_vocab
    assert ngrams.ngram_loss(1, tokens, labels) == pytest.approx(
        -np.log(50.1 / (100 + 0.1 * V)), rel=1e-6
    )
    after_a, after_b = (n + 0.1 for n in (50, 49))
    p = [after_a / (50 + 0.1 * V), after_b / (49 + 0.1 * V)]
    assert ngrams.ngram_loss(2, tokens, labels) == pytest.approx(
        -np.log(p).mean(), rel=1e-6
    )


def test_longer_tables_do_better_on_source_text():
    text = TextSetting(d_model=16, n_heads=2, n_ctx=32, batch=4, steps=1, seed=0)
    losses = [ngrams.ngram_loss(n, *text.held_out()) for n in (1, 2, 3)]
    assert losses[0] > losses[1] + 0.5 and losses[1] > losses[2] + 0.4
    with pytest.raises(ValueError, match="1, 2, 3"):
        ngrams.ngram_loss(4, *text.held_out())
