"""Prune pools of images, train on what is left, and compare test errors.

One call is one seed: a draw of test set and pool, of first weights and of the order of
examples. All subsets train at once as one ensemble. Introduced in the chapter on
pruning.
"""

from itertools import product
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from scaling_core.data import images
from scaling_core.data.images import Images
from scaling_core.models.mlp import MLPConfig, MLPEnsemble
from scaling_core.training.batched import plain_adam, train_batched
from studies.pruning import scores
from studies.pruning.scores import (
    SCORES,
    keep,
    keep_in_each_class,
    train_probe,
    with_same_classes,
)

Source = Literal["digits", "small digits", "glyphs"]
BATCH = 64


def has_digits() -> bool:
    """Tell whether the 5,000 digits are on this machine."""
    try:
        return len(images.digits()) > 0
    except images.MissingImagesError:
        return False


def draw(source: Source, *, test: int, pool: int, seed: int) -> tuple[Images, Images]:
    """Return a pool and a test set that no pool of this seed overlaps.

    Digits are split anew, at 14 x 14; glyphs are drawn anew.

    Raises
    ------
    ValueError
        If the source has too few images.
    """
    rng = np.random.default_rng([seed, 0])
    if source == "glyphs":
        data = images.glyphs(test + pool, rng=rng)
    elif source == "digits":
        data = images.digits().shrink(2)
    else:
        data = images.small_digits()
    if len(data) < test + pool:
        raise ValueError(
            f"{source} has {len(data)} images, fewer than {test} to test on and a "
            f"pool of {pool}"
        )
    order = rng.permutation(len(data))
    first, rest = order[:test], order[test : test + pool]
    return Images(data.x[rest], data.y[rest]), Images(data.x[first], data.y[first])


def choose(
    data: Images, shares, controls, config: MLPConfig, *, steps, seed, device
) -> dict[tuple[float, str], np.ndarray]:
    """Return the rows of the pool that each (share, policy) keeps.

    Policies: the hard and the easy by EL2N and by prototypes, ``random``, ``all``. At
    the shares in ``controls`` also ``random again``, a disjoint draw; the hard and easy
    of each class (``balanced``); and random rows with the class counts of EL2N's choice
    (``classes of``).
    """
    probe = train_probe(
        data.flat, data.y, config, plain_adam(steps), seed=seed, device=device
    )
    score, rest = scores.el2n(probe), scores.random_score(probe)
    sorts = {"EL2N": score, "prototypes": scores.prototypes(probe)}
    rng = np.random.default_rng([seed, 3])
    chosen = {(1.0, "all"): np.arange(len(data))}
    for share in shares:
        chosen[share, "random"] = keep(rest, share, "hard")
        for name, side in product(sorts, ("hard", "easy")):
            chosen[share, f"{name} {side}"] = keep(sorts[name], share, side)
        if share not in controls:
            continue
        chosen[share, "random again"] = keep(rest, share, "easy")
        for side in ("hard", "easy"):
            rows = chosen[share, f"EL2N {side}"]
            same = with_same_classes(rows, data.y, rng=rng)
            even = keep_in_each_class(score, data.y, share, side)
            chosen[share, f"classes of {side}"] = same
            chosen[share, f"EL2N {side}, balanced"] = even
    return chosen


def measure_choices(
    *,
    source: Source,
    seed: int,
    pools: list,
    controls: list,
    halved: list,
    test: int = 1000,
    width: int = 64,
    steps: int = 1200,
    device: str = "cpu",
) -> dict:
    """Return the test error of every choice from every pool, for one seed.

    Parameters
    ----------
    pools
        Pairs of a pool's size and the shares to keep of it; smaller pools are the
        first part of larger ones.
    controls
        Shares at which the controls of `choose` are trained too.
    halved
        Pools whose choices at these shares are also trained for half of the steps.

    Returns
    -------
    A list for each of pool, share, policy, ``full`` after ``steps``, ``half`` after half
    of them with a schedule of that length, and ``passes``: largest pool only, after as
    many passes over the subset as ``steps`` are over the whole pool. None: not trained.
    """
    largest = max(size for size, _ in pools)
    pool, held_out = draw(source, test=test, pool=largest, seed=seed)
    config = MLPConfig((pool.flat.shape[1], width, 10))
    cells, lists, runs = [], [], []
    for size, shares in pools:
        part = Images(pool.x[:size], pool.y[:size])
        setting = dict(steps=steps, seed=seed, device=device)
        for key, rows in choose(part, shares, controls, config, **setting).items():
            share, policy = key
            n = len(cells)
            runs.append((n, "full", steps))
            if size in halved and share in controls:
                runs.append((n, "half", max(1, steps // 2)))
            if size == largest and policy in ("EL2N hard", "EL2N easy", "random"):
                runs.append((n, "passes", max(1, round(steps * share))))
            cells.append((size, share, policy))
            lists.append(rows)
    found = _errors(pool, held_out, config, lists, runs, seed=seed, device=device)
    pool_of, share_of, policy_of = (list(x) for x in zip(*cells, strict=True))
    return dict(pool=pool_of, share=share_of, policy=policy_of) | found


def by_choice(runs: pd.DataFrame, column: str = "full") -> dict:
    """Return a column of `measure_choices`, a value per seed, by (pool, share, policy).

    >>> one = dict(pool=[9, 9], share=[0.5, 1.0], policy=["random", "all"])
    >>> by_choice(pd.DataFrame([one | dict(full=[0.2, None])]))
    {(9, 0.5, 'random'): array([0.2])}
    """
    keys = ["pool", "share", "policy"]
    long = runs[[*keys, column]].explode([*keys, column]).dropna()  # pyright: ignore[reportArgumentType]
    return {key: part.to_numpy(float) for key, part in long.groupby(keys)[column]}


def _errors(pool, held_out, config, lists, runs, *, seed, device) -> dict[str, list]:
    """Train each run (list, column, steps); return columns of test errors."""
    found = {name: [None] * len(lists) for name in ("full", "half", "passes")}
    for steps in sorted({length for _, _, length in runs}):
        now = [(n, column) for n, column, length in runs if length == steps]
        model = MLPEnsemble(
            config,
            pool.flat,
            pool.y,
            [lists[n] for n, _ in now],
            batch=BATCH,
            seeds=[1000 * seed + 900] * len(now),
            device=device,
        )
        train_batched(model, plain_adam(steps))
        errors = model.errors(held_out.flat, held_out.y).tolist()
        for (n, column), error in zip(now, errors, strict=True):
            found[column][n] = error
    return found


def measure_scores(
    *,
    source: Source,
    seed: int,
    pool: int,
    subset_nets: int,
    width: int = 64,
    steps: int = 600,
    device: str = "cpu",
) -> np.ndarray:
    """Return Spearman's correlations of the `SCORES`, and of random numbers last."""
    data, _ = draw(source, test=0, pool=pool, seed=seed)
    probe = train_probe(
        data.flat,
        data.y,
        MLPConfig((data.flat.shape[1], width, 10)),
        plain_adam(steps),
        seed=seed,
        subset_nets=subset_nets,
        looks=True,
        device=device,
    )
    values = [score(probe) for score in SCORES.values()]
    values.append(scores.random_score(probe))
    ranks = np.array([rankdata(value) for value in values])
    return np.corrcoef(ranks)
