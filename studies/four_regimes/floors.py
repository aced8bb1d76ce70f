"""Does a learning curve bend towards a floor? Two laws and Akaike's criterion.

Introduced in the chapter on the four regimes.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import fminbound


def floor_gain(ns: Sequence[float], losses: np.ndarray) -> float:
    """Return AIC of L = A n^-a minus AIC of L = E + A n^-a: above 0 the floor pays.

    Least squares of ln L, so AIC = n ln(RSS/n) + 2k with k constants, the variance of
    the residuals among them (k = 3 and 4), corrected for few points: + 2k(k + 1) /
    (n - k - 1). E lies in [0, 0.999 min L]. With six points a floor must take away all
    but a part in 150 of the squared residuals to pay.

    Raises
    ------
    ValueError
        If there are fewer than six points, too few for the correction with four constants.

    >>> n = np.geomspace(1, 1000, 8) * np.exp([0.01, -0.01] * 4)
    >>> floor_gain(n, 0.5 + 1 / n) > 5, floor_gain(n, 1 / n**0.9) < 0
    (True, True)
    """
    x, y, n = np.log(ns), np.asarray(losses, dtype=float), len(losses)
    if n < 6:
        raise ValueError(f"need six points for four constants; got {n}")

    def rss(share: float) -> float:
        """Return the squared residuals of ln L with a floor of this share of min L."""
        E = share * y.min()
        slope, start = np.polyfit(x, np.log(y - E), 1)
        return float(np.sum((np.log(y) - np.log(E + np.exp(start + slope * x))) ** 2))

    aic = lambda r, k: n * np.log(r / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    best = min(rss(float(np.asarray(fminbound(rss, 0, 0.999)))), rss(0.0))
    return float(aic(rss(0.0), 3) - aic(best, 4))
