"""What the family reads: library source, made-up facts, strings to copy; and questions.

All of it is drawn from the seed, so that the models of a seed differ in size only.
Introduced in the chapter on emergence.

Shapes: B rows, T tokens, F facts, Q questions, K choices (the right one first),
C tokens of context, A tokens of an answer.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from scaling_core.data.corpora import python_source

ANSWER = 4  # characters of a choice
LONG = 8  # characters of the longer right answer
CONTEXT = 32
CHOICES = 4
FACT = len("abc:de;")
COPY = len("xyz=xyz;")
SHARES = (2 / 3, 1 / 6, 1 / 6)  # of the rows of a batch: source, facts, copying
LETTERS = 26


def letters(numbers: np.ndarray) -> np.ndarray:
    """Return the tokens of the letters a to z from 0 to 25.

    >>> python_source().decode(letters(np.array([0, 25])))
    'az'
    """
    return numbers + python_source().encode("a")[0].astype(np.int64)


def sign(character: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array full of one character's token."""
    return np.full(shape, python_source().encode(character)[0], dtype=np.int64)


@dataclass(frozen=True)
class Facts:
    """Made-up facts "abc:de;": subjects (F, 3), all different, and objects (F, 2).

    The fact of rank r is met in training in proportion to 1/r.
    """

    subjects: np.ndarray
    objects: np.ndarray

    @classmethod
    def draw(cls, count: int, *, seed: int) -> "Facts":
        """Return the facts of a seed, the commonest first."""
        rng = np.random.default_rng((seed, 1))
        numbers = rng.choice(LETTERS**3, size=count, replace=False)
        subjects = numbers[:, None] // LETTERS ** np.arange(3) % LETTERS
        return cls(letters(subjects), letters(rng.integers(LETTERS, size=(count, 2))))

    def write(self, which: np.ndarray, objects: np.ndarray | None = None) -> np.ndarray:
        """Return the tokens of these facts, (..., 7), with other objects if given."""
        shape = (*which.shape, 1)
        objects = self.objects[which] if objects is None else objects
        parts = [self.subjects[which], sign(":", shape), objects, sign(";", shape)]
        return np.concatenate(parts, axis=-1)

    def sample(self, shape: tuple[int, ...], *, rng: np.random.Generator):
        """Return facts drawn as in training, as indices of this shape."""
        weight = 1 / np.arange(1, len(self.subjects) + 1)
        return rng.choice(len(weight), size=shape, p=weight / weight.sum())


def write_copies(xyz: np.ndarray) -> np.ndarray:
    """Return the tokens of "xyz=xyz;", (..., 8), from numbers of letters (..., 3).

    >>> python_source().decode(write_copies(np.array([0, 1, 2])))
    'abc=abc;'
    """
    shape = (*xyz.shape[:-1], 1)
    once = letters(xyz)
    return np.concatenate([once, sign("=", shape), once, sign(";", shape)], axis=-1)


def cut(pieces_BnW: np.ndarray, length: int, start_B: np.ndarray) -> np.ndarray:
    """Join the pieces of each row and cut ``length`` tokens from a place of its own."""
    rows = pieces_BnW.reshape(len(pieces_BnW), -1)
    return np.take_along_axis(rows, start_B[:, None] + np.arange(length), axis=1)


@dataclass(frozen=True)
class Mixture:
    """The training text of a seed: windows of source, of facts and of copying.

    ``batch`` rows of ``n_ctx`` + 1 tokens, in the `SHARES`; each a pure function of
    the step.
    """

    batch: int
    n_ctx: int
    seed: int
    facts: Facts

    def batch_at(self, step: int) -> Tensor:
        """Return the tokens of one step, (B, T + 1)."""
        length = self.n_ctx + 1
        n_facts, n_copies = (max(1, round(s * self.batch)) for s in SHARES[1:])
        n_source = self.batch - n_facts - n_copies
        windows = python_source().batches(
            batch=n_source, n_ctx=self.n_ctx, seed=self.seed
        )
        source = windows.batch_at(step)
        rng = np.random.default_rng((self.seed, 2, step))
        which = self.facts.sample((n_facts, length // FACT + 2), rng=rng)
        told = cut(self.facts.write(which), length, rng.integers(FACT, size=n_facts))
        xyz = rng.integers(LETTERS, size=(n_copies, length // COPY + 2, 3))
        copied = cut(write_copies(xyz), length, rng.integers(COPY, size=n_copies))
        return torch.cat([source, torch.from_numpy(told), torch.from_numpy(copied)])


@dataclass(frozen=True)
class Questions:
    """How does held-out source go on? Tokens of contexts, choices and true texts.

    ``context`` (Q, C); ``near`` and ``far`` (Q, K, A): the right choice, then wrong
    ones, from places with the same two characters before them, or from anywhere;
    ``truth`` (Q, `LONG`): what does follow.
    """

    context: np.ndarray
    near: np.ndarray
    far: np.ndarray
    truth: np.ndarray


def draw_questions(count: int, *, seed: int) -> Questions:
    """Return the questions of a seed; places with no three near choices are left out."""
    rng = np.random.default_rng((seed, 3))
    held_out = python_source().splits["validation"].astype(np.int64)
    codes, pairs = as_numbers(held_out, ANSWER), as_numbers(held_out, 2)
    order = np.argsort(pairs, kind="stable")
    ordered = pairs[order]
    places = np.arange(CONTEXT, len(held_out) - LONG + 1)
    found: list[tuple[int, list[int], list[int]]] = []
    for at in rng.permutation(places)[: 20 * count]:
        ends = (np.searchsorted(ordered, pairs[at - 2], side=s) for s in _SIDES)
        like = order[slice(*ends)] + 2
        near = _others(codes, at, like[like < len(codes)], rng)
        far = _others(codes, at, places, rng)
        if near and far:
            found.append((at, [at, *near], [at, *far]))
        if len(found) == count:
            break
    if len(found) < count:
        raise ValueError(f"{count} questions asked for, only {len(found)} found")
    at, near, far = (np.array(column) for column in zip(*found, strict=True))
    back = at[:, None] + np.arange(-CONTEXT, 0)
    answer = np.arange(ANSWER)
    return Questions(
        held_out[back],
        held_out[near[..., None] + answer],
        held_out[far[..., None] + answer],
        held_out[at[:, None] + np.arange(LONG)],
    )


_SIDES = ("left", "right")


def _others(codes, at, places, rng, tries: int = 40) -> list[int] | None:
    """Return places of three different strings that differ from the one at ``at``."""
    kept: dict[int, int] = {}
    for place in rng.choice(places, size=tries):
        code = int(codes[place])
        if code != codes[at]:
            kept.setdefault(code, int(place))
        if len(kept) == CHOICES - 1:
            return list(kept.values())
    return None


def as_numbers(tokens_N: np.ndarray, n: int) -> np.ndarray:
    """Return each run of n tokens as one number, (N - n + 1,).

    >>> as_numbers(np.array([0, 1, 2]), 2).tolist()
    [1, 98]
    """
    place = python_source().d_vocab ** np.arange(n)[::-1]
    return sliding_window_view(tokens_N.astype(np.int64), n) @ place


@cache
def _counted(n: int) -> np.ndarray:
    return np.sort(as_numbers(python_source().splits["train"], n))


def count_runs(strings: np.ndarray) -> np.ndarray:
    """Return how often these strings (..., n) stand in the training source."""
    n = strings.shape[-1]
    wanted = strings @ python_source().d_vocab ** np.arange(n)[::-1]
    left, right = (np.searchsorted(_counted(n), wanted, side=s) for s in _SIDES)
    return right - left


def log_prior(context_QC: np.ndarray, choices_QKA: np.ndarray) -> np.ndarray:
    """Return ln of how common each choice is after the two characters before it.

    ln (count + 1) - ln (count of the two + 1), in the training source, (Q, K).
    """
    pair = np.repeat(context_QC[:, None, -2:], choices_QKA.shape[1], axis=1)
    both = count_runs(np.concatenate([pair, choices_QKA], axis=-1))
    return np.log(both + 1) - np.log(count_runs(pair) + 1)
