"""Sums and CountDown: rendering by hand, verifiers against brute force, batches."""

from itertools import permutations, product

import numpy as np
import pytest
import torch

from scaling_core.data.arithmetic import Addition
from scaling_core.data.countdown import CountDown

TASKS = [Addition(), CountDown()]
SIGNS = {100: lambda a, b: a + b, 101: lambda a, b: a - b, 102: lambda a, b: a * b}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_sums_are_right_in_every_format(digits):
    task = Addition(digits=digits, held_out=10)
    question_B = torch.arange(0, 100**digits, 1 if digits < 3 else 97)
    a, b = np.divmod(question_B.numpy(), 10**digits)
    for form in range(3):
        answer_BT = task.answers[question_B, form].long()
        assert np.array_equal(task.parse(answer_BT).numpy(), a + b)
        assert (task.format(answer_BT) == form).all()
        assert task.verify(question_B, answer_BT).all()


def test_a_sum_by_hand():
    task = Addition()
    assert task.prompt(torch.tensor([3785])).tolist() == [[3, 7, 10, 8, 5, 11]]
    forward, reverse, carried = task.answers[3785].tolist()
    assert forward == [12, 1, 2, 2, 15, 15]
    assert reverse == [13, 2, 2, 1, 15, 15]
    assert carried == [14, 1, 2, 1, 2, 15]
    assert task.carries[3785].tolist() == [1, 1]
    assert task.carries[[1203, 1208, 9001]].tolist() == [[0, 0], [1, 0], [0, 0]]


def test_addition_refuses_what_is_not_the_answer():
    task, right = Addition(), [14, 1, 2, 1, 2, 15]
    wrong = [
        [14, 0, 2, 1, 2, 15],  # a wrong carry, though the sum is right
        [14, 1, 2, 1, 2, 2],  # no stop
        [14, 1, 2, 1, 15, 2],  # stopped early
        [12, 1, 2, 3, 15, 15],
        [3, 1, 2, 1, 2, 15],  # no format
        [15, 1, 2, 1, 2, 15],
    ]
    answer_BT = torch.tensor([right, *wrong, [12, 1, 2, 2, 15, 9]])
    question_B = torch.full((8,), 3785)
    assert task.verify(question_B, answer_BT).tolist() == [True] + [False] * 6 + [True]
    assert task.parse(answer_BT).tolist() == [122, 122, -1, -1, 123, -1, -1, 122]
    assert task.format(answer_BT).tolist() == [2, 2, 2, 2, 0, -1, -1, 0]


def reachable(numbers, n: int) -> set[int]:
    """Return targets reached from left to right with values within 0 to 99."""
    found = set()
    for order in permutations(numbers):
        for signs in product(SIGNS.values(), repeat=n - 1):
            value = order[0]
            for sign, x in zip(signs, order[1:], strict=True):
                value = sign(value, x) if 0 <= value < 100 else -1
            if 0 < value < 100:
                found.add(value)
    return found


def test_countdown_has_the_questions_of_brute_force():
    task = CountDown()
    expected = {
        (*numbers, target)
        for numbers in product(range(1, 13), repeat=3)
        if tuple(sorted(numbers)) == numbers
        for target in reachable(numbers, 3)
    }
    assert {tuple(p) for p in task.prompts.tolist()} == expected
    assert len(task.prompts) == len(expected) == 3971


def test_an_expression_by_hand():
    task = CountDown()
    infix = torch.tensor([[103, 5, 101, 2, 102, 4, 106, 106]])
    row = task.parse(infix)
    stated = [104, 5, 101, 2, 3, 102, 4, 106]
    prefix = [105, 102, 101, 5, 2, 4, 106, 106]
    assert task.answers[row[0], 1].tolist() == stated
    assert task.answers[row[0], 2].tolist() == prefix
    question = task.question_of[row]
    assert task.prompt(question).tolist() == [[2, 4, 5, 12]]
    answers = torch.tensor([infix[0].tolist(), stated, prefix])
    assert task.verify(question.expand(3), answers).all()
    for wrong in (
        [104, 5, 101, 2, 4, 102, 4, 106],  # a wrong value between
        [103, 5, 101, 2, 102, 4, 4, 106],  # no stop where it belongs
        [103, 2, 101, 5, 102, 4, 106, 106],  # 2 - 5 is out of range
        [103, 5, 101, 2, 100, 4, 106, 106],  # another target
        [103, 5, 101, 4, 102, 12, 106, 106],  # other numbers, the same target
        [106, 5, 101, 2, 102, 4, 106, 106],
    ):
        assert not task.verify(question, torch.tensor([wrong])).item(), wrong


@pytest.mark.parametrize("n, largest", [(2, 12), (3, 9), (4, 5)])
def test_solutions_solve_their_question(n, largest):
    task = CountDown(n=n, largest=largest, held_out=20)
    question_B = torch.arange(len(task.prompts))
    for form in range(3):
        answer_BT = task.answer(
            question_B, torch.full_like(question_B, form), rng=rng()
        )
        assert task.verify(question_B, answer_BT).all()
        assert not task.verify(question_B.roll(1), answer_BT).any()
    for prompt in task.prompts[:: max(1, len(task.prompts) // 40)].tolist():
        assert prompt[-1] in reachable(prompt[:-1], n)


def test_solutions_are_drawn_alike():
    task = CountDown()
    counts = torch.bincount(task.question_of[task.question_of >= 0])
    question = int(counts.argmax())
    drawn = task.rows(torch.full((20_000,), question), rng())
    found = np.unique(drawn.numpy(), return_counts=True)[1]
    assert len(found) == counts[question]
    expected = 20_000 / len(found)
    assert np.abs(found - expected).max() < 5 * expected**0.5


@pytest.mark.parametrize("task", TASKS, ids=["addition", "countdown"])
def test_labels_are_the_answers_tokens(task):
    tokens_BT, labels_BT = task.batch_at(3)
    P = task.prompts.shape[1]
    assert tokens_BT.shape == labels_BT.shape == (128, P + task.answer_length - 1)
    assert (labels_BT[:, : P - 1] == -1).all()
    asked = labels_BT[:, P - 1 :]
    assert ((asked == task.stop).sum(dim=1) == 1).all()  # the first stop, no more
    assert torch.equal(
        tokens_BT[:, P:], asked.masked_fill(asked < 0, task.stop)[:, :-1]
    )


@pytest.mark.parametrize("task", TASKS, ids=["addition", "countdown"])
def test_batches_are_pure_and_never_held_out(task):
    assert all(map(torch.equal, task.batch_at(2), task.batch_at(2)))
    assert not torch.equal(task.batch_at(2)[0], task.batch_at(3)[0])
    held = {tuple(p) for p in task.prompt(task.test).tolist()}
    P = task.prompts.shape[1]
    for step in range(20):
        rows = task.batch_at(step)[0][:, :P].tolist()
        assert held.isdisjoint(map(tuple, rows))
    both = torch.cat((task.train, task.test)).sort().values
    assert torch.equal(both, torch.arange(len(task.prompts)))


def test_the_mixture_and_the_split_are_even():
    task = Addition(batch=20_000)
    tags = task.batch_at(0)[1][:, 5]
    shares = torch.bincount(tags, minlength=15)[12:15] / 20_000
    assert (shares - torch.tensor([0.5, 0.3, 0.2])).abs().max() < 0.015
    first, last = task.test // 1000, task.test % 10
    for digit in (first, last):
        assert (torch.bincount(digit, minlength=10) - 50).abs().max() < 30


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Addition(digits=4), "1 to 3"),
        (lambda: Addition(mix=(0.5, 0.5, 0.5)), "add up to 1"),
        (lambda: Addition(digits=1), "held_out=500"),
        (lambda: CountDown(n=5), "at most a million"),
        (lambda: CountDown(n=1), "n >= 2"),
    ],
)
def test_impossible_tasks_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
