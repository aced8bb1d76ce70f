"""Render and judge: pages hold what the ledger says, and flips fail the build."""

import json
import shutil

import nbformat
import pytest

from scaling_book.accept import accept
from scaling_book.chapters import list_chapters
from scaling_book.errors import (
    AcceptError,
    RecordError,
    RecordMissing,
    RenderError,
)
from scaling_book.render import drifts, render

from .test_execute import scaling


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """One executed cpu build, copied for each test that changes it."""
    return tmp_path_factory.mktemp("built")


@pytest.fixture
def cpu_book(mini_book, built):
    """Return a miniature book executed at cpu."""
    stored = built / "build"
    if not stored.exists():
        done = scaling("run", "--jobs", "2", cwd=mini_book)
        assert done.returncode == 0, done.stdout + done.stderr
        shutil.copytree(mini_book / "build", stored)
    shutil.copytree(stored, mini_book / "build", dirs_exist_ok=True)
    return mini_book


def accepted(root, word):
    """Make the built record a reference that was accepted with this verdict."""
    record = json.loads((root / "build/records/cpu/first.json").read_text())
    record |= {"verdicts": {"first.slope": word}, "smoke": {}}
    path = root / "data/results/first/cpu.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record))


def test_page_holds_card_table_provenance_and_glue(cpu_book):
    rendered = render(cpu_book, "cpu", say=lambda line: None)
    page = (rendered.html / "book/chapters/01_first.html").read_text()
    chip = '<span aria-hidden="true">●</span> agrees'
    for piece in ("claim-card", "claims-table", 'class="provenance"', chip):
        assert piece in page
    assert "The mean is" in page and "the slope 1.020 ± 0.020, that of" in page
    second = (rendered.html / "book/chapters/02_second.html").read_text()
    assert "first chapter 1.020" in second.replace("\n", " ")
    assert "<!-- claims:" not in page and "fig-forest-first" in page
    assert (
        "All claims" in (rendered.html / "book/generated/all-claims.html").read_text()
    )
    assert "Of 2 claims: agrees 2." in (rendered.html / "index.html").read_text()


@pytest.fixture
def no_html(monkeypatch):
    """Fill the pages only: most tests need no HTML."""
    monkeypatch.setattr("scaling_book.render.build_html", lambda site, say: site)


@pytest.mark.usefixtures("no_html")
def test_setup_cell_is_pinned_to_the_commit_that_was_run(cpu_book):
    path = cpu_book / "build/records/cpu/first.json"
    record = json.loads(path.read_text())
    record["provenance"]["commit"] = "abc123"
    path.write_text(json.dumps(record))
    render(cpu_book, "cpu", say=lambda line: None)
    chapter = cpu_book / "book/chapters/01_first.ipynb"
    assert 'COMMIT = \\"abc123\\"' in chapter.read_text()


def test_flipped_verdict_fails_after_the_page_is_rendered(cpu_book):
    accepted(cpu_book, "disagrees")
    done = scaling("render", cwd=cpu_book)
    assert done.returncode == 1
    assert "FLIPPED: first.slope (cpu): accepted disagrees, got agrees" in done.stderr
    page = (cpu_book / "_build/html/book/chapters/01_first.html").read_text()
    assert "●" in page


def test_drift_is_listed_and_passes(cpu_book):
    accepted(cpu_book, "inconclusive")
    done = scaling("check", cwd=cpu_book)
    assert done.returncode == 0, done.stderr
    line = "drift: first.slope (cpu): accepted inconclusive, got agrees"
    assert line in done.stdout


@pytest.mark.parametrize("command", ["render", "check"])
def test_a_claim_changed_or_added_after_its_run_fails_the_book(cpu_book, command):
    path = cpu_book / "data/claims/first.yml"
    text = path.read_text()
    path.write_text(text.replace("band: [0.9, 1.1]", "band: [0.9, 1.2]"))
    done = scaling(command, cwd=cpu_book)
    assert done.returncode != 0
    assert "first.slope: its quantity, kind, band, null or interval" in done.stderr
    path.write_text(text + text.replace("claims:\n", "").replace(".slope", ".other"))
    done = scaling(command, cwd=cpu_book)
    assert done.returncode != 0 and "first.other: a claim of this" in done.stderr
    assert not (cpu_book / "_build").exists()


def test_check_judges_without_building(cpu_book):
    done = scaling("check", cwd=cpu_book)
    assert done.returncode == 0 and "● first.slope" in done.stdout
    assert not (cpu_book / "_build").exists()


def test_builder_warning_is_an_error_and_keeps_the_earlier_pages(cpu_book):
    render(cpu_book, "cpu", say=lambda line: None)
    index = cpu_book / "index.md"
    index.write_text(index.read_text() + "\n{ref}`nowhere`\n")
    with pytest.raises(RenderError, match="nowhere"):
        render(cpu_book, "cpu", say=lambda line: None)
    assert (cpu_book / "_build/html/index.html").is_file()


def test_missing_run_and_missing_placeholder_are_said(cpu_book):
    with pytest.raises(RenderError, match="scaling run first --profile smoke"):
        render(cpu_book, "smoke")
    path = cpu_book / "build/executed/cpu/01_first.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [c for c in notebook.cells if "claims:table" not in c.source]
    nbformat.write(notebook, path)
    with pytest.raises(RenderError, match="claims:table"):
        render(cpu_book, "cpu")


def test_accept_writes_reference_verdicts_and_history(cpu_book):
    claims = (cpu_book / "data/claims/first.yml").read_text()
    smoke = json.dumps(
        {
            "values": {"first.slope": {"runs": [1.0]}},
            "provenance": {"profile": "smoke"},
        }
    )
    (cpu_book / "tests/reference/first.json").write_text(smoke)
    done = scaling("accept", "first", cwd=cpu_book)
    assert done.returncode == 0, done.stderr
    assert (cpu_book / "data/claims/first.yml").read_text() == claims
    text = (cpu_book / "data/results/first/cpu.json").read_text()
    record = json.loads(text)
    assert record["provenance"]["profile"] == "cpu"
    assert record["verdicts"] == {"first.slope": "agrees"}
    assert record["smoke"] == {"first.slope": 1.0}
    assert '"runs": [ 1.0, 1.01' in text  # one row of numbers, one line
    history = (cpu_book / "data/results/history.csv").read_text().splitlines()
    assert len(history) == 2 and "first.slope" in history[1]
    assert history[1].endswith(",agrees") and history[1].count(",1.0") == 3


@pytest.mark.parametrize(
    "field, value, word",
    [
        ("dirty", True, "uncommitted"),
        ("profile", "smoke", "smoke"),
        ("parameters", {"scale": 2}, "parameters"),
        ("package", "0" * 64, "other code"),
    ],
)
def test_accept_refuses_what_is_not_a_clean_run(cpu_book, field, value, word):
    path = cpu_book / "build/records/cpu/first.json"
    record = json.loads(path.read_text())
    record["provenance"][field] = value
    path.write_text(json.dumps(record))
    with pytest.raises(AcceptError, match=word):
        accept(cpu_book, list_chapters(cpu_book)[0], "cpu")


def test_accept_refuses_another_profile_and_what_is_no_record(cpu_book, tmp_path):
    chapter = list_chapters(cpu_book)[0]
    path = cpu_book / "build/records/cpu/first.json"
    with pytest.raises(AcceptError, match="made at cpu; asked for gpu"):
        accept(cpu_book, chapter, "gpu", path)
    for text in ("{}", "not json", "[1]"):
        (tmp_path / "other.json").write_text(text)
        with pytest.raises(RecordError, match="not a record"):
            accept(cpu_book, chapter, "cpu", tmp_path / "other.json")
    with pytest.raises(RecordMissing, match="no record$"):
        accept(cpu_book, chapter, "cpu", tmp_path / "absent.json")


def test_accepting_twice_writes_history_once(cpu_book):
    chapter = list_chapters(cpu_book)[0]
    accept(cpu_book, chapter, "cpu")
    history = (cpu_book / "data/results/history.csv").read_text()
    accept(cpu_book, chapter, "cpu")
    assert (cpu_book / "data/results/history.csv").read_text() == history


@pytest.mark.usefixtures("no_html")
def test_absent_data_does_not_undo_an_accepted_verdict(cpu_book):
    accepted(cpu_book, "agrees")
    before = (cpu_book / "data/results/first/cpu.json").read_text()
    claims = cpu_book / "data/claims/first.yml"
    claims.write_text(claims.read_text() + "    needs: [table.csv]\n")
    path = cpu_book / "build/records/cpu/first.json"
    record = json.loads(path.read_text())
    record["values"]["first.slope"] = {"not_assessed": "needs table.csv"}
    path.write_text(json.dumps(record))
    with pytest.raises(AcceptError, match="table.csv"):
        accept(cpu_book, list_chapters(cpu_book)[0], "cpu")
    assert (cpu_book / "data/results/first/cpu.json").read_text() == before
    rendered = render(cpu_book, "cpu", say=lambda line: None)
    assert [line for line in drifts(rendered.rows) if "scaling fetch" in line]
