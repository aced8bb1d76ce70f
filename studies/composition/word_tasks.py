"""Train one small model on a task that needs depth, or one that does not.

One config is one seed. Shapes: B words, T positions, L layers (from 0). Introduced in
the chapter on composition.
"""

import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from scaling_core.data.tasks import WordProblem
from scaling_core.models.config import TransformerConfig
from scaling_core.models.interventions import centre_of_mass, skip_effects
from scaling_core.models.transformer import Transformer, count_parameters
from scaling_core.training.loop import Training, labelled_loss, train

SYMBOLS = 6  # order of S_3: the alphabet of both tasks


@dataclass(frozen=True)
class MajorityVote:
    """A task that needs no composition: which half of the alphabet is ahead so far?

    Words over `SYMBOLS` symbols; the label at t is 1 if more of the first t symbols
    belong to the second half of the alphabet, 0 if fewer, -1 (none) at a tie.

    >>> votes = MajorityVote(length=3)
    >>> votes.count(np.array([[5, 0, 0]])).tolist()
    [[1, -1, 0]]
    """

    length: int = 8
    batch: int = 64
    seed: int = 0

    def batch_at(self, step: int, *, split: str = "train") -> tuple[Tensor, Tensor]:
        """Return words and labels, int64 (B, T) each."""
        rng = np.random.default_rng((self.seed, len(split), step))
        words_BT = rng.integers(SYMBOLS, size=(self.batch, self.length))
        return torch.from_numpy(words_BT), torch.from_numpy(self.count(words_BT))

    def count(self, words_BT: np.ndarray) -> np.ndarray:
        """Return the labels of words, (B, T)."""
        lead_BT = np.cumsum(np.where(words_BT >= SYMBOLS // 2, 1, -1), axis=1)
        return np.where(lead_BT == 0, -1, (lead_BT > 0).astype(np.int64))


def measure_task_model(
    *,
    task: Literal["composition", "vote"],
    n_layers: int,
    n_heads: int,
    seed: int,
    steps: int,
    d_model: int = 64,
    d_head: int = 16,
    d_mlp: int | None = None,
    length: int = 8,
    batch: int = 64,
    lr: float = 3e-3,
    init_std: float = 0.09,
    eval_rows: int = 1024,
    device: str = "cpu",
) -> dict:
    """Train one model on the word problem of S_3, or on `MajorityVote`.

    Returns ``accuracy`` at each position and their mean ``mean_accuracy``,
    ``chance_accuracy`` (the same untrained), ``depth_score`` at each position (centre
    of mass of the effects of skipping a layer on the output there, layers from 1),
    ``parameters``, and ``forward_ms``, the least time of one pass over 64 words.
    """
    problem = {"composition": WordProblem, "vote": MajorityVote}[task]
    data = problem(length=length, batch=batch, seed=seed)
    config = TransformerConfig(
        d_model=d_model,
        n_layers=n_layers,
        n_heads=n_heads,
        d_head=d_head,
        d_mlp=d_mlp,
        d_vocab=SYMBOLS,
        n_ctx=length,
        positions="learned",  # rotary positions cannot tell the word aa from a
        init_std=init_std,
    )
    generator = torch.Generator().manual_seed(seed)  # on the CPU, the same anywhere
    model = Transformer(config, generator=generator).to(device)
    test = problem(length=length, batch=eval_rows, seed=seed).batch_at(0, split="test")
    words, labels = (x.to(device) for x in test)
    before = accuracy_by_position(model, words, labels)

    def batch_at(step: int) -> tuple[Tensor, Tensor]:
        inputs, answers = data.batch_at(step)
        return inputs.to(device), answers.to(device)

    train(model, batch_at, Training(steps, lr), loss=labelled_loss)
    after = accuracy_by_position(model, words, labels)
    effects = skip_effects(model, words, keep_first=0).mean_output  # (L, T)
    return dict(
        accuracy=after.tolist(),
        mean_accuracy=float(after.mean()),
        chance_accuracy=float(before.mean()),
        depth_score=[centre_of_mass(effect) for effect in effects.T],
        parameters=count_parameters(model, embeddings=False),
        forward_ms=least_forward_ms(model, words[:64]),
    )


@torch.no_grad()
def accuracy_by_position(
    model: Transformer, words_BT: Tensor, labels_BT: Tensor
) -> np.ndarray:
    """Return the share of right answers at each position, (T,); labels < 0 not asked."""
    right = (model(words_BT).argmax(dim=-1) == labels_BT).float()
    asked = (labels_BT >= 0).float()
    return ((right * asked).sum(dim=0) / asked.sum(dim=0)).cpu().numpy()


@torch.no_grad()
def least_forward_ms(model: Transformer, tokens_BT: Tensor, repeats: int = 30) -> float:
    """Return the least wall time of a forward pass: noise only ever adds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        model(tokens_BT).sum().item()  # waits for a GPU
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def longest_word(accuracy: ArrayLike, *, threshold: float = 0.5) -> float:
    """Return up to which position the accuracy holds, interpolated, counted from 1.

    >>> longest_word([1.0, 0.75, 0.25, 0.2])
    2.5
    """
    a = np.asarray(accuracy, dtype=float)
    below = np.flatnonzero(a < threshold)
    if not len(below):
        return float(len(a))
    t = int(below[0])
    return float(t + (a[t - 1] - threshold) / (a[t - 1] - a[t])) if t else 0.0
