"""A datastore beside a small model: nearest neighbours among its hidden states.

The next character of the stored states nearest to a query's votes with exp(-d²/T); the
vote is mixed with the model's own chance. Stored text and queries share no file.
Introduced in the chapter on resampling.

Shapes: E entries, Q queries, D width, k neighbours, V d_vocab.
"""

import numpy as np
import torch
from torch import Tensor

from scaling_core.data.ngrams import PRIOR
from scaling_core.models.transformer import Transformer
from studies.resampling.strings import StringSetting, files_apart

NEIGHBOURS = 32
HEATS = (0.25, 0.5, 1.0, 2.0)  # T over the mean squared distance of the neighbours
WEIGHTS = (0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)  # of the vote
CONTEXT = 32  # characters that a state has read at least


@torch.no_grad()
def read_states(model: Transformer, tokens: np.ndarray, count: int, *, rng):
    """Return states, the three last characters, the next, its log-probability.

    ``count`` of each, from random windows of the text; a window gives its later half.
    """
    n_ctx = model.config.n_ctx
    rows = -(-count // (n_ctx - CONTEXT))
    start = rng.integers(len(tokens) - n_ctx - 1, size=rows)
    window = tokens[start[:, None] + np.arange(n_ctx + 1)].astype(np.int64)
    device = model.embedding.weight.device
    found: list[list[Tensor]] = [[], [], [], []]
    for part in torch.from_numpy(window).to(device).split(256):
        _, streams = model(part[:, :-1], return_streams=True)
        state = model.final_norm(streams.h[-1])[:, CONTEXT:]
        logp = (state @ model.unembedding.weight.T).log_softmax(-1)
        right = part[:, CONTEXT + 1 :]
        own = logp.gather(2, right[..., None])[..., 0]
        last = part[:, CONTEXT - 2 :].unfold(1, 3, 1)[:, : n_ctx - CONTEXT]
        for store, x in zip(found, (state, last, right, own), strict=True):
            store.append(x.flatten(0, 1))
    return tuple(torch.cat(x)[:count] for x in found)


def vote(keys_ED: Tensor, next_E: Tensor, states_QD: Tensor, right_Q: Tensor) -> Tensor:
    """Return the vote for the right character at each of `HEATS`, (heats, Q)."""
    out = []
    for state, right in zip(states_QD.split(64), right_Q.split(64), strict=True):
        near, at = torch.cdist(state, keys_ED).topk(NEIGHBOURS, largest=False)
        square = near.square()
        hit = next_E[at] == right[:, None]
        scale = square.mean(1, keepdim=True)
        soft = [(-square / (heat * scale)).softmax(1) for heat in HEATS]
        out.append(torch.stack([(w * hit).sum(1) for w in soft]))
    return torch.cat(out, dim=1)


def count_vote(last_E3, next_E, last_Q3, right_Q, *, V: int) -> np.ndarray:
    """Return the chance of the right character by counting the same entries, (1, Q).

    After one, two and three characters, each weighing the shorter one as five counts.
    """
    p_Q = np.full(len(right_Q), 1 / V)
    for n in (1, 2, 3):
        place = V ** np.arange(n)[::-1]
        stored, asked = last_E3[:, -n:] @ place, last_Q3[:, -n:] @ place
        _, where = np.unique(np.r_[stored, asked], return_inverse=True)
        context, pair = where[len(stored) :], where * V + np.r_[next_E, right_Q]
        pairs, which = np.unique(pair, return_inverse=True)
        counts = np.bincount(which[: len(stored)], minlength=len(pairs))
        totals = np.bincount(where[: len(stored)], minlength=where.max() + 1)
        hit = counts[which[len(stored) :]]
        p_Q = (hit + PRIOR * p_Q) / (totals[context] + PRIOR)
    return p_Q[None]


def mixed_loss(own_Q: Tensor, vote_hQ: Tensor) -> float:
    """Return the loss of the mixture; heat and weight are set on the even queries.

    >>> own = torch.tensor([0.5, 0.5]).log()
    >>> round(mixed_loss(own, torch.full((1, 2), 0.8)), 3)
    0.223
    """
    p = own_Q.double().exp()
    weights = torch.tensor(WEIGHTS, dtype=torch.float64, device=p.device)[:, None, None]
    loss = -(
        (1 - weights) * p + weights * vote_hQ.double()
    ).log()  # (weights, heats, Q)
    best = int(loss[..., ::2].mean(-1).argmin())
    return float(loss[..., 1::2].mean(-1).flatten()[best])


def measure_datastore(
    model: Transformer, setting: StringSetting, *, sizes: list[int], queries: int
) -> dict:
    """Return losses with datastores of these sizes, each part of the next.

    ``loss``: (sizes,); ``shuffled``: the largest, its next characters permuted;
    ``counted``: a table of characters counted on its entries in place of the vote;
    ``alone``: the model's own, on the same queries.
    """
    rng = np.random.default_rng([setting.seed, 4])
    stored, asked = files_apart()
    entries = read_states(model, stored.splits["train"], max(sizes), rng=rng)
    pool = read_states(model, asked, 16 * queries, rng=rng)
    order, thin = (
        torch.from_numpy(rng.permutation(len(x[0]))) for x in (entries, pool)
    )
    keys, before, after, _ = (x[order.to(x.device)] for x in entries)
    states, last, right, own = (x[thin[:queries].to(x.device)] for x in pool)
    mixed = lambda n, after: mixed_loss(own, vote(keys[:n], after[:n], states, right))
    counts = count_vote(
        *(x.cpu().numpy() for x in (before, after, last, right)),
        V=model.config.d_vocab,
    )
    return dict(
        loss=[mixed(n, after) for n in sizes],
        shuffled=mixed(
            max(sizes), after[torch.from_numpy(rng.permutation(len(after)))]
        ),
        counted=mixed_loss(own, torch.from_numpy(counts).to(own.device)),
        alone=float(-own[1::2].double().mean()),
    )
