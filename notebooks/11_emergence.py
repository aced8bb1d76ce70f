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
# # Emergence, or the ruler
#
# Some abilities of language models seem to come from nowhere: nothing, nothing,
# then much. Is that the model, or the ruler? The same answers can be scored by
# the probability of the right one, by its share among the choices, or by right
# and wrong {cite:p}`schaeffer2024why,schaeffer2023mirage`. A test of a hundred
# items cannot see a success in a thousand {cite:p}`hu2023predicting`. A task of
# several steps fails if one of them does {cite:p}`srivastava2022beyond`. And some
# abilities stay flat {cite:p}`marin2025capability` or fall
# {cite:p}`mckenzie2023inverse`.
#
# One family of small models answers to all rulers at once. We ask what each would
# have seen, from which size on, and whether it foretells the largest model.

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
# The papers read published models of up to hundreds of billions of parameters, on
# public benchmarks. Ours are character models of a thousand to a hundred thousand
# parameters. Each batch is source code of a library, made-up facts ("abc:de;",
# a few of them common, most rare) and strings to copy ("xyz=xyz;"). So
# *statements* are tested, the papers' numbers are not.
#
# Nothing is sampled: a model that is shown an answer tells the probability of each
# of its characters. So success is known exactly, even where it is one in a
# million, and what a test of some size *would* have seen is arithmetic.
#
# Judged were the rows that pilots with other seeds left open. Where they showed what
# would come, whatever the seeds, the row is a finding: a verdict that cannot fail
# is none. Three more became findings after their run, when a cheap explanation
# turned out to pass as well or the design to decide nothing; and the control of the
# two that stayed was made stricter. The table of claims says which.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from scaling_book.api import COLORS, SERIES, Chapter, error_bars
from scaling_core.base.intervals import with_interval
from scaling_core.models.config import TransformerConfig
from scaling_core.models.transformer import Transformer, count_parameters
from scaling_core.training.sweep import run_sweep
from studies.emergence import metrics, resolution
from studies.emergence.family import PROMPTS, count_losses, measure_model
from studies.emergence.texts import Facts, draw_questions, log_prior

# %% tags=["hide-input"]
chapter = Chapter("emergence", profile=profile)
sizes = chapter.sizes(
    seeds=dict(smoke=1, cpu=5, gpu=10),
    widths=dict(
        smoke=(8, 10, 12, 16),
        cpu=(8, 16, 32, 48, 64),
        gpu=(8, 12, 16, 24, 32, 48, 64, 96, 128, 192),
    ),
    steps=dict(smoke=8, cpu=400, gpu=3000),
    eval_rows=dict(smoke=8, cpu=64, gpu=256),
    questions=dict(smoke=20, cpu=300, gpu=1000),
    facts=dict(smoke=100, cpu=1000, gpu=1000),
    copies=dict(smoke=40, cpu=400, gpu=1000),
    redefined=dict(smoke=20, cpu=100, gpu=100),
    products=dict(smoke=100, cpu=1000, gpu=1000),
    draws=dict(smoke=400_000, cpu=400_000, gpu=400_000),
)

# %% tags=["hide-input"]
seeds = chapter.seeds(sizes.seeds)
n_layers, widths = 2, np.array(sizes.widths)
shape = dict(n_ctx=64, batch=18, steps=sizes.steps, eval_rows=sizes.eval_rows)
N = np.array(
    [
        count_parameters(
            Transformer(
                TransformerConfig(d_model=int(d), n_layers=n_layers, n_heads=1),
                generator=None,
            ),
            embeddings=False,
        )
        for d in widths
    ]
)
print(f"{chapter.profile} on {chapter.device}, {sizes.seeds} seed(s)")

# %% [markdown]
# ## Theory in five lines
#
# **The chain.** A question has a right choice and three wrong ones, strings $i$ to
# which the model gives $p_i$. {cite:t}`schaeffer2024why` score it in steps: $\ln
# p$ of the right one; $p$; its share among the choices,
#
# $$
# q = \frac{p}{p + \sum_{\text{wrong}} p_i} ;
# $$ (eq-em-choices)
#
# minus the Brier score of the shares; and *accuracy*, 1 where the right one is
# largest. What a metric keeps of scale is the rank correlation of its score with
# the size $N$, over models, one question at a time; a score that never changes
# counts 0. The first step loses nothing, since ranks do not move. If the wrong
# choices stayed where they are, $q$ would lose nothing either: so their cause for
# the loss is how probability moves on the *specific* wrong choices.
#
# ```{margin}
# The *Brier score* is the squared distance between the shares and the answer,
# which is one for the right choice and zero for the others.
# ```
#
# **Pass rates.** A task is passed with chance $PU$ ("pass until": draw until it
# passes). {cite:t}`hu2023predicting` find a law,
#
# $$
# -\ln PU(N) = c \, N^{-\alpha}, \qquad F = \ln(-\ln PU) = \ln c - \alpha \ln N ,
# $$ (eq-em-law)
#
# and call growth *accelerated* where $F$ bends down (we know this definition at second
# hand). If each of several independent
# steps obeys it, the whole has
#
# $$
# F = \ln \sum_s c_s N^{-\alpha_s} ,
# $$ (eq-em-steps)
#
# the logarithm of a sum of exponentials, which is convex: steps alone never bend
# $F$ down. The derivation is ours; that steps are not the cause is theirs.
#
# **Estimates.** Drawing until the first pass takes $K$ draws. The obvious estimate
# $1/K$ is too large,
#
# $$
# \bigl\langle 1/K \bigr\rangle = - \frac{p \ln p}{1 - p} .
# $$ (eq-em-first)
#
# **Resolution.** A test of $n$ items sees at least one pass with chance $1 - (1 -
# PU)^n$. For 95 % it needs about $3/PU$ items.
#
# ## Known truth first
#
# Two things must come out as they are known: {eq}`eq-em-first`, and that steps make
# $F$ convex.

# %%
chapter.section("Known truth")
rng = np.random.default_rng(0)
rates = np.array([0.3, 0.1, 0.01, 0.001])
drawn = [
    (1 / resolution.draws_until(p, 1, sizes.draws, rng=rng)).mean()
    for p in rates
]
gap = np.abs(drawn / resolution.expected_rate(rates) - 1).max()
all_of = resolution.least_convexity(sizes.products, rng=rng)
any_of = resolution.least_convexity(sizes.products, rng=rng, any_of=True)

# %% tags=["nbval-check-output"]
first = resolution.expected_rate(rates) / rates
twentieth = resolution.expected_rate(1e-3, 20) / 1e-3
print("first pass, too large by", first.round(1))
print("twentieth pass of one in a thousand, by", twentieth.round(2))
print("all of several steps: convex", all_of > -1e-9)
print("any of several ways: convex", any_of > -1e-9)

# %% tags=["hide-input"]
chapter.record(
    "emergence.estimator",
    value=gap,
    tolerance_of="largest relative difference of the mean and the formula",
)
chapter.record(
    "emergence.product-convex",
    value=all_of,
    tolerance_of="smallest second difference",
)

# %% [markdown]
# **Both facts hold, and neither is a result about models.** A task that needs *all*
# of several steps cannot accelerate by that. One that needs *any* of several ways
# can, and "multiple circuits" is what {cite:t}`hu2023predicting` suggest. One draw to
# the first pass overstates a chance of one in a thousand nearly sevenfold, which
# twenty passes cure at twenty times the cost.
#
# ## The experiment
#
# ### Step 1: one family
#
# Models of {glue:text}`em-widths` widths have two layers and train for the same
# steps; $N$ counts their parameters without embeddings. All models of a seed see the same
# batches, and answer the same questions; another seed draws facts, questions and
# batches anew. The schedule is a cosine, so that *half of the training* below is
# the same run at half of its steps, at a rate that is still high.
#
# Not only the width changes. By size the models have {glue:text}`em-heads` heads of
# attention, and learning rates of {glue:text}`em-rates`: what sets in where these
# change need not come from size.

# %%
chapter.section("The family")
asked = dict(
    n_questions=sizes.questions,
    n_facts=sizes.facts,
    n_copies=sizes.copies,
    n_redefined=sizes.redefined,
)
grid = [
    dict(
        seed=seed,
        d_model=int(d),
        n_heads=max(1, int(d) // 16),
        n_layers=n_layers,
        lr=4e-3 if d >= 48 else 5e-3,
        device=chapter.device,
    )
    | asked
    | shape
    for seed in seeds
    for d in widths
]
family = run_sweep(
    measure_model,
    grid,
    store=chapter.store("family"),
    deadline=chapter.deadline,
)

# %% tags=["hide-input"]
chapter.require_complete(family)
HALF, END = 0, 1
ASKED = ("near", "far", "text", "copies", "others", "copied", "facts", "loss")


def answers(name: str) -> np.ndarray:
    """Return what all models answered, (half and end, seeds, sizes, ...)."""
    rows = np.array([np.array(x) for x in family[name]])
    rows = rows.reshape(len(seeds), len(widths), *rows.shape[1:])
    return np.moveaxis(rows, 2, 0)


read = {name: answers(name) for name in (*ASKED, *PROMPTS)}
ALL = np.arange(len(N))


def per_seed(statistic, *names, when: int = END, keep=ALL) -> np.ndarray:
    """Return a statistic of each seed's answers and of the sizes N."""
    return np.array(
        [
            statistic(*(read[name][when, s][keep] for name in names), N[keep])
            for s in range(len(seeds))
        ]
    )


# %% tags=["hide-input"]
def record(name: str, statistic, *names, sizes_matter: bool = True) -> None:
    """Record a statistic, half-trained, and with each size left out."""
    given: dict = {}
    if sizes_matter:
        rest = [np.delete(ALL, i) for i in ALL]
        given["leave_one_out"] = [
            per_seed(statistic, *names, keep=keep) for keep in rest
        ]
    chapter.record(
        f"emergence.{name}",
        runs=per_seed(statistic, *names),
        half_trained=per_seed(statistic, *names, when=HALF),
        **given,
    )


# %% tags=["hide-input"]
def show_sizes(ax, ylabel: str) -> None:
    """Make the parameters the horizontal axis, in the logarithm."""
    ax.set(xscale="log", xlabel="parameters N", ylabel=ylabel)
    shown = N[:: -(-len(N) // 5)]
    ax.set_xticks(shown, [f"{n / 1000:.2g}k" for n in shown], fontsize=8)
    ax.minorticks_off()


def curve(ax, rows, color: str, marker: str, label: str, **style) -> None:
    """Draw means over seeds with 95 % intervals; points are seeds."""
    style |= dict(color=color, marker=marker, ms=4, label=label)
    ax.plot(N, rows.T, marker, color=color, ms=2, alpha=0.3)
    ax.errorbar(N, rows.mean(axis=0), error_bars(rows), **style)


def share_curve(ax, rows, color: str, marker: str, label: str, **style):
    """Draw means over seeds with ranges: no share leaves 0 to 1."""
    style |= dict(color=color, marker=marker, ms=4, label=label)
    mean = rows.mean(axis=0)
    bars = np.abs([rows.min(axis=0) - mean, rows.max(axis=0) - mean])
    ax.errorbar(N, mean, bars, **style)


def with_ranges(rows) -> list[str]:
    """Return the mean of each column and its range over seeds."""
    return [f"{x.mean():.2f} ({x.min():.2f} to {x.max():.2f})" for x in rows.T]


# %% tags=["hide-input"]
tables = np.array(
    [
        count_losses(**shape, seed=seed, d_model=8, n_heads=1, lr=1e-3)
        for seed in seeds
    ]
)
past = tables[:, 1] - read["loss"][END, :, -1]
rows = {
    f"{n:,}": [with_interval(read["loss"][when, :, i]) for when in (HALF, END)]
    for i, n in enumerate(N)
}
for i, name in enumerate(("unigrams", "bigrams", "trigrams")):
    rows[name] = ["–", with_interval(tables[:, i])]
chapter.glue("em-past", with_interval(past))
chapter.glue("em-steps", sizes.steps)
chapter.glue("em-widths", len(N))
for name, key in (("heads", "n_heads"), ("rates", "lr")):
    used = [f"{one[key]:g}" for one in grid[: len(N)]]
    chapter.glue(f"em-{name}", ", ".join(used))
fall = 1 - read["loss"][END, :, -1] / read["loss"][END, :, 0]
chapter.glue("em-loss-fall", with_interval(100 * fall))
index = ["half of the training", "end"]
table = pd.DataFrame(rows, index=index).T
table.rename_axis("held-out source, nats, by parameters")

# %% [markdown]
# **The family learns.** After {glue:text}`em-steps` steps the largest model is
# {glue:text}`em-past` nats past a table of pairs of characters, counted on all of
# the training text. From the smallest to the largest the loss falls by
# {glue:text}`em-loss-fall` %.
#
# ### Step 2: the same answers under five metrics
#
# A question shows 32 characters of held-out source. The right choice is the four
# that follow. Wrong choices are four characters from elsewhere in the held-out
# text, of two kinds: **near** ones follow the same two characters there, **far**
# ones come from anywhere. Far ones are easy to tell, near ones could go on.
#
# Rivals change the wrong choices alone. *Held*: each stays at its mean over the
# sizes. *Mean course*: all move as their mean does. *Shuffled*: each has its own
# values in a random order of sizes, so that nothing in them is about size.
# *Any question's*: each moves as a wrong choice of another question does.
# *Of like probability*: each moves as a wrong choice with nearly its own mean
# $\ln p$ does, three to twelve places away in the order of all. The last two keep
# how far choices move, and lose the step with the right choice of the question.
# But how a choice moves hangs on how probable it is, and only the last rival keeps
# that too.


# %%
def lost(first: str, second: str):
    """Return what the rank correlation loses between two metrics."""

    def statistic(log_p, size):
        found = metrics.chain_correlations(log_p, size)
        return found[first] - found[second]

    return statistic


def beyond(rival):
    """Return what a question's own wrong choices cost beyond a rival's."""

    def statistic(log_p, size):
        own = metrics.chain_correlations(log_p, size)
        other = rival(log_p, size)
        return other["p among choices"] - own["p among choices"]

    return statistic


def wrong_slope(log_p, size) -> float:
    """Return how ln p of wrong choices moves, per unit of ln N."""
    return metrics.slope(log_p[..., 1:].mean(axis=(1, 2)), size)


# %% tags=["hide-input"]
own_course = beyond(metrics.matched_correlations)
record("own-course", own_course, "near")
record("own-course-far", own_course, "far")
for kind in ("near", "far"):
    choices, hits = "p among choices", "accuracy"
    record(f"{kind}-choices", lost("ln p", choices), kind)
    record(f"{kind}-accuracy", lost(choices, hits), kind)
record("wrong-moves", wrong_slope, "near")


def right_slope(log_p, size) -> float:
    """Return how ln p of the right choice moves, per unit of ln N."""
    return metrics.slope(log_p[..., 0].mean(axis=1), size)


def still(log_p, size) -> float:
    """Return the share of questions whose accuracy never changes."""
    hits = metrics.chain(log_p)["accuracy"]
    return float((np.ptp(hits, axis=0) == 0).mean())


# %% tags=["hide-input"]
def glue_runs(name: str, statistic, *names, **options) -> None:
    """Glue a statistic over seeds."""
    runs = per_seed(statistic, *names, **options)
    chapter.glue(f"em-{name}", with_interval(runs))


# %% tags=["hide-input"]
glue_runs("right-slope", right_slope, "near")
glue_runs("far-slope", wrong_slope, "far")
glue_runs("still", still, "near")
glue_runs("far-still", still, "far")
for kind in ("near", "far"):
    glue_runs(f"{kind}-any", beyond(metrics.swapped_correlations), kind)


# %% tags=["hide-input"]
def moved(change):
    """Return the correlations once the wrong choices are changed."""
    return lambda log_p, size: metrics.chain_correlations(change(log_p), size)


def shuffled(log_p, size) -> dict[str, float]:
    """Return the correlations with sizes shuffled in the wrong choices."""
    rng = np.random.default_rng(2)
    return metrics.shuffled_correlations(log_p, size, rng=rng)


RIVALS = {
    "own": metrics.chain_correlations,
    "of like probability": metrics.matched_correlations,
    "any question's": metrics.swapped_correlations,
    "shuffled": shuffled,
    "mean course": moved(metrics.drift_wrong),
    "held": moved(metrics.hold_wrong),
}
KINDS, Q = ("near", "far"), 2  # q is the third metric
links = {
    (kind, name): np.array([[*f(x, N).values()] for x in read[kind][END]])
    for kind in KINDS
    for name, f in RIVALS.items()
}
for kind in KINDS:
    chapter.glue(f"em-{kind}-ln-p", with_interval(links[kind, "own"][:, 0]))
    for name in ("shuffled", "mean course"):
        runs = links[kind, "own"][:, 0] - links[kind, name][:, Q]
        chapter.glue(f"em-{kind}-lost-{name[:4]}", with_interval(runs))

# %% tags=["hide-input"]
cells = {}
for kind in KINDS:
    found = read[kind][END]
    own = links[kind, "own"]
    mean = [[*metrics.mean_score_correlations(x, N).values()] for x in found]
    cells[f"{kind}, one question"] = [with_interval(x) for x in own.T]
    cells[f"{kind}, mean score"] = with_ranges(np.array(mean))
table = pd.DataFrame(cells, index=metrics.METRICS)
table.rename_axis("rank correlation with N")

# %% tags=["hide-input"]
cells = {}
for kind in KINDS:
    kept = [links[kind, name][:, Q] for name in RIVALS]
    ln_p = links[kind, "own"][:, 0]
    cells[f"{kind}, q"] = [with_interval(x) for x in kept]
    cells[f"{kind}, lost"] = [with_interval(ln_p - x) for x in kept]
table = pd.DataFrame(cells, index=list(RIVALS))
table.rename_axis("wrong choices move")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-em-chain", "caption": "Left: mean rank correlation of a question's score with the size of the model, through the chain of metrics (q: share among the choices; right: accuracy). Dashed: sizes shuffled in each wrong choice. Held: near wrong choices at their mean over sizes. Right: mean ln p of the right choice and of wrong ones against the parameters. Means over seeds, bars: 95 % intervals, points: seeds."}, "image": {"alt": "Left: all lines start level; the near choices fall to almost nothing at the share q, the far ones fall less there, as far as with shuffled sizes, and again at accuracy; held ones do not fall before accuracy. Right: the right choice and the near wrong ones rise together, the far wrong ones fall."}}
COLOR = {"near": COLORS["ours"], "far": SERIES[3]}
MARK = {"near": "o", "far": "s"}
LINES = [(k, n, COLOR[k]) for n in ("own", "shuffled") for k in KINDS]
LINES.append(("near", "held", COLORS["null"]))
fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.4))
steps = np.arange(len(metrics.METRICS))
for kind, name, color in LINES:
    rows = links[kind, name]
    label = kind if name == "own" else f"{kind}, {name}"
    style = dict(color=color, marker=MARK[kind], ms=4, label=label)
    style["ls"] = "--" if name == "shuffled" else "-"
    left.errorbar(steps, rows.mean(axis=0), error_bars(rows), **style)
short = ["ln p", "p", "q", "Brier", "right"]
left.set_xticks(steps, short)
left.set(ylabel="rank correlation with N", ylim=(-0.1, None))
left.legend(fontsize=7)
ln_p = {kind: read[kind][END].mean(axis=2) for kind in ("near", "far")}
curve(right, ln_p["near"][..., 0], "black", "*", "right choice")
for kind, rows in ln_p.items():
    wrong = rows[..., 1:].mean(axis=-1)
    curve(right, wrong, COLOR[kind], MARK[kind], f"wrong, {kind}")
show_sizes(right, "mean ln p of four characters")
right.legend(fontsize=7)
plt.show()

# %% [markdown]
# **What to see.** Dividing by the choices costs the near ones
# {claim}`emergence.near-choices` of a correlation of {glue:text}`em-near-ln-p`, and
# the far ones {claim}`emergence.far-choices`. For near choices the reason is on the
# right: they rise by {claim}`emergence.wrong-moves` per unit of $\ln N$, the right one
# by {glue:text}`em-right-slope`, since a better model knows better how source goes
# on, and the mean course alone costs {glue:text}`em-near-lost-mean`. Far ones move by
# {glue:text}`em-far-slope`: their mean course would help (a loss of
# {glue:text}`em-far-lost-mean`). What costs is scatter from size to size. The same
# scatter in random order, which says nothing about size, costs
# {glue:text}`em-far-lost-shuf`.
#
# **Is it that they move, or that they move with their own question?** The paper's
# "specific" we read as the second: beyond what any wrong choice of like
# probability does. A question's own cost {claim}`emergence.own-course` more than
# those with near ones: *{claim:verdict}`emergence.own-course`*; and
# {claim}`emergence.own-course-far` with far ones:
# *{claim:verdict}`emergence.own-course-far`* (a twentieth or more was asked for; the
# interval of the near ones ends close to that).
# Any question's, whatever their probability, would have given
# {glue:text}`em-near-any` and {glue:text}`em-far-any`: such a rival breaks the tie
# between a choice's course and its level as well, and most of its advantage may
# come from that. None of this says that wrong choices do not matter: with near ones
# nearly all is lost because they move. Nor do like means over questions say that
# the course of one question could be foretold.
#
# Accuracy then costs far choices {claim}`emergence.far-accuracy` more, and near
# ones {claim}`emergence.near-accuracy`, since there is nothing left to lose:
# {glue:text}`em-still` of the near answers are the same at all sizes, and
# {glue:text}`em-far-still` of the far ones. **As {cite:t}`schaeffer2024why` say, what
# a metric keeps of one question hangs on the wrong choices it is compared with.**
# A benchmark reports a mean over questions, and this keeps much more (first table):
# the scatter of single questions averages out.
#
# ### Step 3: calibration
#
# A model is *calibrated* if, of the answers to which it gives 70 %, it has 70 %
# right. The error is the mean gap over ten bins. {cite:t}`srivastava2022beyond`
# see it fall with scale. Near choices are scored once more with their *prior
# divided out*: $\ln p$ minus $\ln$ of how often the four characters follow these
# two in the training text. What is common everywhere then wins nothing.


# %%
def calibration_slope(log_p, size) -> float:
    """Return how fast the calibration error falls, per unit of ln N."""
    errors = [metrics.calibration_error(x) for x in log_p]
    return -metrics.slope(errors, size)


questions = [draw_questions(sizes.questions, seed=seed) for seed in seeds]
prior = np.array([log_prior(q.context, q.near) for q in questions])
read["prior out"] = read["near"] - prior[:, None]

# %% tags=["hide-input"]
record("calibration-near", calibration_slope, "near")
record("calibration-far", calibration_slope, "far")
record("prior-out", calibration_slope, "prior out")
rng = np.random.default_rng(1)
SCORED = ("near", "far", "prior out")
errors, floors, hits = (
    {
        kind: np.array([[score(x) for x in seed] for seed in read[kind][END]])
        for kind in SCORED
    }
    for score in (
        metrics.calibration_error,
        lambda x: metrics.calibration_floor(x, rng=rng),
        lambda x: metrics.chain(x)["accuracy"].mean(),
    )
)
rows = {
    f"{name}, {kind}": [with_interval(x) for x in found[kind].T]
    for name, found in (("error", errors), ("accuracy", hits))
    for kind in SCORED
}
chapter.glue("em-floor", f"{floors['near'].mean():.2f}")
table = pd.DataFrame(rows, index=[f"{n:,}" for n in N]).T
table.rename_axis("of four choices, by parameters")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-em-calibration", "caption": "Calibration error of four choices against the parameters. Grey band: the error that chance leaves to a calibrated model of the same confidences. Means over seeds, bars: 95 % intervals."}, "image": {"alt": "The error of near choices is level at about four tenths, that of far choices falls, that with the prior divided out falls too. All lie far above the grey band."}}
COLOR["prior out"], MARK["prior out"] = SERIES[4], "v"
fig, ax = plt.subplots(figsize=(6.4, 3.2))
for kind, rows in errors.items():
    curve(ax, rows, COLOR[kind], MARK[kind], kind)
lowest, highest = (f(floors["near"], axis=0) for f in (np.min, np.max))
ax.fill_between(N, lowest, highest, color=COLORS["paper"], alpha=0.4)
ax.set(ylim=(0, None))
show_sizes(ax, "calibration error")
ax.legend()
plt.show()

# %% [markdown]
# **Again the wrong choices decide.** Per unit of $\ln N$ the error falls by
# {claim}`emergence.calibration-near` with near choices, by
# {claim}`emergence.calibration-far` with far ones, and by
# {claim}`emergence.prior-out` with near ones whose prior is divided out. Chance
# alone would leave {glue:text}`em-floor`. The models are the same, and so are the
# questions.
#
# Dividing the prior out is what Bayes' rule asks for: near wrong choices were drawn
# as often as they are common, so that a common string is often there by chance. The
# table shows what it does to accuracy. Our counted prior is rough, since most
# strings of six characters are rare.
#
# ### Step 4: several steps, and tests too small to see
#
# To copy "xyz" exactly, three letters must be right. A *pass* is one sample that
# is. Three things are known of each model: the chance of a pass; whether its
# likeliest letters are the right ones, which is what a test with greedy answers
# counts; and the chance of the string copied *just before*, at the same place. A model
# that has only learnt that letters follow gains the last as well. It is no neutral
# control: a model that copies gives that string less than blind letters would.
#
# ```{margin}
# *Greedy* answers take the likeliest letter each time. Nothing is drawn, so
# that a model which is right one time in three may never show it.
# ```


# %%
def passes(log_p) -> np.ndarray:
    """Return the mean chance of all letters, by size: (sizes,)."""
    return np.exp(log_p.sum(axis=-1)).mean(axis=-1)


def one_letter_bend(log_p, size) -> float:
    """Return the bend of F for the first letter: 0 under the law."""
    return resolution.bend(passes(log_p[..., :1]), size)


def steps_add(log_p, size) -> float:
    """Return what three letters add to the bend of one."""
    three = resolution.bend(passes(log_p), size)
    return three - one_letter_bend(log_p, size)


def early_growth(log_p, log_other, size) -> float:
    """Return the growth of ln PU between the two smallest, beyond others."""
    gain = np.log(passes(log_p) / passes(log_other))
    return gain[1] - gain[0]


# %% tags=["hide-input"]
record("accelerated", one_letter_bend, "copies")
record("steps", steps_add, "copies")
record("early-growth", early_growth, "copies", "others", sizes_matter=False)
exact, other = (passes(read[name][END]) for name in ("copies", "others"))
greedy = read["copied"][END].mean(axis=-1)
letters = np.exp(read["copies"][END]).mean(axis=2)
product = letters.prod(axis=-1)

# %% tags=["hide-input"]
growth = per_seed(early_growth, "copies", "others")
chapter.glue("em-begun", f"{(growth > 0.2).sum()} of {len(growth)}")
glue_runs("bend-rest", one_letter_bend, "copies", keep=ALL[1:])
bends = per_seed(one_letter_bend, "copies")
chapter.glue("em-bend-low", bends.min(), ".2f")
chapter.glue("em-bend-high", bends.max(), ".2f")
idle = letters[:, -2:, 0] < 0.1
chapter.glue("em-not-begun", f"{idle.sum()} of {idle.size}")
chapter.glue("em-product", with_interval((exact / product)[:, -1]))
chapter.glue("em-greedy-last", with_interval(greedy[:, -1]))
chapter.glue("em-exact-last", with_interval(exact[:, -1]))
chapter.glue("em-exact-first", f"{exact[:, 0].mean():.0e}")
chapter.glue("em-blind", f"{26.0**-3:.0e}")
mean = exact.mean(axis=0)
rows = {
    "chance of a pass": [f"{x:.2g}" for x in mean],
    "of the string before": [f"{x:.2g}" for x in other.mean(axis=0)],
    "greedy answers right": [f"{x:.2g}" for x in greedy.mean(axis=0)],
    "items to see one pass": [
        f"{x:,.0f}" for x in resolution.items_to_see(mean)
    ],
    "chance that 100 items show one": [
        f"{x:.2g}" for x in resolution.chance_to_tell(mean, 100)
    ],
}
table = pd.DataFrame(rows, index=[f"{n:,}" for n in N]).T
table.rename_axis("three letters exactly, by parameters")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-em-copying", "caption": "Left: chance of an exact copy of three letters (points: seeds), and of the string copied just before, at the same place. Dashed: what a test of 100 and of 10,000 items shows with 95 % chance. Right: F = ln(-ln PU) of one letter and of three, means over seeds (thin: one letter, seed by seed), with straight lines, the law, through their ends."}, "image": {"alt": "Left: the chance of an exact copy rises from below one in ten thousand to about a half, the string before stays low; the test of a hundred items sees the three largest sizes; single seeds lie far apart. Right: both mean curves stay near or above their straight lines, at equal distance, and the thin lines of seeds drop at different sizes, some rising again."}}
fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.4))
left.plot(N, exact.T, "o", color=COLORS["ours"], ms=2, alpha=0.4)
left.plot(N, mean, "o-", color=COLORS["ours"], label="exact copy")
null = other.mean(axis=0)
left.plot(N, null, "s-", color=COLORS["null"], label="string before")
for items in (100, 10_000):
    left.axhline(3 / items, color="black", ls="--", lw=1)
    left.annotate(f"{items:,} items", (N[0], 3.4 / items), fontsize=8)
show_sizes(left, "chance of a pass")
left.set(yscale="log", ylim=(None, 10))
left.legend(fontsize=8, loc="upper left")
one, three = (resolution.log_log(x) for x in (letters[..., 0], exact))
right.plot(N, one.T, "-", color=COLORS["ours"], lw=0.7, alpha=0.4)
for name, F, marker in (("one letter", one, "^"), ("three", three, "o")):
    F = F.mean(axis=0)
    right.plot(N, F, marker + "-", color=COLORS["ours"], label=name)
    right.plot(N[[0, -1]], F[[0, -1]], "--", color=COLORS["theory"], lw=1)
show_sizes(right, "ln(-ln PU)")
right.legend(fontsize=8, loc="lower left")
plt.show()

# %% [markdown]
# **A test of a hundred items makes an emergence out of this.** It shows nothing
# where the chance is {glue:text}`em-exact-first`, and much where it is
# {glue:text}`em-exact-last`. Greedy answers are right in
# {glue:text}`em-greedy-last` of the cases at the largest size. The exact chance is
# known at every size.
#
# **But is what moves early the ability?** Blind letters would pass once in
# $26^3$, {glue:text}`em-blind`. Between the two smallest models $\ln PU$ grows by
# {claim}`emergence.early-growth` more than that of the string before, and by
# more than a fifth in {glue:text}`em-begun` seeds. In the others the finer ruler
# sees nothing, or no more than what the models learnt of the format.
#
# **Whether one letter bends hangs on which models have begun.** Copying starts
# late, and not in order of size: of the models of the two largest sizes,
# {glue:text}`em-not-begun` give the first letter less than one in ten; they also learn
# at a lower rate than smaller ones (Step 1), which may delay them. A mean over
# seeds is smoother than any of them. The $F$ of one letter bends by
# {claim}`emergence.accelerated` per squared unit of $\ln N$, seeds from
# {glue:text}`em-bend-low` to {glue:text}`em-bend-high`, and without the smallest model by
# {glue:text}`em-bend-rest`: the luck of the onset decides, and we judge nothing by
# it. Three letters add {claim}`emergence.steps`, where equal
# and independent ones would add nothing: the exact copy has {glue:text}`em-product`
# times the product of its letters.
#
# ### Step 5: the law, and its estimator
#
# Eight characters of held-out source, all of them right, are the second task.


# %%
def pass_rate(log_p) -> np.ndarray:
    """Return the mean chance over questions, by size."""
    return np.exp(log_p).mean(axis=-1)


def against_line(log_p, size) -> float:
    """Return ln of the error of a line of ln PU over that of the law."""
    return resolution.law_over_line(pass_rate(log_p), size)


def alpha(log_p, size) -> float:
    """Return the exponent of the law from exact chances."""
    return resolution.fit_rate_law(pass_rate(log_p), size)[1]


def first_pass(log_p) -> np.ndarray:
    """Return what drawing each question to its first pass would estimate."""
    return resolution.expected_rate(np.exp(log_p)).mean(axis=-1)


def alpha_bias(log_p, size) -> float:
    """Return what the estimate from first passes adds to the exponent."""
    found = resolution.fit_rate_law(first_pass(log_p), size)[1]
    return found - alpha(log_p, size)


# %% tags=["hide-input"]
record("task-law", against_line, "text", sizes_matter=False)
record("estimator-family", alpha_bias, "text")
glue_runs("alpha", alpha, "text")
over = first_pass(read["text"][END]) / pass_rate(read["text"][END])
chapter.glue("em-over-first", with_interval(over[:, 0]))
chapter.glue("em-over-last", with_interval(over[:, -1]))


def copy_against_line(log_p, size) -> float:
    """Return the same of the first copied letter."""
    return resolution.law_over_line(passes(log_p[..., :1]), size)


def beats_last(log_p, size) -> float:
    """Return ln of the error of the last value over that of the law."""
    rate = pass_rate(log_p)
    c, a = resolution.fit_rate_law(rate[:-1], size[:-1])
    law = abs(-c * size[-1] ** -a - np.log(rate[-1]))
    return float(np.log(abs(np.log(rate[-2] / rate[-1])) / law))


glue_runs("copy-law", copy_against_line, "copies")
glue_runs("beats-last", beats_last, "text")

# %% [markdown]
# **On text no law can be told from its rivals.** The exponent is
# {glue:text}`em-alpha`. Forecasting the largest model from the smaller ones, the
# law {eq}`eq-em-law` gains {claim}`emergence.task-law` in the logarithm of the
# error over a straight line of $\ln PU$, and {glue:text}`em-beats-last` over no
# change at all. For the first copied letter it gains {glue:text}`em-copy-law` over
# the line.
#
# **The bias of the first pass is a factor.** The pass rate would be estimated
# {glue:text}`em-over-first` times too large at the smallest size and
# {glue:text}`em-over-last` at the largest, and the exponent changes by
# {claim}`emergence.estimator-family`. With one common chance for all questions
# {eq}`eq-em-first` would be the smaller factor for the better model, and the
# exponent would come out too large.
#
# ### Step 6: facts, rare and common
#
# {cite:t}`marin2025capability` finds knowledge flat over all sizes while
# procedures scale. Our facts are met in training in proportion to 1/rank. A fact
# is *known* if the first letter after "abc:" is the likeliest.


# %%
def known(first: int, last: int):
    """Return the slope on ln N of the share known of these ranks."""

    def statistic(facts, size):
        return metrics.slope(facts[:, first:last].mean(axis=1), size)

    return statistic


def known_as_met(facts, size) -> float:
    """Return the same, each fact counted as often as training met it."""
    weight = 1 / np.arange(1, facts.shape[1] + 1)
    return metrics.slope(facts @ weight / weight.sum(), size)


def procedure(log_p, facts, size) -> float:
    """Return the slope of exact copying minus that of rare facts."""
    rare = known(sizes.facts // 10, sizes.facts)(facts, size)
    return metrics.slope(passes(log_p), size) - rare


# %% tags=["hide-input"]
record("knowledge-flat", known(0, sizes.facts), "facts")
record("exposure", known(0, 20), "facts")
record("procedure-scales", procedure, "copies", "facts")
glue_runs("as-met", known_as_met, "facts")
glue_runs("rare", known(sizes.facts // 10, sizes.facts), "facts")
glue_runs("half-procedure", procedure, "copies", "facts", when=HALF)
per_step = round(shape["batch"] / 6) * (shape["n_ctx"] + 1) / 7
harmonic = (1 / np.arange(1, sizes.facts + 1)).sum()
met = per_step * sizes.steps / harmonic  # times that the first was met
chapter.glue("em-met-first", f"{met:,.0f}")
chapter.glue("em-met-rare", f"{10 * met / sizes.facts:,.0f}")
chapter.glue("em-met-last", f"{met / sizes.facts:,.1f}")
chapter.glue("em-guess", f"{1 / 26:.3f}")
blind = []  # share of the commonest 20 that the letter met most gets right
for seed in seeds:
    first = Facts.draw(sizes.facts, seed=seed).objects[:, 0]
    often = np.bincount(first, 1 / np.arange(1, sizes.facts + 1)).argmax()
    blind.append((first[:20] == often).mean())
chapter.glue("em-blind-facts", f"{min(blind):.2f} to {max(blind):.2f}")
least = read["facts"][END][:, 0, :20].mean()
chapter.glue("em-facts-first", f"{least:.2f}")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-em-facts", "caption": "Share of facts whose first letter is the likeliest, by how common they are, against the parameters; and exact copying of three letters. Dotted: one letter in 26. Means over seeds, bars: ranges over seeds."}, "image": {"alt": "The twenty commonest facts rise steeply, the next eighty less, the rare ones lie on the dotted line at all sizes. Copying rises late and steeply."}}
fig, ax = plt.subplots(figsize=(6.4, 3.4))
tenth = sizes.facts // 10
RANKS = {"commonest 20": (0, 20), f"to {tenth}": (20, tenth)}
RANKS[f"{tenth} to {sizes.facts}"] = (tenth, sizes.facts)
shades = ("#08519C", "#4292C6", "#9ECAE1")
for (name, (first, last)), color in zip(RANKS.items(), shades):
    rows = read["facts"][END][..., first:last].mean(axis=-1)
    share_curve(ax, rows, color, "s", f"facts, {name}")
share_curve(ax, exact, "black", "*", "copying", ls="--")
ax.axhline(1 / 26, color=COLORS["null"], ls=":")
show_sizes(ax, "share right")
ax.legend()
plt.show()

# %% [markdown]
# **Whether knowledge is flat is a matter of which facts are asked.** Over all
# facts alike the slope is {claim}`emergence.knowledge-flat` per unit of $\ln N$. The
# same answers, each fact counted as often as training met it, give
# {glue:text}`em-as-met`. The twenty commonest, met {glue:text}`em-met-first` times at
# the top, rise by {claim}`emergence.exposure`, from {glue:text}`em-facts-first` in the
# smallest model, where the letter that is met most often, always the same, would get
# {glue:text}`em-blind-facts`; the rare ones, met
# {glue:text}`em-met-rare` to {glue:text}`em-met-last` times, by
# {glue:text}`em-rare`, at the level of guessing ({glue:text}`em-guess`). What is
# hardly met is not known at any size here, and a benchmark of rare facts would be
# flat for that reason.
#
# Copying outgrows the rare facts by {claim}`emergence.procedure-scales`; at half of
# the training by {glue:text}`em-half-procedure`: it appears between the two.
#
# ### Step 7: what gets worse
#
# {cite:t}`mckenzie2023inverse` name as a cause that larger models prefer what they
# memorised to what the prompt says. Our prompts *redefine* a common fact three
# times ("abc:xy;abc:xy;abc:xy;abc:"). Two controls: three other facts, as they are
# (*plain*), and three times another subject with the new object (*elsewhere*),
# which says nothing about this one.


# %%
def inverse(redefined, control, size) -> float:
    """Return how fast the prompt loses against memory, beyond a control."""
    return -metrics.slope(redefined - control, size)


def falls(preference, size) -> float:
    """Return how fast ln p(new) - ln p(memorised) falls."""
    return -metrics.slope(preference, size)


# %% tags=["hide-input"]
record("inverse", inverse, "redefined", "elsewhere")
for name in PROMPTS:
    glue_runs(f"falls-{name}", falls, name)
glue_runs("inverse-plain", inverse, "redefined", "plain")
for name in ("elsewhere", "plain"):
    gain = (read["redefined"] - read[name])[END]
    chapter.glue(f"em-heeds-{name}", with_interval(gain[:, -1]))
    chapter.glue(f"em-heeds-most-{name}", f"{gain.mean(axis=0).max():.2f}")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-em-inverse", "caption": "ln p(new) - ln p(memorised) of the first letter of the hundred commonest facts, by what the prompt told, against the parameters. Means over seeds, bars: 95 % intervals."}, "image": {"alt": "All three curves fall with size, close together: the preference for what was memorised grows whatever the prompt says."}}
fig, ax = plt.subplots(figsize=(6.4, 3.2))
styles = zip(PROMPTS, (COLORS["ours"], SERIES[3], COLORS["null"]), "os^")
for name, color, marker in styles:
    curve(ax, read[name][END], color, marker, name)
ax.axhline(0, color="black", lw=0.6)
show_sizes(ax, "ln p(new) - ln p(memorised)")
ax.legend()
plt.show()

# %% [markdown]
# **No model follows the redefinition, so the paper's conflict does not arise here.**
# The largest model's preference for the new object is {glue:text}`em-heeds-elsewhere`
# nats after a redefinition above that of *elsewhere*, and
# {glue:text}`em-heeds-plain` above *plain*; at no size is the mean above
# {glue:text}`em-heeds-most-elsewhere` and {glue:text}`em-heeds-most-plain`. Below zero is
# the wrong way. The preference for the memorised answer grows by
# {glue:text}`em-falls-redefined` per unit of $\ln N$ after a redefinition, by
# {glue:text}`em-falls-plain` without one, and by {glue:text}`em-falls-elsewhere` after
# another subject's. The difference is {claim}`emergence.inverse` against *elsewhere*
# and {glue:text}`em-inverse-plain` against *plain*: the control makes the result. A
# curve that falls whatever the prompt says shows memory, and no conflict.
#
# ### Step 8: a forecast of the largest model, ruler by ruler
#
# Now the question for which all this matters. A straight line in $\ln N$ through
# the smaller models forecasts the largest; so does the last of them, unchanged.
# Errors are in units of the metric's range over the family, means and ranges over
# seeds; *largest step* is the share of all change that one step between neighbours
# holds.


# %%
RULERS = {
    f"{name}, {kind}": metrics.chain(read[kind][END])[name].mean(axis=-1)
    for kind in ("near", "far")
    for name in metrics.METRICS
}
RULERS["calibration error, near"] = errors["near"]
RULERS["ln PU, eight characters"] = np.log(pass_rate(read["text"][END]))
RULERS["F, one copied letter"] = resolution.log_log(letters[..., 0])
RULERS["exact copies"] = exact
RULERS["exact copies, greedy"] = greedy
RULERS["commonest 20 facts"] = read["facts"][END][..., :20].mean(axis=-1)

# %% tags=["hide-input"]
chapter.glue("em-even-step", f"{1 / (len(N) - 1):.2f}")
rows = {}
for name, values in RULERS.items():
    guesses = np.array([metrics.forecast_last(y, N) for y in values])
    largest = [metrics.largest_step(y) for y in values]
    rows[name] = with_ranges(np.column_stack([guesses, largest]))
index = ["error of the line", "error of the last", "largest step"]
table = pd.DataFrame(rows, index=index).T
MISSED = {"ln-p": "ln p, near", "accuracy": "accuracy, near"}
MISSED["far"] = "accuracy, far"
for name, ruler in MISSED.items():
    chapter.glue(f"em-miss-{name}", rows[ruler][0])
table.rename_axis("forecast of the largest model, share of the range")

# %% [markdown]
# **What to see.** The first two columns compare a ruler with itself: if the line's
# error is not below that of no change, their trend told nothing. The third
# column says how sudden the ruler looks; a straight line has
# {glue:text}`em-even-step` there. Of the near choices, $\ln p$ is missed by
# {glue:text}`em-miss-ln-p` of its range and accuracy by {glue:text}`em-miss-accuracy`;
# of the far ones accuracy by {glue:text}`em-miss-far`. A ruler that hardly moves has
# a small range, so part of this is the noise of the questions.
#
# ## Noise floor
#
# What differs between seeds is training, facts and questions together.

# %% tags=["hide-input"]
chapter.section("Noise floor")


def spread(runs) -> str:
    """Return the standard deviation over seeds, a dash for one run."""
    return f"{np.std(runs, ddof=1):.3f}" if len(runs) > 1 else "–"


rows = {
    "held-out loss, largest model (nats)": spread(read["loss"][END, :, -1]),
    "rank correlation of q, near": spread(links["near", "own"][:, Q]),
    "accuracy, near, largest model": spread(hits["near"][:, -1]),
    "calibration error, near, largest model": spread(errors["near"][:, -1]),
    "exact copies, largest model": spread(exact[:, -1]),
    "bend of one letter": spread(bends),
    "commonest 20 facts, largest model": spread(
        read["facts"][END, :, -1, :20].mean(axis=-1)
    ),
}
pd.DataFrame({"standard deviation": rows}).rename_axis("between seeds")

# %% [markdown]
# The largest spread is that of copying: of two seeds, each with facts, questions and
# batches of its own, one may have begun and the other not. So it is with rulers that look sudden, and five seeds place no
# law on them.
#
# ## Ours against the papers
#
# <!-- claims:table -->
#
# One row carries the chapter: whether what a test loses by its choices hangs on
# the specific wrong ones reads *{claim:verdict}`emergence.own-course`*, with courses
# of equally probable wrong choices as the rival. This rival came after a first
# run, with the edge left where it was. What is plain in this chapter stands in its
# findings, and several of them say one thing: two rulers on the same answers
# tell different stories of scale, and who writes the wrong choices, the facts or
# the test decides which.
#
# All rows share one family of models. Rows of one paper rest on the same questions,
# and should not be counted as separate successes.
#
# ## Where it breaks
#
# *Size.* A thousand to a hundred thousand parameters, two layers, and most of them
# not trained to the end: copying appears in the second half of the training, and
# whatever rests on it moves with training, and with the seed, as much as with size.
#
# *Width.* The learning rate and the number of heads change with it (Step 1), and the
# models that have not begun to copy stand where the rate drops. Nothing here tells
# that from size.
#
# *Choices.* Ours are cut from text. Wrong choices that people write may lie between
# near and far, and where exactly decides what a metric keeps of one question.
#
# *One curve for all.* Five sizes cannot tell a law from a line, nor a bend from a
# step. That is why the law here is a finding.
#
# *Exact chances.* No sampling means no temperature, and no answers of free form.
#
# ## Exercises
#
# **1.** A test has 200 items, and a model passes one in a thousand. How probable is
# a score of zero, and how many items make that one in twenty?
#
# ```{admonition} Answer
# :class: dropdown
# $0.999^{200} = 0.82$. For one in twenty $n = \ln 0.05 / \ln 0.999$, about 3000.
# ```
#
# **2.** Three steps obey {eq}`eq-em-law` with one $\alpha$ and different $c_s$. What
# is the whole's exponent? And with different exponents?
#
# ```{admonition} Answer
# :class: dropdown
# The same $\alpha$, with $c = \sum c_s$. With different ones the step with the
# smallest exponent wins in the end, so the slope of $F$ flattens: growth below the
# law, never above.
# ```
#
# **3.** Why can accuracy stay level while every right answer becomes more probable?
#
# ```{admonition} Answer
# :class: dropdown
# It compares with the largest wrong choice. If that rises alike, as near choices do
# here, few comparisons change.
# ```
#
# ```{admonition} What would change our mind
# *On the chain.* Wrong choices written by people, scored by a published family of
# ten sizes: if courses of equally probable ones cost less than their own by a
# twentieth, the specific choices do matter. Cost: some hours of one graphics card, by
# estimate. It would decide `emergence.own-course` beyond text.
#
# *On acceleration.* Ten sizes, ten seeds and seven times the steps, the gpu profile
# with one learning rate: some half an hour of one graphics card, by estimate. If
# one letter still bends when copying is long learnt, `emergence.accelerated` is
# about size and can be judged; if not, it is about training.
#
# *On knowledge.* Facts met equally often, at several counts, with the steps raised
# until the smallest model knows some: an hour of one core, by estimate. It would
# say whether `emergence.knowledge-flat` is exposure alone.
# ```
#
# ## End matter
#
# **Differences from the papers.** Character models for language models; choices cut
# from source for benchmarks; exact chances for samples; made-up facts for MMLU and
# copying for arithmetic; first letters for answers. Compute is $N$ here, since all
# models train for the same steps. {cite:t}`schaeffer2024why` average correlations
# over tasks and use several coefficients, we use ranks.
#
# **What was easy.** Everything about one set of answers: the chain, the tests of
# $n$ items, the estimator cost one forward pass. **What was hard.** To find a row
# whose answer is not the choice of the wrong answers, or of the facts.
#
# **Compute and larger runs.** The provenance below lists seconds per section.
# `scaling run emergence --profile gpu` takes ten widths, ten seeds and seven times
# the steps. It was not run for this edition.
#
# **References.** {cite:t}`schaeffer2024why`, {cite:t}`hu2023predicting`,
# {cite:t}`srivastava2022beyond`, {cite:t}`marin2025capability` and
# {cite:t}`mckenzie2023inverse` for the claims, {cite:t}`schaeffer2023mirage` for
# metrics as the cause; all in the [bibliography](../references.md).

# %% tags=["remove-input"]
chapter.finish()
