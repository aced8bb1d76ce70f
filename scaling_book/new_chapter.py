"""Lay down a new chapter that runs and builds at once: every file is an example."""

import keyword
import re
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from scaling_book.chapters import FOLDER, list_chapters
from scaling_book.claims import bib_keys
from scaling_core.base.errors import UsageError
from scaling_core.base.files import write_atomic

ENTRIES = "data/chapters.yml"
TEMPLATES = files("scaling_book") / "templates"


def new_chapter(root: Path, slug: str, *, paper: str, number: int = 0) -> list[Path]:
    """Write notebook, claims, study, test and toc line; return what was written.

    ``number`` orders the chapter's files, 0 for the next free one. ``paper`` is the
    key in ``book/references.bib`` of the paper that the first claim quotes.

    Raises
    ------
    UsageError
        On a malformed or taken slug, a taken number, or an unknown paper; nothing is
        written then.
    """
    package = slug.replace("-", "_")
    taken = [int(c.name.split("_")[0]) for c in list_chapters(root)]
    number = number or max(taken, default=0) + 1
    targets = {
        "notebook.txt": root / "notebooks" / f"{number:02d}_{slug}.py",
        "claims.txt": root / "data" / "claims" / f"{slug}.yml",
        "study.txt": root / "studies" / package / "measure.py",
        "study_test.txt": root / "tests" / "studies" / package / f"test_{package}.py",
    }
    _refuse(root, slug, number in taken, targets, paper)
    words = {"SLUG": slug, "PACKAGE": package, "PAPER": paper}
    written = [write_atomic(path, _filled(x, words)) for x, path in targets.items()]
    for folder in (targets["study.txt"].parent, targets["study_test.txt"].parent):
        for name in (folder.parent / "__init__.py", folder / "__init__.py"):
            if not name.is_file():
                written.append(write_atomic(name, ""))
    written.append(_add_entry(root / ENTRIES, words))
    written.append(_add_to_toc(root / "_toc.yml", f"{number:02d}_{slug}"))
    return written


def _refuse(root: Path, slug: str, taken: bool, targets: dict, paper: str) -> None:
    plain = re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", slug)
    if not plain or keyword.iskeyword(slug):
        raise UsageError(
            f"{slug!r} is not a slug; allowed: small letters, digits and single "
            "hyphens, as in residual-theory, and no word of Python's"
        )
    if slug in [c.slug for c in list_chapters(root)]:
        raise UsageError(f"_toc.yml lists a chapter {slug!r} already")
    if taken:
        raise UsageError("a chapter of this number exists; leave --number out")
    for path in [*targets.values(), *root.glob(f"notebooks/[0-9]*_{slug}.py")]:
        if path.exists():
            raise UsageError(f"{path.relative_to(root)} exists already")
    keys = bib_keys(root / "book" / "references.bib")
    if paper not in keys:
        near = sorted(key for key in keys if paper.lower() in key.lower())
        near = near or get_close_matches(paper, keys)
        hint = f" (is it {' or '.join(near)}?)" if near else ""
        raise UsageError(
            f"no paper {paper!r} in book/references.bib; add it first{hint}"
        )


def _filled(template: str, words: dict[str, str]) -> str:
    text = (TEMPLATES / template).read_text()
    return re.sub("@([A-Z]+)@", lambda found: words[found[1]], text)


def _add_entry(path: Path, words: dict[str, str]) -> Path:
    """Add what the landing page says of the chapter."""
    before = path.read_text() if path.is_file() else ""
    return write_atomic(path, before + _filled("entry.txt", words))


def _add_to_toc(path: Path, name: str) -> Path:
    """Add a chapter's line behind the last chapter of a lower name."""
    lines = path.read_text().splitlines(keepends=True)
    listed = [
        (i, found[1], found[2])
        for i, line in enumerate(lines)
        if (found := re.match(rf"(\s*- file: {FOLDER})(\S+)", line))
    ]
    if not listed:
        raise UsageError(f"{path.name} lists no chapter under {FOLDER}")
    number = int(name.split("_")[0])
    lower = [i for i, _, other in listed if int(other.split("_")[0]) < number]
    at = lower[-1] + 1 if lower else listed[0][0]
    lines.insert(at, f"{listed[0][1]}{name}\n")
    return write_atomic(path, "".join(lines))
