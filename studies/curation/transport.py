"""Optimal transport between samples: distances, gradients, and mixtures of digits.

Exact, by scipy: an assignment for equal weights, a linear programme where the dual
is asked for. Introduced in the chapter on curation.

Shapes: N points of a sample, M points of the target, W mixtures, C classes.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment, linprog
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from scaling_core.data.images import digits

# Class shares of three sources: two digits' groups are rare in each (arXiv 2307.02460,
# released notebook for CIFAR-10; groups of 4, 3 and 3 classes).
GROUPS = ((0.2425, 0.005, 0.005), (0.0057, 0.32, 0.0057), (0.0014, 0.0014, 0.33))
SOURCES = np.array([np.repeat(shares, (4, 3, 3)) for shares in GROUPS])
SOURCES /= SOURCES.sum(axis=1, keepdims=True)
PER_CLASS = dict(train=390, validation=50, test=60)  # of 500 MNIST digits a class


def transport_distance(cost_NM: np.ndarray) -> float:
    """Return the least mean cost of moving one sample onto another of equal size.

    >>> transport_distance(cdist([[0.0], [1.0]], [[1.0], [2.0]]))
    1.0
    """
    return float(cost_NM[linear_sum_assignment(cost_NM)].mean())


def transport_duals(cost_NM: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return dual potentials f (N,) and g (M,) for equal weights within each sample.

    Mean f plus mean g is the distance, and f_i + g_j <= cost_ij.

    >>> f, g = transport_duals(cdist([[0.0], [1.0]], [[1.0], [2.0]]))
    >>> float(f.mean() + g.mean())
    1.0
    """
    N, M = cost_NM.shape
    rows = np.repeat(np.arange(N), M)
    columns = N + np.tile(np.arange(M), N)
    place = (np.concatenate([rows, columns]), np.tile(np.arange(N * M), 2))
    equal = csr_array((np.ones(2 * N * M), place), shape=(N + M, N * M))
    mass = np.concatenate([np.full(N, 1 / N), np.full(M, 1 / M)])
    solved = linprog(cost_NM.ravel(), A_eq=equal, b_eq=mass, method="highs")
    if solved.status:
        raise RuntimeError(f"the transport programme failed: {solved.message}")
    return solved.eqlin.marginals[:N], solved.eqlin.marginals[N:]


def transport_gradient(cost_KM: np.ndarray, g_M: np.ndarray) -> np.ndarray:
    """Return what mass at new points adds to the distance, up to a constant, (K,).

    The potential of the sample, extended: f(x) = min_j [c(x, y_j) - g_j]. A constant
    shift, as in the calibrated gradients of arXiv 2405.02774, changes no ranking.
    """
    return (cost_KM - g_M).min(axis=1)


def mixture_grid(step: float) -> np.ndarray:
    """Return all weights of three sources in steps, (W, 3).

    >>> len(mixture_grid(0.1)), mixture_grid(0.5)[1].tolist()
    (66, [0.0, 0.5, 0.5])
    """
    n = round(1 / step)
    return (
        np.array([(i, j, n - i - j) for i in range(n + 1) for j in range(n + 1 - i)])
        / n
    )


def split_digits(rng: np.random.Generator) -> dict[str, list[np.ndarray]]:
    """Return row numbers of the digits by part and class, no row in two parts."""
    y, cuts = digits().y, np.cumsum(list(PER_CLASS.values()))[:-1]
    classes = [
        np.split(rng.permutation(np.flatnonzero(y == c)), cuts) for c in range(10)
    ]
    return {name: [rows[i] for rows in classes] for i, name in enumerate(PER_CLASS)}


def draw_mixture(
    p: np.ndarray, size: int, classes: list[np.ndarray], *, rng: np.random.Generator
) -> np.ndarray:
    """Return rows of a training set: classes in the mixture's shares, none twice."""
    counts_C = np.floor(p @ SOURCES * size).astype(int)
    rest = rng.choice(10, size - counts_C.sum(), p=p @ SOURCES)
    counts_C += np.bincount(rest, minlength=10)
    parts = zip(classes, counts_C, strict=True)
    return np.concatenate([rng.choice(rows, k, replace=False) for rows, k in parts])


def label_distances(features: np.ndarray, classes: list[np.ndarray]) -> np.ndarray:
    """Return the transport distance between any two classes' samples, (C, C)."""
    samples = [features[rows] for rows in classes]
    pairs = [
        [transport_distance(cdist(a, b, "sqeuclidean")) for b in samples]
        for a in samples
    ]
    return np.array(pairs)


def measure_mixtures(
    *, seed: int, step: float, sizes: tuple[int, int, int], draws: int
) -> dict:
    """Train on every mixture at every size; measure accuracy and distance to the target.

    Logistic regression on 14 x 14 pixels; the distance is between (image, label) pairs,
    a squared distance of 20 principal components plus one between the labels' classes.
    The first two sizes are means over ``draws`` training sets.
    ``accuracy``: (sizes, W); ``distance``: (sizes but the last, W), to a sample of the
    balanced validation digits; ``classes``: (W,), total variation between a mixture's
    class shares and equal ones.
    """
    rng = np.random.default_rng(seed)
    images = digits().shrink(2)
    x, y = images.flat, images.y
    rows = split_digits(rng)
    test, validation = (np.concatenate(rows[part]) for part in ("test", "validation"))
    z = PCA(20, random_state=0).fit(x[validation]).transform(x)
    between = label_distances(z, rows["validation"])
    weights = mixture_grid(step)

    def distance(drawn: np.ndarray) -> float:
        target = rng.choice(validation, len(drawn))
        cost = cdist(z[drawn], z[target], "sqeuclidean")
        return transport_distance(cost + between[np.ix_(y[drawn], y[target])])

    found: dict = dict(accuracy=[], distance=[])
    for size, count in zip(sizes, (draws, draws, 1), strict=True):
        accuracy, distances = np.zeros((2, len(weights), count))
        for i, p in enumerate(weights):
            for j in range(count):
                drawn = draw_mixture(p, size, rows["train"], rng=rng)
                model = LogisticRegression(tol=1e-3).fit(x[drawn], y[drawn])
                accuracy[i, j] = model.score(x[test], y[test])
                if size < max(sizes):
                    distances[i, j] = distance(drawn)
        found["accuracy"].append(accuracy.mean(axis=1).tolist())
        found["distance"].append(distances.mean(axis=1).tolist())
    shares = weights @ SOURCES
    classes = np.abs(shares - 0.1).sum(axis=1) / 2
    return found | dict(distance=found["distance"][:2], classes=classes.tolist())


def first_stage(weights: np.ndarray, distance_W=None) -> np.ndarray:
    """Return the columns that accuracy is regressed on, (W, columns).

    Without a distance a quadratic in the weights of two sources; with one, the paper's
    first stage as its code has it: 1, q1, q2 and d, d q1, d q2, d q1^2, d q2^2.
    """
    q1, q2 = weights[:, 0], weights[:, 1]
    one = np.ones(len(weights))
    if distance_W is None:
        return np.stack([one, q1, q2, q1**2, q2**2, q1 * q2], axis=1)
    d = np.asarray(distance_W)
    return np.stack([one, q1, q2, d, d * q1, d * q2, d * q1**2, d * q2**2], axis=1)


def held_out_error(columns: np.ndarray, accuracy_W, train_W: np.ndarray) -> float:
    """Return the root mean square error on the mixtures that were not fitted."""
    accuracy = np.asarray(accuracy_W)
    weights, *_ = np.linalg.lstsq(columns[train_W], accuracy[train_W], rcond=None)
    error = columns[~train_W] @ weights - accuracy[~train_W]
    return float(np.sqrt((error**2).mean()))


def project(small, large, sizes: tuple[int, int, int]) -> np.ndarray:
    """Return the values at a third size on the line through two sizes, in ln N.

    The second stage of arXiv 2307.02460: no parameter is fitted.

    >>> project(1.0, 2.0, (10, 100, 1000)).round(6).tolist()
    3.0
    """
    n0, n1, n = np.log(sizes)
    return np.asarray(((n - n0) * large - (n - n1) * small) / (n1 - n0))
