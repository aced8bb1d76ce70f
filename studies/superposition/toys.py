"""Train toys of several widths, measure them, and index the results by cell.

`measure_toys` is what a sweep runs: one config is one family, whose widths train side
by side on the same batches, so that a stopped run goes on from the next family.
Introduced in chapter 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from scaling_core.base.slopes import Slopes, fit_slopes
from scaling_core.models.sparse_features import Law, feature_frequencies
from scaling_core.models.superposition import ToyConfig, ToyEnsemble
from scaling_core.training.ensemble import train_ensemble
from scaling_core.training.settings import Training
from studies.superposition.frozen import FrozenDirections
from studies.superposition.geometry import row_norms, squared_overlap_stats
from studies.superposition.ideal import unlearned_feature_loss
from studies.superposition.side_by_side import SideBySide
from studies.superposition.tight import tighten

NORM_EDGES = np.linspace(0, 2, 41)  # of the histogram of row norms; longer rows last
START_EDGES = np.array([-np.inf, -1.0, 0.0, 0.5, 1.0, np.inf])  # of initial biases
REPRESENTED = 0.5  # the row length from which the paper counts a feature
LARGE_LAWS: dict[Law, float] = {"exponential": 400.0, "power": 1.2, "linear": 0.0}
PARTS = ("leak", "silent", "own")  # of the loss, as in `ToyEnsemble.loss_parts`
METRICS = (
    "loss",
    "parts",
    "started",
    "kept",
    "off_ideal",
    "represented",
    "represented_rows",
    "strong",
    "ignored",
    "ignored_top",
    "overlap_all",
    "overlap_variance_all",
    "overlap_strong",
    "overlap_variance_strong",
    "norm_counts",
)


def measure_toys(
    *,
    n: int,
    ms: Sequence[int],
    alphas: Sequence[float],
    gammas: Sequence[float],
    seeds: Sequence[int],
    batch: int,
    steps: int,
    test_samples: int,
    density: float = 1.0,
    bias_std: float = 1.0,
    frozen: Literal["random", "tight"] | None = None,
    lr: float = 1e-2,
    device: str = "cpu",
    batched: bool | None = None,
    keep_weights: bool = False,
) -> dict:
    """Train every (alpha, seed, gamma) at each width m, and measure each.

    With ``steps=0`` the untrained models are measured; ``frozen`` ones keep their
    directions, those drawn or a tight frame near them (see `FrozenDirections`).
    ``batched`` as in `ToyEnsemble`; the rest as in `ToyConfig`. Rate and schedule are
    those of the paper's small toys.

    Returns
    -------
    dict
        Nested lists of shape (alphas, seeds, gammas, widths): those of
        `measure_rows`; on fresh samples ``loss``, summed over features, and its
        ``parts`` (leak, silent, own); counts of features by initial bias
        (`START_EDGES`), ``started``, and of those represented at the end, ``kept``;
        with ``keep_weights``, of one width, also ``weights``, (..., n, m).

    Raises
    ------
    ValueError
        Before the training: without test samples, or if weights of several widths
        are asked for.

    >>> result = measure_toys(n=8, ms=[2, 4], alphas=[0.5], gammas=[-1.0], seeds=[0],
    ...                       batch=4, steps=0, test_samples=8)
    >>> np.shape(result["loss"]), np.shape(result["norm_counts"])
    ((1, 1, 1, 2), (1, 1, 1, 2, 40))
    """
    if test_samples < 1:
        raise ValueError(f"need test_samples >= 1, got {test_samples}")
    if keep_weights and len(ms) > 1:
        raise ValueError(f"weights are kept of one width, got widths {ms}")
    drawn = dict(alphas=tuple(alphas), gammas=tuple(gammas), seeds=tuple(seeds))
    drawn |= dict(density=density, bias_std=bias_std)
    models = [
        ToyEnsemble(
            ToyConfig(n, m, **drawn),  # pyright: ignore[reportArgumentType]
            batch=batch,
            device=device,
            batched=batched,
        )
        for m in ms
    ]
    starts = [model.bias.cpu().numpy().copy() for model in models]
    if frozen == "tight":
        for model in models:
            tighten(model)
    train_toys(models, steps, lr, frozen=frozen is not None)
    by_width = [
        _measure(model, start_Gn, test_samples)
        for model, start_Gn in zip(models, starts, strict=True)
    ]
    result = {name: np.stack([x[name] for x in by_width], 1) for name in by_width[0]}
    if keep_weights:
        result["weights"] = models[0].W.cpu().numpy()[:, None]
    shape = (len(alphas), len(seeds), len(gammas))
    return {k: v.reshape(*shape, *v.shape[1:]).tolist() for k, v in result.items()}


def train_toys(
    models: Sequence[ToyEnsemble], steps: int, lr: float, frozen: bool
) -> None:
    """Train toys in place by the paper's schedule, ``frozen`` ones by gain and bias."""
    if not steps:
        return
    parts = [FrozenDirections(model) if frozen else model for model in models]
    training = Training(
        steps,
        lr,
        warmup=0.1,
        floor=0.05,
        betas=(0.9, 0.999),
        weight_decay=0.0,  # the models bring their own
        clip=None,
    )
    train_ensemble(SideBySide(parts), training, desc=f"{len(parts)} widths")
    for part in parts:
        if isinstance(part, FrozenDirections):
            part.write_back()


def _measure(model: ToyEnsemble, start_Gn: np.ndarray, test_samples: int) -> dict:
    """Measure the models of one width; each value has a first axis over them."""
    c, W_Gnm = model.config, model.W.cpu().numpy()
    rows = [
        measure_rows(W, feature_frequencies(c.n, c.law, alpha, c.density))
        for W, (alpha, _, _) in zip(W_Gnm, c.cells(), strict=True)
    ]
    result = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    result["parts"] = model.test_parts(test_samples)
    result["loss"] = result["parts"].sum(1)
    for name, counted_Gn in (("started", None), ("kept", result["represented_rows"])):
        result[name] = _count_by_start(start_Gn, counted_Gn)
    return result


def _count_by_start(start_Gn: np.ndarray, counted_Gn: np.ndarray | None) -> np.ndarray:
    """Count features by initial bias, all or those marked: (G, bins)."""
    marks_Gn = np.ones_like(start_Gn) if counted_Gn is None else counted_Gn
    counts = [
        np.histogram(start, START_EDGES, weights=marks.astype(float))[0]
        for start, marks in zip(start_Gn, marks_Gn, strict=True)
    ]
    return np.array(counts)


def measure_rows(W: np.ndarray, p: np.ndarray) -> dict:
    """Measure the rows of one W (n, m) of features with frequencies p, sorted.

    Returns
    -------
    dict
        ``represented_rows``, 1 for each row with norm above 1/2, else 0;
        ``represented`` and ``strong``, the fractions of rows with norm above 1/2 and
        above 1; ``ignored``, the exact loss if the represented features were perfect
        and the others never decoded, and ``ignored_top``, the same for as many of the
        most frequent features; ``off_ideal``, see `distance_from_ideal`; mean and
        variance of squared overlaps over all rows and over the strong ones (NaN for
        fewer than two); ``norm_counts``, the histogram of row norms over
        `NORM_EDGES`.

    >>> W = np.array([[1.2, 0.0], [0.0, 0.8], [0.1, 0.0]])
    >>> rows = measure_rows(W, np.array([0.5, 0.3, 0.2]))
    >>> round(rows["represented"], 3), round(rows["ignored"], 3)
    (0.667, 0.227)
    """
    norms = row_norms(W)
    represented, strong = norms > REPRESENTED, norms > 1
    result = dict(
        represented_rows=represented.astype(int),
        represented=float(represented.mean()),
        strong=float(strong.mean()),
        ignored=unlearned_feature_loss(p, represented),
        ignored_top=unlearned_feature_loss(p, int(represented.sum())),
        off_ideal=distance_from_ideal(W),
        norm_counts=np.histogram(norms.clip(max=2), NORM_EDGES)[0],
    )
    for name, mask in (("all", norms > 0), ("strong", strong)):  # 0: no direction
        stats = (np.nan, np.nan)
        if mask.sum() > 1:
            stats = squared_overlap_stats(W, mask)
        result[f"overlap_{name}"], result[f"overlap_variance_{name}"] = stats
    return result


def distance_from_ideal(W: np.ndarray) -> float:
    """Return ‖WWᵀ - diag(1 m times, 0, …)‖₂: how far from one dimension a feature.

    The measure by which the paper picks its weak networks (arXiv 2505.10465,
    Fig. 4b). Of rank 2m at most: with QR = [W, E] the norm is that of a small matrix.

    >>> round(distance_from_ideal(np.array([[1.0, 0], [0, 1], [0, 0.5]])), 3)
    0.64
    """
    n, m = W.shape
    _, R = np.linalg.qr(np.hstack([W, np.eye(n, m)]))
    signs = np.repeat([1.0, -1.0], m)
    return float(np.abs(np.linalg.eigvalsh((R * signs) @ R.T)).max())


@dataclass(frozen=True)
class ToyRuns:
    """Results of `measure_toys` by (alpha, gamma).

    Attributes
    ----------
    alphas, gammas, ms
        The values there are.
    values
        Name to (alphas, seeds, gammas, widths, ...).
    """

    alphas: tuple[float, ...]
    gammas: tuple[float, ...]
    ms: tuple[int, ...]
    values: dict[str, np.ndarray]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "ToyRuns":
        """Take a row of a sweep: one family, at all its widths."""
        values = {name: np.array(row[name], dtype=float) for name in METRICS}
        return cls(
            *(tuple(row[name]) for name in ("alphas", "gammas", "ms")),
            values,  # pyright: ignore[reportCallIssue]
        )

    def get(self, name: str, alpha: float, gamma: float) -> np.ndarray:
        """Return the (seeds, widths, ...) values of one (alpha, gamma).

        Raises
        ------
        ValueError
            If that cell was not trained.
        """
        if alpha not in self.alphas or gamma not in self.gammas:
            raise ValueError(
                f"no toys at alpha={alpha}, gamma={gamma}; "
                f"there are alphas {self.alphas} and gammas {self.gammas}"
            )
        a, k = self.alphas.index(alpha), self.gammas.index(gamma)
        return self.values[name][a, :, k]

    def slopes(self, alpha: float, gamma: float, name: str = "loss") -> Slopes:
        """Return the log-log slopes of the loss on the width, one per seed."""
        return fit_slopes(self.ms, self.get(name, alpha, gamma))
