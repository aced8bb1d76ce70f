"""The game CountDown: reach a target from a few numbers, in three answer formats.

Introduced in the chapter on reinforcement learning.

Shapes: Q questions, B rows, T answer tokens, F formats, R expressions, n numbers.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from scaling_core.data.arithmetic import AnswerTask


@dataclass(frozen=True)
class CountDown(AnswerTask):
    """Reach a target from ``n`` numbers, each used once, from left to right.

    A prompt is the sorted numbers, then the target. An expression is x₁ o₁ x₂ o₂ x₃
    with o among + - ×; its values stay within 0 to 99 after every step, and the target
    within 1 to 99. Formats: 0, infix; 1, infix with each value between stated; 2, prefix.
    (5 - 2) × 4: ``A5-2×4``, ``B5-2 3×4``, ``C×-524``. All expressions are enumerated
    once: a row of the table is an expression.

    Examples
    --------
    >>> task = CountDown()
    >>> question = task.question_of[task.parse(task.answers[:1, 2].long())]  # 1 + 1 + 1
    >>> task.prompt(question).tolist()
    [[1, 1, 1, 3]]
    """

    n: int = 3
    largest: int = 12

    def __post_init__(self):
        if not (self.n >= 2 and 2 <= self.largest < 100) or np.prod(self._shape) > 1e6:
            raise ValueError(
                f"n={self.n}, largest={self.largest}; need n >= 2, largest from 2 to 99 "
                "and largest^n·3^(n-1), the expressions, at most a million"
            )
        super().__post_init__()

    @property
    def d_vocab(self) -> int:
        """Numbers 0 to 99, three signs, three tags, stop."""
        return 107

    @cached_property
    def _shape(self) -> tuple[int, ...]:
        return (self.largest,) * self.n + (3,) * (self.n - 1)

    @cached_property
    def _expressions(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Numbers (n, R), signs (n - 1, R) and running values (n, R); -1: out of range."""
        parts = np.indices(self._shape, dtype=np.int16).reshape(2 * self.n - 1, -1)
        numbers, signs = parts[: self.n] + 1, parts[self.n :]
        values = [numbers[0]]
        for x, sign in zip(numbers[1:], signs, strict=True):
            before = values[-1]
            value = np.choose(sign, (before + x, before - x, before * x))
            values.append(
                np.where((before >= 0) & (value >= 0) & (value < 100), value, -1)
            )
        return numbers, signs, np.array(values)

    @cached_property
    def _questions(self) -> tuple[np.ndarray, np.ndarray]:
        """Prompts (Q, n + 1), and of each expression its question, (R,); -1: none."""
        numbers, _, values = self._expressions
        table = np.vstack((np.sort(numbers, axis=0), values[-1:])).T.astype(np.int64)
        valid, question = values[-1] > 0, np.full(len(table), -1)
        keys = table @ 100 ** np.arange(self.n, -1, -1)
        _, first, question[valid] = np.unique(
            keys[valid], return_index=True, return_inverse=True
        )
        return table[valid][first], question

    @cached_property
    def prompts(self) -> Tensor:
        """Sorted numbers, then the target, (Q, n + 1)."""
        return torch.from_numpy(self._questions[0].astype(np.uint8))

    @cached_property
    def question_of(self) -> Tensor:
        """The question that each expression answers, (R,); -1: none."""
        return torch.from_numpy(self._questions[1])

    @cached_property
    def _slots(self) -> Tensor:
        """Where numbers, then signs stand in each format, (F, 2n - 1)."""
        i, n = np.arange(self.n), self.n
        infix, stated = 1 + 2 * i, np.maximum(3 * i - 1, 0) + 1
        out = [
            (infix, infix[:-1] + 1),
            (stated, stated[1:] - 1),
            (n + i, n - 1 - i[:-1]),
        ]
        return torch.from_numpy(np.array([np.concatenate(pair) for pair in out]))

    @cached_property
    def answers(self) -> Tensor:
        """Every expression in each format, (R, F, 3n - 1)."""
        numbers, signs, values = self._expressions
        out = np.full((numbers.shape[1], 3, 3 * self.n - 1), self.stop, dtype=np.uint8)
        out[:, :, 0] = [103, 104, 105]
        tokens = np.vstack((numbers, signs + 100)).T
        for form, slots in enumerate(self._slots.numpy()):
            out[:, form, slots] = tokens
        between = np.where(values < 0, self.stop, values)[1:-1]
        out[:, 1, 4 : 3 * self.n - 4 : 3] = between.T
        return torch.from_numpy(out)

    @cached_property
    def _solutions(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Expressions sorted by question (none first), and where each's begin and end."""
        question, Q = self._questions[1], np.arange(len(self.prompts))
        order = np.argsort(question, kind="stable")
        first = np.searchsorted(question[order], Q)
        return order, first, np.searchsorted(question[order], Q, "right")

    def rows(self, question_B: Tensor, rng: np.random.Generator) -> Tensor:
        """Return one of the solutions of each question, all alike likely, (B,)."""
        order, first, end = self._solutions
        q = question_B.numpy()
        return torch.from_numpy(order[rng.integers(first[q], end[q])])

    def parse(self, answer_BT: Tensor) -> Tensor:
        """Return which expression answers state, a row of the table, (B,); -1: none."""
        answer_BT, format_B = self.trimmed(answer_BT), self.format(answer_BT)
        form_B = format_B.clamp(min=0)
        tokens = answer_BT.gather(1, self._slots[form_B])
        shift = torch.tensor([1] * self.n + [100] * (self.n - 1))
        sizes = torch.tensor(self._shape)
        place = sizes.flip(0).cumprod(0).flip(0) // sizes
        row_B = ((tokens - shift).clamp(min=0).minimum(sizes - 1) * place).sum(dim=1)
        said_B = (self.answers[row_B, form_B] == answer_BT).all(
            dim=1
        )  # and nothing else
        return torch.where((format_B >= 0) & said_B, row_B, -1)

    def verify(self, question_B: Tensor, answer_BT: Tensor) -> Tensor:
        """Return which answers state a solution of their question, bool (B,)."""
        row_B = self.parse(answer_BT)
        return (row_B >= 0) & (self.question_of[row_B.clamp(min=0)] == question_B)
