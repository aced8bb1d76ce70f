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
# corrections, can be removed at little cost, and are not where harder problems
# are solved {cite:p}`csordas2025depth,gromov2025unreasonable`. One explanation,
# the *curse of depth*, blames the place of the normalisation and proposes a
# cure {cite:p}`sun2025curse`.
#
# This chapter trains small transformers and asks three things. How much of the
# fading of late layers is there before any training? What does training add,
# and how does it depend on the norms? And does a task that needs depth get it?

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
# The measurements are the papers' own: contributions, skipped and removed
# layers, the logit lens, layer scores, linear maps. **The models are not.**
# Ours have eight layers and read characters of Python's standard library for a
# few hundred steps; theirs are Llama and Qwen models, or trained on billions of
# tokens of web text. The table gives our sizes for all three profiles.
#
# So what can be tested here is mechanism: the shape of curves, the effect of
# moving a norm, with everything else equal. What cannot be tested is quality.
# The gains that LNS, Peri-LN and attention residuals report are a few percent
# of perplexity after billions of tokens, and they are listed as out of reach.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
import torch

from scaling_book.api import COLORS, MARKERS, SERIES, Chapter
from scaling_core.base.intervals import with_interval
from scaling_core.base.slopes import fit_slopes
from scaling_core.data.corpora import python_source
from scaling_core.data.published import load_published
from scaling_core.models import interventions
from scaling_core.models.streams import branch_mean_square
from scaling_core.models.transformer import Transformer, TransformerConfig
from scaling_core.training.sweep import run_sweep
from scaling_core.training.text import published_init_std
from studies.composition import repeats, word_tasks
from studies.depth import contributions, study
from studies.depth.lens import logit_lens

# %% tags=["hide-input"]
chapter = Chapter("depth", profile=profile)
sizes = chapter.sizes(
    n_layers=dict(smoke=4, cpu=8, gpu=24),
    d_model=dict(smoke=32, cpu=64, gpu=256),
    n_heads=dict(smoke=2, cpu=4, gpu=8),
    n_ctx=dict(smoke=16, cpu=32, gpu=256),
    batch=dict(smoke=8, cpu=16, gpu=64),
    steps=dict(smoke=3, cpu=150, gpu=5000),
    lr=dict(smoke=2e-3, cpu=2e-3, gpu=1e-3),
    seeds=dict(smoke=1, cpu=5, gpu=10),
    eval_rows=dict(smoke=16, cpu=64, gpu=64),
    depths=dict(smoke=(3, 4, 5), cpu=(4, 8, 12), gpu=(6, 12, 24)),
    null_width=dict(smoke=64, cpu=128, gpu=1024),
    word_length=dict(smoke=8, cpu=8, gpu=16),
    word_steps=dict(smoke=5, cpu=500, gpu=5000),
    vote_steps=dict(smoke=5, cpu=200, gpu=1000),
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
# branch reads; LNS scales that by $1/\sqrt{l}$ {cite:p}`sun2025curse`; Peri-LN
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

# %% [markdown]
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

# %% tags=["hide-input"]
chapter.record(
    "depth.lns-scaled-init",
    value=share["130M"],
    tolerance_of="share of the published gain in perplexity, 130M",
)
chapter.glue("dp-gain-low", gain.min(), ".3f")
chapter.glue("dp-gain-high", gain.max(), ".3f")
chapter.glue("dp-share-250", share["250M"], ".2%")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-published", "caption": "Published perplexities (arXiv 2502.05795v5): left, Pre-LN and LNS at four sizes (Table 1); right, what six remedies change at 130M and 250M parameters, relative to Pre-LN; left of zero is better."}, "image": {"alt": "Left: two falling curves, LNS below Pre-LN at every size by four to eight percent. Right: LNS lowers perplexity most, scaled initialisation reaches more than half of that at both sizes, and LayerScale and SkipInit make it worse."}}
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
# perplexity at 130M and {glue:text}`dp-share-250` at 250M, and the two do not
# add up: LNS with scaled initialisation is worse than LNS. Both weaken late
# branches at the start, so what LNS adds beyond that is the smaller part. No
# spread over seeds is printed.
#
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

# %%
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

# %% tags=["nbval-check-output"]
identities = {
    "telescoping": (telescoping, "largest relative gap of the sum"),
    "causality": (causality, "largest change where none may be"),
    "lens-end": (lens_end, "largest KL after the last layer, nats"),
}
for name, (value, what) in identities.items():
    print(f"{name:12} below 1e-12: {value < 1e-12}   ({what})")

# %% tags=["hide-input"]
for name, (value, what) in identities.items():
    chapter.record(f"depth.{name}", value=value, tolerance_of=what)

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

# %% tags=["hide-input"]
left_out = null_slopes.leave_one_out
chapter.record("depth.init-null", runs=null_slopes.runs, leave_one_out=left_out)
halves = contributions.half_ratio(null_curve)
chapter.glue("dp-null-halves", halves, ".1f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-null", "caption": "Relative contribution of each of 32 untrained Pre-LN layers, contexts of one token; points: one per seed; line: the null curve with no free parameter."}, "image": {"alt": "On log-log axes the points of all seeds follow the falling line one over the square root of the layer from layer two to thirty-two; layer one lies far above, as the line does."}}
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
# is {claim}`depth.init-null`, theory says one half with a minus. Over 32 layers
# this alone makes the first half contribute {glue:text}`dp-null-halves` times
# as much as the second. So "the second half contributes less" is no finding
# about training. Wherever training is the question, we make the same
# measurement on the same model before training, and our claims are differences
# from it or ratios to it.
#
# ## The experiment
#
# ### Step 1: four norms, and how the stream grows
#
# Pre-LN, Post-LN, Peri-LN and LNS, the same initial values and the same text
# for one seed, so that norms are compared in pairs. Initial deviations keep the
# papers' $0.02$ at width 768 in proportion. Each model is measured on held-out
# text, before and after. Two more Pre-LN runs change the weight decay.

# %%
chapter.section("Four norms")
base = dict(
    n_layers=sizes.n_layers,
    d_model=sizes.d_model,
    n_heads=sizes.n_heads,
    n_ctx=sizes.n_ctx,
    batch=sizes.batch,
    steps=sizes.steps,
    lr=sizes.lr,
    eval_rows=sizes.eval_rows,
    device=chapter.device,
)
cells = [(norm, 0.1) for norm in NORMS] + [("pre", 0.0), ("pre", 1.0)]
grid = [
    base | dict(norm=norm, weight_decay=decay, seed=seed)
    for norm, decay in cells
    for seed in seeds
]
options = dict(deadline=chapter.deadline)
text = run_sweep(
    study.measure_text_model, grid, store=chapter.store("text"), **options
)
chapter.require_complete(text)


# %%
def measured_of(key: str, norm: str = "pre", decay: float = 0.1) -> np.ndarray:
    """Return one measurement of all seeds, (seeds, ...)."""
    rows = text[(text.norm == norm) & (text.weight_decay == decay)]
    return np.array(rows[key].tolist())


def growth_fits(norm: str, when: str = ""):
    """Return log-log fits of the stream's mean square, layers 2 and up."""
    rows = measured_of(f"{when}mean_square", norm)[:, 2:]
    return fit_slopes(np.arange(2, 2 + rows.shape[1]), rows)


def growth(norm: str, when: str = "") -> np.ndarray:
    """Return the growth exponent of the stream, per seed."""
    return growth_fits(norm, when).runs


fits = {norm: growth_fits(norm) for norm in ("pre", "lns", "peri")}
gaps = [growth("pre", when) - growth("lns", when) for when in ("init_", "")]

# %% tags=["hide-input"]
for norm, fit in fits.items():
    left_out = fit.leave_one_out
    name = f"depth.growth-{norm}"
    chapter.record(name, runs=fit.runs, leave_one_out=left_out)
left_out = fits["pre"].leave_one_out - fits["lns"].leave_one_out
chapter.record("depth.growth-gap", runs=gaps[1], leave_one_out=left_out)
chapter.glue("dp-gap-before", with_interval(gaps[0]))
chapter.glue("dp-gap-change", with_interval(gaps[1] - gaps[0]))

# %%
aic, aic_before = (
    [study.exponential_over_power(y) for y in measured_of(key)]
    for key in ("mean_square", "init_mean_square")
)

# %% tags=["hide-input"]
chapter.record("depth.growth-exponential", runs=aic)
chapter.glue("dp-aic-before", with_interval(aic_before))
chapter.glue("dp-points", sizes.n_layers - 1)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-growth", "caption": "Mean square of the stream after each layer, before (left) and after training (right); lines: mean over seeds, points: seeds; the number is the log-log slope from layer 2 on, with its 95 % interval."}, "image": {"alt": "On log-log axes. In both panels Pre-LN and Peri-LN rise together, LNS less steeply, and Post-LN is flat. All but Post-LN are steeper after training; the distance in slope between Pre-LN and LNS looks the same in both."}}
COLOR = dict(pre=SERIES[0], post=SERIES[5], peri=SERIES[3], lns=SERIES[4])
MARK = dict(zip(NORMS, MARKERS))
depth = np.arange(1, sizes.n_layers + 1)
fig, axes = plt.subplots(1, 2, sharey=True, figsize=(6.4, 3.6))
for ax, when in zip(axes, ("init_", "")):
    for norm, name in NORMS.items():
        y = measured_of(f"{when}mean_square", norm)[:, 1:]
        label = f"{name}: {with_interval(growth(norm, when))}"
        ax.plot(depth, y.T, MARK[norm], color=COLOR[norm], ms=3, alpha=0.6)
        ax.plot(depth, y.mean(axis=0), color=COLOR[norm])
        ax.plot([], [], MARK[norm] + "-", color=COLOR[norm], label=label)
    ax.set(xscale="log", yscale="log", xlabel="layer")
    ax.set(title="trained" if when == "" else "untrained")
    ax.set_xticks([1, 2, 4, 8], [1, 2, 4, 8])
    ax.minorticks_off()
    ax.legend(loc="upper left", fontsize=8)
axes[0].set(ylabel="mean square of the stream", ylim=(0.05, 2000))
plt.show()

# %% [markdown]
# **The slower growth under LNS is built in at initialisation.** The exponents
# of Pre-LN and LNS differ by {glue:text}`dp-gap-before` before training and by
# {claim}`depth.growth-gap` after it; training changes the gap by
# {glue:text}`dp-gap-change`. So we count it as a finding about the
# architecture, not as a result of training. Trained Pre-LN grows as $l$ to the
# power {claim}`depth.growth-pre`, steeper than the random walk because layers
# begin to write along the stream.
#
# **Of two laws, the power law fits better.** The abstract of
# {cite:t}`sun2025curse` says that the variance grows exponentially; its body
# says sub-exponentially. We compare a straight line on log-log with one on
# semi-log axes over {glue:text}`dp-points` points. Akaike's criterion differs
# by {claim}`depth.growth-exponential`, where a minus favours the power law
# ({glue:text}`dp-aic-before` untrained). Neighbouring layers share most of
# their stream, which this criterion ignores, so the size of the difference
# means little. We disagree with the abstract only.
#
# ### Step 2: does weight decay hold the stream down?
#
# {cite:t}`muhtar2026sparsity` read weight decay as implicit sparsity: it should
# lower the variance of the last layer, and so keep late layers useful. They
# compare a decay of 0.1 with none. Our runs are short, so the claim takes a
# decay of 1, ten times as strong.

# %%
last = {d: measured_of("mean_square", "pre", d)[:, -1] for d in (0, 0.1, 1)}
decay_ratio, mild_ratio = last[0] / last[1], last[0] / last[0.1]
price = measured_of("loss", "pre", 1) - measured_of("loss", "pre", 0)

# %% tags=["hide-input"]
chapter.record("depth.decay-variance", runs=decay_ratio)
chapter.glue("dp-decay-mild", with_interval(mild_ratio))
chapter.glue("dp-decay-price", with_interval(price))

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-decay", "caption": "Mean square of the last stream of Pre-LN models at three weight decays; thin lines join runs of the same seed, the thick line is their mean."}, "image": {"alt": "One falling line per seed and their mean: a slight fall from decay zero to one tenth, a steep one from one tenth to one."}}
fig, ax = plt.subplots(figsize=(6.4, 2.8))
values = np.array(list(last.values()))
ax.plot(range(3), values, "o-", color=COLORS["ours"], lw=0.7, ms=3, alpha=0.6)
ax.plot(range(3), values.mean(axis=1), color=COLORS["ours"], lw=2.5)
ax.set(xlabel="weight decay", ylabel="mean square of h after the last layer")
ax.set_xticks(range(3), ["0", "0.1", "1"])
ax.set_ylim(0)
plt.show()

# %% [markdown]
# **A strong decay does.** Without decay the last stream has
# {claim}`depth.decay-variance` times the mean square that it has with a decay
# of 1, and the loss is higher by {glue:text}`dp-decay-price` nats. At the
# paper's own contrast, no decay against 0.1, our ratio is
# {glue:text}`dp-decay-mild`: in so few steps it acts little. Smaller weights
# write less. That shrinks the stream and need not change who contributes what.
#
# ### Step 3: who contributes, against the null
#
# The curve that started the discussion: how large is what a layer writes,
# compared with the stream it is added to? Under each trained curve lies that of
# the same models untrained, and the law $1/\sqrt{l}$.


# %%
def half_ratios(when: str, norm: str = "pre") -> np.ndarray:
    """Return first over second half of the contributions, per seed."""
    rows = measured_of(f"{when}contribution", norm)
    return np.array([contributions.half_ratio(row) for row in rows])


excess = half_ratios("") / half_ratios("init_")
half = sizes.n_layers // 2
cosine = measured_of("cosine")[:, half:].mean(axis=1)

# %% tags=["hide-input"]
chapter.record("depth.half-over-null", runs=excess)
chapter.glue("dp-half-before", with_interval(half_ratios("init_")))
chapter.glue("dp-half-after", with_interval(half_ratios("")))
chapter.glue("dp-half-lns", with_interval(half_ratios("", "lns")))
chapter.glue("dp-cosine", with_interval(cosine))

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-contribution", "caption": "Relative contribution of layers 2 and up: trained (blue, a point per seed), the same models untrained (orange, dashed), and the law 1/√l of independent equal writes (green, dotted). Layer 1 writes to a bare embedding and lies off the top."}, "image": {"alt": "Four panels. Pre-LN, LNS and Peri-LN: the trained curves fall below the untrained ones in the later layers; Pre-LN and Peri-LN untrained follow the dotted law. Post-LN: both curves are nearly flat."}}
fig, axes = plt.subplots(2, 2, sharex=True, sharey=True, figsize=(6.4, 4.6))
for ax, (norm, name) in zip(axes.flat, NORMS.items()):
    before, after = (
        measured_of(f"{when}contribution", norm)[:, 1:]
        for when in ("init_", "")
    )
    x = depth[1:]
    ax.plot(x, (x - 1) ** -0.5, ":", color=COLORS["theory"], label="1/√l")
    mean = before.mean(axis=0)
    ax.plot(x, mean, "--", color=COLORS["null"], label="untrained")
    ax.plot(x, after.T, "o", color=COLORS["ours"], ms=3, alpha=0.6)
    ax.plot(x, after.mean(axis=0), color=COLORS["ours"], label="trained")
    ax.set(yscale="log", title=name)
    ax.set_yticks([0.1, 0.2, 0.5, 1], ["0.1", "0.2", "0.5", "1"])
    ax.minorticks_off()
axes[0, 1].legend(fontsize=8)
fig.supxlabel("layer", fontsize=10)
fig.supylabel("relative contribution", fontsize=10)
plt.show()

# %% [markdown]
# **Training adds to the null, and LNS does not undo it.** Untrained, the first
# half (without layer 1) contributes {glue:text}`dp-half-before` times as much
# as the second; trained, {glue:text}`dp-half-after` times, so that
# {claim}`depth.half-over-null` is training's own factor. For LNS the ratio is
# {glue:text}`dp-half-lns`. A scale of $1/\sqrt l$ on what a layer reads weakens
# what it writes, and the slower stream only partly makes up for it.
#
# There is no step at mid-depth in eight layers, only a smooth fall. And our
# late layers write along the stream, with a mean cosine of
# {glue:text}`dp-cosine`: they strengthen what is there.
#
# ### Step 4: remove a layer
#
# Contributions say how much a layer writes, not whether it matters.
# {cite:t}`sun2025curse` take a layer out of a trained model, without further
# training, and look at the damage. In their Pre-LN models late layers can go;
# in Post-LN models the early ones.
#
# How much of that is there before training? The loss of an untrained model
# cannot tell, since it has learned nothing to lose. So we measure the change of
# the output: its KL divergence from the output without the layer. This is the
# loss that removal would add on text drawn from the model itself, and it means
# the same before training and after.


# %%
def removal_centres(
    norm: str, first: int = 1, key: str = "removal_kl"
) -> np.ndarray:
    """Return the centre of mass from layer ``first`` (0) to the last (1)."""
    rows = measured_of(key, norm)[:, first - 1 :]
    centres = [interventions.centre_of_mass(row, first=0) for row in rows]
    return np.array(centres) / (rows.shape[1] - 1)


def mirror(first: int, key: str = "removal_kl") -> np.ndarray:
    """Return Post-LN minus Pre-LN, per seed."""
    post, pre = (removal_centres(norm, first, key) for norm in ("post", "pre"))
    return post - pre


# %% tags=["hide-input"]
for suffix, first in [("", 1), ("-inner", 2)]:
    before, after = mirror(first, "init_removal_kl"), mirror(first)
    chapter.record(f"depth.removal-mirror{suffix}", runs=after - before)
    chapter.glue(f"dp-mirror{suffix}-before", with_interval(before))
    chapter.glue(f"dp-mirror{suffix}-after", with_interval(after))
chapter.glue("dp-mirror-loss", with_interval(mirror(1, "removal")))
for norm in ("pre", "post"):
    for when in ("", "init_"):
        for name, first in [("centre", 1), ("inner", 2)]:
            centres = removal_centres(norm, first, f"{when}removal_kl")
            chapter.glue(f"dp-{when}{name}-{norm}", with_interval(centres))
for norm in ("pre", "lns", "post"):
    late = measured_of("removal", norm)[:, half:].mean()
    chapter.glue(f"dp-late-{norm}", late, ".3f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-removal", "caption": "Change of the output when a layer is removed, as a share of the sum over layers: trained (blue, a point per seed, line: mean) and the same models untrained (orange, dashed: mean). Vertical lines: mean centre of mass over all layers."}, "image": {"alt": "Four panels on log axes. Trained Pre-LN, LNS and Peri-LN: the first layer has nearly all of the change and the rest little. Post-LN: the last layer has most. The untrained curves are flatter: falling for all norms but Post-LN, level there."}}
fig, axes = plt.subplots(2, 2, sharex=True, sharey=True, figsize=(6.4, 4.4))
for ax, (norm, name) in zip(axes.flat, NORMS.items()):
    for when, role, style in [("init_", "null", "--"), ("", "ours", "-")]:
        share = measured_of(f"{when}removal_kl", norm)
        share = share / share.sum(axis=1, keepdims=True)
        color = COLORS[role]
        ax.plot(depth, share.T, "o", color=color, ms=2.5, alpha=0.5)
        label = "untrained" if when else "trained"
        ax.plot(depth, share.mean(axis=0), style, color=color, label=label)
        centre = removal_centres(norm, key=f"{when}removal_kl").mean()
        centre = 1 + centre * (sizes.n_layers - 1)
        ax.axvline(centre, color=color, ls=style, lw=0.8)
    ax.set(yscale="log", title=name)
axes[0, 1].legend(fontsize=8)
fig.supxlabel("layer removed", fontsize=10)
fig.supylabel("share of the change of the output", fontsize=10)
plt.show()

# %% [markdown]
# **Part built in, part learned.** On a scale from first layer (0) to last (1)
# the centre of Post-LN lies {glue:text}`dp-mirror-before` later than that of
# Pre-LN before training, and {glue:text}`dp-mirror-after` later after it.
# Training's own part is {claim}`depth.removal-mirror`: it moves Pre-LN from
# {glue:text}`dp-init_centre-pre` to {glue:text}`dp-centre-pre`, and Post-LN
# from {glue:text}`dp-init_centre-post` to {glue:text}`dp-centre-post`. By the
# added loss instead of the changed output, trained models differ by
# {glue:text}`dp-mirror-loss`.
#
# In Pre-LN the move is all layer 1, which writes to a bare, small embedding.
# Without it the centre goes from {glue:text}`dp-init_inner-pre` to
# {glue:text}`dp-inner-pre`, and that of Post-LN from
# {glue:text}`dp-init_inner-post` to {glue:text}`dp-inner-post`. Of the trained
# contrast, {glue:text}`dp-mirror-inner-after`, training's part is
# {claim}`depth.removal-mirror-inner`. Beyond the first layer it is Post-LN that
# changes, and these seeds do not settle whether by as much as we asked for.
#
# The cure does not show. Removing a layer of the second half adds
# {glue:text}`dp-late-pre` nats to the loss for Pre-LN, {glue:text}`dp-late-lns`
# for LNS and {glue:text}`dp-late-post` for Post-LN. At this size and length of
# training, LNS makes late layers *less* needed, as it does untrained. Whatever
# it does for large models must come with longer training.
#
# ### Step 5: skip a layer, watch the later ones
#
# A layer may matter to the present token only, or feed the computation of later
# tokens. {cite:t}`csordas2025depth` skip a layer on the first part of a text
# and look at all later layers on the rest: the matrix $e_{s \to l}$ of
# {eq}`eq-dp-skip`. They take the largest ratio over tokens; we take ratios of
# means, which do not grow with the sample.


# %%
def first_over_second(matrices: np.ndarray) -> np.ndarray:
    """Return mean effect of skipping a layer of either half, as a ratio."""
    L = matrices.shape[1]
    effect = [[m[s, s + 1 :].mean() for s in range(L - 1)] for m in matrices]
    effect = np.array(effect)
    return effect[:, : L // 2].mean(axis=1) / effect[:, L // 2 :].mean(axis=1)


skip = {w: measured_of(f"{w}skip_future") for w in ("init_", "")}
ratios = {when: first_over_second(m) for when, m in skip.items()}
inner_skip = {w: first_over_second(m[:, 1:, 1:]) for w, m in skip.items()}
inner_excess = inner_skip[""] / inner_skip["init_"]

# %% tags=["hide-input"]
chapter.record("depth.skip-over-null", runs=ratios[""] / ratios["init_"])
chapter.record("depth.skip-over-null-inner", runs=inner_excess)
chapter.glue("dp-skip-before", with_interval(ratios["init_"]))
chapter.glue("dp-skip-after", with_interval(ratios[""]))
largest = first_over_second(measured_of("skip_future_max"))
chapter.glue("dp-skip-max", with_interval(largest))

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-skip", "caption": "Effect on later layers, at later tokens, of skipping each layer of the Pre-LN models: untrained (left) and trained (right), mean over seeds. Layers up to the skipped one are untouched, and blank."}, "image": {"alt": "Two triangular heat maps. Untrained, effects are large and fade smoothly with the skipped layer. Trained, the first layer still stands out and all others are faint."}}
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3))
for ax, when in zip(axes, ("init_", "")):
    matrix = skip[when].mean(axis=0)
    sns.heatmap(
        matrix,
        mask=np.tril(np.ones_like(matrix)) > 0,
        ax=ax,
        vmin=0,
        vmax=0.9,
        cmap="cividis",
        square=True,
        xticklabels=depth,
        yticklabels=depth,
        cbar=when == "",
    )
    ax.set(xlabel="later layer", title="untrained" if when else "trained")
axes[0].set(ylabel="skipped layer")
plt.show()

# %% [markdown]
# **Most of the asymmetry is there untrained, and training adds layer 1.**
# Skipping a layer of the first half has {glue:text}`dp-skip-after` times the
# effect of one of the second half after training, against
# {glue:text}`dp-skip-before` before: a factor of {claim}`depth.skip-over-null`
# for training. (With the largest ratio over tokens instead of means, trained
# models have {glue:text}`dp-skip-max`.)
#
# But without layer 1 the factor is {claim}`depth.skip-over-null-inner`. What
# training does is to make *every* layer but the first matter less to later
# tokens. Characters of a line of code depend on the last few characters, and
# one layer suffices to fetch them.
#
# ### Step 6: when does the model know?
#
# In large models the lens stays far from the output until about the middle, and
# closes in afterwards: the second half refines the prediction
# {cite:p}`csordas2025depth`. We ask which share of the fall of
# {eq}`eq-dp-lens` happens in the second half.


# %%
def second_half_share(kl: np.ndarray) -> np.ndarray:
    """Return the share of the fall of the KL in the second half, per seed."""
    return kl[:, half] / kl[:, 0]


kl = {norm: measured_of("lens_kl", norm) for norm in NORMS}
overlap = {norm: measured_of("lens_overlap", norm) for norm in NORMS}

# %% tags=["hide-input"]
chapter.record("depth.lens-second-half", runs=second_half_share(kl["pre"]))
for norm in ("lns", "post"):
    share_late = with_interval(second_half_share(kl[norm]))
    chapter.glue(f"dp-lens-{norm}", share_late)
untrained_lens = second_half_share(measured_of("init_lens_kl"))
chapter.glue("dp-lens-untrained", with_interval(untrained_lens))
chapter.glue("dp-steps", sizes.steps)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-lens", "caption": "Logit lens after each layer (0: the embedding): left, KL divergence to the output as a share of that of the embedding; right, overlap of the five likeliest characters with the output's; mean over seeds, points: seeds. Dotted: mid-depth."}, "image": {"alt": "Left: the LNS curve falls fastest, then Pre-LN and Peri-LN; Post-LN falls nearly linearly. Right: the overlaps rise in the same order."}}
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.4))
x = np.arange(sizes.n_layers + 1)
for norm, name in NORMS.items():
    curves = [kl[norm] / kl[norm][:, :1], overlap[norm]]
    for ax, rows in zip(axes, curves):
        style = dict(color=COLOR[norm], marker=MARK[norm], ms=4)
        ax.plot(x, rows.mean(axis=0), label=name, **style)
        ax.plot(x, rows.T, MARK[norm], color=COLOR[norm], ms=2, alpha=0.5)
for ax, label in zip(axes, ("KL to the output, share", "top-5 overlap")):
    ax.axvline(half, color="0.5", ls=":")
    ax.set(xlabel="layers passed", ylabel=label, ylim=(0, 1.02))
axes[0].legend()
plt.show()

# %% [markdown]
# **Here the first half decides.** The second half has
# {claim}`depth.lens-second-half` of the fall for Pre-LN and
# {glue:text}`dp-lens-lns` for LNS, less than the {glue:text}`dp-lens-untrained`
# of an untrained model; Post-LN, with {glue:text}`dp-lens-post`, spreads it
# most evenly. Our task is easier than theirs: after {glue:text}`dp-steps` steps
# the models know little more than short-range statistics of characters, and
# those need no depth.
#
# ### Step 7: deeper models, layer by layer
#
# If added layers only repeat what is there, then swapping two of them costs
# less and less as the model gets deeper. {cite:t}`muhtar2026sparsity` score
# this on models of 12 to 32 layers. We train three depths, with all else equal,
# and fit the same exponent. It has two landmarks: 0 if new layers are as
# specific as old ones, and 1 if only a fixed number of layers has a place of
# its own, so that the mean over pairs thins out as one over the depth.

# %%
chapter.section("Depths")
grid = [
    {k: v for k, v in base.items() if k != "n_layers"}
    | dict(depths=sizes.depths, seed=seed)
    for seed in seeds
]
family = run_sweep(
    repeats.measure_depths, grid, store=chapter.store("depths"), **options
)
chapter.require_complete(family)
score_slopes = {}
score_names = ("permutation", "permutation_inner", "causal")
for name in [w + name for w in ("", "init_") for name in score_names]:
    scores = np.array(family[name].tolist())  # (seeds, depths)
    score_slopes[name] = fit_slopes(sizes.depths, scores)

# %% tags=["hide-input"]
for name in ("permutation_inner", "init_permutation", "init_causal"):
    chapter.glue(f"dp-{name}", with_interval(-score_slopes[name].runs))
for name in ("permutation", "causal"):
    fits = score_slopes[name]
    left_out = -fits.leave_one_out
    chapter.record(f"depth.{name}", runs=-fits.runs, leave_one_out=left_out)

# %% tags=["hide-input"]
published = load_published("depth_layer_scores")
for name in ("permutation", "causal"):
    paper = fit_slopes(published.n_layers, published[name].to_numpy()[None])
    chapter.glue(f"dp-{name}-paper", -paper.runs[0], ".2f")
useful = np.array(family.useful.tolist())
chapter.glue("dp-useful", useful[:, -1].mean(), ".1f")
chapter.glue("dp-deepest", sizes.depths[-1])
depth_loss = np.array(family.loss.tolist())
depth_gain = depth_loss[:, 0] - depth_loss[:, -1]
chapter.glue("dp-depth-gain", with_interval(depth_gain))

# %% [markdown]
# **The order of layers matters less, the deeper the model.** The permutation
# score falls with exponent {claim}`depth.permutation`, compatible with the
# second landmark, interchangeable added layers. Without the first layer it is
# {glue:text}`dp-permutation_inner`, which excludes little. A fit of the
# published scores, at other depths and with no error known, gives
# {glue:text}`dp-permutation-paper`. Untrained models have
# {glue:text}`dp-init_permutation`: no direction, only noise.
#
# The causal score is another matter. Ours falls with {claim}`depth.causal`,
# theirs with {glue:text}`dp-causal-paper`: in size we disagree. And our
# untrained models already have {glue:text}`dp-init_causal`, so a fall like the
# published one needs no training.
#
# The third of their scores cannot be measured here. They count layers that no
# affine map can replace within 10 % of the loss; of our {glue:text}`dp-deepest`
# layers that is {glue:text}`dp-useful`. Nor did depth pay in the time given:
# the deepest models save {glue:text}`dp-depth-gain` nats over the shallowest,
# where a minus is a loss.
#
# ### Do deep models repeat shallow ones?
#
# {cite:t}`csordas2025depth` fit linear maps from every layer of a small model
# to every layer of a large one. The best maps lie on the diagonal: the deep
# model would stretch the shallow one. Least squares has a closed form, so we
# can fit the maps exactly, and add two controls that the paper lacks: the same
# maps to a deep model that was never trained, and from a shallow one that was
# never trained.

# %%
cases = ("map", "source", "target")  # untrained: none, source, target
errors = {n: np.array(family[f"{n}_error"].tolist()) for n in cases}
sources = {n: np.array(family[f"{n}_source"].tolist()) for n in cases}
of_source, of_target = (
    errors[name].mean(axis=1) / errors["map"].mean(axis=1)
    for name in ("source", "target")
)

# %% tags=["hide-input"]
chapter.record("depth.map-control", runs=of_source)
chapter.glue("dp-map-target", with_interval(of_target))
for name in ("map", "target"):
    rising = np.mean(np.diff(sources[name], axis=1) >= 0)
    chapter.glue(f"dp-rising-{name}", rising, ".0%")
chapter.glue("dp-best-source", sources["source"].mean(), ".1f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-maps", "caption": "Linear maps from the shallowest to the deepest model: held-out relative error of the best map to each deep layer (left), and from which layer of the shallow model it starts (right, mean over seeds): both trained, shallow model untrained, deep model untrained."}, "image": {"alt": "Left: the errors to the untrained deep model are highest; below lie those from the untrained shallow model, and lowest those between trained models. Right: from the trained shallow model the best source rises with the deep layer, whether that is trained or not; from the untrained one it stays at the embedding."}}
deep = np.arange(1, sizes.depths[-1] + 1)
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3))
labels = ["both trained", "shallow untrained", "deep untrained"]
colors = [COLORS["ours"], SERIES[5], COLORS["null"]]
for name, label, color, marker in zip(cases, labels, colors, MARKERS):
    error, source = errors[name], sources[name]
    axes[0].plot(deep, error.T, marker, color=color, ms=3, alpha=0.5)
    axes[0].plot(deep, error.mean(axis=0), color=color, label=label)
    axes[1].plot(deep, source.mean(axis=0), marker + "-", color=color, ms=4)
axes[0].set(ylabel="relative error", ylim=(0, 1))
axes[1].set(ylabel="best shallow stream", ylim=(0, None))
for ax in axes:
    ax.set(xlabel="deep layer", xticks=deep[1::2])
axes[0].legend()
plt.show()

# %% [markdown]
# **Trained depths share something, but the diagonal does not show it.** Maps to
# an untrained deep model have {glue:text}`dp-map-target` times the error of
# maps to a trained one. That alone could mean that a trained model is easier to
# map to, from anything. So keep the trained target and change the source: from
# an untrained shallow model the error is {claim}`depth.map-control` times that
# from the trained one.
#
# The best source never moves down in {glue:text}`dp-rising-map` of the steps
# for trained models, and in {glue:text}`dp-rising-target` when the deep one is
# untrained. A rising line by itself is what a random walk from a shared
# embedding gives. (From an untrained shallow model the best stream is number
# {glue:text}`dp-best-source` on average, where 0 is the bare embedding.)
#
# ### Step 8: a task that needs depth
#
# Text this simple does not ask for depth, so we ask for it. A word over the
# group $S_3$ is a row of its six elements; the answer at position $t$ is the
# product of the first $t$. Each position needs one more composition.
# {cite:t}`liu2023transformers` show that $O(\log t)$ layers suffice, and that
# for a group like this even a constant number can do.

# %%
chapter.section("Composition")
task = dict(length=sizes.word_length, device=chapter.device)
words = dict(task="composition", steps=sizes.word_steps)
votes = dict(task="vote", steps=sizes.vote_steps)
wide = dict(n_layers=1, n_heads=8)
narrow = dict(n_layers=4, n_heads=2)
WORD_DEPTHS = (1, 2, 4)
cells = [words | dict(n_layers=L, n_heads=4) for L in WORD_DEPTHS]
cells += [words | wide, words | narrow, words | wide | dict(d_mlp=1024)]
cells += [votes | wide, votes | narrow]
grid = [task | cell | dict(seed=seed) for cell in cells for seed in seeds]
tasks = run_sweep(
    word_tasks.measure_task_model,
    grid,
    store=chapter.store("tasks"),
    **options,
)
chapter.require_complete(tasks)


def of_cell(key: str, cell: int) -> np.ndarray:
    """Return one result of a cell of the grid, (seeds, ...)."""
    rows = tasks.iloc[cell * len(seeds) : (cell + 1) * len(seeds)]
    return np.array(rows[key].tolist())


# %%
hop = 3 * sizes.word_length // 4 - 1  # index of the position we judge at
accuracy = np.array([of_cell("accuracy", i) for i in range(3)])
gained = accuracy[2, :, hop] - accuracy[0, :, hop]
longest = np.array(
    [[word_tasks.longest_word(a) for a in row] for row in accuracy]
)
log_depth = np.log2(WORD_DEPTHS)
doublings = np.polyfit(log_depth, longest, 1)[0]
score = of_cell("depth_score", 2)  # (seeds, positions)
early, late_words = slice(0, sizes.word_length // 4), slice(hop, None)
rise = score[:, late_words].mean(axis=1) - score[:, early].mean(axis=1)

# %% tags=["hide-input"]
chapter.record("depth.composition", runs=gained)
kept = [np.arange(3) != i for i in range(3)]
left_out = [np.polyfit(log_depth[k], longest[k], 1)[0] for k in kept]
chapter.record("depth.longest-word", runs=doublings, leave_one_out=left_out)
chapter.record("depth.score-rise", runs=rise)
chapter.glue("dp-hop", hop + 1)
for i, L in enumerate(WORD_DEPTHS):
    chapter.glue(f"dp-hop-{L}", with_interval(accuracy[i, :, hop]))
vote_score = of_cell("depth_score", 7).mean()
chapter.glue("dp-vote-score", vote_score, ".2f")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-words", "caption": "Word problem of the group with six elements: left, accuracy at each position for one, two and four layers, with chance (1/6); right, depth score of the four-layer model at each position: centre of mass of the effects of skipping a layer on the answer there. Lines: means, points: seeds."}, "image": {"alt": "Left: all depths are near perfect for short words and then fall; four layers stay above two and two above one. Right: the depth score is higher for long words than for short ones."}}
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.2))
x = np.arange(1, sizes.word_length + 1)
for i, L in enumerate(WORD_DEPTHS):
    color = SERIES[[4, 3, 0][i]]
    label = f"{L} layer" + "s" * (L > 1)
    axes[0].plot(x, accuracy[i].T, MARKERS[i], color=color, ms=3, alpha=0.5)
    axes[0].plot(
        x, accuracy[i].mean(axis=0), MARKERS[i] + "-", color=color, label=label
    )
axes[0].axhline(1 / 6, color=COLORS["null"], ls="--")
axes[0].text(1, 0.19, "chance", color=COLORS["null"])
axes[0].set(xlabel="elements composed", ylabel="accuracy", ylim=(0, 1.03))
axes[0].legend()
axes[1].plot(x, score.T, "o", color=COLORS["ours"], ms=3, alpha=0.6)
axes[1].plot(x, score.mean(axis=0), color=COLORS["ours"])
axes[1].set(xlabel="elements composed", ylabel="depth score, layers")
plt.show()

# %% [markdown]
# **Where composition is asked for, depth is used.** On products of
# {glue:text}`dp-hop` elements one, two and four layers reach
# {glue:text}`dp-hop-1`, {glue:text}`dp-hop-2` and {glue:text}`dp-hop-4`. More
# layers are also more parameters; the next step holds those fixed. Each
# doubling of the layers buys {claim}`depth.longest-word` more elements at even
# odds. And the depth score of the four-layer model is higher for long words
# than for short ones, by {claim}`depth.score-rise`. Beyond five elements, where
# the model mostly fails, it rises no further.
#
# In pre-trained models {cite:t}`csordas2025depth` find no such rise with the
# number of hops. There is no contradiction. Those models were trained on text,
# ours on the task; their own models trained from scratch also use more depth
# for later steps.
#
# ### Wide against deep
#
# {cite:t}`brown2022wide` spread a fixed number of heads over fewer layers, and
# find one wide layer as accurate as several narrow ones, and faster. We repeat
# it with eight heads on two tasks: the word problem, and a vote in which only
# the counts of symbols matter. A third model gives the wide layer the
# parameters of the deep one.

# %%
deep_word, wide_word, equal_word = (
    of_cell("accuracy", i)[:, hop] for i in (4, 3, 5)
)
wide_vote, deep_vote = (of_cell("mean_accuracy", i) for i in (6, 7))
contrasts = {
    "wide-composition": deep_word - wide_word,
    "wide-equal-size": deep_word - equal_word,
    "wide-vote": deep_vote - wide_vote,
    "wide-latency": of_cell("forward_ms", 4) / of_cell("forward_ms", 3),
}

# %% tags=["hide-input"]
for name, runs in contrasts.items():
    chapter.record(f"depth.{name}", runs=runs)
chapter.glue("dp-size-alone", with_interval(equal_word - wide_word))
chapter.glue("dp-vote-level", wide_vote.mean(), ".3f")
size_of = [of_cell("parameters", i)[0] for i in (3, 4, 5)]
for name, n in zip(("wide", "deep", "equal"), size_of):
    chapter.glue(f"dp-size-{name}", f"{n:,}")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-wide", "caption": "Accuracy of one layer of eight heads, the same with a wider MLP (equal parameters, word problem only), and four layers of two heads; a point per seed, bars: mean. Left: vote, all positions; right: product of three quarters of the word, dashed: chance."}, "image": {"alt": "Left: wide and deep are level. Right: the deep model lies above both wide ones, which are alike."}}
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3))
panels = [
    ("vote", [wide_vote, deep_vote], ["wide", "deep"], 0.5),
    (
        "composition",
        [wide_word, equal_word, deep_word],
        ["wide", "wide, equal size", "deep"],
        1 / 6,
    ),
]
for ax, (title, groups, names, chance) in zip(axes, panels):
    means = [g.mean() for g in groups]
    ax.bar(names, means, color=COLORS["band"], edgecolor="0.6", width=0.6)
    for i, group in enumerate(groups):
        spread = np.linspace(-0.12, 0.12, len(group))
        ax.plot(i + spread, group, "o", color=COLORS["ours"], ms=4)
    ax.axhline(chance, color=COLORS["null"], ls="--", lw=1)
    ax.set(title=title)
axes[0].set(ylabel="accuracy")
plt.show()

# %% [markdown]
# **Wide loses where something is composed, and size does not save it.** On
# words the deep model leads by {claim}`depth.wide-composition`, so the tie that
# {cite:t}`brown2022wide` report for text tasks does not extend to composition;
# they never claimed that it would. The wide model has {glue:text}`dp-size-wide`
# parameters to the deep one's {glue:text}`dp-size-deep`. With
# {glue:text}`dp-size-equal` it still trails by {claim}`depth.wide-equal-size`:
# size alone brought {glue:text}`dp-size-alone`. This is the fair contrast for
# the claim above.
#
# On the vote the two tie, with a difference of {claim}`depth.wide-vote`. That
# says little: both are at {glue:text}`dp-vote-level`, where nothing can differ.
# The deep model leaves all but its first layer idle (depth score
# {glue:text}`dp-vote-score`). The wide model is {claim}`depth.wide-latency`
# times faster, mostly because four layers of its width have four times the MLP
# to compute. **Whether depth is worth its time is a question about the task.**
#
# ## Noise floor
#
# How different are two runs that differ in nothing but the seed, and how
# different are the norms? A comparison of losses must clear the first to say
# anything about the second.

# %%
chapter.section("Noise floor")
losses = {norm: measured_of("loss", norm) for norm in NORMS}
lns_gain = losses["pre"] - losses["lns"]

# %% tags=["hide-input"]
chapter.record("depth.lns-loss", runs=lns_gain)
spread = losses["pre"].std(ddof=1) if len(seeds) > 1 else np.nan
chapter.glue("dp-loss-spread", spread, ".3f")
paired = lns_gain.std(ddof=1) if len(seeds) > 1 else np.nan
chapter.glue("dp-paired-spread", paired, ".3f")
for norm in NORMS:
    chapter.glue(f"dp-loss-{norm}", losses[norm].mean(), ".2f")

# %% [markdown]
# Held-out losses are {glue:text}`dp-loss-pre` (Pre-LN),
# {glue:text}`dp-loss-post` (Post-LN), {glue:text}`dp-loss-peri` (Peri-LN) and
# {glue:text}`dp-loss-lns` (LNS) nats per character. Pre-LN varies by
# {glue:text}`dp-loss-spread` between seeds, the difference to LNS with the seed
# held fixed by {glue:text}`dp-paired-spread`; it is {claim}`depth.lns-loss`.
# **We do not read it as support for LNS.** One learning rate was used for all
# norms, Post-LN comes first at eight layers, and the ranking of short runs need
# not be that of long ones.
#
# ## Ours against the paper
#
# <!-- claims:table -->

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-dp-scores", "caption": "Permutation score (left) and causal score (right) against the depth: published (grey, dashed; 12 to 32 layers) and ours (a point per seed, line: mean of the seeds' fits), with exponents."}, "image": {"alt": "On log-log axes both permutation curves fall steeply with nearly the same slope, at smaller depths; the causal scores fall too, ours more steeply than the published ones."}}
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.2))
grid_depths = np.array(sizes.depths)
for ax, name in zip(axes, ("permutation", "causal")):
    paper = fit_slopes(published.n_layers, published[name].to_numpy()[None])
    style = dict(marker="x", color=COLORS["paper"])
    ax.plot(
        published.n_layers,
        published[name],
        "--",
        label=f"paper: {-paper.runs[0]:.2f}",
        **style,
    )
    scores = np.array(family[name].tolist())
    fits = score_slopes[name]
    ax.plot(grid_depths, scores.T, "o", color=COLORS["ours"], ms=4)
    line = np.exp(np.log(fits.predict(grid_depths)).mean(axis=0))
    label = f"ours: {with_interval(-fits.runs)}"
    ax.plot(grid_depths, line, color=COLORS["ours"], label=label)
    ax.set(xscale="log", yscale="log", xlabel="layers", title=f"{name} score")
    ticks = sorted({*sizes.depths, *published.n_layers})
    ax.set_xticks(ticks, ticks)
    ax.set_yticks([0.1, 0.2, 0.5, 1], ["0.1", "0.2", "0.5", "1"])
    ax.minorticks_off()
    ax.legend()
plt.show()

# %% [markdown]
# **What outlives its null is little; what disagrees needs scale.** Beyond what
# is there before training, first layers contribute more, removal hurts Pre-LN
# early and Post-LN late, and the permutation score falls with depth. The slower
# growth under LNS needs no training. Exponential growth does not show, and the
# prediction does not wait for the second half. The quality gains of LNS,
# Peri-LN and attention residuals {cite:p}`kimi2026attention` stay published
# numbers.

# %% [markdown]
# ## Where it breaks
#
# *Depth.* Eight layers cannot show a step at mid-depth, the central figure of
# {cite:t}`csordas2025depth`. A follow-up on models of 1.5 to 32 billion
# parameters finds the share of effective layers stable with size
# {cite:p}`hu2025effective`.
#
# *Length of training.* After a few hundred steps a model knows characters, not
# programs. Late layers are idle because there is nothing yet for them to do.
# This favours early layers in the removal, skip and lens measurements alike.
#
# *The first layer.* It writes to an embedding of small norm, and everything
# reads what it wrote. Any mean over "the first half" is mostly layer 1. Where
# it matters we give the number without it.
#
# *Initial values.* The word problem uses deviations of 0.09. One pilot run of
# the single layer got stuck; five seeds cannot say how often that happens.
#
# *Same samples.* Following {cite:t}`muhtar2026sparsity`, affine replacements
# are fitted and judged on the same text. With few tokens that flatters them.

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
# random walk's relative steps lie in the first fifth of the way.
# ```
#
# **2.** Why must words be given with learned positions here, and not with
# rotary ones alone? Think of the word $aa$.
#
# ```{admonition} Answer
# :class: dropdown
# Rotary positions act on the scores of attention only. If all tokens so far are
# equal, every value is equal, so any weights give the same average: the model
# sees $aa$ exactly as it sees $a$. Set `positions="rope"` in
# `measure_task_model`: accuracy on two elements stops at 31/36, the share of
# pairs for which this does no harm.
# ```
#
# **3.** A model has $k$ layers whose place matters and any number of others
# that can be swapped freely. How does the mean permutation score fall with
# depth?
#
# ```{admonition} Answer
# :class: dropdown
# Of the $L(L-1)/2$ pairs, $k(L-k) + k(k-1)/2$ touch a special layer. Their
# share is about $2k/L$, so the mean falls as $1/L$: exponent 1. A larger
# exponent means that even the special layers' swaps cost less in deeper models.
# ```

# %% [markdown]
# ## End matter
#
# **Differences from the papers.** Eight layers of width 64 on characters, not
# Llama, Qwen or 130M to 7B models on web text. GELU where LLaMA has SwiGLU.
# Ratios of means where {cite:t}`csordas2025depth` take the largest ratio over
# tokens, in the skip matrix; change of the output, or loss, where
# {cite:t}`sun2025curse` take benchmark scores, in removal. Weights in single
# precision, where the first study loads them in eight bits. The wide layer
# keeps the model's width, as in {cite:t}`brown2022wide`, but decodes words
# instead of classifying text.
#
# **What was easy.** Everything that holds untrained. **What was hard.** To find
# a null for each measurement. Growth, contributions, removal, skips and lens
# all treat early and late layers differently before any training. Two claims
# of a first version, the growth gap and the removal of layers, would have been
# confirmed by untrained models; they are now a finding and a difference.
#
# **Compute and larger runs.** The provenance below lists seconds per section.
# The `gpu` profile repeats all measurements with 24 layers of width 256 and ten
# seeds: `scaling run depth --profile gpu`. It goes on where it stopped, and
# stops cleanly after `SCALING_TIME_LIMIT` seconds.
#
# **References.** {cite:t}`csordas2025depth`, {cite:t}`sun2025curse`,
# {cite:t}`muhtar2026sparsity`, {cite:t}`kim2025periln`,
# {cite:t}`liu2023transformers` and {cite:t}`brown2022wide` for the claims,
# {cite:t}`gromov2025unreasonable` for pruned layers,
# {cite:t}`nostalgebraist2020logit` for the lens; all in the
# [bibliography](../references.md).

# %% tags=["remove-input"]
chapter.finish()
