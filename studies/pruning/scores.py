"""How hard is an example? Nine scores and a random one, all high for hard examples.

Each is a function of a `Probe`, networks trained on the pool itself and looked at early
and on the way, and gives one number per example. Introduced in the chapter on pruning.

Shapes: N examples of the pool, G networks, C classes, T looks at the training,
M networks trained on subsets, E dimensions of the embedding.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from sklearn.cluster import k_means
from sklearn.decomposition import PCA

from scaling_core.models.mlp import MLPConfig, MLPEnsemble, forward
from scaling_core.training.batched import train_batched
from scaling_core.training.settings import Training

EARLY_PASSES = 6  # over the pool, before the scores of early networks are taken
CLUSTERS, EMBEDDING = 30, 20
SUBSET = 0.7  # of the pool, for memorisation (arXiv 2008.03703)
GRADIENTS_AT_ONCE = 128


@dataclass(frozen=True)
class Probe:
    """What the scores look at.

    Attributes
    ----------
    x_NI, y_N
        The pool.
    p_GNC
        Class probabilities of the early networks.
    parameters_GP
        Their weights.
    right_TGN
        Which examples each network gets right after each pass; no looks: (0, G, N).
    seen_MN, known_MN
        For networks trained on random subsets, which examples were in the subset, and
        which the network gets right; none: (0, N).
    """

    x_NI: np.ndarray
    y_N: np.ndarray
    config: MLPConfig
    parameters_GP: torch.Tensor
    p_GNC: np.ndarray
    right_TGN: np.ndarray
    seen_MN: np.ndarray
    known_MN: np.ndarray
    seed: int = 0


def train_probe(
    x_NI: np.ndarray,
    y_N: np.ndarray,
    config: MLPConfig,
    training: Training,
    *,
    seed: int,
    batch: int = 64,
    nets: int = 8,
    subset_nets: int = 0,
    looks: bool = False,
    device: str = "cpu",
) -> Probe:
    """Train the networks that the scores look at, on the pool that they score.

    Without ``looks`` and ``subset_nets`` training ends at the early look: enough for
    EL2N, GraNd, margin, disagreement and the prototypes.
    """
    N = len(y_N)
    early = max(1, min(training.steps, EARLY_PASSES * N // batch))
    every = max(1, N // batch)
    model = MLPEnsemble(
        config,
        x_NI,
        y_N,
        [np.arange(N)] * nets,
        batch=batch,
        seeds=range(1000 * seed, 1000 * seed + nets),
        device=device,
    )
    found, right = {}, []

    def look(done: int) -> None:
        f_GNC = model.outputs(x_NI)
        if looks and (done % every == 0 or done == training.steps):
            right.append(f_GNC.argmax(-1).cpu().numpy() == y_N)
        if done == early:
            found["p_GNC"] = f_GNC.double().softmax(-1).cpu().numpy()
            found["parameters_GP"] = model.parameters.detach().clone()

    pauses = {early, training.steps, *range(every, training.steps, every)}
    recipe = training if looks else _first_steps(training, early)
    train_batched(model, recipe, pause_at=pauses if looks else {early}, paused=look)
    right_TGN = np.array(right).reshape(-1, nets, N)
    subsets = (x_NI, y_N, config, training, seed, batch, subset_nets, device)
    seen_MN, known_MN = _train_on_subsets(*subsets)
    return Probe(
        x_NI=x_NI,
        y_N=y_N,
        config=config,
        right_TGN=right_TGN,
        seen_MN=seen_MN,
        known_MN=known_MN,
        seed=seed,
        **found,
    )


def _first_steps(training: Training, steps: int) -> Training:
    """Return the first steps of a longer training, its learning rates included."""
    return replace(
        training, steps=steps, schedule=lambda s: training.lr_at(s) / training.lr
    )


def _train_on_subsets(x, y, config, training, seed, batch, nets, device):
    """Return who saw what and who knows what, two boolean (M, N)."""
    N = len(y)
    if not nets:
        return np.zeros((0, N), bool), np.zeros((0, N), bool)
    rng = np.random.default_rng([seed, 2])
    lists = [rng.permutation(N)[: round(SUBSET * N)] for _ in range(nets)]
    seeds = range(1000 * seed + 500, 1000 * seed + 500 + nets)
    model = MLPEnsemble(config, x, y, lists, batch=batch, seeds=seeds, device=device)
    train_batched(model, training)
    seen_MN = np.zeros((nets, N), bool)
    for row, kept in zip(seen_MN, lists, strict=True):
        row[kept] = True
    return seen_MN, model.outputs(x).argmax(-1).cpu().numpy() == y


def el2n(probe: Probe) -> np.ndarray:
    """Return ⟨‖p - onehot(y)‖₂⟩ over early networks (arXiv 2107.07075)."""
    off_GNC = probe.p_GNC - np.eye(probe.p_GNC.shape[-1])[probe.y_N]
    return np.linalg.norm(off_GNC, axis=-1).mean(axis=0)


def grand(probe: Probe) -> np.ndarray:
    """Return ⟨‖∇ loss‖₂⟩, the gradient by all weights, over early networks.

    The gradients of single examples are torch.func's (arXiv 2107.07075).
    """

    def loss(parameters_P, x_I, y):
        f_C = forward(probe.config, parameters_P, x_I[None])[0]
        return torch.nn.functional.cross_entropy(f_C, y)

    per_example = torch.func.vmap(
        lambda P, x, y: torch.func.grad(loss)(P, x, y).norm(),
        in_dims=(None, 0, 0),
        chunk_size=GRADIENTS_AT_ONCE,
    )
    P_GP = probe.parameters_GP
    x_NI = torch.tensor(probe.x_NI).to(P_GP)
    y_N = torch.tensor(probe.y_N).to(P_GP.device)
    norms = [per_example(P, x_NI, y_N).cpu().numpy() for P in P_GP]
    return np.mean(norms, axis=0)


def margin(probe: Probe) -> np.ndarray:
    """Return ⟨max over other classes of p - p of the own class⟩ over early networks."""
    N = len(probe.y_N)
    own_GN = probe.p_GNC[:, np.arange(N), probe.y_N]
    others = np.where(np.eye(probe.p_GNC.shape[-1])[probe.y_N], -1.0, probe.p_GNC)
    return (others.max(axis=-1) - own_GN).mean(axis=0)


def disagreement(probe: Probe) -> np.ndarray:
    """Return what the early networks do not agree on: H(⟨p⟩) - ⟨H(p)⟩, in nats."""

    def entropy(p):
        return -(p * np.log(np.maximum(p, 1e-300))).sum(axis=-1)

    return entropy(probe.p_GNC.mean(axis=0)) - entropy(probe.p_GNC).mean(axis=0)


def forgetting(probe: Probe) -> np.ndarray:
    """Return ⟨times that right turns wrong⟩ over networks (arXiv 1812.05159).

    An example that a network never gets right counts as forgotten at every look.
    """
    right = _looks(probe)
    times_GN = (right[:-1] & ~right[1:]).sum(axis=0)
    never_GN = ~right.any(axis=0)
    return np.where(never_GN, len(right), times_GN).mean(axis=0)


def ddd(probe: Probe) -> np.ndarray:
    """Return the share of networks and looks that are wrong (arXiv 2110.05922)."""
    return 1 - _looks(probe).mean(axis=(0, 1))


def _looks(probe: Probe) -> np.ndarray:
    if len(probe.right_TGN) < 2:
        raise ValueError(
            f"this score needs looks at the training, >= 2; the probe has "
            f"{len(probe.right_TGN)}: make it with looks=True"
        )
    return probe.right_TGN


def memorisation(probe: Probe) -> np.ndarray:
    """Return P(right | seen) - P(right | not seen) over subsets (arXiv 2008.03703)."""
    seen, known = probe.seen_MN, probe.known_MN
    counts = seen.sum(axis=0)
    if not len(seen) or counts.min() == 0 or counts.max() == len(seen):
        raise ValueError(
            f"memorisation needs every example in some subset and out of some; "
            f"the probe has {len(seen)} subsets: raise subset_nets"
        )
    inside = (known & seen).sum(axis=0) / counts
    return inside - (known & ~seen).sum(axis=0) / (len(seen) - counts)


def prototypes(probe: Probe) -> np.ndarray:
    """Return 1 - cosine to the nearest of `CLUSTERS` centres, without labels.

    k-means on principal components of the pixels; the paper (arXiv 2206.14486) has
    the features of a network trained without labels.
    """
    z_NE = _embed(probe)
    found = k_means(z_NE, CLUSTERS, random_state=probe.seed)
    return 1 - (z_NE @ _unit(found[0]).T).max(axis=1)


def labelled_prototypes(probe: Probe) -> np.ndarray:
    """Return 1 - cosine to the mean of the own class, in the same embedding."""
    z_NE, y = _embed(probe), probe.y_N
    means = {c: _unit(z_NE[y == c].mean(axis=0)) for c in np.unique(y)}
    return 1 - np.array([z @ means[c] for z, c in zip(z_NE, y, strict=True)])


def _embed(probe: Probe) -> np.ndarray:
    size = min(EMBEDDING, *probe.x_NI.shape)
    return _unit(PCA(size, random_state=probe.seed).fit_transform(probe.x_NI))


def _unit(z: np.ndarray) -> np.ndarray:
    return z / np.maximum(np.linalg.norm(z, axis=-1, keepdims=True), 1e-12)


def random_score(probe: Probe) -> np.ndarray:
    """Return numbers that know nothing: the choice of equal size to compare with."""
    return np.random.default_rng([probe.seed, 1]).random(len(probe.y_N))


SCORES: dict[str, Callable[[Probe], np.ndarray]] = {
    "EL2N": el2n,
    "GraNd": grand,
    "margin": margin,
    "forgetting": forgetting,
    "DDD": ddd,
    "memorisation": memorisation,
    "disagreement": disagreement,
    "labelled prototypes": labelled_prototypes,
    "prototypes": prototypes,
}


def keep(score_N: np.ndarray, share: float, side: str = "hard") -> np.ndarray:
    """Return the rows of the hardest or easiest ``share``, sorted.

    >>> keep(np.array([.1, .9, .5, .7]), 0.5).tolist()
    [1, 3]
    """
    if side not in ("hard", "easy") or not 0 < share <= 1:
        raise ValueError(f"need hard or easy, and 0 < share <= 1; got {side}, {share}")
    order = np.argsort(score_N, kind="stable")
    count = max(1, round(share * len(score_N)))
    return np.sort(order[-count:] if side == "hard" else order[:count])


def keep_in_each_class(
    score_N: np.ndarray, y_N: np.ndarray, share: float, side: str = "hard"
) -> np.ndarray:
    """Return the rows of the hardest or easiest ``share`` of every class.

    >>> keep_in_each_class(np.array([1, 2, 8, 9]), np.array([0, 0, 1, 1]), 0.5).tolist()
    [1, 3]
    """
    classes = [np.flatnonzero(y_N == c) for c in np.unique(y_N)]
    return np.concatenate([rows[keep(score_N[rows], share, side)] for rows in classes])


def with_same_classes(
    rows: np.ndarray, y_N: np.ndarray, *, rng: np.random.Generator
) -> np.ndarray:
    """Return random rows, as many of each class as ``rows`` holds.

    >>> y = np.array([0, 0, 1, 1])
    >>> y[with_same_classes(np.array([0, 2, 3]), y, rng=np.random.default_rng(0))]
    array([0, 1, 1])
    """
    parts = [
        rng.choice(np.flatnonzero(y_N == c), count, replace=False)
        for c, count in zip(*np.unique(y_N[rows], return_counts=True), strict=True)
    ]
    return np.concatenate(parts)
