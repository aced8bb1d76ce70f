"""How far a layer's Jacobian is from the identity, measured and in theory."""

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from scaling_core.models.transformer import Transformer, TransformerConfig


def block_jacobian_deviation(
    model: Transformer,
    h_BD: Tensor,
    layer: int,
    *,
    part: Literal["mlp", "layer"] = "mlp",
) -> np.ndarray:
    """Return ‖J - I‖_F of one layer at each of B single-token streams, (B,).

    J = ∂h_{l+1}/∂h_l for a context of one token (arXiv 2502.05795, section 3.2).
    ``mlp`` takes the MLP sublayer alone: J = I + ∂ MLP(Norm h)/∂h.
    """
    block = model.blocks[layer]

    def step(h_BTD):
        if part == "layer":
            return model.layer(layer, h_BTD)[0]
        if block.place == "post":
            return block.mlp_norm(h_BTD + block.think(h_BTD))
        return h_BTD + block.think(h_BTD)

    h_BTD = h_BD[:, None].detach().requires_grad_()
    out_BD = step(h_BTD)[:, 0]
    D = out_BD.shape[1]
    square_B = torch.zeros(len(h_BD), dtype=h_BD.dtype)
    for row in range(D):  # one row of all B Jacobians per backward pass
        more = row + 1 < D
        (gradient,) = torch.autograd.grad(
            out_BD[:, row].sum(), h_BTD, retain_graph=more
        )
        deviation_BD = gradient[:, 0].clone()
        deviation_BD[:, row] -= 1
        square_B += deviation_BD.square().sum(dim=1).cpu()
    return square_B.sqrt().numpy()


def jacobian_law(config: TransformerConfig) -> float:
    """Return √(s₁² s₂² d d_mlp (d-1)/2), the mean of ‖J - I‖_F·rms(h)/c untrained.

    For a ReLU MLP behind an RMSNorm of scale c, with matrices N(0, s²): the factor
    1/2 is the share of open gates, d - 1 the directions the norm lets pass.

    >>> round(jacobian_law(TransformerConfig(d_model=64, act="relu", init_std=1 / 8)), 1)
    11.2
    """
    if config.act != "relu" or config.family.norm_kind != "rms":
        raise ValueError("the law holds for ReLU behind an RMSNorm")
    s1, d = config.init_std, config.d_model
    s2 = s1 * ((2 * config.n_layers) ** -0.5 if config.init == "scaled" else 1.0)
    return float(s1 * s2 * np.sqrt(d * config.mlp_width * (d - 1) / 2))
