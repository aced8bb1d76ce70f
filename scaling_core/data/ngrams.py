"""What counting characters reaches: the losses that a language model must beat.

Shapes: B sequences, T positions, V d_vocab. Introduced in the chapter on depth.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from scaling_core.data.corpora import Corpus

PRIOR = 5.0  # how many counts the shorter context weighs in the longer one's


def ngram_losses(
    corpus: Corpus, tokens_BT: Tensor, labels_BT: Tensor, *, longest: int = 3
) -> list[float]:
    """Return losses of unigrams, bigrams, … counted on the training text, in nats.

    P_n = (count + `PRIOR`·P_{n-1}) / (context's count + `PRIOR`), P_0 uniform. Where a
    window has less context a table takes what there is: it sees what a model sees.

    >>> from scaling_core.data.corpora import python_source
    >>> from torch import tensor
    >>> tokens = tensor([[69, 70, 71]])  # "def", then a space
    >>> one, two, three = ngram_losses(python_source(), tokens, tensor([[70, 71, 1]]))
    >>> one > two > three
    True
    """
    V, train = corpus.d_vocab, corpus.splits["train"].astype(np.int64)
    seen_BT = np.concatenate([tokens_BT.cpu(), labels_BT[:, -1:].cpu()], axis=1)
    p_BT, losses = np.full(labels_BT.shape, 1 / V), []
    for n in range(1, longest + 1):
        place = V ** np.arange(n)[::-1]  # a number of n digits for every n-gram
        counts = np.bincount(sliding_window_view(train, n) @ place, minlength=V**n)
        totals = counts.reshape(-1, V).sum(axis=1)
        gram = (sliding_window_view(seen_BT, n, axis=1) @ place)[:, max(0, 2 - n) :]
        shorter = p_BT[:, max(0, n - 2) :]  # a label's n-gram begins n - 2 before it
        shorter[:] = (counts[gram] + PRIOR * shorter) / (totals[gram // V] + PRIOR)
        losses.append(float(-np.log(p_BT).mean()))
    return losses
