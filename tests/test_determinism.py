"""Equal seeds give equal numbers, and another processor the same verdicts.

Chapters are run at smoke in copies of the book that hold no results. The second time,
Python's hash seed and torch's global generator are others, so that a number that hangs on
the order of a set, or on a draw without a generator, shows. Times are left out. At smoke
one run a claim makes no interval, so the claims that have a verdict are exact values,
re-fits and identities.
"""

import functools
import json
import os
import shutil
from pathlib import Path

import pytest

from scaling_book.chapters import built_record, list_chapters
from scaling_book.claims import load_ledger
from scaling_book.curves import curves_path
from scaling_book.ledger import judge_record
from scaling_book.records import read_record
from scaling_book.runner import run_chapters

from .faults import often

ROOT = Path(__file__).parents[1]
LEDGER = load_ledger(ROOT)
CHEAP = ["four-regimes"]
ALL = [chapter.slug for chapter in list_chapters(ROOT)]
UNLIKE = "import torch\ntorch.manual_seed(7)\n"  # at the start of every Python
OTHER = {  # older kernels of torch, MKL and OpenBLAS, and two threads
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "OPENBLAS_CORETYPE": "Haswell",
    "OMP_NUM_THREADS": "2",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return what runs chapters from nothing, once a setting, and gives the book."""

    @functools.cache
    def run(setting: str, times: int) -> Path:
        folder = tmp_path_factory.mktemp(setting)
        ignored = shutil.ignore_patterns(".*", "build", "_build", "__pycache__")
        book = Path(shutil.copytree(ROOT, folder / "book", ignore=ignored))
        environment = {"SCALING_DATA": str(folder / "none")}
        if setting == "other":
            environment |= OTHER
        if setting == "again":
            (folder / "sitecustomize.py").write_text(UNLIKE)
            paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
            environment |= {"PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "7"}
        outcomes = run_chapters(
            book,
            CHEAP if times == 1 else ALL,
            profile="smoke",
            jobs=2,
            environment=environment,
        )
        assert [o.message for o in outcomes if o.status != "executed"] == []
        assert len(outcomes) == times, "the count of chapters in tests/faults.py"
        return book

    return run


def records(book: Path) -> dict[str, dict]:
    folder = built_record(book, "smoke", "any").parent
    return {path.stem: read_record(path) for path in sorted(folder.glob("*.json"))}


def numbers(book: Path) -> dict[str, str]:
    """Return id -> what was recorded, as text: equal texts are equal bits."""
    times = {claim.id for claims in LEDGER.values() for claim in claims if claim.timing}
    found = {}
    for slug, record in records(book).items():
        found |= {i: json.dumps(entry) for i, entry in record["values"].items()}
        curves = curves_path(built_record(book, "smoke", slug))
        found |= {f"{slug}: curves": curves.read_text()} if curves.is_file() else {}
    return {i: text for i, text in found.items() if i not in times}


def verdicts(book: Path) -> dict[str, str]:
    """Return id -> verdict, as render judges."""
    rows = [
        judge_record(LEDGER[slug], record) for slug, record in records(book).items()
    ]
    return {r.claim.id: r.verdict.word for group in rows for r in group}


def differences(here: dict[str, str], there: dict[str, str]) -> dict:
    ids = sorted(here.keys() | there.keys())
    return {i: (here.get(i), there.get(i)) for i in ids if here.get(i) != there.get(i)}


@often("a chapter is run a second time, from nothing")
def test_a_second_run_gives_every_number_bit_for_bit(run, times):
    once, again = numbers(run("once", times)), numbers(run("again", times))
    assert len(once) >= 10 * times
    assert differences(once, again) == {}


@often("another processor, and two threads")
def test_every_verdict_is_that_of_another_processor(run, times):
    judged = verdicts(run("once", times))
    assert set(judged.values()) >= {"reproduced", "holds"}
    assert differences(judged, verdicts(run("other", times))) == {}
