"""Take a layer away, or swap two, and see what changes.

Each intervention starts from the recorded stream at its layer, so that only what
comes after is computed again. Introduced in the chapter on depth.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from scaling_core.models.streams import (
    LEAST_NORM,
    record_streams,
    run_layers,
    token_loss,
    wide,
)
from scaling_core.models.transformer import Transformer


@dataclass(frozen=True)
class SkipEffects:
    """What skipping layer s changes, in layer l and in the output.

    Attributes
    ----------
    change
        (L, L, T') with [s, l]: ‖Δ_l - Δ̄_l‖/‖Δ_l‖, where Δ_l = h_{l+1} - h_l and the
        bar is the run without layer s; the largest over the batch. Zero for l < s.
    output
        (L, T'): ‖y - ȳ‖₂ of the output probabilities, the largest over the batch.
    mean_output
        (L, T'): the same, the mean over the batch.
    ratio_of_means
        (L, L): mean ‖Δ_l - Δ̄_l‖ over mean ‖Δ_l‖, over batch and positions.
    """

    change: np.ndarray
    output: np.ndarray
    mean_output: np.ndarray
    ratio_of_means: np.ndarray

    @property
    def matrix(self) -> np.ndarray:
        """The largest ``change`` over positions, (L, L). It grows with the sample."""
        return self.change.max(axis=-1)


@torch.no_grad()
def skip_effects(
    model: Transformer,
    tokens_BT: Tensor,
    *,
    until: int | None = None,
    keep_first: int = 1,
) -> SkipEffects:
    """Skip each layer in turn (arXiv 2505.13898, section 3.2).

    Parameters
    ----------
    until
        Skip at positions before this one only, and measure from it on: the effect on
        the computation for *future* tokens. By default skip and measure everywhere.
    keep_first
        Positions at the start that are never skipped (the sink of large models).

    Examples
    --------
    >>> from scaling_core.models.config import TransformerConfig
    >>> draw = torch.Generator().manual_seed(0)
    >>> model = Transformer(TransformerConfig(n_layers=2), generator=draw)
    >>> found = skip_effects(model, torch.arange(8)[None])
    >>> found.matrix.shape, bool(found.matrix[1, 0] == 0)  # nothing acts backwards
    ((2, 2), True)
    """
    streams = record_streams(model, tokens_BT)
    probabilities = wide(model.unembed(streams.h[-1])).softmax(dim=-1)
    L, T = model.config.n_layers, tokens_BT.shape[1]
    seen = slice(until or 0, T)
    place_T = torch.arange(T, device=tokens_BT.device)
    skipped_T = (place_T >= keep_first) & (place_T < (T if until is None else until))
    size = T - (until or 0)
    change, means = np.zeros((L, L, size)), np.zeros((L, L))
    output, mean_output = np.zeros((L, size)), np.zeros((L, size))
    delta = [(b - a)[:, seen] for a, b in zip(streams.h, streams.h[1:], strict=False)]
    norm = [d.norm(dim=-1).clamp(min=LEAST_NORM) for d in delta]
    for s in range(L):
        h = torch.where(skipped_T[:, None], streams.h[s], streams.h[s + 1])
        for layer in range(s, L):
            if layer == s:  # what it wrote before less what it writes now
                changed = delta[s] - (h - streams.h[s])[:, seen]
            else:
                after = model.layer(layer, h)[0]
                changed, h = delta[layer] - (after - h)[:, seen], after
            gap_BT = changed.norm(dim=-1)
            change[s, layer] = (gap_BT / norm[layer]).amax(dim=0).cpu()
            means[s, layer] = (gap_BT.mean() / norm[layer].mean()).item()
        now = wide(model.unembed(h)).softmax(dim=-1)
        gap_BT = (probabilities - now)[:, seen].norm(dim=-1)
        output[s], mean_output[s] = gap_BT.amax(dim=0).cpu(), gap_BT.mean(dim=0).cpu()
    return SkipEffects(change, output, mean_output, means)


@torch.no_grad()
def local_effects(model: Transformer, tokens_BT: Tensor) -> np.ndarray:
    """Return what layer l writes less of when it alone does not read layer s, (L, L).

    [s, l] for s < l: mean ‖Δ_l(h_l) - Δ_l(h_l - Δ_s)‖ over mean ‖Δ_l(h_l)‖, where Δ_l is
    all that layer l writes; nothing is passed on to the layers between or after. Zero
    for l <= s (arXiv 2505.13898, section 3.2; there the largest ratio over tokens).

    >>> from scaling_core.models.config import TransformerConfig
    >>> draw = torch.Generator().manual_seed(0)
    >>> model = Transformer(TransformerConfig(n_layers=2), generator=draw)
    >>> (local_effects(model, torch.arange(8)[None]) > 0).tolist()
    [[False, True], [False, False]]
    """
    h = record_streams(model, tokens_BT).h
    L = model.config.n_layers
    effects = np.zeros((L, L))
    for layer in range(1, L):
        write = h[layer + 1] - h[layer]
        size = write.norm(dim=-1).mean()
        for s in range(layer):
            without = h[layer] - (h[s + 1] - h[s])
            now = model.layer(layer, without)[0] - without
            effects[s, layer] = ((write - now).norm(dim=-1).mean() / size).item()
    return effects


@torch.no_grad()
def layer_removal_kl(model: Transformer, tokens_BT: Tensor) -> np.ndarray:
    """Return KL(y ‖ ȳ) of the output y from ȳ, that without layer l, (L,), in nats.

    The loss that removal would add if labels were drawn from the model's own output.
    It asks for no labels, so it means the same before training and after.

    >>> from scaling_core.models.config import TransformerConfig
    >>> draw = torch.Generator().manual_seed(0)
    >>> model = Transformer(TransformerConfig(n_layers=3), generator=draw)
    >>> bool((layer_removal_kl(model, torch.arange(8)[None]) > 0).all())
    True
    """
    streams = record_streams(model, tokens_BT)
    whole = wide(model.unembed(streams.h[-1])).log_softmax(dim=-1)
    kl = []
    for layer, h in enumerate(streams.h[:-1]):
        if model.reads is None:
            logits = model.unembed(run_layers(model, h, layer + 1))
        else:  # attention residuals: all that comes after reads anew
            logits = model(tokens_BT, skip_layers=[layer])
        now = wide(logits).log_softmax(dim=-1)
        kl.append((whole.exp() * (whole - now)).sum(dim=-1).mean().item())
    return np.array(kl)


@torch.no_grad()
def swap_scores(
    model: Transformer, tokens_BT: Tensor, labels_BT: Tensor | None = None
) -> np.ndarray:
    """Return ``|L - L_swap|``/L for each pair of layers exchanged, (L, L) symmetric.

    Its mean over pairs is the permutation score of arXiv 2603.15389: low if the
    order of layers does not matter.

    >>> from scaling_core.models.config import TransformerConfig
    >>> draw = torch.Generator().manual_seed(0)
    >>> model = Transformer(TransformerConfig(n_layers=2), generator=draw)
    >>> (swap_scores(model, torch.arange(8)[None]) > 0).tolist()
    [[False, True], [True, False]]
    """
    streams = record_streams(model, tokens_BT)
    whole = token_loss(model, streams.h[-1], tokens_BT, labels_BT)
    L = model.config.n_layers
    scores = np.zeros((L, L))
    for a in range(L):
        for b in range(a + 1, L):
            h = streams.h[a]
            for layer in (b, *range(a + 1, b), a, *range(b + 1, L)):
                h = model.layer(layer, h)[0]
            swapped = token_loss(model, h, tokens_BT, labels_BT)
            scores[a, b] = scores[b, a] = abs(whole - swapped) / whole
    return scores


def mean_over_pairs(matrix: np.ndarray) -> float:
    """Return the mean of the entries above the diagonal.

    >>> mean_over_pairs(np.array([[9.0, 2.0], [2.0, 9.0]]))
    2.0
    """
    return float(matrix[np.triu_indices(len(matrix), 1)].mean())


def centre_of_mass(weights: ArrayLike, *, first: int = 1) -> float:
    """Return Σ l·w_l / Σ w_l with layers numbered from ``first``; negative w count 0.

    The depth score of arXiv 2505.13898 if w are effects of skipping layers.

    Raises
    ------
    ValueError
        If no weight is positive.

    >>> centre_of_mass([1.0, 0.0, 1.0])
    2.0
    """
    w = np.clip(np.asarray(weights, dtype=float), 0, None)
    if not w.sum() > 0:
        raise ValueError("no layer has a positive weight: there is no centre")
    return float(w @ (first + np.arange(len(w))) / w.sum())
