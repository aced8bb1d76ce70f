"""The chapter's probes on a published model, beside a twin that was never trained."""

from pathlib import Path

import torch
from torch import Tensor

from scaling_core.data.corpora import python_source
from scaling_core.models.hub import load_transformer
from scaling_core.models.transformer import Transformer
from studies.depth.study import probe


def encode_source(path: str | Path, *, rows: int, n_ctx: int) -> Tensor:
    """Return held-out Python source in the tokens of a saved model, (rows, n_ctx + 1).

    Raises
    ------
    ValueError
        If the text is too short.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(
        str(path), local_files_only=True, trust_remote_code=False
    )
    corpus = python_source()
    text = corpus.decode(corpus.splits["validation"][: 16 * rows * (n_ctx + 1)])
    ids = torch.tensor(tokenizer(text)["input_ids"])
    needed = rows * (n_ctx + 1)
    if len(ids) < needed:
        raise ValueError(f"{needed} tokens wanted, the text has {len(ids)}")
    return ids[:needed].view(rows, n_ctx + 1)


def untrained_twin(model: Transformer, seed: int) -> Transformer:
    """Return a model of the same config with fresh weights, as GPT-2 drew them."""
    generator = torch.Generator().manual_seed(seed)
    twin = Transformer(model.config, generator=generator)
    twin.rotary = model.rotary
    return twin.eval().requires_grad_(False)


def measure_pretrained(
    path: str | Path,
    *,
    rows: int = 16,
    n_ctx: int = 128,
    seed: int = 100,
    device: str = "cpu",
) -> dict:
    """Return the `probe` of a saved model, and of its untrained twin as ``init_...``.

    The first position, whose norm is huge in published models, is left out of the
    contributions (arXiv 2505.13898 keeps it).
    """
    windows = encode_source(path, rows=rows, n_ctx=n_ctx).to(device)
    model = load_transformer(path, n_ctx=n_ctx)
    twin = untrained_twin(model, seed)
    before, after = (
        probe(m.to(device), windows[:, :-1], windows[:, 1:], first=1)
        for m in (twin, model)
    )
    return {f"init_{key}": x for key, x in before.items()} | after
