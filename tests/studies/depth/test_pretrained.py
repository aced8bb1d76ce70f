"""The probes on a model saved in the test, beside its untrained twin."""

import numpy as np
import pytest

from studies.depth import pretrained

transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A tiny GPT-2 with a tokenizer of single characters, as `save_pretrained` writes."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("gpt2")
    letters = {chr(c): i for i, c in enumerate(range(32, 127))} | {"?": 95}
    letters = {letter: i for i, letter in enumerate(letters)}
    tokenizer = Tokenizer(models.WordLevel(letters, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(
        folder
    )
    config = transformers.GPT2Config(
        vocab_size=len(letters), n_positions=32, n_embd=16, n_layer=4, n_head=2
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


def test_a_saved_model_and_its_twin_are_measured(saved):
    result = pretrained.measure_pretrained(saved, rows=2, n_ctx=16)
    for key in ("contribution", "init_contribution"):
        assert len(result[key]) == 4 and np.isfinite(result[key]).all()
    # fresh weights both: the losses are those of uniform guesses
    assert result["loss"] == pytest.approx(np.log(95), abs=0.2)
    assert result["init_loss"] == pytest.approx(np.log(95), abs=0.2)
    assert result["contribution"] != result["init_contribution"]


def test_too_short_a_text_is_refused(saved, monkeypatch):
    from scaling_core.data.corpora import Corpus

    monkeypatch.setattr(pretrained, "python_source", lambda: Corpus("x" * 40960))
    with pytest.raises(ValueError, match="tokens wanted"):
        pretrained.encode_source(saved, rows=1000, n_ctx=32)
