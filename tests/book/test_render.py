"""Render and judge: pages hold what the ledger says, and flips fail the build."""

import csv
import json
import shutil
import subprocess

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

from .conftest import scaling


def accepted(root, word):
    """Make the built record a reference that was accepted with this verdict."""
    record = json.loads((root / "build/records/cpu/first.json").read_text())
    record |= {"verdicts": {"first.slope": word}, "smoke": {}}
    path = root / "data/results/first/cpu.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record))


def test_a_flip_fails_after_pages_with_cards_tables_and_numbers_are_built(executed):
    accepted(executed, "disagrees")
    done = scaling("render", cwd=executed)
    assert done.returncode == 1
    line = "FLIPPED: first.slope (cpu): accepted disagrees, got agrees"
    assert done.stderr.splitlines() == [line]
    html = executed / "_build/html"
    page = (html / "book/chapters/01_first.html").read_text()
    chip = '<span aria-hidden="true">●</span> agrees'
    for piece in ("claim-card", "claims-table", 'class="provenance"', chip):
        assert piece in page
    assert "The mean is" in page and "the slope 1.020 ± 0.020, that of" in page
    second = (html / "book/chapters/02_second.html").read_text()
    assert "first chapter 1.020" in second.replace("\n", " ")
    assert "<!-- claims:" not in page and "fig-forest-first" in page
    assert "All claims" in (html / "book/generated/all-claims.html").read_text()
    assert "is an exponent" in (html / "book/generated/exponents.html").read_text()
    index = (html / "index.html").read_text()
    assert "2 claims" in index and 'aria-label="2 agrees"' in index


@pytest.fixture
def no_html(monkeypatch):
    """Fill the pages only: most tests need no HTML."""
    monkeypatch.setattr("scaling_book.render.build_html", lambda site, say: site)


@pytest.mark.usefixtures("no_html")
def test_a_caption_quotes_a_claim(executed):
    path = executed / "build/executed/cpu/01_first.ipynb"
    notebook = nbformat.read(path, as_version=4)
    caption = {"caption": "Slope {claim:value}`first.slope`."}
    notebook.cells[-1].metadata["mystnb"] = {"figure": caption, "image": {"alt": "a"}}
    nbformat.write(notebook, path)
    render(executed, "cpu", say=lambda line: None)
    chapter = nbformat.read(executed / "book/chapters/01_first.ipynb", as_version=4)
    captions = [c.metadata.get("mystnb", {}).get("figure") for c in chapter.cells]
    assert any(x and x["caption"].startswith("Slope 1.020.") for x in captions)


@pytest.mark.usefixtures("no_html")
def test_a_glued_number_that_was_rounded_to_zero_has_no_sign(executed):
    path = executed / "build/executed/cpu/01_first.ipynb"
    notebook = path.read_text()
    assert "'1.02'" in notebook
    path.write_text(notebook.replace("'1.02'", "'-0.00'"))
    render(executed, "cpu", say=lambda line: None)
    page = (executed / "book/chapters/01_first.ipynb").read_text()
    assert "'0.00'" in page and "-0.00" not in page


@pytest.mark.usefixtures("no_html")
def test_a_chapter_can_be_shown_before_the_others_were_run(executed):
    """Those show their committed smoke run."""
    for name in ("records/cpu/second.json", "executed/cpu/02_second.ipynb"):
        (executed / "build" / name).unlink()
    with pytest.raises(RenderError, match="render SLUG"):
        render(executed, "cpu", say=lambda line: None)
    for name in ("records/smoke/second.json", "executed/smoke/02_second.ipynb"):
        shutil.copy(executed / "build" / name, executed / "tests/reference")
    rows = render(executed, "cpu", only=["first"], say=lambda line: None).rows
    assert [(row.claim.slug, row.profile) for row in rows] == [
        ("first", "cpu"),
        ("second", "smoke"),
    ]
    pages = executed / "book/chapters"
    assert "Ours (cpu)" in (pages / "01_first.ipynb").read_text()
    assert "Ours (smoke)" in (pages / "02_second.ipynb").read_text()
    done = scaling("render", "first", "--references", cwd=executed)
    assert done.returncode == 2 and "name none" in done.stderr


@pytest.mark.usefixtures("no_html")
def test_setup_cell_is_pinned_to_the_commit_that_was_run(executed):
    path = executed / "build/records/cpu/first.json"
    record = json.loads(path.read_text())
    record["provenance"]["commit"] = "abc123"
    path.write_text(json.dumps(record))
    render(executed, "cpu", say=lambda line: None)
    chapter = executed / "book/chapters/01_first.ipynb"
    assert 'COMMIT = \\"abc123\\"' in chapter.read_text()


def test_drift_is_listed_and_passes(executed):
    accepted(executed, "inconclusive")
    done = scaling("check", cwd=executed)
    assert done.returncode == 0, done.stderr
    line = "drift: first.slope (cpu): accepted inconclusive, got agrees"
    assert line in done.stdout


@pytest.mark.parametrize("command", ["render", "check"])
def test_a_claim_changed_or_added_after_its_run_fails_the_book(executed, command):
    path = executed / "data/claims/first.yml"
    text = path.read_text()
    path.write_text(text.replace("band: [0.9, 1.1]", "band: [0.9, 1.2]"))
    done = scaling(command, cwd=executed)
    assert done.returncode != 0
    assert "first.slope: its quantity, kind, band, null or interval" in done.stderr
    path.write_text(text + text.replace("claims:\n", "").replace(".slope", ".other"))
    done = scaling(command, cwd=executed)
    assert done.returncode != 0 and "first.other: a claim of this" in done.stderr
    assert not (executed / "_build").exists()


def test_check_judges_without_building(executed):
    done = scaling("check", cwd=executed)
    assert done.returncode == 0 and "● first.slope" in done.stdout
    assert not (executed / "_build").exists()


def test_builder_warning_is_an_error_and_keeps_the_earlier_pages(executed):
    page = executed / "_build/html/index.html"
    page.parent.mkdir(parents=True)
    page.write_text("earlier")
    index = executed / "index.md"
    index.write_text(index.read_text() + "\n{ref}`nowhere`\n")
    with pytest.raises(RenderError, match="nowhere"):
        render(executed, "cpu", say=lambda line: None)
    assert page.read_text() == "earlier"


def test_missing_run_and_missing_placeholder_are_said(executed):
    with pytest.raises(RenderError, match="scaling run first --profile gpu"):
        render(executed, "gpu")
    path = executed / "build/executed/cpu/01_first.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [c for c in notebook.cells if "claims:table" not in c.source]
    nbformat.write(notebook, path)
    with pytest.raises(RenderError, match="claims:table"):
        render(executed, "cpu")


def test_accept_writes_reference_verdicts_and_history(executed):
    claims = (executed / "data/claims/first.yml").read_text()
    smoke = (executed / "build/records/smoke/first.json").read_text()
    (executed / "tests/reference/first.json").write_text(smoke)
    done = scaling("accept", "first", cwd=executed)
    assert done.returncode == 0, done.stderr
    assert (executed / "data/claims/first.yml").read_text() == claims
    text = (executed / "data/results/first/cpu.json").read_text()
    record = json.loads(text)
    assert record["provenance"]["profile"] == "cpu"
    assert record["verdicts"] == {"first.slope": "agrees"}
    assert record["smoke"] == {"first.slope": 1.0}
    assert '"runs": [ 1.0, 1.01' in text  # one row of numbers, one line
    history = (executed / "data/results/history.csv").read_text().splitlines()
    assert len(history) == 2 and "first.slope" in history[1]
    assert history[1].count(",1.0") == 3
    device = record["provenance"]["device"]
    assert next(csv.reader(history[1:]))[-2:] == ["agrees", device]


@pytest.mark.parametrize(
    "field, value, word",
    [
        ("dirty", True, "uncommitted"),
        ("profile", "smoke", "smoke"),
        ("parameters", {"scale": 2}, "parameters"),
        ("package", "0" * 64, "other code"),
    ],
)
def test_accept_refuses_what_is_not_a_clean_run(executed, field, value, word):
    path = executed / "build/records/cpu/first.json"
    record = json.loads(path.read_text())
    record["provenance"][field] = value
    path.write_text(json.dumps(record))
    with pytest.raises(AcceptError, match=word):
        accept(executed, list_chapters(executed)[0], "cpu")


def test_a_run_before_its_commit_is_accepted_after_it(executed):
    """The record counts as made from the commit that holds its code; no other run."""

    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        done = subprocess.run(["git", *who, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    path = executed / "build/records/cpu/first.json"
    record = json.loads(path.read_text())
    record["provenance"]["dirty"] = True
    path.write_text(json.dumps(record))
    git("init", "-q")
    chapter = list_chapters(executed)[0]
    with pytest.raises(AcceptError, match="uncommitted"):
        accept(executed, chapter, "cpu")
    git("add", "notebooks", "constraints.txt")
    git("commit", "-q", "-m", "a")
    accept(executed, chapter, "cpu")
    head = git("rev-parse", "HEAD")
    for file in (path, executed / "data/results/first/cpu.json"):
        made = json.loads(file.read_text())["provenance"]
        assert (made["commit"], made["dirty"]) == (head, False)
    assert head in (executed / "data/results/history.csv").read_text()


def test_accept_refuses_another_profile_and_what_is_no_record(executed, tmp_path):
    chapter = list_chapters(executed)[0]
    path = executed / "build/records/cpu/first.json"
    with pytest.raises(AcceptError, match="made at cpu; asked for gpu"):
        accept(executed, chapter, "gpu", path)
    for text in ("{}", "not json", "[1]"):
        (tmp_path / "other.json").write_text(text)
        with pytest.raises(RecordError, match="other.json: no(t a record| JSON)"):
            accept(executed, chapter, "cpu", tmp_path / "other.json")
    with pytest.raises(RecordMissing, match="no record$"):
        accept(executed, chapter, "cpu", tmp_path / "absent.json")


def test_accepting_twice_writes_history_once(executed):
    chapter = list_chapters(executed)[0]
    accept(executed, chapter, "cpu")
    history = (executed / "data/results/history.csv").read_text()
    accept(executed, chapter, "cpu")
    assert (executed / "data/results/history.csv").read_text() == history


@pytest.mark.usefixtures("no_html")
def test_absent_data_does_not_undo_an_accepted_verdict(executed):
    accepted(executed, "agrees")
    before = (executed / "data/results/first/cpu.json").read_text()
    claims = executed / "data/claims/first.yml"
    claims.write_text(claims.read_text() + "    needs: [table.csv]\n")
    path = executed / "build/records/cpu/first.json"
    record = json.loads(path.read_text())
    record["values"]["first.slope"] = {"not_assessed": "needs table.csv"}
    path.write_text(json.dumps(record))
    (executed / "build/executed/cpu/01_first.key.json").unlink()
    with pytest.raises(AcceptError, match="table.csv"):
        accept(executed, list_chapters(executed)[0], "cpu")
    assert (executed / "data/results/first/cpu.json").read_text() == before
    rendered = render(executed, "cpu", say=lambda line: None)
    assert [line for line in drifts(rendered.rows) if "scaling fetch" in line]
