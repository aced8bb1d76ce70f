"""Step Law: exponents of the best learning rate and batch size, and how sharp they are.

Source: arXiv 2503.04715, lr = 1.79 N^-0.713 D^0.307 and batch = 0.58 D^0.571 tokens
(N without embeddings). Optional data: the 1,911 dense runs of step-law/steplaw. A
*cell* is one pair (N, D); its runs form a grid of rates and batches. Chapter: fitting.
"""

import numpy as np
import pandas as pd

from scaling_core.base.slopes import log_fit
from scaling_core.data.online import locate
from scaling_core.data.published import load_published

SEQUENCE = 2048  # tokens in a sequence: batches are logged in sequences
EXPONENTS = {  # claim: what is fitted, in what, and which of the slopes
    "lr-n": ("lr", ("N", "D"), 0),
    "lr-d": ("lr", ("N", "D"), 1),
    "batch": ("batch", ("D",), 0),
}


def read_runs() -> pd.DataFrame | None:
    """Return the dense runs (N, D, lr, batch in tokens, loss), or None if absent."""
    path = locate("steplaw_dense.csv")
    if path is None:
        return None
    table = pd.read_csv(path)
    table["batch"], table["loss"] = table.bs * SEQUENCE, table["smooth loss"]
    runs = pd.DataFrame(table, columns=["N", "D", "lr", "batch", "loss"])
    return runs.astype({"N": float, "D": float}).dropna()


def read_optima() -> pd.DataFrame:
    """Return the 17 grid minima that come with the book (N, D, lr, batch, loss)."""
    table = load_published("steplaw_optima")
    table["N"], table["D"] = table.N_millions * 1e6, table.D_billions * 1e9
    return table.rename(columns={"batch_tokens": "batch"})


def law_point(N, D) -> tuple[np.ndarray, np.ndarray]:
    """Return the published optimum (learning rate, batch in tokens).

    >>> lr, batch = law_point(1e9, 1e11)
    >>> round(float(lr), 5), round(float(batch / 1e6), 2)
    (0.00163, 1.11)
    """
    N, D = np.asarray(N, dtype=float), np.asarray(D, dtype=float)
    return 1.79 * N**-0.713 * D**0.307, 0.58 * D**0.571


def _cells(runs: pd.DataFrame):
    """Yield N, D and the runs of each cell."""
    for _, cell in runs.groupby(["N", "D"]):
        yield cell.N.iloc[0], cell.D.iloc[0], cell


def excess_at_law(runs: pd.DataFrame) -> pd.DataFrame:
    """Return per cell the loss at the grid point nearest the law, over the best, in %.

    ``median`` is the same for the middle run of the cell, a careless choice.
    """
    rows = []
    for N, D, cell in _cells(runs):
        lr, batch = law_point(N, D)
        away = np.log(cell.lr / lr) ** 2 + np.log(cell.batch / batch) ** 2
        found = np.array([cell.loss[away.idxmin()], cell.loss.median()])
        rows.append((N, D, *(100 * (found / cell.loss.min() - 1))))
    return pd.DataFrame(rows, columns=["N", "D", "law", "median"])


def is_unimodal(losses: np.ndarray, tolerance: float) -> bool:
    """Tell whether losses fall to one minimum and rise after it, up to a tolerance.

    A rise before the minimum, or a fall after it, within ``tolerance`` (relative) counts
    as none.

    >>> is_unimodal(np.array([3.0, 2.0, 1.0, 2.0]), 0), is_unimodal(np.array([1.0, 2, 1]), 0)
    (True, False)
    """
    best = int(np.argmin(losses))
    left, right = losses[: best + 1], losses[best:]
    before = left - np.minimum.accumulate(left)
    after = np.maximum.accumulate(right) - right
    return bool(max(before.max(), after.max()) <= tolerance * losses.min())


def smooth_optima(runs: pd.DataFrame, window: float = 0.02) -> pd.DataFrame:
    """Return each cell's vertex of a quadratic surface in log rate and log batch.

    Fitted to runs within ``window`` (relative) of the cell's best; ``convex`` tells
    whether both curvatures are positive.
    """
    rows = []
    for N, D, cell in _cells(runs):
        near = cell[cell.loss <= cell.loss.min() * (1 + window)]
        x, y = np.log(near.lr), np.log(near.batch)
        cx, cy = x.mean(), y.mean()
        x, y = x - cx, y - cy
        design = np.column_stack([np.ones(len(x)), x, y, x * x, x * y, y * y])
        c, *_ = np.linalg.lstsq(design, near.loss.to_numpy(), rcond=None)
        hessian = np.array([[2 * c[3], c[4]], [c[4], 2 * c[5]]])
        lr, batch = np.exp([cx, cy] - np.linalg.solve(hessian, c[1:3]))
        rows.append((N, D, lr, batch, bool(np.linalg.eigvalsh(hessian).min() > 0)))
    return pd.DataFrame(rows, columns=["N", "D", "lr", "batch", "convex"])


def readings(optima, runs: pd.DataFrame | None) -> dict[str, list[tuple]]:
    """Return (exponent, standard error) of lr in N, lr in D, batch in D, per reading.

    Grid minima always; with the runs also all runs within 0.25 % of their cell's
    best, as the authors' script pools them, and the vertices of smooth surfaces.
    """
    tables = {"grid minima": optima}
    if runs is not None:
        best = runs.groupby(["N", "D"]).loss.transform("min")
        tables["within 0.25 %"] = runs[runs.loss <= 1.0025 * best]
        tables["smooth minima"] = smooth_optima(runs)
    out = {}
    for name, table in tables.items():
        rate = log_fit(table.lr, table.N, table.D)
        batch = log_fit(table.batch, table.D)
        slopes, errors = [*rate.slopes, *batch.slopes], [*rate.errors, *batch.errors]
        out[name] = list(zip(slopes, errors, strict=True))
    return out


def unimodal_share(runs: pd.DataFrame, window=0.02, tolerance=1e-3) -> float:
    """Return the share of grid lines with one minimum among runs near the best.

    A line has four runs at least: rates at one batch, or batches at one rate.
    """
    best, found = runs.groupby(["N", "D"]).loss.transform("min"), []
    near = runs.loc[runs.loss <= (1 + window) * best]
    for fixed, moving in (("batch", "lr"), ("lr", "batch")):
        for _, line in near.groupby(["N", "D", fixed]):
            losses = line.groupby(moving).loss.min().to_numpy()
            found += [is_unimodal(losses, tolerance)] if len(losses) >= 4 else []
    return float(np.mean(found))
