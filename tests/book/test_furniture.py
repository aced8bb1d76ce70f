"""The furniture of a chapter: where its code stands, how it is cited, its times."""

import json
import subprocess
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from pybtex.database import parse_string

from scaling_book import furniture
from scaling_book.render import render
from scaling_book.sources import Function, functions_behind, source_link

CITATION = {
    "title": "A book: of cells & claims",
    "version": "1.0",
    "url": "https://book.test/",
    "authors": [
        {"family-names": "Ångström", "given-names": "Anders J."},
        {"name": "The Makers, United"},
    ],
}
COMMIT = "a" * 40


def page_of(root, **made):
    """A page of one chapter, with a provenance that tests may change."""
    provenance = {
        "commit": COMMIT,
        "profile": "cpu",
        "date": "2026-05-01",
        "device": "a CPU",
        "first_seed": 100,
        "total_seconds": 600.0,
    }
    chapter = SimpleNamespace(name="01_first", slug="first", title="Is 5 % = 1/20?")
    ledger = SimpleNamespace(chapter=chapter, provenance=provenance | made)
    data = {"record": "/book/generated/records/first-cpu.json"}
    return furniture.Page(root, ledger, data)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def book(mini_book):
    """A miniature book with a citation file and a study of two modules."""
    (mini_book / "CITATION.cff").write_text(yaml.safe_dump(CITATION))
    study = mini_book / "studies" / "first"
    study.mkdir(parents=True)
    (study / "train.py").write_text("SIZE = 3\n\n\ndef measure(n):\n    return n\n")
    (study / "read.py").write_text("def slope(x):\n    return x\n\n\nclass Fit: ...\n")
    return mini_book


IMPORTS = "from studies.first import train\nfrom studies.first.read import Fit, slope"
TRAIN, SLOPE = (
    Function("studies/first/train.py", "measure"),
    Function("studies/first/read.py", "slope"),
)


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["plot(slope(1))"], [SLOPE]),
        (["runs = train.measure(3)", "plot(runs)"], [TRAIN]),
        (["runs = train.measure(3)", "mean = runs", "plot(mean)"], [TRAIN]),
        (["runs = train.measure(3)", "plot(slope(runs))"], [SLOPE, TRAIN]),
        (["x = train.measure(3)", "x = 1", "plot(x)"], []),
        (["x = train.measure(3)", "def f(x):\n    return x\nplot(f)"], []),
        (["plot(train.SIZE, train.gone, other.measure)"], []),
        (["%matplotlib inline", "plot(slope(1))"], [SLOPE]),
    ],
    ids=[
        "in the cell",
        "one cell up",
        "two cells up",
        "nearest first",
        "bound anew",
        "an argument",
        "no function of ours",
        "a magic",
    ],
)
def test_functions_behind_a_figure(book, cells, found):
    assert functions_behind(book, [IMPORTS, *cells], len(cells)) == found


def test_link_leads_to_the_line_of_the_commit_not_of_the_working_tree(book):
    git = ["git", "-C", str(book), "-c", "user.name=T", "-c", "user.email=t@t.test"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "One"]):
        subprocess.run([*git, *words], check=True)
    head = [*git, "rev-parse", "HEAD"]
    commit = subprocess.run(head, capture_output=True, text=True).stdout.strip()
    path = book / "studies/first/train.py"
    path.write_text("\n\n\n" + path.read_text())
    link = source_link(book, commit, TRAIN.path, TRAIN.name)
    assert link.endswith(f"/blob/{commit}/studies/first/train.py#L4")
    gone = source_link(book, COMMIT, TRAIN.path, TRAIN.name)
    assert gone.endswith(f"/blob/{COMMIT}/studies/first/train.py")
    assert "/blob/main/" in source_link(book, "unknown", TRAIN.path)


def test_citation_is_bibtex_that_says_what_was_run(book):
    text = furniture.citation(page_of(book))
    (entry,) = parse_string(text, "bibtex").entries.values()
    person, group = entry.persons["author"]
    assert (person.last_names, person.first_names) == (["Ångström"], ["Anders"])
    assert str(group) == "{The Makers, United}"
    fields = entry.fields
    assert fields["title"] == r"{Is 5 \% = 1/20?}"
    assert fields["booktitle"] == r"{A book: of cells \& claims}"
    assert fields["year"] == "2026"
    assert fields["url"] == "https://book.test/book/chapters/01_first.html"
    assert COMMIT in fields["note"] and "profile cpu" in fields["note"]


def test_a_book_without_a_citation_file_has_no_box(mini_book):
    assert furniture.cite_box(page_of(mini_book)) == ""


def test_reading_time_counts_words_and_open_code_only():
    markdown, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [markdown("word " * 400), code("x = 1\n" * 40)]
    folded = code("x = 1\n" * 400, metadata={"tags": ["hide-input"]})
    notebook = nbformat.v4.new_notebook(cells=[*cells, folded])
    assert furniture.reading_minutes(notebook) == 4


def test_head_says_times_and_profile(book):
    head = furniture.head(page_of(book), minutes=1)
    run = "10 minutes to run at `cpu` (a CPU, 2026-05-01)"
    assert f"1 minute to read · at least {run}" in head
    stored = page_of(book, total_seconds=240.0, cost={"stored_seconds": 360.0})
    assert f"2 minutes to read · {run}" in furniture.head(stored, minutes=2)


@pytest.fixture
def figured(executed, monkeypatch):
    """The first chapter, rendered without HTML, with a figure, curves and plotly."""
    monkeypatch.setattr("scaling_book.render.build_html", lambda site, say: site)
    path = executed / "build/executed/cpu/01_first.ipynb"
    notebook = nbformat.read(path, as_version=4)
    figure = {"figure": {"name": "fig-a", "caption": "A."}, "image": {"alt": "A line."}}
    code, html = nbformat.v4.new_code_cell, {"text/html": "<script>plotly</script>"}
    study = executed / "studies" / "first"
    study.mkdir(parents=True)
    (study / "train.py").write_text("def measure(n):\n    return n\n")
    shown = nbformat.v4.new_output("display_data", html)
    notebook.cells += [
        code("from studies.first import train\nruns = train.measure(3)"),
        code("plot(runs)", metadata={"mystnb": figure, "tags": ["hide-input"]}),
        code("show()", metadata={"tags": ["remove-input"]}, outputs=[shown]),
    ]
    nbformat.write(notebook, path)
    record = executed / "build/records/cpu/first.json"
    content = json.loads(record.read_text())
    content["provenance"]["curves"] = "hash"
    record.write_text(json.dumps(content))
    record.with_suffix(".curves.csv").write_text("seed,step\n")
    render(executed, "cpu", say=lambda line: None)
    page = executed / "book/chapters/01_first.ipynb"
    return executed, nbformat.read(page, as_version=4).cells


def test_each_figure_links_its_code_its_data_and_its_run(figured):
    root, cells = figured
    at = next(i for i, c in enumerate(cells) if "mystnb" in c.metadata)
    caption = cells[at].metadata["mystnb"]["figure"]["caption"]
    assert '<a href="#code-fig-a">cell</a>' in caption
    assert "[`train.measure`](https://github.com/" in caption
    assert "Profile cpu, seeds from 100" in caption
    assert 'id="code-fig-a"' in cells[at - 1].source
    for name in ("first-cpu.json", "first-cpu-curves.csv"):
        assert f"</book/generated/records/{name}>" in caption
        assert (root / "book/generated/records" / name).is_file()


def test_an_interactive_figure_is_followed_by_its_line(figured):
    _, cells = figured
    at = next(i for i, c in enumerate(cells) if c.source == "show()")
    assert cells[at + 1].source.startswith(":::{div} figure-line\nCode: [notebook](")
