"""One set of answers under a chain of metrics, and what each keeps of the scale.

Introduced in the chapter on emergence.

Shapes: X sizes of model, Q questions, K choices (the right one first).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax
from scipy.stats import rankdata

METRICS = ("ln p", "p", "p among choices", "minus Brier", "accuracy")
BINS = 10
SWAPS = 30  # shifts by which courses are swapped
PLACES = range(3, 13)  # by which they are swapped in the order of level, both ways
SHUFFLES = 10


def chain(log_p: np.ndarray) -> dict[str, np.ndarray]:
    """Return the score of each question under each of `METRICS`, (..., Q).

    ``log_p`` (..., Q, K) becomes: ln p of the right choice; p; p renormalised over
    the choices, q = p / Σ p; minus Σ (q - right)²; and 1 where the right one is largest
    (arXiv 2406.04391: each step is one of its transformations).

    >>> scores = chain(np.log([[0.2, 0.1, 0.05, 0.05]]))
    >>> {name: float(x[0].round(3)) for name, x in scores.items()}
    {'ln p': -1.609, 'p': 0.2, 'p among choices': 0.5, 'minus Brier': -0.344, 'accuracy': 1.0}
    """
    log_q = log_softmax(log_p, axis=-1)
    q = np.exp(log_q)
    brier = (q[..., 0] - 1) ** 2 + (q[..., 1:] ** 2).sum(-1)
    best = log_p[..., 0] >= log_p.max(-1)
    values = (log_p[..., 0], np.exp(log_p[..., 0]), q[..., 0], -brier, best * 1.0)
    return dict(zip(METRICS, values, strict=True))


def correlation_with_size(
    score_XQ: np.ndarray, size_X: ArrayLike, *, ranks: bool = True
) -> np.ndarray:
    """Return the correlation of each question's score with ln of the size, (Q,).

    Spearman's, or Pearson's if not ``ranks``. A score that never changes counts 0.

    >>> correlation_with_size(np.array([[1.0, 5], [2, 5], [9, 5]]), [10, 20, 40])
    array([1., 0.])
    """
    y = np.asarray(score_XQ, dtype=float)
    x = np.log(np.asarray(size_X, dtype=float))
    still = np.ptp(y, axis=0) == 0
    if ranks:
        x, y = rankdata(x), rankdata(y, axis=0)
    x, y = x - x.mean(), y - y.mean(axis=0)
    spread = np.sqrt((x**2).sum() * (y**2).sum(axis=0))
    return np.where(still, 0.0, x @ y / np.where(still, 1.0, spread))


def chain_correlations(log_p_XQK: np.ndarray, size_X: ArrayLike, **options) -> dict:
    """Return for each of `METRICS` the mean correlation over questions."""
    scores = chain(log_p_XQK)
    return {
        name: float(correlation_with_size(score, size_X, **options).mean())
        for name, score in scores.items()
    }


def hold_wrong(log_p_XQK: np.ndarray) -> np.ndarray:
    """Return the same answers with the wrong choices at their mean over sizes.

    The null of the chain: what is right alone moves, so that q rises where p does.
    """
    held = log_p_XQK.copy()
    held[..., 1:] = log_p_XQK[..., 1:].mean(axis=0)
    return held


def drift_wrong(log_p_XQK: np.ndarray) -> np.ndarray:
    """Return the same answers with wrong choices that move as all wrong ones do.

    Each keeps its own mean over sizes, and moves as the mean of ln p over all questions
    and wrong choices: what is left if only that mean were known (arXiv 2406.04391: the
    mass on *specific* wrong choices must be known).
    """
    moved = hold_wrong(log_p_XQK)
    course = log_p_XQK[..., 1:].mean(axis=(1, 2))
    moved[..., 1:] += (course - course.mean())[:, None, None]
    return moved


def swap_wrong(log_p_XQK: np.ndarray, by: int = 1) -> np.ndarray:
    """Return the same answers with the courses of wrong choices ``by`` questions on.

    Each keeps its own mean over sizes, and moves as the wrong choice of another
    question does: as much as before, but not with the right choice of its own.
    """
    _, Q, K = log_p_XQK.shape
    source = np.roll(np.arange(Q * (K - 1)).reshape(Q, K - 1), -by, axis=0)
    return _give_courses(log_p_XQK, source.ravel())


def match_wrong(log_p_XQK: np.ndarray, by: int) -> np.ndarray:
    """Return the same answers with courses of wrong choices of like probability.

    All wrong choices of all questions in the order of their mean ln p over sizes: each
    keeps its mean, and moves as the one ``by`` places up (down, for less than 0, and
    at the ends, where there is none). How a course hangs on the level is kept.
    """
    level = log_p_XQK[..., 1:].mean(axis=0).ravel()
    order, place = level.argsort(kind="stable"), np.arange(level.size)
    inside = (place + by >= 0) & (place + by < level.size)
    source = np.empty_like(order)
    source[order] = order[np.where(inside, place + by, place - by)]
    return _give_courses(log_p_XQK, source)


def shuffle_wrong(log_p_XQK: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return the same answers, the sizes shuffled within each wrong choice.

    Wrong choices then move as far as before, and nothing in it has to do with size.
    """
    shuffled = log_p_XQK.copy()
    shuffled[..., 1:] = rng.permuted(log_p_XQK[..., 1:], axis=0)
    return shuffled


def _give_courses(log_p_XQK: np.ndarray, source_W: np.ndarray) -> np.ndarray:
    """Let each wrong choice keep its mean and move as that of number ``source_W``."""
    moved = hold_wrong(log_p_XQK)
    own = (log_p_XQK - moved)[..., 1:]
    moved[..., 1:] += own.reshape(len(own), -1)[:, source_W].reshape(own.shape)
    return moved


def swapped_correlations(log_p_XQK: np.ndarray, size_X: ArrayLike) -> dict:
    """Return `chain_correlations` with swapped courses, mean over `SWAPS` shifts."""
    shifts = range(1, min(SWAPS, log_p_XQK.shape[1] - 1) + 1)
    return _mean_correlations([swap_wrong(log_p_XQK, by) for by in shifts], size_X)


def matched_correlations(log_p_XQK: np.ndarray, size_X: ArrayLike) -> dict:
    """Return `chain_correlations` with courses of like level, mean over `PLACES`."""
    places = [by * sign for by in PLACES for sign in (1, -1)]
    return _mean_correlations([match_wrong(log_p_XQK, by) for by in places], size_X)


def shuffled_correlations(
    log_p_XQK: np.ndarray, size_X: ArrayLike, *, rng: np.random.Generator
) -> dict:
    """Return `chain_correlations` with shuffled sizes, mean over `SHUFFLES` draws."""
    drawn = [shuffle_wrong(log_p_XQK, rng=rng) for _ in range(SHUFFLES)]
    return _mean_correlations(drawn, size_X)


def _mean_correlations(answers: Sequence[np.ndarray], size_X: ArrayLike) -> dict:
    found = [chain_correlations(one, size_X) for one in answers]
    return {name: float(np.mean([one[name] for one in found])) for name in METRICS}


def mean_score_correlations(log_p_XQK: np.ndarray, size_X: ArrayLike) -> dict:
    """Return for each of `METRICS` the rank correlation of the mean over questions."""
    scores = chain(log_p_XQK)
    return {
        name: float(correlation_with_size(x.mean(axis=1)[:, None], size_X)[0])
        for name, x in scores.items()
    }


def slope(y_X: ArrayLike, size_X: ArrayLike) -> float:
    """Return the slope of y on ln of the size, by least squares.

    >>> round(slope([1.0, 2.0, 3.0], np.exp([0, 2, 4])), 3)
    0.5
    """
    return float(np.polyfit(np.log(size_X), np.asarray(y_X, dtype=float), 1)[0])


def calibration_error(log_p_QK: np.ndarray) -> float:
    """Return the expected calibration error of the largest choice, in `BINS` bins.

    Σ over bins of |hits - sum of confidences| / Q, the confidence being the largest
    renormalised p, in bins of equal width.

    >>> sure = np.log([[0.97, 0.01, 0.01, 0.01], [0.01, 0.97, 0.01, 0.01]])
    >>> round(calibration_error(sure), 3)  # sure, and right half of the time
    0.47
    """
    q = np.exp(log_softmax(log_p_QK, axis=-1))
    return _gap(q.max(-1), q.argmax(-1) == 0)


def calibration_floor(
    log_p_QK: np.ndarray, *, rng: np.random.Generator, draws: int = 50
) -> float:
    """Return the mean error of a calibrated model of the same confidences.

    Its hits are drawn with its own confidences: what chance alone leaves.
    """
    sure = np.exp(log_softmax(log_p_QK, axis=-1)).max(-1)
    hits = rng.random((draws, len(sure))) < sure
    return float(np.mean([_gap(sure, hit) for hit in hits]))


def _gap(confidence: np.ndarray, hit: np.ndarray) -> float:
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(np.abs(np.bincount(bins, hit - confidence)).sum() / len(hit))


def largest_step(y_X: ArrayLike) -> float:
    """Return what share of all change its largest step holds, 1/(X-1) for a line.

    >>> largest_step([0, 0, 0, 1.0]), largest_step([0, 1, 2, 3.0]) == 1 / 3
    (1.0, True)
    """
    steps = np.abs(np.diff(np.asarray(y_X, dtype=float)))
    total = steps.sum()
    return float(steps.max() / total) if total else 0.0


def forecast_last(y_X: ArrayLike, size_X: ArrayLike) -> tuple[float, float]:
    """Return errors of two forecasts of the largest model, in units of the range.

    A straight line in ln of the size through the smaller models, and the last of these
    unchanged; each |forecast - value|, over the range of all values (0 if there is none).

    >>> forecast_last([0.0, 1.0, 2.0], [1, 2, 4])[1]
    0.5
    """
    y, x = np.asarray(y_X, dtype=float), np.log(np.asarray(size_X, dtype=float))
    line = np.polyval(np.polyfit(x[:-1], y[:-1], 1), x[-1])
    spread = float(np.ptp(y))
    if spread == 0:
        return 0.0, 0.0
    return abs(float(line - y[-1])) / spread, abs(float(y[-2] - y[-1])) / spread
