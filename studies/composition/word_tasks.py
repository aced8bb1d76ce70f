"""Train one small model on a task that needs depth, or one that does not.

One config is one seed. Shapes: B words, T positions, L layers (from 0). Introduced in
the chapter on composition.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from scaling_core.data.tasks import WordProblem
from scaling_core.models.config import TransformerConfig
from scaling_core.models.interventions import centre_of_mass, skip_effects
from scaling_core.models.transformer import (
    Transformer,
    count_parameters,
    training_flops_per_token,
)
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
    d_mlp: int,
    seed: int,
    steps: int,
    d_model: int = 64,
    d_head: int = 16,
    length: int = 8,
    batch: int = 64,
    lr: float = 3e-3,
    init_std: float = 0.09,
    eval_rows: int = 1024,
) -> dict:
    """Train one model on the word problem of S_3, or on `MajorityVote`.

    Returns `probe` of the trained model, as ``half_...`` after half of the steps and
    as ``init_...`` untrained; `unseen`; ``parameters`` without embeddings; ``flops``, of
    training on one position.
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
    model = Transformer(config, generator=torch.Generator().manual_seed(seed))
    test = problem(length=length, batch=eval_rows, seed=seed).batch_at(0, split="test")
    found = {f"init_{key}": x for key, x in probe(model, *test).items()}

    def at_half(done: int) -> None:
        if done == max(1, steps // 2):
            found.update({f"half_{key}": x for key, x in probe(model, *test).items()})

    seen = set()

    def batch_at(step: int) -> tuple[Tensor, Tensor]:
        batch = data.batch_at(step)
        seen.update(map(tuple, batch[0].tolist()))
        return batch

    training = Training(steps, lr)
    train(model, batch_at, training, loss=labelled_loss, after_step=at_half)
    new = [tuple(word) not in seen for word in test[0].tolist()]
    return found | dict(
        **probe(model, *test),
        **unseen(model, *test, torch.tensor(new)),  # pyright: ignore[reportCallIssue]
        parameters=count_parameters(model, embeddings=False),
        flops=training_flops_per_token(config),
    )


@torch.no_grad()
def probe(model: Transformer, words_BT: Tensor, labels_BT: Tensor) -> dict:
    """Return accuracy and depth score at each position, as JSON values.

    ``depth_score``: the centre of mass over layers, from 1, of the effects of skipping
    a layer on the output at the position; ``mean_accuracy``, over positions.
    """
    accuracy = accuracy_by_position(model, words_BT, labels_BT)
    effects = skip_effects(model, words_BT, keep_first=0).mean_output  # (L, T)
    return dict(
        accuracy=accuracy.tolist(),
        mean_accuracy=float(accuracy.mean()),
        depth_score=[centre_of_mass(effect) for effect in effects.T],
    )


def unseen(
    model: Transformer, words_BT: Tensor, labels_BT: Tensor, new_B: Tensor
) -> dict:
    """Return what the words new to the model tell: was the task learned by heart?

    ``unseen_words``, how many, and ``unseen_accuracy``, that on their last position.
    """
    accuracy = accuracy_by_position(model, words_BT[new_B], labels_BT[new_B])
    return dict(unseen_words=int(new_B.sum()), unseen_accuracy=float(accuracy[-1]))


@torch.no_grad()
def accuracy_by_position(
    model: Transformer, words_BT: Tensor, labels_BT: Tensor
) -> np.ndarray:
    """Return the share of right answers at each position, (T,); labels < 0 not asked."""
    right = (model(words_BT).argmax(dim=-1) == labels_BT).float()
    asked = (labels_BT >= 0).float()
    return ((right * asked).sum(dim=0) / asked.sum(dim=0)).cpu().numpy()
