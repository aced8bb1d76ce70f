"""pass@k against brute force, majorities, shares, FLOPs."""

from itertools import combinations

import numpy as np
import pytest

from scaling_core.models.config import TransformerConfig
from scaling_core.rl.metrics import (
    format_shares,
    majority_share,
    pass_at_k,
    step_flops,
)


def test_pass_at_k_is_the_share_of_subsets():
    n = 7
    for c in range(n + 1):
        right = [1] * c + [0] * (n - c)
        for k in range(1, n + 1):
            share = np.mean([any(s) for s in combinations(right, k)])
            assert pass_at_k(np.array([c]), n, k)[0] == pytest.approx(share)


def test_pass_at_k_of_large_counts():
    c = np.arange(2001)
    found = pass_at_k(c, 2000, 1)
    assert np.allclose(found, c / 2000, atol=1e-12)
    assert pass_at_k(np.array([1]), 10**6, 1000)[0] == pytest.approx(1e-3, rel=1e-6)


@pytest.mark.parametrize("c, n, k", [(1, 4, 5), (1, 4, 0), (5, 4, 2), (-1, 4, 2)])
def test_impossible_counts_are_refused(c, n, k):
    with pytest.raises(ValueError, match="1 <= k <= n"):
        pass_at_k(np.array([c]), n, k)


def test_majorities_by_hand():
    value = np.array([[5, 5, 9, 9], [1, 2, 2, -1], [-1, -1, -1, -1], [3, 3, 3, 8]])
    right = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0]])
    # a tie; a wrong majority; nothing said; one value said by right and wrong texts
    assert majority_share(value, right).tolist() == pytest.approx([0.5, 0, 0, 2 / 3])


def test_shares_keep_the_missing_format_apart():
    shares = format_shares(np.array([[0, 1], [1, -1]]), formats=3)
    assert shares.tolist() == [0.25, 0.5, 0.0, 0.25]


def test_flops_of_a_step_by_hand():
    config = TransformerConfig(d_model=8, n_layers=1, n_heads=1, d_vocab=5, n_ctx=4)
    matrices = 12 * 8 * 8 + 8 * 5
    forward = 2 * (matrices + 4 * 8) * 3 * 4  # T·d of attention is its causal half
    assert step_flops(config, answers=3, length=4) == dict(
        rollout=forward, update=3 * forward, reference=0
    )
    assert step_flops(config, 3, 4, reference=True)["reference"] == forward
