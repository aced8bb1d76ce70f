"""Where a record's numbers come from: code, data, lock, machine, versions."""

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from scaling_book.cost import cost
from scaling_book.keys import code_key
from scaling_core.base.errors import UsageError
from scaling_core.base.inputs import name_input, noted_inputs

STARTED = time.time()  # when a chapter's process began, or soon after
# What must be committed for a record to be clean: all that its numbers depend on.
TRACKED = ("notebooks", "studies", "scaling_core", "data/published", "constraints.txt")


def provenance(root: Path, slug: str, profile: str, device: str) -> dict:
    """Return a run's provenance, less its times."""
    chapter = next(root.glob(f"notebooks/[0-9]*_{slug}.py"))
    return {
        "slug": slug,
        "profile": profile,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        **commit_of(root),
        **code_key(root, chapter.read_text()),
        "inputs": _relative_inputs(root),
        "device": _device_name(device),
        "threads": _threads(),
        "versions": _versions(),
        "cost": cost(root, slug, profile, device, STARTED),
    }


def commit_of(root: Path) -> dict:
    """Return commit and dirtiness; without git, the commit given by environment."""
    given = os.environ.get("SCALING_COMMIT")
    if given and not re.fullmatch("[0-9a-f]{40}", given):
        raise UsageError(
            f"SCALING_COMMIT takes the 40 digits of a commit, got {given!r}"
        )
    if given or not (root / ".git").exists():
        return {"commit": given or "unknown", "dirty": None}
    git = ["git", "-C", str(root)]
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
    status = [*git, "status", "--porcelain", "--", *TRACKED]
    changes = subprocess.run(status, capture_output=True, text=True).stdout
    return {"commit": head.stdout.strip() or "unknown", "dirty": bool(changes.strip())}


def _relative_inputs(root: Path) -> dict:
    named = {name_input(path, root): digest for path, digest in noted_inputs().items()}
    return dict(sorted(named.items()))


def _device_name(device: str) -> str:
    """Name the machine: a chapter at gpu may compute on its processor as well."""
    processor = f"{platform.machine()} CPU, {os.cpu_count()} cores"
    if device == "cuda":
        import torch

        return f"{torch.cuda.get_device_name()}; {processor}"
    return processor


def _threads() -> int | str:
    torch = sys.modules.get("torch")
    if torch is not None:
        return torch.get_num_threads()
    return os.environ.get("OMP_NUM_THREADS", "default")


def _versions() -> dict:
    versions = {"python": platform.python_version()}
    for name in ("numpy", "scipy", "pandas", "torch"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "absent"
    return versions
