"""Several small models trained as one on the same batches, each drawn once.

Introduced in chapter 1.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from scaling_core.training.ensemble import Ensemble


class SideBySide:
    """Models on one flat tensor, which share the data of the first.

    Drawing a batch costs as much as a step of a narrow toy. Widths of one family see
    the same data (common random numbers), so one draw serves all of them.

    Attributes
    ----------
    parameters
        Those of all models, one after another; each model's are a view of them.

    Raises
    ------
    ValueError
        If the models' batches or streams differ.

    >>> from scaling_core.models.superposition import ToyConfig, ToyEnsemble
    >>> toys = [ToyEnsemble(ToyConfig(n=9, m=m), batch=4) for m in (2, 3)]
    >>> SideBySide(toys).parameters.shape  # 9 (2 + 1) and 9 (3 + 1)
    torch.Size([63])
    """

    def __init__(self, models: Sequence[Ensemble]):
        data = [(x.data.batch, x.data.seeds, x.data.slice_rows) for x in models]
        if any(one != data[0] for one in data):
            raise ValueError(f"the models do not share their data: {data}")
        self.models, self.data = models, models[0].data
        whole = [model.parameters for model in models]
        self.parameters = torch.cat([tensor.flatten() for tensor in whole])
        self._gradient = torch.empty_like(self.parameters)
        ends = self.parameters.split([tensor.numel() for tensor in whole])
        for model, tensor, end in zip(models, whole, ends, strict=True):
            model.parameters = end.view(tensor.shape)

    def gradient(self, cells) -> Tensor:
        """Return the gradients of all models; the next call overwrites them."""
        parts = [model.gradient(cells).flatten() for model in self.models]
        return torch.cat(parts, out=self._gradient)

    def decay_(self, lr: float) -> None:
        """Let each model decay."""
        for model in self.models:
            model.decay_(lr)
