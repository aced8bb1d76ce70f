"""The joined page: every link leads somewhere, every file is there, no id twice."""

import shutil
from collections import Counter

import pytest
from bs4 import BeautifulSoup

from scaling_book import pdf
from scaling_book.errors import RenderError

HEAD = """<html><head><title>T</title>
<link rel="canonical" href="https://example.org/book/{path}">
<link rel="stylesheet" href="{up}_static/book.css">
<script src="{up}_static/search.js"></script></head><body>
<nav class="bd-links"><a class="reference internal" href="#">Home</a>
<a class="reference internal" href="chapters/one.html">1. One</a>
<a class="reference internal" href="chapters/two.html">2. Two</a></nav>"""
BODY = """<article class="bd-article"><section id="{name}"><h1>{name}</h1>
<h2 id="end">End</h2>{text}</section></article></body></html>"""
ONE = """<a href="#end">here</a> <a href="two.html#end">there</a> <a href="two.html">two</a>
<a href="../_downloads/one.ipynb">file</a> <a href="https://example.org">out</a>
<img src="../_images/a.png"><div class="interactive" id="plot"></div>"""


def write(folder, path, text):
    file = folder / path
    file.parent.mkdir(exist_ok=True, parents=True)
    up = "../" * path.count("/")
    name = file.stem
    file.write_text(HEAD.format(path=path, up=up) + BODY.format(name=name, text=text))


@pytest.fixture
def small(tmp_path):
    """A landing page and two chapters that both end in a section `end`."""
    write(tmp_path, "index.html", '<a href="chapters/one.html#end">one</a>')
    write(tmp_path, "chapters/one.html", ONE)
    write(tmp_path, "chapters/two.html", "<p>last</p>")
    return tmp_path


def links(page):
    return {a.get_text(): a["href"] for a in page.select("article a, .bd-article a")}


def test_pages_are_joined_in_order(small):
    page = BeautifulSoup(pdf.join_pages(small), "html.parser")
    assert [s["id"] for s in page.select(".bd-article")] == [
        "index",
        "chapters-one",
        "chapters-two",
    ]
    assert [a.get_text() for a in page.select("nav a")] == ["1. One", "2. Two"]


def test_links_lead_to_the_right_one_of_equal_sections(small):
    found = links(BeautifulSoup(pdf.join_pages(small), "html.parser"))
    assert found["one"] == "#chapters-one--end"
    assert found["here"] == "#chapters-one--end"
    assert found["there"] == "#chapters-two--end"
    assert found["two"] == "#chapters-two"
    assert found["file"] == "https://example.org/book/_downloads/one.ipynb"
    assert found["out"] == "https://example.org"


def test_files_are_named_from_the_root_and_scripts_of_the_site_left_out(small):
    page = BeautifulSoup(pdf.join_pages(small), "html.parser")
    assert [i["src"] for i in page.select("img")] == ["_images/a.png"]
    assert [x["href"] for x in page.select("link")] == ["_static/book.css"]
    assert page.select("script") == []
    assert page.select_one(".interactive")["id"] == "plot", "its script asks for it"


def test_a_page_without_text_is_named(small):
    (small / "chapters" / "two.html").write_text("<html></html>")
    with pytest.raises(RenderError, match=r"chapters/two\.html: no article"):
        pdf.join_pages(small)


def test_without_pages_or_browser_one_sentence_says_so(small, tmp_path, monkeypatch):
    with pytest.raises(RenderError, match="not built yet"):
        pdf.make_pdf(tmp_path / "nowhere")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(RenderError, match="no browser"):
        pdf.make_pdf(small)
    assert not (small / "whole-book.html").exists()


def test_the_landing_page_offers_the_pdf_once(small):
    printed = small / pdf.NAME
    printed.write_bytes(b"/Type /Page\n/Type /Pages\n/Type /Page ")
    for _ in range(2):
        pdf._offer(small / "index.html", printed)
    text = (small / "index.html").read_text()
    assert text.count(pdf.NAME) == 1 and "(2 pages, 0 MB)" in text


def test_every_link_and_file_of_the_whole_book_is_there(site):
    page = BeautifulSoup(pdf.join_pages(site), "html.parser")
    ids = Counter(tag["id"] for tag in page.select("[id]"))
    assert [name for name, count in ids.items() if count > 1] == []
    inside = [a["href"] for a in page.select('a[href^="#"]')]
    assert len(inside) > 300
    assert [x for x in inside if x[1:] not in ids] == []
    sources = {tag["src"].partition("?")[0] for tag in page.select("[src]")}
    assert [x for x in sources if not (site / x).is_file()] == []
    assert len(page.select(".bd-article")) >= 15
