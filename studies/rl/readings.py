"""What counts of answers say: pass rates, the commonest format, the best temperature.

Introduced in the chapter on reinforcement learning.

Shapes: F formats, H temperatures, Q questions. Counts are those of
`studies.rl.chances.expected_counts`, (..., 2, F + 1): drawn and right, the last format
none.
"""

import numpy as np


def pass_rate(counts: np.ndarray) -> np.ndarray:
    """Return the share of right answers, (...).

    >>> float(pass_rate(np.array([[4, 4, 2], [3, 1, 0]])))
    0.4
    """
    counts = np.asarray(counts)
    return counts[..., 1, :].sum(axis=-1) / counts[..., 0, :].sum(axis=-1)


def accuracy(counts: np.ndarray) -> np.ndarray:
    """Return the share of right ones among the answers of each format, (..., F).

    >>> accuracy(np.array([[4, 0, 2], [3, 0, 0]])).tolist()
    [0.75, 0.0]
    """
    drawn, right = np.moveaxis(np.asarray(counts)[..., :-1], -2, 0)
    return right / np.maximum(drawn, 1)


def tag_shares(counts: np.ndarray) -> np.ndarray:
    """Return the share of each format among the answers that have one, (..., F).

    >>> tag_shares(np.array([[4, 4, 2], [3, 1, 0]])).tolist()
    [0.5, 0.5]
    """
    drawn = np.asarray(counts, dtype=float)[..., 0, :-1]
    return drawn / np.maximum(drawn.sum(axis=-1, keepdims=True), 1)


def commonest(counts: np.ndarray) -> np.ndarray:
    """Return the share of the commonest format among the answers that have one, (...).

    >>> float(commonest(np.array([[6, 2, 2], [3, 1, 0]])))
    0.75
    """
    return tag_shares(counts).max(axis=-1)


def share_of_best(counts: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the share (`tag_shares`) of the format most accurate in ``first``, (...).

    >>> float(share_of_best(np.array([[6, 2, 2], [3, 1, 0]]), [[4, 4, 2], [1, 3, 0]]))
    0.25
    """
    best = accuracy(first).argmax(axis=-1)[..., None]
    return np.take_along_axis(tag_shares(counts), best, axis=-1)[..., 0]


def log_others(counts: np.ndarray) -> np.ndarray:
    """Return the ln of the share of all formats but the commonest, (...).

    Half an answer is added, so that none seen is no infinity.

    >>> bool(log_others(np.array([[8, 0, 0], [3, 0, 0]])) == np.log(0.5 / 8.5))
    True
    """
    drawn = np.asarray(counts, dtype=float)[..., 0, :-1]
    total = drawn.sum(axis=-1)
    return np.log((total - drawn.max(axis=-1) + 0.5) / (total + 0.5))


def pass_by_temperature(chance: np.ndarray, k: int) -> np.ndarray:
    """Return pass@k at each temperature, the mean over questions: (..., Q) to (...).

    1 - (1 - p)^k of an answer's chance p to be right.

    >>> pass_by_temperature(np.array([[0, 1], [0.5, 0.5]]), k=2).tolist()
    [0.5, 0.75]
    """
    return (1 - (1 - np.asarray(chance)) ** k).mean(axis=-1)


def best_pass(chance: np.ndarray, k: int) -> np.ndarray:
    """Return pass@k at its best temperature: (..., H, Q) to (...).

    >>> float(best_pass(np.array([[0, 0.5], [1, 1]]), k=1))
    1.0
    """
    return pass_by_temperature(chance, k).max(axis=-1)


def at_best_rate(passed: np.ndarray) -> np.ndarray:
    """Return pass rates at the learning rate whose mean over runs is best: (R, K) to (K,).

    One rate for all runs: the best of each run alone would favour what spreads.

    >>> at_best_rate(np.array([[0.1, 0.9], [0.6, 0.5]])).tolist()
    [0.6, 0.5]
    """
    return passed[passed.mean(axis=1).argmax()]
