"""What sampled answers tell: pass@k, the majority's answer, formats, FLOPs.

Shapes: Q questions, n answers to each.
"""

import numpy as np
from scipy.special import gammaln

from scaling_core.models.config import TransformerConfig
from scaling_core.models.transformer import training_flops_per_token


def pass_at_k(right_Q: np.ndarray, n: int, k: int) -> np.ndarray:
    """Return the chance that k of the n answers hold a right one, (Q,).

    1 - C(n - c, k)/C(n, k) with c right answers: unbiased (arXiv 2107.03374, eq. 1).

    Raises
    ------
    ValueError
        If k is not within 1 to n, or a count not within 0 to n.

    >>> pass_at_k(np.array([0, 1, 2]), n=2, k=1).round(9).tolist()
    [0.0, 0.5, 1.0]
    """
    c = np.asarray(right_Q, dtype=float)
    if not 1 <= k <= n or c.min() < 0 or c.max() > n:
        raise ValueError(f"need 1 <= k <= n and 0 <= right <= n; got k={k}, n={n}, {c}")
    wrong = np.maximum(n - c, k)  # where fewer than k are wrong, k cannot all be
    log_none = gammaln(wrong + 1) - gammaln(wrong - k + 1)
    log_all = gammaln(n + 1) - gammaln(n - k + 1)
    return np.where(n - c < k, 1.0, 0.0 - np.expm1(log_none - log_all))


def majority_share(value_Qn: np.ndarray, right_Qn: np.ndarray) -> np.ndarray:
    """Return how often the commonest answer is right, drawn among ties, (Q,).

    Answers count as the same by ``value`` (what they say, whatever their format); those
    below 0 say nothing and have no vote. One value may be given by right and by wrong
    texts: then the share of right ones counts.

    >>> majority_share(np.array([[7, 7, 3, -1]]), np.array([[1, 1, 0, 0]])).tolist()
    [1.0]
    """
    out = np.zeros(len(value_Qn))
    for q, (value, right) in enumerate(zip(value_Qn, right_Qn, strict=True)):
        said, where = np.unique(value[value >= 0], return_inverse=True)
        if len(said):
            votes = np.bincount(where)
            good = np.bincount(where, weights=right[value >= 0]) / votes
            out[q] = good[votes == votes.max()].mean()
    return out


def format_shares(format_B: np.ndarray, formats: int = 3) -> np.ndarray:
    """Return the shares of the formats, then of answers without one (-1), (formats + 1,).

    >>> format_shares(np.array([0, 0, 2, -1])).tolist()
    [0.5, 0.0, 0.25, 0.25]
    """
    count = np.bincount(np.ravel(format_B) % (formats + 1), minlength=formats + 1)
    return count / count.sum()


def step_flops(
    config: TransformerConfig, answers: int, length: int, *, reference: bool = False
) -> dict[str, int]:
    """Return the FLOPs of one step over sequences of ``length`` tokens, by part.

    ``rollout``, one forward pass a token; ``update``, forward and backward (all that
    arXiv 2509.25300, eq. 10, counts, as 6 N T); ``reference``, a forward pass if asked.

    >>> step_flops(TransformerConfig(), answers=1, length=12)
    {'rollout': 4988928, 'update': 14966784, 'reference': 0}
    """
    forward = training_flops_per_token(config, length) // 3 * answers * length
    return dict(
        rollout=forward, update=3 * forward, reference=forward if reference else 0
    )
