"""Points of published studies that are optional to have, and stand-ins for them.

Chapter: fitting.
"""

import numpy as np
import pandas as pd

from scaling_core.data.online import locate
from scaling_core.fitting import Chinchilla
from studies.fitting.surfaces import simulate_isoflop

# arXiv 2404.10102, table 1; arXiv 2203.15556, eq. 10, as printed and as in its source
BESIROGLU = dict(E=1.8169, A=482.01, B=2085.43, alpha=0.3478, beta=0.3659)
HOFFMANN_PRINTED = dict(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
HOFFMANN_SOURCE = dict(
    zip("EAB", np.exp([0.5267228, 6.0073404, 6.0179186]).tolist(), strict=True),
    **dict(alpha=0.33917084, beta=0.2849083),
)


def twin_points(n: int = 240, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Return points drawn from Besiroglu's constants, for readers without the data.

    Sizes from 60 million to 16 billion parameters, ratios around 20 tokens each,
    Laplace noise of one percent on log L.

    >>> len(twin_points()["L"])
    240
    """
    rng = np.random.default_rng(seed)
    N = np.exp(rng.uniform(np.log(6e7), np.log(1.6e10), n))
    D = N * 20 * np.exp(rng.normal(0, 1.2, n))
    D *= (N / 1e9) ** -0.5
    loss = Chinchilla().predict(BESIROGLU, {"N": N, "D": D})
    return {"N": N, "D": D, "L": loss * np.exp(rng.laplace(0, 0.007, n))}


def llama3_points(kind: str = "raw", *, flagged: bool = True) -> dict | None:
    """Return Llama 3's IsoFLOP points N, D, C, L; None if the file is absent.

    Digitised by the authors of arXiv 2603.22339 from Fig. 2 of arXiv 2407.21783.
    ``kind``: "raw", or "exp" for the exponential of the plotted value. ``flagged``
    keeps the points their quality control marks.
    """
    if kind not in ("raw", "exp"):
        raise ValueError(f"kind must be raw or exp, got {kind!r}")
    path = locate("isoflops.csv")
    if path is None:
        return None
    table = pd.read_csv(path)
    kept = table.experiment == f"llama_3__{kind}_loss"
    if not flagged:
        kept &= ~table.outlier.astype(bool)
    names = {"N": "params", "D": "tokens", "C": "budget", "L": "loss"}
    return {key: table.loc[kept, name].to_numpy(float) for key, name in names.items()}


def twin_isoflops() -> dict[str, np.ndarray]:
    """Return made-up points at fixed compute on a surface like Llama 3's."""
    truth = dict(E=0.6, A=59.0, B=155.0, alpha=0.31, beta=0.314)
    budgets = np.geomspace(6e18, 1e22, 9)
    return simulate_isoflop(truth, budgets=budgets, width=4, n=14, drift=2, noise=0.001)
