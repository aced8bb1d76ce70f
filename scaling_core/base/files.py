"""Files: the book's root, content hashes, and writes that are whole or absent."""

import hashlib
import os
import tempfile
from pathlib import Path


class NotABookError(FileNotFoundError):
    """The working directory is not inside a book."""


def book_root(start: str | Path | None = None) -> Path:
    """Return the nearest ancestor of ``start`` (default: cwd) holding ``_config.yml``.

    Raises
    ------
    NotABookError
        If no ancestor is a book.
    """
    here = Path(start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "_config.yml").is_file():
            return folder
    raise NotABookError(
        f"{here} is not inside a book: no parent folder has a _config.yml; "
        "change into a clone of the book first"
    )


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hex digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_text(text: str) -> str:
    """Return the SHA-256 of a string's UTF-8 bytes.

    >>> sha256_of_text("")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(text.encode()).hexdigest()


def write_atomic(path: str | Path, data: str | bytes) -> Path:
    """Write ``data`` to ``path`` so that a reader sees the old file or the new one.

    The bytes go to a temporary file in the same folder, which is then renamed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    payload = data.encode() if isinstance(data, str) else data
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(payload)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    return path
