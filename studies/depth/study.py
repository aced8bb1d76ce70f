"""Train one small model and measure how it uses its depth: the sweeps of chapter 4.

One config is one seed, so that a stopped sweep goes on from the next. A seed fixes the
initial values, the data and the held-out windows: configs that share a seed are paired.

Shapes: B sequences, T positions, L layers (from 0).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from scaling_core.data.corpora import Split, python_source
from scaling_core.models.config import NormPlace, TransformerConfig
from scaling_core.models.streams import (
    record_streams,
    stream_mean_square,
    token_loss,
)
from scaling_core.models.transformer import Transformer
from scaling_core.training.loop import Training, train
from studies.depth.contributions import contribution_cosine, relative_contribution
from studies.depth.interventions import (
    layer_removal_kl,
    layer_removal_loss,
    mean_over_pairs,
    skip_effects,
    swap_scores,
)
from studies.depth.lens import logit_lens
from studies.depth.linear_maps import linear_replacement, ridge_layer_maps


def published_init_std(d_model: int) -> float:
    """Return the initial deviation that keeps s·√d at the 0.02·√768 of LLaMA-130M.

    arXiv 2502.05795 draws N(0, 0.02²) at d_model 768; a narrower model with the same
    0.02 would start with branches far smaller than the paper's.

    >>> round(published_init_std(768), 3), round(published_init_std(64), 3)
    (0.02, 0.069)
    """
    return 0.02 * (768 / d_model) ** 0.5


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

    def make_model(self, norm: NormPlace, n_layers: int) -> Transformer:
        """Return an untrained model of characters, drawn on the CPU on any device."""
        config = TransformerConfig(
            d_model=self.d_model,
            n_layers=n_layers,
            n_heads=self.n_heads,
            d_vocab=python_source().d_vocab,
            n_ctx=self.n_ctx,
            norm=norm,
            init_std=published_init_std(self.d_model),
        )
        generator = torch.Generator().manual_seed(self.seed)
        return Transformer(config, generator=generator).to(self.device)

    def train(self, model: Transformer, weight_decay: float = 0.1) -> None:
        """Train a model in place."""
        training = Training(self.steps, self.lr, weight_decay=weight_decay)
        train(model, self._batch_at, training)

    def _batch_at(self, step: int) -> Tensor:
        return self._windows(self.batch, "train", step)

    def _windows(self, batch: int, split: Split, step: int) -> Tensor:
        corpus, n_ctx, seed = python_source(), self.n_ctx, self.seed
        windows = corpus.batches(batch=batch, n_ctx=n_ctx, seed=seed, split=split)
        return windows.batch_at(step).to(self.device)

    def held_out(self) -> tuple[Tensor, Tensor]:
        """Return tokens and next tokens, (B, T) each."""
        windows = self._windows(self.eval_rows, "validation", 0)
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
    norm: NormPlace,
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
