"""The committed smoke runs belong to today's chapters, and hold what pages need."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from pybtex.database import parse_file

from scaling_book.chapters import list_chapters
from scaling_book.claims import bib_keys, load_ledger
from scaling_book.notebooks import convert, sources

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "tests" / "reference"
CHAPTERS = list_chapters(ROOT)
LEDGER = load_ledger(ROOT)
NOT_READ = re.compile(  # what a reader of the page need not read
    r"^(import|from) |\bplt\.|\b(glue|glue_all|record|record_values|sizes)\("
    r"|chapter\.(accepted_)?curves\(|interactive\.show\(",
    re.M,
)
SECTIONS = ("The claims", "Noise floor", "Where it breaks", "Exercises", "End matter")
UPDATE = "run `scaling run --profile smoke --update-reference`"


@pytest.fixture(params=CHAPTERS, ids=lambda chapter: chapter.slug)
def chapter(request):
    return request.param


def reference(chapter):
    return nbformat.read(FOLDER / f"{chapter.name}.ipynb", as_version=4)


def today(chapter):
    return convert(chapter.source.read_text(), chapter.name)


def test_reference_sources_equal_the_chapter(chapter):
    assert sources(reference(chapter)) == sources(today(chapter)), UPDATE


def test_reference_cells_are_folded_as_in_the_chapter(chapter):
    written = [(_tags(cell), _mystnb(cell)) for cell in today(chapter).cells]
    run = [(_tags(cell), _mystnb(cell)) for cell in reference(chapter).cells]
    assert [cell for cell in run if "injected-parameters" not in cell[0]] == written


def test_only_what_says_what_was_measured_stays_open(chapter):
    folded = {"hide-input", "remove-input", "remove-cell"}
    for cell in today(chapter).cells:
        if cell.cell_type == "code" and not folded & {*_tags(cell)}:
            assert not NOT_READ.search(cell.source), cell.source
        if "parameters" in _tags(cell):
            assert {"remove-input", "remove-cell"} & {*_tags(cell)}


def test_reference_record_is_smoke_and_complete(chapter):
    record = json.loads((FOLDER / f"{chapter.slug}.json").read_text())
    due = {c.id for c in LEDGER[chapter.slug] if c.assessed_in("smoke")}
    assert record["provenance"]["profile"] == "smoke"
    assert set(record["values"]) == due, UPDATE


def test_every_figure_cell_made_an_image(chapter):
    """A backend set from outside would make figures vanish without an error."""
    cells = [c for c in reference(chapter).cells if "figure" in _mystnb(c)]
    assert cells
    for cell in cells:
        assert any("image/png" in o.get("data", {}) for o in cell.outputs)


def test_every_figure_has_name_caption_and_alt_text(chapter):
    drawn = [c for c in reference(chapter).cells if c.cell_type == "code"]
    for cell in drawn:
        if any("image/png" in o.get("data", {}) for o in cell.outputs):
            assert _mystnb(cell).get("figure", {}).get("name"), cell.source[:60]
            assert _mystnb(cell)["figure"].get("caption")
            assert _mystnb(cell).get("image", {}).get("alt")


def test_code_cells_are_short_and_narrow(chapter):
    for cell in reference(chapter).cells:
        if cell.cell_type == "code":
            lines = cell.source.splitlines()
            assert len(lines) <= 30, cell.source[:60]
            assert max(map(len, lines), default=0) <= 80, cell.source


def test_chapter_has_the_sections_that_readers_look_for(chapter):
    """A noise floor, limits, and exercises with at least three folded answers."""
    text = "\n".join(c.source for c in today(chapter).cells)
    heads = re.findall(r"^## (.+)$", text, re.M)
    found = [h for h in heads if h.startswith(SECTIONS)]
    assert len(found) == len(SECTIONS), heads
    assert all(map(str.startswith, found, SECTIONS)), "in this order"
    assert "What would change our mind" in text
    exercises = text.split("\n## Exercises\n")[1].split("\n## ")[0]
    numbers = [int(n) for n in re.findall(r"^\*\*(\d+)\.\*\*", exercises, re.M)]
    folded = exercises.count("```{admonition} Answer\n:class: dropdown\n")
    assert len(numbers) >= 3 and folded == len(numbers)
    assert numbers == [*range(1, folded + 1)]
    assert text.count("\n```{margin}\n") >= 2


def test_every_claims_file_belongs_to_a_chapter_and_has_a_primary_claim():
    slugs = {chapter.slug for chapter in CHAPTERS}
    assert set(LEDGER) == slugs
    for slug, claims in LEDGER.items():
        assert 1 <= sum(c.primary for c in claims) <= 3, slug


def test_bibliography_is_whole():
    """A brace lost in a merge would make two entries one."""
    path = ROOT / "book" / "references.bib"
    assert set(parse_file(path).entries) == bib_keys(path)


def _tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def _mystnb(cell) -> dict:
    return cell.metadata.get("mystnb", {})
