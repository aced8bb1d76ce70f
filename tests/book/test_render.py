"""Render and judge: pages hold what the ledger says, and flips fail the build."""

import json
import shutil

import nbformat
import pytest

from scaling_book.accept import accept
from scaling_book.errors import (
    AcceptError,
    RecordError,
    RecordMissing,
    RenderError,
)
from scaling_book.execute import list_chapters
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


def set_band(root, slug, text):
    path = root / f"data/claims/{slug}.yml"
    path.write_text(path.read_text().replace("band: [0.9, 1.1]", text))


def test_page_holds_card_table_provenance_and_glue(cpu_book):
    rendered = render(cpu_book, "cpu", say=lambda line: None)
    page = (rendered.html / "book/chapters/01_first.html").read_text()
    chip = '<span aria-hidden="true">●</span> agrees'
    for piece in ("claim-card", "claims-table", 'class="provenance"', chip):
        assert piece in page
    assert "The mean is" in page and "1.02" in page
    assert "<!-- claims:" not in page and "fig-forest-first" in page
    assert (
        "All claims" in (rendered.html / "book/generated/all-claims.html").read_text()
    )
    assert "Of 2 claims: agrees 2." in (rendered.html / "index.html").read_text()


def test_setup_cell_is_pinned_to_the_commit_that_was_run(cpu_book):
    path = cpu_book / "build/records/cpu/first.json"
    record = json.loads(path.read_text())
    record["provenance"]["commit"] = "abc123"
    path.write_text(json.dumps(record))
    render(cpu_book, "cpu", say=lambda line: None)
    chapter = cpu_book / "book/chapters/01_first.ipynb"
    assert 'COMMIT = \\"abc123\\"' in chapter.read_text()


def test_planted_flip_fails_after_the_page_is_rendered(cpu_book):
    path = cpu_book / "data/claims/first.yml"
    text = path.read_text().replace("value: 1.0", "value: 2.0")
    path.write_text(text.replace("band: [0.9, 1.1]", "band: [1.5, 2.5]"))
    done = scaling("render", cwd=cpu_book)
    assert done.returncode == 1
    assert "FLIPPED: first.slope (cpu): expected agrees, got disagrees" in done.stderr
    page = (cpu_book / "_build/html/book/chapters/01_first.html").read_text()
    assert "✕" in page


def test_drift_is_listed_and_passes(cpu_book):
    set_band(cpu_book, "first", "band: [0.9, 1.03]")
    done = scaling("render", cwd=cpu_book)
    assert done.returncode == 0, done.stderr
    assert "drift: first.slope (cpu): expected agrees, got inconclusive" in done.stdout


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


def test_accept_writes_reference_expect_and_history(cpu_book):
    path = cpu_book / "data/claims/first.yml"
    path.write_text(path.read_text().replace("    expect: {cpu: agrees}\n", ""))
    done = scaling("accept", "first", cwd=cpu_book)
    assert done.returncode == 0, done.stderr
    assert "    expect: {cpu: agrees}\n" in path.read_text()
    record = json.loads((cpu_book / "data/results/first/cpu.json").read_text())
    assert record["provenance"]["profile"] == "cpu"
    history = (cpu_book / "data/results/history.csv").read_text().splitlines()
    assert len(history) == 2 and "first.slope" in history[1]


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


def test_absent_data_does_not_undo_an_accepted_verdict(cpu_book):
    claims = cpu_book / "data/claims/first.yml"
    claims.write_text(claims.read_text() + "    needs: [table.csv]\n")
    path = cpu_book / "build/records/cpu/first.json"
    record = json.loads(path.read_text())
    record["values"]["first.slope"] = {"not_assessed": "needs table.csv"}
    path.write_text(json.dumps(record))
    before = claims.read_text()
    with pytest.raises(AcceptError, match="table.csv"):
        accept(cpu_book, list_chapters(cpu_book)[0], "cpu")
    assert claims.read_text() == before
    rendered = render(cpu_book, "cpu", say=lambda line: None)
    assert [line for line in drifts(rendered.rows) if "scaling fetch" in line]


def test_reference_made_by_older_code_is_marked(cpu_book):
    record = json.loads((cpu_book / "build/records/cpu/first.json").read_text())
    record["provenance"] |= {"profile": "gpu", "package": "0" * 64}
    folder = cpu_book / "data/results/first"
    folder.mkdir(parents=True)
    (folder / "gpu.json").write_text(json.dumps(record))
    html = render(cpu_book, "cpu", say=lambda line: None).html
    page = (html / "book/chapters/01_first.html").read_text()
    assert "measured with older code" in page and "Reference (gpu)" in page
