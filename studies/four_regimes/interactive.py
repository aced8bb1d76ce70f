"""The chapter's interactive figure: four regimes, a slider over the features."""

from collections.abc import Sequence

import numpy as np

from scaling_core.base.interactive import (
    LOOK,
    interactive_html,
    show_interactive,
    slider,
)
from studies.four_regimes.random_features import (
    four_regimes,
    learning_curve,
    least_squares_loss,
    power_spectrum,
)


def regimes_figure(
    decays: Sequence[float],
    Ps: Sequence[int],
    Ds: Sequence[int],
    *,
    S: int,
    draws: int,
    seed: int,
    colors: dict[str, str],
):
    """Return plotly's figure: L(P, D) against D, a panel per decay of the spectrum.

    Full lines are the theory, points the mean of simulated draws; dashed is L(P, D) -
    L(P), the excess over infinite data, and dotted L(P). The slider changes P.
    """
    from plotly.subplots import make_subplots  # only the extra that makes books

    titles = [
        f"i^-{1 + decay:g}" for decay in decays
    ]  # of the spectrum, short for phones
    figure = make_subplots(1, len(decays), subplot_titles=titles, shared_yaxes=True)
    rng, start = np.random.default_rng(seed), len(Ps) // 2
    grid = np.unique(np.geomspace(min(Ds), max(Ds), 80).round().astype(int))
    for i, P in enumerate(Ps):
        for column, decay in enumerate(decays, 1):
            spectrum = power_spectrum(S, decay)
            place = dict(row=1, col=column, visible=i == start)
            far = [D for D in Ds if not 0.8 < D / P < 1.25]  # no mean loss near P
            runs = [
                least_squares_loss(spectrum, P, far, rng=rng)[1] for _ in range(draws)
            ]
            line = four_regimes(spectrum, P, grid, bottom=0.1 * P)
            limit = learning_curve(spectrum, [P])[0]
            _add(figure, grid, line, place, colors["theory"])
            _add(figure, grid, 0 * grid + limit, place, colors["limit"], dash="dot")
            excess = np.where(grid > P, line - limit, np.nan)
            _add(figure, grid, excess, place, colors["excess"], dash="dash")
            dots = dict(mode="markers", marker=dict(color=colors["ours"], size=7))
            y = np.mean(runs, axis=0)
            figure.add_scatter(x=far, y=_plain(y), **dots, **place)
    return _dress(figure, Ps, start, 4 * len(decays), colors)


def _add(figure, x, y, place: dict, color: str, dash: str = "solid") -> None:
    line = dict(color=color, width=2, dash=dash)
    figure.add_scatter(x=x.tolist(), y=_plain(y), mode="lines", line=line, **place)


def _plain(y) -> list:
    return [None if np.isnan(v) else float(f"{v:.4g}") for v in y]


def _dress(figure, Ps, start: int, traces: int, colors: dict[str, str]):
    """Add axes, slider and the key of colours."""
    figure.update_xaxes(type="log", title_text="D", dtick=1, gridcolor="#EEEEEE")
    figure.update_yaxes(type="log", gridcolor="#EEEEEE", exponentformat="power")
    figure.update_yaxes(title_text="loss", col=1)
    labels = [f"{P}" for P in Ps]
    steps = slider(labels, start=start, traces=traces, prefix="features P: ")
    names = dict(ours="simulated", theory="theory", excess="excess over infinite data")
    names["limit"] = "infinite data"
    keys = [f"<b style='color:{colors[k]}'>{v}</b>" for k, v in names.items()]
    text = f"{', '.join(keys[:2])} of D examples, by spectrum<br>{', '.join(keys[2:])}"
    look: dict = LOOK | dict(showlegend=False, margin=dict(l=65, r=15, t=95, b=50))
    return figure.update_layout(
        title=dict(text=text, font_size=13), sliders=[steps], **look
    )


def show(*args, **options) -> None:
    """Display the figure of `regimes_figure` in a notebook."""
    label = (
        "Interactive figure: loss against the number of examples for three spectra. It "
        "falls as a power law, peaks where examples equal features, and falls to the "
        "loss of infinite data with slope one; a slider changes the features."
    )
    show_interactive(
        lambda: interactive_html(
            regimes_figure(*args, **options), div="fr-interactive", label=label
        )
    )
