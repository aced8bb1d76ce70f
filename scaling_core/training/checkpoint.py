"""Checkpoints of a model and its optimizer, as safetensors: no code runs on loading."""

import json
from pathlib import Path

import torch
from torch import Tensor, nn

from scaling_core.base.files import write_atomic


def save_checkpoint(
    path: str | Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    *,
    step: int = 0,
    run: str = "",
    extra: dict[str, Tensor] | None = None,
) -> Path:
    """Write weights, buffers and optimizer state; the file is whole or absent.

    Parameters
    ----------
    step, run
        Steps done, and what run this is: `load_checkpoint` compares it.
    extra
        More tensors to keep, such as the losses so far.
    """
    from safetensors.torch import save

    tensors = {f"model.{name}": value for name, value in _model_state(model).items()}
    for name, parameter in model.named_parameters():
        state = optimizer.state.get(parameter, {}) if optimizer else {}
        tensors |= {f"optimizer.{name}.{key}": value for key, value in state.items()}
    tensors |= {f"extra.{name}": value for name, value in (extra or {}).items()}
    tensors = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    return write_atomic(path, save(tensors, {"step": str(step), "run": run}))


@torch.no_grad()
def load_checkpoint(
    path: str | Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    *,
    run: str | None = None,
) -> tuple[int, dict[str, Tensor]]:
    """Fill model and optimizer from a checkpoint; return steps done and the extras.

    Raises
    ------
    ValueError
        If the file belongs to another run, or does not fit the model.
    """
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as file:
        head = file.metadata() or {}
        if run is not None and head.get("run") != run:
            raise ValueError(
                f"{path} was written by another run: it holds {head.get('run')}, "
                f"this run is {run}; delete the file or name another"
            )
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    _fill(model, _part(tensors, "model."), path)
    if optimizer is not None:
        _fill_optimizer(model, optimizer, _part(tensors, "optimizer."))
    return int(head.get("step", 0)), _part(tensors, "extra.")


def _model_state(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and persistent buffers, shared ones once, under their first name."""
    seen, state = set(), {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        if id(tensor) not in seen:
            seen.add(id(tensor))
            state[name] = tensor
    return state


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)
    }


def _fill(model: nn.Module, stored: dict[str, Tensor], path) -> None:
    wanted = _model_state(model)
    shapes = {name: list(t.shape) for name, t in wanted.items()}
    found = {name: list(t.shape) for name, t in stored.items()}
    if shapes != found:
        wrong = {k for k in shapes | found if shapes.get(k) != found.get(k)}
        lines = {k: (shapes.get(k), found.get(k)) for k in sorted(wrong)[:3]}
        raise ValueError(
            f"{path} does not fit the model; name: (model, file) {json.dumps(lines)}"
        )
    for name, tensor in wanted.items():
        tensor.copy_(stored[name])


def _fill_optimizer(model, optimizer, stored: dict[str, Tensor]) -> None:
    for name, parameter in model.named_parameters():
        state = _part(stored, f"{name}.")
        if not state:
            continue
        optimizer.state[parameter] = {
            key: value
            if key == "step" and not parameter.is_cuda
            else value.to(parameter.device)
            for key, value in state.items()
        }
