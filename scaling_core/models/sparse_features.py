"""Sparse synthetic data: feature i is active with probability p_i, then U(0, 2).

Batches are drawn as lists of active cells, never as dense matrices: with activation
density E a batch of B samples has about E·B cells, whatever the number of features.
Every batch is a pure function of (stream seed, step): widths share their data
(common random numbers), and a resumed run sees what an unbroken one would have seen.

Shapes: D streams, B samples per stream, n features, C active cells of one batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor

CHUNK = 16  # batches drawn by one call; part of the definition of a stream
MEAN_VALUE, MEAN_SQUARE = 1.0, 4.0 / 3.0  # of U(0, 2)
Law = Literal["power", "exponential", "linear"]


def feature_frequencies(
    n: int, law: Law, alpha: float, density: float = 1.0
) -> np.ndarray:
    """Return activation probabilities p_1 >= ... >= p_n with Σ p_i = density.

    ``power``: p_i ∝ i^-alpha; ``exponential``: p_i ∝ e^(-i/alpha); ``linear``:
    p_i ∝ n + 1 - i, whatever alpha (arXiv 2505.10465, section 2 and its large toys;
    density is the activation density E).

    Raises
    ------
    ValueError
        If some p_i would exceed 1 or grow with i, or n or density is not positive.

    >>> feature_frequencies(4, "linear", 0.0).round(2)
    array([0.4, 0.3, 0.2, 0.1])
    """
    if n < 1 or not density > 0:
        raise ValueError(f"need n >= 1 and density > 0, got n={n}, density={density}")
    falls = {"power": alpha >= 0, "exponential": alpha > 0, "linear": True}
    if law not in falls:
        raise ValueError(f"unknown law {law!r}; allowed: {', '.join(falls)}")
    if not falls[law]:
        raise ValueError(f"frequencies would rise with i: law {law}, alpha={alpha}")
    i = np.arange(1, n + 1, dtype=float)
    if law == "power":
        weights = i**-alpha
    elif law == "exponential":
        weights = np.exp(-i / alpha)
    else:
        weights = n + 1 - i
    p_n = density * weights / weights.sum()
    if p_n[0] > 1 + 1e-12:
        raise ValueError(
            f"density {density} makes a probability exceed 1 at n={n}, law {law}, "
            f"alpha={alpha}; the largest possible density is {density / p_n[0]:.6g}"
        )
    return np.minimum(p_n, 1.0)


def stream_seed(*key: int | float | str) -> int:
    """Return a 63-bit seed from a key of numbers and names, stable across platforms.

    >>> stream_seed(0, "data", 0.5) == stream_seed(0, "data", 0.5)
    True
    """
    words = [int.from_bytes(repr(part).encode(), "little") for part in key]
    state = np.random.SeedSequence(words).generate_state(1, np.uint64)[0]
    return int(state >> np.uint64(1))


@dataclass(frozen=True)
class Cells:
    """The active cells of one batch of D streams, in two orders.

    Attributes
    ----------
    sample_C, feature_C, value_C
        Cells ordered by sample: stream·B + row, stream·n + feature, value.
    flat_C
        Position row·n + feature of each cell in its own slice of the batch.
    sample_start
        (D·B,) first cell of each sample.
    sample_by_feature_C, value_by_feature_C, feature_start
        The same cells ordered by feature; (D·n,) first cell of each feature.
    start
        D·(slices) + 1 cell positions: where each slice of each stream begins.
    """

    sample_C: Tensor
    feature_C: Tensor
    value_C: Tensor
    flat_C: Tensor
    sample_start: Tensor
    sample_by_feature_C: Tensor
    value_by_feature_C: Tensor
    feature_start: Tensor
    start: list[int]


class SparseFeatures:
    """D independent streams of sparse batches, drawn exactly and cheaply.

    Cell (row, i) must be active with probability p_i, independently. Throw
    Poisson(-ln(1 - p_i)·B) darts at the B cells of feature i: the darts in a cell
    are independent Poisson(-ln(1 - p_i)), so it is hit with probability p_i exactly;
    repeated hits count once.

    Parameters
    ----------
    p_Dn
        Activation probabilities in [0, 1], one row per stream.
    batch
        Samples per stream and batch, B.
    seeds
        One integer per stream; equal seeds and probabilities give equal data.
    slice_rows
        Rows per slice of a batch, for `Cells.start`.

    Raises
    ------
    ValueError
        If a probability is outside [0, 1] or the counts do not fit.
    """

    def __init__(
        self,
        p_Dn,
        batch: int,
        seeds: Sequence[int],
        *,
        slice_rows: int | None = None,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        p_Dn = torch.as_tensor(np.asarray(p_Dn), dtype=torch.float64)
        if p_Dn.ndim != 2 or len(p_Dn) != len(seeds) or batch < 1:
            raise ValueError(
                f"need p of shape (streams, n), one seed per stream and batch >= 1; "
                f"got {tuple(p_Dn.shape)}, {len(seeds)} seeds, batch {batch}"
            )
        if not bool(((p_Dn >= 0) & (p_Dn <= 1)).all()):
            raise ValueError("activation probabilities must lie in [0, 1]")
        self.batch, self.seeds = batch, tuple(seeds)
        self.streams, self.n = p_Dn.shape
        self.device, self.dtype = torch.device(device), dtype
        self.slice_rows = slice_rows or batch
        self._certain_Dn = (p_Dn == 1).to(self.device)
        rates = -torch.log1p(-p_Dn.clamp(max=1 - 1e-16)) * batch
        rates[p_Dn == 1] = 0.0  # a certain feature: all its cells, no darts
        self._rate_Dn = rates.to(self.device, torch.float32)
        self._chunk = lru_cache(maxsize=1)(self._draw_chunk)

    def batch_at(self, step: int, *, split: str = "train") -> Cells:
        """Return the batch of one step: a pure function of seeds, split and step."""
        return self._chunk(step // CHUNK, split)[step % CHUNK]

    def _darts(self, stream: int, chunk: int, split: str) -> tuple[Tensor, Tensor]:
        """Return keys ((step·D + stream)·B + row)·n + feature, and values."""
        generator = torch.Generator(device=self.device)
        generator.manual_seed(stream_seed(self.seeds[stream], split, chunk))
        rate = self._rate_Dn[stream].expand(CHUNK, self.n).contiguous()
        count = torch.poisson(rate, generator=generator).to(torch.int64)
        where = torch.arange(CHUNK * self.n, device=self.device)
        where = where.repeat_interleave(count.view(-1))
        row = torch.randint(
            self.batch, where.shape, generator=generator, device=self.device
        )
        if self._certain_Dn[stream].any():
            step = torch.arange(CHUNK, device=self.device) * self.n
            sure = step[:, None] + self._certain_Dn[stream].nonzero()[:, 0]
            sure = sure.view(-1).repeat_interleave(self.batch)
            row = torch.cat((row, torch.arange(len(sure), device=self.device)))
            row %= self.batch
            where = torch.cat((where, sure))
        value = torch.rand(
            where.shape, generator=generator, dtype=self.dtype, device=self.device
        ).mul_(2)
        step = where // self.n
        sample = (step * self.streams + stream) * self.batch + row
        return sample * self.n + (where - step * self.n), value

    def _draw_chunk(self, chunk: int, split: str) -> list[Cells]:
        darts = [self._darts(d, chunk, split) for d in range(self.streams)]
        key, order = torch.cat([k for k, _ in darts]).sort(stable=True)
        fresh = torch.ones_like(key, dtype=torch.bool)
        torch.ne(key[1:], key[:-1], out=fresh[1:])  # repeated hits count once
        key = key[fresh]
        value = torch.cat([v for _, v in darts])[order[fresh]]
        return self._split(key, value)

    def _split(self, key: Tensor, value: Tensor) -> list[Cells]:
        """Cut a chunk's sorted cells into batches, each in both orders."""
        n, rows = self.n, self.streams * self.batch  # rows of one batch
        sample, feature = key // n, key % n
        stream = sample // self.batch
        column = stream * n + feature
        by_feature = column.argsort(stable=True)
        flat = (key - stream * (self.batch * n)) % (self.slice_rows * n)

        def starts(ids: Tensor, size: int) -> Tensor:
            count = torch.bincount(ids, minlength=CHUNK * size)
            return (count.cumsum(0) - count).view(CHUNK, size)

        row_start = starts(sample, rows)
        column_start = starts(column, self.streams * n)
        sample, column = sample % rows, column % (self.streams * n)
        heads = row_start.view(CHUNK, self.streams, self.batch)
        heads = heads[:, :, :: self.slice_rows].reshape(CHUNK, -1).tolist()
        ends = [head[0] for head in heads[1:]] + [len(key)]
        sample_f, value_f = sample[by_feature], value[by_feature]
        cells = []
        for step, (head, end) in enumerate(zip(heads, ends, strict=True)):
            cut = slice(head[0], end)
            cells.append(
                Cells(
                    sample_C=sample[cut],
                    feature_C=column[cut],
                    value_C=value[cut],
                    flat_C=flat[cut],
                    sample_start=row_start[step] - head[0],
                    sample_by_feature_C=sample_f[cut],
                    value_by_feature_C=value_f[cut],
                    feature_start=column_start[step] - head[0],
                    start=[h - head[0] for h in head] + [end - head[0]],
                )
            )
        return cells

    def dense(self, cells: Cells) -> Tensor:
        """Return the (D, B, n) matrix of a batch, for tests and tiny cases."""
        x = torch.zeros(
            self.streams * self.batch, self.n, dtype=self.dtype, device=self.device
        )
        x[cells.sample_C, cells.feature_C % self.n] = cells.value_C
        return x.view(self.streams, self.batch, self.n)
