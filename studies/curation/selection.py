"""Which data to give a pre-trained model: by transport gradient, and by cheaper rules.

Introduced in the chapter on curation.

Shapes: K candidates, N examples of pre-training, M of the target.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from scaling_core.data.images import digits
from scaling_core.models.mlp import MLPConfig, MLPEnsemble
from scaling_core.training.batched import train_batched
from scaling_core.training.settings import Training
from studies.curation.transport import transport_duals, transport_gradient

RULES = ("gradient", "ratio", "matching", "random")
ARMS = (*RULES, "rare only")  # the last by label: at random among 5 to 9
# Rows a class of 500 digits: 0 to 4 are common in pre-training, 5 to 9 rare.
COMMON = dict(before=285, pool=100, target=15, test=100)
RARE = COMMON | dict(before=15)
TRANSPORTED = 150  # examples of each side in the transport programme


def pick(
    before_N: np.ndarray,
    target_M: np.ndarray,
    pool_K: np.ndarray,
    count: int,
    *,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Return the candidates that each of `RULES` picks, without looking at labels.

    ``gradient``: those whose mass lowers the transport distance from pre-training to
    target most (arXiv 2405.02774); ``ratio``: those that a logistic regression finds
    most like the target and least like pre-training; ``matching``: the cheapest
    assignment to target points; ``random``.
    """
    sizes = [min(TRANSPORTED, len(x)) for x in (before_N, target_M)]
    few, goal = (
        x[rng.choice(len(x), n, replace=False)]
        for x, n in zip((before_N, target_M), sizes, strict=True)
    )
    _, g_M = transport_duals(cdist(few, goal, "sqeuclidean"))
    gradient_K = transport_gradient(cdist(pool_K, goal, "sqeuclidean"), g_M)
    both = np.concatenate([before_N, target_M])
    of_target = np.arange(len(both)) >= len(before_N)
    ratio = LogisticRegression(class_weight="balanced").fit(both, of_target)
    matched = target_M[rng.choice(len(target_M), count, replace=len(target_M) < count)]
    return dict(
        gradient=np.argsort(gradient_K, kind="stable")[:count],
        ratio=np.argsort(-ratio.decision_function(pool_K), kind="stable")[:count],
        matching=linear_sum_assignment(cdist(matched, pool_K, "sqeuclidean"))[1],
        random=rng.choice(len(pool_K), count, replace=False),
    )


def cats_and_dogs(cats: int, dogs: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return points of two clouds four standard deviations apart, cats first.

    >>> cats_and_dogs(2, 3, rng=np.random.default_rng(0)).shape
    (5, 2)
    """
    x = rng.standard_normal((cats + dogs, 2))
    x[:, 0] += np.repeat([-2.0, 2.0], [cats, dogs])
    return x


def measure_toy(*, seed: int) -> dict:
    """Return the share of dogs among a tenth of the pool, by rule.

    Pre-training 99 cats to 1 dog, target half and half, a fifth of the pool dogs.
    """
    rng = np.random.default_rng(seed)
    sizes = ((99, 1), (50, 50), (400, 100))
    before, target, pool = (cats_and_dogs(*size, rng=rng) for size in sizes)
    picks = pick(before, target, pool, 50, rng=rng)
    return {rule: float((rows >= 400).mean()) for rule, rows in picks.items()}


def measure_warm_up(*, seed: int, picked: int, steps: tuple[int, ...]) -> dict:
    """Fine-tune on picked digits a network that saw few of 5 to 9; return accuracies.

    ``before``: of the pre-trained network, on balanced digits; a list for each of
    `ARMS`: after these numbers of steps; ``rare``: share of 5 to 9 among the picks;
    ``top``: share of their most frequent class.
    """
    rng = np.random.default_rng(seed)
    images = digits().shrink(2)
    x, y = images.flat, images.y
    rows: dict[str, list] = {name: [] for name in COMMON}
    for c in range(10):
        drawn, counts = (
            rng.permutation(np.flatnonzero(y == c)),
            COMMON if c < 5 else RARE,
        )
        for name, count in counts.items():
            rows[name].extend(drawn[:count])
            drawn = drawn[count:]
    z = PCA(20, random_state=0).fit(x[rows["before"]]).transform(x)
    before, target, candidates = (z[rows[k]] for k in ("before", "target", "pool"))
    picks = pick(before, target, candidates, picked, rng=rng)
    pool = np.array(rows["pool"])
    is_rare = np.flatnonzero(y[pool] >= 5)
    picks["rare only"] = rng.choice(is_rare, picked, replace=False)
    config = MLPConfig((x.shape[1], 64, 10))
    plain: dict = dict(weight_decay=0.0, clip=None)
    made = MLPEnsemble(config, x, y, [rows["before"]], batch=64, seeds=[seed])
    train_batched(made, Training(400, 3e-3, **plain))
    test = x[rows["test"]], y[rows["test"]]
    found: dict = dict(before=float(1 - made.errors(*test)[0]))
    lists = [pool[picks[arm]] for arm in ARMS]
    tuned = MLPEnsemble(config, x, y, lists, batch=25, seeds=[seed] * len(ARMS))
    tuned.parameters.copy_(made.parameters.expand_as(tuned.parameters))
    errors = []

    def look(_: int) -> None:
        errors.append(tuned.errors(*test))

    training = Training(max(steps), 1e-3, schedule="constant", warmup=0.0, **plain)
    train_batched(tuned, training, pause_at=steps, paused=look)
    for arm, column in zip(ARMS, np.transpose(errors), strict=True):
        found[arm] = (1 - column).tolist()
    classes = {arm: y[pool[picks[arm]]] for arm in ARMS}
    rare = {arm: float((c >= 5).mean()) for arm, c in classes.items()}
    top = {arm: float(np.bincount(c).max() / picked) for arm, c in classes.items()}
    return found | dict(rare=rare, top=top)
