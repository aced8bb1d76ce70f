"""Train small models of one kind together and measure how they use their depth.

One config is one kind with all its seeds, trained as one batch of models, so that a
stopped sweep goes on from the next kind. A seed fixes the initial values, the data and
the held-out windows: kinds that share a seed are paired.

Shapes: B sequences, T positions, L layers (from 0).
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from scaling_core.models.interventions import (
    layer_removal_kl,
    local_effects,
    skip_effects,
)
from scaling_core.models.streams import (
    record_streams,
    stream_mean_square,
    token_loss,
)
from scaling_core.models.transformer import Transformer
from scaling_core.training.many import train_many
from scaling_core.training.settings import Training
from scaling_core.training.text import TextSetting
from studies.depth.contributions import (
    angular_distance,
    contribution_cosine,
    relative_contribution,
)
from studies.depth.lens import logit_lens
from studies.depth.permuted import permuted_batch

Kind = Literal["pre", "scaled", "lns", "peri", "post", "attnres"]
KINDS: dict[str, dict] = {
    "pre": dict(norm="pre"),
    "scaled": dict(norm="pre", init="scaled"),
    "lns": dict(norm="lns"),
    "peri": dict(norm="peri"),
    "post": dict(norm="post"),
    "attnres": dict(norm="pre", residual="attnres"),
}


@torch.no_grad()
def probe(
    model: Transformer,
    tokens_BT: Tensor,
    labels_BT: Tensor,
    *,
    first: int = 0,
    paths: bool = True,
) -> dict:
    """Return the depth measurements of the chapter of one model, as JSON values.

    Keys: ``loss``; ``removal_kl`` (L), change of the output; and, but for attention
    residuals, which have no stream to cut: ``contribution`` (L); ``mean_square``,
    ``lens_kl``, ``lens_overlap`` (L + 1); with ``paths`` also ``cosine``, ``angle``,
    ``output_future`` (L); ``local``, ``skip_future`` (L, L). Future: layers skipped
    in the first half of the positions, effects measured on the second. Contributions
    and cosines leave out the ``first`` positions.
    """
    streams = record_streams(model, tokens_BT)
    result = dict(
        loss=token_loss(model, streams.h[-1], tokens_BT, labels_BT),
        removal_kl=layer_removal_kl(model, tokens_BT).tolist(),
    )
    if model.reads is not None:
        return result
    lens = logit_lens(model, tokens_BT)
    arrays = dict(
        mean_square=stream_mean_square(streams),
        contribution=relative_contribution(streams, first=first)["layer"],
        lens_kl=lens.kl,
        lens_overlap=lens.overlap,
    )
    if paths:
        future = skip_effects(model, tokens_BT, until=tokens_BT.shape[1] // 2)
        arrays |= dict(
            cosine=contribution_cosine(streams, first=first)["layer"],
            angle=angular_distance(streams),
            local=local_effects(model, tokens_BT),
            skip_future=future.ratio_of_means,
            output_future=future.mean_output.mean(axis=1),
        )
    return result | {key: values.tolist() for key, values in arrays.items()}


def measure_kind(
    *,
    kind: Kind,
    n_layers: int,
    seeds: Sequence[int],
    checkpoints: Sequence[int],
    permuted: bool = False,
    **setting,
) -> dict:
    """Train models of one kind, a seed each; return their `probe` at the checkpoints.

    Each key holds (seeds, checkpoints, ...); checkpoint 0 is untrained. Only Pre-LN
    has the keys of ``paths``. ``permuted``: the letters of each training batch are in
    random order; initial values, letters and held-out text stay. ``setting`` holds the
    other fields of `TextSetting`.
    """
    texts = [TextSetting(**setting, seed=seed) for seed in seeds]
    models = [text.make_model(**KINDS[kind], n_layers=n_layers) for text in texts]
    held_out = [text.held_out() for text in texts]
    batch_of = permuted_batch if permuted else TextSetting.batch_at
    seen: list[list[dict]] = []

    def look(_step: int) -> None:
        pairs = zip(models, held_out, strict=True)
        seen.append([probe(model, *x, paths=kind == "pre") for model, x in pairs])

    if 0 in checkpoints:
        look(0)
    train_many(
        models,
        lambda step: torch.stack([batch_of(text, step) for text in texts]),
        Training(texts[0].steps, texts[0].lr),
        pause_at=checkpoints,
        paused=look,
    )
    by_seed = list(zip(*seen, strict=True))
    return {key: [[x[key] for x in row] for row in by_seed] for key in by_seed[0][0]}


def measure_rate(*, kind: Kind, n_layers: int, **setting) -> dict:
    """Train one model of a kind; return only its held-out ``loss``.

    ``setting`` holds the fields of `TextSetting`.
    """
    text = TextSetting(**setting)
    model = text.make_model(**KINDS[kind], n_layers=n_layers)
    text.train(model)
    return dict(loss=held_out_loss(model, text))


@torch.no_grad()
def held_out_loss(model: Transformer, text: TextSetting) -> float:
    """Return the loss on the held-out windows of a setting."""
    tokens, labels = text.held_out()
    return token_loss(model, record_streams(model, tokens).h[-1], tokens, labels)


@torch.no_grad()
def decay_alone(
    *, seeds: Sequence[int], n_layers: int, weight_decay: float = 0.1, **setting
) -> list[float]:
    """Return what decay without data takes off the last stream's mean square, (seeds,).

    Untrained over decayed: every matrix of a fresh pre-norm model times
    Π_t (1 - lr_t·decay), which is what AdamW does where no gradient comes.
    """
    ratios = []
    for seed in seeds:
        text = TextSetting(**setting, seed=seed)
        training = Training(text.steps, text.lr)
        rates = [training.lr_at(step) for step in range(text.steps)]
        model, (tokens, _) = text.make_model("pre", n_layers), text.held_out()
        before = stream_mean_square(record_streams(model, tokens))[-1]
        for parameter in model.parameters():
            if parameter.ndim >= 2:
                for rate in rates:
                    parameter.mul_(1 - rate * weight_decay)
        after = stream_mean_square(record_streams(model, tokens))[-1]
        ratios.append(float(before / after))
    return ratios
