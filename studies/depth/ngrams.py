"""Losses of n-gram tables: what a language model must beat before depth is the question.

Shapes: B sequences, T positions, V characters.
"""

from functools import cache

import numpy as np
from torch import Tensor

from scaling_core.data.corpora import python_source

SMOOTHING = 0.1  # added to every count; the losses hardly depend on it


@cache
def _log_table(n: int) -> np.ndarray:
    """Return log p(next character | the n - 1 before it), (V^(n-1), V)."""
    corpus = python_source()
    tokens, V = corpus.splits["train"].astype(np.int64), corpus.d_vocab
    index = np.zeros(len(tokens) - n + 1, dtype=np.int64)
    for i in range(n):
        index = index * V + tokens[i : len(tokens) - n + 1 + i]
    counts = np.bincount(index, minlength=V**n).reshape(-1, V) + SMOOTHING
    return np.log(counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)


def ngram_loss(n: int, tokens_BT: Tensor, labels_BT: Tensor) -> float:
    """Return the mean loss in nats of an n-gram table on the labels of these windows.

    The table is counted on the training split, each count plus 0.1. It sees what a
    model sees: at the first positions of a window, where fewer than n - 1 characters
    stand before, the table of the largest n that fits answers.

    Raises
    ------
    ValueError
        If n is not 1, 2 or 3.
    """
    if n not in (1, 2, 3):
        raise ValueError(f"n-gram tables are counted for n = 1, 2, 3; got {n}")
    tokens, labels = tokens_BT.cpu().numpy(), labels_BT.cpu().numpy()
    V, loss = python_source().d_vocab, 0.0
    for t in range(tokens.shape[1]):
        known = min(n - 1, t + 1)
        row = np.zeros(len(tokens), dtype=np.int64)
        for i in range(t - known + 1, t + 1):
            row = row * V + tokens[:, i]
        loss -= float(_log_table(known + 1)[row, labels[:, t]].sum())
    return loss / labels.size
