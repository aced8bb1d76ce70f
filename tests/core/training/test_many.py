"""Models trained together equal models trained alone, up to rounding."""

import numpy as np
import pytest
import torch

from scaling_core.models.config import Family
from scaling_core.models.transformer import Transformer, TransformerConfig
from scaling_core.training.loop import DivergedError, Training, next_token_loss, train
from scaling_core.training.many import train_many

TRAINING = Training(steps=12, lr=1e-2, clip=0.5)


def make(seed: int, **changes) -> Transformer:
    shape = dict(d_model=16, n_layers=2, n_heads=2, d_vocab=7, n_ctx=8)
    config = TransformerConfig(**(shape | changes))
    return Transformer(config, generator=torch.Generator().manual_seed(seed)).double()


def batch_at(step: int) -> torch.Tensor:
    return torch.randint(7, (3, 4, 9), generator=torch.Generator().manual_seed(step))


@pytest.mark.parametrize(
    "changes",
    [
        dict(),
        dict(family=Family(tied=True, norm_kind="layer", bias="all")),
        dict(residual="attnres", family=Family(n_kv_heads=1), act="swiglu"),
    ],
)
@pytest.mark.filterwarnings("error::UserWarning")
def test_together_equals_alone(changes):
    together = [make(seed, **changes) for seed in range(3)]
    losses = train_many(together, batch_at, TRAINING)
    for seed, model in enumerate(together):
        alone = make(seed, **changes)
        log = train(alone, lambda s, g=seed: batch_at(s)[g], TRAINING)
        assert losses[seed] == pytest.approx(log.loss, rel=1e-5)
        for a, b in zip(model.parameters(), alone.parameters(), strict=True):
            assert torch.allclose(a, b, rtol=1e-4, atol=1e-6)


def test_models_do_not_mix():
    first = [make(0), make(1)]
    second = [make(0), make(2)]
    losses = [
        train_many(m, lambda s: batch_at(s)[:2], TRAINING) for m in (first, second)
    ]
    assert np.allclose(losses[0][0], losses[1][0], rtol=1e-12)
    assert not np.allclose(losses[0][1], losses[1][1])


def test_divergence_is_an_error():
    def loss(model, batch):
        return next_token_loss(model, batch) * float("nan")

    with pytest.raises(DivergedError, match="step 0"):
        train_many([make(0), make(1)], lambda s: batch_at(s)[:2], TRAINING, loss=loss)


def test_micro_batches_are_refused():
    with pytest.raises(ValueError, match="neither micro-batches"):
        train_many([make(0)], batch_at, Training(5, micro_rows=2))


def test_models_are_as_trained_where_it_pauses():
    together = [make(0), make(1)]
    seen = {}

    def look(step: int) -> None:
        seen[step] = [m.unembedding.weight.detach().clone() for m in together]

    train_many(
        together,
        lambda step: batch_at(step)[:2],
        TRAINING,
        pause_at=(5, 12),
        paused=look,
    )
    assert sorted(seen) == [5, 12]
    for weight, model in zip(seen[12], together, strict=True):
        assert torch.equal(weight, model.unembedding.weight)
    assert not torch.allclose(seen[5][0], seen[12][0])
