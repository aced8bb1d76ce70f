"""What a chapter's numbers depend on, as content hashes.

The *numbers key* holds the chapter's code, what it imports of studies and
``scaling_core``, the lock, the profile, Python and the data read; the *execution key*
that and ``scaling_book.api``. All else is rendered anew from what was executed: prose,
captions and comments of a chapter are put around its stored outputs.
"""

import re
import sys
from pathlib import Path
from typing import Literal

from scaling_book.chapters import ChapterFile, built_record, executed_path
from scaling_book.reading import read_json, read_notebook
from scaling_book.records import read_record, seal
from scaling_core.base.codehash import code_digest, source_hash
from scaling_core.base.errors import ForeseenError
from scaling_core.base.files import sha256_of_text
from scaling_core.base.inputs import hash_input, locate_named

State = Literal["fresh", "prose", "stale"]


def chapter_digest(source: str) -> str:
    """Return the hash of a chapter's code cells, in order; prose does not count.

    >>> chapter_digest("# %%\\nx = 1") == chapter_digest("# %%\\nx = 1  # one")
    True
    """
    parts = re.split(r"(?m)^# %%(.*)$", source)[1:]
    cells = zip(parts[::2], parts[1::2], strict=True)
    code = [text for head, text in cells if not re.match(r".*\[(markdown|raw)\]", head)]
    return sha256_of_text(" ".join(code_digest(text, cell=True) for text in code))


def code_key(root: Path, source: str) -> dict:
    """Return the hashes of what a chapter runs, as its record's provenance holds them."""
    return {
        "chapter": chapter_digest(source),
        "package": source_hash(source, root),
        "lock": hash_input(root / "constraints.txt"),
    }


def execution_key(
    root: Path, chapter: ChapterFile, profile: str, parameters: dict
) -> dict:
    """Return what is known before a run; the data it reads join after it.

    ``text`` is the chapter as it stands, for telling new prose from new code.
    """
    source = chapter.text
    return {
        **code_key(root, source),
        "profile": profile,
        "python": ".".join(map(str, sys.version_info[:2])),
        "parameters": parameters,
        "api": code_digest(_api(root).read_text()),
        "text": sha256_of_text(source),
    }


def _api(root: Path) -> Path:
    """Return the file that a chapter imports: the book's own, else ours."""
    own = root / "scaling_book" / "api.py"
    return own if own.is_file() else Path(__file__).with_name("api.py")


def key_file(root: Path, chapter: ChapterFile, profile: str) -> Path:
    """Return where the key of a chapter's last complete run lies."""
    return executed_path(root, profile, chapter.name).with_suffix(".key.json")


def state_of(root: Path, chapter: ChapterFile, profile: str, parameters: dict) -> State:
    """Tell whether the stored results belong to today's inputs.

    ``prose`` where they do and only the chapter's words, tags or comments changed. What
    is damaged, or was edited since, belongs to nothing.
    """
    stored = key_file(root, chapter, profile)
    notebook = executed_path(root, profile, chapter.name)
    record = built_record(root, profile, chapter.slug)
    if not (notebook.is_file() and record.is_file() and stored.is_file()):
        return "stale"
    try:
        key = dict(read_json(stored))
        inputs, sealed = dict(key.pop("inputs")), key.pop("seal", None)
        if sealed not in (None, seal(read_record(record))):
            return "stale"
        read_notebook(notebook)
    except (ForeseenError, TypeError, ValueError, KeyError):
        return "stale"
    now = {name: hash_input(locate_named(name, root)) for name in inputs}
    today = execution_key(root, chapter, profile, parameters)
    if key == today and inputs == now:
        return "fresh"
    same = key | {"text": today["text"]} == today and inputs == now
    return "prose" if same else "stale"


def made_by_other_code(record: dict, chapter: ChapterFile) -> bool:
    """Tell whether what a record's numbers depend on has changed since.

    Optional data are left out: a record may come from a machine that holds them.
    """
    root, made = chapter.source.parents[1], record["provenance"]
    today = code_key(root, chapter.text)
    tables = {k: v for k, v in made["inputs"].items() if not k.startswith("optional/")}
    now = {name: hash_input(root / name) for name in tables}
    return tables != now or {k: made.get(k) for k in today} != today
