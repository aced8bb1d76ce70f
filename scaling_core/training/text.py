"""Small language models of characters that share everything but what is compared.

Introduced in the chapter on depth.

Shapes: B sequences, T positions.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from scaling_core.data.corpora import Split, python_source
from scaling_core.models.config import NormPlace, TransformerConfig
from scaling_core.models.transformer import Transformer
from scaling_core.training.loop import Training, train


def published_init_std(d_model: int) -> float:
    """Return the initial deviation that keeps s·√d at the 0.02·√768 of LLaMA-130M.

    arXiv 2502.05795 draws N(0, 0.02²) at d_model 768; a narrower model with the same
    0.02 would start with branches far smaller than the paper's.

    >>> round(published_init_std(768), 3), round(published_init_std(64), 3)
    (0.02, 0.069)
    """
    return 0.02 * (768 / d_model) ** 0.5


@dataclass(frozen=True)
class TextSetting:
    """What the language models of one seed share: shape, training, held-out text.

    Initial values, batches and held-out windows depend on the seed only: models of
    one setting are paired.
    """

    d_model: int
    n_heads: int
    n_ctx: int
    batch: int
    steps: int
    seed: int
    lr: float = 2e-3
    eval_rows: int = 64
    device: str = "cpu"

    def make_model(self, norm: NormPlace, n_layers: int, **changes) -> Transformer:
        """Return an untrained model of characters, drawn on the CPU on any device.

        ``changes`` are further fields of its `TransformerConfig`.
        """
        config = TransformerConfig(
            d_model=self.d_model,
            n_layers=n_layers,
            n_heads=self.n_heads,
            d_vocab=python_source().d_vocab,
            n_ctx=self.n_ctx,
            norm=norm,
            init_std=published_init_std(self.d_model),
            **changes,
        )
        generator = torch.Generator().manual_seed(self.seed)
        return Transformer(config, generator=generator).to(self.device)

    def train(self, model: Transformer, weight_decay: float = 0.1) -> None:
        """Train a model in place."""
        training = Training(self.steps, self.lr, weight_decay=weight_decay)
        train(model, self.batch_at, training)

    def batch_at(self, step: int) -> Tensor:
        """Return the tokens of one step, (B, T + 1)."""
        return self._windows(self.batch, "train", step)

    def _windows(self, batch: int, split: Split, step: int) -> Tensor:
        n_ctx, seed = self.n_ctx, self.seed
        windows = python_source().batches(
            batch=batch, n_ctx=n_ctx, seed=seed, split=split
        )
        return windows.batch_at(step).to(self.device)

    def held_out(self) -> tuple[Tensor, Tensor]:
        """Return tokens and next tokens, (B, T) each."""
        windows = self._windows(self.eval_rows, "validation", 0)
        return windows[:, :-1], windows[:, 1:]
