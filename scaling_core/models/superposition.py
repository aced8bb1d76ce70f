"""The toy model of superposition: many tied ReLU autoencoders as one tensor.

    h = Wᵀx,  y = ReLU(W h + b),  L = ⟨‖y - x‖²⟩   (arXiv 2505.10465, section 2)

All models of one width train together, with a gradient written by hand. The key:
dL/dz is 2·ReLU(z) at every inactive cell and 2·(ReLU(z) - x)·[z > 0] at the few
active ones, so one in-place ReLU and a sparse scatter replace mask and residual.

Shapes: D streams (frequency law × seed), K models per stream (one per γ) that share
its data, G = D·K models, n features, m width, M = m + 1, B batch.
P[g] stacks Wᵀ (m rows) on b (row m): with h extended by a 1, z = hP in one product.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from scaling_core.models.sparse_features import (
    Cells,
    Law,
    SparseFeatures,
    feature_frequencies,
    stream_seed,
)

SLICE_BYTES = 2 * 2**20  # z of one slice stays in a core's L2 cache
MIN_NORM = 1e-12


@dataclass(frozen=True)
class ToyConfig:
    """All models of one width: every (alpha, seed, gamma), in this order.

    Attributes
    ----------
    n, m
        Number of features, and width of the hidden layer.
    alphas
        Parameters of the frequency law; for power laws p_i ∝ i^-alpha the exponents.
    gammas
        Row decay: positive shrinks rows, negative pulls their norm to 1.
    seeds
        One independent run each, of initial weights and data.
    density
        Mean number of active features, Σ p_i.
    bias_std
        Standard deviation of the initial bias (the authors' code has 1).
    bias_lr
        Learning rate of b as a multiple of that of W.
    law
        How frequencies fall with the rank (see `feature_frequencies`).
    """

    n: int = 1000
    m: int = 10
    alphas: tuple[float, ...] = (1.0,)
    gammas: tuple[float, ...] = (-1.0,)
    seeds: tuple[int, ...] = (0,)
    density: float = 1.0
    bias_std: float = 1.0
    bias_lr: float = 1.0
    law: Law = "power"

    def __post_init__(self):
        if not 1 <= self.m <= self.n:
            raise ValueError(f"need 1 <= m <= n, got m={self.m}, n={self.n}")
        for name in ("alphas", "gammas", "seeds"):
            given = getattr(self, name)
            if not given or len({*given}) < len(given) or not np.isfinite(given).all():
                raise ValueError(f"{name} need different finite values, got {given}")

    def cells(self) -> list[tuple[float, int, float]]:
        """Return (alpha, seed, gamma) of each model, in the order of the tensor.

        >>> ToyConfig(alphas=(0., 1.), gammas=(-1., .5)).cells()[:3]
        [(0.0, 0, -1.0), (0.0, 0, 0.5), (1.0, 0, -1.0)]
        """
        return list(product(self.alphas, self.seeds, self.gammas))


class ToyEnsemble:
    """Every model of one `ToyConfig`, as one tensor with a manual gradient.

    Parameters
    ----------
    config
        Which models.
    batch
        Samples per stream and step.
    device, dtype
        Where to hold the models, and in which precision.
    batched
        Multiply all models at once (default away from the CPU) or model by model in
        slices of the batch that stay in cache (default on the CPU: faster there).

    Attributes
    ----------
    parameters
        (G, m + 1, n): rows 0..m-1 are Wᵀ, row m is the bias.
    data
        The `SparseFeatures` that all widths of the same alphas and seeds share.
    lr_scale
        (1, m + 1, 1) multiples of the learning rate, or None if all are 1.

    Examples
    --------
    >>> toys = ToyEnsemble(ToyConfig(n=20, m=4, seeds=(0, 1, 2)), batch=64)
    >>> toys.W.shape, toys.test_loss(100).shape
    (torch.Size([3, 20, 4]), (3,))
    """

    def __init__(
        self,
        config: ToyConfig,
        *,
        batch: int,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
        batched: bool | None = None,
    ):
        self.config, self.batch = config, batch
        self.device = torch.device(device)
        self.batched = self.device.type != "cpu" if batched is None else batched
        self.streams = len(config.alphas) * len(config.seeds)
        self.per_stream = len(config.gammas)
        size = torch.empty((), dtype=dtype).element_size()
        rows = batch if self.batched else SLICE_BYTES // (config.n * size)
        self.slice_rows = max(1, min(batch, rows))
        streams = list(product(config.alphas, config.seeds))
        p = [
            feature_frequencies(config.n, config.law, alpha, config.density)
            for alpha, _ in streams
        ]
        self.data = SparseFeatures(
            np.array(p),
            batch,
            [stream_seed(seed, "data", alpha) for alpha, seed in streams],
            slice_rows=self.slice_rows,
            device=self.device,
            dtype=dtype,
        )
        gammas = torch.tensor([gamma for _, _, gamma in config.cells()], dtype=dtype)
        self._gamma_G11 = gammas.to(self.device).view(-1, 1, 1)
        self.parameters = self._initial_parameters(dtype)
        self.lr_scale = None
        if config.bias_lr != 1:
            self.lr_scale = self.parameters.new_ones(1, config.m + 1, 1)
            self.lr_scale[:, -1] = config.bias_lr
        self._buffers()

    def _initial_parameters(self, dtype: torch.dtype) -> Tensor:
        """W ~ N(0, 1/m), b ~ N(0, bias_std²): one draw per seed and width."""
        c, drawn = self.config, {}
        for seed in c.seeds:
            generator = torch.Generator().manual_seed(stream_seed(seed, "init", c.m))
            P_Mn = torch.randn(c.m + 1, c.n, dtype=dtype, generator=generator)
            P_Mn[: c.m] /= c.m**0.5
            P_Mn[c.m] *= c.bias_std
            drawn[seed] = P_Mn
        return torch.stack([drawn[seed] for _, seed, _ in c.cells()]).to(self.device)

    def _buffers(self) -> None:
        D, K, B, m = self.streams, self.per_stream, self.batch, self.config.m
        empty = self.parameters.new_empty
        self._h_DKBM = self.parameters.new_ones(D, K, B, m + 1)
        self._dh_DBKm = empty(D, B, K, m)
        self._dh_mR = empty(m, self.slice_rows)
        self._z = empty(D * K if self.batched else 1, self.slice_rows, self.config.n)
        self._gradient = torch.empty_like(self.parameters)

    @property
    def W(self) -> Tensor:
        """The (G, n, m) weights: row i is the representation of feature i."""
        return self.parameters[:, :-1].mT

    @property
    def bias(self) -> Tensor:
        """The (G, n) biases."""
        return self.parameters[:, -1]

    def _encode(self, cells: Cells) -> None:
        """Fill h = Wᵀx (and the constant 1 after it) from the active cells alone."""
        D, K, m = self.streams, self.per_stream, self.config.m
        W_DKmn = self.parameters.view(D, K, m + 1, -1)[:, :, :m]
        table = W_DKmn.permute(0, 3, 1, 2).reshape(-1, K * m)  # (D·n, K·m)
        h = embedding_bag(
            cells.feature_C,
            table,
            cells.sample_start,
            mode="sum",
            per_sample_weights=cells.value_C,
        )
        self._h_DKBM[..., :m] = h.view(D, self.batch, K, m).transpose(1, 2)

    def _encoder_gradient(self, cells: Cells) -> Tensor:
        """Return xᵀ dh, the encoder's share of dL/dW, as (D, K, m, n)."""
        D, K, m = self.streams, self.per_stream, self.config.m
        table = self._dh_DBKm.view(-1, K * m)  # (D·B, K·m)
        dW = embedding_bag(
            cells.sample_by_feature_C,
            table,
            cells.feature_start,
            mode="sum",
            per_sample_weights=cells.value_by_feature_C,
        )
        return dW.view(D, -1, K, m).permute(0, 2, 3, 1)

    @torch.no_grad()
    def gradient(self, cells: Cells) -> Tensor:
        """Return d/dP of the mean over samples and features of (y - x)², (G, M, n).

        The buffer is reused by the next call.
        """
        self._encode(cells)
        if self.batched:
            self._decode_batched(cells)
        else:
            self._decode_sliced(cells)
        grad_DKMn = self._gradient.view(self.streams, self.per_stream, -1, self.data.n)
        grad_DKMn[:, :, :-1] += self._encoder_gradient(cells)
        return self._gradient.mul_(2 / (self.batch * self.data.n))

    def _slices(self, cells: Cells):
        """Yield stream, first row, rows, and the cells of each slice of the batch."""
        starts = range(0, self.batch, self.slice_rows)
        edges = cells.start
        for i, (d, row) in enumerate(product(range(self.streams), starts)):
            rows = min(self.slice_rows, self.batch - row)
            cut = slice(edges[i], edges[i + 1])
            yield d, row, rows, cells.flat_C[cut], cells.value_C[cut]

    def _decode_sliced(self, cells: Cells) -> None:
        """Decoder forward and backward, model by model inside a slice."""
        K, m, buffer = self.per_stream, self.config.m, self._z[0]
        for d, row, rows, where, x in self._slices(cells):
            z, span = buffer[:rows], slice(row, row + rows)
            flat = z.view(-1)
            for k in range(K):
                P_Mn, h_RM = self.parameters[d * K + k], self._h_DKBM[d, k, span]
                torch.mm(h_RM, P_Mn, out=z)
                z.relu_()
                y = flat.index_select(0, where)
                flat.scatter_(0, where, (y - x).mul_(y > 0))
                grad = self._gradient[d * K + k]
                torch.addmm(grad, h_RM.T, z, beta=float(row > 0), out=grad)
                # P zᵀ, not z Pᵀ: the long side first, up to twice as fast
                dh_mR = torch.mm(P_Mn[:m], z.T, out=self._dh_mR[:, :rows])
                self._dh_DBKm[d, span, k] = dh_mR.T

    def _decode_batched(self, cells: Cells) -> None:
        """The same for all models at once, as batched products."""
        h_GBM, z_GBn = self._h_DKBM.flatten(0, 1), self._z
        torch.bmm(h_GBM, self.parameters, out=z_GBn)
        z_GBn.relu_()
        flat, where_KC = z_GBn.view(-1), self._positions(cells)
        y_KC = flat[where_KC]
        flat[where_KC] = (y_KC - cells.value_C).mul_(y_KC > 0)
        torch.bmm(h_GBM.mT, z_GBn, out=self._gradient)
        dh_GBm = torch.bmm(z_GBn, self.parameters[:, :-1].mT)
        dh_DKBm = dh_GBm.view(self._h_DKBM[..., :-1].shape)
        self._dh_DBKm.copy_(dh_DKBm.transpose(1, 2))

    def _positions(self, cells: Cells) -> Tensor:
        """Where each active cell sits in the flat (G, B, n) tensor, per γ: (K, C)."""
        block = self.batch * self.data.n
        stream_C = cells.feature_C // self.data.n
        first_C = stream_C * (self.per_stream * block) + cells.flat_C
        k_K1 = torch.arange(self.per_stream, device=self.device)[:, None]
        return first_C + k_K1 * block

    @torch.no_grad()
    def decay_(self, lr: float) -> None:
        """Decay or grow the rows of W in place, decoupled from the gradient.

        γ ≥ 0: W_i ← W_i - ηγ W_i;  γ < 0: W_i ← W_i - ηγ W_i (1/‖W_i‖ - 1), a pull of
        each row's norm towards 1 (arXiv 2505.10465, eq. 2). The bias has none.
        """
        W_Gmn = self.parameters[:, :-1]
        # vector_norm over a strided axis is 20 times slower than square-and-sum
        norm_G1n = W_Gmn.square().sum(1, keepdim=True).sqrt_()
        pull = norm_G1n.clamp_(min=MIN_NORM).reciprocal_().sub_(1)
        pull = torch.where(self._gamma_G11 < 0, pull, 1.0)
        W_Gmn.mul_(1 - lr * self._gamma_G11 * pull)

    @torch.no_grad()
    def loss_parts(self, cells: Cells) -> Tensor:
        """Return where ‖y - x‖² arises, a mean over samples, (G, 3).

        Leak: y² at inactive features; silent: x² at active ones that output exactly
        0; own: (y - x)² at the other active ones. The three add up to the loss.
        """
        self._encode(cells)
        shape = self.streams * self.per_stream, 3
        total = torch.zeros(shape, dtype=torch.float64, device=self.device)
        for d, row, rows, where, x in self._slices(cells):
            for k in range(self.per_stream):
                g = d * self.per_stream + k
                h_RM = self._h_DKBM[d, k, row : row + rows]
                y = torch.mm(h_RM, self.parameters[g]).relu_().view(-1)
                response = y[where]
                y[where] = 0
                missed, silent = (response - x).square_(), response == 0
                parts = torch.dot(y, y), missed[silent].sum(), missed[~silent].sum()
                total[g] += torch.stack(parts)
        return total / self.batch

    def loss(self, cells: Cells) -> Tensor:
        """Return the mean over samples of ‖y - x‖² (sum over features), (G,)."""
        return self.loss_parts(cells).sum(1)

    def test_parts(self, samples: int) -> np.ndarray:
        """Return `loss_parts` over at least ``samples`` fresh samples, (G, 3)."""
        if samples < 1:
            raise ValueError(f"need samples >= 1, got {samples}")
        batches = -(-samples // self.batch)
        parts = [
            self.loss_parts(self.data.batch_at(i, split="test")) for i in range(batches)
        ]
        return (sum(parts[1:], parts[0]) / batches).cpu().numpy()

    def test_loss(self, samples: int) -> np.ndarray:
        """Return the loss over at least ``samples`` fresh samples per model, (G,)."""
        return self.test_parts(samples).sum(1)
