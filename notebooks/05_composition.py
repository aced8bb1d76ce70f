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
# # What is depth for?
#
# A layer reads what the layers before it wrote. So one thing that depth can do,
# and width cannot, is to take the result of one step as the input of the next.
# Do transformers learn to use it for that, where a task asks for it? And where
# none asks, in plain text, do added layers only repeat the others
# {cite:p}`liu2023transformers,brown2022wide,muhtar2026sparsity`?
#
# We train small models on both. Beside every accuracy stands what a guess
# without any composition would reach, which can be computed exactly; beside
# every score of a layer stands the same score before training.

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
# The questions are the papers', the scale is not. Composition is tested on a
# made-up task, words over a group, where the number of steps is known. *Wide
# against deep* keeps the number of heads and spreads them over one or four
# layers, as {cite:t}`brown2022wide` do on text classification. The layer scores
# of {cite:t}`muhtar2026sparsity` and the maps between depths of
# {cite:t}`csordas2025depth` are measured as defined there, on models of
# characters with a few layers.
#
# Out of reach are statements about pre-trained models of billions of
# parameters, and gains on benchmarks: they need weights or data that the book
# does not carry. They are listed with the reason.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from scaling_book.api import COLORS, MARKERS, SERIES, Chapter
from scaling_core.base.intervals import bootstrap_runs, with_interval
from scaling_core.base.slopes import fit_slopes
from scaling_core.data.corpora import python_source
from scaling_core.data.published import load_published
from scaling_core.data.tasks import WordProblem
from scaling_core.models.config import TransformerConfig
from scaling_core.models.transformer import Transformer
from scaling_core.training.sweep import run_sweep
from studies.composition import ceilings, repeats, word_tasks
from studies.composition.latency import interleaved_seconds

# %% tags=["hide-input"]
chapter = Chapter("composition", profile=profile)
sizes = chapter.sizes(
    length=dict(smoke=6, cpu=6, gpu=8),
    word_steps=dict(smoke=4, cpu=600, gpu=2500),
    vote_steps=dict(smoke=4, cpu=40, gpu=40),
    seeds=dict(smoke=1, cpu=5, gpu=10),
    eval_words=dict(smoke=64, cpu=1024, gpu=4096),
    depths=dict(smoke=(3, 4, 5), cpu=(3, 4, 6), gpu=(4, 8, 12)),
    d_model=dict(smoke=16, cpu=64, gpu=64),
    n_ctx=dict(smoke=16, cpu=32, gpu=32),
    text_steps=dict(smoke=4, cpu=340, gpu=800),
    eval_rows=dict(smoke=16, cpu=256, gpu=256),
    repetitions=dict(smoke=20, cpu=20, gpu=100),
    long_repetitions=dict(smoke=1, cpu=3, gpu=25),
    jobs=dict(smoke=1, cpu=1, gpu=16),
)
seeds = chapter.seeds(sizes.seeds)
options = dict(deadline=chapter.deadline)
if sizes.jobs > 1:
    options["jobs"] = sizes.jobs
print(f"{chapter.profile}, {sizes.seeds} seed(s)")


def over_seeds(runs) -> str:
    """Return mean and interval, or that all seeds have one value."""
    runs = np.array(runs)
    if len(runs) > 1 and np.ptp(runs) == 0:
        return f"{runs[0]:.4g} in all seeds"
    return with_interval(runs)


# %% [markdown]
# ## Theory in four lines
#
# Let $g_1, \dots, g_T$ be elements of the group $S_3$, the six ways to order
# three things. The **word problem** asks at every position $t$ for the product
# of all so far. Position $t$ is also called *hop* $t$: it needs $t - 1$
# compositions,
#
# $$
# p_t = p_{t-1} \, g_t, \qquad p_1 = g_1 .
# $$ (eq-cp-word)
#
# **Depth helps, in theory.** Layers that multiply neighbours halve the number
# of factors each time, so about $\log_2 t$ layers can compute $p_t$; for a
# group like this one even a constant number can, if it is wide enough
# {cite:p}`liu2023transformers`. What training finds is another matter.
#
# **A ceiling.** Whoever knows only how often each symbol occurred, its *bag*
# $b$, answers with the product that most orders of the bag have:
#
# $$
# a_t^{\text{bag}} = \sum_b \max_p \Pr(b, p_t = p) .
# $$ (eq-cp-bag)
#
# It falls towards $1/3$, because the bag tells whether the product is even.
#
# **Swaps.** For the layers of a language model with loss $\mathcal L$, the
# permutation score is the mean over pairs of the relative change of the loss
# when two layers change places {cite:p}`muhtar2026sparsity`. We compare its
# *exponent* in the depth $L$:
#
# $$
# P = \Bigl\langle \frac{|\mathcal L - \mathcal L_{i \leftrightarrow j}|}
# {\mathcal L} \Bigr\rangle_{i<j} \propto L^{-\alpha} .
# $$ (eq-cp-swap)
#
# **A landmark.** If only the first layer has a place of its own, the $L - 1$
# pairs that contain it cost the same and all others nothing. Then $P$ is
# proportional to $2 / L$ and $\alpha = 1$, whatever the added layers do. So the
# exponent of all swaps proves little, and we also take it over the pairs
# without the first layer.

# %% [markdown]
# ## Known truth first: what needs no composition
#
# {eq}`eq-cp-bag` is a sum over bags, which a recursion over the length adds up.
# The other cheap guess is a window: the product of the last $k$ elements. One
# factor outside of it makes all six products alike likely, so that a window is
# worth nothing beyond $k$. Words are few enough to check both the long way: by
# listing them all.

# %%
chapter.section("Ceilings")
positions = np.arange(1, sizes.length + 1)
bag = ceilings.bag_ceiling(sizes.length)
window = ceilings.window_ceiling(sizes.length, 3)
every_word = np.indices((6,) * sizes.length).reshape(sizes.length, -1).T
products = WordProblem(length=sizes.length).products(every_word)[:, -1]


def best_guess(known: np.ndarray) -> float:
    """Return the accuracy on all words of who knows only these numbers."""
    code = known @ 6 ** np.arange(known.shape[1])
    return pd.crosstab(code, products).max(axis=1).sum() / len(products)


by_list = best_guess(np.sort(every_word)), best_guess(every_word[:, -3:])
gap = max(abs(by_list[0] - bag[-1]), abs(by_list[1] - window[-1]))

# %% tags=["nbval-check-output"]
rows = pd.DataFrame({"bag": bag, "window of 3": window}, index=positions)
print(rows.round(3).T.to_string())
print("the same by listing all words:", gap < 1e-12)

# %% tags=["hide-input"]
chapter.record(
    "composition.ceilings",
    value=gap,
    tolerance_of="recursion against listing, bag and window, whole words",
)
chapter.glue("cp-bag", bag[-1], ".3f")
chapter.glue("cp-window", window[-1], ".3f")
chapter.glue("cp-length", sizes.length)

# %% [markdown]
# **Anything above the bag has composed something, or remembered it.** At the
# last position, {glue:text}`cp-length`, the bag reaches {glue:text}`cp-bag` and
# a window of three {glue:text}`cp-window`, like a constant. An accuracy of that
# size is no sign that a model multiplies. (Who also knows the order of the last
# $k$ elements does as well as the bag did $k$ positions earlier.) And words are
# so few that training meets most of them: a table of those seen would beat every
# model below. So we also score the words that a model never met.
#
# ## The experiment
#
# ### Step 1: one layer and four of equal size
#
# Eight heads stand side by side in one layer, or by twos in four. The MLP of
# the one layer is four times as wide, so that both shapes have the same
# parameters and the same arithmetic; only the number of steps in a row differs.
# A third model takes the comparison apart: the wide layer with a normal MLP.

# %%
chapter.section("Composition")
SHAPES = {
    "1 layer": dict(n_layers=1, n_heads=8, d_mlp=1024),
    "4 layers": dict(n_layers=4, n_heads=2, d_mlp=256),
    "1 layer, small": dict(n_layers=1, n_heads=8, d_mlp=256),
}
word = dict(task="composition", steps=sizes.word_steps)
vote = dict(task="vote", steps=sizes.vote_steps)
cells = {("words", name): word | shape for name, shape in SHAPES.items()}
for name in ("4 layers", "1 layer, small"):
    cells["vote", name] = vote | SHAPES[name]
shared_by_all = dict(length=sizes.length, eval_rows=sizes.eval_words)
grid = [
    shared_by_all | cell | dict(seed=seed)
    for cell in cells.values()
    for seed in seeds
]
tasks = run_sweep(
    word_tasks.measure_task_model,
    grid,
    store=chapter.store("tasks"),
    **options,
)
chapter.require_complete(tasks)


# %%
def of(shape: str, key: str, task: str = "words") -> np.ndarray:
    """Return one result of all seeds of a shape, (seeds, ...)."""
    place = list(cells).index((task, shape)) * len(seeds)
    return np.array(tasks[key].iloc[place : place + len(seeds)].tolist())


hop = sizes.length - 1  # the last but one, fixed from pilots


def at_hop(shape: str, when: str = "") -> np.ndarray:
    """Return the accuracy at the hop that claims are about, per seed."""
    return of(shape, f"{when}accuracy")[:, hop - 1]


names = {"": "full", "half_": "half"}
gain, composed, size_alone = (
    {when: at_hop(a, when) - b(when) for when in names}
    for a, b in [
        ("4 layers", lambda when: at_hop("1 layer", when)),
        ("4 layers", lambda when: bag[hop - 1]),
        ("1 layer", lambda when: at_hop("1 layer, small", when)),
    ]
)
size = {name: of(name, "parameters")[0] for name in SHAPES}
flops = {name: of(name, "flops")[0] for name in SHAPES}
equal = ["1 layer", "4 layers"]
unequal = max(
    max(of_shape[n] for n in equal) / min(of_shape[n] for n in equal) - 1
    for of_shape in (size, flops)
)

# %% tags=["hide-input"]
for name, runs in [("depth-equal-size", gain), ("beyond-bag", composed)]:
    chapter.record(
        f"composition.{name}", runs=runs[""], half_trained=runs["half_"]
    )
chapter.record(
    "composition.equal-size",
    value=unequal,
    tolerance_of="larger over smaller of the two shapes, minus 1",
)
chapter.glue("cp-size-alone", with_interval(size_alone[""]))
chapter.glue("cp-wide-hop", with_interval(at_hop("1 layer")))
chapter.glue("cp-last-two", bag[hop - 3], ".3f")
chapter.glue("cp-bag-hop", bag[hop - 1], ".3f")
before = of("1 layer", "accuracy")[:, hop - 2]
chapter.glue("cp-wide-before", with_interval(before))
chapter.glue("cp-last-two-before", bag[hop - 4], ".3f")
chapter.glue("cp-steps", sizes.word_steps)
chapter.glue("cp-hop", hop)
for name, shape in [("deep", "4 layers"), ("wide", "1 layer")]:
    last_hop = of(shape, "accuracy")[:, -1]
    chapter.glue(f"cp-{name}-last", with_interval(last_hop))
    chapter.glue(f"cp-{name}-new", with_interval(of(shape, "unseen_accuracy")))
new_share = of("4 layers", "unseen_words").mean() / sizes.eval_words
chapter.glue("cp-new-share", new_share, ".0%")
half_compute = at_hop("4 layers", "half_") - at_hop("1 layer")
chapter.record("composition.half-compute", runs=half_compute)

# %% tags=["hide-input"]
lead = {
    when: of("4 layers", f"{when}accuracy") - of("1 layer", f"{when}accuracy")
    for when in names
}
for when, label in names.items():
    for name, at in [("before", hop - 2), ("after", hop)]:
        runs = lead[when][:, at]
        chapter.glue(f"cp-lead-{name}-{label}", with_interval(runs))

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-cp-words", "caption": "Accuracy on the product of the first t elements: one layer and four of equal size; left at half of the training, right at its end. Lines: means, points: seeds; dashed: what the bag of symbols allows, dotted: chance."}, "image": {"alt": "Two panels of falling curves, four layers above one layer from four elements on. At half of the training both lie below the dashed line of the bag from five elements on; at the end four layers stay above it, and one layer crosses it between five and six."}}
LAYER_COLOR = dict(zip(equal, (SERIES[4], SERIES[0])))
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.4), sharey=True)
for ax, when in zip(axes, ("half_", "")):
    for (name, color), marker in zip(LAYER_COLOR.items(), MARKERS):
        rows = of(name, f"{when}accuracy")
        ax.plot(positions, rows.T, marker, color=color, ms=3, alpha=0.5)
        ax.plot(
            positions, rows.mean(axis=0), marker + "-", color=color, label=name
        )
    ax.plot(positions, bag, "--", color=COLORS["null"], label="bag")
    ax.axhline(1 / 6, color=COLORS["null"], ls=":", label="chance")
    ax.set(xlabel="elements composed", ylim=(0, 1.03), xticks=positions)
    ax.set(title="end of training" if when == "" else "half of the training")
axes[0].set(ylabel="accuracy")
axes[0].legend(loc="lower left")
plt.show()

# %% tags=["hide-input"]
rows = {
    name: {
        "parameters": f"{size[name]:,}",
        "MFLOP a position": f"{flops[name] / 1e6:.2f}",
        "half": with_interval(at_hop(name, "half_")),
        "end": with_interval(at_hop(name)),
        "end, over the bag": with_interval(at_hop(name) - bag[hop - 1]),
    }
    for name in SHAPES
}
pd.DataFrame(rows).T.rename_axis(f"accuracy at hop {hop}")

# %% [markdown]
# **In the given steps, at equal size, depth composes further.** At hop
# {glue:text}`cp-hop` four layers lead one of the same size by
# {claim}`composition.depth-equal-size`; width without depth brings
# {glue:text}`cp-size-alone`. The four layers stand
# {claim}`composition.beyond-bag` over the bag. The one layer reaches
# {glue:text}`cp-wide-hop`: about the bag's {glue:text}`cp-bag-hop`, and less than
# the {glue:text}`cp-last-two` of the bag with the order of the last two elements.
# On the whole word the four layers have {glue:text}`cp-deep-last` and the one
# {glue:text}`cp-wide-last`, where the bag allows {glue:text}`cp-bag`. So at these
# lengths nothing shows that one layer composes; one hop before it does, with
# {glue:text}`cp-wide-before` where the bag and the last two allow
# {glue:text}`cp-last-two-before`.
#
# Nor is it memory: on the {glue:text}`cp-new-share` of whole words that training
# never met these two are {glue:text}`cp-deep-new` and
# {glue:text}`cp-wide-new`.
#
# **But it is a lead in time.** A gap at a fixed hop opens while one shape learns
# it, and is gone once both have, as for the first three elements here. Further
# on it has not begun to close:
#
# | lead of four layers | at half | at the end |
# |---|---|---|
# | one hop before | {glue:text}`cp-lead-before-half` | {glue:text}`cp-lead-before-full` |
# | one hop after | {glue:text}`cp-lead-after-half` | {glue:text}`cp-lead-after-full` |
#
# Four layers after half of the {glue:text}`cp-steps` steps, with a learning rate
# only halfway down, differ from one layer with all of them by
# {claim}`composition.half-compute`, where a minus is behind: here depth is worth
# no more than a factor of two in steps. So the lead is a finding and not judged,
# and nothing here says what one layer would reach with twice or ten times as
# many.

# %% [markdown]
# ### Step 2: which layers do the longer words use?
#
# {cite:t}`csordas2025depth` find that pre-trained models use no later layers
# for problems of more hops, but that models trained from scratch on such
# problems do. The *depth score* is their measure: skip each layer in turn and
# take the centre of mass, over layers, of the change of the output. We compare
# the last two positions with the first two, and with the untrained model.
#
# ```{margin}
# *Centre of mass*: the mean number of the layers, each weighted by what
# skipping it changes. Late layers that matter make it large.
# ```

# %%
three = (dict(late=slice(-2, None), early=slice(0, 2)), ("init_", "half_", ""))


def score_rise(when: str, shape="4 layers", task="words") -> np.ndarray:
    """Return the depth score of long words minus that of short ones."""
    score = of(shape, f"{when}depth_score", task)
    late, early = (score[:, part].mean(axis=1) for part in three[0].values())
    return late - early


rise = {when: score_rise(when) for when in three[1]}

# %% tags=["hide-input"]
chapter.record(
    "composition.score-rise", runs=rise[""], half_trained=rise["half_"]
)
chapter.glue("cp-rise-untrained", with_interval(rise["init_"]))
chapter.glue("cp-rise-half", with_interval(rise["half_"]))
rise_vote = score_rise("", "4 layers", "vote")
chapter.glue("cp-rise-vote", with_interval(rise_vote))

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-cp-score", "caption": "Depth score of the four-layer model at each position: centre of mass, over layers, of the effects of skipping a layer on the answer there; untrained and at the end of training. Lines: means, points: seeds."}, "image": {"alt": "Two curves over the position. The dashed untrained one is nearly level; the trained one changes with the length of the word."}}
fig, ax = plt.subplots(figsize=(6.4, 2.8))
for when, role, style in [("init_", "null", "--"), ("", "ours", "-")]:
    score = of("4 layers", f"{when}depth_score")
    label = "untrained" if when else "trained"
    ax.plot(positions, score.T, "o", color=COLORS[role], ms=3, alpha=0.5)
    ax.plot(
        positions, score.mean(axis=0), style, color=COLORS[role], label=label
    )
ax.set(xlabel="elements composed", ylabel="depth score, layers")
ax.legend()
plt.show()

# %% [markdown]
# The score rises by {claim}`composition.score-rise` with the length of the word,
# against {glue:text}`cp-rise-untrained` untrained and
# {glue:text}`cp-rise-half` at half of the training. A cheap rival: the same shape
# trained on the vote of Step 3, which needs no depth, has
# {glue:text}`cp-rise-vote`. By this measure the longer words use later layers, as
# the paper says of its own models trained on such a task; it gives no sizes, and
# the intervals are wide.
#
# ### Step 3: wide against deep, and the price in time
#
# {cite:t}`brown2022wide` keep the MLP as it is when they merge layers, so that
# their wide model is also smaller. On text classification they find the single
# wide layer as accurate as the deep model. Here it meets two tasks: the words,
# and a *vote*, where only the counts of symbols matter and depth should not.

# %%
wide_gap = at_hop("4 layers") - at_hop("1 layer, small")
votes = [of(n, "mean_accuracy", "vote") for n in ("4 layers", "1 layer, small")]
half_votes = [
    of(n, "half_mean_accuracy", "vote") for n in ("4 layers", "1 layer, small")
]

# %% tags=["hide-input"]
half_gap = at_hop("4 layers", "half_") - at_hop("1 layer, small", "half_")
for name, runs, half in [
    ("wide-composition", wide_gap, half_gap),
    ("wide-vote", votes[0] - votes[1], half_votes[0] - half_votes[1]),
]:
    chapter.record(f"composition.{name}", runs=runs, half_trained=half)
chapter.glue("cp-vote-gap", over_seeds((votes[0] - votes[1]).round(3) + 0))
chapter.glue("cp-vote-steps", sizes.vote_steps)
chapter.glue("cp-vote-level", votes[1].mean(), ".3f")

# %% [markdown]
# **A tie where nothing can differ, a gap on the words.** On the vote four layers
# minus one is, to three digits, {glue:text}`cp-vote-gap` at a level of
# {glue:text}`cp-vote-level` after {glue:text}`cp-vote-steps` steps: both shapes
# solve it almost at once, so that this tie is no evidence for anything. On the
# words the same two shapes differ by {claim}`composition.wide-composition`. The
# paper reports its tie for text tasks; it never claimed more.
#
# Now the time. A ratio of times is only worth something within one run and
# under one load. So we time the models in turn and take the ratio within each
# repetition. Other work on the machine makes some repetitions slow, so we print
# the median and not a mean, for few words at once and for many.

# %%
chapter.section("Latency")
raced = ("4 layers", "1 layer, small", "1 layer")


def untrained(n_layers: int, n_heads: int, d_mlp: int) -> Transformer:
    """Return a model of a shape: its speed does not depend on its weights."""
    config = TransformerConfig(
        d_model=64,
        n_layers=n_layers,
        n_heads=n_heads,
        d_head=16,
        d_mlp=d_mlp,
        d_vocab=6,
        n_ctx=sizes.length,
        positions="learned",
    )
    return Transformer(config, generator=torch.Generator().manual_seed(0))


models = [untrained(**SHAPES[name]) for name in raced]
faster = {}
repetitions = {64: sizes.repetitions, 2048: sizes.long_repetitions}
for words, count in repetitions.items():
    inputs = torch.from_numpy(every_word[:words])
    seconds = interleaved_seconds(models, inputs, repeats=count)
    for i, name in enumerate(raced[1:], start=1):
        faster[name, words] = seconds[:, 0] / seconds[:, i]

# %% tags=["hide-input"]
for claim, name in [
    ("wide-latency", raced[1]),
    ("latency-equal-size", raced[2]),
]:
    few = bootstrap_runs(
        faster[name, 64], np.median, rng=np.random.default_rng(0)
    )
    chapter.record(f"composition.{claim}", resamples=few)
    chapter.glue(f"cp-many-{claim}", np.median(faster[name, 2048]), ".2f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-cp-latency", "caption": "Time of a forward pass of four layers over that of one layer, a point per repetition, bars: medians, with 64 and with 2048 words at once. Small: the wide layer as published, with one layer's MLP; equal size: with the deep model's size and arithmetic. Dashed: no difference."}, "image": {"alt": "Four clouds of points. The ratios to the small wide layer lie above those to the wide layer of equal size, which fall to about one with many words at once."}}
fig, ax = plt.subplots(figsize=(6.4, 2.6))
for i, ratios in enumerate(faster.values()):
    jitter = np.linspace(-0.25, 0.25, len(ratios))
    ax.plot(i + jitter, ratios, "o", color=COLORS["ours"], ms=3, alpha=0.5)
    middle = [np.median(ratios)] * 2
    ax.plot([i - 0.3, i + 0.3], middle, color=COLORS["ours"])
ax.axhline(1, color=COLORS["null"], ls="--", lw=1)
order = {"1 layer, small": "small", "1 layer": "equal size"}
ticks = [f"{order[name]},\n{words} words" for name, words in faster]
ax.set_xticks(range(len(faster)), ticks)
ax.set(ylabel="time, deep over wide", ylim=(0, None), xlim=(-0.6, 3.6))
plt.show()

# %% [markdown]
# At 64 words the deep model takes {claim}`composition.wide-latency` times as
# long as the wide one of the paper's kind, which has a quarter of the MLPs to
# compute, and {claim}`composition.latency-equal-size` times as long as the one
# of equal size and arithmetic. That second factor is mostly the overhead of more
# calls on small arrays: with 2048 words the two are
# {glue:text}`cp-many-wide-latency` and
# {glue:text}`cp-many-latency-equal-size`. None of it is a price of depth as such.
# The intervals are over repetitions of one run; runs hours apart, on a machine
# with other work, differ by more.
#
# ### Step 4: models of text, beyond the bigram
#
# Text does not ask for depth in this way, so what do added layers do there? The
# scores below mean something only for models that know more than pairs of
# characters. We train three depths, with one seed's initial values and text in
# common, and hold their loss on held-out text against tables that count
# characters, pairs and triples.

# %%
chapter.section("Depths")
setting = dict(
    d_model=sizes.d_model,
    n_heads=4,
    n_ctx=sizes.n_ctx,
    batch=16,
    steps=sizes.text_steps,
    lr=4e-3,
    eval_rows=sizes.eval_rows,
    depths=sizes.depths,
)
family = run_sweep(
    repeats.measure_depths,
    [setting | dict(seed=seed) for seed in seeds],
    store=chapter.store("depths"),
    **options,
)
chapter.require_complete(family)


def measured(key: str) -> np.ndarray:
    """Return one measurement of all seeds, (seeds, ...)."""
    return np.array(family[key].tolist(), dtype=float)


loss = {stage: measured(f"{stage}_loss") for stage in repeats.STAGES}
ngrams = measured("ngrams")  # (seeds, 3)
margin = ngrams[:, 1] - loss["full"].max(axis=1)
depth_gain = loss["full"][:, 0] - loss["full"][:, -1]

# %% tags=["hide-input"]
half_margin = ngrams[:, 1] - loss["half"].max(axis=1)
half_gain = loss["half"][:, 0] - loss["half"][:, -1]
chapter.record("composition.past-bigram", runs=margin, half_trained=half_margin)
chapter.record(
    "composition.depth-gain", runs=depth_gain, half_trained=half_gain
)
chapter.glue("cp-text-steps", sizes.text_steps)
chapter.glue("cp-half-margin", with_interval(half_margin))
columns = {
    f"{L} layers": [with_interval(loss[s][:, i]) for s in repeats.STAGES]
    for i, L in enumerate(sizes.depths)
}
for i, name in enumerate(("unigram", "bigram", "trigram")):
    columns[name] = [with_interval(ngrams[:, i])] * 3
stages = ["untrained", "half", "end"]
pd.DataFrame(columns, index=stages).T.rename_axis("held-out loss, nats")

# %% [markdown]
# The worst of the three depths ends {claim}`composition.past-bigram` below the
# bigram table after {glue:text}`cp-text-steps` steps. At half of the training
# that margin is {glue:text}`cp-half-margin`, so that what is said of the half is
# said of models barely past the bigram. The deepest model gains
# {claim}`composition.depth-gain` on the shallowest, where a minus is a loss: in
# the time given, depth does not pay.
#
# ### Step 5: does the order of the layers matter less in deeper models?
#
# {cite:t}`muhtar2026sparsity` score models of 12 to 32 layers by swapping
# layers, by skipping them (the *causal score*: how much later layers change),
# and by replacing each with the best affine map (the *usefulness*: the share of
# layers that this costs a tenth of the loss). All three fall with the depth.
# For us the cheapest rival is the same model before training.

# %%
depths = np.array(sizes.depths)
SCORES = ("permutation", "permutation_inner", "causal")
fits = {
    (name, stage): fit_slopes(depths, measured(f"{stage}_{name}"))
    for name in SCORES
    for stage in repeats.STAGES
}
exponent = {key: -fit.runs for key, fit in fits.items()}
useful = {stage: measured(f"{stage}_useful") for stage in repeats.STAGES}

# %% tags=["hide-input"]
for name in SCORES:
    chapter.record(
        f"composition.{name.replace('_', '-')}",
        runs=exponent[name, "full"],
        half_trained=exponent[name, "half"],
        leave_one_out=-fits[name, "full"].leave_one_out,
    )
chapter.record(
    "composition.useful",
    runs=useful["full"][:, -1],
    half_trained=useful["half"][:, -1],
)
swaps, inner = (measured(f"full_{n}").mean(axis=0) for n in SCORES[:2])
of_first = swaps * depths / 2 - inner * (depths - 2) / 2  # mean cost of a swap
chapter.glue("cp-first-cost", ", ".join(f"{x:.2f}" for x in of_first))
share = 2 * of_first / depths / swaps
chapter.glue("cp-first-share", f"{share.min():.0%} to {share.max():.0%}")
published = load_published("depth_layer_scores")
paper = {
    name: fit_slopes(published.n_layers, published[name].to_numpy()[None])
    for name in ("permutation", "causal")
}
for name, fit in paper.items():
    chapter.glue(f"cp-{name}-paper", -fit.runs[0], ".2f")
chapter.glue("cp-causal-init", with_interval(exponent["causal", "init"]))
chapter.glue("cp-useful-init", over_seeds(useful["init"][:, -1]))
chapter.glue("cp-useful-paper", published.usefulness.iloc[-1], ".3f")
chapter.glue("cp-deepest", sizes.depths[-1])

# %% tags=["hide-input"]
columns, titles = {}, ("all swaps", "without the first", "causal")
for name, title in zip(SCORES, titles):
    for stage, label in zip(repeats.STAGES, stages):
        key = (title, label)
        cells_of = measured(f"{stage}_{name}").T
        columns[key] = [with_interval(x) for x in cells_of]
        columns[key].append(with_interval(exponent[name, stage]))
index = [f"{L} layers" for L in sizes.depths] + ["exponent"]
shown = pd.DataFrame(columns, index=index)
shown.T.rename_axis(["score", "when"])

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-cp-scores", "caption": "Scores against the depth: permutation score of all pairs (left), of pairs without the first layer (middle), and causal score (right). Published: grey, dashed, 12 to 32 layers; ours trained and untrained, a point per seed, lines through the means."}, "image": {"alt": "On log-log axes. Left: the published and the trained permutation scores fall with depth, the published more steeply; the untrained ones lie far below. Middle: without the first layer the trained scores are more than ten times smaller. Right: the causal scores fall in all cases."}}
fig, axes = plt.subplots(1, 3, figsize=(6.4, 3))
for ax, name, title in zip(axes, SCORES, titles):
    if name in paper:
        style = dict(marker="x", ls="--", color=COLORS["paper"], label="paper")
        ax.plot(published.n_layers, published[name], **style)
    for stage, role, dash in [("init", "null", "--"), ("full", "ours", "-")]:
        rows, color = measured(f"{stage}_{name}"), COLORS[role]
        label = "untrained" if stage == "init" else "trained"
        ax.plot(depths, rows.T, "o", color=color, ms=3, alpha=0.6)
        ax.plot(depths, rows.mean(axis=0), dash, color=color, label=label)
    ax.set(xscale="log", yscale="log", xlabel="layers", title=title)
    ticks = [sizes.depths[0], sizes.depths[-1]]
    ticks += [12, 32] if name in paper else []
    ax.set_xticks(ticks, ticks)
    levels = [0.003, 0.01, 0.03, 0.1, 0.3, 1]
    bottom, top = ax.get_ylim()
    levels = [y for y in levels if bottom <= y <= top]
    ax.set_yticks(levels, [f"{y:g}" for y in levels])
    ax.minorticks_off()
axes[0].legend(fontsize=8)
axes[0].set(ylabel="score")
plt.show()

# %% [markdown]
# **What to see.** Over all pairs the score falls with exponent
# {claim}`composition.permutation`, and our fit of the four published scores
# gives {glue:text}`cp-permutation-paper`, with no error known. Ours is the landmark:
# {glue:text}`cp-first-share` of the score are swaps with the first layer, whose
# mean cost, {glue:text}`cp-first-cost`, does not fall steadily with the depth,
# while their share of all pairs does. Without the first layer the exponent is
# {claim}`composition.permutation-inner`
# ({claim:verdict}`composition.permutation-inner`), and the table shows how
# little is left to swap for. The causal score falls with
# {claim}`composition.causal`, but untrained models show
# {glue:text}`cp-causal-init` and the paper {glue:text}`cp-causal-paper`: a
# fall like the published one needs no training.
#
# Of the {glue:text}`cp-deepest` layers of the deepest model a share of
# {claim}`composition.useful` is useful in the sense of the paper, before
# training {glue:text}`cp-useful-init`; the paper has
# {glue:text}`cp-useful-paper` at 32 layers.
#
# ### Step 6: does the deep model repeat the shallow one?
#
# {cite:t}`csordas2025depth` fit affine maps from the layers of a small model to
# those of a large one. The best maps lie near the diagonal: the large model
# seems to stretch the small one. Least squares has a closed form, so our maps
# are exact, and we add three controls: from the shallow model untrained, to the
# deep model untrained, and from no model at all, the last three characters. The
# paper has none, so there is no statement of it to judge: these are findings.
#
# ```{margin}
# An *affine map* multiplies by a matrix and adds a constant. Its *columns* are
# the numbers that it may read for each token.
# ```
#
# A map from more columns has less error, and the three characters are
# {glue:text}`cp-columns-window` columns where a stream has
# {glue:text}`cp-columns-stream`. So we also cut the characters to a stream's
# width, by their principal components, and give the shallow model all its
# layers side by side.

# %%
cases = ("map", "source", "window", "target", "narrow", "joint")
drawn = cases[:4]
errors = {
    (name, stage): measured(f"{stage}_{name}_error")
    for name in cases
    for stage in ("half", "full")
}


def over_controls(stage: str) -> np.ndarray:
    """Return the error from the better control over that from the model."""
    controls = np.minimum(errors["source", stage], errors["window", stage])
    return controls.mean(axis=1) / errors["map", stage].mean(axis=1)


mean_error = {key: rows.mean(axis=1) for key, rows in errors.items()}
source = {name: measured(f"full_{name}_source") for name in cases}

# %% tags=["hide-input"]
chapter.record(
    "composition.map-over-controls",
    runs=over_controls("full"),
    half_trained=over_controls("half"),
)
for claim, name in [("target", "target"), ("equal-width", "narrow")]:
    full, half = (
        mean_error[name, stage] / mean_error["map", stage]
        for stage in ("full", "half")
    )
    chapter.record(f"composition.map-{claim}", runs=full, half_trained=half)
for name in ("source", "window"):
    ratio = mean_error[name, "full"] / mean_error["map", "full"]
    chapter.glue(f"cp-map-{name}", with_interval(ratio))
ratio = mean_error["window", "full"] / mean_error["joint", "full"]
chapter.glue("cp-map-joint", with_interval(ratio))
chapter.glue("cp-columns-stream", sizes.d_model)
chapter.glue("cp-columns-window", repeats.WINDOW * python_source().d_vocab)
for name in ("map", "target"):
    climb = source[name][:, -1] - source[name][:, 0]
    chapter.glue(f"cp-climb-{name}", over_seeds(climb))
usual = np.median(source["target"])
chapter.glue("cp-flat", np.mean(source["target"] == usual), ".0%")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-cp-maps", "caption": "Affine maps to the deepest model: held-out relative error of the best map to each of its layers (left), and from which stream of the shallowest model it starts (right; 0 is the embedding). Means over seeds, points: seeds."}, "image": {"alt": "Left: four curves over the layer of the deep model. The error from the trained shallow model is lowest; those from its untrained twin and from the last three characters lie above it. Right: the best source against the layer for trained and untrained targets."}}
deep = np.arange(1, sizes.depths[-1] + 1)
labels = ["both trained", "shallow untrained", "last 3 characters"]
labels += ["deep untrained"]
colors = [COLORS["ours"], SERIES[5], SERIES[3], COLORS["null"]]
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.2))
for name, label, color, marker in zip(drawn, labels, colors, MARKERS):
    rows = errors[name, "full"]
    axes[0].plot(deep, rows.T, marker, color=color, ms=3, alpha=0.4)
    axes[0].plot(deep, rows.mean(axis=0), color=color, label=label)
    if name != "window":
        mean = source[name].mean(axis=0)
        axes[1].plot(deep, mean, marker + "-", color=color, ms=4)
axes[0].set(ylabel="relative error", ylim=(0, 1))
axes[1].set(ylabel="best shallow stream", ylim=(-0.1, None))
for ax in axes:
    ax.set(xlabel="deep layer", xticks=deep)
axes[0].legend(fontsize=7)
plt.show()

# %% [markdown]
# **The last few characters come close, with more columns.** The better of the
# two controls with a trained target has {claim}`composition.map-over-controls`
# times the error of the maps from the trained shallow model: the untrained
# shallow model {glue:text}`cp-map-source` times, the last three characters, with
# no model at all, {glue:text}`cp-map-window` times. At equal width the
# characters have {claim}`composition.map-equal-width` times the error, and
# against all trained shallow layers together {glue:text}`cp-map-joint` times. So
# the trained shallow model holds something that the characters do not, and how
# much depends on how many columns each side gets. From the trained shallow
# model, the streams of an untrained deep one are met with
# {claim}`composition.map-target` times the error.
#
# **The diagonal survives its control.** From the first to the last deep layer
# the best source climbs by {glue:text}`cp-climb-map` streams for trained models,
# and by {glue:text}`cp-climb-target` for the untrained target, where one and the
# same stream is best in {glue:text}`cp-flat` of the cells. With three layers in
# the shallow model, it is a short diagonal.
#
# ## Noise floor
#
# Two runs that differ in nothing but the seed set the least difference that
# means anything. Differences between shapes are taken with the seed held fixed,
# which helps only as far as a seed moves both alike.

# %% tags=["hide-input"]
chapter.section("Noise floor")


def spread(runs) -> str:
    """Return the standard deviation over seeds, a dash for one run."""
    return f"{np.std(runs, ddof=1):.3f}" if len(runs) > 1 else "–"


rows = {
    "accuracy at the hop, 4 layers": spread(at_hop("4 layers")),
    "accuracy at the hop, 1 layer": spread(at_hop("1 layer")),
    "their difference, paired": spread(gain[""]),
    "held-out loss, deepest (nats)": spread(loss["full"][:, -1]),
    "gain of depth in loss, paired (nats)": spread(depth_gain),
    "permutation exponent": spread(exponent["permutation", "full"]),
}
pd.DataFrame({"standard deviation": rows}).rename_axis("between seeds")

# %% [markdown]
# ## Ours against the papers
#
# <!-- claims:table -->
#
# One row is judged, on swaps: {claim:verdict}`composition.permutation-inner`.
# The rest are findings of ours, each beside the cheapest thing that could stand
# in its place and most at half of the training too, or statements about models
# that the book cannot reach. On composition and on maps a verdict would have
# hung on a choice of ours: the number of steps there, the number of columns
# here. Nothing here says that large models of text compose as ours do: ours
# were trained on nothing else.
#
# ## Where it breaks
#
# *Shortcuts.* For $S_3$ a constant number of layers suffices in principle
# {cite:p}`liu2023transformers`. A much wider or longer-trained single layer may
# close the gap; the group $S_5$, for which no such shortcut is believed to
# exist, would be the harder test.
#
# *Training.* All shapes had one learning rate and one number of steps. The
# checkpoint at half shows that the accuracy on long words is still rising, so
# these are differences in what is learned *by then*, not in what can be.
#
# *The hop.* Claims are about the last position but one, the last that four
# layers learnt in the pilots, which were longer. {numref}`fig-cp-words` shows them all.
#
# *Depth.* Our deepest model of text has {glue:text}`cp-deepest` layers. An
# exponent between the first few depths need not be that between 12 and 32, and
# with three layers there is a single pair without the first.
#
# *Same samples.* Following {cite:t}`muhtar2026sparsity`, affine replacements
# are fitted and judged on the same text. With few tokens that flatters them.

# %% [markdown]
# ## Exercises
#
# **1.** Why does the bag ceiling fall to $1/3$ and not to $1/6$? What is it for
# a group whose products commute?
#
# ```{admonition} Answer
# :class: dropdown
# Each element is even or odd, and the parity of a product is the sum of
# parities, whatever the order: the bag tells which three of the six products
# are possible. Among those, a long random order leaves nothing to choose. If
# all products commute the order does not matter, and the bag reaches 1.
# ```
#
# **2.** Why must words be given with learned positions here, and not with
# rotary ones alone? Think of the word $aa$.
#
# ```{admonition} Answer
# :class: dropdown
# Rotary positions act on the scores of attention only. If all tokens so far are
# equal, every value is equal, so any weights give the same average: the model
# sees $aa$ exactly as it sees $a$. Then accuracy on two elements stops at
# 31/36, the share of pairs for which this does no harm.
# ```
#
# **3.** A model has $k$ layers whose place matters and any number of others
# that can be swapped freely. How does the mean permutation score fall with
# depth?
#
# ```{admonition} Answer
# :class: dropdown
# Of the $L(L-1)/2$ pairs, $k(L-k) + k(k-1)/2$ touch a special layer. Their
# share is about $2k/L$ for deep models, so the mean falls as $1/L$: exponent 1.
# A larger exponent means that even the special layers' swaps cost less in
# deeper models.
# ```
#
# ```{admonition} What would change our mind
# *On composition.* One layer of equal size, at its own best learning rate and
# with ten times the steps, that stays behind the four layers. Only that would
# make `composition.depth-equal-size` more than a statement about the speed of
# learning. Cost: about one core-hour for five seeds.
#
# *On swaps.* The paper's own models, of 12 to 32 layers, scored without their
# first layers. Cost: minutes, for who has the weights; about ten hours of one
# graphics card to train smaller ones. It would decide
# `composition.permutation-inner`.
#
# *On maps.* Models far past the trigram, whose streams hold more than the last
# characters, mapped at the paper's sizes with the same controls. Cost: about an
# hour of one graphics card for models of ten million parameters. It would tell
# whether `composition.map-equal-width` grows with the models.
# ```

# %% [markdown]
# ## End matter
#
# **Differences from the papers.** Words of a group and a vote instead of text
# classification; width 64; characters of Python's standard library instead of
# web text; GELU where LLaMA has SwiGLU. Ratios of means where
# {cite:t}`csordas2025depth` take the largest ratio over tokens. Their linear
# maps were trained by gradient descent, ours are exact.
#
# **What was easy.** The ceilings: counting. **What was hard.** A fair wide
# model. Merged layers with one layer's MLP are smaller, and with a wider MLP
# they are no longer what the paper merged; we show both.
#
# **Compute and larger runs.** The provenance below lists seconds per section.
# `scaling run composition --profile gpu` takes longer words, deeper models of
# text and ten seeds, on sixteen cores side by side; it needs no graphics card.
# It goes on where it stopped, and stops cleanly after `SCALING_TIME_LIMIT`
# seconds.
#
# **References.** {cite:t}`liu2023transformers`, {cite:t}`brown2022wide`,
# {cite:t}`csordas2025depth` and {cite:t}`muhtar2026sparsity` for the claims,
# {cite:t}`xue2022wider` for shared layers, out of reach; all in the
# [bibliography](../references.md).

# %% tags=["remove-input"]
chapter.finish()
