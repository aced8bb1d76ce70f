"""Which examples are kept: one cell of an experiment with pruned data.

A probe perceptron at an angle to the teacher sees every example of a pool. Its signed
margin is s = y J_probe·x, its field is |s|. The cell says which share is kept.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.special import ndtri
from scipy.stats import skewnorm

Keep = Literal["hard", "easy", "random"]
Rule = Literal["field", "signed"]
REACH = 8.5  # standard deviations: beyond them a Gaussian counts as zero


@dataclass(frozen=True)
class Cell:
    """A pool and what is kept of it (arXiv 2206.14486, theory section).

    Attributes
    ----------
    pool
        Examples per weight before pruning (alpha_tot).
    share
        The share kept, f in (0, 1].
    keep
        hard: smallest margin; easy: largest; random: any, of equal number.
    angle
        Degrees between the probe and the teacher; 0 is a perfect ranking.
    rule
        field: rank by |s|; signed: by s, which counts the probe's mistakes as hardest.

    Raises
    ------
    ValueError
        If a number is outside its range or a word is not one of those above.

    >>> Cell(pool=8, share=0.25).kept
    2.0
    """

    pool: float
    share: float
    keep: Keep = "hard"
    angle: float = 0.0
    rule: Rule = "field"

    def __post_init__(self):
        if not (self.pool > 0 and 0 < self.share <= 1 and 0 <= self.angle < 90):
            raise ValueError(
                "pool must be positive, share in (0, 1], angle in [0, 90) degrees; got "
                f"{self.pool}, {self.share}, {self.angle}"
            )
        for given, words in ((self.keep, get_args(Keep)), (self.rule, get_args(Rule))):
            if given not in words:
                raise ValueError(f"got {given!r}; allowed: {', '.join(words)}")

    @classmethod
    def of_kept(cls, kept: float, share: float, **options) -> "Cell":
        """Return the cell with ``kept`` examples per weight left after pruning."""
        return cls(kept / share, share, **options)

    @property
    def kept(self) -> float:
        """Examples per weight after pruning (alpha_prune)."""
        return self.pool * self.share

    @property
    def prunes(self) -> bool:
        """Tell whether the choice depends on the probe at all."""
        return self.keep != "random" and self.share < 1


def kept_margins(cell: Cell) -> list[tuple[float, float]]:
    """Return the intervals of the probe's margin s that are kept, of total mass f.

    The margin has density 2 φ(s) Φ(s cot θ), a skew normal; its field |s| is half normal
    at any angle.

    >>> kept_margins(Cell(pool=4, share=0.5))  # |s| below the median, 0.674
    [(-0.6744897501960817, 0.6744897501960817)]
    """
    if not cell.prunes:
        return [(-REACH, REACH)]
    below = cell.share if cell.keep == "hard" else 1 - cell.share
    if cell.rule == "signed" and cell.angle > 0:
        shape = 1 / np.tan(np.radians(cell.angle))
        cut, low = float(skewnorm.ppf(below, shape)), -REACH
    else:
        cut = float(ndtri((1 + below) / 2))
        low = -cut
    if cell.keep == "hard":
        return [(low, cut)]
    return [(cut, REACH)] if low == -REACH else [(-REACH, low), (cut, REACH)]


def keep_indices(margin: np.ndarray, cell: Cell) -> np.ndarray:
    """Return which of a finite pool are kept, by the probe's margins.

    >>> keep_indices(np.array([0.3, -0.1, -2.0, 1.0]), Cell(pool=1, share=0.5)).tolist()
    [1, 0]
    >>> signed = Cell(pool=1, share=0.5, angle=20, rule="signed")
    >>> keep_indices(np.array([0.3, -0.1, -2.0, 1.0]), signed).tolist()
    [2, 1]
    """
    count = max(1, round(cell.share * len(margin)))
    if not cell.prunes:
        return np.arange(count)  # the pool is in random order
    order = np.argsort(np.abs(margin) if cell.rule == "field" else margin)
    return order[:count] if cell.keep == "hard" else order[-count:]
