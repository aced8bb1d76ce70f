"""Losses and advantages: cases by hand, and gradients against finite differences."""

import math

import numpy as np
import pytest
import torch

from scaling_core.rl.advantages import advantages, informative
from scaling_core.rl.coverage import CoverageLoss, coverage_loss
from scaling_core.rl.losses import aggregate, kl_penalty, policy_loss, token_entropy

MASK = torch.tensor([[1.0, 1, 0], [1, 0, 0], [1, 1, 1], [1, 1, 0]], dtype=torch.double)


def draws(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logp = -torch.rand((4, 3), generator=generator, dtype=torch.double) - 0.1
    old = logp + 0.4 * torch.randn((4, 3), generator=generator, dtype=torch.double)
    return logp.requires_grad_(), old, torch.tensor([1.0, -1, 0.5, -2]).double()


def test_advantages_by_hand():
    reward = torch.tensor([[1.0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0]]).double()
    centred = reward - torch.tensor([0.25, 1.0, 0.5])[:, None]
    assert torch.allclose(advantages(reward, "none"), centred)
    first = math.sqrt(3) * torch.tensor([1, -1 / 3, -1 / 3, -1 / 3]).double()
    group = torch.stack((first, torch.zeros(4), torch.tensor([1.0, 1, -1, -1])))
    assert torch.allclose(advantages(reward), group, atol=1e-5)
    batch = centred / math.sqrt((0.75 + 0 + 1) / 12)
    assert torch.allclose(advantages(reward, "batch"), batch, atol=1e-4)
    assert informative(reward).tolist() == [True, False, True]
    with pytest.raises(ValueError, match="group, batch, none"):
        advantages(reward, "rank")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "ratio, advantage, loss, slope",
    [
        (1.1, 1, -1.1, -1.1),
        (1.5, 1, -1.3, 0),  # the upper bound: no reason to go on
        (1.5, -1, 1.5, 1.5),  # the way back is free
        (0.5, 1, -0.5, -0.5),
        (0.5, -1, 0.8, 0),
    ],
)
def test_clipped_loss_by_hand(ratio, advantage, loss, slope):
    logp = torch.tensor([[math.log(ratio)]], requires_grad=True)
    one = torch.ones(1, 1)
    value = policy_loss(
        logp, 0 * one, torch.tensor([advantage]), one, bounds=(0.8, 1.3)
    )
    value.sum().backward()
    assert value.item() == pytest.approx(loss)
    assert logp.grad is not None and logp.grad.item() == pytest.approx(slope)


def test_cispo_keeps_its_gradient_and_caps_its_weight():
    logp = torch.tensor([[math.log(1.5), math.log(9.0)]], requires_grad=True)
    zero, mask = torch.zeros(1, 2), torch.ones(1, 2)
    value = policy_loss(
        logp, zero, torch.tensor([2.0]), mask, kind="cispo", bounds=(0, 5)
    )
    value.sum().backward()
    assert logp.grad is not None
    assert logp.grad.tolist() == [pytest.approx([-3.0, -10.0])]


def test_gspo_has_the_geometric_mean_of_counted_tokens():
    logp = torch.tensor([[math.log(1.2), math.log(0.9), 7.0]])
    mask = torch.tensor([[1.0, 1, 0]])
    value = policy_loss(
        logp, torch.zeros(1, 3), torch.ones(1), mask, kind="gspo", bounds=(0, 9)
    )
    expected = -math.sqrt(1.2 * 0.9)
    assert value[0, :2].tolist() == pytest.approx([expected, expected])


@pytest.mark.parametrize("how", ["token", "sample", "prompt"])
def test_losses_coincide_on_the_policys_own_samples(how):
    logp, _, A = draws()
    gradients = []
    for kind in ("clip", "cispo", "gspo"):
        value = policy_loss(logp, logp.detach(), A, MASK, kind=kind, bounds=(0.5, 2))
        total = aggregate(value, MASK, how, group=2)
        gradients.append(torch.autograd.grad(total, logp)[0])
    assert gradients[0].abs().sum() > 0.1
    for other in gradients[1:]:
        assert torch.allclose(gradients[0], other, rtol=1e-12, atol=0)


@pytest.mark.parametrize("how", ["token", "sample", "prompt"])
@pytest.mark.parametrize("kind", ["clip", "gspo"])
def test_gradients_against_finite_differences(kind, how):
    logp, old, A = draws(3)

    def total(x):
        value = policy_loss(x, old, A, MASK, kind=kind, bounds=(0.7, 1.6))
        return aggregate(value + 0.3 * kl_penalty(x, old), MASK, how, group=2)

    assert torch.autograd.gradcheck(total, (logp,))


def test_aggregation_by_hand():
    value = torch.arange(12.0).reshape(4, 3).double()
    rows = [(0 + 1) / 2, 3.0, (6 + 7 + 8) / 3, (9 + 10) / 2]
    assert aggregate(value, MASK).item() == pytest.approx(44 / 8)
    assert aggregate(value, MASK, "sample").item() == pytest.approx(np.mean(rows))
    prompts = [(0 + 1 + 3) / 3, (6 + 7 + 8 + 9 + 10) / 5]
    assert aggregate(value, MASK, "prompt", group=2).item() == pytest.approx(
        np.mean(prompts)
    )


@pytest.mark.parametrize("how", ["token", "sample", "prompt"])
def test_rows_without_tokens_do_not_count(how):
    value, mask = torch.rand(6, 3, generator=torch.Generator()), torch.ones(6, 3)
    mask[2:4] = 0
    kept = torch.tensor([0, 1, 4, 5])
    whole = aggregate(value, mask, how, group=2)
    assert whole.item() == pytest.approx(
        aggregate(value[kept], mask[kept], how, group=2).item()
    )
    assert aggregate(value, 0 * mask, how, group=2).item() == 0


def test_the_penalty_estimates_the_divergence():
    p = torch.tensor([0.5, 0.3, 0.2]).double()
    q = torch.tensor([0.2, 0.2, 0.6]).double()
    penalty = kl_penalty(p.log(), q.log())
    assert (penalty >= 0).all() and kl_penalty(p.log(), p.log()).abs().max() == 0
    assert (p * penalty).sum().item() == pytest.approx((p * (p / q).log()).sum().item())


def test_entropy_counts_only_the_mask():
    logits = torch.zeros(1, 3, 8)
    logits[0, 1] = torch.tensor([100.0] + [0] * 7)
    mask = torch.tensor([[1.0, 1, 0]])
    assert token_entropy(logits, mask).item() == pytest.approx(math.log(8) / 2)


def test_what_is_no_loss_is_refused():
    logp, old, A = draws()
    with pytest.raises(ValueError, match="clip, cispo, gspo"):
        policy_loss(logp, old, A, MASK, kind="ppo")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="low <= 1 <= high"):
        policy_loss(logp, old, A, MASK, bounds=(0.2, 0.28))
    with pytest.raises(ValueError, match="token, sample, prompt"):
        aggregate(logp, MASK, "row")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("N", [1, 2, 32, 1000])
def test_coverage_loss_is_its_formula_and_its_gradient_is(N):
    p = torch.tensor([1e-9, 1e-5, 9.9e-3 / N, 1.01e-2 / N, 0.03, 0.4]).double()
    logp = p.log().requires_grad_()
    loss = coverage_loss(logp, N)
    exact = -np.log(-np.expm1(N * np.log1p(-p.numpy())))
    assert np.allclose(loss.detach().numpy(), exact, rtol=2e-4, atol=1e-5)
    (gradient,) = torch.autograd.grad(loss.sum(), logp)
    weight = N * (1 - p) ** (N - 1) * p / -torch.expm1(N * torch.log1p(-p))
    assert torch.allclose(gradient, -weight, rtol=1e-3, atol=1e-12)


def test_coverage_loss_at_the_ends():
    logp = torch.tensor([0.0, -1e-8, -200.0], requires_grad=True)
    loss = coverage_loss(logp, 8)
    (gradient,) = torch.autograd.grad(loss.sum(), logp)
    assert torch.isfinite(loss).all() and torch.isfinite(gradient).all()
    assert loss[2].item() == pytest.approx(200 - math.log(8))
    assert gradient[2].item() == pytest.approx(-1) and loss[0].item() == pytest.approx(
        0
    )
    with pytest.raises(ValueError, match="N=0"):
        coverage_loss(logp, 0)


def test_one_sample_is_the_cross_entropy_of_whole_answers():
    logits = torch.randn(2, 3, 5, generator=torch.Generator())
    labels = torch.tensor([[-1, 2, 4], [-1, 0, -1]])
    logp = logits.log_softmax(-1)
    expected = -(logp[0, 1, 2] + logp[0, 2, 4] + logp[1, 1, 0]) / 2
    model = torch.nn.Identity()
    assert CoverageLoss(1)(model, (logits, labels)).item() == pytest.approx(
        expected.item(), rel=1e-4
    )
