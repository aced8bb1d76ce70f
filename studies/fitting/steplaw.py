"""Step Law: exponents of the best learning rate and batch size, and what they save.

Source: arXiv 2503.04715, lr = 1.79 N^-0.713 D^0.307 and batch = 0.58 D^0.571 tokens
(N without embeddings). Optional data: the 1,911 dense runs of step-law/steplaw. A
*cell* is one pair (N, D); its runs form a grid of rates and batches. A *rule* maps
(N, D) to a rate and a batch. Chapter: fitting.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from scaling_core.base.slopes import log_fit
from scaling_core.data.online import locate
from scaling_core.data.published import load_published
from scaling_core.fitting import StepLaw

SEQUENCE = 2048  # tokens in a sequence: batches are logged in sequences
EXPONENTS = {  # claim: what is fitted, in what, and which of the slopes
    "lr-n": ("lr", ("N", "D"), 0),
    "lr-d": ("lr", ("N", "D"), 1),
    "batch": ("batch", ("D",), 0),
}
Rule = Callable[[float, float], tuple[float, float]]


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
    """Return the 17 grid minima that come with the book, least compute first."""
    table = load_published("steplaw_optima")
    table["N"], table["D"] = table.N_millions * 1e6, table.D_billions * 1e9
    table = table.rename(columns={"batch_tokens": "batch"})
    return table.sort_values("N", key=lambda N: N * table.D, kind="stable")


def bowl_optima(runs: pd.DataFrame, within: float) -> pd.DataFrame:
    """Return per cell the minimum of a quadratic bowl in log rate and log batch.

    Fitted to the runs within so many percent of the best; cells without one are left out.
    """
    rows = []
    for _, cell in runs.groupby(["N", "D"]):
        near = cell[cell.loss <= cell.loss.min() * (1 + within / 100)]
        at = np.log(np.stack([near.lr, near.batch], axis=1))
        x, y = (at - at.mean(axis=0)).T
        terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
        _, *g, xx, xy, yy = np.linalg.lstsq(terms, near.loss, rcond=None)[0]
        bend = np.array([[2 * xx, xy], [xy, 2 * yy]])
        if np.linalg.eigvalsh(bend).min() > 0:
            best = np.exp(at.mean(axis=0) - np.linalg.solve(bend, g))
            rows.append((cell.N.iloc[0], cell.D.iloc[0], *best))
    return pd.DataFrame(rows, columns=["N", "D", "lr", "batch"])


def published_rule(N, D):
    """Return the published optimum (learning rate, batch in tokens)."""
    best = StepLaw.optimum(N, D)
    return best["lr"], best["batch"]


def fit_rule(optima: pd.DataFrame) -> Rule:
    """Return the rule of Step Law's form fitted to some grid minima, in logs."""
    rate = log_fit(optima.lr, optima.N, optima.D)
    batch = log_fit(optima.batch, optima.D)

    def rule(N, D):
        log_lr = rate.intercept + float(rate.slopes @ np.log([N, D]))
        log_batch = batch.intercept + batch.slopes[0] * np.log(D)
        return float(np.exp(log_lr)), float(np.exp(log_batch))

    return rule


def excess(runs: pd.DataFrame, rule: Rule) -> pd.Series:
    """Return per cell the loss at the run nearest a rule's choice, over the best, in %."""
    found = {}
    for _, cell in runs.groupby(["N", "D"]):
        N, D = cell.N.iloc[0], cell.D.iloc[0]
        lr, batch = rule(N, D)
        away = np.log(cell.lr / lr) ** 2 + np.log(cell.batch / batch) ** 2
        found[N, D] = 100 * (cell.loss[away.idxmin()] / cell.loss.min() - 1)
    return pd.Series(found)


def best_constant_excess(runs: pd.DataFrame) -> pd.Series:
    """Return the same of one rate and one batch for all cells.

    For each cell they are the pair of the grid that does best in all other cells.
    """
    pairs = [(x, y) for x in runs.lr.unique() for y in runs.batch.unique()]
    table = pd.DataFrame({p: excess(runs, lambda N, D, p=p: p) for p in pairs})
    others = (table.sum() - table) / (len(table) - 1)
    chosen = others.to_numpy().argmin(axis=1)
    return pd.Series(table.to_numpy()[np.arange(len(table)), chosen], table.index)


def forward_excess(optima, runs: pd.DataFrame, n: int = 9) -> dict[str, pd.Series]:
    """Return what rules made from the ``n`` smallest cells cost in the larger ones.

    The constant one takes the geometric means of the small cells' minima everywhere.
    """
    small = optima.iloc[:n]
    done = (small.N * small.D).max()
    larger = runs.loc[1.01 * done < runs.N * runs.D]
    lr, batch = (np.exp(np.log(small[name]).mean()) for name in ("lr", "batch"))
    rules: dict[str, Rule] = {
        "law": fit_rule(small),
        "constant": lambda N, D: (lr, batch),
    }
    return {name: excess(larger, rule) for name, rule in rules.items()}
