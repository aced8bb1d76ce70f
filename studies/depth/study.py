"""Train one small model and measure how it uses its depth: the sweeps of depth.

One config is one seed, so that a stopped sweep goes on from the next. A seed fixes the
initial values, the data and the held-out windows: configs that share a seed are paired.

Shapes: B sequences, T positions, L layers (from 0).
"""

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from scaling_core.models.config import NormPlace
from scaling_core.models.interventions import (
    layer_removal_kl,
    layer_removal_loss,
    skip_effects,
)
from scaling_core.models.streams import (
    record_streams,
    stream_mean_square,
    token_loss,
)
from scaling_core.models.transformer import Transformer
from scaling_core.training.text import TextSetting
from studies.depth.contributions import contribution_cosine, relative_contribution
from studies.depth.lens import logit_lens


@torch.no_grad()
def probe(model: Transformer, tokens_BT: Tensor, labels_BT: Tensor) -> dict:
    """Return every depth measurement of the chapter of one model, as JSON values.

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
