"""Approach 2 on a known surface, in closed form (arXiv 2603.22339); C = 6 N D, D tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scaling_core.fitting import Chinchilla
from scaling_core.fitting.laws import FLOPS


def approach2_bias(alpha: float, beta: float, w: Any) -> float:
    """Return log10 of Approach 2's N* over the true N*, without noise.

    ``w`` are log10 offsets of the sizes from the true optimum, symmetric about
    zero. The chapter's second equation; D* is off by the negative.

    >>> w = np.linspace(-1, 1, 15) * np.log10(16)
    >>> round(100 * (10 ** -approach2_bias(0.34, 0.28, w) - 1), 2)
    -5.1
    """
    w = np.asarray(w, dtype=float)
    if np.abs(np.sort(w) + np.sort(w)[::-1]).max() > 1e-9 * np.abs(w).max():
        raise ValueError("w must be symmetric about zero; simulate other grids")
    spread = w**2 - np.mean(w**2)
    arm = np.log(10) * w
    S = lambda x: np.sum(w * np.sinh(x * arm))
    K = lambda x: np.sum(spread * np.cosh(x * arm))
    shift = (beta * S(alpha) - alpha * S(beta)) / (beta * K(alpha) + alpha * K(beta))
    return float(shift * np.sum(spread**2) / (2 * np.sum(w**2)))


def simulate_isoflop(
    params: Mapping[str, float],
    *,
    budgets: Any = None,
    width: float = 4.0,
    n: int = 15,
    offset: float = 1.0,
    drift: float = 1.0,
    noise: float = 0.0,
    rng: np.random.Generator | None = None,
) -> dict[str, np.ndarray]:
    """Return losses of a Chinchilla surface on log-spaced sizes around each budget's optimum.

    Sizes run from centre / ``width`` to centre * ``width``; the centre of D is the optimum
    times ``offset``, times a factor that grows log-linearly from 1 (lowest budget) to
    ``drift``; ``noise`` is the standard deviation of additive noise on L.

    >>> data = simulate_isoflop(dict(E=1.69, A=400, B=400, alpha=0.31, beta=0.31), n=3)
    >>> len(data["L"]), sorted(data)
    (15, ['C', 'D', 'L', 'N'])
    """
    law, budgets = Chinchilla(), np.logspace(17, 21, 5) if budgets is None else budgets
    budgets = np.asarray(budgets, dtype=float)
    place = np.linspace(0, 1, len(budgets)) if len(budgets) > 1 else np.zeros(1)
    centre = law.optimum(params, budgets, FLOPS)["D"] * offset * drift**place
    D = centre[:, None] * np.geomspace(1 / width, width, n)
    C = np.broadcast_to(budgets[:, None], D.shape)
    data = {"N": (C / (FLOPS * D)).ravel(), "D": D.ravel(), "C": C.ravel().copy()}
    data["L"] = law.predict(params, data)
    if noise:
        rng = rng or np.random.default_rng(0)
        data["L"] = data["L"] + noise * rng.normal(size=D.size)
    return data


def deadweight_loss(params: Mapping[str, float], C: float, *, D: float) -> float:
    """Return the share of compute C wasted by training on D tokens instead of the best.

    ``1 - C_eq / C`` where C_eq would reach the same loss if split well:
    ``C_eq = 6 ((L - E) / K)^(-(alpha + beta)/(alpha beta))``, ``K = A G^-alpha + B G^beta``.
    Source: arXiv 2603.22339.

    >>> p = dict(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    >>> best = Chinchilla().optimum(p, 1e21)
    >>> bool(abs(deadweight_loss(p, 1e21, D=best["D"])) < 1e-12)
    True
    """
    N = C / (FLOPS * D)
    alpha, beta, G = params["alpha"], params["beta"], Chinchilla().derived(params)["G"]
    reached = params["A"] * N**-alpha + params["B"] * D**-beta
    K = params["A"] * G**-alpha + params["B"] * G**beta
    return float(1 - FLOPS * (reached / K) ** (-(alpha + beta) / (alpha * beta)) / C)
