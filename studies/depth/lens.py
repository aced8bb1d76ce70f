"""The logit lens: what the model would say if it stopped after each layer."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scaling_core.models.streams import record_streams, wide
from scaling_core.models.transformer import Transformer


@dataclass(frozen=True)
class Lens:
    """Agreement of each depth with the output; index l: after l layers, (L + 1,).

    Attributes
    ----------
    kl
        Mean over tokens of KL(lens ‖ output), in nats; 0 after the last layer.
    overlap
        Mean share of the output's top tokens among the lens's top tokens.
    """

    kl: np.ndarray
    overlap: np.ndarray


@torch.no_grad()
def logit_lens(model: Transformer, tokens_BT: Tensor, *, top: int = 5) -> Lens:
    """Read every h_l through the model's own final norm and unembedding.

    KL(softmax(W Norm(h_l)) ‖ y), in this direction (arXiv 2505.13898, section 3.3).
    """
    streams = record_streams(model, tokens_BT)
    final = wide(model.unembed(streams.h[-1])).log_softmax(dim=-1)
    best = final.topk(top, dim=-1).indices
    kl, overlap = [], []
    for h in streams.h:
        lens = wide(model.unembed(h)).log_softmax(dim=-1)
        kl.append((lens.exp() * (lens - final)).sum(dim=-1).mean().item())
        mine = lens.topk(top, dim=-1).indices
        shared = (mine[..., :, None] == best[..., None, :]).any(dim=-1)
        overlap.append(shared.float().mean().item())
    return Lens(np.array(kl), np.array(overlap))
