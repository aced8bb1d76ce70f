"""Do deep models repeat a shallow one? Layer scores, and maps between depths.

One config is one seed. Introduced in the chapter on composition.

Shapes: B sequences, T positions, V d_vocab, L layers (from 0).
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from scaling_core.data.corpora import python_source
from scaling_core.data.ngrams import ngram_losses
from scaling_core.models.interventions import (
    mean_over_pairs,
    skip_effects,
    swap_scores,
)
from scaling_core.models.streams import record_streams, token_loss
from scaling_core.models.transformer import Transformer
from scaling_core.training.loop import train
from scaling_core.training.settings import Training
from scaling_core.training.text import TextSetting
from studies.composition.linear_maps import linear_replacement, ridge_layer_maps

SCORE_ROWS = 64  # sequences that the scores of layers are measured on
WINDOW = 3  # characters that the map without a model reads
STAGES = ("init", "half", "full")


def measure_depths(*, depths: Sequence[int], **setting) -> dict:
    """Train a pre-norm model of each depth; score its layers, and map between depths.

    Scores are `score_layers`, a row per depth, under ``init_``, ``half_`` and
    ``full_``: untrained, after half of the steps, and at the end. Maps are `map_errors`
    under ``half_`` and ``full_``. ``ngrams``: losses of unigrams, bigrams and trigrams
    on the held-out text. ``setting`` holds the fields of `TextSetting`.
    """
    text = TextSetting(**setting)
    tokens, labels = text.held_out()
    scores: dict[str, list] = {stage: [] for stage in STAGES}
    streams: dict[str, list] = {stage: [] for stage in STAGES}

    def look(model: Transformer, stage: str) -> None:
        h = record_streams(model, tokens).h
        scores[stage].append(score_layers(model, tokens, labels, h[-1]))
        streams[stage].append(h)

    for n_layers in depths:
        model = text.make_model("pre", n_layers)
        look(model, "init")

        def at_half(done: int, model: Transformer = model) -> None:
            if done == max(1, text.steps // 2):
                look(model, "half")

        train(model, text.batch_at, Training(text.steps, text.lr), after_step=at_half)
        look(model, "full")
    found: dict = {"ngrams": ngram_losses(python_source(), tokens, labels)}
    for stage, rows in scores.items():
        found |= {f"{stage}_{key}": [row[key] for row in rows] for key in rows[0]}
    shallow, deep = int(np.argmin(depths)), int(np.argmax(depths))
    untrained = streams["init"][shallow], streams["init"][deep]
    for stage in STAGES[1:]:
        pair = streams[stage][shallow], streams[stage][deep]
        errors = map_errors(*pair, *untrained, recent_characters(tokens))
        found |= {f"{stage}_{key}": x for key, x in errors.items()}
    return found


@torch.no_grad()
def score_layers(
    model: Transformer, tokens_BT: Tensor, labels_BT: Tensor, last_BTD: Tensor
) -> dict:
    """Return loss and the three layer scores of arXiv 2603.15389 of one model.

    ``permutation`` (``permutation_inner``: without swaps of the first layer, None for
    two layers), ``causal``, and ``useful``, the share of layers that raise the loss by
    over 10 % when replaced by an affine map. The loss is of all rows and of their last
    streams, the scores are of the first `SCORE_ROWS`.
    """
    loss = token_loss(model, last_BTD, tokens_BT, labels_BT)
    data = (model, tokens_BT[:SCORE_ROWS], labels_BT[:SCORE_ROWS])
    swaps = swap_scores(*data)
    inner = mean_over_pairs(swaps[1:, 1:]) if len(swaps) > 2 else None
    return dict(
        loss=loss,
        permutation=mean_over_pairs(swaps),
        permutation_inner=inner,
        causal=mean_over_pairs(skip_effects(*data[:2], keep_first=0).ratio_of_means),
        useful=float((linear_replacement(*data) > 1.1).mean()),
    )


def map_errors(
    shallow: Sequence[Tensor],
    deep: Sequence[Tensor],
    shallow_untrained: Sequence[Tensor],
    deep_untrained: Sequence[Tensor],
    window: Tensor,
) -> dict:
    """Return held-out errors of the best affine map to each layer of a deep model.

    ``map_error`` from any stream of the shallow one, ``map_source`` which (0: the
    embedding); ``source_...`` from the shallow model untrained, ``target_...`` to the
    deep one untrained, ``window_...`` to the trained deep one from no model at all.
    Maps from more columns err less, so two more: ``narrow_...``, the window as wide as
    one stream, and ``joint_...``, the layers of the shallow one side by side.
    """
    pairs = dict(
        map=(shallow, deep),
        source=(shallow_untrained, deep),
        target=(shallow, deep_untrained),
        window=([window], deep),
        narrow=([principal_part(window, deep[0].shape[-1])], deep),
        joint=([torch.cat(list(shallow[1:]), dim=-1)], deep),
    )
    found = {}
    for name, (sources, targets) in pairs.items():
        errors = ridge_layer_maps(sources, targets[1:], fit_share=0.75)
        found[f"{name}_error"] = errors.min(axis=0).tolist()
        found[f"{name}_source"] = errors.argmin(axis=0).tolist()
    return found


def principal_part(x_BTP: Tensor, width: int) -> Tensor:
    """Return the first principal components of features, (B, T, width).

    >>> x = torch.tensor([[[1.0, 0.0], [3.0, 0.0], [5.0, 0.1]]])
    >>> principal_part(x, 1).abs().round().flatten().tolist()
    [2.0, 0.0, 2.0]
    """
    x = x_BTP.double().flatten(0, 1)
    x = x - x.mean(dim=0)
    axes = torch.linalg.eigh(x.T @ x).eigenvectors[:, -width:]
    return (x @ axes).view(*x_BTP.shape[:-1], -1).to(x_BTP.dtype)


def recent_characters(tokens_BT: Tensor, k: int = WINDOW) -> Tensor:
    """Return the last k characters at each position, one-hot, (B, T, k·V).

    Before the start of a sequence there is none: zeros.

    >>> seen = recent_characters(torch.tensor([[1, 0]]), k=2)
    >>> seen.shape[-1] // 2 == python_source().d_vocab, seen.sum(dim=-1).tolist()
    (True, [[1.0, 2.0]])
    """
    hot_BTV = one_hot(tokens_BT, python_source().d_vocab).float()
    shifted = [hot_BTV.roll(i, dims=1) for i in range(k)]
    for i, x in enumerate(shifted):
        x[:, :i] = 0
    return torch.cat(shifted, dim=-1)
