"""The largest margin, exactly: the shortest w with A w ≥ 1.

Few examples are left to non-negative least squares. For more, an interior point method
(Mehrotra 1992) goes towards the conditions of optimality,

    w = Aᵀa,  A w - s = 1,  a ≥ 0,  s ≥ 0,  a s = 0,

until it can name the support, the examples with a > 0, which gives w by linear
equations. A support that misses a condition is exchanged in blocks (Portugal, Júdice and
Vicente 1994) and accepted only if all hold to 1e-10. If none is, least squares decide.
So single precision is enough for the steps, where it allows any.

Shapes: P examples, N weights.
"""

import numpy as np
from scipy.linalg.lapack import (
    dpotrf,  # pyright: ignore[reportAttributeAccessIssue]
    dpotrs,  # pyright: ignore[reportAttributeAccessIssue]
    spotrf,  # pyright: ignore[reportAttributeAccessIssue]
    spotrs,  # pyright: ignore[reportAttributeAccessIssue]
)
from scipy.optimize import nnls

MANY = 0.8  # examples per weight from which the interior point method is cheaper
NEAR = 0.95  # a step as long as this says that the support can be named
STEPS, EXCHANGES = 50, 5  # at most
EXACT = 1e-10  # of margins
ENDLESS = 1e50  # mean of a s, where nothing separates


def hard_margin(A: np.ndarray) -> np.ndarray:
    """Return the shortest w with A w ≥ 1; rows of A are y x, (P, N).

    Raises
    ------
    ValueError
        If the rows cannot be separated, or are no finite matrix.

    >>> hard_margin(np.array([[1.0, 0.0], [0.0, 2.0]])).round(6).tolist()
    [1.0, 0.5]
    """
    A = np.asarray(A, dtype=float)
    if A.ndim != 2 or not np.isfinite(A).all():
        raise ValueError(f"need a finite matrix (examples, weights), got {A.shape}")
    w = by_interior_point(A) if len(A) > MANY * A.shape[1] else None
    return by_least_squares(A) if w is None else w


def by_least_squares(A: np.ndarray) -> np.ndarray:
    """Return the same by least distance: non-negative least squares of [Aᵀ; 1ᵀ] u =
    [0; 1] (Lawson and Hanson 1974, chapter 23).
    """
    P, N = A.shape
    E, f = np.ones((N + 1, P), order="F"), np.append(np.zeros(N), 1.0)
    E[:N] = A.T
    u, _ = nnls(E, f, maxiter=20 * (P + N))
    rest = E @ u - f
    if not rest[N] < -1e-12:
        raise ValueError(f"{P} examples of {N} weights cannot be separated")
    return -rest[:N] / rest[N]


@np.errstate(over="ignore", invalid="ignore")  # where nothing separates
def by_interior_point(A: np.ndarray) -> np.ndarray | None:
    """Return the same by Mehrotra's steps; None if no support is accepted."""
    P, N = A.shape
    w, a, s, t = np.zeros(N), np.ones(P), np.ones(P), 0.0
    single = A.astype(np.float32)
    for _ in range(STEPS):
        if t > NEAR:
            w_exact = _from_support(A, a * s.sum() > s * a.sum())
            if w_exact is not None:
                return w_exact
        solve = _normal_equations(single, a / s) or _normal_equations(A, a / s)
        mean = a @ s / P
        if solve is None or not mean < ENDLESS:
            return None
        gaps = A @ w - s - 1, w - a @ A
        _, ds, da = _newton(A, a, s, -a * s, gaps, solve)
        t = _inside(a, s, da, ds)
        centre = mean * ((a + t * da) @ (s + t * ds) / P / mean) ** 3
        dw, ds, da = _newton(A, a, s, centre - a * s - da * ds, gaps, solve)
        t = _inside(a, s, da, ds)
        w, a, s = w + t * dw, a + t * da, s + t * ds
    return None


def _normal_equations(A, weights):
    """Return what solves (1 + Aᵀ diag(weights) A) x = b; None if they have no root."""
    single = A.dtype == np.float32
    potrf, potrs = (spotrf, spotrs) if single else (dpotrf, dpotrs)
    B = A * np.sqrt(weights).astype(A.dtype)[:, None]
    C = B.T @ B
    np.fill_diagonal(C, C.diagonal() + 1)
    factor, failed = potrf(C, overwrite_a=True)
    return None if failed else lambda b: potrs(factor, b.astype(A.dtype))[0]


def _newton(A, a, s, change, gaps, solve):
    """Return the steps of w, s and a that close the gaps and change a s so."""
    above, beside = gaps
    dw = solve(((change - a * above) / s) @ A - beside)
    ds = A @ dw + above
    return dw, ds, (change - a * ds) / s


def _inside(a, s, da, ds) -> float:
    """Return the longest step up to 1 that leaves a and s a hundredth of themselves."""
    steepest = -min((da / a).min(), (ds / s).min())
    return min(1.0, 0.99 / steepest) if steepest > 0 else 1.0


def _from_support(A: np.ndarray, support: np.ndarray) -> np.ndarray | None:
    """Return w if the support, or one that exchanges reach, is that of the optimum."""
    fewest = len(A) + 1
    for _ in range(EXCHANGES):
        if not 0 < support.sum() <= A.shape[1]:
            return None
        B, w, a = A[support], 0 * A[0], 0.0
        factor, failed = dpotrf(B @ B.T, overwrite_a=True)
        if failed:
            return None  # examples that depend on each other
        for _ in range(3):  # w = Bᵀa with B w = 1, twice refined
            more = dpotrs(factor, 1 - B @ w)[0]
            w, a = w + more @ B, a + more
        wrong = A @ w < 1 - EXACT
        if wrong[support].any():
            return None
        wrong[support] = a < 0
        if not wrong.any():
            return w
        if wrong.sum() >= fewest:
            return None
        fewest, support = wrong.sum(), support ^ wrong
    return None
