"""The geometry of superposition: norms, overlaps, the Welch bound, tight frames.

Rows of W (n features, m dimensions) are the representations. Introduced in chapter 1.
"""

from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

BLOCK_ROWS = 1024  # of the matrix of overlaps, held at once
FrameName = Literal["simplex", "icosahedron", "7x28", "paley"]


def row_norms(W: ArrayLike) -> np.ndarray:
    """Return ‖W_i‖₂ of each row, for W of shape (..., n, m).

    >>> row_norms([[3.0, 4.0], [0.0, 1.0]])
    array([5., 1.])
    """
    return np.linalg.norm(np.asarray(W, dtype=float), axis=-1)


def squared_overlaps(W: ArrayLike, mask: ArrayLike | None = None) -> np.ndarray:
    """Return ((W_i·W_j) / (‖W_i‖‖W_j‖))² over pairs i < j of the rows in ``mask``.

    Raises
    ------
    ValueError
        If W is not one matrix or the mask not a boolean for each row; if fewer than
        two rows are left, or one of them is zero.

    >>> squared_overlaps([[1.0, 0.0], [1.0, 1.0]]).round(3)
    array([0.5])
    """
    U = _directions(W, mask)
    return np.square((U @ U.T)[np.triu_indices(len(U), 1)])


def _directions(W: ArrayLike, mask: ArrayLike | None) -> np.ndarray:
    """Return the unit rows of W in ``mask``."""
    W = _matrix(W)
    if mask is not None:
        mask = np.asarray(mask)
        if mask.dtype != bool or mask.shape != W.shape[:1]:
            raise ValueError(f"need {len(W)} booleans as mask, got {mask}")
        W = W[mask]
    if len(W) < 2:
        raise ValueError(f"overlaps need at least two rows, got {len(W)}")
    norms = row_norms(W)[:, None]
    if not norms.all():
        raise ValueError("a row is zero and has no direction: mask it out")
    return W / norms


def _matrix(W: ArrayLike) -> np.ndarray:
    W = np.asarray(W, dtype=float)
    if W.ndim != 2:
        raise ValueError(f"need one matrix (n, m), got shape {W.shape}")
    return W


def squared_overlap_stats(
    W: ArrayLike, mask: ArrayLike | None = None
) -> tuple[float, float]:
    """Return mean and variance of the squared overlaps (see `squared_overlaps`).

    Block by block, so that ten thousand rows fit in little memory.

    >>> squared_overlap_stats(np.eye(3))
    (0.0, 0.0)
    """
    U, count = _directions(W, mask), 0
    total = np.zeros(2)
    for start in range(0, len(U), BLOCK_ROWS):
        squares = np.square(U[start : start + BLOCK_ROWS] @ U.T)
        np.fill_diagonal(squares[:, start:], 0.0)  # a row with itself
        total += squares.sum(), np.square(squares).sum()
        count += len(squares) * (len(U) - 1)
    mean, mean_square = total / count
    return float(mean), float(max(mean_square - mean**2, 0.0))


def random_overlap_moments(m: int) -> tuple[float, float]:
    """Return mean 1/m and variance 2(m-1)/(m²(m+2)) for random directions in R^m.

    The squared cosine is Beta(1/2, (m-1)/2) (arXiv 2505.10465, section 3.2).

    >>> random_overlap_moments(4)
    (0.25, 0.0625)
    """
    if m < 1:
        raise ValueError(f"need m >= 1, got {m}")
    return 1 / m, 2 * (m - 1) / (m**2 * (m + 2))


def random_unit_vectors(count: int, m: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return ``count`` independent uniform directions in R^m, shape (count, m)."""
    vectors = rng.standard_normal((count, m))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def welch_bound(nu: int, m: int) -> float:
    """Return κ = √((ν - m)/(m(ν - 1))), the least largest |cos| of ν lines in R^m.

    Raises
    ------
    ValueError
        If m < 1 or ν < 2.

    Notes
    -----
    Zero for ν ≤ m (an orthogonal set). For a real space equality needs
    ν ≤ m(m + 1)/2 (arXiv 2505.10465, section 3.2).

    >>> round(welch_bound(6, 3), 4)  # the icosahedron: 1/√5
    0.4472
    """
    if m < 1 or nu < 2:
        raise ValueError(f"need m >= 1 and nu >= 2, got m={m}, nu={nu}")
    return float(np.sqrt(max(nu - m, 0) / (m * (nu - 1))))


def tight_frame(name: FrameName, m: int = 3) -> np.ndarray:
    """Return an equiangular tight frame, unit rows: it meets the Welch bound.

    "simplex": m + 1 vectors in R^m; "icosahedron": 6 in R³; "7x28": 28 in R⁷;
    "paley": 14 in R⁷, from the quadratic residues modulo 13.

    >>> W = tight_frame("icosahedron")
    >>> bool(np.isclose(np.sqrt(squared_overlaps(W)).max(), welch_bound(6, 3)))
    True
    """
    if name == "simplex":
        return _from_gram(((m + 1) * np.eye(m + 1) - 1) / m, m)
    if name == "icosahedron":
        golden = (1 + 5**0.5) / 2
        half = np.array([[0, 1, golden], [0, 1, -golden]])
        rows = np.concatenate([np.roll(half, shift, axis=1) for shift in range(3)])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
    if name == "7x28":  # 3, 3 and six times -1, in the plane Σx = 0 of R^8
        rows = -np.ones((28, 8))
        for row, pair in zip(rows, combinations(range(8), 2), strict=True):
            row[list(pair)] = 3
        return _from_gram(rows @ rows.T / 24, 7)
    if name == "paley":
        return _from_gram(np.eye(14) + _paley_conference(13) / 13**0.5, 7)
    raise ValueError(
        f"unknown frame {name!r}; allowed: simplex, icosahedron, 7x28, paley"
    )


def _from_gram(gram: np.ndarray, m: int) -> np.ndarray:
    """Return vectors in R^m with this Gram matrix, of rank m."""
    values, vectors = np.linalg.eigh(gram)
    return vectors[:, -m:] * np.sqrt(values[-m:])


def _paley_conference(q: int) -> np.ndarray:
    """Return the symmetric conference matrix of order q + 1, for a prime q ≡ 1 (4)."""
    squares = {i * i % q for i in range(1, q)}
    signs = np.array([0] + [1 if i in squares else -1 for i in range(1, q)])
    C = np.ones((q + 1, q + 1))
    C[0, 0] = 0
    index = np.arange(q)
    C[1:, 1:] = signs[(index[:, None] - index) % q]
    return C


def adjacent_angles(W: ArrayLike) -> np.ndarray:
    """Return the angles in degrees between neighbouring rows of a plane W (n, 2).

    >>> adjacent_angles([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    array([ 90.,  90., 180.])
    """
    W = np.asarray(W, dtype=float)
    if W.ndim != 2 or W.shape[1] != 2:
        raise ValueError(f"need rows in the plane, got shape {W.shape}")
    angle = np.sort(np.degrees(np.arctan2(W[:, 1], W[:, 0])))
    return np.diff(angle, append=angle[0] + 360)
