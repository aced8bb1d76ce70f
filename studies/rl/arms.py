"""Policies that start from one pre-trained model and differ in one thing, on sums.

Introduced in the chapter on reinforcement learning.

Shapes: K models (seeds), S steps, E looks, H temperatures, F formats.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from scaling_core.data.arithmetic import Addition, AnswerTask
from scaling_core.models.transformer import Transformer, TransformerConfig
from scaling_core.rl.experts import expert_iteration
from scaling_core.rl.loop import train_policy
from scaling_core.rl.many import train_policies
from scaling_core.rl.policy import Policy
from scaling_core.training.loop import labelled_loss, train
from scaling_core.training.many import train_many
from scaling_core.training.settings import Training
from studies.rl.chances import look
from studies.rl.gradients import BOUNDS

ROUNDS = 3  # of expert iteration
WARM_UP = 20  # steps: without, Adam's first one costs a good model half of its answers
EXPERT_STEPS = 60  # of each of its rounds
PENALTY = 0.05  # weight that cost no pass@1 in pilots
EXPERTS = {"expert": 1.0, "expert half": 0.5}  # shares of samples and steps
UPDATES = 8  # of one draw, where the losses that allow several are compared
RATES = (0.3, 1.0, 3.0)  # of their sweep, times the usual one


@dataclass(frozen=True)
class Arm:
    """What sets a run apart.

    Attributes
    ----------
    policy
        Changes to `Policy`.
    repeats
        How often each question is asked in the run; 0: the whole pool in turn.
    rate
        Times the usual learning rate.
    draws
        Added to the seed of questions and samples, not to that of the model.
    """

    policy: dict
    repeats: int = 0
    rate: float = 1.0
    draws: int = 0


ARMS = {
    "true": Arm({}),
    "permuted": Arm(dict(permuted=True)),
    "penalty": Arm(dict(kl=PENALTY)),
    "repeat 100": Arm({}, repeats=100),
    "repeat 25": Arm({}, repeats=25),
    "repeat 400": Arm({}, repeats=400),
    "batch": Arm(dict(normalise="batch")),
    "none": Arm(dict(normalise="none")),
    "other draws": Arm({}, draws=1000),
    "third draws": Arm({}, draws=2000),
}
SWEEPS = {
    loss: {
        f"{loss} {rate:g}": Arm(
            dict(loss=loss, bounds=BOUNDS[loss], updates=UPDATES), rate=rate
        )
        for rate in RATES
    }
    for loss in ("clip", "cispo")
}
ARMS |= SWEEPS["clip"] | SWEEPS["cispo"]


def make_model(
    task: AnswerTask, *, width: int, layers: int, seed: int, device: str = "cpu"
) -> Transformer:
    """Return an untrained policy for a task, a pure function of the seed."""
    config = TransformerConfig(
        d_model=width,
        n_layers=layers,
        n_heads=max(1, width // 32),
        d_vocab=task.d_vocab,
        n_ctx=task.prompts.shape[1] + task.answer_length,
        positions="learned",
        init_std=0.1,
    )
    generator = torch.Generator().manual_seed(seed)
    return Transformer(config, generator=generator).to(device)


def pretrain(
    models: Sequence[Transformer], tasks: Sequence[AnswerTask], training: Training
) -> None:
    """Train models in place on right answers in all formats, each on its own task."""
    device = models[0].embedding.weight.device

    def batch_at(step: int) -> tuple[Tensor, ...]:
        pairs = zip(*(task.batch_at(step) for task in tasks), strict=True)
        return tuple(torch.stack(x).to(device) for x in pairs)

    if len(models) > 1:
        train_many(models, batch_at, training, loss=labelled_loss)
        return
    alone = lambda step: tuple(x[0] for x in batch_at(step))
    train(models[0], alone, training, loss=labelled_loss)


def warm_up(steps: int) -> Training:
    """Return how models are pre-trained."""
    return Training(steps, 3e-3, warmup=0.125, floor=0.0)


def constant(steps: int, lr: float) -> Training:
    """Return how policies are trained: half-way they are as after a run of half the length.

    >>> constant(150, 1.0).lr_at(9), constant(75, 1.0).lr_at(9)
    (0.5, 0.5)
    """
    warmup = min(WARM_UP + 0.5, steps / 2) / steps
    return Training(steps, lr, schedule="constant", warmup=warmup, weight_decay=0.0)


def train_arm(
    models: Sequence[Transformer],
    task: AnswerTask,
    training: Training,
    policies: Sequence[Policy],
    questions: Tensor,
    after_step: Callable[[int, Sequence[int]], None],
) -> np.ndarray:
    """Train models in place, as one where they can be; return rewards, (K, S).

    ``after_step`` is called with the steps done, and which of the models did them.
    """
    everyone = range(len(models))
    if len(models) > 1 and policies[0].updates == 1:
        return train_policies(
            models,
            task,
            training,
            policies,
            questions=questions,
            after_step=lambda done: after_step(done, everyone),
        )
    rewards = []
    for k in everyone:
        log = train_policy(
            models[k],
            task,
            training,
            policies[k],
            questions=questions,
            after_step=lambda done, k=k: after_step(done, [k]),
        )
        rewards.append(log.reward)
    return np.array(rewards)


def measure_arms(
    *,
    seeds: Sequence[int],
    arms: Sequence[str],
    width: int,
    layers: int,
    digits: int,
    warm_steps: int,
    steps: int,
    lr: float,
    prompts: int,
    group: int,
    every: int,
    temperatures: Sequence[float],
    device: str,
) -> dict:
    """Pre-train models, one per seed, then train a copy of each in every arm.

    Returns
    -------
    dict
        ``looked``, (E,): after which steps of reinforcement learning was looked;
        ``cold``, (K, H, 2, F + 1), of the models before it at these temperatures; for
        every arm ``reward``, (K, S), and ``looks``, (K, E, 2, F + 1), see
        `studies.rl.chances.look`. The arms of `EXPERTS` are looked at once, at their end.
    """
    tasks = [Addition(digits=digits, seed=seed) for seed in seeds]
    task = tasks[0]
    first = [
        make_model(task, width=width, layers=layers, seed=seed, device=device)
        for seed in seeds
    ]
    pretrain(first, tasks, warm_up(warm_steps))
    looked = sorted({0, steps // 2, steps, *range(0, steps, every)})

    start = [look(model, task) for model in first]
    cold = [[look(model, task, t) for t in temperatures] for model in first]
    out: dict = dict(looked=looked, cold=cold)
    for name in arms:
        models, looks = copy.deepcopy(first), [[x] for x in start]

        def after(done, which, models=models, looks=looks):
            if done in looked:
                for k in which:
                    looks[k].append(look(models[k], task))

        if name in EXPERTS:
            for k, model in enumerate(models):
                _iterate(model, task, seeds[k], EXPERTS[name], steps * prompts, group)
            after(steps, range(len(seeds)))
            out[name] = dict(looks=[x[1:] for x in looks])
            continue
        base, arm = Policy(prompts=prompts, group=group, merged=True), ARMS[name]
        policies = [replace(base, seed=s + arm.draws, **arm.policy) for s in seeds]
        pool = task.train
        if arm.repeats:
            pool = pool[: max(1, steps * prompts // arm.repeats)]
        training = constant(steps, lr * arm.rate)
        reward = train_arm(models, task, training, policies, pool, after)
        out[name] = dict(reward=reward.tolist(), looks=looks)
    return out


def _iterate(model, task, seed, share, asked, group) -> None:
    """Iterate on a share of the samples, in as large a share of the steps."""
    expert_iteration(
        model,
        task,
        Training(int(share * EXPERT_STEPS), 3e-3, warmup=0.1, floor=0.0),
        rounds=ROUNDS,
        samples=int(share * asked / ROUNDS) * group,
        group=group,
        seed=seed,
    )
