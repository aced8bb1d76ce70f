"""What runs cost: kept with the record, expected of the next run, shown on a page."""

import json
import sqlite3

import pytest
from bs4 import BeautifulSoup

from scaling_book.chapters import list_chapters
from scaling_book.cost import Expected, expected, full_seconds, stored_seconds, stores
from scaling_book.rerun_page import cost_page
from scaling_core.base.codehash import module_hash
from scaling_core.training.store import connect

from .test_ledger import RUNS, ledger, reference, run

MODULE = "scaling_core.base.slopes"


def write_store(root, *rows, name="a"):
    """Write a store of the first chapter: rows of (function, status, seconds, beat)."""
    from scaling_book.api import Chapter

    path = Chapter("first", profile="cpu").store(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with connect(path) as db:
        for i, row in enumerate(rows):
            columns = "key, config, fn, status, seconds, heartbeat"
            marks = "?, ?, ?, ?, ?, ?"
            db.execute(
                f"INSERT INTO runs ({columns}) VALUES ({marks})", (f"{i}", "{}", *row)
            )
    return path


def test_a_record_says_what_its_run_used(mini_book):
    run(mini_book)
    record = json.loads((mini_book / "build/records/cpu/first.json").read_text())
    used = record["provenance"]["cost"]
    assert used["cpu_seconds"] > 0.1 and used["memory_mb"] > 20
    assert used["stored_seconds"] == 0 and "gpu_memory_mb" not in used


def test_training_of_other_code_or_unfinished_is_no_saving(mini_book):
    today = f"{MODULE}:fit@{module_hash(MODULE)}"
    path = write_store(
        mini_book,
        (today, "done", 40.0, 100.0),
        (today, "done", 2.0, 300.0),
        (today, "failed", 500.0, 100.0),
        (today, "running", None, 100.0),
        (f"{MODULE}:fit@of-old", "done", 7000.0, 100.0),
        ("studies.gone:fit@of-old", "done", 7000.0, 100.0),
    )
    assert stores(mini_book, "first", "cpu") == [path]
    assert stored_seconds(mini_book, "first", "cpu") == 42
    assert stored_seconds(mini_book, "first", "cpu", before=200.0) == 40
    assert stored_seconds(mini_book, "second", "cpu") == 0
    path.write_text("no store")
    assert stored_seconds(mini_book, "first", "cpu") == 0


def test_a_run_is_expected_to_take_what_is_not_in_the_store(mini_book):
    chapter = list_chapters(mini_book)[0]
    notes = mini_book / "data/chapters.yml"
    notes.unlink()
    assert expected(mini_book, chapter, "cpu") is None
    run(mini_book)
    made = {"total_seconds": 100.0, "profile": "cpu", "device": "d", "date": "x"}
    reference(mini_book, "cpu", provenance=made)
    (mini_book / "build/records/cpu/first.json").unlink()
    assert expected(mini_book, chapter, "cpu") == Expected(100, True)
    write_store(mini_book, (f"{MODULE}:fit@{module_hash(MODULE)}", "done", 30, 1.0))
    assert expected(mini_book, chapter, "cpu") == Expected(100, True), (
        "not known to include it"
    )
    notes.write_text("first: {minutes: 3}\n")
    assert expected(mini_book, chapter, "cpu") == Expected(150, False)
    made["cost"] = {"stored_seconds": 20.0}
    reference_record = mini_book / "data/results/first/cpu.json"
    reference_record.write_text(json.dumps({"provenance": made}))
    assert expected(mini_book, chapter, "cpu") == Expected(90, False)
    assert full_seconds({"provenance": made}) == (120, False)


def test_the_page_has_a_row_for_each_chapter_and_profile(mini_book):
    run(mini_book, "smoke", [1.0])
    smoke = (mini_book / "build/records/smoke/first.json").read_text()
    (mini_book / "tests/reference/first.json").write_text(smoke)
    run(mini_book, runs=2 * RUNS)
    reference(mini_book, "gpu")
    path = mini_book / "data/results/first/gpu.json"
    record = json.loads(path.read_text())
    del record["provenance"]["cost"]
    record["provenance"] |= {"total_seconds": 754.0, "device": "<GPU>"}
    path.write_text(json.dumps(record))
    soup = BeautifulSoup(cost_page([ledger(mini_book)]), "html.parser")
    rows = [[c.get_text() for c in tr("td")] for tr in soup.select("tbody tr")]
    captions = [x.get_text()[:10] for x in soup("caption")]
    assert captions == ["Profile cp", "Profile sm", "Profile gp"]
    assert soup.a["href"] == "chapters/01_first.html"
    assert [row[3] for row in rows] == ["agrees 1", "judges nothing", "agrees 1"]
    assert rows[2][1:3] == ["≥ 13", "not recorded"] and rows[2][4].endswith("<GPU>")
    assert rows[0][2].endswith(" GB") and "shown here" in rows[0][4]
    other = ledger(mini_book)
    both = BeautifulSoup(cost_page([other, other]), "html.parser")
    total = [c.get_text() for c in both.tbody("tr")[-1]("td")]
    assert total[0] == "All, one by one" and total[2] == rows[0][2]


def test_a_store_is_read_while_others_write_it(mini_book):
    path = write_store(mini_book, (f"{MODULE}:f@{module_hash(MODULE)}", "done", 5, 1.0))
    with pytest.raises(sqlite3.OperationalError):
        sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True).execute(
            "DELETE FROM runs"
        )
    with connect(path) as db:
        db.execute("BEGIN IMMEDIATE")
        assert stored_seconds(mini_book, "first", "cpu") == 5
        db.execute("ROLLBACK")
