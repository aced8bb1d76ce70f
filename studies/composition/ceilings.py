"""What the product of a word can be guessed from, without composing it.

Exact, by counting words. Shapes: G order of the group. Introduced in the chapter on
composition.
"""

from collections import defaultdict

import numpy as np

from scaling_core.data.tasks import symmetric_group


def bag_ceiling(length: int, n: int = 3) -> np.ndarray:
    """Return the best accuracy on the product from counts of symbols, t = 1 .. length.

    max over answers, for each multiset of t elements of S_n, of the number of its
    orders with that product, summed, over G^t. With the last k elements known in
    order besides, it is the ceiling at t - k: they multiply whatever came before.

    >>> bag_ceiling(3).round(3).tolist()  # in S_3 half of all pairs commute
    [1.0, 0.75, 0.634]
    """
    if length < 1:
        raise ValueError(f"a word has at least one element, got length {length}")
    table = symmetric_group(n)
    order = len(table)
    empty = np.zeros(order)
    empty[0] = 1  # the identity
    words: dict[tuple, np.ndarray] = {(0,) * order: empty}
    ceilings = []
    for t in range(1, length + 1):
        longer: dict[tuple, np.ndarray] = defaultdict(lambda: np.zeros(order))
        for counts, products in words.items():
            for symbol in range(order):
                more = (*counts[:symbol], counts[symbol] + 1, *counts[symbol + 1 :])
                # right multiplication permutes the group: no index appears twice
                longer[more][table[:, symbol]] += products
        words = dict(longer)
        ceilings.append(sum(p.max() for p in words.values()) / order**t)
    return np.array(ceilings)


def window_ceiling(length: int, k: int, n: int = 3) -> np.ndarray:
    """Return the best accuracy on the product from the last k elements, t = 1 .. length.

    1 up to t = k; then the chance 1/G, since a factor that is not seen makes every
    product alike likely. k = 0 is a constant answer, k = 1 the last symbol.

    >>> window_ceiling(3, 1).round(3).tolist()
    [1.0, 0.167, 0.167]
    """
    chance = 1 / len(symmetric_group(n))
    return np.where(np.arange(1, length + 1) <= k, 1.0, chance)
