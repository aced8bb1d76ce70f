"""Cost of training and sampling small transformers, against a floor and a peer.

    python benchmarks/transformer.py --json

CPU time, one thread, in thousands of tokens a second (more is better).
ours: the shape of GPT-2 (learned positions, LayerNorm, biases, tied, exact GELU) in
    our code; house: our default (rotary positions, RMSNorm, no biases).
peer: transformers' GPT-2, all dropouts 0, with our loop and optimizer, the better of
    whole batch and our micro-batches; sampling with top_k = 0 and the mask passed.
    As the library configures it (GELU by a tanh formula), and with exact GELU, when
    it computes the same function as ours: the largest difference of logits is given.
floor: the products of the weight matrices alone, forward and backward.
ensemble: 8 seeds of our model as one, against one after another, at few tokens a step.
"""

import argparse
import json
import os
from dataclasses import replace

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from timing import fastest

from scaling_core.models.config import Family
from scaling_core.models.generation import generate
from scaling_core.models.hub import from_transformers
from scaling_core.models.transformer import (
    Transformer,
    TransformerConfig,
)
from scaling_core.training.loop import (
    CPU_MICRO_TOKENS,
    Training,
    train,
)
from scaling_core.training.many import train_many

SHAPES = ((32, 2), (64, 2), (128, 4))
HEADS, VOCAB, CONTEXT = 4, 128, 64
BATCH, SEQUENCES, PROMPT, NEW = 128, 512, 12, 24
MICRO_ROWS = CPU_MICRO_TOKENS // CONTEXT
GOALS = {"training": (1.15, 1.1, 1.1), "sampling": (1.5, 1.3, 1.25)}  # over peer_gelu


def our_model(d_model: int, n_layers: int, house: bool) -> Transformer:
    config = TransformerConfig(
        d_model=d_model,
        n_layers=n_layers,
        n_heads=HEADS,
        d_vocab=VOCAB,
        n_ctx=CONTEXT,
    )
    if not house:
        gpt2 = Family(norm_kind="layer", bias="all", tied=True)
        config = replace(config, positions="learned", family=gpt2)
    return Transformer(config, generator=torch.Generator().manual_seed(0))


def peer_model(d_model: int, n_layers: int, activation: str):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCAB,
        n_positions=CONTEXT,
        n_embd=d_model,
        n_layer=n_layers,
        n_head=HEADS,
        activation_function=activation,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=None,
        eos_token_id=None,
    )
    return GPT2LMHeadModel(config)


def peer_loss(model, tokens_BT):
    logits = model(tokens_BT[:, :-1], use_cache=False).logits
    target = tokens_BT[:, 1:].flatten()
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), target)


def training_task(model, steps: int, micro_rows: int, **options):
    """Return a function that trains a few steps more."""
    draw = torch.Generator().manual_seed(1)
    batches = [
        torch.randint(VOCAB, (BATCH, CONTEXT + 1), generator=draw) for _ in range(steps)
    ]
    training = Training(steps=steps, micro_rows=micro_rows)
    return lambda: train(model, batches.__getitem__, training, **options)


def floor_seconds(d_model: int, n_layers: int, rounds: int) -> float:
    """Time y = xWᵀ, dx = gW and dW = gᵀx of every matrix, once per step."""
    shapes = [(d_model, 3 * d_model), (d_model, d_model), (d_model, 4 * d_model)]
    shapes = [*shapes, (4 * d_model, d_model)] * n_layers + [(d_model, VOCAB)]

    def run(rows: int):
        operands = [
            (torch.randn(rows, i), torch.randn(o, i), torch.randn(rows, o))
            for i, o in shapes
        ]

        def task():
            for _ in range(BATCH * CONTEXT // rows):
                for x, W, g in operands:
                    x @ W.T, g @ W, g.T @ x

        return task

    sizes = (CPU_MICRO_TOKENS, BATCH * CONTEXT)
    return min(fastest({rows: run(rows) for rows in sizes}, rounds).values())


def training_row(d_model: int, n_layers: int, steps: int, rounds: int) -> dict:
    tasks = {}
    for name, house in (("ours", False), ("house", True)):
        model = our_model(d_model, n_layers, house)
        tasks[name, "micro"] = training_task(model, steps, MICRO_ROWS)
    for activation in ("gelu_new", "gelu"):
        for label, rows in (("whole", 0), ("micro", MICRO_ROWS)):
            model = peer_model(d_model, n_layers, activation)
            task = training_task(model, steps, rows, loss=peer_loss)
            tasks[activation, label] = task
    seconds = {k: s / steps for k, s in fastest(tasks, rounds).items()}
    seconds["floor"] = floor_seconds(d_model, n_layers, rounds)
    return summary(seconds, BATCH * CONTEXT)


def sampling_row(d_model: int, n_layers: int, rounds: int) -> dict:
    draw = torch.Generator().manual_seed(2)
    prompt = torch.randint(VOCAB, (SEQUENCES, PROMPT), generator=draw)
    tasks = {}
    for name, house in (("ours", False), ("house", True)):
        model = our_model(d_model, n_layers, house)
        tasks[name, "slices"] = lambda model=model: generate(
            model, prompt, NEW, generator=draw
        )
    for activation in ("gelu_new", "gelu"):
        model = peer_model(d_model, n_layers, activation).eval()
        for label, rows in (("whole", SEQUENCES), ("slices", 128)):

            def task(model=model, rows=rows):
                for part in prompt.split(rows):
                    model.generate(
                        part,
                        attention_mask=torch.ones_like(part),
                        max_new_tokens=NEW,
                        do_sample=True,
                        top_k=0,
                        pad_token_id=0,
                    )

            tasks[activation, label] = task
    return summary(fastest(tasks, rounds), SEQUENCES * NEW)


def summary(seconds: dict, tokens: int) -> dict:
    """Return thousands of tokens a second, and ratios to the better peer."""

    def best(name):
        return min(s for key, s in seconds.items() if key[0] == name)

    names = {"ours": "ours", "house": "house", "peer": "gelu_new", "peer_gelu": "gelu"}
    row = {k: round(tokens / best(v) / 1e3, 1) for k, v in names.items()}
    row["over_peer"] = round(best("gelu_new") / best("ours"), 2)
    row["over_peer_gelu"] = round(best("gelu") / best("ours"), 2)
    if "floor" in seconds:
        row["share_of_floor"] = round(seconds["floor"] / best("ours"), 2)
    return row


def ensemble_row(d_model: int, n_layers: int, rows: int, rounds: int) -> dict:
    """Compare 8 models trained as one with 8 trained in turn, 32 tokens a sequence."""
    draw, steps, models = torch.Generator().manual_seed(3), 8, 8
    shape = (steps, models, rows, 33)
    tokens = torch.randint(VOCAB, shape, generator=draw)
    seeds = [our_model(d_model, n_layers, True) for _ in range(models)]
    training = Training(steps=steps)

    def in_turn():
        for g, model in enumerate(seeds):
            train(model, lambda step, g=g: tokens[step, g], training)

    tasks = {
        "in turn": in_turn,
        "as one": lambda: train_many(seeds, tokens.__getitem__, training),
    }
    seconds = fastest(tasks, rounds)
    ratio = round(seconds["in turn"] / seconds["as one"], 2)
    return dict(tokens_per_model_step=32 * rows, over_in_turn=ratio)


@torch.no_grad()
def logit_difference(d_model: int, n_layers: int) -> float:
    """Return the largest relative difference to the peer with the same weights."""
    peer = peer_model(d_model, n_layers, "gelu").eval()
    tokens = torch.arange(CONTEXT)[None] % VOCAB
    expected = peer(tokens).logits
    gap = from_transformers(peer)(tokens) - expected
    return float(gap.abs().max() / expected.abs().max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for i, (d_model, n_layers) in enumerate(SHAPES):
        shape = dict(d_model=d_model, n_layers=n_layers)
        steps = max(1, 512 // d_model // n_layers)
        measured = {
            "training": training_row(d_model, n_layers, steps, options.rounds),
            "sampling": sampling_row(d_model, n_layers, options.rounds),
        }
        for task, row in measured.items():
            rows.append(dict(task=task, **shape, goal=GOALS[task][i], **row))
        rows[-1]["logit_difference"] = logit_difference(d_model, n_layers)
    ensembles = [
        dict(d_model=d, n_layers=2, **ensemble_row(d, 2, rows, options.rounds))
        for d in (32, 64)
        for rows in (4, 8, 16)
    ]
    if options.json:
        unit = "thousand tokens per CPU second"
        report = {"benchmark": "transformer", "unit": unit, "rows": rows}
        report["ensembles"] = ensembles
        print(json.dumps(report, indent=1))
        return
    columns = ["ours", "house", "peer", "peer_gelu", "over_peer", "over_peer_gelu"]
    columns += ["goal", "share_of_floor"]
    print(f"{'task':>9} {'d':>4} {'L':>2}" + "".join(f"{c:>15}" for c in columns))
    for row in rows:
        cells = "".join(f"{row.get(c, ''):>15}" for c in columns)
        print(f"{row['task']:>9} {row['d_model']:>4} {row['n_layers']:>2}{cells}")
    print("8 seeds as one, over one after another:")
    for row in ensembles:
        tokens, ratio = row["tokens_per_model_step"], row["over_in_turn"]
        print(
            f"{row['d_model']:>14} {row['n_layers']:>2} {tokens:>6} tokens {ratio:>6}x"
        )


if __name__ == "__main__":
    main()
