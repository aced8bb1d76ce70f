"""A sigmoid in the logarithm of one variable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit

from .law import INF, Law


@dataclass(frozen=True)
class SigmoidLog(Law):
    """Sigmoid in log x, ``L = R_0 + (A - R_0) / (1 + (C_mid/x)^B)``.

    R_0 is the value at small x, A the ceiling (or floor) at large x, C_mid the
    half-way point and B > 0 the steepness. Source: arXiv 2510.13786, eq. 1
    (pass rate in RL compute). Chapter: rl.

    Examples
    --------
    >>> from scaling_core.fitting import fit
    >>> x = np.geomspace(1, 1e4, 30)
    >>> y = 0.1 + 0.5 / (1 + (200 / x) ** 1.7)
    >>> r = fit(SigmoidLog(), {"x": x, "L": y}, loss="mse")
    >>> {k: round(v, 6) for k, v in r.params.items()}
    {'R_0': 0.1, 'A': 0.6, 'C_mid': 200.0, 'B': 1.7}
    """

    x: str = "x"

    formula = "L = R_0 + (A - R_0) / (1 + (C_mid/x)^B)"
    source = "arXiv 2510.13786, eq. 1"
    units: ClassVar = {"R_0": "of L", "A": "of L", "C_mid": "of x", "B": "1"}
    linear = ("R_0", "A")
    nonlinear = ("C_mid", "B")
    limits: ClassVar = {"C_mid": (0.0, INF), "B": (0.0, INF)}

    @property
    def variables(self):
        return (self.x,)

    scaled = positive = variables

    @property
    def logs(self):
        return {"C_mid": self.x}

    def prepare(self, data, scale):
        return {"u": np.log(data[self.x] / scale[self.x])}

    def basis(self, theta, prep):
        t = theta[:, 1:] * (prep["u"] - theta[:, :1])
        return np.stack([expit(-t), expit(t)], axis=1)

    def slopes(self, c, theta, phi, prep):
        bell = (c[:, 1:] - c[:, :1]) * phi[:, 0] * phi[:, 1]
        by_mid, by_steepness = -theta[:, 1:] * bell, (prep["u"] - theta[:, :1]) * bell
        return np.stack([by_mid, by_steepness], axis=1)

    def grids(self, prep):
        low, high = prep["u"].min(), prep["u"].max()
        width = high - low + 1e-9
        middles = np.linspace(low - width / 2, high + width, 31)
        return [middles, np.geomspace(0.5, 60.0, 24) / width]
