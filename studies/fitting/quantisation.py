"""The floating-point law: its published constants, their arithmetic, and a design.

Source: arXiv 2501.02423, Table 2 (constants) and the section on the critical data
size. N in parameters, D in tokens, blocks of B values share one scale. Chapter:
fitting.
"""

import numpy as np

from scaling_core.fitting import fit
from studies.fitting.laws import FloatQuantisation

CONSTANTS = dict(epsilon=1.9061, n=69.2343, d=68973.0621, gamma=11334.5197)
CONSTANTS |= dict(alpha=0.2368, beta=0.5162, delta=3.1926, nu=2.9543)
LAYOUTS = {4: (2, 1), 8: (4, 3), 16: (8, 7)}  # bits: exponent and mantissa bits


def critical_tokens(N: float, exponent: int, mantissa: int, block: int = 128) -> float:
    """Return the number of tokens beyond which the quantised loss rises.

    >>> round(critical_tokens(1e9, 4, 3) / 1e12, 2)
    27.33
    """
    c = CONSTANTS
    bits = (exponent + 0.5) ** c["delta"] * (mantissa + 0.5) ** c["nu"]
    inner = c["d"] * c["gamma"] * N ** c["alpha"] * bits / np.log2(block)
    return float(inner ** (1 / (2 * c["beta"])))


def design() -> dict[str, np.ndarray]:
    """Return 960 settings N, D, E, M, B with their exact losses L.

    >>> len(design()["L"])
    960
    """
    N, D = [41e6, 85e6, 154e6, 679e6], [1e10, 2e10, 5e10, 1e11]
    grid = np.meshgrid(N, D, [1, 2, 3, 4, 5], [1, 2, 3, 5], [32, 128, 512])
    data = {x: g.ravel().astype(float) for x, g in zip("NDEMB", grid, strict=True)}
    data["L"] = FloatQuantisation().predict(CONSTANTS, data)
    return data


def refit_errors(noise: float = 0.0, seed: int = 0) -> dict[str, float]:
    """Return the relative error of every constant, refitted to the noisy design.

    >>> max(refit_errors().values()) < 1e-6
    True
    """
    data = design()
    rng = np.random.default_rng(seed)
    data["L"] = data["L"] * np.exp(noise * rng.normal(size=len(data["L"])))
    found = fit(FloatQuantisation(), data).params
    return {name: abs(found[name] / value - 1) for name, value in CONSTANTS.items()}
