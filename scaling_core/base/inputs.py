"""Which data files a run has read: they are part of what its numbers depend on."""

import os
from pathlib import Path

from scaling_core.base.files import sha256_of

_noted: dict[str, str | None] = {}


def hash_input(path: str | Path) -> str | None:
    """Return a file's SHA-256, or None where there is no such file."""
    path = Path(path)
    return sha256_of(path) if path.is_file() else None


def note_input(path: str | Path) -> None:
    """Remember that this process read ``path``, or looked for it in vain."""
    _noted[str(Path(path).resolve())] = hash_input(path)


def noted_inputs() -> dict[str, str | None]:
    """Return what was noted so far: absolute path -> SHA-256 (None: absent)."""
    return dict(_noted)


def optional_folder() -> Path:
    """Return the folder of optional downloads: ``SCALING_DATA``, else a cache."""
    given = os.environ.get("SCALING_DATA")
    return Path(given).resolve() if given else Path.home() / ".cache" / "scaling-core"


def name_input(path: str | Path, root: Path) -> str:
    """Name an input without the machine's paths: within the book or ``optional/``."""
    path = Path(path)
    if path.is_relative_to(optional_folder()):
        return f"optional/{path.relative_to(optional_folder())}"
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def locate_named(name: str, root: Path) -> Path:
    """Return the path of an input that `name_input` named."""
    if name.startswith("optional/"):
        return optional_folder() / name.removeprefix("optional/")
    return root / name
