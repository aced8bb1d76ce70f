"""Tasks, ceilings and maps of the chapter on composition: known answers, tiny runs."""

from itertools import product

import numpy as np
import pytest
import torch

from scaling_core.data.corpora import python_source
from scaling_core.data.tasks import WordProblem
from studies.composition import ceilings, latency, repeats, word_tasks

TINY = dict(d_model=16, n_heads=2, n_ctx=8, batch=4, steps=2, eval_rows=8, seed=0)


@pytest.mark.parametrize("length", [1, 2, 4])
def test_bag_ceiling_is_the_best_guess_over_all_words(length):
    words = np.array(list(product(range(6), repeat=length)))
    answers = WordProblem(length=length).products(words)[:, -1]
    best: dict[tuple, dict[int, int]] = {}
    for word, answer in zip(words, answers, strict=True):
        seen = best.setdefault(tuple(sorted(word)), {})
        seen[answer] = seen.get(answer, 0) + 1
    right = sum(max(seen.values()) for seen in best.values())
    assert ceilings.bag_ceiling(length)[-1] == pytest.approx(right / len(words))


def test_ceilings_of_a_group_that_commutes_and_of_no_word():
    assert ceilings.bag_ceiling(5, n=2).tolist() == [1.0] * 5
    with pytest.raises(ValueError, match="at least one element"):
        ceilings.bag_ceiling(0)


def test_bag_ceiling_falls_towards_parity():
    bag = ceilings.bag_ceiling(9)
    assert (np.diff(bag) < 0).all() and 1 / 3 < bag[-1] < 0.38


def test_votes_count_what_they_say():
    votes = word_tasks.MajorityVote(length=6, batch=50, seed=3)
    words, labels = votes.batch_at(0)
    for word, label in zip(words.tolist(), labels.tolist(), strict=True):
        for t in range(6):
            upper = sum(symbol >= 3 for symbol in word[: t + 1])
            lower = t + 1 - upper
            assert label[t] == (-1 if upper == lower else int(upper > lower))
    again, _ = votes.batch_at(0)
    other, _ = votes.batch_at(0, split="test")
    assert torch.equal(words, again) and not torch.equal(words, other)


def test_accuracy_ignores_positions_that_are_not_asked():
    def model(words):
        return torch.nn.functional.one_hot(words, 6).float()  # answers its input

    words = torch.tensor([[0, 1], [0, 2]])
    labels = torch.tensor([[0, -1], [1, 2]])
    accuracy = word_tasks.accuracy_by_position(model, words, labels)
    assert accuracy.tolist() == [0.5, 1.0]
    new = torch.tensor([False, True])
    got = word_tasks.unseen(model, words, torch.tensor([[0, 0], [1, 2]]), new)
    assert got == dict(unseen_words=1, unseen_accuracy=1.0)


def test_a_family_of_depths():
    result = repeats.measure_depths(**TINY, depths=[2, 3])
    for stage in repeats.STAGES:
        for key in ("loss", "permutation", "causal", "useful"):
            assert len(result[f"{stage}_{key}"]) == 2
    assert result["init_loss"] != result["half_loss"] != result["full_loss"]
    for name in ("map", "target", "source", "window"):
        assert len(result[f"full_{name}_error"]) == len(result[f"half_{name}_source"])
    # all of these models share their first embedding, trained or not
    assert max(result["full_target_error"] + result["full_source_error"]) < 2
    assert result["full_map_error"] != result["full_source_error"]
    assert result["full_window_source"] == [0, 0, 0]


def test_a_setting_is_spelled_as_its_fields():
    with pytest.raises(TypeError, match="width"):
        repeats.measure_depths(**TINY, depths=[2, 3], width=8)


def test_recent_characters_are_those_up_to_the_position():
    seen = repeats.recent_characters(torch.tensor([[4, 7, 9]]), k=2)
    V = python_source().d_vocab
    assert seen[0].nonzero().tolist() == [
        [0, 4],
        [1, 7],
        [1, V + 4],
        [2, 9],
        [2, V + 7],
    ]


@pytest.mark.parametrize("task", ["composition", "vote"])
def test_a_task_run(task):
    result = word_tasks.measure_task_model(
        task=task, n_layers=2, n_heads=2, d_mlp=32, seed=0, steps=2, length=4
    )
    for stage in ("", "half_", "init_"):
        assert len(result[f"{stage}accuracy"]) == 4
        assert all(1 <= score <= 2 for score in result[f"{stage}depth_score"])
    assert result["accuracy"] != result["half_accuracy"]


def test_times_are_interleaved_and_positive(make, tokens):
    models = [make(), make(n_layers=1)]
    seconds = latency.interleaved_seconds(models, tokens, repeats=3, passes=2)
    assert seconds.shape == (3, 2) and (seconds > 0).all() and (seconds < 10).all()
    with pytest.raises(ValueError, match="repeats and passes"):
        latency.interleaved_seconds(models, tokens, repeats=0)


def test_rotary_positions_cannot_tell_a_repeated_symbol_from_one(make):
    rotary = make(positions="rope")
    learned = make(positions="learned")
    for model, same in [(rotary, True), (learned, False)]:
        logits = model(torch.tensor([[5, 5]]))
        assert torch.allclose(logits[:, 0], logits[:, 1]) is same
