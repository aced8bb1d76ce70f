"""The control that learns no directions: unit rows, one gain, free biases.

Introduced in chapter 1. Shapes: G models, B samples, n features, m width.
"""

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from scaling_core.models.sparse_features import Cells
from scaling_core.models.superposition import ToyEnsemble


class FrozenDirections:
    """The models of a `ToyEnsemble` with W = g·U, the unit rows U fixed as they are.

    What `train_ensemble` may move is one gain g per model, from 1 on, and the biases.
    Rows do not decay, so γ says nothing here, and there may be one only. With fixed
    overlaps UUᵀ no product of matrices is left: z = g² UUᵀx + b.

    Attributes
    ----------
    toys
        The ensemble, whose parameters follow by `write_back`.
    parameters
        (G, 1 + n): gain, then biases.

    Raises
    ------
    ValueError
        If the toys have more than one γ.

    >>> from scaling_core.models.superposition import ToyConfig
    >>> frozen = FrozenDirections(ToyEnsemble(ToyConfig(n=9, m=2), batch=4))
    >>> frozen.parameters.shape
    torch.Size([1, 10])
    """

    def __init__(self, toys: ToyEnsemble):
        if toys.per_stream > 1:
            raise ValueError(
                f"frozen rows do not decay: one gamma, got {toys.config.gammas}"
            )
        self.toys, self.data = toys, toys.data
        rows_Gmn = toys.parameters[:, :-1]
        self._unit_Gmn = rows_Gmn / rows_Gmn.norm(dim=1, keepdim=True)
        overlaps_Gnn = self._unit_Gmn.mT @ self._unit_Gmn
        self._table = overlaps_Gnn.flatten(0, 1)  # a row per model and feature
        gain_G1 = torch.ones_like(toys.bias[:, :1])
        self.parameters = torch.cat((gain_G1, toys.bias), dim=1)
        shape = len(self.parameters), toys.batch, toys.config.n
        self._delta_GBn = self.parameters.new_empty(shape)

    @torch.no_grad()
    def write_back(self) -> None:
        """Put gain and biases into the ensemble."""
        gain_G11 = self.parameters[:, :1, None]
        torch.mul(self._unit_Gmn, gain_G11, out=self.toys.parameters[:, :-1])
        self.toys.parameters[:, -1] = self.parameters[:, 1:]

    @torch.no_grad()
    def gradient(self, cells: Cells) -> Tensor:
        """Return the gradient in gain and biases, (G, 1 + n).

        Of the mean over samples and features of (y - x)², as in `ToyEnsemble`; with
        δ = dL/dz it is 2g Σ δ·UUᵀx and, summed over samples, δ.
        """
        G, n = len(self.parameters), self.data.n
        packed_GBn = embedding_bag(
            cells.feature_C,
            self._table,
            cells.sample_start,
            mode="sum",
            per_sample_weights=cells.value_C,
        ).view(G, -1, n)
        gain_G11, bias_G1n = self.parameters[:, :1, None], self.parameters[:, None, 1:]
        delta_GBn = self._delta_GBn  # kept: a fresh one costs more than the rest
        torch.addcmul(bias_G1n, packed_GBn, gain_G11.square(), out=delta_GBn).relu_()
        flat, where = delta_GBn.view(-1), cells.sample_C * n + cells.feature_C % n
        y = flat[where]
        flat[where] = (y - cells.value_C).mul_(y > 0)
        pairs = zip(packed_GBn.flatten(1), delta_GBn.flatten(1), strict=True)
        along_G = torch.stack([torch.dot(*pair) for pair in pairs])
        along_G1 = 2 * self.parameters[:, :1] * along_G[:, None]
        gradient = torch.cat((along_G1, delta_GBn.sum(1)), dim=1)
        return gradient.mul_(2 / (self.data.batch * n))

    def decay_(self, lr: float) -> None:
        """Leave the rows as they are."""
