"""A loss for coverage: fine-tuning for the best of N answers (arXiv 2502.07154).

Shapes: B rows, T positions.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

SMALL = 0.01  # of N·p: below, the series in p, whose next term is of order (N p)²


def coverage_loss(logp_B: Tensor, N: int) -> Tensor:
    """Return -ln(1 - (1 - p)^N) of answers with log-probability ``logp``, (B,).

    The chance that none of N samples is the answer, less one; N = 1 is the usual loss.
    For small N p the series -ln(N p) + (N - 1)p/2, which needs no p that underflows.

    >>> coverage_loss(torch.tensor([0.5]).log(), 2).exp().round(decimals=4).item()
    1.333299994468689
    """
    if N < 1:
        raise ValueError(f"N={N}; need a number of samples from 1")
    few_B = math.log(N) + logp_B < math.log(SMALL)
    safe_B = torch.where(few_B, math.log(SMALL / N), logp_B)
    # p = 1 would make (1 - p)^N and its slope 0·∞
    miss_B = N * torch.log1p(-safe_B.clamp(max=-1e-6).exp())
    series_B = -math.log(N) - logp_B + (N - 1) / 2 * logp_B.exp()
    return torch.where(few_B, series_B, -torch.log(-torch.expm1(miss_B)))


@dataclass(frozen=True)
class CoverageLoss:
    """The mean coverage loss of a batch (tokens, labels), for `train`.

    Attributes
    ----------
    N
        Samples that will be drawn; 1 makes it the cross-entropy of whole answers.

    Examples
    --------
    >>> even = lambda tokens: torch.zeros(*tokens.shape, 2)
    >>> batch = torch.tensor([[0, 1]]), torch.tensor([[0, 1]])
    >>> round(CoverageLoss(1)(even, batch).exp().item(), 4)
    4.0
    """

    N: int

    def __call__(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        tokens_BT, labels_BT = batch
        logp_BTV = model(tokens_BT).float().log_softmax(dim=-1)
        logp_BT = logp_BTV.gather(2, labels_BT.clamp(min=0)[:, :, None])[:, :, 0]
        return coverage_loss((logp_BT * (labels_BT >= 0)).sum(dim=1), self.N).mean()
