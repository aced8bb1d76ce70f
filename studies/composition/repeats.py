"""Do deep models repeat a shallow one? Layer scores, and maps between depths.

One config is one seed. Introduced in the chapter on composition.

Shapes: B sequences, T positions, L layers (from 0).
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from scaling_core.models.interventions import (
    mean_over_pairs,
    skip_effects,
    swap_scores,
)
from scaling_core.models.streams import record_streams, token_loss
from scaling_core.models.transformer import Transformer
from scaling_core.training.text import TextSetting
from studies.composition.linear_maps import linear_replacement, ridge_layer_maps


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
