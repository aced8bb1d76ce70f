"""What training does to the laws: growth of the stream, higher orders, gradients.

One config is one seed. Introduced in the chapter on residual theory.

Shapes: B sequences, T positions, L layers (from 0).
"""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from scaling_core.data.corpora import python_source
from scaling_core.data.ngrams import ngram_losses
from scaling_core.models.config import NormPlace
from scaling_core.models.streams import (
    record_streams,
    run_layers,
    stream_mean_square,
    token_loss,
)
from scaling_core.models.transformer import Transformer
from scaling_core.training.loop import train
from scaling_core.training.settings import Training
from scaling_core.training.text import TextSetting


def measure_growth(*, norm: NormPlace, n_layers: int, **setting) -> dict:
    """Train one model of characters; look at its stream before, halfway and after.

    Under ``init_``, ``half_`` and ``full_``: ``mean_square`` of h_0 .. h_L on held-out
    text, `higher_order_share` as ``higher``, `output_gradients`, and ``loss``;
    ``ngrams``, losses of unigrams, bigrams and trigrams there. ``setting``: the fields
    of `TextSetting`.
    """
    text = TextSetting(**setting)
    model = text.make_model(norm, n_layers)
    tokens, labels = text.held_out()
    found: dict = {"ngrams": ngram_losses(python_source(), tokens, labels)}

    @torch.no_grad()
    def look(stage: str) -> None:
        streams = record_streams(model, tokens)
        found[f"{stage}_mean_square"] = stream_mean_square(streams).tolist()
        found[f"{stage}_higher"] = higher_order_share(model, streams.h[0])
        found[f"{stage}_loss"] = token_loss(model, streams.h[-1], tokens, labels)
        sizes = output_gradients(model, tokens, labels)
        found.update({f"{stage}_{key}": x for key, x in sizes.items()})

    def at_half(done: int) -> None:
        if done == max(1, text.steps // 2):
            look("half")

    look("init")
    training = Training(text.steps, text.lr)
    train(model, text.batch_at, training, after_step=at_half)
    look("full")
    return found


@torch.no_grad()
def higher_order_share(model: Transformer, h_BTD: Tensor) -> float:
    """Return ‖h_L - h_0 - Σ f_i(h_0)‖ over ‖h_L - h_0‖, means over tokens.

    f_i(h_0) is what layer i writes if it reads the embedding alone: all paths through
    one layer (arXiv 2510.03470). 0 if these are the whole network; about √2 if what
    layers write has nothing to do with it.
    """
    writes = [model.layer(i, h_BTD)[0] - h_BTD for i in range(model.config.n_layers)]
    change = run_layers(model, h_BTD) - h_BTD
    rest = change - torch.stack(writes).sum(dim=0)
    return float(rest.norm(dim=-1).mean() / change.norm(dim=-1).mean())


@torch.enable_grad()
def output_gradients(
    model: Transformer, tokens_BT: Tensor, labels_BT: Tensor
) -> dict[str, list[float]]:
    """Return sizes around the output matrix W of each MLP, a = W u, (L,) each.

    ``gradient``: the Frobenius norm of the gradient of the loss in W; ``input`` and
    ``output``: the root mean squares over tokens of ‖u‖ and of ‖a‖, before any norm
    on the output. Second-hand notes on arXiv 2502.02732 have the gradient as ‖u‖ in
    Pre-LN, and at most as ‖u‖/‖a‖ in Peri-LN.
    """
    found: dict[str, list[float]] = {"input": [], "output": []}

    def keep(_module, inputs: tuple[Tensor], output: Tensor) -> None:
        for key, x in (("input", inputs[0]), ("output", output)):
            square = x.detach().square().sum(dim=-1).mean()
            found[key].append(square.sqrt().item())

    downs = [block.mlp.down for block in model.blocks]
    hooks = [down.register_forward_hook(keep) for down in downs]
    try:
        logits = model(tokens_BT)
    finally:
        for hook in hooks:
            hook.remove()
    loss = cross_entropy(logits.flatten(0, 1), labels_BT.flatten())
    gradients = torch.autograd.grad(loss, [down.weight for down in downs])
    return found | {"gradient": [g.norm().item() for g in gradients]}
