"""Reinforcement learning with a verifier: roll out, verify, update, evaluate, resume.

What a step draws is a pure function of seed and step, so a resumed run ends with the
same bits as an unbroken one.

Shapes: P prompts a step, G answers to each, B = P·G, F formats, E evaluations.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from scaling_core.base.progress import progress
from scaling_core.data.arithmetic import AnswerTask
from scaling_core.models.transformer import Transformer
from scaling_core.rl.metrics import format_shares
from scaling_core.rl.policy import Policy, answers_loss, batches, rewarded
from scaling_core.rl.samples import (
    ROLLOUT,
    TEST,
    draw_generator,
    questions_at,
    sample_answers,
)
from scaling_core.training.checkpoint import load_checkpoint, run_name, save_checkpoint
from scaling_core.training.loop import DivergedError, make_adamw
from scaling_core.training.settings import Training


@dataclass(frozen=True)
class PolicyLog:
    """What happened, for the steps done.

    Attributes
    ----------
    reward, kept, entropy, gradient_norm
        (steps,) mean true reward, share of groups that counted, their entropy per token
        in nats, gradient norm before clipping (of the last update).
    shares
        (steps, F + 1) of the formats among the rollouts; the last: no format.
    tested, right, test_shares
        Evaluations: after how many steps, (E,); right answers per question, (E, Q);
        shares of the formats, (E, F + 1).
    samples
        Answers to each question in an evaluation.
    """

    reward: np.ndarray
    kept: np.ndarray
    entropy: np.ndarray
    gradient_norm: np.ndarray
    shares: np.ndarray
    tested: np.ndarray
    right: np.ndarray
    test_shares: np.ndarray
    samples: int

    @property
    def done(self) -> int:
        """Steps done: fewer than asked for if a deadline passed."""
        return len(self.reward)

    @property
    def pass_one(self) -> np.ndarray:
        """The share of right answers in each evaluation, (E,)."""
        return self.right.mean(axis=1) / self.samples


def train_policy(
    model: Transformer,
    task: AnswerTask,
    training: Training,
    policy: Policy,
    *,
    questions: Tensor | None = None,
    test: Tensor | None = None,
    checkpoint: str | Path | None = None,
    save_every: int = 100,
    deadline: float | None = None,
    after_step: Callable[[int], None] | None = None,
    desc: str = "",
) -> PolicyLog:
    """Train a policy in place, on rewards of 1 for right answers and 0 for others.

    Parameters
    ----------
    training
        Steps are rollouts; all updates of a rollout have its learning rate. There are
        no micro-batches, bf16 or compilation here.
    questions, test
        To train on and to evaluate with; by default all of the task's.
    checkpoint, save_every
        File to resume from if it exists, with the model as it was first made, and to
        write each so many steps and at the end.
    deadline
        ``time.monotonic()`` after which the run saves its state and returns.
    after_step
        Called with the number of steps done, to look at the model as it is then.

    Raises
    ------
    DivergedError
        If a gradient is not finite; the weights are left as they are.
    ValueError
        If the training asks for what there is not, or the checkpoint belongs to another
        run: another model or its first weights, training, policy, task or questions.

    Examples
    --------
    >>> from scaling_core.data.arithmetic import Addition
    >>> from scaling_core.models.config import TransformerConfig
    >>> task = Addition(digits=1, held_out=20)
    >>> config = TransformerConfig(d_model=16, n_layers=1, d_vocab=task.d_vocab, n_ctx=8)
    >>> model = Transformer(config, generator=torch.Generator().manual_seed(0))
    >>> policy = Policy(prompts=2, group=2)
    >>> log = train_policy(model, task, Training(3, 1e-3, weight_decay=0.0), policy)
    >>> log.reward.shape
    (3,)
    """
    if training.micro_rows or training.bf16 or training.compile:
        raise ValueError("a policy has no micro-batches, bf16 or compilation")
    pool = task.train if questions is None else questions
    asked = task.test if test is None else test
    run = _Run(model, task, training, policy, pool, asked, checkpoint)
    start = run.resume()
    if start == 0:
        run.evaluate(0)
    for step in progress(range(start, training.steps), desc=desc):
        run.step(step)
        run.evaluate(step + 1)
        if after_step is not None:
            after_step(step + 1)
        late = deadline is not None and time.monotonic() >= deadline
        if late or (step + 1) % save_every == 0 or step + 1 == training.steps:
            run.save()
        if late:
            break
    return run.log()


class _Run:
    """The state of one run. Curves: reward, kept, entropy, norm, then the shares."""

    def __init__(self, model, task, training, policy, pool, asked, checkpoint):
        self.model, self.training, self.policy = model, training, policy
        self.task, self.pool, self.asked = task, pool, asked
        self.device = model.embedding.weight.device
        self.optimizer = make_adamw(model, training)
        self.reference = copy.deepcopy(model).eval() if policy.kl else None
        self.path = Path(checkpoint) if checkpoint else None
        formats = len(task.mix) + 1
        evaluations = 1 + training.steps // policy.every if policy.every else 0
        self.state = dict(
            curves=torch.zeros(training.steps, 4 + formats, dtype=torch.float64),
            right=torch.zeros(evaluations, len(asked), dtype=torch.int64),
            shares=torch.zeros(evaluations, formats, dtype=torch.float64),
        )
        self.done, self.name, self.saved = 0, "", None
        if self.path is not None:  # before the first step: with the first weights
            content = (model.state_dict(), policy, repr(task), pool, asked)
            self.name = run_name(model, training, *content)

    def resume(self) -> int:
        if self.path is not None and self.path.is_file():
            self.done, self.state = load_checkpoint(
                self.path, self.model, self.optimizer, run=self.name
            )
            self.saved = self.path
        return self.done

    def step(self, step: int) -> None:
        policy = self.policy
        question_P = questions_at(self.pool, step, policy.prompts, seed=policy.seed)
        samples = sample_answers(
            self.model,
            self.task,
            question_P,
            policy.group,
            generator=draw_generator(self.device, policy.seed, ROLLOUT, step),
            temperature=policy.temperature,
        )
        advantage_B, kept_P = rewarded(samples, policy, step)
        parts = batches(
            self.model, samples, advantage_B, kept_P, policy, self.reference
        )
        entropy, norm = float("nan"), 0.0
        for part in parts:
            entropy, norm = self.update(part, step, samples.prompt)
        if not parts:  # no group counts: the gradient is 0, the momentum goes on
            for p in self.model.parameters():
                p.grad = torch.zeros_like(p)
            self.optimize(step)
        shares = format_shares(samples.format_B.numpy(), len(self.task.mix))
        row = [samples.pass_one, float(kept_P.float().mean()), entropy, norm, *shares]
        self.state["curves"][step] = torch.tensor(row, dtype=torch.float64)
        self.done = step + 1

    def update(self, batch, step: int, prompt: int) -> tuple[float, float]:
        loss, entropy = answers_loss(self.model, batch, self.policy, prompt)
        loss.backward()
        return float(entropy), self.optimize(step)

    def optimize(self, step: int) -> float:
        lr = self.training.lr_at(step)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        limit = self.training.clip or float("inf")
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), limit))
        if not np.isfinite(norm):  # before the update: the weights stay good
            raise DivergedError(step, lr, self.saved)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return norm

    def evaluate(self, done: int) -> None:
        every = self.policy.every
        if not every or done % every:
            return
        samples = sample_answers(
            self.model,
            self.task,
            self.asked,
            self.policy.test_samples,
            generator=draw_generator(self.device, self.policy.seed, TEST, done),
        )
        shares = format_shares(samples.format_B.numpy(), len(self.task.mix))
        self.state["right"][done // every] = torch.from_numpy(samples.right_Q)
        self.state["shares"][done // every] = torch.from_numpy(shares)

    def save(self) -> None:
        if self.path is not None:
            self.saved = save_checkpoint(
                self.path,
                self.model,
                self.optimizer,
                step=self.done,
                run=self.name,
                extra=self.state,
            )

    def log(self) -> PolicyLog:
        every = self.policy.every
        tested = np.arange(0, self.done + 1, every) if every else np.empty(0, int)
        curves = self.state["curves"][: self.done].numpy()
        return PolicyLog(
            *curves[:, :4].T,
            shares=curves[:, 4:],
            tested=tested,
            right=self.state["right"][: len(tested)].numpy(),
            test_shares=self.state["shares"][: len(tested)].numpy(),
            samples=self.policy.test_samples,
        )
