"""The law of learning-rate schedules, which this chapter alone fits."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy.signal import lfilter

from scaling_core.fitting.powers import PowerSum


def schedule_areas(
    lr: np.ndarray, decay: float = 0.999, start: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return S1 and S2 of a learning-rate schedule, one value per step.

    ``S1(s) = sum_{i <= s} lr_i`` and ``S2(s) = sum_{i <= s} m_i`` with the momentum
    ``m_i = decay m_{i-1} + lr_{i-1} - lr_i``, started at zero in step ``start``
    (the end of warm-up; earlier falls do not count). Source: arXiv 2408.11029.

    >>> s1, s2 = schedule_areas(np.array([1.0, 1.0, 0.5, 0.5]), decay=0.5)
    >>> s1.tolist(), s2.tolist()
    ([1.0, 2.0, 2.5, 3.0], [0.0, 0.0, 0.5, 0.75])
    """
    lr = np.asarray(lr, dtype=float)
    falls = -np.diff(lr, prepend=lr[:1])
    falls[: start + 1] = 0.0
    return np.cumsum(lr), np.cumsum(lfilter([1.0], [1.0, -decay], falls))


class LRAnnealing(PowerSum):
    """Loss at every step of any learning-rate schedule, ``L = L_0 + A S1^-alpha - C S2``.

    S1 and S2 come from ``schedule_areas``. Source: arXiv 2408.11029, abstract.

    >>> from scaling_core.fitting import fit
    >>> S1, S2 = schedule_areas(3e-4 * np.cos(np.linspace(0, 1.5, 400)))
    >>> L = 2.6 + 0.4 * S1**-0.5 - 0.3 * S2
    >>> round(fit(LRAnnealing(), {"S1": S1, "S2": S2, "L": L}).params["C"], 6)
    0.3
    """

    terms: ClassVar = {"L_0": {}, "A": {"S1": "alpha"}, "C": {"S2": -1.0}}
    minus = ("C",)
    source = "arXiv 2408.11029"

    def grids(self, prep):
        return [np.geomspace(0.02, 3.0, 40)]
