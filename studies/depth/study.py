"""Train one small model and measure how it uses its depth: the sweeps of chapter 4.

One config is one seed, so that a stopped sweep goes on from the next. A seed fixes the
initial values, the data and the held-out windows: configs that share a seed are paired.

Shapes: B sequences, T positions, L layers (from 0).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from scaling_core.data.corpora import python_source
from scaling_core.data.tasks import WordProblem
from scaling_core.models.streams import (
    record_streams,
    stream_mean_square,
    token_loss,
)
from scaling_core.models.transformer import (
    Transformer,
    TransformerConfig,
    count_parameters,
)
from scaling_core.training.loop import Training, labelled_loss, train
from studies.depth.contributions import (
    centre_of_mass,
    contribution_cosine,
    relative_contribution,
)
from studies.depth.interventions import (
    layer_removal_kl,
    layer_removal_loss,
    mean_over_pairs,
    skip_effects,
    swap_scores,
)
from studies.depth.lens import logit_lens
from studies.depth.linear_maps import linear_replacement, ridge_layer_maps

SYMBOLS = 6  # order of S_3: the alphabet of both tasks


def published_init_std(d_model: int) -> float:
    """Return the initial deviation that keeps s·√d at the 0.02·√768 of LLaMA-130M.

    arXiv 2502.05795 draws N(0, 0.02²) at d_model 768; a narrower model with the same
    0.02 would start with branches far smaller than the paper's.

    >>> round(published_init_std(768), 3), round(published_init_std(64), 3)
    (0.02, 0.069)
    """
    return 0.02 * (768 / d_model) ** 0.5


def make_untrained(config: TransformerConfig, seed: int, device: str) -> Transformer:
    """Return a model with initial values drawn on the CPU, the same on any device."""
    generator = torch.Generator().manual_seed(seed)
    return Transformer(config, generator=generator).to(device)


@dataclass(frozen=True)
class TextSetting:
    """What the language models of one seed share: shape, training, held-out text.

    Initial values, batches and held-out windows depend on the seed only: models of
    one setting are paired.
    """

    d_model: int
    n_heads: int
    n_ctx: int
    batch: int
    steps: int
    seed: int
    lr: float = 2e-3
    eval_rows: int = 64
    device: str = "cpu"

    def make_model(self, norm: str, n_layers: int) -> Transformer:
        """Return an untrained model of characters."""
        config = TransformerConfig(
            d_model=self.d_model,
            n_layers=n_layers,
            n_heads=self.n_heads,
            d_vocab=python_source().d_vocab,
            n_ctx=self.n_ctx,
            norm=norm,
            init_std=published_init_std(self.d_model),
        )
        return make_untrained(config, self.seed, self.device)

    def train(self, model: Transformer, weight_decay: float = 0.1) -> None:
        """Train a model in place."""
        training = Training(self.steps, self.lr, weight_decay=weight_decay)
        train(model, self._batch_at, training)

    def _batch_at(self, step: int) -> Tensor:
        shape = dict(batch=self.batch, n_ctx=self.n_ctx, seed=self.seed)
        return python_source().batches(**shape).batch_at(step).to(self.device)

    def held_out(self) -> tuple[Tensor, Tensor]:
        """Return tokens and next tokens, (B, T) each."""
        shape = dict(batch=self.eval_rows, n_ctx=self.n_ctx, seed=self.seed)
        windows = python_source().batches(split="validation", **shape).batch_at(0)
        windows = windows.to(self.device)
        return windows[:, :-1], windows[:, 1:]


@torch.no_grad()
def probe(model: Transformer, tokens_BT: Tensor, labels_BT: Tensor) -> dict:
    """Return every depth measurement of chapter 4 of one model, as JSON values.

    Keys: ``loss``; ``removal`` (added loss), ``removal_kl`` (change of the output),
    ``contribution``, ``cosine`` (L); ``mean_square``,
    ``lens_kl``, ``lens_overlap`` (L + 1); ``skip_future`` (L, L), ratios of means on
    the second half of the positions, with layers skipped in the first half;
    ``skip_future_max``, the largest ratio over tokens instead.
    """
    streams = record_streams(model, tokens_BT)
    lens = logit_lens(model, tokens_BT)
    future = skip_effects(model, tokens_BT, until=tokens_BT.shape[1] // 2)
    return dict(
        loss=token_loss(model, streams.h[-1], tokens_BT, labels_BT),
        removal=layer_removal_loss(model, tokens_BT, labels_BT).tolist(),
        removal_kl=layer_removal_kl(model, tokens_BT).tolist(),
        mean_square=stream_mean_square(streams).tolist(),
        contribution=relative_contribution(streams)["layer"].tolist(),
        cosine=contribution_cosine(streams)["layer"].tolist(),
        lens_kl=lens.kl.tolist(),
        lens_overlap=lens.overlap.tolist(),
        skip_future=future.ratio_of_means.tolist(),
        skip_future_max=future.matrix.tolist(),
    )


def measure_text_model(
    *,
    norm: Literal["pre", "post", "peri", "lns"],
    n_layers: int,
    weight_decay: float = 0.1,
    **setting,
) -> dict:
    """Train one language model; return its `probe`, and untrained as ``init_...``.

    ``setting`` holds the fields of `TextSetting`.
    """
    text = TextSetting(**setting)
    model = text.make_model(norm, n_layers)
    held_out = text.held_out()
    before = {f"init_{key}": x for key, x in probe(model, *held_out).items()}
    text.train(model, weight_decay)
    return before | probe(model, *held_out)


def measure_depths(*, depths: Sequence[int], **setting) -> dict:
    """Train a pre-norm model of each depth; score its layers, and map between depths.

    Per depth: ``permutation`` (and ``permutation_inner``, without swaps of the first
    layer), ``causal``, and ``useful`` (how many layers raise the
    loss by over 10 % when replaced by an affine map), as arXiv 2603.15389 defines
    them, and ``loss``; ``init_...`` the same untrained. Maps: for each layer of the
    deepest model the held-out error of the best map from a stream of the shallowest,
    ``map_error``, with its source ``map_source``; ``target_...`` the same with the
    deep model untrained, ``source_...`` with the shallow one untrained. ``setting``
    holds the fields of `TextSetting`.
    """
    text = TextSetting(**setting)
    tokens, labels = text.held_out()
    rows, fresh, trained = [], [], []
    for n_layers in depths:
        model = text.make_model("pre", n_layers)
        before = score_layers(model, tokens, labels)
        fresh.append(record_streams(model, tokens).h)
        text.train(model)
        before = {f"init_{key}": score for key, score in before.items()}
        rows.append(before | score_layers(model, tokens, labels))
        trained.append(record_streams(model, tokens).h)
    result: dict = {key: [row[key] for row in rows] for key in rows[0]}
    shallow, deep = np.argmin(depths), np.argmax(depths)
    pairs = dict(
        map=(trained[shallow], trained[deep]),
        target=(trained[shallow], fresh[deep]),
        source=(fresh[shallow], trained[deep]),
    )
    for name, (source, target) in pairs.items():
        errors = ridge_layer_maps(source, target[1:])
        result[f"{name}_error"] = errors.min(axis=0).tolist()
        result[f"{name}_source"] = errors.argmin(axis=0).tolist()
    return result


@torch.no_grad()
def score_layers(model: Transformer, tokens_BT: Tensor, labels_BT: Tensor) -> dict:
    """Return loss and the three layer scores of arXiv 2603.15389 of one model."""
    data = (model, tokens_BT, labels_BT)
    skips = skip_effects(model, tokens_BT, keep_first=0)
    swaps = swap_scores(*data)
    last = record_streams(model, tokens_BT).h[-1]
    return dict(
        loss=token_loss(model, last, tokens_BT, labels_BT),
        permutation=mean_over_pairs(swaps),
        permutation_inner=mean_over_pairs(swaps[1:, 1:]),
        causal=mean_over_pairs(skips.ratio_of_means),
        useful=int((linear_replacement(*data) > 1.1).sum()),
    )


@dataclass(frozen=True)
class MajorityVote:
    """A task that needs no composition: which half of the alphabet is ahead so far?

    Words over `SYMBOLS` symbols; the label at t is 1 if more of the first t symbols
    belong to the second half of the alphabet, 0 if fewer, -1 (none) at a tie.

    >>> votes = MajorityVote(length=3)
    >>> votes.count(np.array([[5, 0, 0]])).tolist()
    [[1, -1, 0]]
    """

    length: int = 8
    batch: int = 64
    seed: int = 0

    def batch_at(self, step: int, *, split: str = "train") -> tuple[Tensor, Tensor]:
        """Return words and labels, int64 (B, T) each."""
        rng = np.random.default_rng((self.seed, len(split), step))
        words_BT = rng.integers(SYMBOLS, size=(self.batch, self.length))
        return torch.from_numpy(words_BT), torch.from_numpy(self.count(words_BT))

    def count(self, words_BT: np.ndarray) -> np.ndarray:
        """Return the labels of words, (B, T)."""
        lead_BT = np.cumsum(np.where(words_BT >= SYMBOLS // 2, 1, -1), axis=1)
        return np.where(lead_BT == 0, -1, (lead_BT > 0).astype(np.int64))


def measure_task_model(
    *,
    task: Literal["composition", "vote"],
    n_layers: int,
    n_heads: int,
    seed: int,
    steps: int,
    d_model: int = 64,
    d_head: int = 16,
    d_mlp: int | None = None,
    length: int = 8,
    batch: int = 64,
    lr: float = 3e-3,
    init_std: float = 0.09,
    eval_rows: int = 1024,
    device: str = "cpu",
) -> dict:
    """Train one model on the word problem of S_3, or on `MajorityVote`.

    Returns ``accuracy`` at each position and their mean ``mean_accuracy``,
    ``chance_accuracy`` (the same untrained), ``depth_score`` at each position (centre
    of mass of the effects of skipping a layer on the output there, layers from 1),
    ``parameters``, and ``forward_ms``, the least time of one pass over 64 words.
    """
    problem = {"composition": WordProblem, "vote": MajorityVote}[task]
    data = problem(length=length, batch=batch, seed=seed)
    config = TransformerConfig(
        d_model=d_model,
        n_layers=n_layers,
        n_heads=n_heads,
        d_head=d_head,
        d_mlp=d_mlp,
        d_vocab=SYMBOLS,
        n_ctx=length,
        positions="learned",  # rotary positions cannot tell the word aa from a
        init_std=init_std,
    )
    model = make_untrained(config, seed, device)
    test = problem(length=length, batch=eval_rows, seed=seed).batch_at(0, split="test")
    words, labels = (x.to(device) for x in test)
    before = accuracy_by_position(model, words, labels)

    def batch_at(step: int) -> tuple[Tensor, Tensor]:
        inputs, answers = data.batch_at(step)
        return inputs.to(device), answers.to(device)

    train(model, batch_at, Training(steps, lr), loss=labelled_loss)
    after = accuracy_by_position(model, words, labels)
    effects = skip_effects(model, words, keep_first=0).mean_output  # (L, T)
    return dict(
        accuracy=after.tolist(),
        mean_accuracy=float(after.mean()),
        chance_accuracy=float(before.mean()),
        depth_score=[centre_of_mass(effect) for effect in effects.T],
        parameters=count_parameters(model, embeddings=False),
        forward_ms=least_forward_ms(model, words[:64]),
    )


@torch.no_grad()
def accuracy_by_position(
    model: Transformer, words_BT: Tensor, labels_BT: Tensor
) -> np.ndarray:
    """Return the share of right answers at each position, (T,); labels < 0 not asked."""
    right = (model(words_BT).argmax(dim=-1) == labels_BT).float()
    asked = (labels_BT >= 0).float()
    return ((right * asked).sum(dim=0) / asked.sum(dim=0)).cpu().numpy()


@torch.no_grad()
def least_forward_ms(model: Transformer, tokens_BT: Tensor, repeats: int = 30) -> float:
    """Return the least wall time of a forward pass: noise only ever adds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        model(tokens_BT).sum().item()  # waits for a GPU
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def exponential_over_power(mean_square: ArrayLike, *, first: int = 2) -> float:
    """Return AIC(power law) - AIC(exponential) for the growth of h_l with l.

    Straight lines of log y on log l and on l, from l = ``first``: n·log(RSS_p/RSS_e),
    positive if the exponential describes the growth better. ``mean_square`` are the
    values of h_0 .. h_L.

    >>> exponential_over_power(np.exp(np.arange(9.0))) > 50
    True
    >>> exponential_over_power(np.arange(9.0) ** 2) < -50
    True
    """
    values = np.asarray(mean_square, dtype=float)[first:]
    if len(values) < 3:
        raise ValueError(f"needs three layers, got {len(values)} from {first} on")
    layers = np.arange(first, first + len(values))
    rss = []
    for x in (np.log(layers), layers):
        line = np.polynomial.Polynomial.fit(x, np.log(values), 1)
        rss.append(np.square(np.log(values) - line(x)).sum() + 1e-24)
    return float(len(values) * np.log(rss[0] / rss[1]))


def longest_word(accuracy: ArrayLike, *, threshold: float = 0.5) -> float:
    """Return up to which position the accuracy holds, interpolated, counted from 1.

    >>> longest_word([1.0, 0.75, 0.25, 0.2])
    2.5
    """
    a = np.asarray(accuracy, dtype=float)
    below = np.flatnonzero(a < threshold)
    if not len(below):
        return float(len(a))
    t = int(below[0])
    return float(t + (a[t - 1] - threshold) / (a[t - 1] - a[t])) if t else 0.0
