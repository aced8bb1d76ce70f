"""Pages about the whole book: claims, papers and history, as tables and as files."""

import csv
import json
from dataclasses import replace

import nbformat
import pytest
from bs4 import BeautifulSoup

from scaling_book import all_claims, measured, papers, tables
from scaling_book import history_page as history
from scaling_book.assets import classic_script
from scaling_book.chapters import list_chapters
from scaling_book.errors import RenderError
from scaling_book.ledger import load_book_ledger

from .conftest import REPOSITORY
from .test_landing import row, unmeasured

PAPER = papers.Paper("A title", "B et al.", "2020", arxiv="2001.00001")


def soup(html):
    return BeautifulSoup(html, "html.parser")


def test_a_summary_counts_in_words():
    assert all_claims.summary_sentence([row()]) == "Of 1 claim: disagrees 1."
    assert all_claims.summary_sentence([row()] * 2) == "Of 2 claims: disagrees 2."


def test_a_table_to_filter_stands_whole_without_a_script():
    html = tables.filter_table(
        ["A", "B"],
        [["1", "2"], ["3", "4"]],
        "What it shows.",
        ids=["x", "y"],
        filters={"kind": ["a", 'b"|c']},
    )
    rows = soup(html).select("tbody tr")
    assert [r["id"] for r in rows] == ["x", "y"]
    assert [r["data-kind"] for r in rows] == ["a", 'b"|c']
    assert [td.text for r in rows for td in r.select("td")] == ["1", "2", "3", "4"]
    assert soup(html).div["data-filters"] == "kind"


def test_rows_are_files_too(tmp_path):
    rows = [all_claims.as_record(row(), "Title", PAPER)]
    said = tables.write_downloads(tmp_path, "claims", rows)
    assert "{download}`CSV <claims.csv>`" in said
    assert json.loads((tmp_path / "claims.json").read_text()) == rows
    text = (tmp_path / "claims.csv").read_text()
    line = next(csv.DictReader(text.splitlines()))
    assert (line["verdict"], line["ours"], line["arxiv"]) == (
        "disagrees",
        "0.5",
        "2001.00001",
    )


@pytest.mark.parametrize(
    "module, fault",
    [
        ("let a=1;", "0 lists"),
        ("export{a};export{b};", "2 lists"),
        ('import "./b.js";\nexport{a};', "imports"),
    ],
)
def test_a_bundle_of_another_form_is_refused(module, fault):
    with pytest.raises(RenderError, match=fault):
        classic_script(module)


@pytest.mark.parametrize(
    "changes, rows, expected",
    [
        ({}, [row()], "replicated"),
        ({}, [row(kind="refit", interval=None)], "re-fitted"),
        ({}, [row(kind="identity", interval=None)], "measured"),
        ({}, [row(kind="finding", band=None, band_from=None)], "measured"),
        ({}, [unmeasured()], "measured"),
        ({}, [replace(unmeasured(), accepted="agrees")], "replicated"),
        ({"chapter": "next"}, [row()], "replicated"),
        ({"chapter": "next"}, [], "planned"),
        ({"why": "too large"}, [], "out of reach"),
        ({}, [], "open"),
    ],
)
def test_the_status_of_a_paper_is_that_of_its_claims(changes, rows, expected):
    assert papers.status(replace(PAPER, **changes), rows) == expected


def survey_file(root, *lines):
    path = root / papers.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([",".join(papers.COLUMNS), *lines]) + "\n")


@pytest.mark.parametrize(
    "lines, fault",
    [
        (["1.1,T,A,2020,c,,,next,too large"], "out of reach"),
        (["1.1,T,A,2020,c,,,,", "1.1,U,A,2020,c,,,,"], "twice"),
    ],
)
def test_a_survey_that_contradicts_itself_is_refused(tmp_path, lines, fault):
    survey_file(tmp_path, *lines)
    with pytest.raises(RenderError, match=fault):
        papers.load_survey(tmp_path)


def test_every_quoted_paper_is_found_and_no_status_contradicts_the_ledger():
    survey = papers.load_survey(REPOSITORY)
    assert len(survey) == 170
    quoted = papers.quoted_papers(REPOSITORY, survey)
    chapters = [c for c in list_chapters(REPOSITORY) if not c.missing]
    folder = REPOSITORY / "tests/reference"
    records = {c: folder / f"{c.slug}.json" for c in chapters}
    ledgers = load_book_ledger(REPOSITORY, records)
    of = {}
    for ledger in ledgers:
        for found in ledger.references.get("cpu", ledger.rows):
            of.setdefault(quoted[found.claim.paper], []).append(found)
    assert sum(paper in survey for paper in of) > 30
    for paper, rows in of.items():
        assert papers.status(paper, rows) not in ("planned", "open"), paper.title
    anchors = [paper.anchor for paper in {*survey, *quoted.values()}]
    assert len(anchors) == len(set(anchors))


CELLS = """
def record(name, runs):
    chapter.record(f"a.{name}", runs=runs)
---
chapter.record("a.first", runs=runs)
---
slopes = {"second": 1}
---
for name, runs in slopes.items():
    record(name, runs)
---
for kind in kinds:
    record(f"third-{kind}", runs)
---
print(table["first"])
"""


def test_the_cell_that_records_a_claim_is_found_and_marked():
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS.split("---\n")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    ids = ["a.first", "a.second", "a.third-x", "a.none"]
    places = {"a.first": 1, "a.second": 2, "a.third-x": 4}
    assert measured.cells_of(notebook, ids) == places
    assert measured.mark_measured(notebook, ids) == set(places)
    assert 'id="measured-a-first"' in notebook.cells[1].source
    assert notebook.cells[2].source == 'chapter.record("a.first", runs=runs)\n'


def test_every_claim_of_the_book_has_its_cell():
    for chapter in list_chapters(REPOSITORY):
        path = REPOSITORY / "tests" / "reference" / chapter.name
        notebook = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
        values = json.loads(path.with_name(f"{chapter.slug}.json").read_text())[
            "values"
        ]
        assert set(measured.cells_of(notebook, list(values))) == set(values)


def point(estimate, low=None, high=None, verdict="agrees", claim="first.slope"):
    made = ("2026-01-01", "a" * 40, "cpu", claim)
    return history.Point(*made, estimate, low, high, verdict, "a machine")


def test_a_small_plot_has_a_point_for_each_run_and_the_band():
    found = [point(0.5, 0.4, 0.6, "disagrees"), point(2.0, 1.9, 2.1)]
    plot = soup(history.sparkline(found, row().claim))
    assert len(plot.select("circle")) == 2 and len(plot.select("path")) == 2
    heights = [float(c["cy"]) for c in plot.select("circle")]
    band = plot.select_one(".band")
    top = float(band["y"])
    inside = [top <= y <= top + float(band["height"]) for y in heights]
    assert inside == [False, True]
    assert plot.svg["aria-label"] == "2 runs: disagrees, agrees"
    assert history.sparkline(found[:1], None) == ""


def test_the_page_reads_every_line_of_the_history():
    points = history.load_history(REPOSITORY)
    lines = (REPOSITORY / history.FILE).read_text().splitlines()
    assert len(points) == len(lines) - 1
    page = soup(history.history_page(REPOSITORY, []))
    rows = page.select("tbody tr")
    assert sum(len(r.select("li")) for r in rows) == len(points)
    assert "(“NVIDIA H200 with x86_64 CPU, 16 cores” and “x86_64" in page.text
    assert {r["data-runs"] for r in rows} == {"one", "several"}
