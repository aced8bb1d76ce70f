"""CountDown before and after reinforcement learning, and a loss for coverage.

Introduced in the chapter on reinforcement learning.

Shapes: K models (seeds), S steps, L looks, H temperatures, Q questions, F formats, R
expressions.
"""

import copy
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from scaling_core.data.arithmetic import AnswerTask
from scaling_core.data.countdown import CountDown
from scaling_core.models.transformer import Transformer
from scaling_core.rl.coverage import CoverageLoss
from scaling_core.rl.experts import Drawn
from scaling_core.rl.policy import Policy
from scaling_core.training.loop import train
from scaling_core.training.settings import Training
from studies.rl.arms import (
    constant,
    make_model,
    pretrain,
    train_arm,
    warm_up,
)
from studies.rl.chances import chances, expected_counts

EASY = 3  # ways to solve a question, from which on it is easy; hard: one


ARMS = {"easy": {}, "easy permuted": dict(permuted=True)}


def ways(task: CountDown) -> np.ndarray:
    """Return how many expressions solve each question, (Q,).

    >>> int(ways(CountDown(n=2, largest=3, held_out=0)).max())
    2
    """
    question_R = task.question_of
    return torch.bincount(question_R[question_R >= 0]).numpy()


def answered(
    model: Transformer,
    task: AnswerTask,
    question_Q: Tensor,
    temperatures: Sequence[float],
) -> tuple[list, list]:
    """Return chances of a right answer, (H, Q), and `expected_counts`, (H, 2, F + 1)."""
    right, tags = chances(model, task, question_Q, temperatures)
    formats = [expected_counts(*pair) for pair in zip(right, tags, strict=True)]
    return right.sum(dim=-1).clamp(max=1).tolist(), formats


def measure_countdown(
    *,
    seeds: Sequence[int],
    numbers: int,
    width: int,
    layers: int,
    warm_steps: int,
    steps: int,
    lr: float,
    prompts: int,
    group: int,
    temperatures: Sequence[float],
    held_out: int,
    device: str,
) -> dict:
    """Pre-train models, one per seed, and train them by GRPO without its division.

    Once on all questions, and from the same start for half as many steps on easy ones
    alone (solved by three expressions or more), with their rewards and permuted ones.

    Returns
    -------
    dict
        ``right``, (K, 3, H, Q), and ``formats``, (K, 3, H, 2, F + 1), see `answered`, of
        the held-out questions: before, half-way and at the end; ``reward``,
        (K, S); ``hard``, the places among Q of questions with one solution; ``easy``
        and ``easy permuted``: the same three, of the hard questions alone.
    """
    tasks = [CountDown(n=numbers, seed=seed, held_out=held_out) for seed in seeds]
    task, count = tasks[0], ways(tasks[0])
    hard = np.flatnonzero(count[task.test] == 1)
    first = [
        make_model(task, width=width, layers=layers, seed=seed, device=device)
        for seed in seeds
    ]
    pretrain(first, tasks, warm_up(warm_steps))
    base = Policy(prompts=prompts, group=group, normalise="none", merged=True)

    def trained(questions, asked, steps, **changes):
        """Return chances and formats of each look, of each model; rewards."""
        models, looks = copy.deepcopy(first), [[] for _ in seeds]

        def after(done, which):
            if done in (0, steps // 2, steps):
                for k in which:
                    looks[k].append(answered(models[k], task, asked, temperatures))

        after(0, range(len(seeds)))
        policies = [replace(base, seed=seed, **changes) for seed in seeds]
        training = constant(steps, lr)
        reward = train_arm(models, task, training, policies, questions, after)
        right, formats = ([[x[i] for x in row] for row in looks] for i in (0, 1))
        return dict(right=right, formats=formats, reward=reward.tolist())

    out = trained(task.train, task.test, steps) | dict(hard=hard.tolist())
    easy = task.train[count[task.train] >= EASY]
    for name, changes in ARMS.items():
        out[name] = trained(easy, task.test[hard], steps // 2, **changes)
    return out


def measure_coverage(
    *,
    seed: int,
    numbers: int,
    width: int,
    layers: int,
    problems: int,
    steps: int,
    looks: Sequence[int],
    lr: float,
    counts: Sequence[int],
    temperatures: Sequence[float],
    questions: int,
    device: str,
) -> dict:
    """Train a model on one solution of each of few problems, by the coverage loss.

    Returns
    -------
    dict
        ``right``, (N, L, H, Q), for every N of ``counts`` (1: cross-entropy).
    """
    task = CountDown(n=numbers, seed=seed)
    data = few_problems(task, problems, seed, device)
    training = Training(steps, lr, schedule="constant", warmup=0.05)
    asked = task.test[:questions]
    out = []
    for N in counts:
        model = make_model(task, width=width, layers=layers, seed=seed, device=device)
        rows: list = []

        def after(done, model=model, rows=rows):
            if done in looks:
                rows.append(answered(model, task, asked, temperatures)[0])

        train(model, data, training, loss=CoverageLoss(N), after_step=after)
        out.append(rows)
    return dict(right=out)


def few_problems(
    task: CountDown, problems: int, seed: int, device: str = "cpu"
) -> Drawn:
    """Return batches from one solution, in infix, of each of the first problems."""
    question_Q, rng = task.train[:problems], np.random.default_rng(seed)
    infix = torch.zeros(len(question_Q), dtype=torch.long)
    answers = task.answer(question_Q, infix, rng=rng)
    data = task.labelled(task.prompt(question_Q), answers)
    return Drawn(tuple(x.to(device) for x in data), task.batch, (seed,))
