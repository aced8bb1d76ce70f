"""Questions with a verifier, and sums in three answer formats.

A question is a number, and to verify an answer is to look it up. An answer begins with
a tag that names its format and ends with a stop; what follows the first stop does not
count. Introduced in the chapter on reinforcement learning.

Shapes: Q questions, B rows, P prompt tokens, T answer tokens, F formats, R rows of the
table of answers.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class AnswerTask:
    """What the tasks share: batches, formats, the held-out questions.

    Attributes
    ----------
    mix
        Shares of the formats in `batch_at`.
    batch, seed
        Rows per batch; a batch is a pure function of seed and step.
    held_out
        Questions never trained on, the same for every seed: chosen by a hash.
    """

    mix: tuple[float, float, float] = (0.5, 0.3, 0.2)
    batch: int = 128
    seed: int = 0
    held_out: int = 500

    def __post_init__(self):
        if min(self.mix) < 0 or abs(sum(self.mix) - 1) > 1e-9:
            raise ValueError(f"mix={self.mix}; three shares that add up to 1")
        if not 0 <= self.held_out < len(self.prompts):
            raise ValueError(
                f"held_out={self.held_out}; 0 to {len(self.prompts) - 1}, for there are "
                f"{len(self.prompts)} questions"
            )

    # what a task says about itself; tables are bytes, to be small and quick to search
    @property
    def d_vocab(self) -> int:
        """Number of tokens: the last is the stop, the three before it the tags."""
        raise NotImplementedError

    @cached_property
    def prompts(self) -> Tensor:
        """The questions, uint8 (Q, P)."""
        raise NotImplementedError

    @cached_property
    def answers(self) -> Tensor:
        """Right answers, uint8 (R, F, T)."""
        raise NotImplementedError

    def rows(self, question_B: Tensor, rng: np.random.Generator) -> Tensor:
        """Return for each question a row of the table of answers, (B,)."""
        raise NotImplementedError

    def parse(self, answer_BT: Tensor) -> Tensor:
        """Return what answers say whatever their format, (B,); -1: nothing."""
        raise NotImplementedError

    def verify(self, question_B: Tensor, answer_BT: Tensor) -> Tensor:
        """Return which answers are right, bool (B,)."""
        raise NotImplementedError

    @property
    def stop(self) -> int:
        """The token that ends an answer."""
        return self.d_vocab - 1

    @property
    def answer_length(self) -> int:
        """T, with the stop of the longest answer."""
        return self.answers.shape[2]

    @cached_property
    def _order(self) -> Tensor:
        """All questions in an order without pattern: sorted by an integer hash."""
        key = np.arange(1, len(self.prompts) + 1, dtype=np.uint32)
        for _ in range(2):  # multiplications wrap around
            key = (key ^ (key >> np.uint32(16))) * np.uint32(0x45D9F3B)
        return torch.from_numpy(np.argsort(key ^ (key >> np.uint32(16))))

    @property
    def test(self) -> Tensor:
        """The held-out questions."""
        return self._order[: self.held_out]

    @property
    def train(self) -> Tensor:
        """All other questions."""
        return self._order[self.held_out :]

    def prompt(self, question_B: Tensor) -> Tensor:
        """Return the prompts of questions, int64 (B, P)."""
        return self.prompts[question_B].long()

    def answer(
        self, question_B: Tensor, format_B: Tensor, *, rng: np.random.Generator
    ) -> Tensor:
        """Return a right answer to each question in the given format, int64 (B, T)."""
        return self.answers[self.rows(question_B, rng), format_B].long()

    def format(self, answer_BT: Tensor) -> Tensor:
        """Return the format that each answer's tag names, (B,); -1: none."""
        found_B = answer_BT[:, 0].long() - (self.stop - len(self.mix))
        return torch.where((found_B >= 0) & (found_B < len(self.mix)), found_B, -1)

    def counted(self, answer_BT: Tensor) -> Tensor:
        """Return which tokens count: those up to the first stop, bool (B, T)."""
        stop_BT = answer_BT == self.stop
        return stop_BT.cumsum(dim=1) - stop_BT.long() == 0

    def trimmed(self, answer_BT: Tensor) -> Tensor:
        """Return answers with stops in place of all that does not count."""
        return answer_BT.masked_fill(~self.counted(answer_BT), self.stop)

    def labelled(self, prompt_BP: Tensor, answer_BT: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens and labels for `labelled_loss`: the answers' tokens alone."""
        tokens = torch.cat((prompt_BP, answer_BT), dim=1)
        labels_BT = answer_BT.masked_fill(~self.counted(answer_BT), -1)
        none = torch.full_like(prompt_BP[:, 1:], -1)
        return tokens[:, :-1], torch.cat((none, labels_BT), dim=1)

    def batch_at(self, step: int) -> tuple[Tensor, Tensor]:
        """Return tokens and labels of one step of pre-training, int64 (B, P + T - 1)."""
        rng = np.random.default_rng((self.seed, step))
        drawn = rng.integers(len(self.train), size=self.batch)
        question_B = self.train[torch.from_numpy(drawn)]
        format_B = rng.choice(len(self.mix), size=self.batch, p=self.mix)
        answer_BT = self.answer(question_B, torch.from_numpy(format_B), rng=rng)
        return self.labelled(self.prompt(question_B), answer_BT)


@dataclass(frozen=True)
class Addition(AnswerTask):
    """Sums of two numbers of ``digits`` digits: question a·10^digits + b.

    Formats: 0, most significant digit first; 1, least significant first; 2, from the
    right with what is carried before each digit. 37 + 85: ``A122``, ``B221``, ``C1212``.

    Examples
    --------
    >>> task = Addition()
    >>> task.answers[3785, 2].tolist()  # tag, 1 and 2, 1 and 2, stop
    [14, 1, 2, 1, 2, 15]
    >>> task.verify(torch.tensor([3785]), task.answers[3785, 2][None]).item()
    True
    """

    digits: int = 2

    def __post_init__(self):
        if not 1 <= self.digits <= 3:
            raise ValueError(f"digits={self.digits}; 1 to 3: the table has 100^digits")
        super().__post_init__()

    @property
    def d_vocab(self) -> int:
        """Ten digits, plus, equals, three tags, stop."""
        return 16

    @cached_property
    def _terms(self) -> np.ndarray:
        return np.array(np.divmod(np.arange(100**self.digits), 10**self.digits))

    @cached_property
    def prompts(self) -> Tensor:
        """Digits of a, plus, digits of b, equals: (Q, 2·digits + 2)."""
        powers = 10 ** np.arange(self.digits)[::-1]
        a, b = self._terms[:, :, None] // powers % 10
        plus, equals = (np.full((len(a), 1), token) for token in (10, 11))
        return torch.from_numpy(np.hstack((a, plus, b, equals)).astype(np.uint8))

    @cached_property
    def carries(self) -> Tensor:
        """What is carried out of each place, units first, uint8 (Q, digits)."""
        powers = 10 ** np.arange(1, self.digits + 1)
        return torch.from_numpy(
            ((self._terms[:, :, None] % powers).sum(axis=0) >= powers).astype(np.uint8)
        )

    @cached_property
    def answers(self) -> Tensor:
        """The one answer to each question in each format, (Q, F, 2·digits + 2)."""
        n = self.digits
        out = np.full((100**n, 3, 2 * n + 2), self.stop, dtype=np.uint8)
        out[:, :, 0] = [12, 13, 14]
        total = self._terms.sum(axis=0)[:, None] // 10 ** np.arange(n + 1) % 10
        out[:, 0, 1 : n + 2], out[:, 1, 1 : n + 2] = total[:, ::-1], total
        out[:, 2, 1:-1:2], out[:, 2, 2:-1:2] = self.carries, total[:, :n]
        return torch.from_numpy(out)

    @cached_property
    def _worth(self) -> Tensor:
        """What a digit at each position is worth, (F, T); -1 where stops belong."""
        n = self.digits
        out, powers = np.full((3, 2 * n + 2), -1), 10 ** np.arange(n + 1)
        out[:, 0] = 0
        out[0, 1 : n + 2], out[1, 1 : n + 2] = powers[::-1], powers
        out[2, 1:-1:2], out[2, 2:-1:2], out[2, -3] = 0, powers[:n], powers[n]
        return torch.from_numpy(out)

    def rows(self, question_B: Tensor, rng: np.random.Generator) -> Tensor:
        """Return the questions: each is its own row."""
        return question_B

    def parse(self, answer_BT: Tensor) -> Tensor:
        """Return the sum that answers state, (B,); -1 where there is none."""
        answer_BT, format_B = self.trimmed(answer_BT), self.format(answer_BT)
        worth_BT = self._worth[format_B.clamp(min=0)]
        fits_BT = torch.where(worth_BT < 0, answer_BT == self.stop, answer_BT < 10)
        value_B = (worth_BT.clamp(min=0) * answer_BT).sum(dim=1)
        return torch.where((format_B >= 0) & fits_BT[:, 1:].all(dim=1), value_B, -1)

    def verify(self, question_B: Tensor, answer_BT: Tensor) -> Tensor:
        """Return which answers are right to the last token, carries too, bool (B,)."""
        format_B = self.format(answer_BT)
        right_BT = self.answers[question_B, format_B.clamp(min=0)]
        return (format_B >= 0) & (self.trimmed(answer_BT) == right_BT).all(dim=1)
