"""From layer-by-layer measurements to one number each: halves, centres, growth.

Shapes: ... any leading axes (seeds, checkpoints), L layers (from 0), C checkpoints.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from scaling_core.models.interventions import centre_of_mass


def half_ratio(
    curves: ArrayLike, *, first: int = 1, middle: int | None = None
) -> np.ndarray:
    """Return the mean of layers ``first`` .. ``middle`` - 1 over that of the rest, (...).

    ``first`` = 1 leaves layer 1 out, which writes to a bare embedding; ``middle`` is
    half of the curve's length by default.

    Raises
    ------
    ValueError
        If a half holds no layer.

    >>> half_ratio([9.0, 4.0, 2.0, 2.0]).item()
    2.0
    """
    curves = np.asarray(curves, dtype=float)
    L = curves.shape[-1]
    cut = L // 2 if middle is None else middle
    if not first < cut < L:
        raise ValueError(
            f"need layers before and after {cut}, from {first} on; got {L} layers"
        )
    before, after = curves[..., first:cut], curves[..., cut:]
    return before.mean(axis=-1) / after.mean(axis=-1)


def effect_curve(matrices: ArrayLike) -> np.ndarray:
    """Return the mean effect of each layer but the last on all later ones, (..., L - 1).

    >>> effect_curve([[1.0, 2.0, 4.0], [0.0, 1.0, 5.0], [0.0, 0.0, 1.0]])
    array([3., 5.])
    """
    matrices = np.asarray(matrices, dtype=float)
    L = matrices.shape[-1]
    means = [matrices[..., s, s + 1 :].mean(axis=-1) for s in range(L - 1)]
    return np.stack(means, axis=-1)


def all_halves(cell: Mapping, *, middle: int) -> dict[tuple[str, int], np.ndarray]:
    """Return each `half_ratio` of a cell of `measure_kind`, without layer 1 and with.

    Keys: what, and how many layers are left out at the start (1, 0).
    """
    curves = dict(
        contribution=cell["contribution"],
        turn=cell["angle"],
        skip=effect_curve(cell["skip_future"]),
        output=cell["output_future"],
        local=effect_curve(cell["local"]),
    )
    return {
        (name, first): half_ratio(curve, first=first, middle=middle)
        for name, curve in curves.items()
        for first in (1, 0)
    }


def relative_centre(curves: ArrayLike, *, first: int = 0) -> np.ndarray:
    """Return the centre of mass from layer ``first`` (0) to the last (1), (...).

    >>> relative_centre([[0.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    array([1. , 0.5])
    """
    rows = np.asarray(curves, dtype=float)[..., first:]
    centres = np.apply_along_axis(centre_of_mass, -1, rows, first=0)
    return centres / (rows.shape[-1] - 1)


def growth_exponent(mean_square: ArrayLike, *, first: int = 2) -> np.ndarray:
    """Return the log-log slope of the values of h_l on l, from l = ``first``, (...).

    ``mean_square`` holds those of h_0 .. h_L.

    >>> growth_exponent(np.arange(9.0) ** 2).round(6).item()
    2.0
    """
    y = np.log(np.asarray(mean_square, dtype=float)[..., first:])
    x = np.log(np.arange(first, first + y.shape[-1]))
    x = x - x.mean()
    return (y @ x) / (x @ x)


def even_steps(mean_square: ArrayLike, *, first: int = 1) -> np.ndarray:
    """Return values of h_0 .. h_L with equal steps from h_``first`` on, (..., L + 1).

    What independent writes of one size give between the same h_first and h_L: the null
    of a trained model whose first layer is large.

    >>> even_steps([1.0, 4.0, 9.0, 8.0])
    array([1., 4., 6., 8.])
    """
    values = np.array(mean_square, dtype=float)
    steps = values.shape[-1] - first
    ends = values[..., first], values[..., -1]
    values[..., first:] = np.linspace(*ends, steps, axis=-1)
    return values


def exponential_over_power(mean_square: ArrayLike, *, first: int = 2) -> float:
    """Return AIC(power law) - AIC(exponential) for the growth of h_l with l.

    Straight lines of log y on log l and on l, from l = ``first``: n·log(RSS_p/RSS_e),
    positive if the exponential describes the growth better. ``mean_square`` are the
    values of h_0 .. h_L.

    >>> exponential_over_power(np.exp(np.arange(9.0))) > 50
    True
    >>> exponential_over_power(np.arange(9.0) ** 2) < -50
    True
    """
    values = np.asarray(mean_square, dtype=float)[first:]
    if len(values) < 3:
        raise ValueError(f"needs three layers, got {len(values)} from {first} on")
    layers = np.arange(first, first + len(values))
    rss = []
    for x in (np.log(layers), layers):
        line = np.polynomial.Polynomial.fit(x, np.log(values), 1)
        rss.append(np.square(np.log(values) - line(x)).sum() + 1e-24)
    return float(len(values) * np.log(rss[0] / rss[1]))


def at_loss(losses_SC: ArrayLike, values_SC: ArrayLike, target_S: ArrayLike):
    """Return values where each run first reached a loss, (S,).

    Linear in the loss between checkpoints; a loss that rises again counts as the best
    so far.

    Raises
    ------
    ValueError
        If a run never reached its target.

    >>> at_loss([[4.0, 2.0, 1.0]], [[0.0, 1.0, 3.0]], [1.5])
    array([2.])
    """
    best_SC = np.minimum.accumulate(np.asarray(losses_SC, dtype=float), axis=1)
    found = []
    rows = zip(best_SC, np.asarray(values_SC), np.asarray(target_S), strict=True)
    for best, values, target in rows:
        if target < best[-1]:
            raise ValueError(f"loss {target:.4g} was not reached; best {best[-1]:.4g}")
        found.append(np.interp(-target, -best, values))
    return np.array(found)
