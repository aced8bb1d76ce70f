"""Word problems: the group axioms, products by hand, and the verifier."""

from itertools import permutations

import numpy as np
import pytest
import torch

from scaling_core.data.tasks import WordProblem, symmetric_group


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_group_axioms(n):
    table = symmetric_group(n)
    order = len(table)
    everything = np.arange(order)
    assert np.array_equal(table[0], everything) and np.array_equal(
        table[:, 0], everything
    )
    assert all(sorted(row) == everything.tolist() for row in table)
    assert all(sorted(column) == everything.tolist() for column in table.T)
    a, b, c = np.ogrid[:order, :order, :order]
    assert np.array_equal(table[table[a, b], c], table[a, table[b, c]])


def test_products_compose_permutations():
    elements = list(permutations(range(3)))
    table = symmetric_group(3)
    for a, first in enumerate(elements):
        for b, then in enumerate(elements):
            both = tuple(then[first[i]] for i in range(3))
            assert elements[table[a, b]] == both
    assert not np.array_equal(table, table.T)


def test_labels_are_running_products():
    problem = WordProblem(length=6, batch=5, seed=3)
    words, labels = problem.batch_at(0)
    for word, label in zip(words.tolist(), labels.tolist(), strict=True):
        product = 0
        for element, expected in zip(word, label, strict=True):
            product = problem.table[product, element]
            assert product == expected


def test_verifier_marks_what_is_wrong():
    problem = WordProblem()
    words, labels = problem.batch_at(1)
    assert problem.verify(words, labels).all()
    wrong = labels.clone()
    wrong[0, 3] = (wrong[0, 3] + 1) % 6
    verdict = problem.verify(words, wrong)
    assert not verdict[0, 3] and verdict.sum() == verdict.numel() - 1


def test_batches_repeat_and_differ():
    problem = WordProblem(seed=1)
    same = zip(problem.batch_at(2), problem.batch_at(2), strict=True)
    assert all(torch.equal(a, b) for a, b in same)
    for other in (problem.batch_at(3), problem.batch_at(2, split="test")):
        assert not torch.equal(problem.batch_at(2)[0], other[0])
    assert not torch.equal(problem.batch_at(2)[0], WordProblem(seed=2).batch_at(2)[0])


def test_words_are_uniform():
    words, labels = WordProblem(batch=4000, length=4).batch_at(0)
    for column in (words[:, 2], labels[:, 3]):
        share = torch.bincount(column, minlength=6) / 4000
        assert (share - 1 / 6).abs().max() < 0.03


def test_too_large_groups_are_refused():
    with pytest.raises(ValueError, match="1 <= n <= 6"):
        symmetric_group(7)
