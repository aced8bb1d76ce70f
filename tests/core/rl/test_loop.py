"""The loop: resumption, what a step is made of, learning, experts, seeds as one."""

import copy
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from scaling_core.data.arithmetic import Addition
from scaling_core.data.countdown import CountDown
from scaling_core.models.generation import generate
from scaling_core.models.transformer import Transformer, TransformerConfig
from scaling_core.rl.experts import expert_iteration
from scaling_core.rl.loop import train_policy
from scaling_core.rl.losses import policy_loss
from scaling_core.rl.many import Stack, train_policies
from scaling_core.rl.metrics import majority_share
from scaling_core.rl.policy import Policy, answers_loss, batches, rewarded
from scaling_core.rl.samples import questions_at, sample_answers, verified
from scaling_core.training.loop import DivergedError, Training, labelled_loss, train

TASK = Addition(digits=1, held_out=20, batch=64)
QUICK = Training(6, 1e-3, schedule="constant", warmup=0, weight_decay=0.0)
SMALL = Policy(prompts=6, group=4, every=2)


def make(seed: int = 0, steps: int = 0, dtype=torch.float32) -> Transformer:
    config = TransformerConfig(
        d_model=16,
        n_layers=1,
        n_heads=1,
        d_vocab=TASK.d_vocab,
        n_ctx=8,
        positions="learned",
        init_std=0.1,
    )
    model = Transformer(config, generator=torch.Generator().manual_seed(seed)).to(dtype)
    if steps:
        train(model, TASK.batch_at, Training(steps, 1e-2), loss=labelled_loss)
    return model


@pytest.fixture(scope="module")
def warm() -> Transformer:
    """A model that has seen some sums: about a third of its answers are right."""
    return make(seed=1, steps=150)


def weights(model) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize("changes", [{}, {"kl": 0.1, "updates": 2, "loss": "gspo"}])
def test_a_resumed_run_ends_with_the_same_bits(warm, tmp_path, changes):
    policy, path = replace(SMALL, **changes), tmp_path / "run.safetensors"
    models = [copy.deepcopy(warm) for _ in range(3)]
    whole = train_policy(models[0], TASK, QUICK, policy)
    stopped = train_policy(
        models[1], TASK, QUICK, policy, checkpoint=path, deadline=time.monotonic()
    )
    assert stopped.done == 1
    rest = train_policy(models[2], TASK, QUICK, policy, checkpoint=path)
    assert torch.equal(weights(models[0]), weights(models[2]))
    for name in ("reward", "kept", "shares", "right", "test_shares", "tested"):
        assert np.array_equal(getattr(whole, name), getattr(rest, name)), name
    other = replace(policy, seed=1)
    with pytest.raises(ValueError, match="another run"):
        train_policy(copy.deepcopy(warm), TASK, QUICK, other, checkpoint=path)


def test_the_log_holds_what_was_sampled(warm):
    steps = []
    log = train_policy(copy.deepcopy(warm), TASK, QUICK, SMALL, after_step=steps.append)
    assert steps == [1, 2, 3, 4, 5, 6]
    assert log.tested.tolist() == [0, 2, 4, 6] and log.right.shape == (4, 20)
    assert np.allclose(log.shares.sum(axis=1), 1) and log.shares.shape == (6, 4)
    assert ((log.pass_one >= 0) & (log.pass_one <= 1)).all() and log.done == 6
    assert np.isfinite(log.entropy[log.kept > 0]).all()


def test_rewards_raise_the_pass_rate_and_permuted_ones_do_not(warm):
    """Six standard errors of 960 answers; +.27 and -.23 when this was written."""
    training, ends = replace(QUICK, steps=60, lr=3e-3), {}
    for permuted in (False, True):
        policy = Policy(permuted=permuted, every=60, test_samples=12, seed=1)
        model = copy.deepcopy(warm)
        log = train_policy(model, TASK, training, policy, test=TASK.train)
        ends[permuted] = log.pass_one
    assert ends[False][0] == ends[True][0]
    assert ends[False][1] - ends[False][0] > 0.1
    assert ends[False][1] - ends[True][1] > 0.1


def test_the_gradient_is_that_of_the_expected_reward():
    """The loss over every answer, as likely as it is, falls as the chance to be right
    rises: finite differences. Answers of one token, no normalisation."""
    logits = torch.tensor([[0.3, -0.2, 0.5]], dtype=torch.double)
    right = torch.tensor([1.0, 0.0, 0.0]).double()
    logits.requires_grad_()
    p = logits.softmax(-1)[0]
    logp = logits.log_softmax(-1)[0][:, None]  # three answers of one token
    advantage = right - (p.detach() @ right)
    value = policy_loss(logp, logp.detach(), advantage, torch.ones(3, 1))
    (ours,) = torch.autograd.grad((p.detach() * value[:, 0]).sum(), logits)
    step = 1e-6
    for i in range(3):
        up, down = (logits.detach().clone() for _ in range(2))
        up[0, i] += step
        down[0, i] -= step
        slope = (up.softmax(-1)[0] @ right - down.softmax(-1)[0] @ right) / (2 * step)
        assert ours[0, i].item() == pytest.approx(-slope.item(), abs=1e-9)


def test_flat_groups_leave_and_updates_share_the_rest(warm):
    draw = torch.Generator().manual_seed(0)
    samples = sample_answers(warm, TASK, TASK.train[:20], 4, generator=draw)
    policy = Policy(prompts=20, group=4, updates=3)
    advantage_B, kept_P = rewarded(samples, policy)
    flat = samples.right_B.view(20, 4).float().std(dim=1) == 0
    assert torch.equal(kept_P, ~flat) and (advantage_B.view(20, 4)[flat] == 0).all()
    parts = batches(warm, samples, advantage_B, kept_P, policy)
    assert [len(part) for part in parts] == [5, 5, 5]
    together = torch.cat([part[0] for part in parts])
    assert torch.equal(
        together, samples.tokens_BT.view(20, 4, -1)[kept_P].flatten(0, 1)
    )
    kept = rewarded(samples, replace(policy, drop_flat=False))[1]
    assert kept.all()


@pytest.mark.parametrize("permuted", [False, True])
def test_merged_answers_have_the_same_gradient(warm, permuted):
    draw = torch.Generator().manual_seed(0)
    samples = sample_answers(
        warm, TASK, TASK.train[:8], 6, generator=draw, temperature=0.3
    )
    model, found = copy.deepcopy(warm), {}
    reference = copy.deepcopy(warm)
    with torch.no_grad():
        reference.unembedding.weight *= 1.5
    for merged in (False, True):
        policy = Policy(
            prompts=8,
            group=6,
            kl=0.1,
            permuted=permuted,
            merged=merged,
            drop_flat=False,
        )
        advantage_B, kept_P = rewarded(samples, policy)
        parts = batches(model, samples, advantage_B, kept_P, policy, reference)
        loss, entropy = answers_loss(model, parts[0], policy, samples.prompt)
        model.zero_grad()
        loss.backward()
        gradient = torch.cat([p.grad.flatten() for p in model.parameters()])
        found[merged] = len(parts[0][0]), entropy.item(), gradient.numpy()
    assert found[True][0] < found[False][0] == 48
    assert found[True][1] == pytest.approx(found[False][1], rel=1e-4)
    assert found[True][2] == pytest.approx(found[False][2], rel=1e-3, abs=1e-6)
    with pytest.raises(ValueError, match="how='token', got 'sample'"):
        Policy(merged=True, how="sample")


def test_permuted_rewards_are_the_same_rewards(warm):
    draw = torch.Generator().manual_seed(0)
    samples = sample_answers(warm, TASK, TASK.train[:20], 4, generator=draw)
    policy = Policy(prompts=20, group=4, normalise="none", permuted=True)
    true, said = (
        rewarded(samples, replace(policy, permuted=p))[0].view(20, 4)
        for p in (False, True)
    )
    assert not torch.equal(true, said)
    assert torch.equal(said, rewarded(samples, policy)[0].view(20, 4))
    assert not torch.equal(said, rewarded(samples, policy, step=1)[0].view(20, 4))


def test_the_pool_comes_round_reshuffled():
    pool = torch.arange(10, 17)
    drawn = torch.cat([questions_at(pool, step, 3, seed=4) for step in range(7)])
    rounds = drawn.view(3, 7)
    assert (rounds.sort(dim=1).values == pool).all()
    assert not torch.equal(rounds[0], rounds[1])


def test_a_broken_gradient_stops_the_run(warm):
    model = copy.deepcopy(warm)
    with torch.no_grad():
        model.unembedding.weight.fill_(float("nan"))
    before = weights(model)
    policy = replace(SMALL, normalise="none", drop_flat=False, every=0)
    with pytest.raises(DivergedError, match="step 0"):
        train_policy(model, TASK, QUICK, policy)
    assert torch.equal(weights(model).nan_to_num(), before.nan_to_num())


def test_expert_iteration_learns_from_what_is_right(warm):
    model = copy.deepcopy(warm)
    training = Training(60, 3e-3)
    rounds = expert_iteration(model, TASK, training, rounds=2, samples=800)
    assert len(rounds) == 2 and rounds[1].pass_one > rounds[0].pass_one
    assert np.allclose([r.shares.sum() for r in rounds], 1)
    again = copy.deepcopy(warm)
    expert_iteration(again, TASK, training, rounds=2, samples=800)
    assert torch.equal(weights(model), weights(again))


def test_countdown_runs_and_its_majority_counts():
    task = CountDown(n=2, largest=6, held_out=10, batch=32)
    config = TransformerConfig(
        d_model=16, n_layers=1, n_heads=1, d_vocab=task.d_vocab, n_ctx=8
    )
    model = Transformer(config, generator=torch.Generator().manual_seed(0))
    train(model, task.batch_at, Training(60, 1e-2), loss=labelled_loss)
    log = train_policy(model, task, replace(QUICK, steps=2), SMALL)
    assert log.done == 2 and log.right.shape == (2, 10)
    draw = torch.Generator().manual_seed(0)
    found = sample_answers(model, task, task.train[:20], 8, generator=draw)
    value = task.parse(found.answer_BT).view(20, 8).numpy()
    right = found.right_B.view(20, 8).numpy()
    assert (value[right] >= 0).all()
    share = majority_share(value, right)
    assert (
        set(share[right.all(axis=1)]) <= {1.0} and not share[~right.any(axis=1)].any()
    )


class Unsolvable(Addition):
    """Sums that nobody gets right."""

    def verify(self, question_B, answer_BT):
        return super().verify(question_B, answer_BT) & False


def test_experts_without_a_right_answer_stay_as_they_were(warm):
    model, task = copy.deepcopy(warm), Unsolvable(digits=1, held_out=20)
    rounds = expert_iteration(model, task, Training(3, 1e-2), rounds=2, samples=8)
    assert torch.equal(weights(model), weights(warm))
    assert rounds[1].pass_one == 0 and np.isnan(rounds[1].right_shares).all()


def test_a_step_without_a_group_that_counts_has_no_gradient(warm):
    model, task = copy.deepcopy(warm), Unsolvable(digits=1, held_out=20)
    log = train_policy(model, task, QUICK, SMALL)
    assert (log.kept == 0).all() and (log.gradient_norm == 0).all()
    assert torch.equal(weights(model), weights(warm))


@pytest.mark.parametrize("changes", [{}, {"kl": 0.1, "how": "prompt"}])
def test_seeds_as_one_are_the_seeds_alone(changes):
    alone = [make(seed, steps=60, dtype=torch.float64) for seed in (1, 2)]
    together = [copy.deepcopy(model) for model in alone]
    policies = [replace(SMALL, seed=s, every=0, **changes) for s in (5, 6)]
    logs = [
        train_policy(model, TASK, QUICK, policy)
        for model, policy in zip(alone, policies, strict=True)
    ]
    seen = []
    reward = train_policies(together, TASK, QUICK, policies, after_step=seen.append)
    assert seen == [1, 2, 3, 4, 5, 6]
    assert np.allclose(reward, [log.reward for log in logs])
    for one, other in zip(alone, together, strict=True):
        assert torch.allclose(weights(one), weights(other), atol=1e-6)


def test_models_as_one_sample_as_each_alone():
    models = [make(seed, dtype=torch.float64) for seed in (1, 2)]
    prompt = TASK.prompt(TASK.train[:30])
    draws = [torch.Generator().manual_seed(s) for s in (3, 4)]
    both = Stack(models).generate(torch.stack((prompt, prompt)), 4, draws, 0.7)
    for k, model in enumerate(models):
        draw = torch.Generator().manual_seed(3 + k)
        alone = generate(model, prompt, 4, temperature=0.7, generator=draw)
        assert torch.equal(both[k], alone)


def test_samples_know_their_parts():
    right = torch.cat((TASK.prompt(TASK.train[:3]), TASK.answers[TASK.train[:3], 1]), 1)
    found = verified(TASK, TASK.train[:3], right, 1)
    assert found.right_B.all() and found.pass_one == 1 and found.prompt == 4
    assert found.mask_BT.tolist() == [[1, 1, 1, 1]] * 3 and (found.format_B == 1).all()


def test_impossible_settings_are_refused(warm):
    with pytest.raises(ValueError, match="group >= 2"):
        Policy(group=1)
    with pytest.raises(ValueError, match="1 <= updates <= prompts"):
        Policy(prompts=4, updates=5)
    with pytest.raises(ValueError, match="no micro-batches"):
        train_policy(warm, TASK, Training(1, micro_rows=4), SMALL)
    with pytest.raises(ValueError, match="alike but for the seed"):
        train_policies([warm, warm], TASK, QUICK, [SMALL, replace(SMALL, kl=1.0)])
    with pytest.raises(ValueError, match="a multiple of group"):
        expert_iteration(warm, TASK, QUICK, samples=10, group=4)
