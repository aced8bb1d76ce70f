"""What a run cost: seconds, memory, and the training that it found done already.

A record keeps it with its provenance; progress and the table of costs read it there.
"""

import contextlib
import os
import platform
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scaling_book.chapters import ChapterFile, built_record
from scaling_book.errors import FileError
from scaling_book.reading import read_json, read_yaml
from scaling_core.base.codehash import module_hash
from scaling_core.base.inputs import hash_input


def cost(root: Path, slug: str, profile: str, device: str, start: float) -> dict:
    """Return what this process and those that it waited for have used.

    ``cpu_seconds`` of all of them, ``memory_mb`` of the largest (its peak), on a GPU
    ``gpu_memory_mb``, and ``stored_seconds``: of training that earlier runs had done
    (before ``start``, as ``time.time()``) and that this one took from its stores.
    """
    used = os.times()
    cpu = used.user + used.system + used.children_user + used.children_system
    found: dict = {"cpu_seconds": round(cpu, 1)}
    with contextlib.suppress(ImportError):  # Windows lacks it
        import resource

        who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        peak = max(resource.getrusage(w).ru_maxrss for w in who)
        unit = 2**20 if platform.system() == "Darwin" else 2**10
        found["memory_mb"] = round(peak / unit)
    if device == "cuda":
        import torch

        found["gpu_memory_mb"] = round(torch.cuda.max_memory_allocated() / 2**20)
    stored = stored_seconds(root, slug, profile, before=start)
    return found | {"stored_seconds": round(stored, 1)}


def stores(root: Path, slug: str, profile: str) -> list[Path]:
    """Return the stores of a chapter's sweeps under today's lock and Python.

    They lie where ``Chapter.store`` puts them.
    """
    lock = hash_input(root / "constraints.txt") or "unlocked"
    python = ".".join(platform.python_version_tuple()[:2])
    folder = root / "build" / "stores" / f"{lock[:8]}-py{python}" / profile / slug
    return sorted(folder.glob("*.sqlite"))


def rows_of(store: Path, query: str) -> list[tuple]:
    """Return what a query finds in a store that others may be writing; [] if it cannot.

    >>> rows_of(Path("absent.sqlite"), "SELECT 1")
    []
    """
    try:
        address = f"{store.resolve().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, 0.5, uri=True)) as db:
            return db.execute(query).fetchall()
    except sqlite3.Error:
        return []


def stored_seconds(
    root: Path, slug: str, profile: str, *, before: float | None = None
) -> float:
    """Return the seconds of finished training that today's code finds in the stores."""
    before = time.time() if before is None else before
    query = (
        "SELECT fn, sum(seconds) FROM runs WHERE status = 'done' "
        f"AND heartbeat < {before!r} GROUP BY fn"
    )
    return sum(
        seconds
        for store in stores(root, slug, profile)
        for fn, seconds in rows_of(store, query)
        if seconds and _of_today(fn)
    )


def _of_today(fn: str) -> bool:
    """Tell whether ``module:name@hash`` is of the code that stands on disk."""
    module = fn.partition(":")[0]
    with contextlib.suppress(ModuleNotFoundError):
        return fn.endswith(f"@{module_hash(module)}")
    return False


def full_seconds(record: dict) -> tuple[float, bool]:
    """Return what a run takes from nothing, and whether that is only a lower bound.

    Records made before costs were kept do not say what they took from stores.
    """
    made = record["provenance"]
    stored = made.get("cost", {}).get("stored_seconds")
    return made["total_seconds"] + (stored or 0.0), stored is None


@dataclass(frozen=True)
class Expected:
    """How long a run may take; ``at_least`` where records do not tell all of it."""

    seconds: float
    at_least: bool


def expected(root: Path, chapter: ChapterFile, profile: str) -> Expected | None:
    """Return how long a run of a chapter may take here, as far as records tell.

    The last run of this tree says so, else the reference, else (at cpu, where neither
    tells all) the ``minutes`` of ``data/chapters.yml``. What lies in the stores is not
    trained again. None where nothing is known.
    """
    planned = _planned_seconds(root, chapter.slug) if profile == "cpu" else None
    built = built_record(root, profile, chapter.slug)
    for path in (built, *references(root, chapter, profile)):
        if path.is_file():
            try:
                seconds, at_least = full_seconds(read_json(path))
            except (FileError, KeyError, TypeError, AttributeError):
                continue  # whoever needs its numbers says so
            if at_least and planned is None:
                return Expected(max(seconds, 1.0), True)
            planned = planned if at_least else seconds
            break
    if planned is None:
        return None
    saved = stored_seconds(root, chapter.slug, profile)
    return Expected(max(planned - saved, 1.0), False)


def _planned_seconds(root: Path, slug: str) -> float | None:
    """Return what people wrote down of a first run at cpu, if they did."""
    with contextlib.suppress(FileError, KeyError, TypeError):
        return 60.0 * read_yaml(root / "data" / "chapters.yml")[slug]["minutes"]
    return None


def references(root: Path, chapter: ChapterFile, profile: str) -> Iterator[Path]:
    """Yield where a committed run of a chapter at a profile may lie."""
    if profile == "smoke":
        yield root / "tests" / "reference" / f"{chapter.slug}.json"
    yield root / "data" / "results" / chapter.slug / f"{profile}.json"
