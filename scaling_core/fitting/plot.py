"""Draw a fit; matplotlib is imported when a figure is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from .law import Array, Law
from .problem import Optimum
from .uncertainty import band

BAND = "95 % band, model error not included"  # the curves run beyond the data


def curves(law: Law, data: dict[str, Array]) -> list[tuple[str, dict[str, Array]]]:
    """Return up to four curves along the law's first variable: label, columns.

    The other variables are held at quantiles of the data; the first runs over its
    range and one decade beyond.
    """
    first, *others = law.variables
    x = np.geomspace(data[first].min(), 10 * data[first].max(), 120)
    if not others:
        return [("fit", {first: x})]
    levels = np.unique(np.quantile(data[others[0]], [0.05, 0.35, 0.65, 0.95]))
    found = []
    for level in levels:
        columns = {name: np.full_like(x, np.median(data[name])) for name in others}
        columns |= {first: x, others[0]: np.full_like(x, level)}
        found.append((f"{others[0]} = {level:.2g}", columns))
    return found


def plot_fit(result: Optimum, ax: Any = None):
    """Draw points, curves and 95 % bands on log-log axes; return the axes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    if ax is None:
        figure = Figure(figsize=(6.4, 4.2), facecolor="white", layout="constrained")
        ax = figure.subplots()
    law, data = result.law, dict(result.problem.data)
    first, target = law.variables[0], law.target
    drawn = curves(law, data)
    shades = mpl.colormaps["viridis"](np.linspace(0.1, 0.85, len(drawn)))
    for i, ((label, at), shade) in enumerate(zip(drawn, shades, strict=True)):
        ax.plot(at[first], result.predict(at), color=shade, label=label)
        said = BAND if i == 0 else None
        ends = band(result, at)
        ax.fill_between(at[first], *ends, color=shade, alpha=0.2, lw=0, label=said)
    ax.plot(data[first], data[target], "o", ms=3, color="#444444", label="data")
    ax.set(xscale="log", yscale="log", xlabel=first, ylabel=target)
    ax.legend(fontsize=8, frameon=False)
    return ax
