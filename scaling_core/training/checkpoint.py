"""Checkpoints of a model and its optimizer, as safetensors: no code runs on loading."""

import hashlib
import json
from dataclasses import is_dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from scaling_core.base.files import write_atomic
from scaling_core.training.settings import Training


def run_name(model, training: Training, *content) -> str:
    """Return what a run is: model, training, learning rates, and a hash of content.

    The content are the tensors that tell runs apart: first weights, a batch.
    """
    rates = [training.lr_at(step) for step in range(training.steps)]
    kind = getattr(model, "config", type(model).__name__)
    digest = hashlib.sha256()
    _feed(digest, (rates, content))
    return repr((kind, replace(training, schedule="constant"), digest.hexdigest()[:16]))


def _feed(digest, value) -> None:
    """Feed tensors, also inside of dicts, lists and dataclasses, to a hash."""
    if is_dataclass(value):
        value = vars(value)
    if isinstance(value, Tensor):
        digest.update(repr((value.shape, value.dtype)).encode())
        flat = value.detach().cpu().contiguous().view(-1)
        digest.update(flat.view(torch.uint8).numpy())
    elif isinstance(value, dict):
        _feed(digest, list(value.items()))
    elif isinstance(value, list | tuple):
        for inner in value:
            _feed(digest, inner)
    else:
        digest.update(repr(value).encode())


def save_tensors(
    path: str | Path, tensors: dict[str, Tensor], *, step: int = 0, run: str = ""
) -> Path:
    """Write tensors with the steps done and what run this is, whole or not at all.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_tensors(f"{folder}/a.safetensors", {"x": torch.ones(1)}, step=2)
    ...     load_tensors(path)
    (2, {'x': tensor([1.])})
    """
    from safetensors.torch import save

    tensors = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    return write_atomic(path, save(tensors, {"step": str(step), "run": run}))


def load_tensors(
    path: str | Path, *, run: str | None = None
) -> tuple[int, dict[str, Tensor]]:
    """Return the steps done and the tensors of a checkpoint.

    Raises
    ------
    ValueError
        If the file belongs to another run.
    """
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as file:
        head = file.metadata() or {}
        if run is not None and head.get("run") != run:
            raise ValueError(
                f"{path} was written by another run: it holds {head.get('run')}, "
                f"this run is {run} (with a hash of learning rates, first weights, "
                "loss and first batch); delete the file or name another"
            )
        names = file.keys()
        return int(head.get("step", 0)), {name: file.get_tensor(name) for name in names}


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

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_checkpoint(f"{folder}/a.safetensors", nn.Linear(1, 1), step=7)
    ...     load_checkpoint(path, nn.Linear(1, 1))[0]
    7
    """
    tensors = {f"model.{name}": value for name, value in _model_state(model).items()}
    for name, parameter in model.named_parameters():
        state = optimizer.state.get(parameter, {}) if optimizer else {}
        tensors |= {f"optimizer.{name}.{key}": value for key, value in state.items()}
    tensors |= {f"extra.{name}": value for name, value in (extra or {}).items()}
    return save_tensors(path, tensors, step=step, run=run)


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
    step, tensors = load_tensors(path, run=run)
    _fill(model, _part(tensors, "model."), path)
    if optimizer is not None:
        _fill_optimizer(model, optimizer, _part(tensors, "optimizer."))
    return step, _part(tensors, "extra.")


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
