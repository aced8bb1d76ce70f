"""Emergence: texts as described, oracles read rightly, laws and metrics recovered."""

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from scaling_core.data.corpora import python_source
from studies.emergence import family, metrics, resolution, texts
from studies.emergence.texts import (
    FACT,
    Facts,
    Mixture,
    count_runs,
    draw_questions,
    letters,
    log_prior,
    write_copies,
)

N = np.logspace(3, 5, 5)
V = python_source().d_vocab
decode = python_source().decode


@pytest.fixture(scope="module")
def asked():
    return draw_questions(60, seed=0)


@pytest.fixture(scope="module")
def told():
    return Facts.draw(200, seed=0)


def test_facts_and_copies_read_as_written(told):
    assert len({decode(s) for s in told.subjects}) == 200
    text = decode(told.write(np.arange(3)).ravel())
    assert text[3::FACT] == ":::" and text[6::FACT] == ";;;"
    assert decode(write_copies(np.array([[0, 1, 2], [3, 3, 3]])).ravel()) == (
        "abc=abc;ddd=ddd;"
    )


def test_common_facts_are_met_in_proportion_to_one_over_rank(told):
    met = np.bincount(told.sample((100_000,), rng=np.random.default_rng(0)))
    assert met[0] / met[9] == pytest.approx(10, rel=0.1)


def test_a_batch_has_its_three_kinds_and_depends_on_the_step_alone(told):
    mixture = Mixture(18, 64, 3, told)
    batch = mixture.batch_at(5)
    assert batch.shape == (18, 65) and (batch == mixture.batch_at(5)).all()
    assert not (batch == mixture.batch_at(6)).all()
    source = python_source().batches(batch=12, n_ctx=64, seed=3).batch_at(5)
    assert (batch[:12] == source).all()
    counts = [[decode(row).count(c) for row in batch[12:]] for c in ":="]
    assert min(counts[0][:3]) >= 9 and max(counts[0][3:]) == 0
    assert min(counts[1][3:]) >= 8 and max(counts[1][:3]) == 0


def test_choices_are_different_and_near_ones_follow_the_same_two(asked):
    text = decode(python_source().splits["validation"])
    for i, context in enumerate(asked.context):
        pair, whole = decode(context[-2:]), decode(context)
        assert whole + decode(asked.truth[i]) in text
        for choices in (asked.near[i], asked.far[i]):
            words = [decode(c) for c in choices]
            assert len(set(words)) == 4 and words[0] == decode(asked.truth[i][:4])
        assert all(pair + decode(c) in text for c in asked.near[i])


def test_questions_are_the_seeds_own(asked, monkeypatch):
    assert (draw_questions(60, seed=0).near == asked.near).all()
    assert not (draw_questions(60, seed=1).near == asked.near).all()
    monkeypatch.setattr(texts, "_others", lambda *_: None)
    with pytest.raises(ValueError, match="only 0 found"):
        draw_questions(2, seed=0)


def test_prior_counts_the_training_text():
    corpus = python_source()
    text = decode(corpus.splits["train"])
    string = corpus.encode("return").astype(np.int64)
    times = count_runs(string[None])[0]
    assert times == text.count("return") > 1000
    prior = log_prior(string[None, :2], string[None, None, 2:])
    assert prior[0, 0] == pytest.approx(np.log((times + 1) / (text.count("re") + 1)))


def unigrams(tokens):
    p = np.random.default_rng(0).dirichlet(np.ones(V))
    return np.broadcast_to(np.log(p), (*tokens[:, 1:].shape, V))


def test_a_choice_scores_the_sum_of_its_tokens(asked):
    found = family.score_choices(unigrams, asked.context, asked.near)
    table = unigrams(np.zeros((1, 2), dtype=int))[0, 0]
    assert found == pytest.approx(table[asked.near].sum(axis=-1))


def sure(guess_BT):
    """Return ln p of a model that gives 0.9 to its guess of each next token."""
    spread = np.full((*guess_BT.shape, V), np.log(0.1 / (V - 1)))
    np.put_along_axis(spread, guess_BT[..., None], np.log(0.9), -1)
    return spread


def test_oracles_know_facts_and_copy(told):
    objects = {decode(s): o for s, o in zip(told.subjects, told.objects, strict=True)}

    def knows(tokens):
        guess = tokens[:, :-1].copy()
        for row, out in zip(tokens, guess, strict=True):
            for t in range(3, len(row) - 1):
                out[t] = objects.get(decode(row[t - 3 : t]), [0])[0]
        return sure(guess)

    def copies(tokens):  # the token four places before the next one
        return sure(np.pad(tokens, ((0, 0), (3, 0)))[:, : tokens.shape[1] - 1])

    assert family.read_facts(knows, told, 64, seed=0).all()
    assert family.read_facts(copies, told, 64, seed=0).mean() < 0.2
    log_p, others, top = family.read_copies(copies, 50, 64, seed=0)
    assert log_p.shape == others.shape == (50, 3) and top.all()
    assert np.exp(log_p) == pytest.approx(0.9)
    assert np.median(np.exp(others)) < 0.01
    assert family.read_copies(knows, 50, 64, seed=0)[2].mean() < 0.2

    def repeats(tokens):  # the token a fact before the next one
        return sure(np.pad(tokens, ((0, 0), (6, 0)))[:, : tokens.shape[1] - 1])

    gain = np.log(0.9) - np.log(0.1 / (V - 1))
    memory = family.read_redefined(knows, told, 50, seed=0)
    assert list(memory.values()) == pytest.approx([-gain] * 3)
    prompt = family.read_redefined(repeats, told, 50, seed=0)
    assert prompt["redefined"] == prompt["elsewhere"] == pytest.approx(gain)
    assert abs(prompt["plain"]) < gain / 2


def test_one_small_model_answers_everything():
    shape = dict(n_ctx=64, batch=6, steps=20, seed=0, lr=1e-2, eval_rows=8)
    sizes = dict(n_questions=20, n_facts=50, n_copies=20, n_redefined=10, n_layers=1)
    found = family.measure_model(**sizes, **shape, d_model=8, n_heads=1)
    assert {len(x) for x in found.values()} == {2}
    assert np.shape(found["near"]) == np.shape(found["far"]) == (2, 20, 4)
    assert np.shape(found["copies"]) == (2, 20, 3)
    assert np.shape(found["facts"]) == (2, 50)
    half, end = found["loss"]
    assert end < half < np.log(V)
    right = np.array(found["near"])[..., 0]
    assert right == pytest.approx(np.array(found["far"])[..., 0], abs=1e-4)
    assert (np.array(found["text"]) < right).all()
    losses = family.count_losses(**shape, d_model=8, n_heads=1)
    assert losses[0] > losses[1] > losses[2]


def test_correlations_are_those_of_scipy():
    score = np.random.default_rng(0).normal(size=(5, 3))
    for ranks, peer in ((True, spearmanr), (False, pearsonr)):
        found = metrics.correlation_with_size(score, N, ranks=ranks)
        assert found == pytest.approx([peer(np.log(N), y).statistic for y in score.T])


def test_with_wrong_choices_held_no_rank_is_lost():
    answers = np.random.default_rng(0).normal(-8, 2, size=(5, 40, 4))
    found = metrics.chain_correlations(metrics.hold_wrong(answers), N)
    first, *rest = (found[name] for name in metrics.METRICS[:3])
    assert rest == pytest.approx([first] * 2)


def test_wrong_choices_that_rise_alike_leave_nothing():
    right = np.linspace(-9, -7, 5)[:, None, None] * np.ones((5, 30, 4))
    right[..., 1:] -= 1
    found = metrics.chain_correlations(right, N)
    assert found["ln p"] == found["p"] == pytest.approx(1)
    assert found["accuracy"] == 0


def test_wrong_choices_that_drift_together_are_told_by_their_mean():
    rng = np.random.default_rng(0)
    level, course = rng.normal(-8, 2, size=(40, 4)), np.linspace(0, 1, 5)
    answers = level + course[:, None, None] * [2, 1, 1, 1]
    assert metrics.drift_wrong(answers) == pytest.approx(answers)
    own = answers + np.where(np.arange(4), 1, 0) * rng.normal(size=(5, 40, 4))
    moved = metrics.drift_wrong(own)
    mean = own[..., 1:].mean(axis=(1, 2))
    assert moved[..., 1:].mean(axis=(1, 2)) == pytest.approx(mean)
    assert (moved[..., 0] == own[..., 0]).all()


def test_swapped_courses_are_as_large_and_no_longer_the_questions_own():
    right = np.random.default_rng(0).normal(-8, 2, size=(5, 60, 1))
    answers = np.concatenate([right, right - 1, right - 1, right - 1], axis=-1)
    swapped = metrics.swap_wrong(answers)
    assert np.ptp(metrics.chain(answers)["p among choices"]) < 1e-9
    assert np.ptp(metrics.chain(swapped)["p among choices"]) > 0.5
    assert swapped.mean(axis=0) == pytest.approx(answers.mean(axis=0))
    assert swapped[:, 0, 1] - swapped[:, 0, 1].mean() == pytest.approx(
        answers[:, 1, 1] - answers[:, 1, 1].mean()
    )
    over = metrics.swapped_correlations(answers, N)
    assert over["ln p"] == pytest.approx(metrics.chain_correlations(answers, N)["ln p"])
    shifted = [metrics.swap_wrong(answers, by) for by in range(1, 31)]
    each = [metrics.chain_correlations(x, N)["p among choices"] for x in shifted]
    assert over["p among choices"] == pytest.approx(np.mean(each))


def test_courses_of_like_level_are_told_by_the_level_and_others_not():
    rng = np.random.default_rng(0)
    level = rng.normal(-8, 2, size=(200, 4))
    course = np.linspace(-1, 1, 5)[:, None, None] * np.sign(level + 8)
    course[..., 0] = np.linspace(-0.5, 0.5, 5)[:, None]
    answers = level + course
    matched = metrics.match_wrong(answers, 5)
    changed = np.abs(matched - answers).max(axis=0)[:, 1:]
    assert (changed > 1e-9).mean() == pytest.approx(5 / 600)  # at the jump
    assert (matched[..., 0] == answers[..., 0]).all()
    assert matched.mean(axis=0) == pytest.approx(level)
    own = metrics.chain_correlations(answers, N)["p among choices"]
    like = metrics.matched_correlations(answers, N)["p among choices"]
    other = metrics.swapped_correlations(answers, N)["p among choices"]
    assert abs(like - own) < 0.05 < abs(other - own)


def test_in_step_with_the_right_choice_is_seen_beyond_the_level():
    rng = np.random.default_rng(1)
    level = rng.normal(-8, 1, size=(200, 4))
    rise = np.linspace(-1, 1, 5)[:, None] * rng.uniform(0.2, 1, size=200)
    answers = level + rise[..., None] * [1, 1.05, 1.05, 1.05]
    own = metrics.chain_correlations(answers, N)["p among choices"]
    like = metrics.matched_correlations(answers, N)["p among choices"]
    assert own == pytest.approx(-1) and like > own + 0.3


def test_matched_courses_come_from_a_neighbour_in_level():
    level = np.arange(40.0).reshape(10, 4) - 50
    answers = level + np.linspace(-1, 1, 5)[:, None, None] * level / 100
    wrong = metrics.match_wrong(answers, -3)[..., 1:].reshape(5, -1)
    flat = level[:, 1:].ravel()
    move = (wrong[-1] - wrong[0]) / 2 * 100
    assert move[3:] == pytest.approx(flat[:-3])
    assert move[:3] == pytest.approx(flat[3:6])  # no such neighbour: the other way


def test_shuffled_wrong_choices_keep_their_values_and_lose_the_size():
    rng = np.random.default_rng(0)
    answers = rng.normal(-8, 1, size=(5, 400, 4))
    answers[..., 1:] += np.linspace(0, 4, 5)[:, None, None]
    shuffled = metrics.shuffle_wrong(answers, rng=rng)
    assert np.sort(shuffled, axis=0) == pytest.approx(np.sort(answers, axis=0))
    assert (shuffled[..., 0] == answers[..., 0]).all()
    found = metrics.shuffled_correlations(answers, N, rng=rng)
    assert abs(found["p among choices"]) < 0.05
    assert metrics.chain_correlations(answers, N)["p among choices"] < -0.5


def test_the_mean_score_is_correlated_as_one_score():
    rng = np.random.default_rng(0)
    answers = rng.normal(-8, 2, size=(5, 400, 4))
    answers[..., 0] += np.linspace(0, 3, 5)[:, None]
    mean = metrics.mean_score_correlations(answers, N)
    assert mean["ln p"] == mean["accuracy"] == pytest.approx(1)
    assert metrics.chain_correlations(answers, N)["accuracy"] < 0.9


def test_calibration_error_of_a_calibrated_model_is_its_floor():
    rng = np.random.default_rng(0)
    q = rng.dirichlet(np.ones(4), size=4000)
    right = (rng.random(4000)[:, None] > q.cumsum(axis=1)).sum(axis=1)
    order = np.argsort(np.arange(4) != right[:, None], axis=1, kind="stable")
    log_p = np.log(np.take_along_axis(q, order, axis=1))
    floor = metrics.calibration_floor(log_p, rng=rng)
    assert metrics.calibration_error(log_p) < 2 * floor < 0.05
    assert metrics.calibration_error(3 * log_p) > 0.1  # too sure


def test_a_line_is_forecast_and_a_jump_is_not():
    line = 0.1 * np.log(N)
    assert metrics.forecast_last(line, N) == pytest.approx((0, 0.25))
    assert metrics.forecast_last([0, 0, 0, 0, 1], N) == pytest.approx((1, 1))
    assert metrics.forecast_last(np.ones(5), N) == (0, 0)
    assert metrics.largest_step(line) == pytest.approx(0.25)
    assert metrics.slope(line, N) == pytest.approx(0.1)


@pytest.mark.parametrize("p", [0.3, 0.03])
@pytest.mark.parametrize("passes", [1, 2, 20])
def test_estimates_have_the_mean_of_the_formula(p, passes):
    draws = resolution.draws_until(p, passes, 40_000, rng=np.random.default_rng(0))
    mean = (passes / draws).mean()
    assert mean == pytest.approx(resolution.expected_rate(p, passes), rel=0.03)
    if passes > 1:
        assert ((passes - 1) / (draws - 1)).mean() == pytest.approx(p, rel=0.03)


def test_first_pass_has_the_logarithm_and_one_is_one():
    p = np.array([0.3, 0.01, 0.001])
    assert resolution.expected_rate(p) == pytest.approx(-p * np.log(p) / (1 - p))
    assert resolution.expected_rate(1.0) == 1
    tiny = np.array([1e-30, 1e-3])
    assert resolution.expected_rate(tiny) == pytest.approx(
        -tiny * np.log(tiny), rel=2e-3
    )
    assert resolution.expected_rate(tiny, 2) == pytest.approx(2 * tiny, rel=0.02)
    with pytest.raises(ValueError, match="must lie in"):
        resolution.expected_rate(0.0)


def test_drawing_once_inflates_the_exponent_of_one_common_rate():
    rate = np.exp(-11.2 * (N / N[0]) ** -0.4)
    alphas = [
        resolution.fit_rate_law(resolution.expected_rate(rate, r), N)[1]
        for r in (1, 20)
    ]
    assert alphas[1] == pytest.approx(0.4, abs=0.02)
    assert alphas[0] > alphas[1] + 0.02


def test_bend_is_of_the_growth_not_of_the_number_of_equal_steps():
    law = np.exp(-8 * (N / N[0]) ** -0.3)
    assert resolution.bend(law, N) == pytest.approx(0, abs=1e-9)
    fast = np.exp(-8 * np.exp(-0.2 * np.log(N / N[0]) ** 2))
    assert resolution.bend(fast, N) == pytest.approx(0.2)
    assert resolution.bend(fast**3, N) == pytest.approx(0.2)
    with pytest.raises(ValueError, match="must lie in"):
        resolution.bend(np.zeros(5), N)


def test_all_of_many_steps_is_convex_and_any_of_them_is_not():
    rng = np.random.default_rng(0)
    assert resolution.least_convexity(100, rng=rng) > -1e-9
    assert -1 < resolution.least_convexity(1000, rng=rng, any_of=True) < -1e-3


def test_the_better_forecast_is_the_true_form():
    law = np.exp(-8 * (N / N[0]) ** -0.3)
    assert resolution.law_over_line(law, N) > 5
    line = np.exp(-8 + 0.3 * np.log(N / N[0]))
    assert resolution.law_over_line(line, N) < -5


def test_a_test_set_of_the_size_asked_for_sees_a_pass():
    rate = np.array([0.3, 0.01, 1e-5])
    items = resolution.items_to_see(rate)
    seen = [resolution.chance_to_tell(p, n) for p, n in zip(rate, items, strict=True)]
    assert seen == pytest.approx([0.95] * 3)


def test_numbers_are_letters():
    assert decode(letters(np.arange(26))) == "abcdefghijklmnopqrstuvwxyz"
