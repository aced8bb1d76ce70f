"""Many noisy columns against few clean ones: a closed form and a table of cells.

Introduced in the chapter on curation.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

SPREAD = 1.0  # s: how far a true column strays from the common cause
OUTCOME = 0.25  # variance of what no column can tell


def one_factor_r2(columns: int, error: float, shared: float = 0.0) -> float:
    """Return the best R² from p columns in the one-factor model.

    Y = L + e0, columns X_j = L + s h_j + error x_j + sqrt(shared) z, all of variance 1
    but e0 (`OUTCOME`): R² = 1 / (1 + `OUTCOME`) / (1 + shared + (s² + error²) / p).
    Cleaning takes the error away and leaves s; breadth averages both; neither touches
    an error z that all columns share.

    >>> round(one_factor_r2(10, error=1), 3), round(one_factor_r2(3, error=0), 3)
    (0.667, 0.6)
    """
    noise = shared + (SPREAD**2 + error**2) / columns
    return 1 / (1 + OUTCOME) / (1 + noise)


def simulated_r2(
    columns: int,
    error: float,
    *,
    rows: int,
    rng: np.random.Generator,
    shared: float = 0.0,
) -> float:
    """Return the held-out R² of ridge regression in the one-factor model."""
    cause, common = rng.standard_normal((2, 2 * rows, 1))
    X = cause + SPREAD * rng.standard_normal((2 * rows, columns))
    X += error * rng.standard_normal(X.shape) + np.sqrt(shared) * common
    y = cause[:, 0] + np.sqrt(OUTCOME) * rng.standard_normal(2 * rows)
    return float(Ridge(1.0).fit(X[:rows], y[:rows]).score(X[rows:], y[rows:]))


def measure_breadth(*, seed: int, counts: Sequence[int], noise: float) -> dict:
    """Return accuracies on held-out cells of the breast-cancer table.

    ``clean``: p columns chosen at random, for each of ``counts``; ``dirty``: the same
    columns with errors of ``noise`` standard deviations, in training and in the test.
    """
    rng = np.random.default_rng(seed)
    X, y = map(np.asarray, load_breast_cancer(return_X_y=True))
    parts = train_test_split(X, y, test_size=0.4, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(parts[0])
    train, test = (np.asarray(scaler.transform(part)) for part in parts[:2])
    errors = [noise * rng.standard_normal(part.shape) for part in (train, test)]
    order = rng.permutation(train.shape[1])
    found: dict[str, list[float]] = dict(clean=[], dirty=[])
    for p in counts:
        for name, share in (("clean", 0), ("dirty", 1)):
            seen = [
                (part + share * error)[:, order[:p]]
                for part, error in zip((train, test), errors, strict=True)
            ]
            model = LogisticRegression(max_iter=1000).fit(seen[0], parts[2])
            found[name].append(float(model.score(seen[1], parts[3])))
    return found
