"""Policies of one shape, trained as one: seeds side by side, for a GPU.

Small models leave a GPU waiting for launches, so that decoding keeps no cache here: it
runs the whole sequence for each new token. On a CPU train one after another.

Shapes: K models, B answers, T tokens, V d_vocab.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap

from scaling_core.data.arithmetic import AnswerTask
from scaling_core.models.attention import Attention
from scaling_core.models.generation import sample
from scaling_core.models.transformer import Transformer
from scaling_core.rl.losses import answer_logits, log_probs
from scaling_core.rl.policy import Policy, answers_loss, rewarded
from scaling_core.rl.samples import ROLLOUT, draw_generator, questions_at, verified
from scaling_core.training.many import train_many
from scaling_core.training.settings import Training


def train_policies(
    models: Sequence[Transformer],
    task: AnswerTask,
    training: Training,
    policies: Sequence[Policy],
    *,
    questions: Tensor | None = None,
    after_step: Callable[[int], None] | None = None,
) -> np.ndarray:
    """Train policies in place; return their mean true rewards, (K, steps).

    Up to rounding, the result is that of `train_policy` on each alone.

    Parameters
    ----------
    policies
        One per model, alike but for their seeds, with one update a rollout.
    after_step
        Called with the number of steps done, to evaluate the models as they are then.

    Raises
    ------
    ValueError
        If the policies differ in more than the seed or ask for more updates.
    """
    alike = {replace(policy, seed=0) for policy in policies}
    if len(alike) != 1 or len(policies) != len(models) or policies[0].updates != 1:
        raise ValueError(
            f"need a policy for each of {len(models)} models, alike but for the seed "
            f"and with updates=1; got {len(policies)}, {len(alike)} kinds, "
            f"updates={policies[0].updates}"
        )
    pool = task.train if questions is None else questions
    rollouts = _Rollouts(models, task, training.steps, policies, pool)
    policy, prompt = policies[0], task.prompts.shape[1]

    def loss(model, batch):
        return answers_loss(model, batch, policy, prompt)[0]

    train_many(
        models,
        rollouts.batch_at,
        training,
        loss=loss,
        pause_at=range(1, training.steps + 1),
        paused=after_step or (lambda done: None),
    )
    return rollouts.reward


class _Rollouts:
    """Batches that the models sample themselves, as they are at each step."""

    def __init__(self, models, task, steps, policies, pool):
        self.models, self.task, self.policies, self.pool = models, task, policies, pool
        self.reward = np.empty((len(models), steps))
        self.device = models[0].embedding.weight.device
        self.reference = Stack(copy.deepcopy(list(models))) if policies[0].kl else None

    def batch_at(self, step: int) -> tuple[Tensor, ...]:
        first, task = self.policies[0], self.task
        questions = [
            questions_at(self.pool, step, p.prompts, seed=p.seed) for p in self.policies
        ]
        question_B = torch.stack(questions).flatten().repeat_interleave(first.group)
        prompt_KBP = task.prompt(question_B).to(self.device)
        prompt_KBP = prompt_KBP.unflatten(0, (len(self.models), -1))
        draws = [
            draw_generator(self.device, p.seed, ROLLOUT, step) for p in self.policies
        ]
        tokens_KBT = Stack(self.models).generate(
            prompt_KBP, task.answer_length, draws, first.temperature
        )
        mask_KBT, advantage_KB = self._scored(question_B, tokens_KBT, step)
        none = reference_KBT = mask_KBT[:, :, :0]
        if self.reference is not None:
            prompt = prompt_KBP.shape[2]
            reference_KBT = self.reference.log_probs(
                tokens_KBT, prompt, first.temperature
            )
        return tokens_KBT, mask_KBT, advantage_KB, none, reference_KBT

    def _scored(self, question_B, tokens_KBT, step: int) -> tuple[Tensor, Tensor]:
        """Return masks, 0 where groups do not count, and advantages."""
        K, group = len(self.models), self.policies[0].group
        found = verified(self.task, question_B, tokens_KBT.flatten(0, 1), group)
        right_KB = found.right_B.view(K, -1)
        self.reward[:, step] = right_KB.double().mean(dim=1)
        pairs = [
            rewarded(replace(found, right_B=right_B), policy, step)
            for right_B, policy in zip(right_KB, self.policies, strict=True)
        ]
        advantage_KB, kept_KP = (torch.stack(x) for x in zip(*pairs, strict=True))
        kept_KB = kept_KP.repeat_interleave(group, dim=1).to(self.device)
        mask_KBT = found.mask_BT.unflatten(0, (K, -1)) * kept_KB[:, :, None]
        return mask_KBT, advantage_KB.to(self.device)


class Stack:
    """Models of one shape as one function."""

    def __init__(self, models: Sequence[Transformer]):
        self.base = copy.deepcopy(models[0])
        for module in self.base.modules():
            if isinstance(module, Attention):
                module.many = True
        self.state = stack_module_state(list(models))

    def _map(self, function: Callable, tokens_KBT: Tensor) -> Tensor:
        def one(parameters, buffers, tokens_BT):
            state = (parameters, buffers)
            model = lambda *x, **options: functional_call(self.base, state, x, options)
            return function(model, tokens_BT)

        with torch.no_grad():
            return vmap(one)(*self.state, tokens_KBT)

    def generate(
        self,
        prompt_KBP: Tensor,
        new: int,
        generators: Sequence[torch.Generator],
        temperature: float = 1.0,
    ) -> Tensor:
        """Return what `generate` does for each model with its generator, (K, B, P + new)."""
        (K, B, _), device, tokens_KBT = prompt_KBP.shape, prompt_KBP.device, prompt_KBP
        draws = [torch.rand((B, new), generator=g, device=device) for g in generators]
        uniform_KBN = torch.stack(draws)
        last = lambda model, tokens_BT: model(tokens_BT, last_only=True)[:, 0]
        for n in range(new):
            logits_BV = self._map(last, tokens_KBT).flatten(0, 1)
            drawn_B = sample(logits_BV, uniform_KBN[:, :, n].flatten(), temperature)
            tokens_KBT = torch.cat((tokens_KBT, drawn_B.view(K, B, 1)), dim=2)
        return tokens_KBT

    def log_probs(self, tokens_KBT: Tensor, prompt: int, temperature: float) -> Tensor:
        """Return the log-probabilities of the tokens after the prompts, (K, B, T)."""

        def one(model, tokens_BT):
            logits_BTV = answer_logits(model, tokens_BT, prompt, temperature)
            return log_probs(logits_BTV, tokens_BT[:, prompt:])

        return self._map(one, tokens_KBT)
