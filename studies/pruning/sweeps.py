"""What a sweep of simulated perceptrons runs: one cell at one seed."""

from studies.pruning.rules import Cell
from studies.pruning.simulate import simulate


def measure(cell: dict, N: int, seed: int) -> dict[str, float]:
    """Return the error of one cell, given as keywords of ``Cell``."""
    return {"test_error": simulate(Cell(**cell), N=N, seed=seed)}
