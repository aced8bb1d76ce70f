"""A log-linear law whose slope saturates in model size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.special import expit

from .law import INF, Law, one_hot


@dataclass(frozen=True)
class SaturatingK(Law):
    """Log-linear law whose slope saturates in model size.

    ``ln L = E[N] - k(N) ln X`` with ``k(N) = K_max / (1 + N_0/N)`` and a free
    intercept for every N in the data. Source: arXiv 2509.25300, eqs. 1 and 8.
    Chapter: rl.

    Examples
    --------
    >>> from scaling_core.fitting import fit
    >>> axes = [1e9, 1e10, 7e10], np.geomspace(1e16, 1e20, 6)
    >>> N, X = (g.ravel() for g in np.meshgrid(*axes))
    >>> L = np.exp(3 - 0.13 / (1 + 13e9 / N) * np.log(X))
    >>> r = fit(SaturatingK(), {"N": N, "X": X, "L": L})
    >>> round(r.params["K_max"], 9), round(r.params["N_0"] / 1e9, 6)
    (0.13, 13.0)
    """

    levels: tuple = ()

    formula = "ln L = E[N] - K_max / (1 + N_0/N) ln X"
    source = "arXiv 2509.25300, eqs. 1 and 8"
    units: ClassVar = {"E": "of ln L", "K_max": "1", "N_0": "of N"}
    variables = scaled = positive = ("N", "X")
    scale_target = False
    log_link = True
    nonlinear = ("N_0",)
    logs: ClassVar = {"N_0": "N"}
    limits: ClassVar = {"K_max": (0.0, INF), "N_0": (0.0, INF)}

    @property
    def linear(self):
        return (*self.coupled, "K_max")

    @property
    def coupled(self):
        return tuple(f"E[{level:g}]" for level in self.levels)

    def resolved(self, data):
        levels = self.levels or tuple(np.unique(data["N"]).tolist())
        return replace(self, levels=levels)

    def prepare(self, data, scale):
        return {
            "u": np.log(data["N"] / scale["N"]),
            "x": np.log(data["X"] / scale["X"]),
            "member": one_hot(np.asarray(data["N"], dtype=float), self.levels),
        }

    def basis(self, theta, prep):
        slope = -prep["x"] * expit(prep["u"] - theta)
        members = np.broadcast_to(prep["member"], (len(theta), *prep["member"].shape))
        return np.concatenate([members, slope[:, None]], axis=1)

    def slopes(self, c, theta, phi, prep):
        share = expit(prep["u"] - theta)
        return (c[:, -1:] * prep["x"] * share * (1 - share))[:, None]

    def grids(self, prep):
        return [np.linspace(prep["u"].min() - 5, prep["u"].max() + 5, 41)]

    def depends(self):
        return [()] * len(self.levels) + [(0,)]

    def _shift(self, raw, scale):
        """Return k(N) ln X_0 of every level, and 0 for K_max and N_0, (B, p)."""
        if scale["X"] == 1:
            return 0.0
        k = raw[:, -2:-1] / (1 + raw[:, -1:] / np.array(self.levels))
        return np.pad(k * np.log(scale["X"]), ((0, 0), (0, 2)))

    def to_raw(self, z, scale):
        raw = super().to_raw(z, scale)
        return raw + self._shift(raw, scale)

    def from_raw(self, raw, scale):
        return super().from_raw(raw, scale) - self._shift(raw, scale)

    def k(self, params, N):
        """Return the slope k(N).

        Examples
        --------
        >>> float(SaturatingK().k({"K_max": 0.2, "N_0": 1e9}, 1e9))
        0.1
        """
        return params["K_max"] / (1 + params["N_0"] / np.asarray(N, dtype=float))
