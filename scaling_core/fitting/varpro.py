"""Starting points by variable projection: linear parameters solved on a grid of the others.

For fixed exponents the best E, A, B, ... is a small least-squares problem with
bounds. All cells of a grid over the exponents are solved at once from Gram
matrices; where a basis function depends on few coordinates its columns are
computed once per value and not once per cell. Source of the idea: Golub and
Pereyra, SIAM J. Numer. Anal. 10 (1973) 413; for scaling laws arXiv 2603.22339.

Shapes: G cells, k linear and q nonlinear coordinates, n points.
"""

from __future__ import annotations

import numpy as np

from .law import Array, Law

N_STARTS = 6


def solve_bounded(gram: Array, right: Array, low: Array, high: Array) -> Array:
    """Minimise ``c' G c - 2 c' b`` within bounds for every cell, (G, k).

    Violated coordinates are put on their bound, worst first: exact for one or
    two of them, good enough for a start otherwise.

    Examples
    --------
    >>> gram, right = np.array([[[2.0, 1.0], [1.0, 2.0]]]), np.array([[1.0, -3.0]])
    >>> solve_bounded(gram, right, np.zeros(2), np.full(2, np.inf))
    array([[0.5, 0. ]])
    """
    cells, k = right.shape
    index = np.arange(k)
    held = np.broadcast_to(low == high, (cells, k)).copy()
    value = np.where(held, low, 0.0)
    trace = np.einsum("gii->gi", gram)
    for _ in range(k + 1):
        system = np.where(held[:, :, None] | held[:, None, :], 0.0, gram)
        system[:, index, index] += np.where(held, 1.0, 1e-12 * trace + 1e-300)
        shifted = right - (gram @ value[:, :, None])[:, :, 0]
        c = np.linalg.solve(system, np.where(held, value, shifted)[:, :, None])[:, :, 0]
        excess = np.where(held, 0.0, np.maximum(low - c, c - high)) * np.sqrt(trace)
        worst = excess.argmax(axis=1)
        rows = np.flatnonzero(excess[np.arange(cells), worst] > 0)
        if not len(rows):
            break
        columns = worst[rows]
        held[rows, columns] = True
        value[rows, columns] = np.where(
            c[rows, columns] < low[columns], low[columns], high[columns]
        )
    return np.clip(c, low, high)


def _columns(law: Law, grids: list[Array], cells: tuple[Array, ...], prep: dict):
    """Return per basis function its distinct columns (u, n) and each cell's column index."""
    sizes = [len(g) for g in grids]
    known: dict[tuple[int, ...], tuple[Array, Array]] = {}
    for dims in set(law.depends()):
        mesh = (
            np.meshgrid(*[grids[d] for d in dims], indexing="ij")
            if dims
            else [np.zeros(1)]
        )
        theta = np.tile([g[0] for g in grids], (mesh[0].size, 1))
        for d, values in zip(dims, mesh):
            theta[:, d] = values.ravel()
        shape = [sizes[d] for d in dims] or [1]
        index = (
            np.ravel_multi_index([cells[d] for d in dims], shape)
            if dims
            else np.zeros(len(cells[0]), int)
        )
        known[dims] = law.basis(theta, prep), index
    return [
        (known[dims][0][:, j], known[dims][1]) for j, dims in enumerate(law.depends())
    ]


def solve_grid(
    law: Law,
    grids: list[Array],
    prep: dict,
    target: Array,
    weights: Array,
    low: Array,
    high: Array,
):
    """Return the linear coordinates (G, k) and weighted squared error (G,) of every cell."""
    cells = np.unravel_index(
        np.arange(int(np.prod([len(g) for g in grids]))), [len(g) for g in grids]
    )
    with np.errstate(all="ignore"):
        columns = _columns(law, grids, cells, prep)
    columns = [(np.where(np.isfinite(c), c, 0.0), index) for c, index in columns]
    k, g = len(columns), len(cells[0])
    gram, right = np.empty((g, k, k)), np.empty((g, k))
    for i, (left, i_of) in enumerate(columns):
        weighted = left * weights
        right[:, i] = (weighted @ target)[i_of]
        for j, (other, j_of) in enumerate(columns[: i + 1]):
            if len(left) * len(other) <= 4 * g:
                entry = (weighted @ other.T)[i_of, j_of]
            else:
                entry = np.einsum("gn,gn->g", weighted[i_of], other[j_of])
            gram[:, i, j] = gram[:, j, i] = entry
    c = solve_bounded(gram, right, low, high)
    error = (
        np.einsum("gi,gij,gj->g", c, gram, c)
        - 2 * (c * right).sum(1)
        + weights @ target**2
    )
    return c, error, np.column_stack([grid[i] for grid, i in zip(grids, cells)])


def pick(
    error: Array, shape: list[int], count: int = N_STARTS, *, apart: bool = False
) -> Array:
    """Pick starting cells, best first: further and further up the ranking, or far apart.

    ``apart`` cuts every axis in five and takes the best cell of each block.
    """
    order = np.argsort(error, kind="stable")
    ranks = (
        np.geomspace(
            1, max(len(error) // 12, min(len(error), 3 * count)), count
        ).astype(int)
        - 1
    )
    if not apart:
        return order[np.unique(ranks)]
    block = np.zeros(len(error), dtype=int)
    for index, size in zip(np.unravel_index(np.arange(len(error)), shape), shape):
        block = 5 * block + 5 * index // size
    _, first = np.unique(block[order], return_index=True)
    return np.array(
        list(dict.fromkeys([*order[np.sort(first)][:count], *order[ranks]]))[:count]
    )


def starting_cells(
    law: Law,
    prep: dict,
    y: Array,
    weights: Array,
    *,
    log_loss: bool,
    low: Array,
    high: Array,
    count: int = N_STARTS,
    apart: bool = False,
) -> Array:
    """Return starts in internal coordinates, best first, (K, p).

    The errors minimised are those of the loss's own residual to first order:
    relative where the loss is on logarithms.
    """
    k = len(law.linear)
    grids = [
        np.unique(np.clip(g, a, b))
        for g, a, b in zip(law.grids(prep), low[k:], high[k:])
    ]
    if law.log_link:
        target, weights = np.log(y), weights * (1.0 if log_loss else y**2)
    else:
        target, weights = y, weights / (y**2 if log_loss else 1.0)
    if not grids:
        phi = law.basis(np.zeros((1, 0)), prep)[0]
        c = solve_bounded(
            ((phi * weights) @ phi.T)[None], ((phi * weights) @ target)[None], low, high
        )
        return c
    if k:
        c, error, theta = solve_grid(
            law, grids, prep, target, weights, low[:k], high[:k]
        )
    else:
        theta = np.stack(
            [g.ravel() for g in np.meshgrid(*grids, indexing="ij")], axis=1
        )
        with np.errstate(all="ignore"):
            error = (law.evaluate(theta, prep)[0] - target) ** 2 @ weights
        c, error = (
            np.zeros((len(theta), 0)),
            np.where(np.isfinite(error), error, np.inf),
        )
    rows = pick(error, [len(g) for g in grids], count, apart=apart)
    c = c[rows]
    if not law.log_link:  # a vanished term would have no say in its exponent
        typical = np.sqrt(weights @ target**2 / weights.sum())
        c = np.where((c == 0) & (high[:k] > 0), np.minimum(1e-2 * typical, high[:k]), c)
    return np.column_stack([c, theta[rows]])
