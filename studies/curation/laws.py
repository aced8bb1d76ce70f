"""The law of repeated data, its fits, and its rule for mixtures (arXiv 2404.07177).

    L = a exp(u) + d,   u(n) = sum_j b_j [ln min(n, n_j) - ln n_(j-1)],   b < 0,

with n_j = jM the characters seen by the end of epoch j of a text of M characters and
n_0 = 1. Each epoch is worth less: b_j = b 2^(-(j-1)/tau), tau the half-life in epochs.
Introduced in the chapter on curation.

Shapes: Q pools, K amounts of training.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
from scipy.optimize import least_squares

from studies.curation.pools import MIXTURES, POOLS

FOREVER = 1e9  # a half-life that loses nothing
BOUNDS = dict(  # of fits: ln a, ln -b, ln tau (epochs), d as a share of the least loss
    a=(-9.0, 30.0), b=(-7.0, 1.0), tau=(-3.0, 5.3), d=(0.0, 0.99)
)


@dataclass(frozen=True)
class PoolLaws:
    """A law for each pool, (Q,) each: factor, rate, half-life in epochs, floor."""

    a: np.ndarray
    b: np.ndarray
    tau: np.ndarray
    d: np.ndarray

    def curves(self, parts_JK: np.ndarray) -> np.ndarray:
        """Return the losses of each pool alone, (Q, K), for `epoch_parts` of its size."""
        decay_QJ = 2.0 ** (-np.arange(len(parts_JK)) / self.tau[:, None])
        u_QK = (self.b[:, None] * decay_QJ) @ parts_JK
        return self.a[:, None] * np.exp(u_QK) + self.d[:, None]

    def mixture(self, n_K, characters: float, pools: int) -> np.ndarray:
        """Return the forecast for the first pools mixed, seen evenly, (K,).

        Rates by `mixed_rates`; a and d are averages, equal in the paper.
        """
        parts_JK = epoch_parts(n_K, characters * pools)
        b_J = mixed_rates(self.b[:pools], self.tau[:pools], len(parts_JK))
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


def mixed_rates(b_P: np.ndarray, tau_P: np.ndarray, epochs: int) -> np.ndarray:
    """Return the rate of each epoch of P pools mixed, (J,); of the pool itself for one.

    Theorem 1 of the paper: an epoch of the mixture is P times as long, so half-lives are
    multiplied by P and rates are averaged: b_j = mean_i b_i 2^(-(j-1)/(P tau_i)).
    """
    decay_PJ = 2.0 ** (-np.arange(epochs) / (len(b_P) * tau_P[:, None]))
    return (b_P[:, None] * decay_PJ).mean(axis=0)


def released_code(
    n_K, characters: float, *, a: float, b, tau, d: float, unit: float
) -> np.ndarray:
    """Return the law as the released code computes it, (K,): the floor inside.

    ((a n_1/unit)^b + d) times the product over later epochs, where the formula adds d
    at the end (objective.py of locuslab/scaling_laws_data_filtering). ``b`` and ``tau``
    of one pool, or of several, (P,), that are mixed evenly.
    """
    b_P, tau_P = np.atleast_1d(b), np.atleast_1d(tau)
    first_K = np.minimum(n_K, len(b_P) * characters) / unit
    parts_JK = epoch_parts(n_K, len(b_P) * characters)
    b_J = mixed_rates(b_P, tau_P, len(parts_JK))
    return ((a * first_K) ** b_J[0] + d) * np.exp(b_J[1:] @ parts_JK[1:])


def fit_pools(
    parts_JK: np.ndarray,
    loss_QK,
    *,
    common: Collection[str] = (),
    forever: bool = False,
) -> PoolLaws:
    """Return least-squares fits of the log loss, some parameters common to all pools.

    Parameters
    ----------
    parts_JK
        `epoch_parts` of the amounts of training at which the losses were measured.
    common
        Which of a, b, tau, d have one value for all pools.
    forever
        Without a half-life: repetition loses nothing.

    >>> truth = PoolLaws(*np.array([[8.0], [-0.2], [3.0], [1.0]]))
    >>> parts = epoch_parts(1000 * np.arange(1, 17), 1000)
    >>> found = fit_pools(parts, truth.curves(parts))
    >>> found.tau.round(3), found.d.round(3)
    (array([3.]), array([1.]))
    """
    loss_QK = np.atleast_2d(loss_QK)
    Q, log_n = len(loss_QK), parts_JK.sum(axis=0).mean()
    least_Q = loss_QK.min(axis=1)
    if "d" in common:
        least_Q = np.full(Q, least_Q.min())
    place, size = {}, 0  # where in the vector each parameter of each pool stands
    for name in ("a", "b", "d") if forever else ("a", "b", "tau", "d"):
        count = 1 if name in common else Q
        place[name] = np.resize(np.arange(size, size + count), Q)
        size += count

    def laws(theta: np.ndarray) -> PoolLaws:
        part = {name: theta[at] for name, at in place.items()}
        tau = np.exp(part["tau"]) if "tau" in part else np.full(Q, FOREVER)
        return PoolLaws(np.exp(part["a"]), -np.exp(part["b"]), tau, part["d"] * least_Q)

    def residual(theta: np.ndarray) -> np.ndarray:
        return np.log(laws(theta).curves(parts_JK) / loss_QK).ravel()

    fits = []
    for rate, floor in product((0.05, 0.3), (0.1, 0.8)):
        factor = np.log(least_Q.mean() * (1.2 - floor)) + rate * log_n
        first = dict(a=factor, b=np.log(rate), tau=np.log(3.0), d=floor)
        theta, limits = np.empty(size), np.empty((2, size))
        for name, at in place.items():
            theta[at], limits[:, at] = first[name], np.transpose([BOUNDS[name]])
        fits.append(least_squares(residual, theta, bounds=limits, x_scale="jac"))
    return laws(min(fits, key=lambda fit: fit.cost).x)


def squared_error(laws: PoolLaws, parts_JK: np.ndarray, loss_QK) -> float:
    """Return the sum of squared errors of the log loss."""
    return float((np.log(laws.curves(parts_JK) / loss_QK) ** 2).sum())


def forecast_errors(parts_JK: np.ndarray, loss_K, seen: int) -> tuple[float, float]:
    """Return log errors of forecasts of the last loss, with and without a half-life.

    Each law is fitted to the first ``seen`` losses of one pool.

    >>> truth = PoolLaws(*np.array([[8.0], [-0.2], [3.0], [1.0]]))
    >>> parts = epoch_parts(1000 * np.array([1, 2, 3, 4, 6, 8, 12, 16, 32]), 1000)
    >>> true, plain = forecast_errors(parts, truth.curves(parts)[0], 8)
    >>> abs(true) < 1e-3 < abs(plain)
    True
    """
    loss_K = np.asarray(loss_K, dtype=float)
    errors = []
    for forever in (False, True):
        fitted = fit_pools(parts_JK[:, :seen], loss_K[:seen], forever=forever)
        last = fitted.curves(parts_JK[:, -1:])[0, 0]
        errors.append(float(np.log(last / loss_K[-1])))
    return errors[0], errors[1]


def redraw(
    law: PoolLaws, parts_JK: np.ndarray, loss_QK, *, rng: np.random.Generator
) -> np.ndarray:
    """Return losses that a fitted law could have given, (Q, K).

    Its curves with noise of the size of its residuals, in the logarithm, for all of
    ``parts_JK``; ``loss_QK`` may end before.
    """
    loss_QK = np.atleast_2d(loss_QK)
    error = squared_error(law, parts_JK[:, : loss_QK.shape[1]], loss_QK)
    curves_QK = law.curves(parts_JK)
    noise_QK = rng.standard_normal(curves_QK.shape)
    return curves_QK * np.exp(np.sqrt(error / loss_QK.size) * noise_QK)


def what_differs(
    parts_JK: np.ndarray, loss_QK, own: Collection[str] = ()
) -> dict[str, float]:
    """Return squared errors of fits in which pools differ in one parameter alone.

    ``rate``: in b, as the paper says; ``factor``: in a; ``floor``: in d. ``own``: what
    each pool has of its own in all three fits.
    """
    kept = dict(rate="b", factor="a", floor="d")
    found = {}
    for name, free in kept.items():
        common = {"a", "b", "tau", "d"} - {free, *own}
        fitted = fit_pools(parts_JK, loss_QK, common=common)
        found[name] = squared_error(fitted, parts_JK, loss_QK)
    return found


def free_pivot(parts_JK: np.ndarray, loss_QK, pivots: Collection[float]) -> float:
    """Return the least squared error of a free rate where n counts in units of n_0.

    With a common factor outside of the power all pools meet at n = n_0, one character
    in `what_differs`. ``pivots``: the ln n_0 to try.
    """
    errors = []
    for pivot in pivots:
        moved_JK = parts_JK.copy()
        moved_JK[0] -= pivot
        fitted = fit_pools(moved_JK, loss_QK, common=("a", "tau", "d"))
        errors.append(squared_error(fitted, moved_JK, loss_QK))
    return min(errors)


def mixture_errors(
    n_K, loss: dict[str, np.ndarray], characters: float
) -> dict[str, np.ndarray]:
    """Return log errors of forecasts of the mixtures, (mixtures, K), none trained on.

    ``rule``: the paper's, from laws of the pools with common a and d; ``endless``: the
    same with no half-life; ``stretched``: no averaged rates, but the mean of the pools'
    curves with half-lives as stretched; ``mean``: the mean of the pools' own losses at
    equal characters seen; ``clean``: the clean pool's; ``unlawful``: the mean, less what
    repetition cost the clean pool, which needs a fresh run.
    """
    alone = np.array([loss[name] for name in POOLS])
    fit = partial(fit_pools, epoch_parts(n_K, characters), alone, common=("a", "d"))
    fitted, endless, errors = fit(), fit(forever=True), []
    for name, p in MIXTURES.items():
        longer = replace(fitted, tau=p * fitted.tau)
        forecasts = dict(
            rule=fitted.mixture(n_K, characters, p),
            endless=endless.mixture(n_K, characters, p),
            stretched=longer.curves(epoch_parts(n_K, p * characters))[:p].mean(axis=0),
            mean=alone[:p].mean(axis=0),
            clean=alone[0],
            unlawful=alone[:p].mean(axis=0) - alone[0] + loss["fresh"],
        )
        errors.append({key: np.log(x / loss[name]) for key, x in forecasts.items()})
    return {key: np.array([e[key] for e in errors]) for key in errors[0]}
