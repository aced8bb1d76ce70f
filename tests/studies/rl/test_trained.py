"""Runs of the chapter's models: pairs, counts, seeds as one, few problems."""

import numpy as np
import pytest
import torch

from scaling_core.data.arithmetic import Addition
from scaling_core.data.countdown import CountDown
from scaling_core.rl.samples import sample_answers
from studies.rl import arms
from studies.rl.arms import constant, make_model, measure_arms
from studies.rl.chances import chances, expected_counts, solutions
from studies.rl.countdown import few_problems, measure_countdown, measure_coverage, ways
from studies.rl.readings import at_best_rate, best_pass, log_others

TINY: dict = dict(width=8, layers=1, device="cpu")
SUMS: dict = TINY | dict(digits=2, warm_steps=30, steps=4, lr=1e-3, prompts=4, group=4)
SUMS |= dict(every=2, temperatures=[0.3])


@pytest.fixture(scope="module")
def alone() -> list[dict]:
    names = ["true", "permuted", "penalty", "repeat 100", "expert"]
    return [measure_arms(seeds=[seed], arms=names, **SUMS) for seed in (0, 1)]


def test_arms_start_from_one_model(alone):
    for run in alone:
        assert run["looked"] == [0, 2, 4]
        starts = [run[arm]["looks"][0][0] for arm in ("true", "permuted", "penalty")]
        assert starts[0] == starts[1] == starts[2]
        counts = np.array(run["true"]["looks"])
        assert counts.shape == (1, 3, 2, 4)
        assert counts[0, :, 0].sum(axis=1) == pytest.approx([3000] * 3)
        assert (counts[:, :, 1] <= counts[:, :, 0]).all()
        assert np.array(run["expert"]["looks"]).shape == (1, 1, 2, 4)


def test_seeds_as_one_are_the_same_runs(alone):
    both = measure_arms(seeds=[0, 1], arms=["true", "penalty"], **SUMS)
    for arm in ("true", "penalty"):
        for k, run in enumerate(alone):
            counts = np.array([both[arm]["looks"][k], run[arm]["looks"][0]])
            assert (
                abs(np.diff(counts, axis=0)).max() <= 20
            )  # rounding moves a few draws


def test_half_way_a_run_is_a_run_of_half_the_length():
    for done in range(75):
        assert constant(150, 1.0).lr_at(done) == constant(75, 1.0).lr_at(done)


@pytest.mark.parametrize("task", [Addition(held_out=40), CountDown(held_out=40)])
def test_chances_are_what_draws_come_to(task):
    """An untrained model with large weights: tags and right answers are not rare."""
    model, heat = make_model(task, width=8, layers=1, seed=1), 1.5
    with torch.no_grad():
        model.unembedding.weight[: task.stop - 3] *= 0.1
    right, tags = chances(model, task, task.test, [1.0, heat])
    draw = torch.Generator().manual_seed(0)
    found = sample_answers(
        model, task, task.test, 500, generator=draw, temperature=heat
    )
    share = np.bincount(found.format_B % 4, minlength=4)[:3] / len(found.format_B)
    assert tags[1].mean(dim=0).numpy() == pytest.approx(share, abs=0.02)
    assert (right <= tags + 1e-6).all()
    counts = np.array(expected_counts(right[1], tags[1]))
    assert counts[0].sum() == pytest.approx(240) and counts[1, 3] == 0


def test_chances_of_all_answers_of_one_question_add_up():
    """Every answer of three tokens that is a sum, against the product of its chances."""
    task = Addition(digits=1, held_out=10)
    model = make_model(task, width=8, layers=1, seed=0)
    question = task.test[3:4]
    place, texts = solutions(task, question)
    assert place.tolist() == [0] and task.verify(question.repeat(3), texts[0]).all()
    tokens = torch.cat((task.prompt(question).repeat(3, 1), texts[0]), dim=1)
    logp = model(tokens[:, :-1])[:, task.prompts.shape[1] - 1 :].log_softmax(dim=-1)
    for form, text in enumerate(texts[0]):
        end = text.tolist().index(task.stop) + 1
        p = np.exp(sum(logp[form, t, text[t]].item() for t in range(end)))
        ours = chances(model, task, question)[0][0, 0, form].item()
        assert ours == pytest.approx(p, rel=1e-4)


def test_solutions_are_all_that_the_checker_takes():
    task = CountDown(n=2, largest=4, held_out=3)
    asked = task.test[[2, 0, 1]]
    place, texts = solutions(task, asked)
    assert np.bincount(place).tolist() == ways(task)[asked].tolist()
    for form in range(3):
        assert task.verify(asked[place], texts[:, form]).all()


def test_readings_by_hand():
    counts = np.array([[[60, 30, 9, 1], [6, 3, 0, 0]]])
    assert log_others(counts)[0] == pytest.approx(np.log(39.5 / 99.5))
    assert best_pass(np.array([[0, 1], [0.5, 0.5]]), k=2) == 0.75


def test_ways_by_hand():
    task = CountDown(n=2, largest=3, held_out=0)
    found = {
        tuple(p): n for p, n in zip(task.prompts.tolist(), ways(task), strict=True)
    }
    assert found[1, 2, 3] == 2 and found[1, 2, 1] == 1  # 1 + 2, 2 + 1; 2 - 1
    assert found[2, 2, 4] == 2  # 2 + 2, 2 × 2


def test_few_problems_are_their_own_solutions():
    task = CountDown(n=2, largest=4, held_out=2, batch=16)
    tokens, labels = few_problems(task, 5, seed=0)(3)
    numbers = task.prompts.shape[1]
    answers = torch.full((16, task.answer_length), task.stop)
    answers = labels[:, numbers - 1 :].clamp(min=0)
    answers = torch.where(labels[:, numbers - 1 :] < 0, task.stop, answers)
    rows = task.parse(answers)
    prompts = task.prompt(task.question_of[rows])
    assert (
        torch.equal(prompts, tokens[:, :numbers]) and (task.format(answers) == 0).all()
    )
    assert set(task.question_of[rows].tolist()) <= set(task.train[:5].tolist())


def test_countdown_counts_every_look():
    found = measure_countdown(
        seeds=[0], numbers=3, warm_steps=4, steps=4, lr=1e-3, prompts=3, group=3,
        temperatures=[0.5, 1.0], held_out=30, **TINY,
    )  # fmt: skip
    assert np.array(found["right"]).shape == (1, 3, 2, 30)
    drawn = np.array(found["formats"])[..., 0, :].sum(axis=-1)
    assert drawn.shape == (1, 3, 2) and drawn == pytest.approx(np.full((1, 3, 2), 180))
    task = CountDown(held_out=30)
    assert (ways(task)[task.test][found["hard"]] == 1).all()
    for arm in ("easy", "easy permuted"):
        assert np.array(found[arm]["right"]).shape == (1, 3, 2, len(found["hard"]))


def test_coverage_of_one_is_cross_entropy_and_learns_by_heart():
    found = measure_coverage(
        seed=0, numbers=3, problems=8, steps=4, looks=[2, 4], lr=1e-3, counts=[1, 4],
        temperatures=[1.0], questions=5, **TINY,
    )  # fmt: skip
    assert np.array(found["right"]).shape == (2, 2, 1, 5)


def test_arms_of_larger_runs_differ_in_what_they_are_named_for(monkeypatch):
    asked = {}

    def kept(models, task, training, policies, questions, after_step):
        asked[len(asked)] = training.lr, policies[0], len(questions)
        return np.zeros((1, 1))

    monkeypatch.setattr(arms, "train_arm", kept)
    names = ["true", "batch", "none", "other draws", "repeat 25", "repeat 400"]
    sweep = [*arms.SWEEPS["clip"], *arms.SWEEPS["cispo"]]
    settings = SUMS | dict(steps=100, prompts=8, warm_steps=1, every=100)
    measure_arms(seeds=[3], arms=names + sweep, **settings)
    rates, policies, pools = zip(*asked.values(), strict=True)
    assert rates[:6] == (1e-3,) * 6 and pools[4:6] == (32, 2)
    assert rates[6:] == pytest.approx([3e-4, 1e-3, 3e-3] * 2)
    assert [p.normalise for p in policies[:3]] == ["group", "batch", "none"]
    assert [p.seed for p in policies[:5]] == [3, 3, 3, 1003, 3]
    assert [p.loss for p in policies[6:]] == ["clip"] * 3 + ["cispo"] * 3
    assert {(p.updates, p.bounds) for p in policies[6:9]} == {(8, (0.8, 1.28))}
    assert {(p.updates, p.bounds) for p in policies[9:]} == {(8, (0.0, 5.0))}


def test_one_rate_for_all_runs_and_not_the_best_of_each():
    noisy = np.array([[0.9, 0.1], [0.1, 0.8]])
    assert at_best_rate(noisy).tolist() == [0.9, 0.1]
    steady = np.vstack((noisy, [[0.6, 0.6]]))
    assert at_best_rate(steady).tolist() == [0.6, 0.6]
