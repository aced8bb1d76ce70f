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
# Everything here concerns **untrained** networks and formulas. The networks are
# real transformers with the norms of the papers, but in the setting in which
# the mathematics is exact: one token of context (attention then copies the
# value), ReLU, RMSNorm, and matrices with entries $\mathcal N(0, 1/d)$. The
# last section shows what changes when this is given up.
#
# Not here: any gain in quality. Whether a norm trains better is a question of
# large runs, and the chapter before this one quotes the published numbers.
# Where we know a paper's number only at second hand, we say so, and where we
# know it not at all, the claim is marked out of reach.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import torch

from scaling_book.api import COLORS, MARKERS, SERIES, Chapter, error_bars
from scaling_core.base.intervals import with_interval
from scaling_core.base.slopes import fit_slopes
from scaling_core.models.streams import record_streams
from scaling_core.models.transformer import TransformerConfig
from studies.residual_theory import paths, theory, untrained

# %% tags=["hide-input"]
chapter = Chapter("residual-theory", profile=profile)
sizes = chapter.sizes(
    d_model=dict(smoke=32, cpu=64, gpu=128),
    blocks=dict(smoke=8, cpu=32, gpu=64),
    seeds=dict(smoke=1, cpu=40, gpu=40),
    jacobian_blocks=dict(smoke=4, cpu=16, gpu=24),
    path_width=dict(smoke=16, cpu=64, gpu=64),
    path_seeds=dict(smoke=1, cpu=10, gpu=20),
    samples=dict(smoke=500, cpu=10000, gpu=40000),
    kernel_seeds=dict(smoke=1, cpu=10, gpu=20),
)
seeds = chapter.seeds(sizes.seeds)
path_seeds = chapter.seeds(sizes.path_seeds)
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

# %% tags=["hide-input"]
chapter.record(
    "residual-theory.path-sum",
    value=gap,
    tolerance_of="product against the sum of 256 paths",
)

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

# %% tags=["hide-input"]
for slopes, name in zip(orders, ("first", "second")):
    chapter.record(
        f"residual-theory.remainder-{name}",
        runs=slopes.runs,
        leave_one_out=slopes.leave_one_out,
    )

# %%
gains = {}
for name, blocks, scale in [("one", 8, 1.0), ("root", 32, 32**-0.5)]:
    gains[name] = [
        paths.gaussian_gains(
            blocks, width, 1000, scale, rng=np.random.default_rng(seed)
        ).mean()
        for seed in path_seeds
    ]
doubling = np.log2(gains["one"]) / 8
ratio = np.array(gains["root"]) / (1 + 1 / 32) ** 32

# %% tags=["hide-input"]
chapter.record("residual-theory.gain-one", runs=doubling)
chapter.record("residual-theory.gain-root", runs=ratio)
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
# {claim}`residual-theory.remainder-first` and
# {claim}`residual-theory.remainder-second`; eight unscaled blocks multiply the
# squared signal by {glue:text}`rt-gain-one`, thirty-two scaled ones by
# {glue:text}`rt-gain-root`. But the number of paths grows with the order as
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

# %% tags=["hide-input"]
for norm in ("pre", "lns"):
    chapter.record(
        f"residual-theory.{norm}-level", runs=level[norm].mean(axis=1)
    )

# %%
growth = {norm: V[:, 1:] - V[:, :1] for norm, V in squares.items()}
linear = fit_slopes(layers, growth["pre"])
late = sizes.blocks // 2
late_lns = fit_slopes(layers[late:], growth["lns"][:, late:])
linear_peri = fit_slopes(layers, growth["peri"])
per_sublayer = growth["peri"][:, -1] / (2 * sizes.blocks)

# %% tags=["hide-input"]
for name, fit in [
    ("pre-linear", linear),
    ("lns-lower-bound", late_lns),
    ("peri-linear", linear_peri),
]:
    chapter.record(
        f"residual-theory.{name}",
        runs=fit.runs,
        leave_one_out=fit.leave_one_out,
    )
chapter.glue("rt-peri-growth", with_interval(per_sublayer))

# %%
model = untrained.untrained("peri", seed=seeds[0], **shape)
streams = record_streams(model, torch.arange(16)[:, None])
branches = torch.stack(streams.attn + streams.mlp)
off_peri = (branches.square().mean(dim=-1) - 1).abs().max().item()
off_post = np.abs(squares["post"][:, 1:] - 1).max()

# %% tags=["hide-input"]
chapter.record(
    "residual-theory.peri-branch",
    value=off_peri,
    tolerance_of="mean square of Peri-LN branches, deviation from 1",
)
chapter.record(
    "residual-theory.post-constant",
    value=off_post,
    tolerance_of="mean square of the Post-LN stream, deviation from 1",
)

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
# **What to see.** Measured over predicted is {claim}`residual-theory.pre-level`
# for Pre-LN and {claim}`residual-theory.lns-level` for LNS; the Pre-LN slope is
# {claim}`residual-theory.pre-linear`, that of Peri-LN
# {claim}`residual-theory.peri-linear`, and each Peri-LN sublayer adds
# {glue:text}`rt-peri-growth`. **Before training Pre-LN sits at the very bottom
# of the range that Lemma 3.2 of {cite:t}`sun2025curse` allows, which reaches up
# to exponential growth.**
#
# LNS lies below its own lemma. Lemma 4.1 states growth of at least order $L$;
# over the second half of the blocks we find a slope of
# {claim}`residual-theory.lns-lower-bound`, falling towards zero, because $\sum
# 1/l$ is a logarithm. The lemma's bound is right for its recursion, which Step
# 2 examines, but not for independent weights of mean zero, which the paper
# assumes. What trained networks do is another question.
#
# ```{margin}
# We read this lemma, and the remark on gradients in Step 2, from a
# transcription of the paper's text. Both fail here, so both want a second
# reading of the paper itself.
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
sigma = np.sqrt(k)  # linear variance
log_bound = np.cumsum(np.log1p(1 / sigma + 1 / sigma**2))
bound_slope = np.polyfit(np.log(k[tail]), log_bound[tail], 1)[0]

# %% tags=["hide-input"]
ratio_of_logs = "log of y at k = 4096 over log of y at k = 2048"
local_slope = "log-log slope of the product bound, L = 1024 .. 4096"
for name, value, what in [
    ("recursion-slope", quadratic, "log-log slope of the recursion"),
    ("recursion-constant", constant, "sigma over k at k = 4096"),
    ("recursion-lns", lns_error, "largest deviation of y_k / k from 1"),
    ("recursion-exponential", log_ratio, ratio_of_logs),
    ("product-bound", bound_slope, local_slope),
]:
    chapter.record(f"residual-theory.{name}", value=value, tolerance_of=what)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rt-recursion", "caption": "The recursion of the variance lemma and that of its LNS version (solid), the lemma's upper bound (dashed grey; the lower one is k), and what independent branches give (dotted)."}, "image": {"alt": "On log-log axes the lemma's recursion rises with slope two, far below the dashed exponential, which leaves the frame at once. The LNS recursion and Pre-LN with independent branches share one line of slope one, and below it a dotted logarithm stands for LNS with independent branches."}}
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
# {claim}`residual-theory.recursion-exponential`, as a power law's does. The
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
# product behaves like $\exp(2 A \sqrt L)$: with $A = B = 1$ its local exponent
# at $L \approx 2000$ is {claim}`residual-theory.product-bound`. The true gain,
# derived in Step 4, is far below the bound in either case.
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

# %% tags=["hide-input"]
for norm in ("pre", "lns"):
    runs = ratio[norm].mean(axis=1)
    chapter.record(f"residual-theory.jacobian-{norm}", runs=runs)
chapter.record("residual-theory.lns-identity", runs=nearer)
chapter.glue("rt-peri-first", ratio["peri"][:, 0].mean(), ".2f")
chapter.glue("rt-peri-last", ratio["peri"][:, -1].mean(), ".2f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rt-jacobian", "caption": "Left: distance of the Jacobian of each MLP sublayer from the identity, over the root of d - 1; right: the same for all sublayers, over the law. Means over seeds of untrained networks."}, "image": {"alt": "Left: three falling curves on log-log axes, LNS falling fastest and ending well below Pre-LN and Peri-LN. Right: the points lie close to one at every depth."}}
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
# **What to see.** Measured over law is {claim}`residual-theory.jacobian-pre`
# for Pre-LN and {claim}`residual-theory.jacobian-lns` for LNS. Peri-LN, for
# which the law is only approximate since the output norm takes out a second
# direction, goes from {glue:text}`rt-peri-first` to {glue:text}`rt-peri-last`.
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

# %% tags=["hide-input"]
chapter.record(
    "residual-theory.gradient-bounded",
    runs=flat.runs,
    leave_one_out=flat.leave_one_out,
)
chapter.record("residual-theory.path-length", runs=relative_length)
for norm in written:
    chapter.glue(f"rt-mean-{norm}", with_interval(lengths[norm][:, 0]))
chapter.glue("rt-sublayers", 2 * blocks)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rt-gradient", "caption": "Left: squared gain of the gradient from the final norm to the embedding, against the number of blocks, mean over seeds with 95 % intervals. Right: share of the squared gradient that passes k sublayers; points measured, lines the coin law, dashed: every path counted alike."}, "image": {"alt": "Left: three nearly flat curves close to one for Pre-LN, LNS and Peri-LN. Right: three narrow bells, far left of the dashed bell at half the number of sublayers."}}
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
# explode (the slow rise of Peri-LN is of order $1/d$). But they travel short
# ways. Of {glue:text}`rt-sublayers` sublayers the mean path passes
# {glue:text}`rt-mean-pre` in Pre-LN, {glue:text}`rt-mean-lns` in LNS and
# {glue:text}`rt-mean-peri` in Peri-LN.
#
# Measured over predicted the Pre-LN length is
# {claim}`residual-theory.path-length`. It is bounded by $\log(V_L/V_0)$, so it
# grows like the logarithm of the depth in Pre-LN and Peri-LN, and like the
# logarithm of that in LNS. **To the gradient, an untrained Pre-LN network of
# depth $L$ is an ensemble of networks of depth $\log L$.**
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

# %% tags=["hide-input"]
ten = {norm: rows[-1] for norm, rows in rescaled.items()}
pre_error = abs(np.log10(ten["pre"].output) - 1)
pre_error += abs(np.log10(ten["pre"].gradient))
for name, value in [
    ("pre-gradient", pre_error),
    ("peri-output", ten["peri"].output_error),
    ("peri-gradient", ten["peri"].gradient_error),
]:
    what = "deviation from the exact law at k = 10"
    chapter.record(f"residual-theory.{name}", value=value, tolerance_of=what)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rt-peri", "caption": "Size of the branch output and of the gradient of the output matrix, relative to before, when the output matrix of an MLP is multiplied by k."}, "image": {"alt": "Left, branch output: a line of slope one for Pre-LN and a flat line for Peri-LN. Right, gradient: a flat line for Pre-LN and a line of slope minus one for Peri-LN."}}
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
# smaller gradients: a learning rate that falls by itself. Note what it does
# *not* do: the stream's growth and the Jacobian law are those of Pre-LN with
# $b = 1$ a sublayer. Output norms discipline the weights, not the depth.
#
# The other cure on offer is sparsity {cite:p}`muhtar2026sparsity`, with a
# theorem whose text we have not seen. As a stand-in for its effect on the
# variance we zero random entries of an untrained network's matrices. Each entry
# kept with probability $p$ leaves a share $p$ of what the matrix adds, so masks
# on one matrix of a branch scale $b$ by $p$, and masks on both by $p^2$.

# %%
small = dict(d_model=d, n_layers=blocks)
inputs = ("attn.qkv.weight", "mlp.up.weight")
masks = {
    "one": untrained.OUTPUTS,
    "both": untrained.OUTPUTS + inputs,
}
masked = {
    name: untrained.masked_growth(0.5, matrices, seeds, **small)
    for name, matrices in masks.items()
}

# %% tags=["hide-input"]
for name, runs in masked.items():
    chapter.record(f"residual-theory.mask-{name}", runs=runs)
b = 3
shares = [(p * b / (1 + p * b * (sizes.blocks - 1))) for p in (1, 0.25)]
for name, share in zip(("dense", "sparse"), shares):
    chapter.glue(f"rt-share-{name}", share**0.5, ".3f")

# %% [markdown]
# With half the entries gone the growth is {claim}`residual-theory.mask-one` and
# {claim}`residual-theory.mask-both` of what it was. **But less variance is not
# more use of depth.** What the last block writes, relative to the stream, is
# the root of $b/(V_0 + (L-1)b)$: {glue:text}`rt-share-dense` dense,
# {glue:text}`rt-share-sparse` with both masks. For deep networks $b$ cancels.
# Before training, only something that treats early and late layers differently
# can change it.
#
# ### Step 6: depth over width
#
# The last law concerns luck: how much the length of a signal differs between
# two draws of the same network. {eq}`eq-rt-kernel` says that this depends on
# depth over width alone, once both are large. Since a fresh Gaussian matrix
# turns any vector into a Gaussian one, we draw vectors and never matrices.

# %%
chapter.section("Depth over width")
kernel_seeds = chapter.seeds(sizes.kernel_seeds)


def moment(kind, width, depth, samples=sizes.samples, **options):
    """Return E[K²]/E[K]² per seed."""
    rows = []
    for seed in kernel_seeds:
        rng = np.random.default_rng([seed, width, depth])
        log_K = theory.sample_log_kernel(
            kind, width, depth, samples, rng=rng, **options
        )
        rows.append(np.exp(2 * log_K).mean() / np.exp(log_K).mean() ** 2)
    return np.array(rows)


def nu(moments, width: int, depth: int) -> np.ndarray:
    """Return ν of (1 + ν/n)^L."""
    return width * (moments ** (1 / depth) - 1)


# %%
relu = {(w, L): moment("relu", w, L) for w, L in [(64, 8), (128, 16)]}
linear_net = moment("linear", 64, 16)
skip_net = moment("residual", 64, 16, skip=0.9)
linear_nu, relu_nu = nu(linear_net, 64, 16), nu(relu[64, 8], 64, 8)
skip_nu = nu(skip_net, 64, 16)
aspect = np.log(relu[64, 8]) / np.log(relu[128, 16])

# %% tags=["hide-input"]
chapter.record("residual-theory.kernel-linear", runs=linear_nu)
chapter.record("residual-theory.kernel-relu", runs=relu_nu)
relative_nu = skip_nu / theory.residual_nu(0.9)
chapter.record("residual-theory.kernel-skip", runs=relative_nu)
chapter.record("residual-theory.aspect-ratio", runs=aspect)
chapter.glue("rt-nu-skip", with_interval(skip_nu))
chapter.glue("rt-nu-skip-theory", theory.residual_nu(0.9), ".2f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rt-kernel", "caption": "Log of the second moment of the squared length of a signal in random ReLU networks, against the depth and against depth over width, for three widths (mean over seeds with 95 % intervals, a quarter of the samples). Solid: the exact law; dashed: its limit of large width."}, "image": {"alt": "Left: three rising lines, steeper for narrower networks. Right: against depth over width the same points fall together on one line through the origin, slightly below the dashed limit."}}
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.2), sharey=True)
for width, color, marker in zip((32, 64, 128), SERIES[3:], MARKERS):
    depth = np.array([2, 4, 8]) if width == 32 else np.array([4, 8, 16])
    logs = np.log(
        [moment("relu", width, L, sizes.samples // 4) for L in depth]
    )  # (depths, seeds)
    error = error_bars(logs.T)
    law = depth * np.log(1 + 5 / width)
    for ax, x in zip(axes, (depth, depth / width)):
        ax.plot(x, law, color=color, lw=1)
        style = dict(color=color, label=f"width {width}")
        ax.errorbar(x, logs.mean(axis=1), error, fmt=marker, ms=4, **style)
axes[1].axline((0, 0), slope=5, color=COLORS["theory"], ls="--", lw=1)
axes[0].set(xlabel="depth", ylabel="log of the second moment")
axes[1].set(xlabel="depth / width", xlim=(0, None), ylim=(0, None))
axes[0].legend()
plt.show()

# %% [markdown]
# **What to see.** We find $\nu$ = {claim}`residual-theory.kernel-linear` for
# linear and {claim}`residual-theory.kernel-relu` for ReLU networks. Twice the
# width and twice the depth leave the logarithm unchanged up to a factor of
# {claim}`residual-theory.aspect-ratio`, where depth alone would give a half. A
# skip of strength $\gamma$ with $\gamma^2 + C_W = 1$, $C_W$ the variance of the
# branch, has $\nu = 2(1 - \gamma^4)$: at $\gamma = 0.9$ {glue:text}`rt-nu-skip`
# against {glue:text}`rt-nu-skip-theory`.
#
# **A plain network must be widened as it is deepened; a residual one need
# not.** With $\gamma^2 = 1 - c/L$ the exponent $\nu L / n$ tends to $4c/n$,
# whatever the depth. The price is the bargain of the paths: their mean length
# then tends to $c$.
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
reads = [
    untrained.largest_read(twin, spread=spread, seed=seeds[0])
    for spread in (0.1, 1.0, 10.0)
]

# %% tags=["hide-input"]
chapter.record(
    "residual-theory.attnres-start",
    value=at_start,
    tolerance_of="logits and gradients of the twins",
)
chapter.record(
    "residual-theory.attnres-bound",
    value=max(reads),
    tolerance_of="longest read over its longest value",
)

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
# **All three hold to rounding error**: they are algebra. They are statements
# about where training starts and what it cannot do, not about what it gains.
# The first step of training moves the queries away from zero, and the identity
# ends there; the bound does not.
#
# ### Step 8: how well do printed digits fix a saving?
#
# The gain is reported as a compute ratio, read off two fitted laws. We have not
# seen the pages. Public transcriptions give $1.891 \, C^{-0.057}$ for the
# baseline, $1.870 \, C^{-0.058}$ for the block variant and a saving of 1.25 at
# 5.6 PFLOP/s-days. What follows is arithmetic on these transcribed constants;
# no claim of the paper is judged by it. The exponents are small, so that a
# third digit of a loss is a second digit of the compute.

# %% tags=["nbval-check-output"]
chapter.section("Printed digits")
BASE, BLOCK, AT = (1.891, 0.057), (1.870, 0.058), 5.6
saving = theory.compute_ratio(BASE, BLOCK, AT)
low, high = untrained.rounding_range(BASE, BLOCK, AT)
for name, (A, b) in {"baseline": BASE, "block": BLOCK}.items():
    print(f"{name:9} loss at 5.6: {A * AT**-b:.4f}")
print(f"compute ratio {saving:.3f}, with rounding {low:.2f} to {high:.2f}")

# %% tags=["hide-input"]
chapter.record(
    "residual-theory.attnres-compute",
    value=saving,
    tolerance_of="compute ratio of the transcribed laws at 5.6",
)
chapter.record(
    "residual-theory.attnres-rounding",
    value=high - low,
    tolerance_of="width of the range of ratios over laws that print alike",
)
chapter.glue("rt-saving-low", low, ".2f")
chapter.glue("rt-saving-high", high, ".2f")
computes = np.geomspace(0.1, 1000, 60)
ratios = [theory.compute_ratio(BASE, BLOCK, C) for C in computes]
edges = np.array([untrained.rounding_range(BASE, BLOCK, C) for C in computes])
for C in (0.1, 1000):
    low_C, high_C = untrained.rounding_range(BASE, BLOCK, C)
    chapter.glue(f"rt-saving-{C:g}", f"{low_C:.2f} to {high_C:.2f}")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rt-saving", "caption": "Compute the baseline's law needs to match the block variant's, over the latter's compute. Line: the laws as transcribed; shaded: all laws that print as the same digits; dot and dotted line: 5.6 PFLOP/s-days, for which the saving is reported."}, "image": {"alt": "A rising line with a dot at the reported compute. The shaded range of laws that print alike is narrowest near a compute of one and widens to both sides."}}
fig, ax = plt.subplots()
ax.fill_between(computes, *edges.T, color=COLORS["band"], label="rounding")
ax.plot(computes, ratios, color=COLORS["ours"], label="transcribed laws")
ax.plot(AT, saving, "o", color=COLORS["ours"])
ax.axvline(AT, ls=":", color=COLORS["paper"], lw=1)
ax.axhline(1, color=COLORS["null"], lw=1, label="no saving")
ax.set(xscale="log", xlabel="compute (PFLOP/s-days)", ylabel="compute ratio")
ax.legend(loc="upper left")
plt.show()

# %% [markdown]
# **The transcribed laws amount to {claim}`residual-theory.attnres-compute`, and
# the second decimal of that is not a measurement.** Laws that print with the
# same digits give anything from {glue:text}`rt-saving-low` to
# {glue:text}`rt-saving-high`, before any uncertainty of the losses or of the
# fit through five sizes. The range is narrowest near $C = 1$, where exponents
# do not matter; far from it the digits say less still:
# {glue:text}`rt-saving-0.1` at 0.1 and {glue:text}`rt-saving-1000` at 1000
# PFLOP/s-days.
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
chapter.glue("rt-spread-slope", spread(linear.runs), ".3f")
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

# %% [markdown]
# Three kinds of rows. *Identities* are exact statements, which hold to rounding
# error or to the order of the terms left out; they test our code and not a
# paper. *Findings* are mostly laws in the mean that we derived. No paper in the
# list states them, so they have no verdict, however well they hold. The rest
# are statements of the papers.
#
# Of these, three fail: the abstract's exponential growth, under the paper's own
# recursion; the lower bound of the LNS lemma, for independent weights; and the
# order $L$ of the product bound on gradients. The last two carry the chapter,
# with the one on Jacobians, which holds. (An earlier version led with laws of
# our own, but those cannot confirm a paper.) None of this says what trained
# networks do.
#
# ## Where it breaks
#
# *Longer contexts.* With one token attention copies the value. With many it
# averages values, which at first nearly cancel and later, as tokens grow alike,
# no longer do. So attention writes more with depth, even untrained. *Smooth
# gates.* SwiGLU is a product of two factors, nearly quadratic for small
# inputs. Under LNS its branch falls almost like $1/l^2$, where the law for ReLU
# says $1/l$. We measure both.

# %%
chapter.section("Where it breaks")
few = chapter.seeds(min(5, sizes.seeds))
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
moments = []
for seed in kernel_seeds:
    log_K = paths.skip_relu_log_kernel(
        64, 16, sizes.samples, 0.5, rng=np.random.default_rng(seed)
    )
    moments.append(np.exp(2 * log_K).mean() / np.exp(log_K).mean() ** 2)

# %% tags=["remove-cell"]
chapter.glue("rt-long-first", branch["attn"][:, 0].mean(), ".2f")
chapter.glue("rt-long-last", branch["attn"][:, -1].mean(), ".2f")
chapter.glue("rt-swiglu", with_interval(steep.runs))
chapter.glue("rt-skip-relu", with_interval(moments))
guess = theory.moment_ratio((1 - 0.5**2) * (5 - 0.5**2), 64, 16)
chapter.glue("rt-skip-guess", guess, ".1f")

# %% [markdown]
# With 64 tokens attention writes {glue:text}`rt-long-first` in the first block
# and {glue:text}`rt-long-last` in the last, where one token gives 1
# throughout. The SwiGLU branch falls with a slope of {glue:text}`rt-swiglu`
# under LNS, not $-1$.
#
# *Training.* Everything above assumes that branches are independent of the
# stream. Training exists to make them dependent. Then Pre-LN may grow up to
# quadratically with equal weights, faster if late weights are larger, and the
# curves of trained models must be held against the laws here as their null.
#
# *Skips and ReLU.* The $\nu$ of one layer of $z' = \gamma z + W
# \mathrm{relu}(z)$ is $(1 - \gamma^2)(5 - \gamma^2)$, but the law with this
# $\nu$ fails: at $\gamma = 0.5$, width 64 and depth 16 it gives a second moment
# of {glue:text}`rt-skip-guess`, and we find {glue:text}`rt-skip-relu`. Signs
# persist along the skip, so that layers are not independent.
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
# **Differences from the papers.** Untrained networks; one token of context;
# ReLU and RMSNorm in place of SwiGLU; matrices of variance $1/d$ instead of a
# fixed 0.02; norm gains of one. Masks are random here and learned there. The
# spectral norms of the theorems are replaced by mean squares, which have exact
# laws.
#
# **What was easy.** The identities: an afternoon of algebra, and seconds of
# computing. **What was hard.** Averages: the stream's level differs between
# seeds far more than between tokens, and no number of tokens helps.
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
