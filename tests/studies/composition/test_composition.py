"""Tasks and maps of the chapter on composition: known answers, one tiny run of each."""

import pytest
import torch

from studies.composition import repeats, word_tasks

TINY = dict(d_model=16, n_heads=2, n_ctx=8, batch=4, steps=2, eval_rows=4, seed=0)


@pytest.mark.parametrize(
    "accuracy, length",
    [([1, 1, 0.5, 0.4], 3.0), ([0.9, 0.8], 2.0), ([0.4, 0.9], 0.0), ([1, 0], 1.5)],
)
def test_longest_word(accuracy, length):
    assert word_tasks.longest_word(accuracy) == pytest.approx(length)


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


def test_a_family_of_depths():
    result = repeats.measure_depths(**TINY, depths=[3, 4])
    for key in ("loss", "permutation", "permutation_inner", "causal", "useful"):
        assert len(result[key]) == len(result[f"init_{key}"]) == 2
        # an untrained shallow model is a model of its own, not the trained one
        assert key == "useful" or result[key] != result[f"init_{key}"]
    for name in ("map", "target", "source"):
        assert len(result[f"{name}_error"]) == len(result[f"{name}_source"]) == 4
    # all of these models share their first embedding, trained or not
    assert max(result["target_error"] + result["source_error"]) < 2
    assert result["map_error"] != result["source_error"] != result["target_error"]


def test_a_setting_is_spelled_as_its_fields():
    with pytest.raises(TypeError, match="width"):
        repeats.measure_depths(**TINY, depths=[3, 4], width=8)


@pytest.mark.parametrize("task", ["composition", "vote"])
def test_a_task_run(task):
    result = word_tasks.measure_task_model(
        task=task, n_layers=2, n_heads=2, seed=0, steps=2, length=4, eval_rows=32
    )
    assert len(result["accuracy"]) == len(result["depth_score"]) == 4
    assert all(1 <= score <= 2 for score in result["depth_score"])
    assert 0 < result["forward_ms"] < 1000


def test_rotary_positions_cannot_tell_a_repeated_symbol_from_one(make):
    rotary = make(positions="rope")
    learned = make(positions="learned")
    for model, same in [(rotary, True), (learned, False)]:
        logits = model(torch.tensor([[5, 5]]))
        assert torch.allclose(logits[:, 0], logits[:, 1]) is same
