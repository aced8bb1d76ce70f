"""Strings that a character model must sample: the exact chance of each, and what it saw.

A problem is the next n characters of source from files that the model never saw; a
sample solves it if it is that string. Its chance p follows by teacher forcing, so that
the coverage of any number of samples is exact. Introduced in the chapter on resampling.

Shapes: B sequences, T positions, Q problems, D width.
"""

import sysconfig
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scaling_core.data.corpora import MODULES, Corpus, Windows, python_source
from scaling_core.data.ngrams import ngram_losses
from scaling_core.models.config import TransformerConfig
from scaling_core.models.transformer import Transformer
from scaling_core.training.loop import train
from scaling_core.training.settings import Training
from scaling_core.training.text import published_init_std

FIRST_HELD_OUT = "tempfile"  # this module and those after it: about a fifth of the text
ROWS = 256  # sequences put through the model at once


@cache
def files_apart() -> tuple[Corpus, np.ndarray]:
    """Return a corpus to train on, and tokens of files that it does not hold."""
    folder = Path(sysconfig.get_path("stdlib"))
    before = MODULES[: MODULES.index(FIRST_HELD_OUT)]
    cut = sum(len((folder / f"{name}.py").read_text("utf-8")) for name in before)
    source = python_source()
    return Corpus(source.text[:cut]), source.encode(source.text[cut:])


@dataclass(frozen=True)
class StringSetting:
    """Shape and training of one character model."""

    seed: int
    d_model: int = 32
    n_layers: int = 2
    n_ctx: int = 64
    batch: int = 16
    steps: int = 400
    lr: float = 5e-3
    device: str = "cpu"

    def make_model(self) -> Transformer:
        """Return the untrained model."""
        config = TransformerConfig(
            d_model=self.d_model,
            n_layers=self.n_layers,
            n_heads=self.d_model // 16,
            d_vocab=python_source().d_vocab,
            n_ctx=self.n_ctx,
            init_std=published_init_std(self.d_model),
        )
        generator = torch.Generator().manual_seed(self.seed)
        return Transformer(config, generator=generator).to(self.device)

    def trained(self, look=None) -> Transformer:
        """Return the model trained at a constant rate; ``look(model)`` half-way."""
        model = self.make_model()
        tokens = files_apart()[0].splits["train"]
        windows = Windows(tokens, self.batch, self.n_ctx + 1, (self.seed,))

        def after(step: int) -> None:
            if look is not None and step == self.steps // 2:
                look(model)

        train(
            model,
            lambda step: windows.batch_at(step).to(self.device),
            Training(self.steps, self.lr, schedule="constant"),
            after_step=after,
        )
        return model


@dataclass(frozen=True)
class Problems:
    """What a model gives to each problem: chances, and what it knows beforehand.

    Attributes
    ----------
    logp
        (Q, n), natural logarithm of the chance of each right character.
    hidden
        (Q, D), the stream before the first of them, after the last norm.
    entropy
        (Q,), of the first character, nats.
    """

    logp: np.ndarray
    hidden: np.ndarray
    entropy: np.ndarray

    def p(self, n: int) -> np.ndarray:
        """Return the chance of the first n characters, (Q,).

        >>> Problems(np.log([[0.5, 0.5]]), np.zeros((1, 1)), np.zeros(1)).p(2).tolist()
        [0.25]
        """
        return np.exp(self.logp[:, :n].sum(axis=1))


def problem_tokens(*, problems: int, context: int, n: int, seed: int) -> Tensor:
    """Return context and string of each problem, (Q, context + n), from unseen files."""
    return Windows(files_apart()[1], problems, context + n, (seed, 7)).batch_at(0)


@torch.no_grad()
def ask(model: Transformer, tokens_BT: Tensor, context: int) -> Problems:
    """Return the `Problems` after ``context`` tokens of each sequence."""
    logp, hidden, entropy = [], [], []
    device = model.embedding.weight.device
    for rows in tokens_BT.to(device).split(ROWS):
        _, streams = model(rows[:, :-1], return_streams=True)
        state = model.final_norm(streams.h[-1])[:, context - 1 :]
        all_logp = (state @ model.unembedding.weight.T).double().log_softmax(-1)
        right = rows[:, context:, None]
        logp.append(all_logp.gather(2, right)[:, :, 0].cpu())
        first = all_logp[:, 0]
        entropy.append(-(first.exp() * first).sum(-1).cpu())
        hidden.append(state[:, 0].double().cpu())
    return Problems(*(torch.cat(x).numpy() for x in (logp, hidden, entropy)))


def measure_strings(
    *, seed: int, problems: int, context: int = 48, n: int = 4, **shape
) -> dict:
    """Train one model; return its `Problems` at half of the training and at the end.

    ``half``, ``full``, their models, and ``loss``, ``tables``: of the problems' characters,
    and of uni-, bi- and trigrams counted on the training text.
    """
    setting = StringSetting(seed=seed, **shape)
    tokens = problem_tokens(problems=problems, context=context, n=n, seed=seed)
    found: dict = {}

    def look(model: Transformer) -> None:
        found["half"] = ask(model, tokens, context)
        found["half_model"] = deepcopy(model)

    model = setting.trained(look)
    found |= dict(full=ask(model, tokens, context), model=model, setting=setting)
    found["loss"] = {k: -float(found[k].logp.mean()) for k in ("half", "full")}
    last = tokens[:, max(0, context - 16) :]  # counting needs little context
    found["tables"] = ngram_losses(files_apart()[0], last[:, :-1], last[:, 1:])
    return found
