"""Pools of text, clean to noisy, and what a small model makes of each, again and again.

All models of a seed start from the same weights and see as many characters. A *pass*
is as many characters as one pool has. Introduced in the chapter on curation.

Shapes: G runs, B sequences, T positions, M characters of a text.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from scaling_core.data.corpora import Corpus, python_source
from scaling_core.data.ngrams import ngram_losses
from scaling_core.models.transformer import Transformer
from scaling_core.training.loop import evaluate
from scaling_core.training.many import train_many
from scaling_core.training.settings import Training
from scaling_core.training.text import TextSetting

NOISE = (0.0, 0.08, 0.2, 0.4)  # share of characters replaced, by pool
POOLS = ("clean", "8 % noise", "20 % noise", "40 % noise")
MIXTURES = {"best two": 2, "all four": 4}  # how many of the pools
RUNS = ("fresh", *POOLS, *MIXTURES, "random")
LONG = ("clean", "all four")  # the runs that are trained on after the rest
WARM_UP = 20  # steps
BLOCK = 1024  # characters that stay together when a text is drawn


def warm_constant(step: int) -> float:
    """Return a constant rate after `WARM_UP` steps, whatever the length of a run.

    >>> warm_constant(0), warm_constant(500)
    (0.05, 1.0)
    """
    return min(1.0, (step + 1) / WARM_UP)


class Text(Corpus):
    """A text that is trained on as a whole."""

    @cached_property
    def splits(self) -> dict[str, np.ndarray]:
        """Token ids, all of them in ``train``."""
        return {"train": self.encode(self.text)}


def draw_text(sizes: Sequence[int], *, rng: np.random.Generator) -> list[np.ndarray]:
    """Return texts of these many characters, no block of the corpus in two of them."""
    tokens = python_source().splits["train"]
    counts = [-(-size // BLOCK) for size in sizes]
    blocks = rng.permutation(len(tokens) // BLOCK)
    if sum(counts) > len(blocks):
        raise ValueError(
            f"{sum(sizes)} characters without repetition, the corpus has {len(tokens)}"
        )
    parts = np.split(blocks, np.cumsum(counts))[:-1]
    rows = tokens[: len(tokens) // BLOCK * BLOCK].reshape(-1, BLOCK)
    return [rows[b].ravel()[:size] for b, size in zip(parts, sizes, strict=True)]


def add_noise(tokens_M: np.ndarray, share: float, *, rng: np.random.Generator):
    """Return a copy with about this share of characters replaced by random ones.

    >>> rng = np.random.default_rng(0)
    >>> float((add_noise(np.zeros(10_000, int), 0.4, rng=rng) > 0).mean().round(1))
    0.4
    """
    hit_M = rng.random(len(tokens_M)) < share
    drawn_M = rng.integers(python_source().d_vocab, size=len(tokens_M))
    return np.where(hit_M, drawn_M, tokens_M).astype(tokens_M.dtype)


def pass_windows(
    tokens_M: np.ndarray, step: int, *, batch: int, n_ctx: int, seed: int
) -> np.ndarray:
    """Return the windows of one step, (B, T + 1): every character once in each epoch.

    A text's M/T windows begin at a random place, and come in a new order each epoch.

    >>> text = np.arange(8)
    >>> two = [pass_windows(text, s, batch=2, n_ctx=2, seed=0) for s in (0, 1)]
    >>> sorted(np.concatenate(two)[:, 1:].ravel().tolist()) == text.tolist()
    True
    """
    if len(tokens_M) % (batch * n_ctx):
        raise ValueError(
            f"{len(tokens_M)} characters are no multiple of {batch} x {n_ctx}: "
            "an epoch would not be a whole number of steps"
        )
    per_epoch = len(tokens_M) // (batch * n_ctx)
    epoch, place = divmod(step, per_epoch)
    rng = np.random.default_rng((seed, epoch))
    start = rng.permutation(len(tokens_M) // n_ctx) * n_ctx + rng.integers(n_ctx)
    start_B = start[place * batch : (place + 1) * batch]
    return tokens_M[(start_B[:, None] + np.arange(n_ctx + 1)) % len(tokens_M)]


def make_pools(
    characters: int, longest: int, *, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return the texts of all `RUNS`: ``fresh`` as long as the longest run, pools of one
    pass, mixtures of several, and ``random``, a quarter of each pool, as large as one.
    """
    fresh, *pools = draw_text([characters * longest] + [characters] * 4, rng=rng)
    pools = [
        add_noise(p, share, rng=rng) for p, share in zip(pools, NOISE, strict=True)
    ]
    texts = dict(zip(RUNS, [fresh, *pools], strict=False))
    texts |= {name: np.concatenate(pools[:n]) for name, n in MIXTURES.items()}
    quarter = characters // 4
    return texts | {"random": np.concatenate([p[:quarter] for p in pools])}


def train_on(
    texts: Sequence[np.ndarray],
    setting: TextSetting,
    training: Training,
    *,
    pause_at: Sequence[int],
    n_layers: int = 2,
) -> tuple[list[Transformer], np.ndarray]:
    """Train one model a text; return them, and held-out losses, (G, pauses)."""
    models = [setting.make_model("pre", n_layers) for _ in texts]
    shape = dict(batch=setting.batch, n_ctx=setting.n_ctx, seed=setting.seed)

    def batch_at(step: int) -> Tensor:
        rows = np.stack([pass_windows(text, step, **shape) for text in texts])
        return torch.from_numpy(rows.astype(np.int64)).to(setting.device)

    tokens, labels = setting.held_out()
    held_out = torch.cat([tokens, labels[:, -1:]], dim=1)
    losses: dict[int, list[float]] = {}

    def look(done: int) -> None:
        losses[done] = [evaluate(model, [held_out]) for model in models]

    train_many(models, batch_at, training, pause_at=pause_at, paused=look)
    return models, np.array([losses[step] for step in pause_at]).T


def count_losses(texts: Mapping[str, np.ndarray], setting: TextSetting) -> dict:
    """Return losses of uni-, bi- and trigrams counted on each text, and on all text."""
    corpus, held_out = python_source(), setting.held_out()
    found = {
        name: ngram_losses(Text(corpus.decode(text)), *held_out)
        for name, text in texts.items()
    }
    return found | {"corpus": ngram_losses(corpus, *held_out)}


def measure_pools(
    *,
    characters: int,
    passes: Sequence[int],
    late: Sequence[int],
    n_layers: int,
    lr: float,
    **shape,
) -> dict:
    """Train on each text of `make_pools` at a constant rate; return held-out losses.

    ``loss``: run -> a loss for each of ``passes``, for `LONG` of ``late`` ones too;
    ``ngrams``: run -> losses of tables counted on its own text, and on the whole
    corpus. ``shape``: fields of `TextSetting` but its steps and rate.
    """
    per_pass = characters // (shape["batch"] * shape["n_ctx"])
    rng = np.random.default_rng((shape["seed"], 1))
    texts = make_pools(characters, max(passes), rng=rng)
    found: dict = dict(loss={})
    for names in (LONG, [name for name in RUNS if name not in LONG]):
        looks = [*passes, *late] if names is LONG else passes
        setting = TextSetting(**shape, steps=per_pass * max(looks), lr=lr)
        training = Training(setting.steps, lr, schedule=warm_constant)
        _, losses = train_on(
            [texts[name] for name in names],
            setting,
            training,
            pause_at=[k * per_pass for k in looks],
            n_layers=n_layers,
        )
        found["loss"] |= dict(zip(names, losses.tolist(), strict=True))
    found["ngrams"] = count_losses(texts, setting)
    return found
