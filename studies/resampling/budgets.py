"""What a number of tries is worth: coverage, ceilings, the best budget, published points.

A task is tried until its answer passes a verifier, at most K times. Each try is right
and passes with ``tp``, wrong and passes with ``fp``, and is rejected with 1 - tp - fp.
Formulas of a chapter; nothing is trained here.

Shapes: Q tasks (or kinds of task), K numbers of tries.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import fminbound
from scipy.stats import binom

from scaling_core.data.published import load_published

# the illustration in the notebook released with arXiv 2411.17501: two kinds of task
TOY_RIGHT, TOY_SHARE = np.array([0.87, 0.13]), np.array([0.58, 0.42])
TOY_SOUND = 0.75  # share of wrong samples that its verifier rejects
MOST = 200  # tries, the cap of the released notebook
COSTS = np.geomspace(0.05, 64, 100)  # of a wrong answer; a right one gains 1
TOY_COSTS = {0.7: 3, 1.0: 2, 2.0: 1}  # cost of a wrong answer -> the notebook's best K


def coverage(p_Q: ArrayLike, N: ArrayLike) -> np.ndarray:
    """Return the share of tasks that N samples solve, 1 - <(1 - p)^N>, (N,).

    >>> coverage([0.5, 0.0], [1, 2]).tolist()
    [0.25, 0.375]
    """
    miss_Q = np.log1p(-np.minimum(np.atleast_1d(p_Q), 1 - 1e-16))
    return -np.expm1(np.multiply.outer(np.asarray(N), miss_Q)).mean(axis=-1)


def plug_in_bias(p: float, n: int, k: int) -> float:
    """Return the bias of 1 - (1 - c/n)^k, c right ones of n, as an estimate of pass@k.

    The exact sum over c; the estimate is concave in c/n, so the bias is negative.

    >>> round(plug_in_bias(0.01, n=32, k=32), 3)
    -0.09
    """
    c = np.arange(n + 1)
    mean = binom.pmf(c, n, p) @ (1 - (1 - c / n) ** k)
    return float(mean - coverage(p, k))


def ceiling(tp_Q: np.ndarray, fp_Q: np.ndarray) -> float:
    """Return the accuracy of unlimited tries given acceptance, <tp/(tp + fp)>.

    Over tasks where something passes (arXiv 2411.17501, section on the model).

    >>> ceiling(np.array([0.5, 0.0]), np.array([0.5, 0.0]))
    0.5
    """
    passed = tp_Q + fp_Q > 0
    return float(np.mean(tp_Q[passed] / (tp_Q + fp_Q)[passed]))


def accepted(tp_Q, fp_Q, K: ArrayLike, share=None) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares of tasks that end right and wrong within K tries, (K,) each.

    tp (1 - β^K)/(1 - β) and fp (1 - β^K)/(1 - β), β = 1 - tp - fp; ``share``: of each
    kind of task, by default alike. Derived by us.

    >>> right, wrong = accepted(np.array([0.5]), np.array([0.25]), [1, 2])
    >>> right.tolist(), wrong.tolist()
    ([0.5, 0.625], [0.25, 0.3125])
    """
    tp_Q, fp_Q = np.asarray(tp_Q, dtype=float), np.asarray(fp_Q, dtype=float)
    passed_Q = np.clip(tp_Q + fp_Q, 1e-300, 1 - 1e-16)
    tries_KQ = -np.expm1(np.multiply.outer(np.asarray(K), np.log1p(-passed_Q)))
    share = np.full(len(tp_Q), 1 / len(tp_Q)) if share is None else share
    rates_Q2 = np.stack([tp_Q, fp_Q], axis=-1) * (share / passed_Q)[:, None]
    found_K2 = np.asarray(tries_KQ @ rates_Q2)
    return np.asarray(found_K2[..., 0]), np.asarray(found_K2[..., 1])


def best_tries(tp_Q, fp_Q, costs: ArrayLike, *, most: int = MOST, share=None):
    """Return for each cost the number of tries from 0 to ``most`` that is worth most.

    Of ties the fewest.

    >>> best_tries(np.array([0.5]), np.array([0.1]), [0, 6], most=3).tolist()
    [3, 0]
    """
    right_K, wrong_K = accepted(tp_Q, fp_Q, np.arange(most + 1), share)
    value_cK = right_K - np.multiply.outer(np.asarray(costs), wrong_K)
    return (value_cK > value_cK.max(-1, keepdims=True) - 1e-15).argmax(-1)


def ten_tries_cost(tp_Q, fp_Q, costs: np.ndarray = COSTS) -> float:
    """Return ln of the least of the rising costs from which fewer than ten tries are best.

    Of the last one if there is none, as for a verifier without error.

    >>> round(float(np.exp(ten_tries_cost(np.array([0.1]), np.array([0.0])))), 9)
    64.0
    """
    few = best_tries(tp_Q, fp_Q, costs) < 10
    return float(np.log(costs[few.argmax() if few.any() else -1]))


def toy_rates() -> tuple[np.ndarray, np.ndarray]:
    """Return tp and fp of the released notebook's two kinds of task."""
    return TOY_RIGHT, (1 - TOY_SOUND) * (1 - TOY_RIGHT)


def toy_value(K: ArrayLike, *, cost: float) -> np.ndarray:
    """Return the exact value of K tries in the released notebook's illustration."""
    right_K, wrong_K = accepted(*toy_rates(), K, TOY_SHARE)
    return np.asarray(right_K - cost * wrong_K)


def toy_value_as_released(K: int, *, cost: float) -> float:
    """Return the same as the released notebook weighs it.

    It takes the chance to reach try k as the sum of β^(k-1) times the *posterior* of
    the kind of task, where the prior belongs.
    """
    tp, fp = toy_rates()
    reject_kQ = (1 - tp - fp) ** np.arange(K)[:, None]
    joint_kQ = reject_kQ * TOY_SHARE
    posterior_kQ = joint_kQ / joint_kQ.sum(axis=1, keepdims=True)
    reach_k = (reject_kQ * posterior_kQ).sum(axis=1)
    return float(reach_k @ (posterior_kQ @ (tp - cost * fp)))


def toy_agreements() -> int:
    """Return at how many of the notebook's costs the exact best K is the notebook's."""
    costs, released = zip(*TOY_COSTS.items(), strict=True)
    found = best_tries(*toy_rates(), costs, most=15, share=TOY_SHARE)
    return int(np.sum(found == released))


def published_points() -> tuple[np.ndarray, np.ndarray]:
    """Return single-sample accuracy and accuracy given acceptance of 17 models."""
    table = load_published("resampling_humaneval")
    return table.accuracy.to_numpy(), table.given_passed.to_numpy()


def pass_rates(accuracy: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return the share e of wrong samples that pass, if all tasks were alike.

    From given = r/(r + e(1 - r)): e = r(1 - given)/(given (1 - r)).

    >>> pass_rates(np.array([0.5]), np.array([0.8])).round(9).tolist()
    [0.25]
    """
    return accuracy * (1 - given) / (given * (1 - accuracy))


def one_pass_rate(accuracy: np.ndarray, given: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the one pass rate nearest to all points, and the ceilings it gives."""

    def ceilings(e: float) -> np.ndarray:
        return accuracy / (accuracy + e * (1 - accuracy))

    error = lambda e: np.sum((ceilings(e) - given) ** 2)
    found = float(np.asarray(fminbound(error, 0, 1, xtol=1e-9)))
    return found, ceilings(found)
