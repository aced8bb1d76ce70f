"""What a policy learns from its answers: settings, rewards, and the loss of an update.

Shapes: P prompts, G answers to each, B = P·G, T answer tokens.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from scaling_core.models.transformer import Transformer
from scaling_core.rl.advantages import Normalise, advantages, informative
from scaling_core.rl.losses import (
    Aggregate,
    Kind,
    aggregate,
    answer_logits,
    kl_penalty,
    log_probs,
    policy_loss,
    token_entropy,
)
from scaling_core.rl.samples import PERMUTE, Samples, draw_generator

Batch = tuple[
    Tensor, ...
]  # tokens, mask, advantages, old and reference log-probabilities


@dataclass(frozen=True)
class Policy:
    """How a policy learns from its answers; the defaults are GRPO's, on its own samples.

    Attributes
    ----------
    prompts, group, temperature
        Of a rollout: P prompts, G answers to each.
    loss, bounds, how, normalise
        As `policy_loss`, `aggregate` and `advantages` have them.
    drop_flat
        Leave out groups whose rewards are all the same, of the penalty too.
    kl
        Weight of the penalty against the model as it was at the start.
    updates
        Optimizer steps a rollout, each on its share of the groups.
    permuted
        Permute the rewards over the whole batch first: they then say nothing.
    merged
        Update once on answers that are the same text with the same advantage, with their
        number as weight: but for rounding the same gradient, cheaper where a model
        repeats itself. Policies trained as one have no use for it.
    seed
        Of questions and samples.
    every, test_samples
        Evaluate after so many steps (0: never), with so many answers a question.
    """

    prompts: int = 32
    group: int = 8
    temperature: float = 1.0
    loss: Kind = "clip"
    bounds: tuple[float, float] = (0.8, 1.2)
    how: Aggregate = "token"
    normalise: Normalise = "group"
    drop_flat: bool = True
    kl: float = 0.0
    updates: int = 1
    permuted: bool = False
    merged: bool = False
    seed: int = 0
    every: int = 0
    test_samples: int = 4

    def __post_init__(self):
        if self.prompts < 1 or self.group < 2 or not self.temperature > 0:
            raise ValueError(
                f"need prompts >= 1, group >= 2 and temperature > 0; got "
                f"{self.prompts}, {self.group}, {self.temperature}"
            )
        if not 1 <= self.updates <= self.prompts or not self.kl >= 0:
            raise ValueError(
                f"need 1 <= updates <= prompts and kl >= 0; got {self.updates}, {self.kl}"
            )
        if self.merged and self.how != "token":
            raise ValueError(f"merged answers need how='token', got {self.how!r}")


def rewarded(samples: Samples, policy: Policy, step: int = 0) -> tuple[Tensor, Tensor]:
    """Return advantages (B,) and which groups count (P,), both on the CPU."""
    reward_B = samples.right_B.float()
    if policy.permuted:
        draw = draw_generator("cpu", policy.seed, PERMUTE, step)
        reward_B = reward_B[torch.randperm(len(reward_B), generator=draw)]
    reward_PG = reward_B.view(-1, samples.group)
    kept_P = torch.ones(len(reward_PG), dtype=torch.bool)
    if policy.drop_flat:
        kept_P = informative(reward_PG)
    return advantages(reward_PG, policy.normalise).flatten(), kept_P


def answers_loss(
    model: Transformer, batch: Batch, policy: Policy, prompt: int
) -> tuple[Tensor, Tensor]:
    """Return loss and entropy of a batch: tokens, mask, advantages, old, reference.

    Without old (or reference) log-probabilities, (B, 0), they are the model's own, and
    the penalty 0. Rows whose mask is 0 do not count.
    """
    tokens_BT, mask_BT, advantage_B, old_BT, reference_BT = batch
    logits_BTV = answer_logits(model, tokens_BT, prompt, policy.temperature)
    logp_BT = log_probs(logits_BTV, tokens_BT[:, prompt:])
    old_BT = old_BT if old_BT.shape[1] else logp_BT.detach()
    value_BT = policy_loss(
        logp_BT,
        old_BT,
        advantage_B,
        mask_BT,
        kind=policy.loss,
        bounds=policy.bounds,
    )
    if policy.kl and reference_BT.shape[1]:
        value_BT = value_BT + policy.kl * kl_penalty(logp_BT, reference_BT)
    loss = aggregate(value_BT, mask_BT, policy.how, group=policy.group)
    return loss, token_entropy(logits_BTV.detach(), mask_BT)


@torch.no_grad()
def frozen_log_probs(model: Transformer, samples: Samples, policy: Policy) -> Tensor:
    """Return the log-probabilities of answers under a model that does not move, (B, T)."""
    tokens_BT, prompt = samples.tokens_BT, samples.prompt
    logits = answer_logits(model, tokens_BT, prompt, policy.temperature)
    return log_probs(logits, samples.answer_BT)


def batches(
    model: Transformer,
    samples: Samples,
    advantage_B: Tensor,
    kept_P: Tensor,
    policy: Policy,
    reference: Transformer | None = None,
) -> list[Batch]:
    """Return what `answers_loss` needs, a part for each update; groups left out are gone.

    With one update the old log-probabilities are those of its own forward pass.
    """
    tokens_BT, device = samples.tokens_BT, samples.tokens_BT.device
    none = samples.mask_BT[:, :0]
    old = frozen_log_probs(model, samples, policy) if policy.updates > 1 else none
    ref = none if reference is None else frozen_log_probs(reference, samples, policy)
    whole = (tokens_BT, samples.mask_BT, advantage_B.to(device), old, ref)
    parts = kept_P.nonzero()[:, 0].tensor_split(policy.updates)
    rows = [(p[:, None] * policy.group + torch.arange(policy.group)) for p in parts]
    out = [
        tuple(x[row.flatten().to(device)] for x in whole) for row in rows if len(row)
    ]
    return [_merged(batch) for batch in out] if policy.merged else out


def _merged(batch: Batch) -> Batch:
    """Return one row for all that are alike, its mask times their number."""
    key = torch.column_stack((batch[0].double(), batch[2].double()))
    _, which_B, count_U = key.unique(dim=0, return_inverse=True, return_counts=True)
    row_U = torch.empty_like(count_U)
    row_U[which_B] = torch.arange(len(key), device=key.device)
    tokens, mask, *rest = (x[row_U] for x in batch)
    return (tokens, mask * count_U[:, None], *rest)
