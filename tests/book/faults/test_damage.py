"""Damaged files and files of another form: one line each, and nothing else is lost."""

import json
import random

import pytest

from scaling_core.base.files import sha256_of_text
from tests.faults import often

from .conftest import call, contents, restore

FILES = (
    "data/claims/first.yml",
    "book/references.bib",
    "_toc.yml",
    "build/records/cpu/first.json",
    "build/records/cpu/first.curves.csv",
    "build/executed/cpu/01_first.ipynb",
    "build/executed/cpu/01_first.key.json",
    "data/results/first/cpu.json",
    "data/results/first/curves.csv",
    "data/results/history.csv",
    "tests/reference/first.json",
    "notebooks/01_first.py",
)
COMMANDS = (
    ("list",),
    ("check",),
    ("check", "--against", "data/results"),
    ("render",),
    ("run",),
    ("accept", "first"),
)
FORMS = (b"", b"[1, 2]", b"{}", b"null", b"7", b"[" * 50_000, b"a: [", b"\xff\xfe\xe9")
FOLDER = b"a folder of this name"
CURVES = "profile,curves,seed,step,y\ncpu,runs,100,0,0.5\n"


@pytest.fixture
def book(accepted):
    """A book with references that hold curves as well."""
    (accepted / "build/records/cpu/first.curves.csv").write_text(CURVES)
    path = accepted / "build/records/cpu/first.json"
    record = json.loads(path.read_text())
    record["provenance"]["curves"] = sha256_of_text(CURVES)
    path.write_text(json.dumps(record))
    assert call("accept", "first").code == 0
    return accepted


def damaged(content: bytes, rng: random.Random) -> bytes | None:
    """Return what is left of a file: a part, flipped bits, another form; None: nothing."""
    kind = rng.choice(("cut", "flip", "zero", "form", "words", "folder", "gone"))
    at = rng.randrange(max(len(content), 1))
    if kind == "flip" and content:
        flipped = content[at] ^ 1 << rng.randrange(8)
        return content[:at] + bytes([flipped]) + content[at + 1 :]
    if kind == "words":  # numbers become text: the wrong type
        return content.replace(b"1.0", b'"x"')
    other = {"zero": bytes(len(content)), "form": rng.choice(FORMS), "gone": None}
    return other.get(kind, FOLDER if kind == "folder" else content[:at])


@often("a file is damaged, or of another form")
def test_damage_is_one_line_and_nothing_else_is_lost(book, times):
    rng, before = random.Random(times), contents(book)
    for _ in range(times):
        name, words = rng.choice(FILES), rng.choice(COMMANDS)
        path, left = book / name, damaged(before[name], rng)
        path.unlink()
        if left == FOLDER:
            path.mkdir()
        elif left is not None:
            path.write_bytes(left)
        done = call(*words)
        assert done.code == 0 or done.is_one_clear_line(), (name, left, words, done.err)
        if done.code:
            for other, content in contents(book).items():
                if other != name and other.startswith("data/"):
                    assert content == before[other], (name, left, words)
        restore(book, before)


HISTORY, BIB = "data/results/history.csv", "book/references.bib"
KEY = "build/executed/cpu/01_first.key.json"


@pytest.mark.parametrize(
    "name, old, new, command, message",
    [
        (HISTORY, "low,high", "lo,high", "check", "a damaged history (not the columns"),
        (HISTORY, ",1.02,", ",inf,", "check", "a damaged history (inf is not finite)"),
        (HISTORY, ",agrees,", ",1,agrees,", "check", "a damaged history (not the col"),
        (KEY, None, "[1]", "check", "01_first.key.json: not a key of a run"),
        (BIB, "title", "titel", "render", "someone2020: lacks 'title'"),
        (BIB, "author", "autor", "render", "someone2020: lacks 'author'"),
        (BIB, "{A}", "{\\}", "render", "someone2020: 'latex' codec can't decode"),
    ],
)
def test_damage_that_is_still_a_table_or_an_entry(
    book, name, old, new, command, message
):
    path = book / name
    text = path.read_text()
    assert old is None or old in text
    path.write_text(new if old is None else text.replace(old, new))
    done = call(command)
    assert done.is_one_clear_line() and message in done.err, done
