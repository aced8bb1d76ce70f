"""Cost of one training step of the superposition toy, against a floor and a peer.

    python benchmarks/superposition.py --json

CPU milliseconds per model and step, one thread, n = 1000, batch 2048, alpha = 1.
ours: the whole step of a batch of five gammas (sampling, gradient, decay, Adam).
floor: the three dense products alone, in the fastest of the layouts tried.
baseline: the plain way, an nn.Module with autograd, AdamW and dense sampling.
"""

import argparse
import json
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from scaling_core.models.sparse_features import feature_frequencies
from scaling_core.models.superposition import (
    SLICE_BYTES,
    ToyConfig,
    ToyEnsemble,
)
from scaling_core.training.ensemble import Adam
from scaling_core.training.settings import Training

N, BATCH, ALPHA = 1000, 2048, 1.0
GAMMAS = (-1.0, -0.556, -0.111, 0.111, 0.556)
WIDTHS = (10, 39, 100)


def cpu_ms(step, *, steps: int, rounds: int = 3) -> float:
    """Return CPU milliseconds per call, the best of several rounds after a warm-up."""
    for i in range(3):
        step(i)
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for i in range(steps):
            step(i)
        best = min(best, time.process_time() - start)
    return best / steps * 1e3


def ours_ms(m: int, steps: int) -> float:
    """Time our whole step, per model."""
    model = ToyEnsemble(
        ToyConfig(n=N, m=m, alphas=(ALPHA,), gammas=GAMMAS), batch=BATCH
    )
    training = Training(steps=20_000, lr=1e-2, floor=0.05)
    adam = Adam(model.parameters)
    counter = iter(range(10**9))

    def step(_):
        number = next(counter)  # never the same batch: sampling is paid for
        lr = training.lr_at(number)
        gradient = model.gradient(model.data.batch_at(number))
        model.decay_(lr)
        adam.step(gradient, lr)

    return cpu_ms(step, steps=steps) / len(GAMMAS)


def floor_ms(m: int, steps: int) -> float:
    """Time z = hP, dP = hᵀz and dh = zPᵀ alone: best over slices and layouts."""
    best = float("inf")
    for rows in (SLICE_BYTES // (4 * N), 1024, BATCH):
        sizes = [min(rows, BATCH - r) for r in range(0, BATCH, rows)]
        h, P, z = torch.randn(rows, m + 1), torch.randn(m + 1, N), torch.empty(rows, N)
        gradient, dh = torch.empty(m + 1, N), torch.empty(m, rows)
        wide = [torch.empty(N, rows), torch.empty(N, m + 1), torch.empty(rows, m)]
        tall = P.T.contiguous()

        def by_width(_):  # W stored m x n
            for size in sizes:
                torch.mm(h[:size], P, out=z[:size])
                torch.mm(h[:size].T, z[:size], out=gradient)
                torch.mm(P[:m], z[:size].T, out=dh[:, :size])

        def by_feature(_):  # W stored n x m
            for size in sizes:
                torch.mm(h[:size], tall.T, out=z[:size])
                torch.mm(z[:size].T, h[:size], out=wide[1])
                torch.mm(z[:size], tall[:, :m], out=wide[2][:size])

        for layout in (by_width, by_feature):
            best = min(best, cpu_ms(layout, steps=steps))
    return best


class PlainToy(torch.nn.Module):
    """The toy as one would first write it."""

    def __init__(self, n: int, m: int):
        super().__init__()
        self.W = torch.nn.Parameter(torch.randn(n, m) / m**0.5)
        self.bias = torch.nn.Parameter(torch.randn(n))

    def forward(self, x):
        return torch.relu(x @ self.W @ self.W.T + self.bias)


def baseline_ms(m: int, steps: int) -> float:
    """Time autograd, AdamW and dense sampling, one model."""
    torch.manual_seed(0)
    p = torch.tensor(feature_frequencies(N, "power", ALPHA), dtype=torch.float32)
    model = PlainToy(N, m)
    groups = [
        dict(params=[model.W], weight_decay=0.1),
        dict(params=[model.bias], weight_decay=0.0),
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20_000)

    def step(_):
        x = (torch.rand(BATCH, N) < p) * torch.rand(BATCH, N) * 2
        loss = torch.nn.functional.mse_loss(model(x), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()

    return cpu_ms(step, steps=steps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--steps", type=int, default=32)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for m in WIDTHS:
        times = [f(m, options.steps) for f in (ours_ms, floor_ms, baseline_ms)]
        names = ("ours_ms", "floor_ms", "baseline_ms")
        rows.append(
            dict(m=m) | dict(zip(names, (round(t, 3) for t in times), strict=True))
        )
    if options.json:
        print(json.dumps({"benchmark": "superposition", "rows": rows}, indent=1))
        return
    print(f"{'m':>4} {'ours':>8} {'floor':>8} {'baseline':>9}  over floor  speed-up")
    for row in rows:
        ours, floor, peer = (row[k] for k in names)
        print(
            f"{row['m']:>4} {ours:8.2f} {floor:8.2f} {peer:9.2f}"
            f"  {ours / floor:9.2f}x  {peer / ours:7.1f}x"
        )


if __name__ == "__main__":
    main()
