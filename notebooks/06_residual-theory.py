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
# # What residual depth can and cannot do
#
# A residual network adds. Each layer reads the sum of all that was written
# before it and writes a little more. Much has been said about what follows:
# the stream "explodes", late layers "become the identity", a norm in the right
# place or an attention over depth repairs it {cite:p}`sun2025curse,
# kim2025periln, kimi2026attention`.
#
# How much of this is true of *any* network, before it has learned anything?
# That part can be worked out with pencil and paper, and measured in seconds.
# What is left over is what training does, and what a claim about training must
# beat. This chapter holds each printed statement against the mathematics.

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
# Steps 1 to 5 concern **untrained** networks and formulas. The networks are real
# transformers with the norms of the papers, but in the setting in which the
# mathematics is exact: one token of context (attention then copies the value),
# ReLU, RMSNorm, and matrices with entries $\mathcal N(0, 1/d)$. What the page
# proves is then an *identity*, which tests our code and not a paper. Step 6
# trains small models of characters, to see what is left of three of the laws.
#
# Not here: any gain in quality. Whether a norm trains better is a question of
# large runs, and the chapter on depth quotes the published numbers. Where we
# know a paper's statement only from a transcription or at second hand, its card
# says so, and where we know it not at all, the claim is out of reach.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from scaling_book.api import COLORS, MARKERS, SERIES, Chapter, error_bars
from scaling_core.base.intervals import with_interval
from scaling_core.base.slopes import fit_slopes
from scaling_core.models.streams import record_streams
from scaling_core.models.transformer import TransformerConfig
from scaling_core.training.sweep import run_sweep
from scaling_core.training.text import TextSetting
from studies.residual_theory import (
    interactive,
    paths,
    theory,
    trained,
    untrained,
)

# %% tags=["hide-input"]
chapter = Chapter("residual-theory", profile=profile)
sizes = chapter.sizes(
    d_model=dict(smoke=32, cpu=64, gpu=128),
    blocks=dict(smoke=8, cpu=32, gpu=64),
    seeds=dict(smoke=20, cpu=20, gpu=20),
    jacobian_blocks=dict(smoke=4, cpu=16, gpu=24),
    path_width=dict(smoke=16, cpu=64, gpu=64),
    path_seeds=dict(smoke=1, cpu=10, gpu=20),
    samples=dict(smoke=4000, cpu=10000, gpu=40000),
    kernel_seeds=dict(smoke=4, cpu=5, gpu=20),
    text_layers=dict(smoke=3, cpu=6, gpu=12),
    text_steps=dict(smoke=4, cpu=340, gpu=1000),
    text_seeds=dict(smoke=1, cpu=5, gpu=10),
    jobs=dict(smoke=1, cpu=1, gpu=16),
)
seeds = chapter.seeds(sizes.seeds)
few_seeds, path_seeds = seeds[:10], chapter.seeds(sizes.path_seeds)
print(f"{chapter.profile}, {sizes.seeds} seed(s)")

# %% [markdown]
# ## Theory in four lines
#
# Let $V_l$ be the mean square of the stream's coordinates after $l$ blocks. A
# branch behind a norm sees an input of mean square one, and writes something of
# mean square $b$. Its output matrix is random and independent of the stream, so
# the two are uncorrelated:
#
# $$
# V_{l+1} = V_l + b \, c_l^2, \qquad
# c_l = \begin{cases} 1 & \text{Pre-LN} \\ 1/\sqrt{l+1} & \text{LNS}
# \end{cases}
# $$ (eq-rt-variance)
#
# Here LNS is LayerNorm scaling {cite:p}`sun2025curse`: the norm's output is
# divided by the root of the block's number. In our setting attention writes 1
# and the MLP 2, so $b = 3$ a block. Hence $V_L = V_0 + 3L$ for Pre-LN,
# logarithmic growth $V_0 + 3 (1 + \tfrac12 + \dots + \tfrac1L)$ for LNS, and
# $V_0 + 2L$ for Peri-LN {cite:p}`kim2025periln`, whose two branches end in a
# norm of their own.
#
# A norm ignores the length of what it reads. So the Jacobian $J$ of a sublayer
# differs from the identity by a matrix that shrinks as the stream grows:
#
# $$
# \mathbb E \lVert J - I \rVert_F^2 = (d - 1) \, \frac{b \, c^2}{V} .
# $$ (eq-rt-jacobian)
#
# The right side, without $d - 1$, is also what the branch writes relative to
# what is there, squared. **"Late layers write little" and "late layers are
# nearly the identity" are one number**, and before training that number falls
# for no other reason than that sums grow.
#
# The whole network multiplies such matrices. Multiplied out, it is a sum over
# all ways to pass through some blocks and skip the others, $2^n$ paths:
#
# $$
# (I + A_n) \cdots (I + A_1) = \sum_{k=0}^{n} \; \sum_{i_1 < \dots < i_k}
# A_{i_k} \cdots A_{i_1} .
# $$ (eq-rt-paths)
#
# Last, the lengths of signals fluctuate between random networks, and depth over
# width decides how much {cite:p}`hanin2018start,roberts2022principles`. With
# $K$ the squared length after $L$ layers of width $n$,
#
# $$
# \frac{\mathbb E K^2}{(\mathbb E K)^2} = \Bigl(1 + \frac{\nu}{n}\Bigr)^L
# \approx e^{\nu L / n}, \qquad
# \nu = \begin{cases} 2 & \text{linear} \\ 5 & \text{ReLU} \end{cases}
# $$ (eq-rt-kernel)
#
# ## Known truth first
#
# ### All paths, counted
#
# For linear blocks {eq}`eq-rt-paths` is the distributive law, which makes it a
# good test of our machinery. With eight blocks there are 256 paths, few enough
# to add up one by one, and $\binom8k$ of them pass through $k$ blocks.

# %% tags=["nbval-check-output"]
chapter.section("Paths")
A = np.random.default_rng(path_seeds[0]).standard_normal((8, 8, 8)) / 8**0.5
whole = np.eye(8)
for matrix in A:
    whole = whole + matrix @ whole
gap = np.abs(theory.path_sum(A) - whole).max() / np.abs(whole).max()
counts = theory.path_orders(np.ones((8, 1, 1))).ravel()
print("paths through 0 .. 8 blocks:", *counts.astype(int))
print("sum equals product:", gap < 1e-12)

# %% [markdown]
# ### How long is a path?
#
# If the $A_i$ are independent and centred, paths through different blocks do
# not mix in the mean. A block that sends $x$ to something of squared length $g
# \lVert x \rVert^2$ then acts like a coin: of the squared signal, a share
# $g/(1+g)$ has passed through it and the rest has skipped it. The length of a
# path is a sum of such coins, and the whole gain is $\prod (1 + g_i)$.
#
# {cite:t}`dherin2025residual` ask how a factor $\lambda$ before every block
# tames the sum of paths. With $n$ blocks of unit gain the coins have $g =
# \lambda^2$, and three choices of $\lambda$ give three worlds.

# %%
n = 16
scales = {"1": 1.0, "1/√n": n**-0.5, "1/n": 1 / n}
width = sizes.path_width
shares = {name: [] for name in scales}
for seed in path_seeds:
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, width, width)) / width**0.5
    for name, scale in scales.items():
        shares[name].append(paths.path_shares(scale * A))
lengths = {
    name: np.mean([paths.mean_length(row) for row in rows])
    for name, rows in shares.items()
}

# %% tags=["remove-cell"]
chapter.record(
    "residual-theory.path-sum",
    value=gap,
    tolerance_of="product against the sum of 256 paths",
)
for i, name in enumerate(scales):
    chapter.glue(f"rt-length-{i}", lengths[name], ".2f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rt-paths", "caption": "Share of the squared signal that has passed through k of 16 random linear blocks, for three scales of the blocks. Points: mean over seeds of the sums of paths, computed block by block; lines: the coin law."}, "image": {"alt": "For scale one the shares form a bell around half of the blocks; for one over root n they are largest at zero and one block and then fall; for one over n nearly all the signal skips every block. The points lie on the lines."}}
fig, ax = plt.subplots()
for i, (name, scale) in enumerate(scales.items()):
    coins = paths.expected_path_shares([scale**2] * n)
    ax.plot(coins, color=COLORS["theory"], lw=1)
    measured = np.mean(shares[name], axis=0)
    ax.plot(measured, MARKERS[i], color=SERIES[[0, 3, 5][i]], ms=5)
    spot = [(8.6, 0.2), (1.4, 0.38), (0.4, 0.9)][i]
    ax.text(*spot, f"λ = {name}", color=SERIES[[0, 3, 5][i]])
ax.set(xlabel="blocks passed", ylabel="share of the squared signal")
plt.show()

# %% [markdown]
# **What to see.** Without scaling the mean path has
# {glue:text}`rt-length-0` blocks out of 16: half of them, as if every path
# counted alike. With $\lambda = 1/\sqrt n$ it has {glue:text}`rt-length-1`, for
# any large $n$, and with $1/n$ it has {glue:text}`rt-length-2`.
#
# This is a general bargain. Since $g/(1+g) \le \log(1+g)$, the mean length is
# at most $\sum \log(1 + g_i)$. **The mean path is never longer than the
# logarithm of the squared gain**: as long as blocks are independent, a signal
# kept in bounds is a signal that has passed few of them.
#
# **How deep is a deep network, then?** Drag the scale: the legend has mean length
# and bound for three depths. At a quarter, sixteen blocks are one block long, and
# the two numbers nearly agree. Four times the blocks need half the scale to be as
# short; unscaled, half of all blocks are passed, and each doubles the gain.

# %% tags=["hide-input"]
interactive.show([SERIES[i] for i in (0, 3, 5)])

# %% [markdown]
# *The slider changes the scale of all blocks. Lines: share of the squared signal
# that has passed so many blocks, by the coin law, for networks of 4, 16 and 64
# blocks.*
#
# ### Gains and remainders
#
# The gain follows: $2^n$ without scaling, $(1 + 1/n)^n \to e$ with $1/\sqrt n$.
# For blocks that are not linear, {eq}`eq-rt-paths` is the start of a Taylor
# series in $\lambda$: after the paths through one block something of order
# $\lambda^2$ must be left, after the paths through two $\lambda^3$. We check
# both with tanh blocks, whose derivatives are known.

# %%
grid = np.geomspace(1e-3, 1e-2, 5)
left_over = np.array(
    [
        paths.remainders(
            grid, blocks=n, width=32, rng=np.random.default_rng(seed)
        )
        for seed in path_seeds
    ]
)  # (seeds, after one or two terms, scales)
orders = [fit_slopes(grid, left_over[:, i]) for i in (0, 1)]

# %%
gains = {}
for name, blocks, scale in [("one", 8, 1.0), ("root", 32, 32**-0.5)]:
    gains[name] = [
        paths.gaussian_gains(
            blocks, width, 1000, scale, rng=np.random.default_rng(seed)
        ).mean()
        for seed in path_seeds
    ]
stated = {"one": 2.0**8, "root": (1 + 1 / 32) ** 32}
off_gain = max(abs(np.mean(gains[n]) / stated[n] - 1) for n in stated)
off_order = max(
    abs(slopes.runs.mean() - k) for slopes, k in zip(orders, (2, 3))
)

# %% tags=["hide-input"]
chapter.record(
    "residual-theory.remainders",
    value=off_order,
    tolerance_of="largest deviation of the two orders from 2 and 3",
)
chapter.record(
    "residual-theory.gains",
    value=off_gain,
    tolerance_of="largest deviation of two mean gains from the stated ones",
)
for name, slopes in zip(("first", "second"), orders):
    chapter.glue(f"rt-order-{name}", with_interval(slopes.runs))
chapter.glue("rt-gain-one", np.mean(gains["one"]), ".0f")
chapter.glue("rt-gain-root", np.mean(gains["root"]), ".2f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rt-remainders", "caption": "What is left of 16 tanh blocks after the paths through one block (upper) and through two (lower), against the block scale; a line per seed."}, "image": {"alt": "Two bundles of straight lines on log-log axes; the upper one rises with slope two, the lower one with slope three."}}
fig, ax = plt.subplots(figsize=(6.4, 3.2))
for i, (slopes, order) in enumerate(zip(orders, ("one", "two"))):
    color = SERIES[[0, 3][i]]
    ax.plot(
        grid, left_over[:, i].T, color=color, marker=MARKERS[i], ms=3, lw=0.7
    )
    text = f"after paths through {order}: slope {slopes.runs.mean():.3f}"
    ax.text(
        [0.03, 0.4][i],
        [0.9, 0.1][i],
        text,
        color=color,
        transform=ax.transAxes,
    )
ax.set(xscale="log", yscale="log", xlabel="block scale λ", ylabel="remainder")
plt.show()

# %% [markdown]
# **The expansion holds, as an expansion.** The slopes are
# {glue:text}`rt-order-first` and {glue:text}`rt-order-second`; eight unscaled
# blocks multiply the squared signal by {glue:text}`rt-gain-one`, thirty-two
# scaled ones by {glue:text}`rt-gain-root`. But the number of paths grows with the order as
# well. At $\lambda = 1/\sqrt n$ the terms of orders zero, one and two weigh
# $1 : 1 : \tfrac12$, so the first two terms are not the function. A small
# $\lambda$ and a small remainder are different things. The exact wording of the
# paper's theorem we have not seen: the orders are Taylor's.
#
# ## The experiment
#
# ### Step 1: four norms, four laws
#
# Now real transformers. {eq}`eq-rt-variance` says linear growth for Pre-LN, a
# logarithm for LNS and linear growth for Peri-LN; Post-LN, which normalises the
# stream itself, must stay at one. We draw networks and look, with no constant
# left to fit.

# %%
chapter.section("Four norms")
shape = dict(d_model=sizes.d_model, n_layers=sizes.blocks)
squares = {
    norm: untrained.mean_squares(norm, seeds, **shape)
    for norm in ("pre", "lns", "peri", "post")
}  # (seeds, blocks + 1) each
std = sizes.d_model**-0.5
laws = {
    norm: theory.init_mean_square(
        TransformerConfig(**shape, act="relu", init_std=std, norm=norm), 1.0
    )
    for norm in squares
}
layers = np.arange(1, sizes.blocks + 1)
level = {norm: (squares[norm] / laws[norm])[:, 1:] for norm in squares}

# %%
growth = {norm: V[:, 1:] - V[:, :1] for norm, V in squares.items()}
late = slice(sizes.blocks // 2, None)
harmonic = np.cumsum(1 / layers)
late_law = fit_slopes(layers[late], harmonic[None, late]).runs[0]
late_lns = fit_slopes(layers[late], growth["lns"][:, late]).runs
slopes = {n: fit_slopes(layers, growth[n]).runs for n in ("pre", "peri")}
off_level = max(abs(rows.mean() - 1) for rows in level.values())

# %% tags=["hide-input"]
chapter.record(
    "residual-theory.levels",
    value=off_level,
    tolerance_of="largest deviation of mean measured over stated level from 1",
)
chapter.record(
    "residual-theory.lns-lemma",
    value=late_law,
    tolerance_of="log-log slope of the harmonic sum, second half of the blocks",
)
chapter.glue("rt-late-lns", with_interval(late_lns))
for norm in slopes:
    chapter.glue(f"rt-slope-{norm}", with_interval(slopes[norm]))
for norm in ("pre", "lns", "peri"):
    chapter.glue(f"rt-level-{norm}", with_interval(level[norm].mean(axis=1)))

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rt-variance", "caption": "Mean square of the stream after each block of untrained transformers with four placements of the norm. Points: mean over seeds, bars: 95 % intervals; lines: the laws, which have no free constant."}, "image": {"alt": "On log-log axes Pre-LN and Peri-LN rise with slope one, Pre-LN higher; LNS bends to a slow logarithmic rise; Post-LN is flat at one. All points lie on their lines."}}
COLOR = dict(pre=SERIES[0], peri=SERIES[3], lns=SERIES[5], post=SERIES[4])
NAMES = dict(pre="Pre-LN", peri="Peri-LN", lns="LNS", post="Post-LN")
fig, ax = plt.subplots()
for (norm, V), marker in zip(squares.items(), MARKERS):
    ax.plot(layers, laws[norm][1:], color=COLORS["theory"], lw=1)
    mean = V[:, 1:].mean(axis=0)
    style = dict(fmt=marker, color=COLOR[norm], ms=4, lw=0.8)
    ax.errorbar(layers, mean, error_bars(V[:, 1:]), **style)
    ax.annotate(
        NAMES[norm], (layers[-1], mean[-1]), (6, -3), textcoords="offset points"
    )
ax.set(xscale="log", yscale="log", xlabel="block", ylabel="mean square")
ax.set_xlim(right=1.5 * layers[-1])
plt.show()

# %% [markdown]
# **What to see.** Measured over stated is {glue:text}`rt-level-pre` for Pre-LN,
# {glue:text}`rt-level-lns` for LNS and {glue:text}`rt-level-peri` for Peri-LN;
# the slopes of Pre-LN and Peri-LN are {glue:text}`rt-slope-pre` and
# {glue:text}`rt-slope-peri`. **Before training Pre-LN sits at the very bottom
# of the range that Lemma 3.2 of {cite:t}`sun2025curse` allows, which reaches up
# to exponential growth.**
#
# LNS lies below its own lemma, as we read it. In the transcription that we have
# Lemma 4.1 states growth of at least order $L$. But $\sum 1/l$ is a logarithm,
# whose slope over the second half of our blocks is
# {claim}`residual-theory.lns-lemma` and falls towards zero; the drawn networks
# have {glue:text}`rt-late-lns`. That is a counterexample to the lemma as
# transcribed, by algebra; the networks only show that no step was missed. The
# bound is right for the lemma's recursion, which Step 2 examines, but not for
# independent weights of mean zero, which the paper assumes. What trained
# networks do is another question.
#
# ```{margin}
# We have read this lemma, and the remark on gradients in Step 2, from a
# transcription of the paper's text and not from the paper. Both fail here, so
# both want a second reading before anybody quotes them against the paper.
# ```
#
# ### Step 2: the recursion of the lemma
#
# Lemma 3.2 of {cite:t}`sun2025curse` gives the variance as a product over
# layers, and bounds it by order $e^L$. Written as a recursion it reads
#
# $$
# y_{k+1} = y_k \Bigl(1 + \frac{1}{\sigma_k}\Bigr) = y_k + \sqrt{y_k},
# \qquad \sigma_k = \sqrt{y_k} .
# $$ (eq-rt-recursion)
#
# Then $\sigma$ grows by about $1/2$ a step, so $\sigma_k \approx k/2$ and $y_k
# \approx k^2/4$. No exponential is in sight. The LNS recursion, with
# $\sqrt{y_k/k}$ instead, is solved exactly by $y_k = k$.

# %% tags=["nbval-check-output"]
chapter.section("Recursion")
k = np.arange(1, 4097)
y = theory.variance_recursion(len(k))
z = theory.variance_recursion(len(k), lns=True)
tail = slice(1023, None)
quadratic = fit_slopes(k[tail], y[tail][None]).runs[0]
constant = np.sqrt(y[-1]) / k[-1]
lns_error = np.abs(z / k - 1).max()
print(f"slope of the recursion, k = 1024 .. 4096:  {quadratic:.3f}")
print(f"sigma_k / k at k = 4096:                   {constant:.4f}")
print(f"the LNS recursion is y_k = k:              {lns_error < 1e-9}")

# %%
log_ratio = np.log(y[-1]) / np.log(y[len(y) // 2 - 1])
sigma = np.sqrt(np.arange(1, 16385))  # linear variance


def bound_slopes(A: float) -> list[float]:
    """Return local log-log slopes of the product bound, L = 4^5..4^6..4^7."""
    log_bound = np.cumsum(np.log1p(A / sigma + (A / sigma) ** 2))
    octaves = [slice(4**i - 1, 4 ** (i + 1)) for i in (5, 6)]
    log_L = 2 * np.log(sigma)
    return [np.polyfit(log_L[x], log_bound[x], 1)[0] for x in octaves]


early, later = bound_slopes(1.0)
weak_early, weak_later = bound_slopes(0.02)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rt-recursion", "caption": "The recursion of the variance lemma and that of its LNS version (solid), the lemma's upper bound (dashed grey; the lower one is k), and what independent branches give (dotted)."}, "image": {"alt": "On log-log axes the lemma's recursion rises with slope two, far below the dashed exponential, which leaves the frame at once. The LNS recursion and Pre-LN with independent branches share one line of slope one, and below it a dotted logarithm stands for LNS with independent branches."}}
ratio_of_logs = "log of y at k = 4096 over log of y at k = 2048"
growing = "local slope of the product bound, from 4096 over from 1024"
for name, value, what in [
    ("recursion-slope", quadratic, "log-log slope of the recursion"),
    ("recursion-power", log_ratio, ratio_of_logs),
    ("bound-order", later / early, growing),
]:
    chapter.record(f"residual-theory.{name}", value=value, tolerance_of=what)
chapter.glue("rt-bound-one", early, ".1f")
chapter.glue("rt-bound-weak", weak_early, ".2f")
chapter.glue("rt-bound-weak-ratio", weak_later / weak_early, ".2f")
fig, ax = plt.subplots()
ax.plot(k, y, color=COLOR["pre"])
ax.plot(k, z, color=COLOR["lns"], lw=3, alpha=0.5)
ax.plot(k, k, ":", color=COLOR["pre"], lw=2)
ax.plot(k, np.cumsum(1 / k), ":", color=COLOR["lns"], lw=2)
ax.plot(k[:20], np.exp(k[:20]), "--", color=COLORS["paper"], lw=1)
for text, x, height, color in [
    (f"lemma, slope {quadratic:.2f}", 25, 4e4, COLOR["pre"]),
    ("LNS lemma: k\nPre-LN, independent: k", 450, 40, "black"),
    ("LNS, independent: log k", 350, 2.2, COLOR["lns"]),
    ("upper bound,\nexponential", 17, 1e6, COLORS["paper"]),
]:
    ax.text(x, height, text, color=color)
ax.set(xscale="log", yscale="log", ylim=(0.7, 1e7), xlabel="k", ylabel="y")
plt.show()

# %% [markdown]
# **The recursion is quadratic: slope
# {claim}`residual-theory.recursion-slope`.** Both bounds are true, but the
# upper one is nowhere near. The abstract says that the variance "exponentially
# grows" with depth. Its logarithm would then double when the depth doubles; in
# the lemma's recursion it grows by a factor of
# {claim}`residual-theory.recursion-power`, as a power law's does. The
# body of the paper indeed says "sub-exponential".
#
# What does the lemma assume? Independent weights of mean zero. But the term
# $\sqrt{y_k}$ stands for a branch that is correlated with the stream, and under
# this assumption the correlation vanishes: growth is only linear, as in Step 1.
# So the abstract's sentence follows neither from the recursion nor from the
# assumption. Whether trained networks do as it says is a matter of measurement,
# for the chapter before this one.
#
# There is also a bound for any weights, trained or not. A branch behind a norm
# writes a vector whose length is limited by its weights, say $\sqrt{b}$. By
# the triangle inequality $\sigma_{l+1} \le \sigma_l + \sqrt b$, whence $V_L \le
# (\sigma_0 + L \sqrt b)^2$. **A Pre-LN stream cannot grow faster than
# quadratically unless the weights themselves grow with depth.**
#
# The same square root undoes a remark on gradients. The bound of Theorem 3.3,
# $\prod (1 + A/\sigma_k + B/\sigma_k^2)$, is said to be of order $L$ if the
# variance is linear. But then $\sigma_k = \sqrt k$, and for any $A > 0$ the
# product behaves like $\exp(2 A \sqrt L)$. With four times the depth its local
# exponent grows by a factor of {claim}`residual-theory.bound-order`, where that
# of a power stays.
#
# The exponent itself says little, since $A$ sets it: at $L \approx 2000$ it is
# {glue:text}`rt-bound-one` for $A = 1$ and {glue:text}`rt-bound-weak` for
# $A = 0.02$ (with $B = A^2$). **At finite depth and small $A$ the paper's order
# $L$ can look right**; but there too it grows, by
# {glue:text}`rt-bound-weak-ratio`. (The remark too is read from the
# transcription.) The true gain, derived in Step 4, is far below the bound in
# either case.
#
# ### Step 3: do late layers become the identity?
#
# Yes, and {eq}`eq-rt-jacobian` says how fast. We compute the Jacobian of every
# sublayer at one token, subtract the identity, and multiply its norm by what
# the law says it should shrink with. If the law holds, one is left at every
# depth.

# %%
chapter.section("Jacobians")
blocks, d = sizes.jacobian_blocks, sizes.d_model
place = np.repeat(np.arange(1, blocks + 1), 2)  # block of each sublayer
written = {"pre": np.tile([1.0, 2.0], blocks)}
written["lns"] = written["pre"] / place
written["peri"] = np.ones(2 * blocks)
deviation, square, gain, path = ({} for _ in range(4))
for norm, b in written.items():
    model = untrained.untrained(norm, seed=0, d_model=d, n_layers=blocks)
    rows = []
    for seed in seeds:
        A, h = untrained.sublayer_jacobians(untrained.redraw(model, seed))
        one = (np.square(A).sum(axis=(1, 2)), np.square(h).mean(axis=1))
        rows.append((*one, untrained.gradient_gain(A, h)))
        path.setdefault(norm, []).append(paths.path_shares(A))
    deviation[norm], square[norm], gain[norm] = map(np.array, zip(*rows))

# %%
ratio = {}
for norm, b in written.items():
    law = (d - 1) * b / square[norm][:, :-1]
    ratio[norm] = np.sqrt(deviation[norm] / law)  # (seeds, sublayers)
nearer = np.sqrt(deviation["lns"][:, -1] / deviation["pre"][:, -1])

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rt-jacobian", "caption": "Left: distance of the Jacobian of each MLP sublayer from the identity, over the root of d - 1; right: the same for all sublayers, over the law. Means over seeds of untrained networks."}, "image": {"alt": "Left: three falling curves on log-log axes, LNS falling fastest and ending well below Pre-LN and Peri-LN. Right: the points lie close to one at every depth."}}
chapter.record(
    "residual-theory.jacobian-pre",
    value=ratio["pre"].mean(),
    tolerance_of="measured over stated distance from the identity, mean",
)
chapter.record("residual-theory.lns-identity", runs=nearer)
for norm in ("pre", "lns"):
    runs = ratio[norm].mean(axis=1)
    chapter.glue(f"rt-jacobian-{norm}", with_interval(runs))
chapter.glue("rt-peri-least", ratio["peri"].mean(axis=0).min(), ".2f")
chapter.glue("rt-peri-most", ratio["peri"].mean(axis=0).max(), ".2f")
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.4))
for (norm, marker), i in zip(zip(written, MARKERS), range(3)):
    raw = np.sqrt(deviation[norm].mean(axis=0) / (d - 1))
    style = dict(color=COLOR[norm], marker=marker, ms=4, lw=0.8)
    axes[0].plot(place[1::2], raw[1::2], label=NAMES[norm], **style)
    axes[1].plot(place[::2], ratio[norm].mean(axis=0)[::2], "-", **style)
    axes[1].plot(place[1::2], ratio[norm].mean(axis=0)[1::2], ":", **style)
axes[0].set(xscale="log", yscale="log", xlabel="block", ylabel="|J − I|")
axes[0].legend()
axes[1].axhline(1, color=COLORS["theory"], lw=1)
axes[1].set(ylim=(0.8, 1.2), xlabel="block", ylabel="measured over law")
note = "solid: attention\ndotted: MLP"
axes[1].text(0.05, 0.06, note, transform=axes[1].transAxes)
plt.show()

# %% [markdown]
# **What to see.** Measured over law is {glue:text}`rt-jacobian-pre` for Pre-LN
# and {glue:text}`rt-jacobian-lns` for LNS. For Peri-LN the law is only
# approximate, since the output norm takes out a second direction: means over
# seeds lie between {glue:text}`rt-peri-least` and {glue:text}`rt-peri-most`.
#
# **Before training, LNS makes the last block *more* like the identity**: the
# distance is {claim}`residual-theory.lns-identity` times that of Pre-LN. It
# quietens the stream by quietening the layers. That late layers do more in
# trained LNS networks may well be true, but it must come from training, and
# cannot be read off the variance.
#
# ### Step 4: one network, many short paths
#
# What does that do to the gradient? The expected squared gain of the raw stack
# is $\prod (1 + g_i)$ with $g_i = b_i c_i^2 / V_i$, a telescoping product equal
# to $V_L / V_0$. The final norm divides by $V_L$. So the gradient that reaches
# the embedding has the same size **at any depth**, for Pre-LN, LNS and Peri-LN
# alike. And its paths are coins again: block $i$ is passed with odds $g_i$.

# %%
chapter.section("Gradient and paths")
depths = [1, 2, 4, 8, 16, 32]
depths = [x for x in depths if x <= blocks]
at = 2 * np.array(depths)  # sublayers
flat = fit_slopes(depths, gain["pre"][:, at])
lengths, coins = {}, {}
for norm, b in written.items():
    V = square[norm][:, :-1]  # of the same networks
    law = [paths.expected_path_shares(b * (d - 1) / d / v) for v in V]
    coins[norm] = np.mean(law, axis=0)
    lengths[norm] = np.array(
        [
            [paths.mean_length(found), paths.mean_length(coin)]
            for found, coin in zip(path[norm], law)
        ]
    )
relative_length = lengths["pre"][:, 0] / lengths["pre"][:, 1]

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rt-gradient", "caption": "Left: squared gain of the gradient from the final norm to the embedding, against the number of blocks, mean over seeds with 95 % intervals. Right: share of the squared gradient that passes k sublayers; points measured, lines the coin law, dashed: every path counted alike."}, "image": {"alt": "Left: three nearly flat curves close to one for Pre-LN, LNS and Peri-LN. Right: three narrow bells, far left of the dashed bell at half the number of sublayers."}}
chapter.record(
    "residual-theory.gradient-bounded",
    runs=flat.runs,
    leave_one_out=flat.leave_one_out,
)
chapter.record("residual-theory.path-length", runs=relative_length)
for norm in written:
    chapter.glue(f"rt-mean-{norm}", with_interval(lengths[norm][:, 0]))
chapter.glue("rt-sublayers", 2 * blocks)
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.4))
for (norm, marker), shift in zip(zip(written, MARKERS), (0.94, 1, 1.06)):
    got = gain[norm][:, at]
    style = dict(color=COLOR[norm], marker=marker, ms=4)
    x, mean = shift * np.array(depths), got.mean(axis=0)
    axes[0].errorbar(x, mean, error_bars(got), lw=0.8, **style)
    axes[1].plot(coins[norm], color=COLORS["theory"], lw=1)
    mean = np.mean(path[norm], axis=0)
    axes[1].plot(mean, ls="", label=NAMES[norm], **style)
fair = paths.expected_path_shares([1.0] * 2 * blocks)
axes[1].plot(fair, "--", color=COLORS["null"], label="all alike")
axes[0].axhline(1, color=COLORS["theory"], lw=1)
axes[0].set(xscale="log", ylim=(0, 1.6), xlabel="blocks", ylabel="squared gain")
axes[0].set_xticks(depths, depths)
axes[0].minorticks_off()
axes[1].set(xlabel="sublayers passed", ylabel="share")
axes[1].legend()
plt.show()

# %% [markdown]
# **What to see.** The slope of the gain on depth is
# {claim}`residual-theory.gradient-bounded`: gradients neither vanish nor
# explode. But they travel short ways. Of {glue:text}`rt-sublayers` sublayers the mean path passes
# {glue:text}`rt-mean-pre` in Pre-LN, {glue:text}`rt-mean-lns` in LNS and
# {glue:text}`rt-mean-peri` in Peri-LN.
#
# Measured over predicted the Pre-LN length is
# {claim}`residual-theory.path-length`, at this one depth. The law itself is
# bounded by $\log(V_L/V_0)$, so it grows like the logarithm of the depth in
# Pre-LN and Peri-LN, and like the logarithm of that in LNS. **By this law, to
# the gradient an untrained Pre-LN network of depth $L$ is an ensemble of
# networks of depth of order $\log L$.**
# {cite:t}`veit2016residual` found the like in trained image networks: of 110
# layers, most of the gradient had passed only 10 to 34.
#
# ### Step 5: what a norm on the output does
#
# {cite:t}`kim2025periln` explain the stability of Peri-LN by the gradient: it
# carries the size of the branch in its denominator. (We know their proposition
# at second hand.) That is the derivative of a function of degree zero. Scale
# the output matrix by $k$, and the output norm hides it; the gradient must fall
# by $k$. In Pre-LN the branch grows by $k$, and for a fixed gradient from above
# nothing holds it back.

# %%
chapter.section("Peri-LN and masks")
factors = [0.1, 0.3, 1.0, 3.0, 10.0]
rescaled = {}
for norm in ("pre", "peri"):
    model = untrained.untrained(
        norm, seed=seeds[0], d_model=d, n_layers=2, norm_eps=untrained.TINY
    )
    rescaled[norm] = [
        untrained.rescale_output(model, 1, k, seed=seeds[0]) for k in factors
    ]

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rt-peri", "caption": "Size of the branch output and of the gradient of the output matrix, relative to before, when the output matrix of an MLP is multiplied by k."}, "image": {"alt": "Left, branch output: a line of slope one for Pre-LN and a flat line for Peri-LN. Right, gradient: a flat line for Pre-LN and a line of slope minus one for Peri-LN."}}
ten = {norm: rows[-1] for norm, rows in rescaled.items()}
pre_error = abs(np.log10(ten["pre"].output) - 1)
pre_error += abs(np.log10(ten["pre"].gradient))
peri_error = max(ten["peri"].output_error, ten["peri"].gradient_error)
chapter.record(
    "residual-theory.peri-gradient",
    value=max(pre_error, peri_error),
    tolerance_of="largest deviation from the exact laws at k = 10",
)
fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.8), sharey=True)
for i, what in enumerate(["output", "gradient"]):
    for (norm, rows), marker in zip(rescaled.items(), MARKERS):
        values = [getattr(row, what) for row in rows]
        axes[i].plot(
            factors, values, marker=marker, color=COLOR[norm], label=NAMES[norm]
        )
    axes[i].set(xscale="log", yscale="log", xlabel="factor k", title=what)
axes[0].set_ylabel("relative to before")
axes[0].legend()
plt.show()

# %% [markdown]
# **Exact to rounding error.** A Peri-LN weight that grows gets smaller and
# smaller gradients. For plain gradient descent that is a learning rate that
# falls by itself; Adam divides the gradient's size out. Note what it does
# *not* do: the stream's growth and the Jacobian law are those of Pre-LN with
# $b = 1$ a sublayer. Output norms discipline the weights, not the depth.
#
# The other cure on offer is sparsity {cite:p}`muhtar2026sparsity`, with a
# theorem whose text we have not seen. As a stand-in for its effect on the
# variance we zero half of the entries of all matrices of an untrained network.
# Each entry kept with probability $p$ leaves a share $p$ of what its matrix
# adds, so masks on both matrices of a branch scale $b$ by $p^2$.

# %%
small = dict(d_model=d, n_layers=blocks)
inputs = ("attn.qkv.weight", "mlp.up.weight")
masked = untrained.masked_growth(
    0.5, untrained.OUTPUTS + inputs, few_seeds, **small
)
L = sizes.blocks
branches = {"dense": 3, "masks": 3 / 4, "scaled": 3 / (2 * L)}
first = {name: b**0.5 for name, b in branches.items()}  # V_0 = 1
last = {name: (b / (1 + (L - 1) * b)) ** 0.5 for name, b in branches.items()}

# %% tags=["hide-input"]
chapter.record("residual-theory.mask-both", runs=masked)
for name in branches:
    chapter.glue(f"rt-first-{name}", first[name], ".2f")
    chapter.glue(f"rt-last-{name}", last[name], ".3f")
chapter.glue("rt-blocks", L)

# %% [markdown]
# With half the entries gone the growth is {claim}`residual-theory.mask-both` of
# what it was. **That alone gives the last block no larger a say.** What block
# $l$ writes relative to the stream before it is $\sqrt{b / V_{l-1}}$. The last
# of {glue:text}`rt-blocks` blocks has {glue:text}`rt-last-dense` dense and
# {glue:text}`rt-last-masks` with the masks: once $L b$ is large against $V_0$,
# $b$ cancels. The first has {glue:text}`rt-first-dense` and
# {glue:text}`rt-first-masks`, so that the shares are more even, because the
# early ones are smaller.
#
# GPT-2's scaled initialisation, $b = 3/(2L)$, goes further by a rule that treats
# all blocks alike: {glue:text}`rt-first-scaled` in the first and
# {glue:text}`rt-last-scaled` in the last. It evens the shares out by making all
# of them small (exercise 1).
#
# ### Step 6: what training leaves of the laws
#
# Peri-LN adds a constant at initialisation because each branch writes a vector
# of mean square one, nearly at right angles to the stream. Does the stream of a
# *trained* Peri-LN model still grow linearly? {cite:t}`kim2025periln` say so of
# Peri-LN as such (at second hand). And if it does, how much of a trained
# network are the paths through one block, the first order of {eq}`eq-rt-paths`?
#
# We train models of characters on Python's standard library, and look before
# training, at half of the steps, and at the end.

# %%
chapter.section("Trained")
setting = dict(
    norm="peri",
    n_layers=sizes.text_layers,
    d_model=64,
    n_heads=4,
    n_ctx=32,
    batch=16,
    steps=sizes.text_steps,
    lr=4e-3,
)
runs = run_sweep(
    trained.measure_growth,
    [setting | dict(seed=s) for s in chapter.seeds(sizes.text_seeds)],
    store=chapter.store("trained"),
    deadline=chapter.deadline,
    jobs=sizes.jobs if sizes.jobs > 1 else None,
)
chapter.require_complete(runs)


def stage_of(key: str) -> dict[str, np.ndarray]:
    """Return one measurement at three moments, (seeds, ...) each."""
    moments = ("init", "half", "full")
    return {m: np.array(runs[f"{m}_{key}"].tolist()) for m in moments}


V, higher, loss = map(stage_of, ("mean_square", "higher", "loss"))
text_layers = np.arange(1, sizes.text_layers + 1)
peri = {m: fit_slopes(text_layers, v[:, 1:] - v[:, :1]) for m, v in V.items()}

# %%
strangers = []  # what unrelated writes give, in the same models untrained
for seed in chapter.seeds(sizes.text_seeds):
    fields = {k: x for k, x in setting.items() if k not in ("norm", "n_layers")}
    text = TextSetting(**fields, seed=seed)
    model = text.make_model("peri", sizes.text_layers)
    embedded = model.embed(text.held_out()[0]).detach()
    strangers.append(paths.unrelated_share(model, embedded))

# %% tags=["hide-input"]
chapter.record(
    "residual-theory.peri-trained",
    runs=peri["full"].runs,
    half_trained=peri["half"].runs,
    leave_one_out=peri["full"].leave_one_out,
)
chapter.record(
    "residual-theory.higher-order",
    runs=higher["full"],
    half_trained=higher["half"],
)
chapter.glue("rt-strangers", with_interval(strangers))
chapter.glue("rt-text-steps", sizes.text_steps)
for moment in ("init", "half"):
    chapter.glue(f"rt-peri-{moment}", with_interval(peri[moment].runs))
    chapter.glue(f"rt-higher-{moment}", with_interval(higher[moment]))
ngrams = np.array(runs.ngrams.tolist())
chapter.glue("rt-margin", with_interval(ngrams[:, 1] - loss["full"]))
table = {
    name: [with_interval(x) for x in rows]
    for name, rows in [
        ("held-out loss, nats", loss.values()),
        ("growth exponent", [fit.runs for fit in peri.values()]),
        ("higher-order share", higher.values()),
    ]
}
for i, name in enumerate(("unigram", "bigram", "trigram")):
    table[f"loss of a {name} table"] = ["", "", with_interval(ngrams[:, i])]
shown = pd.DataFrame(table, index=["untrained", "half", "end"])
shown.T.rename_axis("Peri-LN")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rt-trained", "caption": "Left: growth of the mean square of the stream over the layers of Peri-LN models of characters, untrained, at half and at the end of training (a point per seed, lines: means); dashed: a constant for each of two branches. Right: share of the change of the stream that is not the paths through one layer; dotted: what the writes of another sequence give, untrained."}, "image": {"alt": "Left: on log-log axes three bundles of rising points; those of the trained models lie above the dashed line, and rise more steeply at half of the training than at its end. Right: three columns of points, the untrained highest, below the dotted line, and all of them far above zero."}}
MOMENTS = dict(init=COLORS["null"], half=SERIES[4], full=COLORS["ours"])
labels = dict(init="untrained", half="half", full="end")
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.2))
for (moment, color), marker in zip(MOMENTS.items(), MARKERS):
    rise = V[moment][:, 1:] - V[moment][:, :1]
    axes[0].plot(text_layers, rise.T, marker, color=color, ms=3, alpha=0.5)
    label = labels[moment]
    axes[0].plot(text_layers, rise.mean(axis=0), color=color, label=label)
    axes[1].plot([label] * len(runs), higher[moment], marker, color=color, ms=5)
axes[0].plot(text_layers, 2 * text_layers, "--", color=COLORS["theory"], lw=1)
axes[0].set(xscale="log", yscale="log", xlabel="layer", ylabel="growth")
axes[0].set_xticks(text_layers, text_layers)
axes[0].set_yticks([2, 5, 10, 20, 50], [2, 5, 10, 20, 50])
axes[0].minorticks_off()
axes[0].legend()
axes[1].axhline(np.mean(strangers), color=COLORS["null"], ls=":", lw=1)
axes[1].set(ylabel="higher-order share", ylim=(0, 1.6))
plt.show()

# %% [markdown]
# **What to see.** Untrained the exponent is {glue:text}`rt-peri-init`, at half
# of the {glue:text}`rt-text-steps` steps {glue:text}`rt-peri-half`, and at the
# end {claim}`residual-theory.peri-trained`
# ({claim:verdict}`residual-theory.peri-trained`). The untrained number is the
# law and proves nothing. Trained, it first rises and then falls back towards
# one, and nothing shows that it stops there: a value near one may be a moment
# and not a law. (The gains of the output norms move little, so that each layer
# goes on writing about as much as untrained.) The models end {glue:text}`rt-margin` nats below a bigram table.
#
# **A network of this kind is not its first order.** What is left after the
# paths through one layer has {claim}`residual-theory.higher-order` times the
# length of the whole change, {glue:text}`rt-higher-half` at half and
# {glue:text}`rt-higher-init` untrained. Take away what the layers would write on
# the embeddings of *another* sequence instead, and the untrained models have
# {glue:text}`rt-strangers`: there the first order explains hardly more than a
# stranger's. (For the trained models we have no such control.) At no time is
# the share near zero: an expansion around the identity needs weaker blocks than
# these.
#
# **What of the gradient?** Step 5 scaled one matrix, with the gradient from above
# held fixed. In a trained model neither is. For the output matrix $W$ of an MLP,
# which reads $u$ and writes $Wu = a$, the notes have a gradient proportional to
# $\lVert u \rVert$ in Pre-LN and to at most $\lVert u \rVert / \lVert a \rVert$
# in Peri-LN, where a norm follows. We compare the layers of one model: log-log
# slopes of the gradient on either, over the layers of the same models.


# %%
def slope_over_layers(x_SL: np.ndarray, y_SL: np.ndarray) -> np.ndarray:
    """Return the log-log slope over the layers of each model, (seeds,)."""
    pairs = zip(x_SL, y_SL)
    return np.array([fit_slopes(x, y[None]).runs[0] for x, y in pairs])


sizes_of = {key: stage_of(key) for key in ("gradient", "input", "output")}
gradient_rows = {"slope on ‖u‖": {}, "slope on ‖u‖/‖a‖": {}}
for moment in ("init", "half", "full"):
    g, u, a = (rows[moment] for rows in sizes_of.values())
    for row, x in zip(gradient_rows.values(), (u, u / a)):
        row[moment] = slope_over_layers(x, g)

# %% tags=["hide-input"]
on_ratio = gradient_rows["slope on ‖u‖/‖a‖"]
chapter.record(
    "residual-theory.peri-gradient-trained",
    runs=on_ratio["full"],
    half_trained=on_ratio["half"],
)

# %% tags=["hide-input"]
shown = {
    name: [with_interval(x) for x in row.values()]
    for name, row in gradient_rows.items()
}
spans = {"gradient": lambda g, u, a: g, "‖u‖": lambda g, u, a: u}
spans["‖u‖/‖a‖"] = lambda g, u, a: u / a
for name, what in spans.items():
    span = [what(*(rows[m] for rows in sizes_of.values())) for m in on_ratio]
    label = f"{name}, largest over smallest layer"
    shown[label] = [with_interval(x.max(1) / x.min(1)) for x in span]
chapter.glue("rt-slope-input", shown["slope on ‖u‖"][-1])
chapter.glue("rt-slope-init", shown["slope on ‖u‖/‖a‖"][0])
chapter.glue("rt-slope-half", shown["slope on ‖u‖/‖a‖"][1])
for name, short in zip(spans, ("gradient", "input", "ratio")):
    span = shown[f"{name}, largest over smallest layer"][-1]
    chapter.glue(f"rt-span-{short}", span)
shown = pd.DataFrame(shown, index=["untrained", "half", "end"])
shown.T.rename_axis("gradient of the output matrix, Peri-LN")

# %% [markdown]
# **The ratio is not all.** Between the layers of a trained model the gradient
# differs by a factor of {glue:text}`rt-span-gradient`, the ratio by only
# {glue:text}`rt-span-ratio` and $\lVert u \rVert$ by
# {glue:text}`rt-span-input`. The slope on the ratio ends at
# {claim}`residual-theory.peri-gradient-trained` ({glue:text}`rt-slope-half` at
# half, {glue:text}`rt-slope-init` untrained), where a gradient of one size from
# above would give one; at half it is steeper, at the end the interval leaves it
# open. On $\lVert u \rVert$ alone it is {glue:text}`rt-slope-input`, which
# shows nothing. Layers differ in the gradient that reaches them too, so the law
# for one matrix in Step 5 is not seen between layers.
#
# ### Step 7: attention over depth
#
# {cite:t}`kimi2026attention` let every sublayer read a weighted mean of all
# earlier outputs $v_i$, instead of their plain sum:
#
# $$
# h_l = \sum_{i < l} \alpha_i v_i, \qquad
# \alpha = \operatorname{softmax}_i \bigl( w_l \cdot v_i / \mathrm{rms}(v_i)
# \bigr) .
# $$ (eq-rt-attnres)
#
# The learned vectors $w_l$ start at zero. Two things follow without training.
# At $w = 0$ the read is a mean, and since the next norm cannot tell a mean from
# a sum, the network *is* the plain Pre-LN network, gradients included. And a
# weighted mean is never longer than its longest part, so the stream cannot grow
# by adding.

# %%
chapter.section("Attention over depth")
plain, twin = untrained.attnres_pair(
    seed=seeds[0], d_model=d, n_layers=blocks, n_ctx=8
)
at_start = max(untrained.twin_difference(plain, twin))

# %% [markdown]
# Reading along depth is then not unlike reading along the sequence.
# {cite:t}`zhang2026duality` states that a causal read over a window of layers
# *is* sliding-window attention with the two axes exchanged. We run one function
# on both.

# %% tags=["nbval-check-output"]
rng = np.random.default_rng(seeds[0])
q, key, v = rng.standard_normal((3, 12, 9, 8))  # positions, layers, width
gaps = []
for window in (1, 3, 12):
    deep = theory.windowed_read(q, key, v, window, axis=1)
    turned = [x.swapaxes(0, 1) for x in (q, key, v)]
    wide = theory.windowed_read(*turned, window, axis=0).swapaxes(0, 1)
    gaps.append(np.abs(deep - wide).max() / np.abs(deep).max())
print("windows 1, 3, 12 agree:", max(gaps) < 1e-12)

# %% tags=["hide-input"]
chapter.record(
    "residual-theory.attnres-start",
    value=at_start,
    tolerance_of="logits and gradients of the twins",
)
chapter.record(
    "residual-theory.duality",
    value=max(gaps),
    tolerance_of="read along depth against read along the turned sequence",
)

# %% [markdown]
# ```{margin}
# The duality is one of notation: the same code runs either way. In attention
# residuals the query $w_l$ is a parameter and not computed from the stream, so
# they are a relative of this operator and not an instance of it.
# ```
#
# **Both hold to rounding error, as identities must**: they are algebra, and say
# where training starts and what it cannot do, not what it gains. The first step
# of training moves the queries away from zero, and the first identity ends
# there. (The gain in compute that {cite:t}`kimi2026attention` report is known
# to us from transcriptions only; the chapter on depth lists it as out of
# reach.)
#
# ### Step 8: depth over width, in short
#
# The last law concerns luck: how much the length of a signal differs between
# two draws of the same network. {eq}`eq-rt-kernel` says that this depends on
# depth over width alone, once both are large. Since a fresh Gaussian matrix
# turns any vector into a Gaussian one, we draw vectors and never matrices.

# %%
chapter.section("Depth over width")
kernel_seeds = chapter.seeds(sizes.kernel_seeds)


def moment(kind: str, width: int, depth: int, **options) -> float:
    """Return E[K²]/E[K]², the mean over seeds."""
    rows = []
    for seed in kernel_seeds:
        rng = np.random.default_rng([seed, width, depth])
        log_K = theory.sample_log_kernel(
            kind, width, depth, sizes.samples, rng=rng, **options
        )
        rows.append(np.exp(2 * log_K).mean() / np.exp(log_K).mean() ** 2)
    return np.mean(rows)


nets = {"linear": ("linear", 64, 16, 2.0), "ReLU": ("relu", 64, 8, 5.0)}
moments = {name: moment(*net[:3]) for name, net in nets.items()}
nu = {n: w * (moments[n] ** (1 / L) - 1) for n, (_, w, L, _) in nets.items()}
aspect = np.log(moments["ReLU"]) / np.log(moment("relu", 128, 16))
off_nu = max(abs(nu[name] / net[3] - 1) for name, net in nets.items())

# %% tags=["hide-input"]
chapter.record(
    "residual-theory.kernel",
    value=off_nu,
    tolerance_of="largest relative deviation of nu, linear and ReLU",
)
chapter.record(
    "residual-theory.aspect-ratio",
    value=aspect,
    tolerance_of="log moment at 64 x 8 over that at 128 x 16, ReLU",
)
for name in nets:
    chapter.glue(f"rt-nu-{name}", nu[name], ".2f")

# %% [markdown]
# We find $\nu$ = {glue:text}`rt-nu-linear` for linear and
# {glue:text}`rt-nu-ReLU` for ReLU networks. Twice the width and twice the depth
# leave the logarithm unchanged up to a factor of
# {claim}`residual-theory.aspect-ratio`, where depth alone would give a half.
# **A plain network must be widened as it is deepened; a residual one need
# not**: a skip of strength $\gamma$, with a branch of variance $1 - \gamma^2$,
# has $\nu = 2(1 - \gamma^4)$, so that with $\gamma^2 = 1 - c/L$ the exponent
# $\nu L / n$ tends to $4c/n$ at any depth. The price is the bargain of the
# paths: their mean length then tends to $c$.
#
# ## Noise floor
#
# The laws hold in the mean over networks; how far does one network stray? Its
# stream is a sum of nearly uncorrelated vectors, and "nearly" leaves products
# of relative size $1/\sqrt d$ that all tokens share.

# %% tags=["remove-cell"]
chapter.section("Noise floor")


def spread(runs) -> float:
    """Return the standard deviation over seeds, NaN for one run."""
    return np.std(runs, ddof=1) if len(runs) > 1 else np.nan


for norm in ("pre", "lns"):
    chapter.glue(f"rt-spread-{norm}", spread(level[norm].mean(axis=1)), ".1%")
chapter.glue("rt-spread-last", spread(level["pre"][:, -1]), ".1%")
chapter.glue("rt-spread-slope", spread(slopes["pre"]), ".3f")
chapter.glue("rt-spread-jacobian", spread(ratio["pre"].mean(axis=1)), ".1%")
chapter.glue("rt-spread-gradient", spread(gain["pre"][:, -1]), ".0%")

# %% [markdown]
# Between seeds the level of the Pre-LN stream, averaged over depth, varies by
# {glue:text}`rt-spread-pre` (standard deviation), at the last block by
# {glue:text}`rt-spread-last`, its slope by {glue:text}`rt-spread-slope`. The
# gradient's gain varies by {glue:text}`rt-spread-gradient`, the Jacobian law by
# only {glue:text}`rt-spread-jacobian`. **A variance profile from one seed, as
# is usually shown, carries an error of this size even at the start.**

# %% [markdown]
# ## Ours against the papers
#
# <!-- claims:table -->
#
# *Identities* are what this page proves, exactly or in the mean; an untrained
# network must satisfy them, so they test our code and not a paper. *Findings*
# are ours. The judged rows are statements of the papers that could be wrong.
#
# Two of those are mathematics, and no measurement decides them. The lower bound
# of the LNS lemma, for independent weights, and the order $L$ of the product
# bound on gradients do not hold; these two carry the chapter, and rest on a
# transcription of the paper's text. (That the abstract's exponential growth
# does not follow from the paper's own recursion is an identity here.) The
# third, linear growth in Peri-LN, is tested after training, where it is no
# longer exact by construction, though gains that hardly move keep it near:
# {claim:verdict}`residual-theory.peri-trained`.
#
# ```{admonition} What would change our mind
# *On the lemma and the bound.* A reading of Lemma 4.1 and of the remark after
# Theorem 3.3 in the paper itself, with an assumption or a constant that our
# transcription lacks. Cost: an hour. It would decide
# `residual-theory.lns-lemma` and `residual-theory.bound-order`.
#
# *On Peri-LN.* The growth exponent of published Peri-LN models (Gemma, OLMo 2)
# beside a re-drawn twin, or of ours trained ten times as long. Cost: minutes
# with the weights at hand; else about two core-hours for five seeds. It would
# decide `residual-theory.peri-trained`.
# ```
#
# ## Where it breaks
#
# *Longer contexts.* With one token attention copies the value. With many it
# averages values, which at first nearly cancel and later, as tokens grow alike,
# no longer do. So attention writes more with depth, even untrained. *Smooth
# gates.* SwiGLU is a product of two factors, nearly quadratic for small
# inputs. Under LNS its branch falls almost like $1/l^2$, where the law for ReLU
# says $1/l$. We measure both.

# %% tags=["hide-input"]
chapter.section("Where it breaks")
few = few_seeds[:5]
context = dict(n_ctx=64, d_vocab=64)
cells = [
    ("attn", untrained.untrained("pre", seed=0, **shape, **context)),
    ("mlp", untrained.untrained("lns", seed=0, **shape, act="swiglu")),
]
branch = {}
for name, model in cells:
    tokens = torch.arange(model.config.d_vocab).view(-1, model.config.n_ctx)
    rows = []
    for seed in few:
        streams = record_streams(untrained.redraw(model, seed), tokens)
        wrote = getattr(streams, name)
        rows.append([x.square().mean().item() for x in wrote])
    branch[name] = np.array(rows)
steep = fit_slopes(layers, branch["mlp"])

chapter.glue("rt-long-first", branch["attn"][:, 0].mean(), ".2f")
chapter.glue("rt-long-last", branch["attn"][:, -1].mean(), ".2f")
chapter.glue("rt-swiglu", with_interval(steep.runs))

# %% [markdown]
# With 64 tokens attention writes {glue:text}`rt-long-first` in the first block
# and {glue:text}`rt-long-last` in the last, where one token gives 1
# throughout. The SwiGLU branch falls with a slope of {glue:text}`rt-swiglu`
# under LNS, not $-1$.
#
# *Training.* Steps 1 to 5 assume that branches are independent of the stream.
# Training exists to make them dependent. Then Pre-LN may grow up to
# quadratically with equal weights, faster if late weights are larger, and the
# curves of trained models must be held against the laws here as their null.
# Step 6 does so for one norm, at one size; the chapter on depth for more.
#
# ## Exercises
#
# **1.** GPT-2 divides the initial output matrices by $\sqrt{2L}$. What are the
# variance law, the Jacobian law and the mean path length?
#
# ```{admonition} Answer
# :class: dropdown
# Now $b = 3/(2L)$, so $V_L = V_0 + 3/2$ for every depth: the stream stays of
# order one. All sublayers have odds of order $1/L$, so the path length is close
# to Poisson, with mean $\log(V_L/V_0)$, about 0.9 for $V_0 = 1$, whatever the
# depth. Late layers are then hardly nearer to the identity than early ones,
# because all of them are very near to it. This is the $\lambda = 1/\sqrt n$ of
# {numref}`fig-rt-paths`.
# ```
#
# **2.** Show that the squared gain of the raw Pre-LN stack is $V_L/V_0$, and
# conclude how large the gradient is at block $l$.
#
# ```{admonition} Answer
# :class: dropdown
# With $g_i = b_i/V_i$ and $V_{i+1} = V_i + b_i$ each factor is $1 + g_i =
# V_{i+1}/V_i$, and the product telescopes. From block $l$ to the output it is
# $V_L/V_l$; the final norm divides by $V_L$. The squared gradient at the stream
# of block $l$ is thus proportional to $1/V_l$, that is to $1/l$: late layers
# get smaller gradients, by the same factor by which they write less.
# ```
#
# **3.** Which scaling of branches makes every block write the same share of the
# stream? What does it cost?
#
# ```{admonition} Answer
# :class: dropdown
# Equal odds $g$ need $V_{l+1} = (1 + g) V_l$: exponential growth, with branch
# scales that grow like $(1+g)^{l/2}$. The path length is then $L g/(1+g)$,
# proportional to depth at last. So the explosion is the price of depth that is
# used. One can pay it by rescaling the stream after every block. For branches
# of degree one, such as bias-free ReLU MLPs, that is Post-LN, exactly.
# ```
#
# ## End matter
#
# **Differences from the papers.** Untrained networks, but for Step 6; one token of
# context; ReLU and RMSNorm in place of SwiGLU; matrices of variance $1/d$ instead
# of a fixed 0.02; norm gains of one. Masks are random here and learned there. The
# spectral norms of the theorems are replaced by mean squares, which have exact
# laws.
#
# **What was easy.** The identities: an afternoon of algebra, and seconds of
# computing. **What was hard.** To keep apart what is proved here and what is
# claimed there. A first edition judged laws of this page as if a paper had been
# tested by them; they are identities now.
#
# **Compute and larger runs.** The provenance below lists seconds per section.
# `scaling run residual-theory --profile gpu` draws deeper and wider networks;
# it needs no graphics card.
#
# **References.** {cite:t}`sun2025curse`, {cite:t}`kim2025periln`,
# {cite:t}`muhtar2026sparsity` and {cite:t}`kimi2026attention` for the claims on
# transformers, {cite:t}`dherin2025residual`, {cite:t}`veit2016residual` and
# {cite:t}`zhang2026duality` for paths and duality,
# {cite:t}`roberts2022principles` and {cite:t}`hanin2018start` for depth over
# width; all in the [bibliography](../references.md).

# %% tags=["remove-input"]
chapter.finish()
