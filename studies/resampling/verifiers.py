"""Proposers and verifiers on digits: what unlimited tries reach, in closed form.

A proposer is a network whose softmax gives the chance of every answer; a verifier is
another, trained on other images, that accepts an answer to which it gives enough
probability. So no answer is sampled. Introduced in the chapter on resampling.

Shapes: G networks of a kind, N images, C classes, S seeds.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.special import softmax

from scaling_core.data import images
from scaling_core.models.mlp import MLPConfig, MLPEnsemble, forward
from scaling_core.training.batched import plain_adam, train_batched
from studies.resampling.budgets import ceiling

POOL = 2000  # images of each kind of network; the rest is for threshold and test
THRESHOLD = 300  # images on which the verifier's threshold is set
COMPLETE = 0.95  # share of right answers that a verifier shall accept, if not told


def has_digits() -> bool:
    """Tell whether the 5,000 digits are on this machine."""
    try:
        return len(images.digits()) > 0
    except images.MissingImagesError:
        return False


@cache
def pictures() -> images.Images:
    """Return 5,000 digits at 14 x 14; drawn glyphs where the digits are not there."""
    if has_digits():
        return images.digits().shrink(2)
    return images.glyphs(5000, rng=np.random.default_rng(0), side=14)


@dataclass(frozen=True)
class Probabilities:
    """What the networks of one seed give to test and threshold images, after training.

    Attributes
    ----------
    propose, verify
        (G, N, C), on the test images, one network a training size.
    tune
        (G, N, C), the verifiers' on the threshold images.
    y, y_tune
        The classes.
    complete
        Share of right answers, of the threshold images, that verifiers shall accept.
    """

    propose: np.ndarray
    verify: np.ndarray
    tune: np.ndarray
    y: np.ndarray
    y_tune: np.ndarray
    complete: float = COMPLETE

    def accepts(self, verifier: int) -> np.ndarray:
        """Return which answers a verifier accepts, (N, C)."""
        right = self.tune[verifier, np.arange(len(self.y_tune)), self.y_tune]
        return self.verify[verifier] >= np.quantile(right, 1 - self.complete)

    def rates(self, proposer: int | None, verifier: int | None) -> tuple:
        """Return tp and fp of one try by image, (N,).

        No proposer: even guesses, an untrained one. No verifier accepts all.
        """
        p = np.full(self.verify.shape[1:], 1 / self.verify.shape[2])
        if proposer is not None:
            p = self.propose[proposer].copy()
        if verifier is not None:
            p *= self.accepts(verifier)
        tp = p[np.arange(len(self.y)), self.y]
        return tp, p.sum(axis=1) - tp

    def accuracy(self, proposer: int) -> float:
        """Return the accuracy of one sample."""
        return float(self.rates(proposer, None)[0].mean())

    def best_answer(self, net: int, *, verifier: bool = False) -> float:
        """Return the accuracy of a network's likeliest answer."""
        p = (self.verify if verifier else self.propose)[net]
        return float(np.mean(p.argmax(axis=1) == self.y))

    def by_entropy(self, proposer: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the chance of the right answer, and minus the entropy, (N,) each."""
        p, right = self.propose[proposer], self.rates(proposer, None)[0]
        return np.clip(right, 1e-9, 1 - 1e-9), (p * np.log(p + 1e-12)).sum(axis=1)

    def ceiling(self, proposer: int | None, verifier: int) -> float:
        """Return the accuracy of unlimited tries given acceptance."""
        return ceiling(*self.rates(proposer, verifier))

    def wrong_passes(self, proposer: int, verifier: int) -> float:
        """Return the share of wrong samples that the verifier accepts."""
        wrong = 1 - self.rates(proposer, None)[0]
        return float(self.rates(proposer, verifier)[1].sum() / wrong.sum())

    def wrong_accepted(self, proposer: int, verifier: int) -> float:
        """Return the share of wrong answers among accepted first samples."""
        tp, fp = self.rates(proposer, verifier)
        return float(fp.sum() / (tp + fp).sum())

    def softened(self, proposer: int, accuracy: float) -> "Probabilities":
        """Return the same, a proposer tempered until one sample is right this often."""
        logp, right = np.log(self.propose[proposer] + 1e-300), np.arange(len(self.y))
        heated = lambda z: softmax(np.exp(z) * logp, axis=1)
        short = lambda z: heated(z)[right, self.y].mean() - accuracy
        propose = self.propose.copy()
        propose[proposer] = heated(brentq(short, -7, 7, xtol=1e-6))
        return replace(self, propose=propose)


def split(seed: int, test: int) -> dict[str, np.ndarray]:
    """Return rows of the digits for proposers, verifiers, threshold and test."""
    order = np.random.default_rng([seed, 0]).permutation(len(pictures()))
    ends = np.cumsum([POOL, POOL, THRESHOLD, test])
    names = ("propose", "verify", "tune", "test")
    return dict(zip(names, np.split(order, ends)[:4], strict=True))


def train_pairs(
    *, seeds: list[int], sizes: list[int], looks: list[int], test=700, device="cpu"
) -> dict[int, list[Probabilities]]:
    """Train proposers and verifiers on each number of images, all seeds at once.

    Returns what they give after these numbers of steps, of which the last ends the run:
    step -> a `Probabilities` for each seed. Networks: 196-64-10, on 14 x 14 pixels.
    """
    data = pictures()
    config = MLPConfig((196, 64, 10))
    parts = [split(seed, test) for seed in seeds]
    kinds = ("propose", "verify")
    lists = [part[kind][:n] for part in parts for kind in kinds for n in sizes]
    own = [
        1000 * s + 100 * k + i for s in seeds for k in (0, 1) for i in range(len(sizes))
    ]
    nets = MLPEnsemble(
        config, data.flat, data.y, lists, batch=32, seeds=own, device=device
    )
    found: dict[int, list[Probabilities]] = {}

    def give(parameters, rows: np.ndarray) -> np.ndarray:
        x = torch.tensor(data.flat[rows]).to(nets.x)
        return forward(config, parameters, x).softmax(-1).double().cpu().numpy()

    def look(step: int) -> None:
        rows = nets.parameters.view(len(seeds), 2, len(sizes), -1)
        found[step] = [
            Probabilities(
                give(propose, part["test"]),
                give(verify, part["test"]),
                give(verify, part["tune"]),
                data.y[part["test"]],
                data.y[part["tune"]],
            )
            for part, (propose, verify) in zip(parts, rows, strict=True)
        ]

    training = plain_adam(looks[-1], schedule="constant")
    train_batched(nets, training, pause_at=looks, paused=look)
    return found
