"""Training on what the generation before wrote: harm by the share of synthetic text.

Introduced in the chapter on curation.
"""

from collections.abc import Sequence

import numpy as np
import torch

from scaling_core.models.generation import generate
from scaling_core.models.transformer import Transformer
from scaling_core.training.settings import Training
from scaling_core.training.text import TextSetting
from studies.curation.pools import count_losses, draw_text, train_on

GENERATIONS = 2


def write_text(
    model: Transformer, opening: np.ndarray, characters: int, *, seed: int
) -> np.ndarray:
    """Return text sampled from a model at temperature 1, in pieces of its context.

    Each piece begins with one character of the ``opening``, which is not kept.
    """
    n_ctx = model.config.n_ctx
    pieces = -(-characters // (n_ctx - 1))
    device = model.embedding.weight.device
    generator = torch.Generator(device).manual_seed(seed)
    first = np.resize(opening, pieces)[:, None].astype(np.int64)
    prompt = torch.from_numpy(first).to(device)
    written = generate(model, prompt, n_ctx - 1, generator=generator)
    tokens = written[:, 1:].cpu().numpy().astype(opening.dtype)
    return tokens.ravel()[:characters]


def measure_synthetic(
    *,
    characters: int,
    shares: Sequence[float],
    epochs: int,
    n_layers: int,
    lr: float,
    **shape,
) -> dict:
    """Train two generations on real and synthetic text at a fixed number of characters.

    Each share has its own line: a part of the real text gives way to what its model of
    the generation before wrote (the first: the model of real text alone). Then
    ``missing``: the real part alone, as many steps. Losses are held out, of real text:
    (half of the steps, all).
    ``synthetic``: (generations, shares, 2); ``missing``: (shares, 2); ``real``: (2,),
    the model before all generations; ``ngrams`` as in `pools.count_losses`.
    """
    step_size = shape["batch"] * shape["n_ctx"]
    steps = epochs * characters // step_size
    setting = TextSetting(**shape, steps=steps, lr=lr)
    rng = np.random.default_rng((setting.seed, 2))
    (real,) = draw_text([characters], rng=rng)
    training = Training(steps, lr)
    options: dict = dict(pause_at=(steps // 2, steps), n_layers=n_layers)
    kept = [round((1 - s) * characters / step_size) * step_size for s in shares]
    first = [real] + [real[:k] for k in kept if k < characters]
    models, losses = train_on(first, setting, training, **options)
    found: dict = dict(real=losses[0].tolist(), missing=losses[1:].tolist())
    found["ngrams"] = count_losses({"real": real}, setting)
    writers, rows = [models[0]] * len(kept), []
    for generation in range(GENERATIONS):
        seeds = [1000 * setting.seed + 10 * generation + i for i in range(len(kept))]
        texts = [
            np.concatenate([real[:k], write_text(w, real, characters - k, seed=s)])
            for w, k, s in zip(writers, kept, seeds, strict=True)
        ]
        writers, losses = train_on(texts, setting, training, **options)
        rows.append(losses.tolist())
    return found | dict(synthetic=rows)
