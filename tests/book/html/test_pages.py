"""The built pages: whole, offline, described, and free of leftovers."""

import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[3]
CHAPTERS = re.findall(r"file: book/chapters/(\S+)", (ROOT / "_toc.yml").read_text())
REPOSITORY = "scaling-replicated/scaling-replicated"
LINKS_ONLY = {"canonical", "index", "search", "next", "prev", "author"}
LEFTOVERS = (
    "<!-- claims:",
    "<!-- book:",
    "{glue",
    "{claim",
    "{cite",
    "{numref",
    "{eq}`",
    "@@",
)


@pytest.fixture(scope="module")
def pages(site):
    """Every page of the site, parsed: path -> soup."""
    paths = [p for p in site.rglob("*.html") if "_static" not in p.parts]
    return {p: BeautifulSoup(p.read_text(), "html.parser") for p in paths}


@pytest.fixture(scope="module")
def chapters(pages):
    """The chapters' pages: name -> soup."""
    found = {p.stem: soup for p, soup in pages.items() if p.parent.name == "chapters"}
    assert sorted(found) == sorted(CHAPTERS)
    return found


def loaded_addresses(soup):
    """Addresses that a browser fetches on its own when it opens the page."""
    for tag in soup.find_all(["script", "img", "iframe", "source", "video", "embed"]):
        yield tag.get("src")
        yield from (
            part.split()[0] for part in tag.get("srcset", "").split(",") if part
        )
    for tag in soup.find_all("link", href=True):
        if not LINKS_ONLY & set(tag.get("rel", [])):
            yield tag["href"]
    for tag in soup.find_all("object"):
        yield tag.get("data")
    styles = [tag.string or "" for tag in soup.find_all("style")]
    styles += [tag["style"] for tag in soup.find_all(style=True)]
    for style in styles:
        yield from css_addresses(style)


def css_addresses(style):
    yield from re.findall(r"url\(\s*['\"]?([^'\")]+)", style)
    yield from re.findall(r"@import\s+['\"]([^'\"]+)", style)


def local_file(page, address):
    """The file that an address on a page means; None for data: and fragments."""
    parts = urlsplit(address)
    assert not parts.netloc and parts.scheme in ("", "data"), f"{page}: {address}"
    if parts.scheme == "data" or not parts.path:
        return None
    return (page.parent / unquote(parts.path)).resolve()


def test_pages_load_nothing_from_outside_and_miss_nothing(pages):
    for page, soup in pages.items():
        for address in filter(None, loaded_addresses(soup)):
            file = local_file(page, address)
            assert file is None or file.is_file(), f"{page.name}: {address}"


def test_styles_load_nothing_from_outside(site):
    for style in site.rglob("*.css"):
        for address in css_addresses(style.read_text()):
            local_file(style, address)


def test_links_between_pages_lead_somewhere(pages):
    ids = {p: {t["id"] for t in soup.find_all(id=True)} for p, soup in pages.items()}
    for page, soup in pages.items():
        for link in soup.find_all("a", href=True):
            parts = urlsplit(link["href"])
            if parts.scheme or parts.netloc:
                continue
            target = local_file(page, link["href"]) or page
            assert target.exists(), f"{page.name}: {link['href']}"
            if parts.fragment and target in ids:
                assert unquote(parts.fragment) in ids[target], (
                    f"{page.name}: {link['href']}"
                )


def test_every_image_has_a_description(pages):
    for page, soup in pages.items():
        for image in soup.find_all("img"):
            assert image.get("alt", "").strip(), f"{page.name}: {image.get('src')}"


def test_pages_have_one_title_and_a_language(pages):
    for page, soup in pages.items():
        assert soup.html.get("lang"), page.name
        if page.stem not in ("genindex", "search", "py-modindex"):
            assert len(soup.select("article h1")) == 1, page.name


def test_no_placeholder_is_left(pages):
    for page, soup in pages.items():
        text = str(soup.find("article") or soup)
        for leftover in LEFTOVERS:
            assert leftover not in text, f"{page.name}: {leftover}"


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_figure_cell_shows_on_the_page(chapters, name):
    cells = json.loads((ROOT / "tests" / "reference" / f"{name}.ipynb").read_text())[
        "cells"
    ]
    figures = [c for c in cells if "figure" in c["metadata"].get("mystnb", {})]
    assert figures
    for cell in figures:
        label = cell["metadata"]["mystnb"]["figure"]["name"]
        shown = chapters[name].find("figure", id=label)
        assert shown and shown.find("img"), f"{label} is not on the page"
        assert shown.find("figcaption").get_text(strip=True), f"{label} has no caption"


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_parameters_cell_is_not_on_the_page(chapters, name):
    for cell in chapters[name].select(".cell_input"):
        assert cell.get_text().strip() != 'profile = ""'


@pytest.mark.parametrize("name", CHAPTERS)
def test_chapter_shows_provenance_and_downloads(chapters, name):
    page = chapters[name]
    assert page.select_one(".provenance").get_text(strip=True)
    links = {a["href"].rsplit(".", 1)[-1] for a in page.select(".chapter-downloads a")}
    assert {"ipynb", "py"} <= links


@pytest.mark.parametrize("name", CHAPTERS)
def test_chapter_opens_in_colab_and_binder(chapters, name):
    links = [a["href"] for a in chapters[name].find_all("a", href=True)]
    notebook = f"book/chapters/{name}.ipynb"
    colab = f"https://colab.research.google.com/github/{REPOSITORY}/blob/executed/{notebook}"
    binder = f"https://mybinder.org/v2/gh/{REPOSITORY}/executed?urlpath="
    assert colab in links
    assert any(x.startswith(binder) and unquote(x).endswith(notebook) for x in links)


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_claim_has_a_card_with_a_verdict(chapters, name):
    slug = name.split("_", 1)[1].replace("_", "-")
    claims = yaml.safe_load((ROOT / "data" / "claims" / f"{slug}.yml").read_text())
    for claim in claims["claims"]:
        card = chapters[name].find(id="claim-" + claim["id"].replace(".", "-"))
        assert card, f"{claim['id']} has no card"
        assert len(card.select_one(".chip").get_text(strip=True)) > 1


def test_every_exponent_has_its_row_with_a_link_to_its_card(pages, site):
    page = pages[site / "book" / "generated" / "exponents.html"]
    links = {a["href"].rsplit("#")[-1] for a in page.select(".claims-table a")}
    links = {link for link in links if not link.startswith("paper-")}
    due = {
        "claim-" + claim["id"].replace(".", "-")
        for file in (ROOT / "data" / "claims").glob("*.yml")
        for claim in yaml.safe_load(file.read_text())["claims"]
        if "exponent" in claim
    }
    assert due and links == due
    assert page.find("figure", id="fig-exponents").find("img")["alt"]


def test_search_index_knows_every_page(site, pages):
    index = (site / "searchindex.js").read_text()
    for page in pages:
        if page.stem not in ("genindex", "search"):
            name = page.relative_to(site).with_suffix("").as_posix()
            assert f'"{name}"' in index, name


def test_the_landing_page_links_every_judged_claim_and_shows_every_chapter(pages, site):
    page = pages[site / "index.html"]
    marks = [a["href"] for a in page.select("svg.lane a.mark")]
    assert len(marks) == len(set(marks)) > 40
    cards = page.select(".chapter-card")
    assert len(cards) == len(CHAPTERS)
    for card in cards:
        assert card.find("img") and card.select_one(".verdict-bar")["aria-label"]
        assert "To be rewritten" not in card.get_text()
    assert len(page.select(".surprises > li")) == 5


def test_pages_have_an_icon_and_a_picture_for_links(pages, site):
    for page, soup in pages.items():
        icon = soup.find("link", rel="icon")
        assert local_file(page, icon["href"]).is_file()
        if page.stem not in ("genindex", "search") and page.parent.name != "api":
            picture = soup.find("meta", property="og:image")["content"]
            base = soup.find("link", rel="canonical")
            assert base is None or urlsplit(base["href"]).netloc in picture
            assert (site / picture.split("scaling-replicated/", 1)[1]).is_file()


@pytest.mark.parametrize("name", ["all-claims", "papers", "history"])
def test_pages_with_a_table_to_filter_are_whole_and_light(pages, site, name):
    path = site / "book" / "generated" / f"{name}.html"
    box = pages[path].select_one(".filter-table")
    rows = box.select("tbody tr")
    for filter_name in box["data-filters"].split():
        assert all(row.get(f"data-{filter_name}") is not None for row in rows)
    scripts = [tag["src"] for tag in pages[path].find_all("script", src=True)]
    assert any(src.endswith("vendor/datatables.js") for src in scripts)
    assert path.stat().st_size < 1.5e6


def test_only_pages_with_a_table_load_its_script(pages):
    for page, soup in pages.items():
        has = any(
            "datatables" in tag["src"] for tag in soup.find_all("script", src=True)
        )
        assert has == bool(soup.select_one(".filter-table")), page.name


def test_every_claim_leads_to_its_card_its_cell_and_its_paper(pages, site):
    page = pages[site / "book" / "generated" / "all-claims.html"]
    due = sum(
        len(yaml.safe_load(file.read_text())["claims"])
        for file in (ROOT / "data" / "claims").glob("*.yml")
    )
    rows = page.select(".filter-table tbody tr")
    assert len(rows) == due
    for row in rows:
        links = [a["href"] for a in row.find_all("a")]
        assert any("#claim-" in x for x in links) and any("#paper-" in x for x in links)
        assert any("#measured-" in x for x in links) == (
            row["data-kind"] != "out-of-reach"
        )
    files = [a["href"] for a in page.select("a.download")]
    assert {x.rsplit(".", 1)[-1] for x in files} >= {"csv", "json"}


def test_cards_and_tables_of_claims_and_rows_of_papers_lead_to_each_other(pages, site):
    folder = site / "book" / "generated"
    back = {
        (local_file(folder / "papers.html", a["href"]), a["href"].partition("#")[2]): r
        for r in pages[folder / "papers.html"].select("tbody tr")
        for a in r.select(".marks a")
    }
    for (page, card), row in back.items():
        link = f"../generated/papers.html#{row['id']}"
        found = pages[page].find(id=card)
        if found.name != "li":  # identities have a card together
            assert found.select_one(".claim-facts dt a")["href"] == link
        line = pages[page].select_one(f'.claims-table a[href="#{card}"]')
        assert line.find_parent("tr").find("a", href=link)
    chapters = [p for p in pages if p.parent.name == "chapters"]
    listed = {(p, a["href"][1:]) for p in chapters for a in _claims_of(pages[p])}
    assert listed == set(back)


def _claims_of(chapter):
    return chapter.select('.claims-table a[href^="#claim-"]')
