"""Sampling answers and looking them up.

Shapes: Q questions, G answers to each, B = Q·G rows (a question's lie together), P
prompt tokens, T answer tokens.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from scaling_core.data.arithmetic import AnswerTask
from scaling_core.models.generation import generate
from scaling_core.models.transformer import Transformer

ROLLOUT, PERMUTE, TEST, EXPERT = range(4)  # purposes of random numbers


@dataclass(frozen=True)
class Samples:
    """Answers of a model, and what the verifier says of them.

    Attributes
    ----------
    tokens_BT
        Prompt and answer, (B, P + T), on the model's device.
    mask_BT
        Which answer tokens count, float, there too.
    right_B, format_B
        On the CPU: right or not; the format, -1: none. What answers say, for a vote:
        ``task.parse(samples.answer_BT.cpu())``.
    group
        Answers to each question.
    """

    tokens_BT: Tensor
    mask_BT: Tensor
    right_B: Tensor
    format_B: Tensor
    group: int

    @property
    def prompt(self) -> int:
        """P, tokens of a prompt."""
        return self.tokens_BT.shape[1] - self.mask_BT.shape[1]

    @property
    def answer_BT(self) -> Tensor:
        """The answers alone."""
        return self.tokens_BT[:, self.prompt :]

    @property
    def right_Q(self) -> np.ndarray:
        """How many answers to each question are right, (Q,)."""
        return self.right_B.view(-1, self.group).sum(dim=1).numpy()

    @property
    def pass_one(self) -> float:
        """The share of right answers."""
        return float(self.right_B.float().mean())


def draw_generator(
    device: torch.device | str, seed: int, purpose: int, step: int = 0
) -> torch.Generator:
    """Return a generator that is a pure function of seed, purpose and step.

    >>> twins = [draw_generator("cpu", seed=0, purpose=TEST) for _ in range(2)]
    >>> len({torch.rand(1, generator=twin).item() for twin in twins})
    1
    """
    state = np.random.SeedSequence((seed, purpose, step)).generate_state(1, np.uint64)
    return torch.Generator(device).manual_seed(int(state[0] >> np.uint64(1)))


def sample_answers(
    model: Transformer,
    task: AnswerTask,
    question_Q: Tensor,
    group: int,
    *,
    generator: torch.Generator,
    temperature: float = 1.0,
) -> Samples:
    """Draw ``group`` answers to each question and verify them.

    >>> from scaling_core.data.arithmetic import Addition
    >>> from scaling_core.models.transformer import TransformerConfig
    >>> task, draw = Addition(digits=1, held_out=20), torch.Generator()
    >>> config = TransformerConfig(d_vocab=task.d_vocab, n_ctx=8)
    >>> model = Transformer(config, generator=draw)
    >>> sample_answers(model, task, task.test[:5], 2, generator=draw).tokens_BT.shape
    torch.Size([10, 8])
    """
    prompt_QP = task.prompt(question_Q).to(model.embedding.weight.device)
    tokens_BT = generate(
        model,
        prompt_QP,
        task.answer_length,
        temperature=temperature,
        generator=generator,
        repeats=group,
    )
    return verified(task, question_Q.repeat_interleave(group), tokens_BT, group)


def verified(
    task: AnswerTask, question_B: Tensor, tokens_BT: Tensor, group: int
) -> Samples:
    """Return answers with what the verifier says of them."""
    answer_BT = tokens_BT[:, -task.answer_length :].cpu()
    return Samples(
        tokens_BT=tokens_BT,
        mask_BT=task.counted(answer_BT).float().to(tokens_BT.device),
        right_B=task.verify(question_B, answer_BT),
        format_B=task.format(answer_BT),
        group=group,
    )


def questions_at(pool: Tensor, step: int, count: int, *, seed: int = 0) -> Tensor:
    """Return the questions of a step: the pool over and over, each time reshuffled.

    >>> questions_at(torch.arange(3), 0, 6).sort().values.tolist()
    [0, 0, 1, 1, 2, 2]
    """
    place = np.arange(step * count, (step + 1) * count)
    epoch, within = np.divmod(place, len(pool))
    pairs = zip(epoch.tolist(), within, strict=True)
    chosen = [_order(len(pool), seed, e)[i] for e, i in pairs]
    return pool[torch.from_numpy(np.array(chosen))]


@lru_cache(maxsize=64)  # each step asks for one or two
def _order(size: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch)).permutation(size)
