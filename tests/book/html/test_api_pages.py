"""Pages of the API: every name is there, and chapters and names lead to each other."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from scaling_book.api_pages import FOLDER, ROOMS
from scaling_book.chapters import list_chapters
from scaling_book.uses import used_names, with_constants

ROOT = Path(__file__).parents[3]
CHAPTERS = list_chapters(ROOT)
USED = {chapter.name: used_names(ROOT, chapter) for chapter in CHAPTERS}
API = with_constants(set().union(*USED.values()))


@pytest.fixture(scope="module")
def rooms(site):
    """The pages of the API: room -> soup."""
    return {
        room: BeautifulSoup((site / FOLDER / f"{room}.html").read_text(), "html.parser")
        for room in ROOMS
    }


@pytest.mark.parametrize("entry", API.values(), ids=list(API))
def test_a_name_is_described_and_leads_to_its_chapters(entry, rooms):
    head = rooms[entry.room].find(id=entry.name)
    assert head is not None and entry.short in head.get_text()
    body = head.find_next_sibling("dd")
    said = body.get_text(" ", strip=True)
    assert said, f"{entry.name} has no docstring"
    linked = {Path(a["href"]).stem for a in body.select(".api-users a")}
    assert linked == {chapter for chapter, used in USED.items() if entry.name in used}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.slug)
def test_a_chapter_lists_what_it_uses(chapter, site):
    page = site / "book" / "chapters" / f"{chapter.name}.html"
    soup = BeautifulSoup(page.read_text(), "html.parser")
    (block,) = soup.select("details.api-used")
    links = {a["href"].partition("#")[2]: a["href"] for a in block.find_all("a")}
    assert links.keys() == USED[chapter.name]
    assert f"({len(links)})" in block.summary.get_text()
    for href in links.values():
        assert (page.parent / href.partition("#")[0]).resolve().is_file()


def test_papers_and_names_in_docstrings_are_links(rooms):
    for room, soup in rooms.items():
        for link in soup.select('a[href^="https://arxiv.org"]'):
            assert link["href"].removeprefix("https://arxiv.org/abs/") in link.text
        assert "arXiv" not in room
    fit = rooms["fitting"].find(id="scaling_core.fitting.allocation").parent
    assert fit.find("a", class_="internal")
    assert rooms["rl"].select('a[href="https://arxiv.org/abs/1707.06347"]')


def test_no_markup_of_docstrings_is_left(rooms):
    for soup in rooms.values():
        for text in soup.select("dl.py dd > p, section > p"):
            assert "`" not in text.get_text(), text
            assert ":py:" not in text.get_text(), text
        assert not soup.select(".problematic, .system-message")


def test_pages_are_light(site):
    for page in (site / FOLDER).glob("*.html"):
        assert page.stat().st_size < 1.5e6
