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
    trace, c = np.einsum("gii->gi", gram), value
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
        below = c[rows, columns] < low[columns]
        value[rows, columns] = np.where(below, low[columns], high[columns])
    return np.clip(c, low, high)


def _columns(law: Law, grids: list[Array], cells: tuple[Array, ...], prep: dict):
    """Return per basis function its distinct columns (u, n) and each cell's column index."""
    sizes = [len(g) for g in grids]
    known: dict[tuple[int, ...], tuple[Array, Array]] = {}
    for dims in set(law.depends()):
        mesh = np.meshgrid(*[grids[d] for d in dims], indexing="ij")
        theta = np.tile([g[0] for g in grids], (mesh[0].size if dims else 1, 1))
        for d, values in zip(dims, mesh, strict=True):
            theta[:, d] = values.ravel()
        index = np.zeros(len(cells[0]), int)
        if dims:
            shape = tuple(sizes[d] for d in dims)
            index = np.ravel_multi_index(tuple(cells[d] for d in dims), shape)
        known[dims] = np.nan_to_num(law.basis(theta, prep), posinf=0, neginf=0), index
    return [
        (known[dims][0][:, j], known[dims][1]) for j, dims in enumerate(law.depends())
    ]


def solve_grid(law: Law, grids: list[Array], prep: dict, target, weights, low, high):
    """Return c (G, k), weighted squared error (G,) and theta (G, q) of every cell."""
    sizes = [len(g) for g in grids]
    cells = np.unravel_index(np.arange(int(np.prod(sizes))), sizes)
    theta = np.column_stack([grid[i] for grid, i in zip(grids, cells, strict=True)])
    if not law.linear:
        error = (law.evaluate(theta, prep)[0] - target) ** 2 @ weights
        error = np.where(np.isfinite(error), error, np.inf)
        return np.zeros((len(theta), 0)), error, theta
    columns = _columns(law, grids, cells, prep)
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
    error = np.einsum("gi,gij,gj->g", c, gram, c) - 2 * (c * right).sum(1)
    return c, error + weights @ target**2, theta


def pick(
    error: Array, shape: list[int], count: int = N_STARTS, *, apart: bool = False
) -> Array:
    """Pick starting cells, best first: further and further up the ranking, or far apart.

    ``apart`` cuts every axis in five and takes the best cell of each block.
    """
    order = np.argsort(error, kind="stable")
    last = max(len(error) // 12, min(len(error), 3 * count))
    ranks = np.geomspace(1, last, count).astype(int) - 1
    if not apart:
        return order[np.unique(ranks)]
    block = np.zeros(len(error), dtype=int)
    places = np.unravel_index(np.arange(len(error)), shape)
    for index, size in zip(places, shape, strict=True):
        block = 5 * block + 5 * index // size
    _, first = np.unique(block[order], return_index=True)
    chosen = dict.fromkeys([*order[np.sort(first)][:count], *order[ranks]])
    return np.array(list(chosen)[:count])


def starting_cells(
    law: Law,
    prep: dict,
    target: Array,
    weights: Array,
    low: Array,
    high: Array,
    count: int = N_STARTS,
    apart: bool = False,
) -> Array:
    """Return starts in internal coordinates, best first, (K, p).

    Minimised is ``weights @ (eta - target)^2`` on the grid; a law's ``centre`` is
    always among the cells.
    """
    k = len(law.linear)
    clipped = zip(law.grids(prep), low[k:], high[k:], strict=True)
    grids = [np.unique(np.clip(g, a, b)) for g, a, b in clipped]
    bounds = low[:k], high[:k]
    if not grids:
        phi = law.basis(np.zeros((1, 0)), prep)[0]
        weighted = phi * weights
        return solve_bounded(
            (weighted @ phi.T)[None], (weighted @ target)[None], *bounds
        )
    c, error, theta = solve_grid(law, grids, prep, target, weights, *bounds)
    rows = pick(error, [len(g) for g in grids], count, apart=apart)
    if (centre := law.centre()) is not None:
        off = np.abs(theta - np.clip(centre, low[k:], high[k:])).sum(axis=1)
        rows = np.append(rows, off.argmin())
    c = c[rows]
    if not law.log_link:  # a vanished term would have no say in its exponent
        typical = np.sqrt(weights @ target**2 / weights.sum())
        least = np.minimum(1e-2 * typical, bounds[1])
        c = np.where((c == 0) & (bounds[1] > 0), least, c)
    return np.column_stack([c, theta[rows]])
