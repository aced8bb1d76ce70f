"""What a chapter's page carries beside its text, read off the built HTML."""

import itertools
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from pybtex.database import parse_string

from scaling_book.chapters import list_chapters

ROOT = Path(__file__).parents[3]
CHAPTERS = list_chapters(ROOT)
NAMES = [chapter.name for chapter in CHAPTERS]
AT_COMMIT = "/blob/[0-9a-f]{40}/"


@pytest.fixture(scope="module")
def pages(site):
    """The chapters' pages, parsed."""
    folder = site / "book" / "chapters"
    return {
        name: BeautifulSoup((folder / f"{name}.html").read_text(), "html.parser")
        for name in NAMES
    }


@pytest.fixture(params=CHAPTERS, ids=NAMES)
def chapter(request):
    return request.param


def lines(page):
    """Every line under a figure, with the element that it stands under."""
    found = [(figure, figure.select_one(".legend")) for figure in page.select("figure")]
    under = page.select(".figure-line")
    return found + [(line.find_previous(class_="cell"), line) for line in under]


def test_each_figure_leads_to_its_code_its_data_and_its_run(pages, chapter, site):
    record = (ROOT / "tests" / "reference" / f"{chapter.slug}.json").read_bytes()
    page = pages[chapter.name]
    assert len(lines(page)) > 1
    for figure, line in lines(page):
        assert line, f"{figure.get('id')} has no line"
        links = [a["href"] for a in line.find_all("a")]
        assert any(re.search(AT_COMMIT, link) for link in links), figure.get("id")
        data = next(x for x in links if x.endswith(f"{chapter.slug}-smoke.json"))
        shown = (site / "book" / "chapters" / data).read_bytes()
        assert shown == record
        assert "Profile smoke, seeds from 100, 20" in line.get_text()


def test_link_to_the_cell_stands_right_before_the_fold_that_drew_the_figure(
    pages, chapter
):
    page = pages[chapter.name]
    links = [a for _, line in lines(page) for a in line.select('a[href^="#code-"]')]
    assert links
    for link in links:
        anchor = page.find(id=link["href"][1:])
        cell = anchor.find_next_sibling()
        assert "cell" in cell["class"] and cell.select_one("details pre")
        figure = page.find(id=anchor["id"].removeprefix("code-"))
        assert figure in cell.find_all("figure") if figure else cell.find("script")


def test_head_says_how_long_reading_and_running_take(pages, chapter):
    head = pages[chapter.name].select_one(".chapter-head").get_text()
    minutes = int(re.search(r"(\d+) minutes to read", head)[1])
    assert 5 < minutes < 120
    assert re.search(r"\d+ (s|minutes) to run at smoke \(", head)


def test_citation_is_folded_can_be_copied_and_parses(pages, chapter):
    box = pages[chapter.name].select_one(".admonition.dropdown.cite")
    text = box.select_one("div.highlight pre").get_text()
    (entry,) = parse_string(text, "bibtex").entries.values()
    assert entry.fields["title"].strip("{}") == chapter.title
    assert entry.fields["url"].endswith(f"/{chapter.name}.html")
    assert re.search("commit [0-9a-f]{40}, profile smoke", entry.fields["note"])
    assert entry.persons["author"]


def test_neighbours_are_linked_by_their_titles(pages):
    for before, after in itertools.pairwise(CHAPTERS):
        forward = pages[before.name].select_one("a.right-next")
        back = pages[after.name].select_one("a.left-prev")
        assert forward["href"] == f"{after.name}.html"
        assert back["href"] == f"{before.name}.html"
        assert after.title in forward.select_one(".prev-next-title").get_text()
        assert before.title in back.select_one(".prev-next-title").get_text()


def test_exercises_have_folded_answers(pages, chapter):
    page = pages[chapter.name]
    answers = page.select("#exercises .admonition.dropdown")
    questions = page.select("#exercises > p > strong:first-child")
    numbers = [q.get_text() for q in questions if re.match(r"\d+\.", q.get_text())]
    assert len(answers) >= 3
    assert numbers == [f"{i + 1}." for i in range(len(answers))]


def test_margin_notes_explain_what_the_text_uses(pages, chapter):
    notes = pages[chapter.name].select("aside.margin")
    assert len(notes) >= 2
