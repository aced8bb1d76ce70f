"""Forecasts of coverage from few samples: three curves, and a distribution of chances.

Each curve has two parameters and is fitted to the coverage at small N by least squares;
the beta distribution is fitted to counts. Introduced in the chapter on resampling.

Shapes: N numbers of samples, Q problems.
"""

import numpy as np
from scipy.optimize import least_squares, minimize
from scipy.special import betaln, expit

from scaling_core.rl.metrics import pass_at_k
from studies.resampling.budgets import coverage

FORMS = {  # of u = ln N and two free numbers
    "saturating": lambda u, a, b: expit(a) * -np.expm1(-np.exp(b + u)),
    "power law": lambda u, a, b: np.exp(-np.exp(a - np.exp(b) * u)),
    "logistic": lambda u, a, b: expit(a + np.exp(b) * u),
}
STARTS = {  # several, since a fit may stop in the wrong valley
    "saturating": [(-1.0, -2.0), (0.0, -3.0), (1.0, -1.0)],
    "power law": [(0.5, -2.0), (1.0, -1.0), (0.0, -3.0)],
    "logistic": [(-2.0, -1.0), (-1.0, -0.3), (-3.0, -2.0)],
}


def forecast(form: str, N, coverage_N, target: float) -> float:
    """Return the coverage at ``target`` samples by a curve fitted to the given ones.

    ``saturating``: F(1 - e^(-rN)), that is F(1 - (1 - p)^N) with 1 - p = e^(-r)
    (arXiv 2505.20522). ``power law``: -ln C = e^a N^(-e^b) (arXiv 2502.17578).
    ``logistic``: ln C/(1 - C) = a + e^b ln N, a rival of ours as simple.

    >>> N = np.array([1, 2, 4, 8])
    >>> round(forecast("power law", N, np.exp(-2 * N**-0.5), 64), 4)
    0.7788
    """
    u, curve = np.log(N), FORMS[form]
    error = lambda z: curve(u, *z) - coverage_N
    fits = [least_squares(error, z, xtol=1e-12, ftol=1e-12) for z in STARTS[form]]
    best = min(fits, key=lambda found: found.cost)
    return float(curve(np.log(target), *best.x))


def saturation_point(N, coverage_N, gain: float = 1e-3) -> float:
    """Return where the fitted saturating form gains less than ``gain`` by a sample.

    N* = ln(F p/gain)/(-ln(1 - p)), at least 1.
    """
    one, far = (forecast("saturating", N, coverage_N, x) for x in (1.0, 1e12))
    r = -np.log1p(-min(one / far, 1 - 1e-12))
    return float(max(1.0, np.log(one / gain) / r))


def local_exponent(first: float, last: float, ratio: float) -> float:
    """Return -ln(last/first)/ln(ratio): how fast something falls in N.

    >>> local_exponent(0.4, 0.1, 4.0)
    1.0
    """
    return float(-np.log(last / first) / np.log(ratio))


def fit_beta(c_Q: np.ndarray, n: int) -> tuple[float, float]:
    """Return (a, b) of the beta distribution of p, likeliest for c right of n.

    Beta-binomial: ln P(c) = ln B(a + c, b + n - c) - ln B(a, b) + const.
    """
    c, count = np.unique(c_Q, return_counts=True)

    def score(z: np.ndarray) -> np.ndarray:
        a, b = np.exp(np.clip(z, -12, 12))
        return -count @ (betaln(a + c, b + n - c) - betaln(a, b))

    starts = [(-2.0, 0.0), (-1.0, 1.0), (-3.0, -1.0)]
    fits = [minimize(score, z, method="Nelder-Mead", tol=1e-8) for z in starts]
    a, b = np.exp(np.clip(min(fits, key=lambda found: found.fun).x, -12, 12))
    return float(a), float(b)


def beta_failure(a: float, b: float, N) -> np.ndarray:
    """Return the share unsolved after N samples, B(a, b + N)/B(a, b).

    >>> float(beta_failure(1.0, 1.0, 3).round(9))
    0.25
    """
    return np.exp(betaln(a, b + np.asarray(N, dtype=float)) - betaln(a, b))


def exponents(p_Q: np.ndarray, draws: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return exponents of -ln coverage: line, beta, last two octaves, and the truth.

    The first three from ``draws`` samples a problem, the truth from N = 1024 to 4096.
    """
    c_Q = rng.binomial(draws, p_Q)
    k = 2 ** np.arange(int(np.log2(draws)) + 1)
    seen_k = -np.log([pass_at_k(c_Q, draws, int(i)).mean() for i in k])
    line = -np.polyfit(np.log(k), np.log(seen_k), 1)[0]
    ends = np.array([1024, 4096])
    beta = -np.log1p(-beta_failure(*fit_beta(c_Q, draws), ends))
    true = -np.log(coverage(p_Q, ends))
    pairs = [(beta[0], beta[1]), (seen_k[-3], seen_k[-1]), (true[0], true[1])]
    return np.array([line, *(local_exponent(*pair, 4.0) for pair in pairs)])
