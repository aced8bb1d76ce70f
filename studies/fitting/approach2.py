"""Approach 2 against the whole surface: bias without noise, error with it.

Source: arXiv 2603.22339. Units: C in FLOPs, N in parameters, D in tokens.
"""

from itertools import product

import numpy as np

from scaling_core.base.progress import progress
from scaling_core.fitting import Chinchilla, fit, isoflop
from studies.fitting.surfaces import approach2_bias, deadweight_loss, simulate_isoflop

SURFACES = {
    "symmetric": dict(E=1.69, A=400.0, B=400.0, alpha=0.31, beta=0.31),
    "Chinchilla": dict(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28),
    "asymmetric": dict(E=1.69, A=400.0, B=400.0, alpha=0.465, beta=0.155),
}
MULTIMODAL = {
    "SODA": dict(E=3.169, A=215886.0, B=4750.0, alpha=0.684, beta=0.439),
    "Sparse-NMM": dict(E=2.158, A=381773.0, B=4659.0, alpha=0.710, beta=0.372),
}
WIDTHS = (2.0, 4.0, 8.0, 16.0)
POINTS = 15
NOISY: dict[str, tuple] = dict(
    sigma=(0.05, 0.1, 0.2), budgets=(2, 3, 4), points=(4, 8, 16, 32)
)
METHODS = ("Approach 2", "surface")


def token_error(surface, *, C: float = 1e24, budgets=None, **grid) -> float:
    """Return by how many percent Approach 2 misses the optimal tokens at C.

    ``grid`` goes to ``simulate_isoflop`` (width, offset, drift). No noise.

    >>> round(token_error(SURFACES["Chinchilla"], width=16), 2)
    -5.1
    """
    data = simulate_isoflop(surface, budgets=budgets, n=POINTS, **grid)
    truth = Chinchilla().optimum(surface, C)["D"]
    return float(100 * (isoflop(data, on="D").predict(C) / truth - 1))


def closed_form_error(alpha: float, beta: float, width: float) -> float:
    """Return the same percentage from the closed form; the budget plays no part.

    >>> abs(closed_form_error(0.31, 0.31, 16)) < 1e-9
    True
    """
    w = np.linspace(-1, 1, POINTS) * np.log10(width)
    return float(100 * (10 ** -approach2_bias(alpha, beta, w) - 1))


def wasted_compute(surface, *, C: float = 3.8e25, width=2.0, drift=3.0) -> float:
    """Return the percentage of C wasted by Approach 2's split, drifting grids.

    >>> round(wasted_compute(MULTIMODAL["SODA"]), 1)
    8.0
    """
    budgets = np.logspace(18, 22, 5)
    grid: dict = dict(width=width, n=POINTS, drift=drift)
    data = simulate_isoflop(surface, budgets=budgets, **grid)
    D = float(isoflop(data, on="D").predict(C))
    return 100 * deadweight_loss(surface, C, D=D)


def worst_recovery(surfaces=SURFACES, widths=20) -> float:
    """Return the largest relative error, in percent, of any parameter of any fit.

    Noise-free grids of 75 points, as many half-widths between 2 and 16 as asked.
    """
    worst = 0.0
    for surface, width in product(surfaces.values(), np.geomspace(2, 16, widths)):
        data = simulate_isoflop(surface, width=width, n=POINTS)
        found = fit(Chinchilla(), data, loss="mse").params
        worst = max(worst, *(abs(found[k] / surface[k] - 1) for k in surface))
    return 100 * worst


def noisy_errors(seeds, *, drift: float = 3.0) -> np.ndarray:
    """Return relative errors of a and b, (seeds, methods, designs, 2).

    The asymmetric surface, grids within a factor 8 whose centre drifts to ``drift``
    times the optimal tokens, Gaussian noise on the loss; 36 designs a seed (``NOISY``).
    Designs where Approach 2 meets a parabola without a minimum are nan for it.
    """
    truth, designs = SURFACES["asymmetric"], list(product(*NOISY.values()))
    b_true = truth["alpha"] / (truth["alpha"] + truth["beta"])
    out = np.empty((len(seeds), len(METHODS), len(designs), 2))
    for i, seed in enumerate(progress(seeds, desc="noisy designs")):
        rng = np.random.default_rng(seed)
        for j, (sigma, budgets, points) in enumerate(designs):
            grid: dict = dict(n=points, noise=sigma, width=8, drift=drift, rng=rng)
            C = np.logspace(17, 21, budgets)
            data = simulate_isoflop(truth, budgets=C, **grid)
            b = np.array([exponent_b(data, method) for method in METHODS])
            out[i, :, j, 0] = abs((1 - b) / (1 - b_true) - 1)
            out[i, :, j, 1] = abs(b / b_true - 1)
    return out


def exponent_b(data, method: str) -> float:
    """Return the exponent of D* in C; nan where a parabola has no minimum.

    >>> round(exponent_b(simulate_isoflop(SURFACES["asymmetric"]), "surface"), 9)
    0.75
    """
    if method == "Approach 2":
        try:
            allocation = isoflop(data, on="D")
        except ValueError:  # fewer than two parabolas open upwards
            return np.nan
        upside_down = any("downwards" in text for text in allocation.warnings)
        return np.nan if upside_down else allocation.slope
    return fit(Chinchilla(), data, loss="mse").derived["b"]
