"""The law of repeated data, its fits, and its rule for mixtures (arXiv 2404.07177).

    L = a exp(u) + d,   u(n) = sum_j b_j [ln min(n, n_j) - ln n_(j-1)],   b < 0,

with n_j = jM the characters seen by the end of epoch j of a text of M characters and
n_0 = 1. Each epoch is worth less: b_j = b 2^(-(j-1)/tau), tau the half-life in epochs.
Introduced in the chapter on curation.

Shapes: Q pools, K amounts of training.
"""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import least_squares

FOREVER = 1e9  # a half-life that loses nothing
TAU_RANGE = (0.05, 200.0)  # of fitted half-lives, epochs
B_RANGE = (1e-3, 3.0)  # of fitted rates -b


@dataclass(frozen=True)
class PoolLaws:
    """A law for each pool, (Q,) each: factor, rate, half-life in epochs, floor."""

    a: np.ndarray
    b: np.ndarray
    tau: np.ndarray
    d: np.ndarray

    def curves(self, n_K, characters: float) -> np.ndarray:
        """Return the losses after n_K characters of each pool alone, (Q, K)."""
        parts_JK = epoch_parts(n_K, characters)
        epoch_J = np.arange(len(parts_JK))
        b_QJ = self.b[:, None] * 2.0 ** (-epoch_J / self.tau[:, None])
        return self.a[:, None] * np.exp(b_QJ @ parts_JK) + self.d[:, None]

    def mixture(self, n_K, characters: float, pools: int) -> np.ndarray:
        """Return the forecast for the first pools mixed, seen evenly, (K,).

        Theorem 1 of the paper: an epoch of the mixture is ``pools`` times as long, so
        half-lives are multiplied by that number and rates are averaged:
        b_j = mean_i b_i 2^(-(j-1)/(p tau_i)). a and d are averages, equal in the paper.
        """
        parts_JK = epoch_parts(n_K, characters * pools)
        epoch_J = np.arange(len(parts_JK))
        decay_QJ = 2.0 ** (-epoch_J / (pools * self.tau[:pools, None]))
        b_J = (self.b[:pools, None] * decay_QJ).mean(axis=0)
        return self.a[:pools].mean() * np.exp(b_J @ parts_JK) + self.d[:pools].mean()


def epoch_parts(n_K, characters: float) -> np.ndarray:
    """Return what each epoch adds to ln n, (J, K); the column sums are ln n.

    >>> np.exp(epoch_parts([10.0, 40.0], 10).sum(axis=0)).round(6)
    array([10., 40.])
    """
    n_K = np.asarray(n_K, dtype=float)
    epochs = max(1, int(np.ceil(n_K.max() / characters - 1e-9)))
    ends_J = characters * np.arange(1, epochs + 1)
    begins_J = np.concatenate([[1.0], ends_J[:-1]])
    seen_JK = np.minimum(n_K, ends_J[:, None])
    return np.log(np.maximum(seen_JK, begins_J[:, None]) / begins_J[:, None])


def released_code(
    n_K, characters: float, *, a: float, b: float, tau: float, d: float, unit: float
) -> np.ndarray:
    """Return the law as the released code computes it, (K,): the floor inside.

    (a n_1/unit)^b + d, all of it times the product over later epochs (objective.py of
    locuslab/scaling_laws_data_filtering), where the formula adds d at the end. Also a
    stands inside of the power there.
    """
    first_K = np.minimum(n_K, characters) / unit
    later_JK = epoch_parts(n_K, characters)[1:]
    b_J = b * 2.0 ** (-np.arange(1, len(later_JK) + 1) / tau)
    return ((a * first_K) ** b + d) * np.exp(b_J @ later_JK)


def fit_pools(
    n_K, loss_QK, characters: float, *, common: Collection[str], forever: bool = False
) -> PoolLaws:
    """Return least-squares fits of the log loss, some parameters common to all pools.

    Parameters
    ----------
    common
        Which of a, b, tau, d have one value for all pools.
    forever
        Without a half-life: repetition loses nothing.

    >>> truth = PoolLaws(*np.array([[8.0], [-0.2], [3.0], [1.0]]))
    >>> n = 1000 * np.arange(1, 17)
    >>> found = fit_pools(n, truth.curves(n, 1000), 1000, common=())
    >>> found.tau.round(3), found.d.round(3)
    (array([3.]), array([1.]))
    """
    loss_QK = np.atleast_2d(loss_QK)
    Q, least = len(loss_QK), float(loss_QK.min())
    names = ["a", "b", "d"] if forever else ["a", "b", "tau", "d"]
    place, size = {}, 0
    for name in names:
        count = 1 if name in common else Q
        place[name] = np.resize(np.arange(size, size + count), Q)
        size += count
    log_b, log_tau = np.log(B_RANGE), np.log(TAU_RANGE)
    bounds = dict(a=(-9.0, 30.0), b=log_b, tau=log_tau, d=(0.0, 0.99))

    def laws(theta: np.ndarray) -> PoolLaws:
        part = {name: theta[at] for name, at in place.items()}
        tau = np.exp(part["tau"]) if "tau" in part else np.full(Q, FOREVER)
        return PoolLaws(np.exp(part["a"]), -np.exp(part["b"]), tau, part["d"] * least)

    def residual(theta: np.ndarray) -> np.ndarray:
        return np.log(laws(theta).curves(n_K, characters) / loss_QK).ravel()

    fits = []
    for rate, half_life, floor in product((0.05, 0.3), (1.0, 4.0), (0.1, 0.8)):
        factor = np.log(least * (1.2 - floor)) + rate * np.log(characters)
        first = dict(a=factor, b=np.log(rate), tau=np.log(half_life), d=floor)
        theta, limits = np.empty(size), np.empty((2, size))
        for name, at in place.items():
            theta[at], limits[:, at] = first[name], np.transpose([bounds[name]])
        fits.append(least_squares(residual, theta, bounds=limits, x_scale="jac"))
    return laws(min(fits, key=lambda fit: fit.cost).x)


def squared_error(laws: PoolLaws, n_K, loss_QK, characters: float) -> float:
    """Return the sum of squared errors of the log loss."""
    return float((np.log(laws.curves(n_K, characters) / loss_QK) ** 2).sum())
