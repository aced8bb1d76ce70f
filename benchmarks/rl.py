"""Reinforcement learning with a verifier: what a step costs, beside a floor and a peer.

    python benchmarks/rl.py --json
    python benchmarks/rl.py --quick            # without the whole runs
    python benchmarks/rl.py --device cuda      # seeds as one, against one after another

Sums of two digits, 32 prompts x 8 answers, 6 + 6 tokens, two layers; processor time of
one thread, the best of rounds that alternate.

stages: milliseconds of decoding (rollout), of looking answers up and all other
    bookkeeping (verify), and of the update; floor: the products of the weight matrices
    alone. Goal: verify at most 5 % of a step.
rollout: thousands of answer tokens a second, in the shape of GPT-2, against
    transformers' generate of the same weights and function (top_k = 0, no dropout, the
    mask passed), the better of whole batch and slices. Goal: 1.25 times.
run: seconds of a whole run, 400 steps of pre-training and 150 of GRPO, and what it
    reaches (pass@1 and the share of the commonest format, 4,000 held-out answers),
    with true rewards and with permuted ones. Goal: 3 to 8.5 seconds on a quiet core.
seeds (GPU): wall seconds of a step and seed. Goal: half of one after another.
"""

import argparse
import copy
import json
import os
import time
from dataclasses import replace

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from timing import fastest

from scaling_core.data.arithmetic import Addition
from scaling_core.models.generation import generate
from scaling_core.models.hub import from_transformers
from scaling_core.models.transformer import Transformer, TransformerConfig
from scaling_core.rl.loop import train_policy
from scaling_core.rl.many import train_policies
from scaling_core.rl.metrics import format_shares
from scaling_core.rl.policy import Policy, answers_loss, batches, rewarded
from scaling_core.rl.samples import (
    draw_generator,
    questions_at,
    sample_answers,
    verified,
)
from scaling_core.training.loop import Training, labelled_loss, make_adamw, train

WIDTHS = (16, 24, 32, 48)
LAYERS, PROMPT, ANSWER, VOCAB = 2, 6, 6, 16
POLICY = Policy()
ROWS = POLICY.prompts * POLICY.group
WARM = Training(400, 3e-3, warmup=0.125, floor=0.0)
GRPO = Training(150, 4e-4, schedule="constant", warmup=0.0, weight_decay=0.0)
GOALS = {"verify_share": 0.05, "over_peer": 1.25, "run_seconds": (3.0, 8.5)}


def make(width: int, seed: int = 0, **changes) -> Transformer:
    config = TransformerConfig(
        d_model=width,
        n_layers=LAYERS,
        n_heads=max(1, width // 32),
        d_vocab=VOCAB,
        n_ctx=PROMPT + ANSWER,
        positions="learned",
        init_std=0.1,
    )
    config = replace(config, **changes)
    return Transformer(config, generator=torch.Generator().manual_seed(seed))


def products(width: int, rows: int, backward: bool):
    """Return a task: y = xWᵀ of every matrix, with dx = gW and dW = gᵀx if asked."""
    shapes = [
        (width, 3 * width),
        (width, width),
        (width, 4 * width),
        (4 * width, width),
    ]
    operands = [
        (torch.randn(rows, i), torch.randn(o, i), torch.randn(rows, o))
        for i, o in [*shapes * LAYERS, (width, VOCAB)]
    ]

    def task():
        for x, W, g in operands:
            x @ W.T
            if backward:
                g @ W, g.T @ x

    return task


def stages(width: int, rounds: int) -> dict:
    """Time the parts of a step in which every group counts."""
    task, model = Addition(), make(width)
    policy = replace(POLICY, drop_flat=False)
    optimizer = make_adamw(model, GRPO)
    draw = torch.Generator().manual_seed(1)
    question_B = task.train[: policy.prompts].repeat_interleave(policy.group)
    prompt_BP = task.prompt(question_B)
    samples = sample_answers(
        model, task, task.train[: policy.prompts], policy.group, generator=draw
    )
    advantage_B, kept_P = rewarded(samples, policy)
    (batch,) = batches(model, samples, advantage_B, kept_P, policy)

    def verify():
        questions_at(task.train, 5, policy.prompts)
        draw_generator("cpu", 0, 0, 5)
        found = verified(task, question_B, samples.tokens_BT, policy.group)
        format_shares(found.format_B.numpy())
        batches(model, found, *rewarded(found, policy), policy)

    def update():
        answers_loss(model, batch, policy, PROMPT)[0].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    first, later = (products(width, ROWS * n, False) for n in (PROMPT, 1))
    whole = products(width, ROWS * (PROMPT + ANSWER - 1), True)
    seconds = fastest(
        {
            "rollout": lambda: generate(model, prompt_BP, ANSWER, generator=draw),
            "verify": verify,
            "update": update,
            "rollout_floor": lambda: (first(), [later() for _ in range(ANSWER - 1)]),
            "update_floor": whole,
        },
        rounds,
    )
    step = seconds["rollout"] + seconds["verify"] + seconds["update"]
    row = {f"{name}_ms": round(1e3 * s, 2) for name, s in seconds.items()}
    share = round(seconds["verify"] / step, 4)
    return dict(width=width, step_ms=round(1e3 * step, 1), **row, verify_share=share)


def rollout(width: int, rounds: int) -> dict:
    """Compare decoding with transformers' generate, the same weights."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCAB,
        n_positions=PROMPT + ANSWER,
        n_embd=width,
        n_layer=LAYERS,
        n_head=max(1, width // 32),
        activation_function="gelu",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=None,
        eos_token_id=None,
    )
    peer = GPT2LMHeadModel(config).eval()
    ours = from_transformers(peer)
    prompt = Addition().prompt(Addition().train[:ROWS])
    draw = torch.Generator().manual_seed(1)
    tasks = {"ours": lambda: generate(ours, prompt, ANSWER, generator=draw)}
    for rows in (ROWS, ROWS // 4):

        def task(rows=rows):
            for part in prompt.split(rows):
                peer.generate(
                    part,
                    attention_mask=torch.ones_like(part),
                    max_new_tokens=ANSWER,
                    do_sample=True,
                    top_k=0,
                    pad_token_id=0,
                )

        tasks[rows] = task
    seconds = fastest(tasks, rounds)
    best = min(seconds[ROWS], seconds[ROWS // 4])
    with torch.no_grad():
        expected = peer(prompt).logits
        gap = (ours(prompt) - expected).abs().max() / expected.abs().max()
    return dict(
        width=width,
        ours=round(ROWS * ANSWER / seconds["ours"] / 1e3, 1),
        peer=round(ROWS * ANSWER / best / 1e3, 1),
        over_peer=round(best / seconds["ours"], 2),
        logit_difference=float(gap),
    )


def reached(model: Transformer, task: Addition) -> dict:
    draw = torch.Generator().manual_seed(9)
    found = sample_answers(model, task, task.test, 8, generator=draw)
    shares = format_shares(found.format_B.numpy())[:-1]
    return dict(
        pass_one=round(found.pass_one, 3), commonest=round(float(shares.max()), 3)
    )


def whole_run(width: int, seed: int = 0) -> dict:
    """Pre-train, then GRPO with true and with permuted rewards from the same start."""
    task, model = Addition(seed=seed), make(width, seed)
    start = time.process_time()
    train(model, task.batch_at, WARM, loss=labelled_loss)
    warm = time.process_time() - start
    row = dict(width=width, seed=seed, warm_seconds=round(warm, 2))
    row["start"] = reached(model, task)
    for name, permuted in (("true", False), ("permuted", True)):
        policy = replace(POLICY, seed=seed, permuted=permuted)
        student, start = copy.deepcopy(model), time.process_time()
        train_policy(student, task, GRPO, policy)
        took = time.process_time() - start
        row[name] = reached(student, task) | dict(seconds=round(took, 2))
        if not permuted:
            row["run_seconds"] = round(warm + took, 2)
    return row


def seeds_as_one(
    device: str, width: int = 64, count: int = 10, steps: int = 20
) -> dict:
    """Compare seeds trained as one with a seed alone, wall seconds a step and seed."""
    task, training = Addition(), replace(GRPO, steps=steps)
    models = [make(width, seed).to(device) for seed in range(count)]
    policies = [replace(POLICY, seed=seed) for seed in range(count)]
    took = {}
    for name in ("warm-up", "as one", "alone"):
        start = time.perf_counter()
        if name == "alone":
            train_policy(models[0], task, training, policies[0])
        else:
            train_policies(models, task, training, policies)
        if device != "cpu":
            torch.cuda.synchronize()
        took[name] = time.perf_counter() - start
    one, alone = took["as one"] / steps / count, took["alone"] / steps
    return dict(
        device=device,
        width=width,
        seeds=count,
        as_one_ms=round(1e3 * one, 2),
        alone_ms=round(1e3 * alone, 2),
        over_alone=round(alone / one, 2),
        goal=2.0,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--quick", action="store_true", help="leave the runs out")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--widths", type=int, nargs="+", default=WIDTHS)
    parser.add_argument("--device", default="cpu", help="cuda: seeds as one, no more")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.device != "cpu":
        report = {"seeds": [seeds_as_one(options.device)]}
    else:
        report = {
            "stages": [stages(width, options.rounds) for width in options.widths],
            "rollout": [rollout(width, options.rounds) for width in options.widths],
        }
        if not options.quick:
            report["run"] = [whole_run(width) for width in options.widths]
    if options.json:
        print(json.dumps({"benchmark": "rl", "goals": GOALS, **report}, indent=1))
        return
    for name, rows in report.items():
        print(f"{name}:")
        for row in rows:
            cells = (f"{key} {value}" for key, value in row.items())
            print("  " + ", ".join(cells))


if __name__ == "__main__":
    main()
