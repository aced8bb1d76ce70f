"""Regression on random features with exact losses: nothing is trained step by step.

The teacher is linear in S features with covariance C, its weights are N(0, 1/S), and
losses are half squared errors averaged over teachers, so that they are traces. With a
matrix Z of k rows and S columns

    L(Z) = [tr C - tr((Z C Z')^-1 Z C^2 Z')] / 2S

is the loss of the best fit on the k features Z φ, and, for Z of independent normal
entries, also that of interpolating k examples x = C^(1/2) z. Shapes: N examples.
Introduced in the chapter on the four regimes.
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import brentq

from scaling_core.data.images import Images


def power_spectrum(S: int, decay: float) -> np.ndarray:
    """Return eigenvalues λ_i = i^-(1 + decay), i = 1 … S (arXiv 2102.06701, Sec. 2.3).

    >>> power_spectrum(2, 1.0).tolist()
    [1.0, 0.25]
    """
    return np.arange(1, S + 1) ** -(1.0 + decay)


def relu_features(
    x_NI: np.ndarray, S: int, *, layers: int = 2, rng: np.random.Generator
) -> np.ndarray:
    """Return (N, S) outputs of a random network whose layers are S ReLUs each.

    Inputs are scaled to a mean square of one; weights are N(0, 2 / inputs).
    """
    h = x_NI / np.sqrt(np.mean(np.square(x_NI)))
    for _ in range(layers):
        W = rng.normal(0, np.sqrt(2 / h.shape[1]), (h.shape[1], S))
        h = np.maximum(h @ W, 0)
    return h


def feature_loss(C_SS: np.ndarray, Z_kS: np.ndarray) -> float:
    """Return L(P): the best linear fit on the k = P features Z φ.

    >>> round(feature_loss(np.diag([2.0, 1.0]), np.array([[1.0, 0.0]])), 9)
    0.25
    """
    S = len(C_SS)
    ZC = Z_kS @ C_SS
    solved = cho_solve(cho_factor(ZC @ Z_kS.T), ZC @ ZC.T)
    return float(np.trace(C_SS) - np.trace(solved)) / (2 * S)


def example_loss(C_SS: np.ndarray, X_DS: np.ndarray) -> float:
    """Return L(D): interpolation of D examples with features X, averaged over C.

    [tr C - tr((X X')^-1 X C X')] / 2S.
    """
    S = len(C_SS)
    solved = cho_solve(cho_factor(X_DS @ X_DS.T), X_DS @ C_SS @ X_DS.T)
    return float(np.trace(C_SS) - np.trace(solved)) / (2 * S)


def tail_sum(eigenvalues: np.ndarray, ks: Sequence[int]) -> np.ndarray:
    """Return Σ_{i > k} λ_i / 2S: the loss if exactly the first k were learnt.

    >>> tail_sum(np.array([3.0, 2.0, 1.0]), [1, 2]).tolist()
    [0.5, 0.16666666666666666]
    """
    total = np.cumsum(np.sort(eigenvalues))
    S = len(eigenvalues)
    return np.array([total[S - k - 1] for k in ks]) / (2 * S)


def implicit_ridge(eigenvalues: np.ndarray, k: int) -> float:
    """Return κ with Σ λ_i / (λ_i + κ) = k: what k rows leave unseen.

    Raises
    ------
    ValueError
        If k is not between 0 and the number of positive eigenvalues.
    """
    positive = eigenvalues[eigenvalues > 0]
    if not 0 < k < len(positive):
        raise ValueError(f"need 0 < k < {len(positive)} eigenvalues > 0; got {k}")
    log_high = np.log(positive.sum() / k)
    gap = lambda log: np.sum(positive / (positive + np.exp(log))) - k
    low = np.log(positive.min()) - 40
    return float(np.exp(np.asarray(brentq(gap, low, log_high))))


def learning_curve(eigenvalues: np.ndarray, ks: Sequence[int]) -> np.ndarray:
    """Return the self-consistent L(k) = k κ(k) / 2S, exact for many features.

    The usual form is κ² Σ λ w² / (λ + κ)² / (1 - γ), with γ = Σ λ² / (λ + κ)² / k
    (arXiv 2002.02561, ridge 0); for weights w² = 1/S the sum is k (1 - γ) / (S κ).

    >>> flat = learning_curve(np.ones(100), [25, 50, 75])  # (1 - k/S) / 2
    >>> flat.round(3).tolist()
    [0.375, 0.25, 0.125]
    """
    S = len(eigenvalues)
    return np.array([k * implicit_ridge(eigenvalues, k) for k in ks]) / (2 * S)


def four_regimes(
    eigenvalues: np.ndarray, P: int, Ds: Sequence[int] | np.ndarray, bottom: float = 1.0
) -> np.ndarray:
    """Return L(P, D) = L(k) / (1 - k/K), k the smaller and K the larger of P and D.

    For D > P this is the excess of least squares, L(P) P / (D - P) on top of L(P);
    for D < P the same with P and D exchanged. Where |D - P| <= ``bottom`` it is NaN:
    the loss has no mean there.
    """
    found = []
    for D in Ds:
        small, large = min(P, D), max(P, D)
        scale = 1 - small / large if large - small > bottom else np.nan
        found.append(learning_curve(eigenvalues, [small])[0] / scale)
    return np.array(found)


def least_squares_loss(
    eigenvalues: np.ndarray, P: int, Ds: Sequence[int], *, rng: np.random.Generator
) -> tuple[float, np.ndarray]:
    """Return L(P) and one draw of L(P, D) at each D: P random features, D examples.

    Weights of least norm, averaged over teachers: with features A φ and examples X the
    student is w' A, w = (X A')^+ X t, so its error is (I - A' (X A')^+ X) t.
    """
    S, root = len(eigenvalues), np.sqrt(eigenvalues)
    A = rng.normal(size=(P, S))
    drawn = rng.normal(size=(max(Ds), S)) * root
    losses = []
    for D in Ds:
        X = drawn[:D]
        seen = np.linalg.pinv(X @ A.T) @ X  # (P, S)
        error = (np.eye(S) - A.T @ seen) * root[:, None]
        losses.append(np.sum(error**2) / (2 * S))
    return feature_loss(np.diag(eigenvalues), A), np.array(losses)


def losses_of(
    F_NS: np.ndarray, ks: Sequence[int], draws: int, *, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return exact losses on N given rows of features, means over ``draws``.

    ``features`` (P random normal projections) and ``examples`` (D of the rows), a loss
    for each of ks. Both are averages over the same N rows, so that what few rows take
    off the one they take off the other: k of N rows have no error in ``examples``, and
    ``features`` are fitted to the N rows on which they are judged.
    """
    N, S = F_NS.shape
    C = F_NS.T @ F_NS / N
    features, examples = np.zeros((2, len(ks)))
    for _ in range(draws):
        Z, order = rng.normal(size=(max(ks), S)), rng.permutation(N)
        for n, k in enumerate(ks):
            features[n] += feature_loss(C, Z[:k]) / draws
            examples[n] += example_loss(C, F_NS[order[:k]]) / draws
    spectrum = np.linalg.eigvalsh(C)[::-1]
    return dict(spectrum=spectrum, features=features, examples=examples)


def digit_losses(
    digits: Images,
    *,
    S: int,
    ks: Sequence[int],
    draws: int,
    seed: int,
    layers: int = 2,
) -> dict[str, np.ndarray]:
    """Return `losses_of` images, with features of one random network.

    Returns
    -------
    ``spectrum`` (S,), falling; ``features`` and ``examples``, a loss for each of ks.
    """
    rng = np.random.default_rng([seed, 21])
    F = relu_features(digits.flat.astype(float), S, layers=layers, rng=rng)
    return losses_of(F, ks, draws, rng=rng)


def gaussian_losses(
    spectrum: np.ndarray, N: int, *, ks: Sequence[int], draws: int, seed: int
) -> dict[str, np.ndarray]:
    """Return `losses_of` N Gaussian rows of this spectrum, where duality holds.

    What differs from equal exponents here, chance and finite N made.
    """
    rng = np.random.default_rng([seed, 31])
    F = rng.normal(size=(N, len(spectrum))) * np.sqrt(spectrum.clip(min=0))
    return losses_of(F, ks, draws, rng=rng)


def shuffled(digits: Images, *, seed: int) -> Images:
    """Return images whose pixels are permuted over the images, each on its own.

    Every pixel keeps its values, and nothing else of a digit is left.
    """
    rng = np.random.default_rng([seed, 32])
    return Images(rng.permuted(digits.x, axis=0), digits.y)
