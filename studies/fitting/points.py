"""Points of published studies that are optional to have, and published constants."""

import numpy as np
import pandas as pd

from scaling_core.data.online import locate

# arXiv 2404.10102, table 1; arXiv 2203.15556, eq. 10, as printed and as in its source
BESIROGLU = dict(E=1.8169, A=482.01, B=2085.43, alpha=0.3478, beta=0.3659)
HOFFMANN_PRINTED = dict(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
HOFFMANN_SOURCE = dict(
    zip("EAB", np.exp([0.5267228, 6.0073404, 6.0179186]).tolist(), strict=True),
    **dict(alpha=0.33917084, beta=0.2849083),
)
Columns = dict[str, np.ndarray]


def llama3_points(*, flagged: bool = True) -> Columns | None:
    """Return Llama 3's IsoFLOP points N, D, C, L; None if the file is absent.

    Digitised by the authors of arXiv 2603.22339 from Fig. 2 of arXiv 2407.21783.
    ``flagged`` keeps the points their quality control marks.
    """
    path = locate("isoflops.csv")
    if path is None:
        return None
    table = pd.read_csv(path)
    kept = table.experiment == "llama_3__raw_loss"
    if not flagged:
        kept &= ~table.outlier.astype(bool)
    names = {"N": "params", "D": "tokens", "C": "budget", "L": "loss"}
    return {key: table.loc[kept, name].to_numpy(float) for key, name in names.items()}


def pick(data: Columns, rows: np.ndarray) -> Columns:
    """Return some of the points, by a mask or by indices."""
    return {name: column[rows] for name, column in data.items()}
