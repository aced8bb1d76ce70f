# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---
# %% [markdown]
# # What reinforcement learning adds, and what a knob gives
#
# A language model that has been trained on text is trained on: it answers, a
# checker says right or wrong, and right answers are made more likely. How does
# what this *reinforcement learning* (RL) brings grow with compute and with size
# {cite:p}`tan2025scaling,khatri2025art`? Does it teach the model something, or does it
# only pick among what the model does already
# {cite:p}`zhao2025echo,qin2025backtrack,chen2025rethinking`?
#
# We ask it of the papers' own numbers, and of small models that are trained here
# from nothing. **Some of what RL does, a knob does without training**: a lower
# *temperature* makes a model repeat its favourite answers, too. So beside every
# claim stands what that knob, rewards that say nothing, or stopping earlier gives.

# %% tags=["hide-input", "setup"]
import importlib.util
import os
import subprocess
import sys

REPOSITORY = "https://github.com/scaling-replicated/scaling-replicated"
# The rendered page pins the commit it was built from.
COMMIT = "main"
if importlib.util.find_spec("scaling_book") is None:  # Colab, Binder
    subprocess.run(["git", "clone", REPOSITORY, "book"], check=True)
    os.chdir("book")
    subprocess.run(["git", "checkout", COMMIT], check=True)
    install = [sys.executable, "-m", "pip", "install", "-e", ".[book]"]
    subprocess.run(install, check=True)
    sys.path.insert(0, os.getcwd())

# %% tags=["parameters", "remove-cell"]
profile = ""

# %% [markdown]
# ## The claims
#
# <!-- claims:cards -->
#
# ## What is replicated, and what is not
#
# Steps 1 to 3 re-fit numbers that the papers published: points read off a figure,
# fitted parameters of a table, arrays of a repository. Nothing is trained for
# them, and nothing in them is by chance.
#
# From step 4 on models are trained. They have two layers, add numbers of two
# digits or play a small CountDown, and their answers are checked exactly. The
# papers' models are a thousand to a million times larger and write pages. So
# *statements* are tested, not numbers.
#
# A run of 100 000 GPU-hours, models of 150M parameters and more, long chains of
# thought {cite:p}`redstar2025redstar` and agents on the web
# {cite:p}`shen2025thinking` are out of reach, and so is what the precision of the
# last layer does (Section 3.2 of {cite:t}`khatri2025art`), for which a sampler and
# a trainer must round differently.

# %% tags=["hide-input"]
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from scaling_book.api import COLORS, MARKERS, SERIES, Chapter
from scaling_core.data.published import load_published
from scaling_core.fitting import SaturatingK
from scaling_core.rl.metrics import pass_at_k
from studies.rl import published, search
from studies.rl.gradients import largest_difference

# Sizes of the papers' models where a figure has four of them.
SIZE_COLORS = [*SERIES[3:], "#882255"]

# %% tags=["hide-input"]
chapter = Chapter("rl", profile=profile)
sizes = chapter.sizes(
    seeds=dict(smoke=1, cpu=5, gpu=10),
)
seeds = chapter.seeds(sizes.seeds)
print(f"{chapter.profile} on {chapter.device}, {sizes.seeds} seed(s)")

# %% [markdown]
# ## Theory in five lines
#
# **RL with a checker.** A model draws $G$ answers $y_i$ to a question, each worth
# $r_i = 1$ if right and 0 if not. The *advantage* of an answer is how much better
# it is than its group, $A_i = (r_i - \bar r)/\mathrm{std}(r)$. GRPO raises
#
# $$
# \frac1G \sum_i A_i \sum_t \log p_\theta(y_{i,t} \mid y_{i,<t}) ,
# $$ (eq-rl-grpo)
#
# and groups that are all right or all wrong say nothing. Where a draw is used for
# several updates, the ratio $\rho = p_\theta / p_{old}$ of each token enters, and is
# *clipped* near 1. CISPO and GSPO are other ways to do that.
#
# **Two laws.** Let $R$ be the *pass rate*, the share of right answers, $L = 1 - R$,
# and $C$ the compute spent on RL. {cite:t}`tan2025scaling` have a power law whose
# exponent grows with the number $N$ of parameters, with an intercept per size:
#
# $$
# \ln L = E_N - k(N) \ln C , \qquad k(N) = \frac{K_{max}}{1 + N_0/N} .
# $$ (eq-rl-k)
#
# {cite:t}`khatri2025art` have a sigmoid in $\ln C$ from the start rate $R_0$ to a
# *ceiling* $A$, half-way at $C_{mid}$, with steepness $B$:
#
# $$
# R = R_0 + \frac{A - R_0}{1 + (C_{mid}/C)^B} .
# $$ (eq-rl-sigmoid)
#
# The first says that $L$ falls for ever, the second that it stops at $1 - A$.
#
# **pass@k** is the chance that $k$ answers hold a right one. With $c$ right ones
# among $n$ it is estimated without bias by
#
# $$
# \mathrm{pass@}k = 1 - \binom{n-c}{k} \Big/ \binom{n}{k} .
# $$ (eq-rl-pass)
#
# pass@1 is the pass rate; pass@k for large $k$ is called *coverage*. A
# *temperature* $\tau$ divides the logits before answers are drawn: below 1 the
# model repeats what it likes best, above 1 it tries more.
#
# ## Known truth first
#
# Three things must come out as they are known: {eq}`eq-rl-pass`, by counting;
# both laws, from data that follow them; and that the three losses are one, as
# long as answers are the model's own.

# %%
chapter.section("Known truth")
n, right, k = 8, 3, 2
counted = np.mean([min(pair) < right for pair in combinations(range(n), k)])
rng = np.random.default_rng(0)

N, C = np.meshgrid([1e9, 3e9, 7e9, 14e9, 72e9], np.geomspace(1e17, 1e21, 12))
noise = 0.003 * rng.standard_normal(N.size)
L = np.exp(2 - 0.13 / (1 + 13e9 / N.ravel()) * np.log(C.ravel())) + noise
law = published.joint_fit(dict(N=N.ravel(), X=C.ravel(), L=L)).params
curve = published.printed_curve("batch 2048", 1_500, 50_000, R_0=0.2)
grid = published.sigmoid_grid(*curve, R_0=0.2)

# %% tags=["nbval-check-output"]
print(f"pass@2 of 3 in 8: {pass_at_k(np.array([right]), n, k)[0]:.3f}")
print(f"the same, counted: {counted:.3f}")
print(f"K_max put in 0.13, found {law['K_max']:.2f}")
print(f"A put in 0.645, found {grid['A']:.3f}")

# %% tags=["hide-input"]
own = max(largest_difference(0.0, seed=seed) for seed in range(5))
moved = [largest_difference(0.01, seed=seed) for seed in range(5)]
chapter.record(
    "rl.losses-coincide",
    value=own,
    tolerance_of="largest difference over the clipped gradient's norm",
)
chapter.glue("rl-moved", np.mean(moved), ".1f")

# %% [markdown]
# **The tools return what was put in.** And the three losses coincide on the
# policy's own samples. Once updates have moved each token's log-probability by a
# hundredth (standard deviation), the largest difference is
# {glue:text}`rl-moved` of the clipped gradient, each loss with bounds of its own
# paper's kind. To compare losses with one update per draw is to compare nothing.
#
# ## The experiment
#
# ### Step 1: the law of size, fitted again
#
# The authors' table of runs is not public. We read 622 points off their figure,
# seven base models from 0.5B to 72B parameters, and fit {eq}`eq-rl-k` to all at
# once by **least squares of $L$**, as the code in their repository does.
# Everything in this step is fitted so, unless it says otherwise.

# %%
chapter.section("Tan et al.")
points = published.tan_points()
fitted = published.joint_fit(points).params
forecast = published.forecast(points)  # of the largest, from all others
objectives = published.k_max_by_objective(points)
left_out = published.k_max_without_each_size(points)
explained = published.explained(points)

# %% tags=["hide-input"]
model_sizes, slopes = published.free_slopes(points)
smaller = published.pick(points, points["N"] < model_sizes[-1])
without_largest = published.joint_fit(smaller).params
printed = load_published("rl_tan_fits").iloc[0]
theirs = dict(K_max=printed.K_max, N_0=printed.N_0_billions * 1e9)
robust = published.forecast(points, published.OBJECTIVES["log-Huber"])
chapter.glue("rl-n0", fitted["N_0"] / 1e9, ".1f")
chapter.glue("rl-free", forecast.free, ".3f")
chapter.glue("rl-line", forecast.line, ".3f")
chapter.glue("rl-line-short", forecast.line_without_smallest, ".3f")
chapter.glue("rl-jack-low", min(left_out.values()), ".3f")
chapter.glue("rl-jack-high", max(left_out.values()), ".3f")
chapter.glue("rl-robust", robust.law, ".3f")

# %% tags=["hide-input"]
chapter.record(
    "rl.tan-refit", value=fitted["K_max"], tolerance_of="K_max of all sizes"
)
chapter.record(
    "rl.tan-forecast",
    value=forecast.law,
    tolerance_of="k at 72B, from 32B down",
)
chapter.record(
    "rl.tan-rival",
    value=published.rival_ratio(forecast),
    tolerance_of="ratio of two errors",
)
chapter.record(
    "rl.tan-objective",
    value=np.ptp([*objectives.values()]),
    tolerance_of="range of K_max",
)
chapter.record(
    "rl.tan-within",
    value=explained["within sizes"],
    tolerance_of="R² within sizes",
)
pd.DataFrame({"K_max": pd.Series(objectives).map("{:.4f}".format)}).rename_axis(
    "what is minimised"
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rl-tan", "caption": "Left: test loss against the FLOPs of RL, points read off the figure of Tan et al., lines: our joint fit. Right: the exponent of each size alone (points), the law of all sizes (blue), of the sizes without 72B (blue, dotted), the paper's (grey, dashed), and a straight line through the smaller sizes' points (orange)."}, "image": {"alt": "Left: seven falling curves, steeper for larger models, the smallest nearly flat. Right: exponents rise with size along the curves; at 72B the point lies between the straight line below it and the law from smaller sizes above it."}}
fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.4))
shades = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(model_sizes)))
for size, shade in zip(model_sizes, shades):
    X, L = (points[name][points["N"] == size] for name in "XL")
    left.plot(X, L, ".", ms=2, color=shade, alpha=0.5)
    log_L = fitted[f"E[{size:g}]"] - SaturatingK().k(fitted, size) * np.log(X)
    left.plot(X, np.exp(log_L), color=shade, lw=1)
    left.text(X[-1], np.exp(log_L[-1]), f"{size / 1e9:g}B", fontsize=7)
left.set(xscale="log", yscale="log", xlabel="FLOPs", ylabel="test loss")
left.set_yticks([0.5, 0.7, 1], ["0.5", "0.7", "1"])
left.minorticks_off()
N = np.geomspace(model_sizes[0], 1.2 * model_sizes[-1], 50)
for params, ls, color in [
    (fitted, "-", COLORS["ours"]),
    (without_largest, ":", COLORS["ours"]),
    (theirs, "--", COLORS["paper"]),
]:
    right.plot(N, SaturatingK().k(params, N), ls, color=color)
line = np.polyfit(np.log(model_sizes[:-1]), slopes[:-1], 1)
right.plot(N, np.polyval(line, np.log(N)), color=COLORS["null"])
right.plot(model_sizes, slopes, "o", color="black", ms=4)
right.set(xscale="log", xlabel="parameters", ylabel="exponent $k$")
plt.show()

# %% [markdown]
# **The fit comes out, if one minimises what the authors did.** $K_{max}$ is
# {claim:value}`rl.tan-refit` and $N_0$ {glue:text}`rl-n0`B. Their code also weights all
# sizes alike, which comes nearer to Table 6. Over five reasonable choices $K_{max}$
# moves by {claim:value}`rl.tan-objective` (table), out of our band at one end; with one
# size left out, from {glue:text}`rl-jack-low` to {glue:text}`rl-jack-high`, the highest
# without 72B.
#
# **The forecast of 72B comes out too** ({claim:verdict}`rl.tan-forecast`):
# {claim:value}`rl.tan-forecast`, while the robust loss gives {glue:text}`rl-robust`.
# But the points of 72B alone have a slope of {glue:text}`rl-free`, and a straight line
# in $\ln N$ says {glue:text}`rl-line` ({glue:text}`rl-line-short` without 0.5B). It
# misses by {claim:value}`rl.tan-rival` times what the law does. The line cannot be the
# truth, since it is negative for small models. But one model of 72B does not show
# that the law's bend is.

# %% tags=["hide-input"]
rows = {
    "a constant per size: no learning": published.explained_by_offsets(points),
    "one exponent for all sizes": published.explained_by_one_slope(points),
    "the law, all points": explained.pop("all points"),
    "the law, within sizes": explained.pop("within sizes"),
}
chapter.glue("rl-constant", rows["a constant per size: no learning"], ".2f")
chapter.glue("rl-one-slope", rows["one exponent for all sizes"], ".3f")
chapter.glue("rl-r2", rows["the law, all points"], ".3f")
chapter.glue("rl-r2-worst", min(explained.values()), ".2f")
rows |= {f"the law, within {size}": r2 for size, r2 in explained.items()}
pd.DataFrame({"R²": pd.Series(rows).map("{:.3f}".format)}).rename_axis("model")

# %% [markdown]
# **An $R^2$ of {glue:text}`rl-r2` says less than it seems.** A constant for each
# size, that is no learning at all, has {glue:text}`rl-constant`, and one exponent
# for all sizes {glue:text}`rl-one-slope`, since the sizes differ so much to begin
# with. Within sizes the law explains {claim:value}`rl.tan-within`, in the worst one
# {glue:text}`rl-r2-worst`.
#
# ### Step 2: two printed statements, held against each other
#
# {cite:t}`khatri2025art` argue for the sigmoid thus: a power law $A - D/C^B$ fitted
# to the start of a run promises a ceiling of one, which later compute refutes. The
# run's data are not public, but its fitted sigmoid is (Table 1). We draw points
# from that sigmoid, and fit the power law to them by the paper's own grid. The
# start rate $R_0$ is not printed, so we try three.

# %%
chapter.section("ScaleRL")
STARTS = (1_500, 3_000, 5_000, 10_000, 20_000, 30_000)  # GPU-hours
SPACES = {"hours": np.linspace, "logarithm": np.geomspace}
promised = {
    name: np.array(
        [published.promised_ceilings(a, 50_000, space=space) for a in STARTS]
    )
    for name, space in SPACES.items()
}
bent = published.promised_ceilings(30_000, 60_000)
higher = published.promised_ceilings(5_000, 50_000, rates=(0.4,))[0]

# %% tags=["hide-input"]
early = promised["hours"][0].min()
late = promised["hours"][STARTS.index(5_000)]
chapter.record(
    "rl.ceiling-early", value=early, tolerance_of="smallest of three ceilings"
)
chapter.record(
    "rl.ceiling-late",
    value=late.mean(),
    tolerance_of="mean of three ceilings",
)
for name, value in zip(("low", "mid", "high"), late):
    chapter.glue(f"rl-late-{name}", value, ".3f")
chapter.glue("rl-late-log", promised["logarithm"][2].mean(), ".2f")
chapter.glue("rl-late-higher", higher, ".2f")
chapter.glue("rl-bent", bent.mean(), ".2f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rl-ceiling", "caption": "The ceiling that a power law promises when it is fitted to points of the printed sigmoid from a first GPU-hour up to 50k, by the start rate assumed; points even in hours (filled) or in their logarithm (open). Dashed, grey: the sigmoid's own ceiling. Crosses: the paper's two values, for its own points."}, "image": {"alt": "Three falling curves of filled points from one at 1500 hours to the dashed line at 30 thousand, and three of open points above them, which fall later. The paper's second cross, at 5 thousand hours, lies below all of them."}}
fig, ax = plt.subplots(figsize=(6.4, 3.2))
for i, R_0 in enumerate(published.RATES):
    for name, face in [("hours", SERIES[i + 3]), ("logarithm", "white")]:
        ax.plot(
            STARTS,
            promised[name][:, i],
            marker=MARKERS[i],
            color=SERIES[i + 3],
            mfc=face,
            ls="-" if name == "hours" else ":",
            label=f"from {R_0}" if name == "hours" else None,
        )
known = load_published("rl_scalerl_robustness").query("law == 'power'")
ax.plot(known.first_hours, known.A, "X", color=COLORS["paper"], ms=9, zorder=3)
ax.axhline(0.645, color=COLORS["paper"], ls="--", lw=1)
ax.set(xscale="log", xlabel="first GPU-hour of the fit", ylabel="ceiling")
ax.set_xticks(STARTS, [f"{a / 1000:g}k" for a in STARTS])
ax.minorticks_off()
ax.legend()
plt.show()

# %% [markdown]
# **The first statement follows from the sigmoid**
# ({claim:verdict}`rl.ceiling-early`): {claim:value}`rl.ceiling-early`, whatever the
# start rate. From the bend on the power law is right, {glue:text}`rl-bent`. So the
# two statements agree, which is no evidence for either: had the run followed
# another law, we would not know.
#
# **The second is {claim:verdict}`rl.ceiling-late` from what is printed.** Fitted
# from 5k on, the ceilings are {glue:text}`rl-late-low`, {glue:text}`rl-late-mid` and
# {glue:text}`rl-late-high` for start rates of .1, .2 and .3. They hang on how the
# points are spread: even in the logarithm of the hours, the mean is
# {glue:text}`rl-late-log`. A run that began at .4 gives {glue:text}`rl-late-higher`, as
# the paper has it. The start rate, or the run's points, would settle it.
#
# ### Step 3: searching in one trace, or trying again
#
# One model is trained on long traces that try, fail and go back; another on
# solutions alone, and may answer several times. {cite:t}`qin2025backtrack` compare
# them at equal compute. Their repository has the shares solved, and the formula
# for FLOPs; we match budgets by it.

# %%
chapter.section("Backtrack")
GAMES = ("countdown", "sudoku")
gaps = {
    (game, size): search.gap(game, size)
    for game in GAMES
    for size in search.SHAPES
}
sixteen = {pair: search.gap_at_longest(*pair) for pair in gaps}

# %% tags=["hide-input"]
smallest = min(gaps["countdown", size] for size in search.SHAPES)
chapter.record(
    "rl.search", value=smallest, tolerance_of="smallest gap of four sizes"
)
shares = [sixteen["countdown", size][1] for size in search.SHAPES]
chapter.glue("rl-share-low", 100 * min(shares), ".0f")
chapter.glue("rl-share-high", 100 * max(shares), ".0f")
columns = {
    "equal FLOPs": {p: f"{gap:+.1f}" for p, gap in gaps.items()},
    "16 answers, longest trace": {
        p: f"{points:+.1f}" for p, (points, _) in sixteen.items()
    },
    "their FLOPs, of the trace's": {
        p: f"{share:.0%}" for p, (_, share) in sixteen.items()
    },
}
pd.DataFrame(columns).rename_axis(["direct minus backtracking, points", ""])

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rl-search", "caption": "Percent of 200 unseen problems solved against the FLOPs of generation, by size: several direct answers (solid) or one backtracking trace (dashed). Arrays of the repository of Qin et al., before RL."}, "image": {"alt": "CountDown, left: every solid curve lies far above its dashed one. Sudoku, right: of the two largest models the dashed curve is above the solid one, of the second smallest the solid one ends slightly higher, and the smallest model solves nothing."}}
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.2), sharey=True)
for ax, game in zip(axes, GAMES):
    for size, color, marker in zip(search.SHAPES, SIZE_COLORS, MARKERS):
        for method, (flops, solved) in search.solved_curves(game, size).items():
            ls = "-" if method == "direct" else "--"
            ax.plot(flops, solved, ls, color=color, marker=marker, ms=4)
    ax.set(xscale="log", xlabel="FLOPs a problem", title=game)
axes[0].set_ylabel("percent solved")
for size, color, marker in zip(search.SHAPES, SIZE_COLORS, MARKERS):
    axes[1].plot([], [], color=color, marker=marker, ms=4, label=size)
axes[1].legend(fontsize=8)
plt.show()

# %% [markdown]
# **On CountDown trying again wins at every size**
# ({claim:verdict}`rl.search`), by {claim:value}`rl.search` at least. The gap
# usually quoted sets sixteen answers against the longest trace, though they cost
# {glue:text}`rl-share-low` to {glue:text}`rl-share-high` % of it; at equal FLOPs it is
# larger. On Sudoku the two largest models are better with traces. At 17M they are
# better at small budgets and not at the largest, a difference within the noise of
# 200 problems. So which search is better depends on the game.
#
# ### Step 4: a model from scratch
#
# ### Step 5: two laws in one contest
#
# ### Step 6: the echo chamber
#
# ### Step 7: what a temperature gives
#
# ### Step 8: a loss for coverage
#
# ### Step 9: the same prompts again
#
# ## Noise floor
#
# ## Ours against the papers
#
# <!-- claims:table -->
#
# ## Where it breaks
#
# *Size.* Two layers, answers of a few tokens, and a checker that knows every right
# answer. Nothing here writes a chain of thought, and no reward can be cheated.
#
# *Formats.* We planted three, each with a tag at its start. A model that picks a tag
# has picked a format, which in a text of a page is nobody's single decision.
#
# *Refits.* The points of step 1 are read off a figure, columns of pixels averaged,
# and the curves of step 2 are a printed law, not a run. What is said there is said of
# published statements.
#
# ## Exercises
#
# **1.** Two models have a pass rate of a half. One solves half of the problems
# always, the other every problem half of the time. What is pass@4 of each, and which
# of the two has something to gain from RL?
#
# ```{admonition} Answer
# :class: dropdown
# A half, and $1 - 2^{-4}$. The first gets no signal: its groups are all right or all
# wrong, and their advantages are zero. The second gets a signal from nearly every
# group. A lower temperature, though, also makes it repeat whatever it likes best.
# ```
#
# **2.** The pass rate follows {eq}`eq-rl-sigmoid` with $R_0 = 0$ and $A = 1$. What is
# $-\mathrm{d} \ln L / \mathrm{d} \ln C$, and what does it say of a comparison of $k$
# between models that start at different rates?
#
# ```{admonition} Answer
# :class: dropdown
# $L = 1 / (1 + (C/C_{mid})^B)$, so the local exponent is $B R$: the pass rate itself,
# times the steepness. A model that is further along the same curve has a larger $k$,
# whatever its size. So $k$ must be compared with the start rate beside it.
# ```
#
# **3.** Rewards are permuted over the whole batch. Their mean and spread stay. Why does
# the model not stay where it was?
#
# ```{admonition} Answer
# :class: dropdown
# The advantages are noise, but each update still pushes: answers that were drawn and
# happened to be rewarded become likelier. On average over draws nothing is gained, so
# the model wanders, the further the larger the learning rate. That is why the null of a
# collapse is measured, not assumed to be zero.
# ```
#
# ```{admonition} What would change our mind
# *On saturation in size.* The slope of one model well above 72B, or the authors' table
# of runs. Cost: beyond us, and none. It would decide `rl.tan-rival`, and whether
# digitising moved `rl.tan-refit`.
#
# *On the ceilings.* The start rate of the run of batch 2048, or its evaluations. Cost:
# seconds, once printed. It would decide `rl.ceiling-late`; the evaluations would also show
# whether a power law is refuted by the run, and not by a sigmoid fitted to it.
# ```
#
# ## End matter
#
# **Differences from the papers.** Points read off a figure in place of runs, and least
# squares by a fitter in place of CMA-ES; a search in one dimension in place of
# `curve_fit` inside the grid.
#
# **What was easy.** The published laws, once the loss function was named. **What was
# hard.** Budgets: one compares methods at equal compute only by computing it.
#
# **Curves.** Every run's curve is in `data/results/rl/curves.csv`, once a run is accepted;
# figures draw accepted curves thin beside this build's.
#
# **References.** {cite:t}`tan2025scaling`, {cite:t}`khatri2025art`,
# {cite:t}`zhao2025echo`, {cite:t}`qin2025backtrack` and
# {cite:t}`chen2025rethinking` for the claims, {cite:t}`redstar2025redstar` and
# {cite:t}`shen2025thinking` for what is out of reach; all in the
# [bibliography](../references.md).

# %% tags=["remove-input"]
chapter.finish()
