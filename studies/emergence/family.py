"""A family of character models, and what each gives to the answers: no sampling.

Introduced in the chapter on emergence.

Shapes: Q questions, K choices, A characters of an answer, F facts, M strings to copy.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from scaling_core.data.corpora import python_source
from scaling_core.data.ngrams import ngram_losses
from scaling_core.models.transformer import Transformer
from scaling_core.training.loop import evaluate, train
from scaling_core.training.settings import Training
from scaling_core.training.text import TextSetting
from studies.emergence.texts import (
    COPY,
    FACT,
    LETTERS,
    LONG,
    Facts,
    Mixture,
    Questions,
    draw_questions,
    letters,
    write_copies,
)

ROWS = 256  # of one forward pass when reading
TOLD = 3  # times that a prompt says the new fact
PROMPTS = ("redefined", "elsewhere", "plain")
LogProbs = Callable[[np.ndarray], np.ndarray]


@torch.no_grad()
def next_log_probs(model: Transformer, tokens_BT: np.ndarray) -> np.ndarray:
    """Return ln p of each next token, (B, T, V), for T + 1 tokens a row."""
    device = model.embedding.weight.device
    rows = torch.from_numpy(tokens_BT[:, :-1]).to(device).split(ROWS)
    found = [model(part).float().log_softmax(-1).cpu() for part in rows]
    return torch.cat(found).numpy()


def token_log_probs(log_probs: LogProbs, tokens_BT: np.ndarray, last: int):
    """Return ln p of the ``last`` tokens of each row, each given those before it."""
    wanted = tokens_BT[:, -last:, None]
    return np.take_along_axis(log_probs(tokens_BT)[:, -last:], wanted, -1)[..., 0]


def score_choices(log_probs: LogProbs, context_QC, choices_QKA) -> np.ndarray:
    """Return ln p of each choice given the context, (Q, K)."""
    Q, K, A = choices_QKA.shape
    context = np.repeat(context_QC, K, axis=0)
    rows = np.concatenate([context, choices_QKA.reshape(Q * K, A)], axis=1)
    return token_log_probs(log_probs, rows, A).sum(axis=1).reshape(Q, K)


def read_facts(log_probs: LogProbs, facts: Facts, n_ctx: int, *, seed: int):
    """Tell for each fact whether its first letter gets the largest p, (F,) of 0 and 1.

    All facts stand once, in random order, in rows as long as the context.
    """
    rng, per_row = np.random.default_rng((seed, 4)), n_ctx // FACT
    count = len(facts.subjects)
    order = np.resize(rng.permutation(count), (-(-count // per_row), per_row))
    rows = facts.write(order).reshape(len(order), -1)
    colons = np.arange(per_row) * FACT + 3
    best = log_probs(rows)[:, colons].argmax(-1)
    right = np.zeros(count, dtype=int)
    right[order] = best == facts.objects[order][..., 0]
    return right


def read_copies(log_probs: LogProbs, count: int, n_ctx: int, *, seed: int):
    """Return ln p of three letters to copy (M, 3); of others; if the three are largest.

    The others are the letters of the string before, at the same places: they show what
    a model gains that has learnt the form alone.
    """
    rng, per_row = np.random.default_rng((seed, 5)), n_ctx // COPY
    xyz = rng.integers(LETTERS, size=(-(-count // per_row), per_row, 3))
    rows = write_copies(xyz).reshape(len(xyz), -1)
    before = np.arange(per_row)[:, None] * COPY + np.arange(3, 6)
    found = log_probs(rows)[:, before]
    other = np.roll(xyz.reshape(-1, 3), 1, axis=0).reshape(xyz.shape)
    log_p = [
        np.take_along_axis(found, letters(x)[..., None], -1).reshape(-1, 3)[:count]
        for x in (xyz, other)
    ]
    top = (found.argmax(-1) == letters(xyz)).all(-1)
    return *log_p, top.reshape(-1)[:count].astype(int)


def read_redefined(log_probs: LogProbs, facts: Facts, count: int, *, seed: int):
    """Return ln p(new) - ln p(memorised) of first letters, for each of `PROMPTS`.

    The prompt tells the commonest facts with a new object, `TOLD` times; tells as
    often that another subject has this object; or tells other facts as they are.
    """
    rng = np.random.default_rng((seed, 6))
    which = np.arange(min(count, len(facts.subjects) // 2))
    step = rng.integers(1, LETTERS, size=(len(which), 2))
    new = letters((facts.objects[which] - letters(np.array(0)) + step) % LETTERS)
    other = rng.permutation(np.arange(len(which), len(facts.subjects)))
    others = np.resize(other, (TOLD, len(which)))
    told = {
        "redefined": [facts.write(which, new)] * TOLD,
        "elsewhere": [facts.write(others[0], new)] * TOLD,
        "plain": [facts.write(row) for row in others],
    }
    old_first, new_first = facts.objects[which, :1], new[:, :1]
    subject = facts.write(which)[:, :4]
    found = {}
    for name in PROMPTS:
        rows = np.concatenate([*told[name], subject, old_first], axis=1)
        last = log_probs(rows)[:, -1]
        ends = [np.take_along_axis(last, x, 1) for x in (new_first, old_first)]
        found[name] = float((ends[0] - ends[1]).mean())
    return found


def read_model(
    log_probs: LogProbs,
    questions: Questions,
    facts: Facts,
    *,
    n_ctx: int,
    n_copies: int,
    n_redefined: int,
    seed: int,
) -> dict:
    """Return all that is asked of one model; see `measure_model`."""
    text = np.concatenate([questions.context, questions.truth], axis=1)
    copies, others, copied = read_copies(log_probs, n_copies, n_ctx, seed=seed)
    found = dict(
        near=score_choices(log_probs, questions.context, questions.near),
        far=score_choices(log_probs, questions.context, questions.far),
        text=token_log_probs(log_probs, text, LONG).sum(axis=1),
        copies=copies,
        others=others,
        copied=copied,
        facts=read_facts(log_probs, facts, n_ctx, seed=seed),
    )
    found |= read_redefined(log_probs, facts, n_redefined, seed=seed)
    return {name: np.round(x, 5).tolist() for name, x in found.items()}


def measure_model(
    *,
    n_questions: int,
    n_facts: int,
    n_copies: int,
    n_redefined: int,
    n_layers: int,
    **shape,
) -> dict:
    """Train one model of the family; return answers at half of the steps and at the end.

    Each value is a pair, (half, end). ``near``, ``far``: ln p of choices (Q, K);
    ``text``: ln p of the next `LONG` characters (Q,); ``copies``, ``others``: ln p
    of letters (M, 3); ``copied``: all three the most likely, 0 or 1 (M,); ``facts``: the
    first letter is the most likely (F,); a number for each of `PROMPTS`; ``loss`` of
    held-out source. ``shape``: fields of `TextSetting`.
    """
    setting = TextSetting(**shape)
    seed, n_ctx = setting.seed, setting.n_ctx
    told = Facts.draw(n_facts, seed=seed)
    asked = draw_questions(n_questions, seed=seed)
    mixture = Mixture(setting.batch, n_ctx, seed, told)
    model = setting.make_model("pre", n_layers)
    tokens, labels = setting.held_out()
    held_out = torch.cat([tokens, labels[:, -1:]], dim=1)
    sizes = dict(n_ctx=n_ctx, seed=seed, n_copies=n_copies, n_redefined=n_redefined)
    looks: list[dict] = []

    def batch_at(step: int) -> Tensor:
        return mixture.batch_at(step).to(setting.device)

    def look(done: int) -> None:
        if done in (setting.steps // 2, setting.steps):
            read = read_model(lambda x: next_log_probs(model, x), asked, told, **sizes)
            looks.append(read | dict(loss=evaluate(model, [held_out])))

    train(model, batch_at, Training(setting.steps, setting.lr), after_step=look)
    return {name: [one[name] for one in looks] for name in looks[-1]}


def count_losses(**shape) -> list[float]:
    """Return held-out losses of uni-, bi- and trigrams on the windows of a seed."""
    return ngram_losses(python_source(), *TextSetting(**shape).held_out())
