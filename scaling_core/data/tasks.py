"""Synthetic tasks with a verifier: here the word problem of a permutation group.

Given elements g_1 .. g_T, say the running product g_1·g_2·…·g_t at each t. Every
further position needs one more composition, which makes it an honest test of depth.
S_3 and S_4 are solvable; for S_5 no circuit of constant depth is believed to exist
(Barrington 1989; arXiv 2210.10749).

Shapes: B sequences, T positions, G order of the group.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np
import torch
from torch import Tensor


def symmetric_group(n: int) -> np.ndarray:
    """Return the multiplication table of S_n, (n!, n!): table[a, b] is a, then b.

    Element 0 is the identity; the others follow in lexicographic order.

    >>> symmetric_group(2).tolist()
    [[0, 1], [1, 0]]
    """
    if not 1 <= n <= 6:
        raise ValueError(f"need 1 <= n <= 6, got {n}: the table has (n!)² entries")
    elements = np.array(list(permutations(range(n))))
    composed = elements[:, elements]  # [b, a, i] = b(a(i))
    place = n ** np.arange(n)
    order = np.argsort(elements @ place)
    found = np.searchsorted(elements[order] @ place, composed @ place)
    return order[found].T


@dataclass(frozen=True)
class WordProblem:
    """Random words of a symmetric group, with the running product as labels.

    Attributes
    ----------
    n, length
        Of S_n, and the number of elements of a word.
    batch, seed
        Words per batch; a batch is a pure function of seed, split and step.

    Notes
    -----
    There is no start token: give the model learned positions. With relative ones
    (RoPE) the words a and aa look the same, which caps position 2 of S_3 at 31/36.

    Examples
    --------
    >>> problem = WordProblem(n=3, length=4, batch=2, seed=0)
    >>> words, labels = problem.batch_at(0)
    >>> problem.verify(words, labels).all().item()
    True
    """

    n: int = 3
    length: int = 8
    batch: int = 64
    seed: int = 0

    @cached_property
    def table(self) -> np.ndarray:
        """The group's multiplication table."""
        return symmetric_group(self.n)

    @property
    def d_vocab(self) -> int:
        """Order of the group, n!: the number of tokens and of labels."""
        return len(self.table)

    def batch_at(self, step: int, *, split: str = "train") -> tuple[Tensor, Tensor]:
        """Return words and labels, int64 (B, T) each."""
        rng = np.random.default_rng((self.seed, len(split), step))
        words_BT = rng.integers(self.d_vocab, size=(self.batch, self.length))
        return torch.from_numpy(words_BT), torch.from_numpy(self.products(words_BT))

    def products(self, words_BT: np.ndarray) -> np.ndarray:
        """Return the running products of words, (B, T)."""
        out = np.array(words_BT)
        for t in range(1, out.shape[1]):
            out[:, t] = self.table[out[:, t - 1], out[:, t]]
        return out

    def verify(self, words_BT: Tensor, answers_BT: Tensor) -> Tensor:
        """Return where answers are right, bool (B, T)."""
        expected = self.products(words_BT.cpu().numpy())
        return answers_BT.cpu() == torch.from_numpy(expected)
