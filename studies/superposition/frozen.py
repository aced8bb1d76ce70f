"""The control that learns no directions: random unit rows, one gain, free biases.

Introduced in chapter 1.
"""

import torch
from torch import Tensor

from scaling_core.models.superposition import ToyEnsemble


class FrozenDirections:
    """The models of a `ToyEnsemble` with W = g·U, the unit rows U as drawn and fixed.

    What `train_ensemble` may move is one gain g per model, from 1 on, and the biases.
    Rows do not decay, so γ says nothing here.

    Attributes
    ----------
    toys
        The ensemble, whose parameters follow at each gradient and by `write_back`.
    parameters
        (G, 1 + n): gain, then biases.

    >>> from scaling_core.models.superposition import ToyConfig
    >>> frozen = FrozenDirections(ToyEnsemble(ToyConfig(n=9, m=2), batch=4))
    >>> frozen.parameters.shape
    torch.Size([1, 10])
    """

    def __init__(self, toys: ToyEnsemble):
        self.toys, self.data = toys, toys.data
        rows_Gmn = toys.parameters[:, :-1]
        self._unit_Gmn = rows_Gmn / rows_Gmn.norm(dim=1, keepdim=True)
        gain_G1 = torch.ones_like(toys.bias[:, :1])
        self.parameters = torch.cat((gain_G1, toys.bias), dim=1)
        self.write_back()

    @torch.no_grad()
    def write_back(self) -> None:
        """Put gain and biases into the ensemble."""
        gain_G11 = self.parameters[:, :1, None]
        torch.mul(self._unit_Gmn, gain_G11, out=self.toys.parameters[:, :-1])
        self.toys.parameters[:, -1] = self.parameters[:, 1:]

    def gradient(self, cells) -> Tensor:
        """Return the gradient in gain (dL/dg = Σ U·dL/dW) and biases, (G, 1 + n)."""
        self.write_back()
        full_GMn = self.toys.gradient(cells)
        along_G = (full_GMn[:, :-1] * self._unit_Gmn).sum((1, 2))
        return torch.cat((along_G[:, None], full_GMn[:, -1]), dim=1)

    def decay_(self, lr: float) -> None:
        """Leave the rows as they are."""
