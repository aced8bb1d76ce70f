"""Small models in double precision, with weights large enough to matter."""

import pytest
import torch

from scaling_core.models.transformer import Transformer, TransformerConfig


@pytest.fixture
def make():
    def build(seed: int = 0, **changes) -> Transformer:
        shape = dict(d_model=16, n_layers=4, n_heads=2, d_vocab=13, n_ctx=12)
        config = TransformerConfig(**(shape | dict(init_std=0.3) | changes))
        generator = torch.Generator().manual_seed(seed)
        return Transformer(config, generator=generator).double()

    return build


@pytest.fixture
def tokens() -> torch.Tensor:
    return torch.randint(13, (3, 10), generator=torch.Generator().manual_seed(9))
