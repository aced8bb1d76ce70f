"""The training loop: against a plain loop, resumption to the bit, divergence."""

import time

import numpy as np
import pytest
import torch
from torch import nn

from scaling_core.models.config import Family
from scaling_core.models.transformer import Transformer, TransformerConfig
from scaling_core.training.checkpoint import load_checkpoint, save_checkpoint
from scaling_core.training.loop import (
    DivergedError,
    Training,
    evaluate,
    labelled_loss,
    next_token_loss,
    train,
)

CONFIG = TransformerConfig(
    d_model=16, n_layers=2, n_heads=2, d_vocab=7, n_ctx=12, family=Family(tied=True)
)
TRAINING = Training(steps=20, lr=3e-3)


def make(config=CONFIG) -> Transformer:
    return Transformer(config, generator=torch.Generator().manual_seed(0))


def batch_at(step: int) -> torch.Tensor:
    """Counting modulo 7 from random starts: learnable in a few steps."""
    start = torch.randint(7, (8, 1), generator=torch.Generator().manual_seed(step))
    return (start + torch.arange(11)) % 7


def same(a: nn.Module, b: nn.Module) -> bool:
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


def test_equals_a_plain_loop():
    ours, plain = make().double(), make().double()
    log = train(ours, batch_at, Training(steps=20, clip=0.5, micro_rows=3))
    matrices = [p for p in plain.parameters() if p.ndim == 2]
    vectors = [p for p in plain.parameters() if p.ndim == 1]
    groups = [dict(params=matrices), dict(params=vectors, weight_decay=0.0)]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.1, betas=(0.9, 0.95))
    for step in range(20):
        loss = next_token_loss(plain, batch_at(step))
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(plain.parameters(), 0.5)
        for group in optimizer.param_groups:
            group["lr"] = Training(steps=20).lr_at(step)
        optimizer.step()
        assert log.loss[step] == pytest.approx(loss.item(), rel=1e-6)
        assert log.gradient_norm[step] == pytest.approx(norm.item(), rel=1e-5)
    for a, b in zip(ours.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("tokens", "sizes"),
    [((128, 65), [32] * 4), ((64, 8), [64]), ((3, 5000), [1] * 3)],
)
def test_micro_batches_have_about_two_thousand_tokens(tokens, sizes):
    seen = []

    def loss(model, batch):
        seen.append(len(batch))
        return model(torch.zeros(1, 1)).sum()

    batch = torch.zeros(tokens, dtype=torch.long)
    train(nn.Linear(1, 1), lambda _: batch, Training(1), loss=loss)
    assert seen == sizes
    train(nn.Linear(1, 1), lambda _: batch.float(), Training(1), loss=loss)
    assert seen[len(sizes) :] == [len(batch)]  # numbers are not tokens


def test_after_each_step_the_caller_may_look():
    model, seen = nn.Linear(1, 1), []
    square = lambda model, x: (model(x) - 2 * x).square().mean()
    look = lambda done: seen.append((done, model.weight.item()))
    batch = lambda step: torch.ones(4, 1)
    train(model, batch, Training(5, 0.1), loss=square, after_step=look)
    assert [done for done, _ in seen] == [1, 2, 3, 4, 5]
    assert seen[-1][1] == model.weight.item() != seen[0][1]


def test_learns_to_count():
    model = make()
    log = train(model, batch_at, Training(steps=150, lr=1e-2))
    assert log.loss[0] > 1.5 and log.loss[-1] < 0.35
    assert evaluate(model, [batch_at(10**6)]) < 0.35
    assert log.done == 150 and log.rows == 150 * 8 and log.positions_per_second > 0


def test_labels_and_ignored_positions():
    tokens = batch_at(0)[:, :-1]
    labels = batch_at(0)[:, 1:].clone()
    model = make()
    whole = labelled_loss(model, (tokens, labels)).item()
    assert whole == pytest.approx(next_token_loss(model, batch_at(0)).item())
    labels[:, 3:] = -100
    first = labelled_loss(model, (tokens, labels)).item()
    assert first == pytest.approx(
        labelled_loss(model, (tokens[:, :3], labels[:, :3])).item()
    )


def ragged_at(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Batches whose rows have 10, 4, 0, 0, 1, ... labels."""
    tokens, labels = batch_at(step)[:, :-1], batch_at(step)[:, 1:].clone()
    for row, keep in zip(labels, (10, 4, 0, 0, 1, 7, 0, 2), strict=True):
        row[keep:] = -1
    return tokens, labels


@pytest.mark.parametrize("micro_rows", [1, 2, 3])
def test_micro_batches_with_ignored_labels_add_up(micro_rows):
    expected, log = (
        train(
            make().double(),
            ragged_at,
            Training(steps=5, lr=3e-3, micro_rows=size),
            loss=labelled_loss,
        )
        for size in (0, micro_rows)
    )
    assert log.loss == pytest.approx(expected.loss, rel=1e-6)
    assert log.gradient_norm == pytest.approx(expected.gradient_norm, rel=1e-5)


@pytest.mark.parametrize("micro_rows", [0, 3])
def test_batch_without_labels_is_one_clear_error(micro_rows):
    def bare_at(step):
        tokens, labels = ragged_at(step)
        return tokens, labels if step < 2 else torch.full_like(labels, -1)

    training = Training(steps=5, micro_rows=micro_rows)
    with pytest.raises(ValueError, match="batch of step 2 has no label"):
        train(make(), bare_at, training, loss=labelled_loss)


@pytest.mark.parametrize("stop", [7, 15])
def test_resumed_run_ends_with_the_same_bits(stop, tmp_path):
    path = tmp_path / "model.safetensors"
    whole, broken, resumed = make(), make(), make()
    expected = train(whole, batch_at, TRAINING)

    def killed(step):
        if step == stop:
            raise KeyboardInterrupt
        return batch_at(step)

    with pytest.raises(KeyboardInterrupt):
        train(broken, killed, TRAINING, checkpoint=path, every=5)
    steps = []
    log = train(
        resumed,
        lambda s: steps.append(s) or batch_at(s),
        TRAINING,
        checkpoint=path,
        every=5,
    )
    first = [0]  # its batch tells one run from another
    assert steps == first + list(range(stop // 5 * 5, 20))
    assert same(resumed, whole) and not same(resumed, broken)
    assert np.array_equal(log.loss, expected.loss)
    assert log.rows == 20 * 8


def test_finished_run_is_not_run_again(tmp_path):
    path = tmp_path / "model.safetensors"
    first, again = make(), make()
    log = train(first, batch_at, TRAINING, checkpoint=path)
    once = lambda s: pytest.fail("ran again") if s else batch_at(0)
    more = train(again, once, TRAINING, checkpoint=path)
    assert same(first, again) and np.array_equal(log.loss, more.loss)


def test_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    train(make(), batch_at, TRAINING, checkpoint=path)
    for other in (Training(steps=20, lr=2e-3), Training(20, 3e-3, lambda s: 1.0)):
        with pytest.raises(ValueError, match="another run"):
            train(make(), batch_at, other, checkpoint=path)


def test_checkpoint_of_other_seed_data_or_loss_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    train(make(), batch_at, TRAINING, checkpoint=path)
    other = Transformer(CONFIG, generator=torch.Generator().manual_seed(1))
    with pytest.raises(ValueError, match="another run"):
        train(other, batch_at, TRAINING, checkpoint=path)
    with pytest.raises(ValueError, match="another run"):
        train(make(), lambda s: batch_at(s + 1), TRAINING, checkpoint=path)
    for loss in (labelled_loss, lambda m, x: 2 * next_token_loss(m, x)):
        with pytest.raises(ValueError, match="another run"):
            train(make(), batch_at, TRAINING, checkpoint=path, loss=loss)


def test_deadline_saves_and_returns(tmp_path):
    path = tmp_path / "model.safetensors"
    whole, model = make(), make()
    train(whole, batch_at, TRAINING)
    log = train(model, batch_at, TRAINING, checkpoint=path, deadline=time.monotonic())
    assert log.done == 1 and len(log.loss) == 1
    resumed = make()
    assert train(resumed, batch_at, TRAINING, checkpoint=path).done == 20
    assert same(resumed, whole)


@pytest.mark.parametrize(("every", "saved"), [(5, True), (100, False)])
def test_divergence_names_step_and_checkpoint(every, saved, tmp_path):
    path = tmp_path / "model.safetensors"
    calls = []

    def loss(model, batch):
        calls.append(1)
        factor = float("nan") if len(calls) == 8 else 1.0
        return next_token_loss(model, batch) * factor

    model = make()
    with pytest.raises(DivergedError, match="not finite at step 7") as caught:
        train(model, batch_at, TRAINING, loss=loss, checkpoint=path, every=every)
    assert caught.value.step == 7
    assert caught.value.checkpoint == (path if saved else None)
    assert all(torch.isfinite(p).all() for p in model.parameters())
    if saved:
        step, _ = load_checkpoint(path, make())
        assert step == 5


def test_infinite_gradient_counts_as_divergence():
    model = nn.Linear(1, 1)
    with pytest.raises(DivergedError, match="step 0"):
        train(
            model,
            lambda s: torch.zeros(2, 1),
            Training(5),
            loss=lambda m, x: (m(x) * 0 + 0).sqrt().sum(),  # d√u/du at 0
        )


def test_schedules_of_the_training():
    wsd = Training(steps=100, lr=2.0, schedule="wsd", warmup=0.1, decay=0.2, floor=0.0)
    assert wsd.lr_at(9) == wsd.lr_at(79) == 2.0 and wsd.lr_at(90) == 1.0
    constant = Training(steps=100, lr=2.0, schedule="constant", warmup=0.0)
    assert {constant.lr_at(s) for s in range(100)} == {2.0}
    assert Training(10, 0.5, lambda s: s / 10).lr_at(4) == 0.2


@pytest.mark.parametrize(
    "bad", [dict(steps=0), dict(lr=0.0), dict(warmup=2), dict(schedule="step")]
)
def test_bad_training_is_refused(bad):
    with pytest.raises(ValueError):
        Training(**{"steps": 10, **bad})


def test_checkpoint_of_another_shape_is_refused(tmp_path):
    path = save_checkpoint(tmp_path / "a.safetensors", nn.Linear(2, 3))
    with pytest.raises(ValueError, match="does not fit the model"):
        load_checkpoint(path, nn.Linear(2, 4))


def test_checkpoint_keeps_buffers(tmp_path):
    norm = nn.BatchNorm1d(3)
    norm(torch.randn(5, 3, generator=torch.Generator().manual_seed(0)))
    path = save_checkpoint(tmp_path / "a.safetensors", norm, step=4)
    fresh = nn.BatchNorm1d(3)
    assert load_checkpoint(path, fresh)[0] == 4
    assert torch.equal(fresh.running_mean, norm.running_mean)
    assert fresh.num_batches_tracked.item() == 1


def test_bfloat16_autocast_trains():
    model = make()
    log = train(model, batch_at, Training(steps=30, lr=1e-2, bf16=True))
    assert log.loss[-1] < log.loss[0]
    assert model.blocks[0].mlp.up.weight.dtype == torch.float32
