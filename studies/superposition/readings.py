"""What is read off trained toys: gain, distance from the ideal, survivors, evenness.

Introduced in chapter 1.
"""

from collections.abc import Sequence

import numpy as np

from scaling_core.base.slopes import fit_slopes
from studies.superposition.curves import chance_above
from studies.superposition.geometry import (
    random_overlap_moments,
    random_unit_vectors,
    squared_overlap_stats,
)
from studies.superposition.ideal import ideal_losses
from studies.superposition.tight import tight_rows
from studies.superposition.toys import ToyRuns


def attainable_gain(toys: ToyRuns, n: int, alpha: float, gamma: float) -> np.ndarray:
    """Return (L0 - L) / (L0 - S), mean over widths, one per seed.

    L0 is the loss of knowing nothing, S the exact sum beyond as many of the most
    frequent features as have long rows. NaN if there is none at any width.
    """
    nothing = ideal_losses(n, [0], alpha)[0]
    gain = nothing - toys.get("loss", alpha, gamma)
    return _of_possible(gain, nothing - toys.get("ignored_top", alpha, gamma))


def random_gain(toys: ToyRuns, n: int, alpha: float, gamma: float) -> np.ndarray:
    """Return the same for as many features drawn at random and perfect, expected."""
    nothing = ideal_losses(n, [0], alpha)[0]
    gain = nothing * toys.get("represented", alpha, gamma)
    return _of_possible(gain, nothing - toys.get("ignored_top", alpha, gamma))


def _of_possible(gain_SM: np.ndarray, possible_SM: np.ndarray) -> np.ndarray:
    """Return the mean over widths of gain / possible, where something is possible."""
    possible_SM = np.where(possible_SM > 0, possible_SM, np.nan)
    return np.nanmean(gain_SM / possible_SM, axis=1)


def against_sum(toys: ToyRuns, n: int, alpha: float, gamma: float) -> dict:
    """Compare networks with the exact sum for one feature to a dimension, k = m.

    Returns
    -------
    dict
        ``distance`` from the ideal at the worst width, mean over seeds; ``rows``, long
        ones per dimension, (seeds, widths); ``minus_sum``, the exponent minus that of
        the sum, one per seed, and ``left_out``, without each width.
    """
    exact = fit_slopes(toys.ms, ideal_losses(n, toys.ms, alpha)[None])
    fit = toys.slopes(alpha, gamma)
    return dict(
        alpha=alpha,
        gamma=gamma,
        distance=toys.get("off_ideal", alpha, gamma).max(axis=1).mean(),
        rows=n * toys.get("represented", alpha, gamma) / np.array(toys.ms),
        minus_sum=exact.runs - fit.runs,
        left_out=exact.leave_one_out - fit.leave_one_out,
    )


def chance_to_tell(scores: Sequence, kept: Sequence) -> float:
    """Return the chance that a kept feature scores above a dropped one, mean over runs.

    Runs that keep all or none tell nothing: 1/2.

    >>> chance_to_tell([[3, 2, 1], [1, 2, 3]], [[True, True, False]] * 2)
    0.5
    """
    pairs = zip(np.asarray(scores), np.asarray(kept), strict=True)
    chances = [chance_above(score[k], score[~k]) for score, k in pairs]
    return float(np.mean(np.nan_to_num(chances, nan=0.5)))


def tight_evenness(count: int, m: int, *, rng: np.random.Generator) -> float:
    """Return 1 - the variance of squared overlaps over that of random directions.

    Of `tight_rows` of ``count`` random directions (at least m + 1): what evenness
    whitening alone gives.

    >>> bool(tight_evenness(40, 20, rng=np.random.default_rng(0)) > 0.2)
    True
    """
    rows = tight_rows(random_unit_vectors(max(count, m + 1), m, rng=rng))
    return 1 - squared_overlap_stats(rows)[1] / random_overlap_moments(m)[1]
