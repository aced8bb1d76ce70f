"""The pruned perceptron, simulated: exact largest margin at finite size.

Teacher e₁, inputs x ~ N(0, I_N), labels sign(x·e₁). The choice of examples depends on
the plane of teacher and probe alone, so all other coordinates are drawn for the kept
ones only; the distribution is the same (arXiv 2206.14486, theory section).
"""

from zlib import crc32

import numpy as np

from studies.pruning.margin import hard_margin
from studies.pruning.rules import Cell, keep_indices


def angle_error(w: np.ndarray) -> float:
    """Return the error of w on data that are not pruned, the angle to e₁ over π.

    >>> round(angle_error(np.array([1.0, 1.0, 0.0])), 6)
    0.25
    """
    return float(np.arctan2(np.linalg.norm(w[1:]), w[0]) / np.pi)


def kept_examples(cell: Cell, N: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return the kept rows y x of a fresh pool, (kept, N).

    >>> kept_examples(Cell(4, 0.5), 10, rng=np.random.default_rng(0)).shape
    (20, 10)
    """
    theta = np.radians(cell.angle)
    plane = rng.standard_normal((round(cell.pool * N), 2))
    plane *= np.sign(plane[:, :1])
    margin = plane @ [np.cos(theta), np.sin(theta)]
    kept = keep_indices(margin, cell)
    rest = rng.standard_normal((len(kept), N - 2))
    return np.hstack([plane[kept], rest])


def simulate(cell: Cell, *, N: int, seed: int) -> float:
    """Return the test error of the student trained on a pruned pool of its own."""
    rng = np.random.default_rng([seed, N, crc32(repr(cell).encode())])
    return angle_error(hard_margin(kept_examples(cell, N, rng=rng)))


def simulate_all(cells, *, N: int, seeds) -> np.ndarray:
    """Return the errors of cells, (seeds, cells); every entry has a pool of its own."""
    rows = [[simulate(cell, N=N, seed=seed) for cell in cells] for seed in seeds]
    return np.array(rows)


def measure(cell: dict, N: int, seed: int) -> dict[str, float]:
    """Return the error of one cell, given as keywords of ``Cell``, for a sweep."""
    return {"test_error": simulate(Cell(**cell), N=N, seed=seed)}


def same_pool(cell: Cell, *, N: int, seed: int, probe: float) -> tuple[float, float]:
    """Return error and probe's angle (degrees) if the probe learnt from the pool itself.

    The probe is the largest margin on the first ``probe`` examples per weight.

    Raises
    ------
    ValueError
        If the pool holds fewer examples than the probe wants.
    """
    if probe > cell.pool:
        raise ValueError(f"a pool of {cell.pool} cannot give a probe {probe} a weight")
    rng = np.random.default_rng([seed, N, crc32(repr(cell).encode())])
    A = rng.standard_normal((round(cell.pool * N), N))
    A *= np.sign(A[:, :1])
    J = hard_margin(A[: round(probe * N)])
    J /= np.linalg.norm(J)
    error = angle_error(hard_margin(A[keep_indices(A @ J, cell)]))
    return error, 180 * angle_error(J)
