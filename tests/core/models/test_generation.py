"""Sampling: the argmax, the softmax, slices, and what is refused."""

import math

import pytest
import torch

from scaling_core.models.generation import CACHE_BYTES, _slice_rows, generate, sample
from scaling_core.models.transformer import Transformer, TransformerConfig


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(**changes) -> Transformer:
    shape = dict(d_model=24, n_layers=3, n_heads=4, d_vocab=11, n_ctx=20, init_std=0.3)
    return Transformer(TransformerConfig(**shape | changes), generator=generator())


def tokens(length: int = 9, batch: int = 2) -> torch.Tensor:
    return torch.randint(11, (batch, length), generator=generator(2))


def test_generation_follows_the_argmax():
    model, x = make(), tokens(4, batch=5)
    text = generate(model, x, 10, temperature=0, rows=2)
    assert torch.equal(text[:, :4], x)
    assert torch.equal(text[:, 4:], model(text).argmax(-1)[:, 3:-1])


def test_generation_samples_the_softmax():
    model = make()
    x = tokens(3, batch=1).expand(20_000, -1)
    new = generate(model, x, 1, temperature=0.7, generator=generator())[:, -1]
    share = torch.bincount(new, minlength=11) / len(x)
    wanted = (model(x[:1])[0, -1] / 0.7).softmax(-1)
    error = (share - wanted).abs() / (wanted * (1 - wanted) / len(x)).sqrt()
    assert error.max() < 4  # standard errors; 11 tokens, fixed seed


@pytest.mark.parametrize("kind", ["sum", "attnres"])
def test_slices_do_not_change_the_samples(kind):
    model, x = make(residual=kind), tokens(4, batch=6)
    texts = [generate(model, x, 9, generator=generator(), rows=r) for r in (1, 4, None)]
    assert torch.equal(texts[0], texts[1]) and torch.equal(texts[0], texts[2])


@pytest.mark.parametrize("kind", ["sum", "attnres"])
def test_a_prompt_read_once_is_continued_as_if_written_out(kind):
    model, x = make(residual=kind), tokens(4, batch=3)
    wanted = generate(model, x.repeat_interleave(4, 0), 9, generator=generator())
    for rows in (None, 1, 5):
        text = generate(model, x, 9, generator=generator(), rows=rows, repeats=4)
        assert torch.equal(text, wanted)


def test_generated_text_can_be_trained_on():
    model, x = make(), tokens(4)
    model(generate(model, x, 2, generator=generator())).square().mean().backward()
    gradient = next(model.parameters()).grad
    assert gradient is not None and torch.isfinite(gradient).all()
    assert gradient.abs().sum() > 0


def test_sampling_never_takes_the_impossible():
    logits = torch.tensor([[-math.inf, 0.0, -math.inf]])
    edge = torch.tensor([1 - 2**-24])
    assert sample(logits, torch.zeros(1)).item() == 1
    assert sample(logits, edge).item() == 1


def test_last_logits_are_the_last_of_all():
    model, x = make(), tokens()
    assert torch.allclose(model(x, last_only=True), model(x)[:, -1:], atol=1e-12)


@pytest.mark.parametrize("rows", [1, 16, 50_000])
def test_slices_are_of_equal_length_and_fit(rows):
    length = _slice_rows(make(), rows, 20)
    slices = -(-rows // length)
    assert slices * length - rows < slices
    assert length * 20 * 2 * 3 * 24 * 4 < CACHE_BYTES + 20 * 2 * 3 * 24 * 4


@pytest.mark.parametrize("temperature", [-1.0, math.nan])
def test_a_temperature_that_is_none_is_refused(temperature):
    with pytest.raises(ValueError, match="temperature is a number from 0 up"):
        generate(make(), tokens(), 2, temperature=temperature, generator=generator())


def test_impossible_requests_are_refused():
    with pytest.raises(ValueError, match="21 positions, but n_ctx is 20"):
        generate(make(), tokens(), 12, temperature=0)
    with pytest.raises(ValueError, match="needs a generator"):
        generate(make(), tokens(), 2)
