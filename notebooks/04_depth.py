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
# # Do models use their depth?
#
# The largest language models have more than a hundred layers. Several groups
# report that the second half of them does little: its layers write small
# corrections and can be removed at little cost
# {cite:p}`csordas2025depth,gromov2025unreasonable`. One explanation, the *curse
# of depth*, blames the place of the normalisation and proposes a cure, LayerNorm
# Scaling (LNS) {cite:p}`sun2025curse`.
#
# This chapter trains small transformers and asks three things. How much of the
# fading of late layers is there before any training? What does training add,
# and does the answer depend on when one looks? And do other placements of the
# norm use depth better, once all are compared at the same loss?

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
# The measurements are the papers' own: contributions, turns of the stream,
# skipped and removed layers, local effects, the logit lens. **The models are
# not.** Ours have eight layers and read characters of Python's standard
# library; theirs are Llama and Qwen models, or trained on billions of tokens of
# web text. The table gives our sizes for all three profiles.
#
# So what can be tested here is mechanism: the shape of curves, what training
# does to them, the effect of moving a norm. What cannot be tested is quality.
# The gains that LNS and Peri-LN report are a few percent of perplexity, or
# points of benchmarks, after billions of tokens; they are listed as out of
# reach.
#
# Two rules hold throughout. *A null:* each statistic stands beside its value
# before training, which is its value with nothing learned; those of Pre-LN also
# beside models trained on letters in random order. *A clock:* each is measured
# along training, and judged at its end and at half of it. A first
# version of this page judged models as good as a table of letter pairs; several
# of its verdicts turned when training went on, so the claims have new names.

# %% tags=["hide-input"]
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from scaling_book.api import COLORS, MARKERS, SERIES, Chapter
from scaling_core.base.intervals import with_interval
from scaling_core.base.slopes import fit_slopes
from scaling_core.data.corpora import python_source
from scaling_core.data.ngrams import ngram_losses
from scaling_core.data.published import load_published
from scaling_core.models.streams import branch_mean_square
from scaling_core.models.transformer import Transformer, TransformerConfig
from scaling_core.training.sweep import run_sweep
from scaling_core.training.text import TextSetting, published_init_std
from studies.depth import contributions, pretrained, study
from studies.depth import statistics as stat
from studies.depth.lens import logit_lens

# %% tags=["hide-input"]
chapter = Chapter("depth", profile=profile)
sizes = chapter.sizes(
    n_layers=dict(smoke=4, cpu=8, gpu=12),
    d_model=dict(smoke=32, cpu=32, gpu=128),
    n_heads=dict(smoke=2, cpu=2, gpu=4),
    n_ctx=dict(smoke=16, cpu=32, gpu=64),
    batch=dict(smoke=4, cpu=8, gpu=32),
    steps=dict(smoke=8, cpu=800, gpu=240),
    seeds=dict(smoke=1, cpu=5, gpu=10),
    eval_rows=dict(smoke=16, cpu=64, gpu=32),
    rates=dict(
        smoke=(1e-3, 3e-3, 1e-2),
        cpu=(1e-3, 3e-3, 1e-2, 3e-2),
        gpu=(3e-4, 1e-3, 3e-3, 1e-2),
    ),
    rate_steps=dict(smoke=2, cpu=200, gpu=40),
    null_width=dict(smoke=64, cpu=128, gpu=512),
)
seeds = chapter.seeds(sizes.seeds)
corpus = python_source()
print(f"{chapter.profile} on {chapter.device}, {sizes.seeds} seed(s)")
print(f"text: {len(corpus.text):,} characters, {corpus.sha256[:12]}")

# %% [markdown]
# ## Theory in five lines
#
# Layer $l$ reads the stream $h_l$ and writes $a_l$ (attention) and $m_l$ (MLP)
# into it. Where the norm $N$ stands decides the rest. Pre-LN norms what a
# branch reads; LNS scales the norm's output by $1/\sqrt{l}$ {cite:p}`sun2025curse`; Peri-LN
# also norms what it writes {cite:p}`kim2025periln`; Post-LN norms the stream
# itself:
#
# $$
# \begin{aligned}
# \text{pre, LNS, peri:} \quad & h_{l+1} = h_l + a_l + m_l , \\
# \text{post:} \quad & h \leftarrow N(h + a), \quad h \leftarrow N(h + m) .
# \end{aligned}
# $$ (eq-dp-stream)
#
# ```{margin}
# The *stream* is the vector of each token that all layers read and add to. A
# *branch* is what stands between reading and adding: attention or MLP, with its
# norm.
# ```
#
# **The null.** Untrained layers write independent vectors of equal mean square
# $c$ on a start of mean square $v_0$. The stream then grows like a random walk,
# and the relative contribution falls, with nothing learned
# {cite:p}`csordas2025depth`:
#
# $$
# \mathbb E \lVert h_l \rVert^2 \propto v_0 + l c, \qquad
# \frac{\lVert h_{l+1} - h_l \rVert}{\lVert h_l \rVert} \approx
# \frac{1}{\sqrt{v_0/c + l}}, \quad l = 0, 1, \dots
# $$ (eq-dp-null)
#
# **Interventions.** Skipping layer $s$ gives streams $\bar h$ with $\bar
# h_{s+1} = \bar h_s$. With $\Delta_l = h_{l+1} - h_l$ its effect on a later
# layer, and the centre of mass of any effects $e_l$ over layers, are
#
# $$
# e_{s \to l} = \frac{\langle \lVert \Delta_l - \bar \Delta_l \rVert \rangle}
# {\langle \lVert \Delta_l \rVert \rangle}, \qquad
# d = \frac{\sum_l l \, e_l}{\sum_l e_l} .
# $$ (eq-dp-skip)
#
# **The logit lens** {cite:p}`nostalgebraist2020logit` lets the model speak
# after each layer, through its own final norm and unembedding $W$, and compares
# with its output $y$:
#
# $$
# \mathrm{KL}_l =
# \mathrm{KL}\bigl( \mathrm{softmax}(W N(h_l)) \,\Vert\, y \bigr) .
# $$ (eq-dp-lens)
#
# ## What the papers report
#
# {cite:t}`sun2025curse` train four sizes with five norms, one run each. Their
# Table 1 is the case for LNS. A second table of theirs tells how much of it
# other remedies reach, among them the scaled initialisation that GPT-2 already
# used.

# %% tags=["nbval-check-output"]
chapter.section("Published tables")
table = load_published("depth_lns_perplexity")
table = table.pivot(index="norm", columns="size", values="perplexity")
table = table[["130M", "250M", "350M", "1B"]]
gain = np.log(table.loc["Pre-LN"] / table.loc["LNS"])
print("gain in nats:", gain.round(4).to_dict())
methods = load_published("depth_scalings_perplexity")
methods = methods.pivot(index="method", columns="size", values="perplexity")
drop = methods.loc["Pre-LN"] - methods
share = drop.loc["Scaled init"] / drop.loc["LNS"]
print("share had by scaled init:", share.round(2).to_dict())

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-published", "caption": "Published perplexities (arXiv 2502.05795v5): left, Pre-LN and LNS at four sizes (Table 1); right, what six remedies change at 130M and 250M parameters, relative to Pre-LN; left of zero is better."}, "image": {"alt": "Left: two falling curves, LNS below Pre-LN at every size by four to eight percent. Right: LNS lowers perplexity most, scaled initialisation reaches more than half of that at both sizes, and LayerScale and SkipInit make it worse."}}
chapter.record(
    "depth.lns-scaled-init",
    value=share["130M"],
    tolerance_of="share of the published gain in perplexity, 130M",
)
chapter.glue("dp-gain-low", gain.min(), ".3f")
chapter.glue("dp-gain-high", gain.max(), ".3f")
chapter.glue("dp-share-250", share["250M"], ".0%")
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3))
for name, marker, style in [("Pre-LN", "o", "--"), ("LNS", "s", "-")]:
    row = table.loc[name]
    axes[0].plot(row.index, row, style, marker=marker, color=COLORS["paper"])
    axes[0].annotate(name, (3, row["1B"]), (6, -3), textcoords="offset points")
axes[0].set(xlabel="parameters", ylabel="perplexity", xlim=(-0.3, 4.1))
order = drop.drop("Pre-LN").sort_values("130M").index
for size, marker in [("130M", "o"), ("250M", "s")]:
    change = -drop.loc[order, size] / methods.loc["Pre-LN", size]
    axes[1].plot(
        100 * change, order, marker, color=COLORS["paper"], label=size, ms=5
    )
axes[1].axvline(0, color="black", lw=0.8)
axes[1].set(xlabel="change of perplexity, %", xlim=(-8, 9))
axes[1].legend(loc="upper right")
plt.show()

# %% [markdown]
# **The fair baseline is not plain Pre-LN.** LNS saves {glue:text}`dp-gain-low`
# to {glue:text}`dp-gain-high` nats per token over Pre-LN. But scaled
# initialisation alone has {claim:percent}`depth.lns-scaled-init` of the gain in
# perplexity at 130M and {glue:text}`dp-share-250` at 250M; it is not printed
# for the two larger sizes. The two do not add up: LNS with scaled
# initialisation is worse than LNS. They are different remedies: scaled
# initialisation shrinks all branches alike, LNS the later ones more. No spread
# over seeds is printed.

# %% tags=["hide-input"]
placement = load_published("depth_lns_placement").set_index("placement")
placement.transpose()

# %% [markdown]
# **And the factor works best after the norms.** The table gives the published
# perplexities at 130M of moving $1/\sqrt l$ ({cite:t}`sun2025curse`, table on
# placement). After the MLP only, or after both branches, it gains less; after
# the attention only and before the norms, which undo it, it loses; on the
# residual sum it ruins training. The next table gives three other levers,
# weight decay, longer contexts and shared keys, with the share of layers that
# no affine map can replace ({cite:t}`muhtar2026sparsity`, tables on the project
# page). Useful layers and perplexity mostly move together, though not for the
# weight decay of 1 against 0; and moving together does not tell which of the
# two moves the other.

# %% tags=["hide-input"]
levers = load_published("depth_sparsity")
levers.set_index(["lever", "value"]).transpose()

# %% [markdown]
# ## Known truth first
#
# ### Three identities
#
# A measurement of depth is code that cuts into a model. Three things must hold
# to the last digit, for any weights. The stream is the sum of what was written.
# A skipped layer changes nothing before it, and a later token nothing earlier.
# And the lens, after the last layer, is the output.

# %%
chapter.section("Identities")
NORMS = dict(pre="Pre-LN", post="Post-LN", peri="Peri-LN", lns="LNS")


def make_double(norm: str) -> Transformer:
    """Return a random model in double precision, large enough weights."""
    config = TransformerConfig(
        d_model=32, n_layers=6, n_heads=4, n_ctx=16, norm=norm, init_std=0.2
    )
    generator = torch.Generator().manual_seed(0)
    return Transformer(config, generator=generator).double()


models = {norm: make_double(norm) for norm in NORMS}
generator = torch.Generator().manual_seed(1)
tokens = torch.randint(128, (4, 16), generator=generator)
with torch.no_grad():
    streams = {n: m(tokens, return_streams=True)[1] for n, m in models.items()}

# %% tags=["nbval-check-output"]
telescoping, causality = 0.0, 0.0
later = tokens.clone()
later[:, 10:] = 0
for norm, model in models.items():
    run = streams[norm]
    if norm != "post":
        written = sum(run.attn) + sum(run.mlp)
        gap = (run.h[-1] - run.h[0] - written).abs().max()
        telescoping = max(telescoping, (gap / run.h[-1].abs().max()).item())
    with torch.no_grad():
        other = model(later, return_streams=True)[1]
        pairs = [(a[:, :10], b[:, :10]) for a, b in zip(run.h, other.h)]
        for skipped in range(6):
            cut = model(tokens, skip_layers=[skipped], return_streams=True)[1]
            pairs += zip(run.h[: skipped + 1], cut.h)
    change = max((a - b).abs().max().item() for a, b in pairs)
    causality = max(causality, change)
lens_end = max(abs(logit_lens(m, tokens).kl[-1]) for m in models.values())
identities = {
    "telescoping": (telescoping, "largest relative gap of the sum"),
    "causality": (causality, "largest change where none may be"),
    "lens-end": (lens_end, "largest KL after the last layer, nats"),
}
for name, (value, what) in identities.items():
    print(f"{name:12} below 1e-12: {value < 1e-12}   ({what})")

# %% tags=["hide-input"]
largest = max(value for value, _ in identities.values())
chapter.record(
    "depth.cuts-exact", value=largest, tolerance_of="largest of the three gaps"
)

# %% [markdown]
# The skip matrix itself is computed with a shortcut: it starts from the
# recorded stream instead of running the model again. A test of the package
# compares it with the long way. **All three identities hold to rounding
# error**, so what follows are statements about models and not about hooks.
#
# ### The null curve
#
# Now {eq}`eq-dp-null`. For contexts of one token, a ReLU MLP and RMSNorm, the
# mean square $c$ of one layer's write is known in closed form (the next chapter
# derives it), so the curve has no free parameter. We compare 32
# untrained layers with it.

# %%
chapter.section("Null curve")
width = sizes.null_width
null_config = TransformerConfig(
    d_model=width,
    n_layers=32,
    n_heads=4,
    act="relu",
    init_std=published_init_std(width),
)
start = null_config.init_std**2 / branch_mean_square(null_config)
null_curve = contributions.null_contribution(32, start=start)


def untrained_contribution(seed: int) -> np.ndarray:
    """Return the relative contribution of 32 untrained layers, (32,)."""
    generator = torch.Generator().manual_seed(seed)
    model = Transformer(null_config, generator=generator)
    tokens = torch.arange(128)[:, None]
    with torch.no_grad():
        streams = model(tokens, return_streams=True)[1]
    return contributions.relative_contribution(streams)["layer"]


measured = np.array([untrained_contribution(seed) for seed in seeds])
null_slopes = fit_slopes(start + np.arange(1, 32), measured[:, 1:])

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-null", "caption": "Relative contribution of each of 32 untrained Pre-LN layers, contexts of one token; points: one per seed; line: the null curve with no free parameter."}, "image": {"alt": "On log-log axes the points of all seeds follow the line, which drops steeply from layer one to layer two and then falls gently up to layer thirty-two."}}
chapter.record(
    "depth.null-slope",
    value=null_slopes.runs.mean(),
    tolerance_of="mean slope over seeds",
)
for name, first in [("all", 0), ("inner", 1)]:
    halves = stat.half_ratio(null_curve, first=first)
    chapter.glue(f"dp-null-{name}", halves, ".1f")
layers = np.arange(1, 33)
fig, ax = plt.subplots()
ax.plot(layers, null_curve, color=COLORS["theory"])
ax.plot(layers, measured.T, "o", color=COLORS["ours"], ms=3, alpha=0.7)
ax.set(xscale="log", yscale="log", xlabel="layer", ylabel="contribution")
ax.set_xticks([1, 2, 4, 8, 16, 32], [1, 2, 4, 8, 16, 32])
ax.set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
ax.minorticks_off()
ax.annotate(
    "1/√(v₀/c + l), nothing learned",
    (5, null_curve[4]),
    (14, 24),
    textcoords="offset points",
    color=COLORS["theory"],
)
plt.show()

# %% [markdown]
# **Late layers contribute less before anything is learned.** The measured slope
# is {claim}`depth.null-slope`, theory says one half with a minus. Over 32
# layers this alone makes the first half contribute {glue:text}`dp-null-all`
# times as much as the second, and {glue:text}`dp-null-inner` times without
# layer 1, which writes to a bare embedding. So "the second half contributes
# less" is no finding about training. The papers count layer 1. We judge
# contributions and turns without it, skipping and removal with it and without,
# the lens with it, and print the others beside. What we judge are ratios to, or
# differences from, the same model before training; only the lens and the law of
# growth are judged as they are, beside their untrained values.
#
# ## The experiment
#
# ### Step 1: six kinds of model, and the rate that suits each
#
# Besides the four norms of {eq}`eq-dp-stream` we train two more kinds. *Scaled
# init* is Pre-LN whose branches start smaller by $1/\sqrt{2L}$, as in GPT-2.
# *Attention residuals* have no stream: each branch reads a learned mixture of
# all outputs before it {cite:p}`kimi2026attention`. One seed means the same
# text and the same order of random draws for all six, so kinds are compared in
# pairs.
#
# A comparison at one learning rate favours the kind that likes it. So a short
# sweep gives each kind its own: one pilot seed, which counts for no verdict, and
# three rates about a factor of three apart. Post-LN, which in earlier pilots
# liked lower ones, gets the lower three. Attention residuals, which start as the
# plain Pre-LN network, take the rate of Pre-LN unswept. (Runs of half this length
# liked higher rates than these do.)

# %%
chapter.section("Learning rates")
KINDS = dict(
    pre="Pre-LN",
    scaled="scaled init",
    lns="LNS",
    peri="Peri-LN",
    post="Post-LN",
    attnres="attention residuals",
)
shape = dict(
    n_layers=sizes.n_layers,
    d_model=sizes.d_model,
    n_heads=sizes.n_heads,
    n_ctx=sizes.n_ctx,
    batch=sizes.batch,
    eval_rows=sizes.eval_rows,
    device=chapter.device,
)
options = dict(deadline=chapter.deadline)

# %%
tried = {kind: sizes.rates[1:] for kind in KINDS if kind != "attnres"}
tried["post"] = sizes.rates[:-1]
pilot = shape | dict(seed=0, steps=sizes.rate_steps)
swept = run_sweep(
    study.measure_rate,
    [pilot | dict(kind=k, lr=lr) for k, rates in tried.items() for lr in rates],
    store=chapter.store("rates"),
    **options,
)
chapter.require_complete(swept)
sweep_loss = swept.loss.to_numpy().reshape(len(tried), -1)
best_rates = zip(tried, sweep_loss.argmin(axis=1))
RATE = {kind: tried[kind][best] for kind, best in best_rates}
RATE["attnres"] = RATE["pre"]

# %% [markdown]
# Then the runs that count: all seeds of a kind as one batch of models, with all
# measurements before training, at its end, at half of it, at a quarter, and so
# on. One more cell, *a second null*, is Pre-LN and sees the letters of each
# batch in random order. From those it can learn how frequent letters are, and
# nothing of language.

# %%
chapter.section("Training")
steps = sizes.steps
halvings = [steps >> k for k in range(6) if steps >> k]
CHECKPOINTS = (0, *sorted(halvings))
HALF, END = CHECKPOINTS.index(steps // 2), len(CHECKPOINTS) - 1
grid = [
    shape
    | dict(kind=kind, lr=RATE[kind], steps=steps, permuted=letters)
    | dict(seeds=tuple(seeds), checkpoints=CHECKPOINTS)
    for kind, letters in [*((kind, False) for kind in KINDS), ("pre", True)]
]
rows = run_sweep(
    study.measure_kind, grid, store=chapter.store("kinds"), **options
)
chapter.require_complete(rows)
shuffled, rows = rows.iloc[-1], rows.iloc[:-1].set_index("kind")


# %%
def of(kind: str, key: str) -> np.ndarray:
    """Return a measurement of one kind, (seeds, checkpoints, ...)."""
    return np.array(rows.loc[kind, key])


def over_null(values_SC: np.ndarray) -> np.ndarray:
    """Return values divided by those of the same model untrained."""
    return values_SC / values_SC[:, :1]


of_text = {key: x for key, x in shape.items() if key != "n_layers"}
texts = [TextSetting(**of_text, steps=1, seed=seed) for seed in seeds]
ngrams = np.array([ngram_losses(corpus, *text.held_out()) for text in texts])
loss = {kind: of(kind, "loss") for kind in KINDS}
past_bigram = {kind: ngrams[:, 1] - loss[kind][:, END] for kind in KINDS}
past_half = {kind: ngrams[:, 1] - loss[kind][:, HALF] for kind in KINDS}

# %% tags=["hide-input"]
for n, name in enumerate(("unigram", "bigram", "trigram")):
    chapter.glue(f"dp-{name}", ngrams[:, n].mean(), ".2f")
means = [runs.mean() for runs in past_bigram.values()]
chapter.glue("dp-past-least", min(means), ".2f")
chapter.glue("dp-past-most", max(means), ".2f")
halves = [runs.mean() for runs in past_half.values()]
chapter.glue("dp-past-half-least", min(halves), ".2f")
chapter.glue("dp-past-half-most", max(halves), ".2f")
young = chapter.profile != "smoke" and min(means) < 0.3
chapter.glue("dp-single-least", min(map(np.min, past_bigram.values())), ".2f")
letters = np.array(shuffled.loss)[:, END]
chapter.glue("dp-permuted-loss", with_interval(letters))
chapter.glue("dp-permuted-past", with_interval(letters - ngrams[:, 0]))
chapter.glue("dp-steps", steps)
chapter.glue("dp-half-steps", steps // 2)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-rates", "caption": "Left: held-out loss of each kind after a short training at three learning rates, one pilot seed; attention residuals take the rate of Pre-LN. Right: held-out loss along training at each kind's own rate, mean over seeds, with the losses of letter tables (orange, dashed) on the same text."}, "image": {"alt": "Left: five curves, each with its minimum at the middle one of three rates, which for Post-LN lies lower than for the others. Right: six curves fall together below the unigram line, then the bigram line, and end between the bigram and trigram lines, Peri-LN highest."}}
COLOR = dict(zip(KINDS, [SERIES[0], "black", SERIES[4], SERIES[3], SERIES[5]]))
COLOR["attnres"] = "0.55"
MARK = dict(zip(KINDS, MARKERS))
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.6))
at = np.maximum(CHECKPOINTS, CHECKPOINTS[1] / 2)
for kind, name in KINDS.items():
    style = dict(color=COLOR[kind], marker=MARK[kind], ms=4, label=name)
    axes[1].plot(at, loss[kind].mean(axis=0), **style)
for row, kind in zip(sweep_loss, tried):
    style = dict(color=COLOR[kind], marker=MARK[kind], ms=4)
    axes[0].plot(tried[kind], row, **style)
for value, name in zip(ngrams.mean(axis=0), ("unigram", "bigram", "trigram")):
    axes[1].axhline(value, color=COLORS["null"], ls="--", lw=1)
    style = dict(color=COLORS["null"], fontsize=8, ha="right")
    axes[1].text(at[-1], value + 0.03, name, **style)
axes[0].set(xscale="log", xlabel="peak learning rate", ylabel="loss, nats")
axes[0].set_xticks(sizes.rates, [f"{lr:g}" for lr in sizes.rates])
axes[0].minorticks_off()
axes[1].set(xscale="log", xlabel="steps")
axes[1].set_xticks(at, CHECKPOINTS)
axes[1].minorticks_off()
axes[1].legend(fontsize=7, loc="upper right")
plt.show()

# %% [markdown]
# **Long enough to be past pairs of letters, not long enough to be past
# triples.** On the held-out text tables of single letters, pairs and triples
# lose {glue:text}`dp-unigram`, {glue:text}`dp-bigram` and
# {glue:text}`dp-trigram` nats per letter. In means of kinds our models end
# {glue:text}`dp-past-least` to {glue:text}`dp-past-most` nats below the pairs,
# after {glue:text}`dp-steps` steps; the least of the single runs
# {glue:text}`dp-single-least`. At half of the training the means are
# {glue:text}`dp-past-half-least` to {glue:text}`dp-past-half-most` below, so
# half is an early look, and a verdict counts only if both looks agree. The
# models of permuted letters end at {glue:text}`dp-permuted-loss`,
# {glue:text}`dp-permuted-past` from the table of single letters.
#
# ### Step 2: eight statistics along training
#
# Before the details, the result. Each panel shows one statistic of Pre-LN
# against the steps; the next steps explain it. Six are a ratio of the first
# half of the layers to the second, divided by the same ratio untrained, so that
# 1 means: nothing but what depth does by itself.

# %%
pre = {
    key: of("pre", key)
    for key in ("contribution", "lens_kl", "lens_overlap", "mean_square")
}
middle = sizes.n_layers // 2
ratios = stat.all_halves(rows.loc["pre"], middle=middle)
control = stat.all_halves(shuffled, middle=middle)
control = {what: over_null(values) for what, values in control.items()}
chosen = {
    "contribution-halves": ("contribution", 1),
    "contribution-halves-all": ("contribution", 0),
    "turn-halves": ("turn", 1),
    "turn-halves-all": ("turn", 0),
    "skip-halves": ("skip", 0),
    "skip-halves-inner": ("skip", 1),
    "output-halves": ("output", 0),
    "local-halves": ("local", 0),
}

# %%
results = {name: over_null(ratios[what]) for name, what in chosen.items()}
lens_null = np.array(shuffled.lens_kl)
for first, name in [(0, "lens-late"), (1, "lens-late-inner")]:
    results[name], control[name] = (
        kl[..., middle] / kl[..., first] for kl in (pre["lens_kl"], lens_null)
    )
centre = {
    (kind, first): stat.relative_centre(of(kind, "removal_kl"), first=first)
    for kind in ("pre", "post")
    for first in (0, 1, 2)
}
mirror = {f: centre["post", f] - centre["pre", f] for f in (0, 1, 2)}
for first, name in [(0, "removal-centres"), (1, "removal-centres-inner")]:
    results[name] = mirror[first] - mirror[first][:, :1]


# %% tags=["hide-input"]
def record(name: str, values_SC: np.ndarray) -> None:
    """Record a claim: at the end, and the same at half of the training."""
    name, runs, half = f"depth.{name}", values_SC[:, END], values_SC[:, HALF]
    if young and chapter.claims[name].kind == "direction":
        why = "models are less than 0.3 nats past pairs of letters"
        chapter.record(name, not_assessed=why)
    else:
        chapter.record(name, runs=runs, half_trained=half)


for name, values in results.items():
    record(name, values)
record("contribution-permuted", control["contribution", 1])
TICKS = [0.5, 1, 2, 5]
panels = {  # title, null (None: its mean untrained), edge of the band
    "contribution-halves": ("contributions, halves", 1, 1.1),
    "turn-halves": ("turns, halves", 1, 1.1),
    "skip-halves": ("skip, later layers", 1, 1.1),
    "skip-halves-inner": ("the same, no layer 1", 1, 1.1),
    "output-halves": ("skip, output", 1, None),
    "local-halves": ("local effects", 1, None),
    "lens-late": ("lens, second half", None, 0.5),
    "removal-centres": ("removal, Post − Pre", 0, 0.25),
}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-training", "caption": "Along training, one point per seed, line: mean. Top left: held-out losses of Pre-LN and Post-LN, and of letter tables. Others: each statistic of Pre-LN (or Post-LN minus Pre-LN) against its untrained null (orange, dashed) and models of permuted letters (orange, dash-dotted: mean); shaded: where the paper's claim would be confirmed; dotted: half of the training; ratios on log axes. Top row: contributions and turns of the stream; middle: effects of skipping; bottom: local effects, lens, removal."}, "image": {"alt": "Losses fall past the unigram and bigram lines. Contributions and turns rise above their null while the loss is above the bigram line, and fall well below it afterwards. Skip effects return to their null, without layer one they fall below it. The lens share falls at first and then rises a little. With permuted letters contributions, turns and effects end above the null. The difference of removal centres jumps up at once and shrinks to the edge of the band."}}
fig, axes = plt.subplots(3, 3, sharex=True, figsize=(6.4, 6))
for kind in ("pre", "post"):
    style = dict(color=COLOR[kind], marker=MARK[kind], ms=3)
    axes[0, 0].plot(at, loss[kind].mean(axis=0), **style)
for value, name in zip(ngrams.mean(axis=0), ("uni", "bi", "tri")):
    axes[0, 0].axhline(value, color=COLORS["null"], ls="--", lw=1)
    style = dict(color=COLORS["null"], fontsize=7, ha="right")
    axes[0, 0].text(at[-1], value, name, **style)
axes[0, 0].set(title="loss, nats")
for ax, (name, (title, null, edge)) in zip(axes.flat[1:], panels.items()):
    values = results[name]
    null = values[:, 0].mean() if null is None else null
    ax.plot(at, values.T, "o", color=COLORS["ours"], ms=2.5, alpha=0.5)
    ax.plot(at, values.mean(axis=0), color=COLORS["ours"])
    ax.axhline(null, color=COLORS["null"], ls="--", lw=1)
    other = control.get(chosen.get(name, name), np.nan * values)
    ax.plot(at, other.mean(axis=0), "-.", color=COLORS["null"], lw=1)
    if null == 1:
        ax.set(yscale="log", yticks=TICKS, yticklabels=TICKS)
    if edge is not None:
        top = max(ax.get_ylim()[1], edge * 1.2)
        ax.axhspan(edge, top, color=COLORS["band"], zorder=0)
    ax.set_title(title)
for ax in axes.flat:
    ax.axvline(at[HALF], color="0.6", ls=":", lw=1)
    ax.set(xscale="log")
    ax.set_xticks(at[[0, -3, -1]], np.take(CHECKPOINTS, [0, -3, -1]))
    ax.minorticks_off()
fig.supxlabel("steps", fontsize=10)
plt.show()

# %% [markdown]
# The table has what the panels show and, after the runs were seen, what they
# leave out: every statistic with layer 1 and without. *Untrained* has the values
# themselves; in the other columns halves are multiples of it, centres of removal
# differences from it, and shares of the lens as they are.

# %% tags=["hide-input"]
NAMES = dict(contribution="contributions", turn="turns", skip="skip, layers")
NAMES |= dict(output="skip, output", local="local effects")
lines = {}
for (what, first), values in ratios.items():
    other = with_interval(control[what, first][:, END])
    label = f"{NAMES[what]}, {'without' if first else 'with'} layer 1"
    lines[label] = (values, over_null(values), other)
for name, label in [("", "all layers"), ("-inner", "after layer 1")]:
    share_late = results[f"lens-late{name}"]
    other = with_interval(control[f"lens-late{name}"][:, END])
    lines[f"lens, second half, {label}"] = (share_late, share_late, other)
unlike = 1 - pre["lens_overlap"]
unlike = unlike[..., middle] / unlike[..., 1]
lines["the same by top-5 overlap"] = (unlike, unlike, "–")
for first, label in enumerate(("all layers", "layers 2 up", "layers 3 up")):
    moved = mirror[first] - mirror[first][:, :1]
    lines[f"removal, moved, {label}"] = (mirror[first], moved, "–")
columns = ("untrained", "half", "end", "end, permuted letters")
table = {}
for label, (plain, over, other) in lines.items():
    looks = (plain[:, 0], over[:, HALF], over[:, END])
    table[label] = [*map(with_interval, looks), other]
pd.DataFrame(table, index=columns).transpose()

# %% [markdown]
# **Without layer 1, early training and later training say opposite things.**
# While a model learns how frequent letters are, and for a while after, its first
# half outweighs the second more than the null does. That needs no language:
# trained on permuted letters, contributions end at
# {claim}`depth.contribution-permuted` times their null. Only with text does the
# curve turn, and the second half writes and turns *more*, next to the first,
# than before training. Who stops early finds the curse of depth; who goes on
# does not, once layer 1 is left out. With it, contributions stay above their
# null at every look. The removal of layers differs at once, and less as
# training goes on.
#
# ### Step 3: who contributes, and in which direction
#
# The *relative contribution* of a layer is the length of what it writes over
# that of the stream it is added to. The *cosine* between the two tells whether
# it strengthens the stream (above 0), erases (below) or writes something new.
# The *turn* is the angle between the stream before and after, as a share of
# $\pi$ {cite:p}`gromov2025unreasonable`.

# %% tags=["hide-input"]
for when, c in [("null", 0), ("half", HALF), ("end", END)]:
    values = ratios["contribution", 1][:, c]
    chapter.glue(f"dp-halves-{when}", with_interval(values))
most = results["contribution-halves"].mean(axis=0).argmax()
chapter.glue("dp-peak", with_interval(results["contribution-halves"][:, most]))
chapter.glue("dp-peak-step", CHECKPOINTS[most])
chapter.glue("dp-peak-loss", loss["pre"][:, most].mean(), ".2f")
first_null = ratios["contribution", 0][:, 0]
chapter.glue("dp-halves-first-null", with_interval(first_null))
even = stat.even_steps(pre["mean_square"])
walk = np.sqrt(np.diff(even[..., 1:]) / even[..., 1:-1])  # layers 2 to L
walk = stat.half_ratio(walk, first=0, middle=middle - 1)
walk = walk / ratios["contribution", 1][:, :1]
chapter.glue("dp-walk", with_interval(walk[:, END]))
chapter.glue("dp-walk-half", with_interval(walk[:, HALF]))
part = np.log(walk) / np.log(results["contribution-halves"])
chapter.glue("dp-walk-part", f"{part[:, END].mean():.0%}")
cosine = of("pre", "cosine")
late = cosine[..., middle:].mean(axis=-1)
chapter.glue("dp-cosine", with_interval(late[:, END]))
chapter.glue("dp-cosine-half", with_interval(late[:, HALF]))

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-contribution", "caption": "Pre-LN, layer by layer, means over seeds, points: seeds at the end: relative contribution (layer 1 lies off the top), cosine of what a layer writes with the stream, and turn of the stream. Untrained (orange, dashed), half trained (grey, dotted), trained (blue)."}, "image": {"alt": "Left: the untrained curve falls steadily; the trained one drops after layer one and rises slightly towards the last layer. Middle: cosines near zero untrained, positive for most layers after training, near zero late. Right: turns as on the left."}}
depth = np.arange(1, sizes.n_layers + 1)
fig, axes = plt.subplots(1, 3, figsize=(6.4, 3))
keys = ("contribution", "cosine", "angle")
titles = ("contribution", "cosine", "turn, share of π")
looks = [(0, "null", "--", "untrained"), (END, "ours", "-", "trained")]
for ax, key, title in zip(axes, keys, titles):
    y = of("pre", key)
    for c, role, style, label in looks:
        mean = y[:, c].mean(axis=0)
        ax.plot(depth, mean, style, color=COLORS[role], label=label)
    half_line = y[:, HALF].mean(axis=0)
    ax.plot(depth, half_line, ":", color="0.4", label="half")
    ax.plot(depth, y[:, END].T, "o", color=COLORS["ours"], ms=2.5, alpha=0.5)
    ax.set(title=title, xlabel="layer", xticks=depth[1::2])
top = pre["contribution"][:, [0, HALF, END], 1:].max()
axes[0].set_ylim(0, 1.1 * top)
axes[0].legend(fontsize=8)
plt.show()

# %% [markdown]
# **Past pairs of letters, the fading without layer 1 goes away.** Untrained,
# layers 2 up to mid-depth contribute {glue:text}`dp-halves-null` times as much
# as the second half. The ratio grows at first: at step
# {glue:text}`dp-peak-step`, with a loss of {glue:text}`dp-peak-loss`, it is
# {glue:text}`dp-peak` times its null. At the end it is
# {glue:text}`dp-halves-end` ({glue:text}`dp-halves-half` at half), and
# training's own factor is {claim}`depth.contribution-halves`
# ({claim:verdict}`depth.contribution-halves`, without layer 1). The turns say
# the same, by {claim}`depth.turn-halves` ({claim:verdict}`depth.turn-halves`,
# without layer 1).
#
# **The choice of layers decides, and part of this is layer 1's size.** With
# layer 1, as in the papers, training's factor on contributions is
# {claim}`depth.contribution-halves-all`, from {glue:text}`dp-halves-first-null`
# untrained, and on turns {claim}`depth.turn-halves-all`. Layer 1 learns to write
# a stream on which all later writes are small. Equal independent writes from
# the trained $h_1$ to the last stream, with no structure, already give
# {glue:text}`dp-walk` times the null without layer 1
# ({glue:text}`dp-walk-half` at half): {glue:text}`dp-walk-part` of the
# logarithm of what we see.
#
# In {cite:t}`csordas2025depth` contributions of a large model drop at mid-depth
# and recover in the last few layers only. Eight layers cannot show such a step.
# The late layers' mean cosine is {glue:text}`dp-cosine` at the end and
# {glue:text}`dp-cosine-half` at half: what they write strengthens the stream
# less and less.
#
# ### Step 4: who is heard
#
# A layer may write much and not be heard. Three ways to ask. *Skip* it in the
# first part of the text, and look at what later layers write, and at the
# output, in the rest: $e_{s \to l}$ of {eq}`eq-dp-skip`. Or ask for the *local*
# effect: take what layer $s$ wrote out of the input of layer $l$ alone, with
# nothing passed on {cite:p}`csordas2025depth`. They take the largest ratio over
# tokens; we take ratios of means, which do not grow with the sample.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-skip", "caption": "Pre-LN, mean over seeds. Top: effect on what later layers write, at later tokens, of skipping a layer; bottom: local effects, with nothing passed on. Left: untrained, right: trained. Layers up to the one taken out are untouched, and blank."}, "image": {"alt": "Four triangular heat maps. Untrained, effects fade smoothly with the layer taken out. Trained, the first layer stands out; all others are faint, and not fainter in the second half than in the first."}}
for c, when in [(0, "null"), (END, "end")]:
    value = with_interval(ratios["skip", 0][:, c])
    chapter.glue(f"dp-skip-{when}", value)
factor = {what: over_null(values)[:, END] for what, values in ratios.items()}
for first, tail in [(0, ""), (1, "-inner")]:
    value = with_interval(factor["output", first])
    chapter.glue(f"dp-output{tail}", value)
chapter.glue("dp-local-inner", with_interval(factor["local", 1]))
fig, axes = plt.subplots(2, 2, figsize=(6.4, 5.4))
for row, key in zip(axes, ("skip_future", "local")):
    for ax, c in zip(row, (0, END)):
        matrix = of("pre", key)[:, c].mean(axis=0)
        upper = np.ma.masked_where(np.tril(np.ones_like(matrix)) > 0, matrix)
        drawn = ax.imshow(upper, vmin=0, vmax=1, cmap="cividis")
        ax.set_xticks(depth - 1, depth)
        ax.set_yticks(depth - 1, depth)
        ax.grid(False)
        what = "skipped" if key == "skip_future" else "local"
        ax.set(title=f"{what}, {'trained' if c else 'untrained'}")
axes[1, 0].set(xlabel="later layer", ylabel="layer taken out")
fig.colorbar(drawn, ax=axes, shrink=0.6, label="effect")
plt.show()

# %% [markdown]
# **Layer 1 is heard everywhere; of the rest, the first half no more than the
# second.** Skipping a layer of the first half has {glue:text}`dp-skip-end` times
# the effect of one of the second, against {glue:text}`dp-skip-null` untrained:
# training's factor is {claim}`depth.skip-halves`
# ({claim:verdict}`depth.skip-halves`). Without layer 1 it is
# {claim}`depth.skip-halves-inner` ({claim:verdict}`depth.skip-halves-inner`).
#
# On the output the factor is {glue:text}`dp-output`, and
# {glue:text}`dp-output-inner` without layer 1; of the local effects
# {claim}`depth.local-halves`, and {glue:text}`dp-local-inner` without it. With
# layer 1 training adds to the first half in the local effects only; without it
# the first half loses in all three.
#
# ### Step 5: remove a layer
#
# {cite:t}`sun2025curse` take a layer out of a trained model, without further
# training. In their Pre-LN models late layers can go; in Post-LN models the
# early ones. We measure the change of the output, its KL divergence from the
# output without the layer: the loss that removal would add on text drawn from
# the model itself. It asks for no labels and means the same before training.
# Its *centre* is the centre of mass over layers, from the first (0) to the last
# (1).
#
# ```{margin}
# The *KL divergence* of two distributions is the mean logarithm of the ratio of
# their chances, over draws from the first. It is zero only if they are equal.
# ```

# %% tags=["hide-input"]
table = pd.DataFrame(
    {
        f"{KINDS[kind]}, {'layers 2 up' if first else 'all layers'}": {
            "untrained": with_interval(centre[kind, first][:, 0]),
            "step 1 of the halvings": with_interval(centre[kind, first][:, 1]),
            "half trained": with_interval(centre[kind, first][:, HALF]),
            "trained": with_interval(centre[kind, first][:, END]),
        }
        for first in (0, 1)
        for kind in ("pre", "post")
    }
).T
for when, c in [("null", 0), ("first", 1), ("end", END)]:
    chapter.glue(f"dp-mirror-{when}", with_interval(mirror[0][:, c]))
early, halfway = results["removal-centres"][:, [1, HALF]].T
chapter.glue("dp-mirror-half", with_interval(halfway))
chapter.glue("dp-mirror-early", with_interval(early))
for kind in ("pre", "post"):
    for first, tail in [(0, ""), (1, "-inner")]:
        moved = centre[kind, first][:, END] - centre[kind, first][:, 0]
        chapter.glue(f"dp-move-{kind}{tail}", with_interval(moved))
moved = mirror[2][:, END] - mirror[2][:, 0]
chapter.glue("dp-mirror-third", with_interval(moved))
chapter.glue("dp-first-step", CHECKPOINTS[1])
chapter.glue("dp-first-loss", loss["pre"][:, 1].mean(), ".2f")
table.rename(columns={"step 1 of the halvings": f"step {CHECKPOINTS[1]}"})

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-removal", "caption": "Change of the output when a layer is removed, as a share of the sum over layers: trained (blue, a point per seed, line: mean) and the same models untrained (orange, dashed: mean)."}, "image": {"alt": "Six panels on log axes. For all kinds but Post-LN the trained first layer has nearly all of the change; the untrained curves fall more gently. Post-LN: level untrained, rising about fourfold to the last layer when trained."}}
fig, axes = plt.subplots(2, 3, sharex=True, sharey=True, figsize=(6.4, 4.4))
for ax, (kind, name) in zip(axes.flat, KINDS.items()):
    for c, role, style, label in looks:
        part = of(kind, "removal_kl")[:, c]
        part = part / part.sum(axis=1, keepdims=True)
        color = COLORS[role]
        ax.plot(depth, part.T, "o", color=color, ms=2, alpha=0.4)
        ax.plot(depth, part.mean(axis=0), style, color=color, label=label)
    ax.set(yscale="log", title=name)
axes[0, 0].legend(fontsize=8)
fig.supxlabel("layer removed", fontsize=10)
fig.supylabel("share of the change of the output", fontsize=10)
plt.show()

# %% [markdown]
# **A mirror image made at once, and fading.** The centre of
# Post-LN lies {glue:text}`dp-mirror-null` later than that of Pre-LN before
# training and {glue:text}`dp-mirror-end` after it; training's part is
# {claim}`depth.removal-centres` ({claim:verdict}`depth.removal-centres`). It
# needs no language: at step {glue:text}`dp-first-step`, when the loss is
# {glue:text}`dp-first-loss`, worse than a table of single letters, the part is
# already {glue:text}`dp-mirror-early`, and at half of the training
# {glue:text}`dp-mirror-half`. It comes from both kinds: Post-LN's centre moves
# by {glue:text}`dp-move-post`, towards late layers, and Pre-LN's by
# {glue:text}`dp-move-pre`, towards layer 1.
#
# Without layer 1 training's part is {claim}`depth.removal-centres-inner`
# ({claim:verdict}`depth.removal-centres-inner`), and from layer 3 on
# {glue:text}`dp-mirror-third`, which shows nothing. Post-LN's move stays as it
# was, {glue:text}`dp-move-post-inner`, but Pre-LN then moves the same way, by
# {glue:text}`dp-move-pre-inner`. A trained Pre-LN model depends on its first
# layer, and of the others on the later ones more than before training.
#
# ### Step 6: when does the model know?
#
# In large models the lens is said to stay far from the output until about the
# middle, and to close in afterwards ({cite:t}`csordas2025depth`; we have not
# read the figure off). We ask which share of the fall of {eq}`eq-dp-lens`, from
# the embedding to the output, happens in the second half of the layers.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-lens", "caption": "Logit lens of the trained models after each layer (0: the embedding): left, KL divergence to the output as a share of that of the embedding; right, overlap of the five likeliest characters with the output's; mean over seeds, points: seeds. Dotted: mid-depth. Attention residuals have no stream to read."}, "image": {"alt": "Left: LNS falls fastest, then Pre-LN, scaled init and Peri-LN; Post-LN falls evenly. Right: the overlaps rise in the same order."}}
streamed = [kind for kind in KINDS if kind != "attnres"]
kl = {kind: of(kind, "lens_kl") for kind in streamed}
overlap = {kind: of(kind, "lens_overlap") for kind in streamed}
lens_late = {k: kl[k][..., middle] / kl[k][..., 0] for k in streamed}
chapter.glue("dp-lens-half", with_interval(lens_late["pre"][:, HALF]))
for kind in ("pre", "post", "lns"):
    for tail, c in [("", END), ("-null", 0)]:
        value = with_interval(lens_late[kind][:, c])
        chapter.glue(f"dp-lens-{kind}{tail}", value)
fall = 1 - kl["pre"][:, END, 1] / kl["pre"][:, END, 0]
chapter.glue("dp-lens-first", with_interval(fall))
rest = results["lens-late-inner"]
chapter.glue("dp-lens-inner-null", with_interval(rest[:, 0]))
chapter.glue("dp-lens-inner-half", with_interval(rest[:, HALF]))
chapter.glue("dp-overlap", with_interval(unlike[:, END]))
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.4))
x = np.arange(sizes.n_layers + 1)
for kind in streamed:
    share_kl = kl[kind][:, END] / kl[kind][:, END, :1]
    style = dict(color=COLOR[kind], marker=MARK[kind], ms=4)
    for ax, y in zip(axes, (share_kl, overlap[kind][:, END])):
        ax.plot(x, y.mean(axis=0), label=KINDS[kind], **style)
        ax.plot(x, y.T, MARK[kind], color=COLOR[kind], ms=2, alpha=0.4)
for ax, label in zip(axes, ("KL to the output, share", "top-5 overlap")):
    ax.axvline(middle, color="0.5", ls=":")
    ax.set(xlabel="layers passed", ylabel=label, ylim=(0, 1.02))
axes[0].legend(fontsize=8)
plt.show()

# %% [markdown]
# **Layer 1 does most; of the rest, the second half does at least as much as the
# first.** The second half has {claim}`depth.lens-late` of the fall for Pre-LN
# ({claim:verdict}`depth.lens-late`; {glue:text}`dp-lens-half` at half). Its null
# disagrees too: untrained it has {glue:text}`dp-lens-pre-null`. But layer 1 alone
# has {glue:text}`dp-lens-first` of it. Of the fall after layer 1 the second half
# has {claim}`depth.lens-late-inner` ({glue:text}`dp-lens-inner-half` at half,
# {glue:text}`dp-lens-inner-null` untrained), which leaves open whether it is
# more than one half; by the overlap of the five likeliest letters
# {glue:text}`dp-overlap`.
#
# LNS has {glue:text}`dp-lens-lns` of the whole fall
# ({glue:text}`dp-lens-lns-null` untrained), Post-LN {glue:text}`dp-lens-post`
# ({glue:text}`dp-lens-post-null`): these two and Pre-LN had the same order
# before training.
#
# ### Step 7: how the stream grows, and what weight decay does
#
# The abstract of {cite:t}`sun2025curse` says that in trained Pre-LN models the
# variance grows exponentially with depth; its body says sub-exponentially. We
# compare straight lines on log-log and semi-log axes by Akaike's criterion
# (AIC). {cite:t}`muhtar2026sparsity` say that weight decay holds the last
# layer's variance down; so we ask what decay does with no data at all.

# %%
growth = {k: stat.growth_exponent(of(k, "mean_square")) for k in streamed}
aic = np.apply_along_axis(stat.exponential_over_power, -1, pre["mean_square"])
growth_gap = growth["pre"] - growth["lns"]
setting = shape | dict(steps=steps, lr=RATE["pre"], seeds=seeds)
alone = np.array(study.decay_alone(**setting))

# %% tags=["hide-input"]
record("growth-law", aic)
for when, c in [("null", 0), ("end", END)]:
    chapter.glue(f"dp-gap-{when}", with_interval(growth_gap[:, c]))
chapter.glue("dp-growth-half", with_interval(growth["pre"][:, HALF]))
even_growth = stat.growth_exponent(even)[:, END]
chapter.glue("dp-growth-walk", with_interval(even_growth))
chapter.glue("dp-decay-alone", with_interval(alone))
chapter.glue("dp-aic-null", with_interval(aic[:, 0]))
for kind in ("pre", "peri"):
    chapter.glue(f"dp-growth-{kind}", with_interval(growth[kind][:, END]))
    chapter.glue(f"dp-growth-{kind}-null", with_interval(growth[kind][:, 0]))
chapter.glue("dp-growth-most", growth["pre"].mean(axis=0).max(), ".1f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-growth", "caption": "Mean square of the stream after each layer, before (left) and after training (right); lines: mean over seeds, points: seeds; the number is the log-log slope from layer 2 on, with its 95 % interval."}, "image": {"alt": "On log-log axes. Untrained: Pre-LN, scaled init and Peri-LN rise, LNS less, Post-LN is flat. Trained: all but Post-LN start higher after layer one and rise less steeply than before, LNS least; Post-LN, flat before, doubles at the last layer."}}
fig, axes = plt.subplots(1, 2, sharey=True, figsize=(6.4, 3.8))
for ax, c in zip(axes, (0, END)):
    for kind in streamed:
        y = of(kind, "mean_square")[:, c, 1:]
        slope = with_interval(growth[kind][:, c].round(3))
        label = f"{KINDS[kind]}: {slope}"
        ax.plot(depth, y.T, MARK[kind], color=COLOR[kind], ms=3, alpha=0.5)
        ax.plot(depth, y.mean(axis=0), color=COLOR[kind])
        style = dict(color=COLOR[kind], marker=MARK[kind])
        ax.plot([], [], label=label, **style)
    ax.set(xscale="log", yscale="log", xlabel="layer")
    ax.set(title="trained" if c else "untrained")
    ax.set_xticks([1, 2, 4, 8], [1, 2, 4, 8])
    ax.minorticks_off()
    ax.legend(loc="upper left", fontsize=7)
axes[0].set(ylabel="mean square of the stream")
axes[0].set_ylim(top=20 * axes[0].get_ylim()[1])
plt.show()

# %% [markdown]
# **The exponent rises early and falls after.** Pre-LN starts at
# {glue:text}`dp-growth-pre-null`, passes a mean of
# {glue:text}`dp-growth-most` early in training, and is at
# {glue:text}`dp-growth-half` at half and {glue:text}`dp-growth-pre` at the end.
# A random walk from the trained $h_1$ to the last stream has
# {glue:text}`dp-growth-walk`: the low exponent says that layer 1 is large, and
# nothing beyond. Peri-LN, whose growth {cite:t}`kim2025periln` expect to be
# linear, goes from {glue:text}`dp-growth-peri-null` to
# {glue:text}`dp-growth-peri`. The gap between Pre-LN and LNS ends at
# {glue:text}`dp-gap-end`, from {glue:text}`dp-gap-null` untrained.
#
# On exponential growth the verdict is {claim:verdict}`depth.growth-law`: AIC
# differs by {claim}`depth.growth-law`, where a plus favours the exponential
# ({glue:text}`dp-aic-null` untrained). Neither line allows for a large start,
# which such a walk has, so the test tells two simple laws apart and does not
# show that one of them holds.
#
# **Decay shrinks the last stream without any learning.** Acting on untrained
# weights for as many steps, with no data, it divides the mean square of the last
# stream by {glue:text}`dp-decay-alone`. A trained model with decay must lie
# lower than that, next to one without, before its lower variance shows more than
# smaller weights. We did not train such a pair.
#
# ### Step 8: all kinds at the same loss
#
# A kind that learns more slowly looks like a younger model. So we compare at
# *matched loss*: for each seed we take the loss that the slowest kind ends
# with, and read every other kind where it passed that loss, between two
# checkpoints.

# %%
best = {kind: np.minimum.accumulate(loss[kind], axis=1) for kind in KINDS}


def late_removal(kind: str) -> np.ndarray:
    """Return the mean change of the output for layers of the second half."""
    return of(kind, "removal_kl")[..., middle:].mean(axis=-1)


def matched(kind: str, values_SC: np.ndarray, among=KINDS, last=END):
    """Return values at the loss that the slowest kind has at ``last``."""
    target_S = np.max([best[k][:, last] for k in among], axis=0)
    seen = slice(last + 1)
    return stat.at_loss(loss[kind][:, seen], values_SC[:, seen], target_S)


def lns_over_pre(last: int) -> np.ndarray:
    """Return late removal, LNS over Pre-LN, at the loss of the slower."""
    pair = ("lns", "pre")
    lns, plain = (matched(k, late_removal(k), pair, last) for k in pair)
    return lns / plain


late_ratio = {last: lns_over_pre(last) for last in (HALF, END)}
gain = {kind: loss["pre"] - loss[kind] for kind in KINDS}

# %% tags=["hide-input"]
untrained_late = late_removal("lns")[:, 0] / late_removal("pre")[:, 0]
over = np.full_like(loss["pre"], np.nan)
for last, values in late_ratio.items():
    over[:, last] = values / untrained_late
record("lns-late-trained", over)
record("gain-lns", gain["lns"])
for kind in ("lns", "scaled", "attnres"):
    for when, c in [("half", HALF), ("end", END)]:
        value = with_interval(gain[kind][:, c])
        chapter.glue(f"dp-gain-{kind}-{when}", value)
chapter.glue("dp-late-null", with_interval(untrained_late))
chapter.glue("dp-late-end", with_interval(late_ratio[END]))
comparison = {}
for kind, name in KINDS.items():
    cells = dict(rate=f"{RATE[kind]:g}")
    cells["loss at the end"] = with_interval(loss[kind][:, END])
    at_matched = {"late removal, nats": late_removal(kind)}
    if kind in streamed:
        contribution = stat.half_ratio(of(kind, "contribution"))
        at_matched["contributions, halves"] = contribution
        at_matched["lens, second half"] = lens_late[kind]
        at_matched["growth"] = growth[kind].round(6)
    for row, values in at_matched.items():
        cells[row] = with_interval(matched(kind, values))
        cells[f"{row}, untrained"] = with_interval(values[:, 0])
    comparison[name] = cells
pd.DataFrame(comparison).fillna("–")

# %% [markdown]
# **At the same loss LNS uses its late layers less, as it did before training.**
# Removing a layer of the second half changes the output
# {glue:text}`dp-late-end` times as much under LNS as under Pre-LN. But untrained
# models have {glue:text}`dp-late-null`: a factor of $1/\sqrt l$ on what a layer
# reads weakens what it writes. Training's own factor is
# {claim}`depth.lns-late-trained` ({claim:verdict}`depth.lns-late-trained`). The
# lens has LNS below Pre-LN in the table, and had before training. Whether training
# makes up for it with billions of tokens, these runs cannot say.
#
# Against Pre-LN, each at the rate of Step 1, scaled init saves
# {glue:text}`dp-gain-scaled-end` nats ({glue:text}`dp-gain-scaled-half` at
# half), LNS {claim}`depth.gain-lns` ({glue:text}`dp-gain-lns-half` at half) and
# attention residuals {glue:text}`dp-gain-attnres-end`
# ({glue:text}`dp-gain-attnres-half` at half), where a minus is a loss. These
# are findings about short runs of small models, and that LNS loses is one look
# only.
#
# ### Step 9: a published model beside its untrained twin
#
# The same probes run on GPT-2 or Pythia, beside a model of the same shape with
# fresh weights: set `SCALING_PRETRAINED` to a folder with a saved model and run
# the `gpu` profile. Where there is none, the claim is not assessed, and no
# number stands here.

# %% tags=["hide-input"]
name = "depth.pretrained-halves"
folder = os.environ.get("SCALING_PRETRAINED", "")
if not chapter.claims[name].assessed_in(chapter.profile):
    print("published weights: gpu profile only")
elif chapter.profile == "gpu" and folder:
    seen = pretrained.measure_pretrained(folder, device=chapter.device)
    both = [stat.half_ratio(seen[f"{w}contribution"]) for w in ("", "init_")]
    what = "ratio of halves, published over twin"
    chapter.record(name, value=both[0] / both[1], tolerance_of=what)
else:
    chapter.record(name, not_assessed="no weights: SCALING_PRETRAINED is unset")

# %% [markdown]
# ## Noise floor
#
# How different are two runs that differ in nothing but the seed? Losses also
# differ because each seed has its own held-out text; pairs with the same seed
# share it.

# %% tags=["hide-input"]
chapter.section("Noise floor")
floor = {}
for kind, name in KINDS.items():
    if len(seeds) > 1 and kind != "pre":
        paired = (loss[kind] - loss["pre"])[:, END]
        alone_sd = loss[kind][:, END].std(ddof=1)
        row = [alone_sd, paired.std(ddof=1), paired.mean()]
        floor[name] = [f"{value:.3f}" for value in row]
columns = ["spread over seeds", "of the difference to Pre-LN", "its mean"]
pd.DataFrame(floor, index=columns).transpose()

# %% [markdown]
# The second column is what a difference between kinds must clear. With five
# seeds a mean difference of about its size times 1.2 is at the edge of a 95 %
# interval.
#
# ## Ours against the paper
#
# <!-- claims:table -->
#
# **None of the papers' directions is confirmed here; the removal contrast comes
# nearest.** It is past its null and at the edge of its band,
# {claim}`depth.removal-centres` ({claim:verdict}`depth.removal-centres`), and
# comes with the first few steps. In the mean somewhat more than half of it is
# Post-LN's move towards late layers, {glue:text}`dp-move-post`, or
# {glue:text}`dp-move-post-inner` without layer 1; the rest is Pre-LN's move
# towards layer 1.
#
# Without layer 1, the fading of contributions, turns and effects on later tokens
# is there before training, and is less than untrained at the end. That of
# contributions and turns grows first, while a model learns how frequent letters
# are. With layer 1, contributions of the first half end at
# {claim}`depth.contribution-halves-all` times their null and are above it at
# every look, and its local effects end at {claim}`depth.local-halves` times; in
# later tokens it is not heard more than untrained. So whether the papers'
# direction holds hangs on one layer. These are small models of letters.
# {cite:t}`csordas2025depth` name the untrained fading, and do not divide by it.
# The gains in quality stay published numbers.
#
# ## Where it breaks
#
# *Depth.* Eight layers cannot show a step at mid-depth, the central figure of
# {cite:t}`csordas2025depth`. A follow-up on models of 1.5 to 32 billion
# parameters finds the share of effective layers stable with size
# {cite:p}`hu2025effective`.
#
# *Language.* Our models know more than pairs of letters and less than triples.
# What large models do with depth on problems of many steps is another question;
# the next chapter trains on one.
#
# *The clock.* Half and end are two points of one schedule: at half the learning
# rate is still high. A checkpoint is not a shorter run.
#
# *Size.* Where the curves turn may depend on size, and we have one size. The
# `gpu` profile, which has not been run, has a larger one; if its models do not
# get past pairs of letters, it judges no claim on trained models.
#
# *The first layer.* It writes to an embedding of small norm, and everything
# reads what it wrote. Any mean over "the first half" with it is mostly layer 1.
#
# *One rate per kind.* The rates come from a coarse sweep of short runs, on one
# pilot seed. Kinds that lie within the noise floor of one another are not
# ranked.
#
# ```{admonition} What would change our mind
# :class: important
# *Contributions and lens.* Models that pass triples of letters by far: width
# 256, 12 layers, some 20,000 steps of 16,000 letters, ten seeds, about two
# hours on one GPU. If the second half then falls below its null, the verdicts
# on `contribution-halves`, `turn-halves` and `lens-late` turn.
#
# *A published model.* GPT-2 beside its untrained twin: one minute where the
# weights are at hand. It decides `pretrained-halves`, and whether the fading of
# large models is more than their null.
#
# *LNS.* The table of Step 8 at 130M parameters and two billion tokens, Pre-LN,
# scaled init and LNS at three rates each and three seeds: about 30 runs of a
# few GPU-hours. It decides `lns-late-trained`, and whether the published gain outlives
# its fair baseline.
# ```

# %% [markdown]
# ## Exercises
#
# **1.** With $v_0 = 0$, what ratio between the contributions of first and
# second half does {eq}`eq-dp-null` predict for very deep models?
#
# ```{admonition} Answer
# :class: dropdown
# Sums become integrals: $\int_0^{L/2} l^{-1/2} dl = 2\sqrt{L/2}$ for the first
# half and $2\sqrt L - 2\sqrt{L/2}$ for the second. Their ratio is
# $1/(\sqrt 2 - 1) = \sqrt 2 + 1 \approx 2.41$, whatever the depth: half of a
# random walk's relative steps lie in the first quarter of the way, since
# $2\sqrt{L/4} = \sqrt L$.
# ```
#
# **2.** Why is the loss of an untrained model no measure of what removing one
# of its layers does, while the change of its output is?
#
# ```{admonition} Answer
# :class: dropdown
# It has learned nothing to lose: its loss is near the logarithm of the alphabet
# with or without the layer, whatever the layer does to the output. The KL
# divergence compares the output with itself.
# ```
#
# **3.** Multiply all matrices of an untrained Pre-LN model by $k$. By what
# factor does the mean square of the last stream change, for many layers?
#
# ```{admonition} Answer
# :class: dropdown
# A branch reads a normed stream and passes two matrices, value and output or up
# and down: what it writes changes by $k^2$, its square by $k^4$ (attention
# scores and a smooth activation change it further). The embedding's part
# changes by $k^2$ only. So decay alone, which multiplies by $k < 1$, shrinks
# the last stream by about $k^4$: the null of Step 7.
# ```
#
# ## End matter
#
# **Differences from the papers.** Eight layers of width 32 on characters, not
# Llama, Qwen or 130M to 7B models on web text. GELU where LLaMA has SwiGLU.
# Ratios of means where {cite:t}`csordas2025depth` take the largest ratio over
# tokens. Change of the output where {cite:t}`sun2025curse` take benchmark
# scores. Single precision, where the first study loads weights in eight bits.
#
# **What was easy.** Everything that holds untrained. **What was hard.** To find
# a null for each measurement, and a time to look at it. The first version
# looked when the models were as good as a table of letter pairs, and confirmed
# directions that this one does not.
#
# **Compute and larger runs.** The provenance below lists seconds per section.
# The `gpu` profile, not run so far, repeats all with 12 layers of width 128 and
# ten seeds: `scaling run depth --profile gpu`. It goes on where it stopped, and stops
# cleanly after `SCALING_TIME_LIMIT` seconds.
#
# **References.** {cite:t}`csordas2025depth`, {cite:t}`sun2025curse`,
# {cite:t}`muhtar2026sparsity`, {cite:t}`kim2025periln`,
# {cite:t}`kimi2026attention` and {cite:t}`bae2026affine` for the claims,
# {cite:t}`gromov2025unreasonable` for turns and pruned layers,
# {cite:t}`nostalgebraist2020logit` for the lens; all in the
# [bibliography](../references.md).

# %% tags=["remove-input"]
chapter.finish()
