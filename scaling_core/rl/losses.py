"""Losses of policy gradients: clipped, CISPO, GSPO; how tokens add up; the KL penalty.

Shapes: B answers, G of them in a row to one prompt, T tokens, V d_vocab. A mask says
which tokens count.
"""

from typing import Literal

import torch
from torch import Tensor

from scaling_core.models.transformer import Transformer

Kind = Literal["clip", "cispo", "gspo"]
Aggregate = Literal["token", "sample", "prompt"]


def answer_logits(
    model: Transformer, tokens_BT: Tensor, prompt: int, temperature: float = 1.0
) -> Tensor:
    """Return what the model says of each token after the prompt, (B, T, V), in float.

    With dropout none, that is the distribution `generate` drew from.
    """
    return model(tokens_BT[:, :-1])[:, prompt - 1 :].float() / temperature


def log_probs(logits_BTV: Tensor, answer_BT: Tensor) -> Tensor:
    """Return the log-probability of each token of the answers, (B, T).

    >>> log_probs(torch.zeros(1, 1, 4), torch.tensor([[2]])).exp().item()
    0.25
    """
    return logits_BTV.log_softmax(dim=-1).gather(2, answer_BT[:, :, None])[:, :, 0]


def policy_loss(
    logp_BT: Tensor,
    old_BT: Tensor,
    advantage_B: Tensor,
    mask_BT: Tensor,
    *,
    kind: Kind = "clip",
    bounds: tuple[float, float] = (0.8, 1.2),
) -> Tensor:
    """Return the loss of each token, (B, T); `aggregate` adds them up.

    With ρ = exp(logp - old), A the advantage and c(ρ) = ρ held within the bounds:

    - clip: -min(ρA, c(ρ)A), arXiv 1707.06347; an upper bound further from 1 than the
      lower one is arXiv 2503.14476;
    - cispo: -c(ρ)·A·logp, without gradient through c(ρ); bounds (0, ε_max) are those of
      arXiv 2510.13786, section 4;
    - gspo: as clip, ρ the geometric mean over the answer's tokens, arXiv 2507.18071.

    Where ρ = 1 all three have the gradient -A ∇logp, but for how tokens are weighted.

    Raises
    ------
    ValueError
        For another kind, or bounds that do not enclose 1.

    >>> logp, old = torch.tensor([[0.0]]), torch.tensor([[-1.0]])
    >>> policy_loss(logp, old, torch.ones(1), torch.ones(1, 1)).round(decimals=2).item()
    -1.2000000476837158
    """
    low, high = bounds
    if not 0 <= low <= 1 <= high:
        raise ValueError(f"bounds={bounds} of the ratio; need 0 <= low <= 1 <= high")
    A_B1, log_ratio_BT = advantage_B[:, None], logp_BT - old_BT
    if kind == "cispo":
        return -log_ratio_BT.exp().clamp(low, high).detach() * A_B1 * logp_BT
    if kind == "gspo":
        total_B1 = (log_ratio_BT * mask_BT).sum(dim=1, keepdim=True)
        mean_B1 = total_B1 / mask_BT.sum(dim=1, keepdim=True).clamp(min=1)
        log_ratio_BT = mean_B1.expand_as(logp_BT)
    elif kind != "clip":
        raise ValueError(f"kind={kind!r}; allowed: clip, cispo, gspo")
    ratio_BT = log_ratio_BT.exp()
    return -torch.minimum(ratio_BT * A_B1, ratio_BT.clamp(low, high) * A_B1)


def kl_penalty(logp_BT: Tensor, reference_BT: Tensor) -> Tensor:
    """Return the estimate r - 1 - ln r of KL(policy, reference) per token, (B, T).

    r = reference / policy: never negative, and unbiased where tokens are the policy's
    own ("k3", arXiv 2402.03300, eq. 4).

    >>> kl_penalty(torch.zeros(1), torch.tensor([0.5]).log()).round(decimals=3).tolist()
    [0.19300000369548798]
    """
    log_r_BT = reference_BT - logp_BT
    return log_r_BT.exp() - 1 - log_r_BT


def aggregate(
    value_BT: Tensor, mask_BT: Tensor, how: Aggregate = "token", *, group: int = 1
) -> Tensor:
    """Return one mean of the counted tokens' values, a scalar.

    ``token``: over all tokens; ``sample``: over answers, of the mean over their tokens;
    ``prompt``: over groups of ``group`` answers, of the mean over all their tokens.
    Answers and groups without a counted token do not count.

    Raises
    ------
    ValueError
        For another name.

    >>> value, mask = torch.tensor([[1.0, 1.0], [4.0, 9.0]]), torch.tensor([[1, 1], [1, 0]])
    >>> aggregate(value, mask).item(), aggregate(value, mask, "sample").item()
    (2.0, 2.5)
    """
    sizes = {"token": len(value_BT), "sample": 1, "prompt": group}
    if how not in sizes:
        raise ValueError(f"how={how!r}; allowed: {', '.join(sizes)}")
    rows = (-1, sizes[how] * value_BT.shape[1])
    count = mask_BT.reshape(rows).sum(dim=1)
    mean = (value_BT * mask_BT).reshape(rows).sum(dim=1) / count.clamp(min=1)
    return mean.sum() / (count > 0).sum().clamp(min=1)


def token_entropy(logits_BTV: Tensor, mask_BT: Tensor) -> Tensor:
    """Return the mean entropy of the counted tokens' distributions in nats, a scalar.

    >>> token_entropy(torch.zeros(1, 1, 4), torch.ones(1, 1)).exp().item()
    4.0
    """
    logp_BTV = logits_BTV.log_softmax(dim=-1)
    return aggregate(-(logp_BTV.exp() * logp_BTV).sum(dim=-1), mask_BT)
