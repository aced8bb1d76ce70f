"""Three policy losses: one gradient on the policy's own samples, three after updates."""

import torch

from studies.rl.gradients import KINDS, draw_answers, gradient, largest_difference


def test_on_own_samples_there_is_one_gradient():
    for seed in range(5):
        assert largest_difference(0.0, seed=seed) < 1e-12


def test_that_gradient_by_hand():
    answers = draw_answers(0.0, seed=3)
    _, _, advantage, mask = answers
    by_hand = -advantage[:, None] * mask / mask.sum(dim=1, keepdim=True) / len(mask)
    for kind in KINDS:
        torch.testing.assert_close(gradient(kind, answers), by_hand)


def test_after_updates_they_differ():
    differences = [largest_difference(moved, seed=0) for moved in (0.01, 0.1, 0.5)]
    assert differences == sorted(differences) and differences[0] > 0.01


def test_only_the_narrow_bounds_bite_after_a_small_move():
    alike = [
        largest_difference(0.01, seed=s, kinds=("clip", "cispo")) for s in range(5)
    ]
    assert max(alike) < 1e-12
