"""Expert iteration: sample, keep what is right, train the first model on it, again.

Source: arXiv 2504.07912 starts every round from the pre-trained model.
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scaling_core.data.arithmetic import AnswerTask
from scaling_core.models.transformer import Transformer
from scaling_core.rl.metrics import format_shares
from scaling_core.rl.samples import (
    EXPERT,
    draw_generator,
    questions_at,
    sample_answers,
)
from scaling_core.training.loop import labelled_loss, train
from scaling_core.training.settings import Training


@dataclass(frozen=True)
class Round:
    """One round: share of right samples, formats among all and among the right ones."""

    pass_one: float
    shares: np.ndarray
    right_shares: np.ndarray


def expert_iteration(
    model: Transformer,
    task: AnswerTask,
    training: Training,
    *,
    rounds: int = 3,
    samples: int = 12_800,
    group: int = 8,
    temperature: float = 1.0,
    questions: Tensor | None = None,
    seed: int = 0,
) -> list[Round]:
    """Train a policy in place on its own right answers; return what was sampled.

    Parameters
    ----------
    training
        Of each round, from the weights the model had at first, on batches of
        ``task.batch`` right answers drawn with replacement (so a text that came twice
        weighs twice).
    samples, group
        A round's answers, and how many of them to each question.

    Raises
    ------
    ValueError
        If samples are no multiple of the group, or a number is below 1.

    Notes
    -----
    A round without a right answer leaves the first model.
    """
    if min(rounds, samples, group) < 1 or samples % group:
        raise ValueError(
            f"need rounds, samples, group >= 1, samples a multiple of group; got "
            f"{rounds}, {samples}, {group}"
        )
    pool = task.train if questions is None else questions
    first, device = copy.deepcopy(model.state_dict()), model.embedding.weight.device
    out = []
    for index in range(rounds):
        question_Q = questions_at(pool, index, samples // group, seed=seed)
        draw = draw_generator(device, seed, EXPERT, index)
        found = sample_answers(
            model, task, question_Q, group, generator=draw, temperature=temperature
        )
        good, formats = found.right_B, found.format_B.numpy()
        none = np.full(len(task.mix) + 1, np.nan)
        right = format_shares(formats[good.numpy()]) if good.any() else none
        out.append(Round(found.pass_one, format_shares(formats), right))
        model.load_state_dict(first)
        if good.any():
            rows = found.tokens_BT[good.to(device)]
            answers = task.trimmed(rows[:, found.prompt :])
            data = task.labelled(rows[:, : found.prompt], answers)
            train(
                model,
                Drawn(data, task.batch, (seed, index)),
                training,
                loss=labelled_loss,
            )
    return out


@dataclass(frozen=True)
class Drawn:
    """Batches of rows drawn with replacement, a pure function of the step."""

    data: tuple[Tensor, ...]
    size: int
    seed: tuple[int, ...]

    def __call__(self, step: int) -> tuple[Tensor, ...]:
        rng = np.random.default_rng((*self.seed, step))
        row = torch.from_numpy(rng.integers(len(self.data[0]), size=self.size))
        return tuple(x[row.to(x.device)] for x in self.data)
