"""The chapters that the table of contents names, and where their files lie."""

import re
from dataclasses import dataclass
from pathlib import Path

from scaling_book.reading import read_text, read_yaml
from scaling_core.base.errors import UsageError

FOLDER = "book/chapters/"
NAME = r"\d+_[a-z0-9]+(-[a-z0-9]+)*"


@dataclass(frozen=True)
class ChapterFile:
    """A chapter as the table of contents names it."""

    name: str
    slug: str
    source: Path

    @property
    def missing(self) -> bool:
        """Tell whether there is no notebook behind the line of ``_toc.yml``."""
        return not self.source.is_file()

    @property
    def text(self) -> str:
        """The notebook's source; a FileError names it where it is no text."""
        return read_text(self.source)

    @property
    def title(self) -> str:
        """The heading of the notebook (its slug where it has none)."""
        text = "" if self.missing else self.text
        found = re.search(r"^# # (.+)$", text, flags=re.MULTILINE)
        return found[1] if found else self.slug

    @property
    def missing_message(self) -> str:
        """What a command says of a chapter without a notebook."""
        return f"_toc.yml lists {self.name}, but notebooks/{self.name}.py is missing"


def list_chapters(root: Path) -> list[ChapterFile]:
    """Return the chapters in the order of ``_toc.yml``, the only list of them.

    Raises
    ------
    UsageError
        If the folder has no such file (it holds a ``_config.yml`` of something else), or
        one that is not a list of parts with chapters, named as our notebooks are.
    """
    path = root / "_toc.yml"
    if not path.is_file():
        raise UsageError(f"{root} is no book: it has a _config.yml, but no _toc.yml")
    toc = read_yaml(path, UsageError)
    try:
        files = [c["file"] for part in toc["parts"] for c in part["chapters"]]
        names = [f.removeprefix(FOLDER) for f in files if f.startswith(FOLDER)]
    except (TypeError, KeyError, AttributeError) as error:
        want = "expected parts:, each with chapters:, each with a file:"
        raise UsageError(f"{path}: {want} ({error!r})") from error
    for name in names:
        if not re.fullmatch(NAME, name):
            raise UsageError(
                f"{path}: {FOLDER}{name}: a chapter is named NN_slug, in small letters, "
                "digits and hyphens"
            )
    return [
        ChapterFile(n, re.sub(r"^\d+_", "", n), root / "notebooks" / f"{n}.py")
        for n in names
    ]


def pick_chapters(root: Path, slugs: list[str]) -> list[ChapterFile]:
    """Return the chapters with these slugs (all of them when none is named).

    Raises
    ------
    UsageError
        If the table of contents names no such chapter.
    """
    chapters = list_chapters(root)
    known = [c.slug for c in chapters]
    for slug in slugs:
        if slug not in known:
            raise UsageError(f"unknown chapter {slug!r}; allowed: {', '.join(known)}")
    return [c for c in chapters if not slugs or c.slug in slugs]


def executed_path(root: Path, profile: str, name: str) -> Path:
    """Return where the executed notebook of a chapter lies."""
    return root / "build" / "executed" / profile / f"{name}.ipynb"


def built_record(root: Path, profile: str, slug: str) -> Path:
    """Return where the record of a chapter's last complete run lies."""
    return root / "build" / "records" / profile / f"{slug}.json"
