"""Many small MLPs of one shape as one tensor, each with its own training examples.

    h_0 = x,  h_l = act(h_{l-1} W_l + b_l),  f = h_{n-1} W_n + b_n

Gradients are written by hand: with B examples, dL/df is (p - y)/B for the
cross-entropy (p the softmax) and (f - y)/B for half the squared error, and the rest is
two batched products a layer. All networks share one table of inputs; each has a list of
the rows that it may see.

Shapes: G networks, P parameters of each, N rows of the table, B batch, I, O inputs and
outputs of a layer, C outputs of the network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from scaling_core.models.sparse_features import stream_seed

ACTS, LOSSES = ("relu", "tanh"), ("cross-entropy", "squared")
BLOCK = 64  # steps whose batches are laid out together
ROWS = 512  # examples put through all networks at once when predicting


@dataclass(frozen=True)
class MLPConfig:
    """Shape and kind of the networks.

    ``sizes``: inputs, hidden widths, outputs. The ``squared`` loss is ½‖f - y‖², a mean
    over examples. ``ntk`` keeps the scale of the first weights in front of them, so
    that W is N(0, 1) (arXiv 1806.07572, eq. 1); the function at the start is the same.
    """

    sizes: tuple[int, ...] = (196, 64, 10)
    act: Literal["relu", "tanh"] = "relu"
    loss: Literal["cross-entropy", "squared"] = "cross-entropy"
    ntk: bool = False

    def __post_init__(self):
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ValueError(f"need sizes >= 1, inputs and outputs; got {self.sizes}")
        for name, known in dict(act=ACTS, loss=LOSSES).items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name}={getattr(self, name)!r}; allowed: {known}")

    @property
    def n_parameters(self) -> int:
        """Weights and biases of one network.

        >>> MLPConfig((196, 64, 10)).n_parameters
        13258
        """
        return sum(
            (i + 1) * o for i, o in zip(self.sizes, self.sizes[1:], strict=False)
        )

    @property
    def stds(self) -> list[float]:
        """Standard deviation of each layer's first weights: √(2/I), √(1/I) the last."""
        gain = 2 if self.act == "relu" else 1
        return [(gain / i) ** 0.5 for i in self.sizes[:-2]] + [self.sizes[-2] ** -0.5]

    def layers(self, parameters: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return views (W, b) of each layer, (..., I, O) and (..., 1, O)."""
        views, at, lead = [], 0, parameters.shape[:-1]
        for i, o in zip(self.sizes, self.sizes[1:], strict=False):
            W, b = parameters[..., at : at + i * o], parameters[..., at + i * o :]
            views.append((W.view(*lead, i, o), b[..., :o].view(*lead, 1, o)))
            at += (i + 1) * o
        return views


def forward(config: MLPConfig, parameters: Tensor, x: Tensor) -> Tensor:
    """Return f(x), differentiable in everything: what to linearise.

    parameters (..., P) and x (..., N, I) give (..., N, C).

    >>> forward(MLPConfig((2, 3, 1)), torch.zeros(4, 13), torch.ones(5, 2)).shape
    torch.Size([4, 5, 1])
    """
    act = torch.relu if config.act == "relu" else torch.tanh
    last = len(config.sizes) - 2
    for n, (W, b) in enumerate(config.layers(parameters)):
        x = x @ (W * config.stds[n] if config.ntk else W) + b
        x = act(x) if n < last else x
    return x


class Passes:
    """Batches of every network: its own list of rows, in a new order at each pass.

    The batch of a step is a pure function of the step. A batch that reaches the end of
    a pass goes on with the next one, so that all have the same size.

    >>> Passes([[7, 8], [3]], batch=2, seeds=[0, 1]).batch_at(0).sort().values.tolist()
    [[7, 8], [3, 3]]
    """

    def __init__(self, lists, *, batch: int, seeds: Sequence[int]):
        self.lists = [np.asarray(rows, dtype=np.int64) for rows in lists]
        self.batch, self.seeds, self._held = batch, list(seeds), -1
        if len(self.lists) != len(self.seeds) or batch < 1:
            got = f"{len(self.lists)} lists, {len(self.seeds)} seeds, batch={batch}"
            raise ValueError(f"need a seed per list and batch >= 1; got {got}")
        if any(rows.ndim != 1 or not rows.size for rows in self.lists):
            raise ValueError("every network needs a list of at least one row")

    def batch_at(self, step: int) -> Tensor:
        """Return the rows of one step, (G, B)."""
        block, at = divmod(step, BLOCK)
        if block != self._held:
            span = BLOCK * self.batch
            streams = [
                self._stream(rows, seed, block * span, span).reshape(BLOCK, -1)
                for rows, seed in zip(self.lists, self.seeds, strict=True)
            ]
            self._rows, self._held = torch.from_numpy(np.stack(streams, 1)), block
        return self._rows[at]

    @staticmethod
    def _stream(rows: np.ndarray, seed: int, start: int, count: int) -> np.ndarray:
        """Return items start .. start + count of all passes laid end to end."""
        first, last = start // len(rows), (start + count - 1) // len(rows)
        passes = [
            np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, 0, n]))
            for n in range(first, last + 1)
        ]
        laid = np.concatenate([rng.permutation(rows) for rng in passes])
        return laid[start - first * len(rows) :][:count]


class MLPEnsemble:
    """Networks of one shape, with hand-written gradients.

    ``x`` (N, I) are the inputs, ``y`` (N,) classes or (N, C) targets, and each network
    has a list of rows to train on and a seed, of its first weights and of the order of
    its examples. `MLPConfig.layers` shows ``parameters`` (G, P) as matrices.

    >>> two = MLPEnsemble(
    ...     MLPConfig((2, 8, 2)), np.eye(2), [0, 1], [[0], [0, 1]], batch=1, seeds=[0, 1]
    ... )
    >>> two.outputs(np.eye(2)).shape, two.parameters.shape  # (G, N, C) and (G, P)
    (torch.Size([2, 2, 2]), torch.Size([2, 42]))
    """

    def __init__(
        self,
        config: MLPConfig,
        x,
        y,
        lists,
        *,
        batch: int,
        seeds: Sequence[int],
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        self.config = config
        self.x = torch.tensor(np.asarray(x)).to(device, dtype).contiguous()
        y = torch.tensor(np.asarray(y))
        if y.ndim == 1:
            y = torch.nn.functional.one_hot(y.long(), config.sizes[-1])
        self.targets = y.to(device, dtype).contiguous()
        shapes = tuple(self.x.shape), tuple(self.targets.shape)
        if shapes != ((len(y), config.sizes[0]), (len(x), config.sizes[-1])):
            raise ValueError(f"x and y have shapes {shapes}; sizes are {config.sizes}")
        self.data = Passes(lists, batch=batch, seeds=seeds)
        first = [self._first_weights(seed, dtype) for seed in seeds]
        self.parameters = torch.stack(first).to(device)
        self._gradient = torch.empty_like(self.parameters)

    def _first_weights(self, seed: int, dtype: torch.dtype) -> Tensor:
        """W ~ N(0, `stds`²), or N(0, 1) in NTK form; b = 0. One draw per seed."""
        generator = torch.Generator().manual_seed(stream_seed(seed, "mlp"))
        drawn = torch.zeros(self.config.n_parameters, dtype=dtype)
        for (W, _), std in zip(
            self.config.layers(drawn), self.config.stds, strict=True
        ):
            W.normal_(0, 1 if self.config.ntk else std, generator=generator)
        return drawn

    @torch.no_grad()
    def gradient(self, rows_GB: Tensor) -> Tensor:
        """Return d/dparameters of each network's mean loss, (G, P), a reused buffer."""
        c, rows = self.config, rows_GB.to(self.x.device)
        G, B = rows.shape
        layers, scales = c.layers(self.parameters), c.stds
        if c.ntk:
            layers = [(W * s, b) for (W, b), s in zip(layers, scales, strict=True)]
        h = [self.x.index_select(0, rows.reshape(-1)).view(G, B, -1)]
        for W, b in layers[:-1]:
            z = torch.baddbmm(b, h[-1], W)
            h.append(z.relu_() if c.act == "relu" else z.tanh_())
        W, b = layers[-1]
        f_GCB = torch.baddbmm(b.mT, W.mT, h[-1].mT)  # softmax over 10 apart is slow
        p_GCB = f_GCB.softmax(1) if c.loss == "cross-entropy" else f_GCB
        y_GBC = self.targets.index_select(0, rows.reshape(-1)).view(G, B, -1)
        d = p_GCB.sub_(y_GBC.mT).div_(B).mT
        for n in reversed(range(len(layers))):
            dW, db = c.layers(self._gradient)[n]
            torch.bmm(h[n].mT, d, out=dW)
            torch.sum(d, 1, keepdim=True, out=db)
            if c.ntk:
                dW *= scales[n]
            if n:
                d = torch.bmm(d, layers[n][0].mT)
                d *= h[n].sign() if c.act == "relu" else 1 - h[n].square()
        return self._gradient

    @torch.no_grad()
    def outputs(self, x) -> Tensor:
        """Return f of every network at (N, I) inputs, (G, N, C)."""
        x_NI = torch.tensor(np.asarray(x)).to(self.x)
        parts = [forward(self.config, self.parameters, p) for p in x_NI.split(ROWS)]
        return torch.cat(parts, 1)

    def errors(self, x, y) -> np.ndarray:
        """Return the share of (N,) classes that each network misses, (G,)."""
        classes = torch.tensor(np.asarray(y)).to(self.x.device)
        missed = self.outputs(x).argmax(-1) != classes
        return missed.double().mean(1).cpu().numpy()
