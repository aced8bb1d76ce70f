"""Lens: exact ends and known answers."""

import pytest

from scaling_core.models.streams import record_streams
from studies.depth.lens import logit_lens


@pytest.mark.parametrize("norm", ["pre", "post", "peri", "lns"])
def test_lens_ends_at_the_output(make, tokens, norm):
    lens = logit_lens(make(norm=norm), tokens)
    assert lens.kl.shape == (5,) and lens.kl[-1] == 0.0 and (lens.kl[:-1] > 0).all()
    assert lens.overlap[-1] == 1.0 and (lens.overlap <= 1).all()


def test_lens_is_the_kl_by_hand(make, tokens):
    model = make()
    streams = record_streams(model, tokens)
    p, q = (model.unembed(streams.h[i]).softmax(-1) for i in (1, -1))
    kl = (p * (p / q).log()).sum(-1).mean().item()
    assert logit_lens(model, tokens).kl[1] == pytest.approx(kl, rel=1e-4)
