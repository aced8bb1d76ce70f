"""Networks of growing width against their linear limit, at fixed data.

Networks of one hidden layer in NTK form, centred (f(x) - f0(x), f0 the function at the
start), learn n digits by full-batch gradient descent with step η on half the mean
squared error. A linear model with kernel Θ follows the same descent in closed form:

    f_t(x) = Θ(x, X) a,   a = (η/n) Σ_{s<t} (1 - ηΘ/n)^s y .

Θ is that of infinite width (arcs of cosines, no network) or J J' of the network at its
start (arXiv 2102.06701, Sec. 2.1; 1902.06720). Introduced in the chapter on the four
regimes.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from scaling_core.data.images import Images
from scaling_core.models.mlp import MLPConfig, MLPEnsemble


def config_of(inputs: int, width: int) -> MLPConfig:
    """Return the chapter's network: one hidden layer of ReLUs, one output, NTK form."""
    return MLPConfig((inputs, width, 1), loss="squared", ntk=True)


def infinite_kernel(a_NI: np.ndarray, b_MI: np.ndarray) -> np.ndarray:
    """Return the tangent kernel of `config_of` at infinite width, (N, M).

    K = 2 a·b / I, cos φ = K / norms: the last weights give norms (sin φ + (π - φ) cos φ)
    / 2π, the first (1 + K)(π - φ) / 2π, the last bias 1 (arXiv 1806.07572).

    >>> infinite_kernel(np.ones((1, 4)), np.ones((1, 4))).round(6).tolist()  # 1 + 3/2 + 1
    [[3.5]]
    """
    scale = 2 / a_NI.shape[1]
    lengths = [np.sqrt(scale * np.square(v).sum(axis=1)) for v in (a_NI, b_MI)]
    norms = np.outer(*lengths)
    K = scale * a_NI @ b_MI.T
    cosine = np.clip(K / norms, -1, 1)
    left = np.pi - np.arccos(cosine)
    last = norms * (np.sqrt(1 - cosine**2) + left * cosine) / (2 * np.pi)
    return last + (1 + K) * left / (2 * np.pi) + 1


def tangent_kernel(
    config: MLPConfig, theta_P: Tensor, a_NI: Tensor, b_MI: Tensor
) -> Tensor:
    """Return J(a) J(b)' of one network of `config_of`, (N, M), by hand.

    With h the hidden layer, v the last weights and g = v 1[h > 0] / √w:
    h·h' / w + (1 + 2 x·x' / I) g·g' + 1, a term for each layer and the last bias.
    """
    (W, bias), (v, _) = config.layers(theta_P)
    first, last = config.stds
    h_a, h_b = (torch.relu(x @ (first * W) + bias) for x in (a_NI, b_MI))
    g_a, g_b = (h.sign() * (last * v[:, 0]) for h in (h_a, h_b))
    inputs = 1 + first**2 * (a_NI @ b_MI.T)
    return last**2 * (h_a @ h_b.T) + inputs * (g_a @ g_b.T) + 1


def linear_descent(
    kernel_NN: Tensor, y_N: Tensor, *, lr: float, steps: Sequence[int]
) -> Tensor:
    """Return the coefficients a after each number of steps, (steps, N), float64.

    Raises
    ------
    ValueError
        If the step is so long that the descent does not converge.

    >>> a = linear_descent(torch.tensor([[2.0]]), torch.ones(1), lr=0.25, steps=[1, 2])
    >>> a.ravel().tolist()  # 1/4, and 1/4 + 1/8
    [0.25, 0.375]
    """
    n = len(kernel_NN)
    eigenvalues, basis = torch.linalg.eigh(kernel_NN.double())
    rate = lr * eigenvalues.clamp(min=0) / n
    if rate.max() >= 2:
        raise ValueError(f"lr={lr} is beyond 2 n / largest eigenvalue: no descent")
    start = basis.T @ y_N.double()
    rows = []
    for t in steps:
        total = (1 - (1 - rate) ** t) / rate.clamp(min=1e-12)
        total = torch.where(rate > 1e-9, total, float(t))
        rows.append(basis @ (lr / n * total * start))
    return torch.stack(rows)


def linear_outputs(
    config: MLPConfig, theta_P: Tensor, x_NI: Tensor, y_N: Tensor, x_test: Tensor, **how
) -> Tensor:
    """Return the linearised network's outputs at ``x_test``, (steps, tests)."""
    kernel = tangent_kernel(config, theta_P, torch.cat([x_NI, x_test]), x_NI)
    n = len(x_NI)
    return linear_descent(kernel[:n], y_N, **how).to(kernel) @ kernel[n:].T


def parity_digits(digits: Images, n: int, *, test: int, seed: int) -> list[Tensor]:
    """Return x and y of n examples, and of a test set.

    Pixels have a mean square of one over all digits; y is +1 for odd digits, else -1.
    """
    order = np.random.default_rng([seed, 23]).permutation(len(digits))[: n + test]
    scale = np.sqrt(np.mean(np.square(digits.flat)))
    x = torch.from_numpy(digits.flat[order] / scale)
    y = torch.from_numpy(2 * (digits.y[order] % 2) - 1).to(x)
    return [x[:n], y[:n], x[n:], y[n:]]


def width_losses(
    digits: Images,
    *,
    widths: Sequence[int],
    starts: int,
    linear_starts: int,
    steps: int,
    seed: int,
    examples: int = 100,
    test: int = 500,
    lr: float = 0.25,
    device: str = "cpu",
) -> dict[str, np.ndarray]:
    """Return test losses, half squared errors, after half and after all of the steps.

    Returns
    -------
    ``trained`` (2, widths, starts), half first; ``linear`` (2, widths, linear starts),
    whose first ones are the starts of ``trained``; ``spread`` and ``linear_spread``
    (2, widths), half the variance of outputs over starts; ``limit`` (2,).
    """
    data = parity_digits(digits, examples, test=test, seed=seed)
    x, y, x_test, y_test = (part.to(device) for part in data)
    how: dict = dict(lr=lr, steps=sorted({max(1, steps // 2), steps}))
    loss = lambda f: (f.to(y) - y_test).square().mean(-1).div(2).cpu().numpy()
    limit = infinite_kernel(
        *(v.double().cpu().numpy() for v in (torch.cat([x, x_test]), x))
    )
    kernel = torch.from_numpy(limit).to(device)
    a = linear_descent(kernel[:examples], y, **how)
    seeds = [1000 * seed + start for start in range(max(starts, linear_starts))]
    spread = lambda f: f.var(1).mean(-1).div(2).cpu().numpy()
    found = {"trained": [], "linear": [], "spread": [], "linear_spread": []}
    for w in widths:
        config = config_of(x.shape[1], w)
        linear = [
            linear_outputs(config, theta, x, y, x_test, **how)
            for theta in centred(config, x, y, seeds).parameters
        ]
        linear = torch.stack(linear, 1)
        model = centred(config, x, y, seeds[:starts])
        trained = descend(model, examples, x_test, **how)
        found["trained"].append(loss(trained))
        found["linear"].append(loss(linear))
        found["spread"].append(spread(trained))
        found["linear_spread"].append(spread(linear))
    found = {name: np.stack(rows, 1) for name, rows in found.items()}
    return found | {"limit": loss(a @ kernel[examples:].T)}


def steadied(trained: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """Return mean losses of networks over starts (last axis), steadied by linear models.

    The networks' mean, plus what the mean over all linear models exceeds that over the
    models of the networks' own starts: a control variate of weight one, without bias.

    >>> float(steadied(np.array([3.0]), np.array([2.0, 4.0])))  # the start was lucky
    4.0
    """
    own = linear[..., : trained.shape[-1]]
    return trained.mean(-1) + linear.mean(-1) - own.mean(-1)


def centred(config: MLPConfig, x: Tensor, y: Tensor, seeds) -> MLPEnsemble:
    """Return networks whose targets are y plus their own outputs at the start."""
    n, G = len(x), len(seeds)
    model = MLPEnsemble(
        config,
        x.repeat(G, 1).cpu(),
        y.repeat(G).cpu()[:, None],
        [range(i * n, i * n + n) for i in range(G)],
        batch=n,
        seeds=seeds,
        device=x.device,
    )
    model.targets += model.outputs(x.cpu()).reshape(G * n, 1)
    return model


def descend(model: MLPEnsemble, n: int, x: Tensor, *, lr: float, steps) -> Tensor:
    """Descend in place; return centred outputs at x, (steps, networks, len(x))."""
    first, kept, rows = model.outputs(x.cpu()), [], model.data.batch_at(0)
    for step in range(1, max(steps) + 1):
        model.parameters -= lr * model.gradient(rows)
        if step in steps:
            kept.append(model.outputs(x.cpu()) - first)
    return torch.stack(kept)[..., 0]
