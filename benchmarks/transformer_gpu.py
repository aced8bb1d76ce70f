"""The transformer on a GPU: utilisation, seeds as one model, and sampling.

    python benchmarks/transformer_gpu.py --json
    python benchmarks/transformer_gpu.py --tiny --device cpu     (does it run at all)

utilisation: useful FLOP/s of training at d_model 1024, 12 layers, context 1024, bf16,
    compiled, over the device's peak (--peak, in TFLOP/s).
ensemble: 8 seeds of a small model as one, against one after another.
sampling: 4096 sequences, 12 + 24 tokens, against transformers' generate.
"""

import argparse
import json
import time

import torch

from scaling_core.models.generation import generate
from scaling_core.models.transformer import (
    Transformer,
    TransformerConfig,
    training_flops_per_token,
)
from scaling_core.training.loop import Training, train
from scaling_core.training.many import train_many

H200_BF16_TFLOPS = 989.0  # dense


def seconds(task, device: torch.device, rounds: int = 3) -> float:
    """Return the best wall time of a task, its work on the device finished."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        task()
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return best


def make(device: torch.device, seed: int = 0, **shape) -> Transformer:
    config = TransformerConfig(**shape)
    return Transformer(config, generator=torch.Generator().manual_seed(seed)).to(device)


def utilisation(device: torch.device, tiny: bool, peak: float) -> dict:
    width, layers, context, rows = (64, 2, 64, 4) if tiny else (1024, 12, 1024, 32)
    model = make(
        device,
        d_model=width,
        n_layers=layers,
        n_heads=max(1, width // 128),
        d_vocab=256 if tiny else 50_304,
        n_ctx=context,
    )
    tokens = torch.randint(256, (rows, context + 1), device=device)
    steps = 2 if tiny else 20
    training = Training(steps=steps, micro_rows=0, bf16=True, compile=not tiny)
    took = seconds(lambda: train(model, lambda _: tokens, training), device) / steps
    rate = rows * context / took
    share = rate * training_flops_per_token(model.config) / (peak * 1e12)
    return dict(tokens_per_second=round(rate), utilisation=round(share, 4), goal=0.45)


def ensemble(device: torch.device, tiny: bool) -> dict:
    models = [make(device, seed) for seed in range(2 if tiny else 8)]
    steps = 2 if tiny else 50
    tokens = torch.randint(128, (len(models), 16, 33), device=device)
    training = Training(steps=steps, micro_rows=0)

    def in_turn():
        for model, batch in zip(models, tokens, strict=True):
            train(model, lambda _, batch=batch: batch, training)

    turn = seconds(in_turn, device)
    one = seconds(lambda: train_many(models, lambda _: tokens, training), device)
    return dict(models=len(models), over_in_turn=round(turn / one, 2), goal=2.0)


def sampling(device: torch.device, tiny: bool) -> dict:
    from transformers import GPT2Config, GPT2LMHeadModel

    rows, d_model, n_layers = (8, 32, 2) if tiny else (4096, 128, 4)
    ours = make(device, d_model=d_model, n_layers=n_layers)
    config = GPT2Config(
        vocab_size=128,
        n_positions=64,
        n_embd=d_model,
        n_layer=n_layers,
        n_head=4,
        bos_token_id=None,
        eos_token_id=None,
    )
    peer = GPT2LMHeadModel(config).to(device).eval()
    prompt = torch.randint(128, (rows, 12), device=device)
    options = dict(max_new_tokens=24, do_sample=True, top_k=0, pad_token_id=0)
    mask = torch.ones_like(prompt)
    theirs = seconds(
        lambda: peer.generate(prompt, attention_mask=mask, **options), device
    )
    generator = torch.Generator(device=device).manual_seed(0)
    mine = seconds(lambda: generate(ours, prompt, 24, generator=generator), device)
    rate = round(rows * 24 / mine)
    return dict(tokens_per_second=rate, over_peer=round(theirs / mine, 2), goal=10.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print results as JSON")
    parser.add_argument("--tiny", action="store_true", help="smallest sizes")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--peak", type=float, default=H200_BF16_TFLOPS)
    options = parser.parse_args()
    device = torch.device(options.device)
    torch.set_float32_matmul_precision("high")
    results = {
        "utilisation": utilisation(device, options.tiny, options.peak),
        "ensemble": ensemble(device, options.tiny),
        "sampling": sampling(device, options.tiny),
    }
    if options.json:
        print(json.dumps({"benchmark": "transformer_gpu", **results}, indent=1))
        return
    for name, row in results.items():
        print(f"{name:>12}  " + "  ".join(f"{k} {v}" for k, v in row.items()))


if __name__ == "__main__":
    main()
