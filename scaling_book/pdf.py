"""The whole book as one PDF: the built pages joined in order, printed by Chromium.

The pages are joined from their HTML, since the single page that Sphinx can build gives
the sections of two chapters one id, and every link to them the first.
"""

import posixpath
import re
import shutil
from html import escape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

from scaling_book.errors import RenderError
from scaling_core.base.files import write_atomic

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NAME = "scaling-replicated.pdf"
WIDTH = 680  # pixels, an A4 page without its margins
PATIENCE = 900  # seconds
MATHEMATICS = "() => window.MathJax?.startup?.promise.then(() => true)"
# Tables for a screen; the chapters print every claim.
LEFT_OUT = ("book/generated/all-claims.html", "book/generated/history.html")
# Only what an article needs on paper: styles, mathematics, figures with a slider.
STYLES = 'link[rel="stylesheet"]'
SCRIPTS = 'script[src*="mathjax"], head script[src*="book.js"]'
REFERRING = ("aria-labelledby", "aria-describedby", "for")


def find_browser() -> str | None:
    """Return the path of a Chromium on this machine, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def make_pdf(html: Path) -> Path:
    """Print the built pages below ``html`` into one PDF beside them; return its path.

    The landing page then offers it, until the pages are rendered again.

    Raises
    ------
    RenderError
        If the pages are not built, or Chromium is missing or fails.
    """
    index = html / "index.html"
    if not index.is_file():
        raise RenderError(f"{index}: not built yet; run `make book` first")
    whole = write_atomic(html / "whole-book.html", join_pages(html))
    try:
        _print(whole, html / NAME)
    finally:
        whole.unlink()
    _offer(index, html / NAME)
    return html / NAME


def _print(page: Path, out: Path) -> None:
    chromium = find_browser()
    if chromium is None:
        raise RenderError(f"no browser: install one of {', '.join(BROWSERS)}")
    try:  # in the extra `browser`
        from playwright.sync_api import (  # pyright: ignore[reportMissingImports]
            Error,
            sync_playwright,
        )
    except ImportError as error:
        raise RenderError("no playwright: run `make pdf`, which installs it") from error
    out.unlink(missing_ok=True)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            opened = browser.new_page(viewport={"width": WIDTH, "height": 1000})
            opened.set_default_timeout(1000 * PATIENCE)
            opened.goto(page.as_uri())
            opened.evaluate(MATHEMATICS)
            opened.pdf(path=out, prefer_css_page_size=True, outline=True)
    except Error as error:
        raise RenderError(f"{chromium} printed no PDF:\n{error}") from error


def count_pages(pdf: Path) -> int:
    """Return the number of pages of a PDF that Chromium wrote."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes()))


def _offer(index: Path, pdf: Path) -> None:
    """Put a link to the PDF at the end of the landing page's text."""
    size = f"{count_pages(pdf)} pages, {pdf.stat().st_size / 1e6:.0f} MB"
    link = (
        f'<p class="whole-book"><a href="{pdf.name}">The book as a PDF</a> ({size})</p>'
    )
    text = re.sub(r'\s*<p class="whole-book">.*?</p>', "", index.read_text())
    write_atomic(index, text.replace("</article>", f"{link}\n</article>", 1))


def join_pages(html: Path) -> str:
    """Return one HTML page with the text of all, in the order of the contents.

    Every id gets its page's name before it, and every link between pages leads to such
    an id; links to other files of the site, and to what is left out, lead to where
    the book is published.

    Raises
    ------
    RenderError
        If a page of the contents has no text.
    """
    titles = _contents(html)
    soups = {path: _soup(html / path) for path in titles}
    parts = []
    for path, soup in soups.items():
        article = soup.select_one("article.bd-article")
        if article is None:
            raise RenderError(f"{html / path}: no article in it")
        _relocate(article, path, soups)
        article.name, article["id"] = "section", _key(path)
        parts.append(str(article))
    return _page(titles, soups, parts)


def _soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def _contents(html: Path) -> dict[str, str]:
    """Return path below ``html`` and title of each page, in the side bar's order."""
    links = _soup(html / "index.html").select("nav.bd-links a.reference.internal")
    pages = {str(a["href"]).partition("#")[0]: a.get_text().strip() for a in links}
    home = pages.pop("", "")
    return {"index.html": home} | {x: pages[x] for x in pages if x not in LEFT_OUT}


def _key(path: str, fragment: str = "") -> str:
    key = re.sub(r"\W+", "-", path.removesuffix(".html"))
    return f"{key}--{fragment}" if fragment else key


def _relocate(article: Tag, path: str, pages: dict[str, BeautifulSoup]) -> None:
    """Make ids, links and sources of one page right for the joined one."""
    canonical = pages[path].select_one('link[rel="canonical"]')
    base = str(canonical["href"]) if canonical else ""
    for tag in article.select("[id]"):
        if "interactive" not in (tag.get("class") or []):  # its script knows its id
            tag["id"] = _key(path, str(tag["id"]))
    for name in REFERRING:
        for tag in article.select(f"[{name}]"):
            words = str(tag[name]).split()
            tag[name] = " ".join(_key(path, word) for word in words)
    for tag in article.select("[src]"):
        if not urlsplit(str(tag["src"])).scheme:
            tag["src"] = _below(path, str(tag["src"]))
    for tag in article.select("a[href]"):
        tag["href"] = _target(path, str(tag["href"]), base, pages)


def _below(path: str, reference: str) -> str:
    """Return a reference of the page at ``path`` as seen from the site's root."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), reference))


def _target(path: str, href: str, base: str, pages: dict[str, BeautifulSoup]) -> str:
    parts = urlsplit(href)
    if parts.scheme:
        return href
    to = _below(path, parts.path) if parts.path else path
    return f"#{_key(to, parts.fragment)}" if to in pages else urljoin(base, href)


def _page(titles: dict[str, str], soups: dict[str, BeautifulSoup], parts: list[str]):
    """Return the joined page: head, title, contents, then every part."""
    lines = [f'<li><a href="#{_key(x)}">{escape(titles[x])}</a></li>' for x in titles]
    contents = f'<nav class="whole-contents"><ol>{"".join(lines[1:])}</ol></nav>'
    parts = [parts[0].replace("</h1>", f"</h1>{contents}", 1), *parts[1:]]
    return (
        '<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        f"<title>{escape(titles['index.html'])}</title>{_head(soups)}</head><body>"
        '<main class="bd-main whole-book"><div class="bd-content">'
        f'<div class="bd-article-container">{"".join(parts)}</div></div></main>'
        "</body></html>\n"
    )


def _head(soups: dict[str, BeautifulSoup]) -> str:
    """Return the styles and scripts of all pages, each once."""
    tags: dict[str, None] = {}
    for path, soup in soups.items():
        for tag in soup.select(f"head {STYLES}, head {SCRIPTS}"):
            name = "src" if tag.name == "script" else "href"
            tag[name] = _below(path, str(tag[name]))
            tags[str(tag)] = None
        for tag in soup.find_all("script", string=re.compile(r"window\.MathJax")):
            tags[str(tag)] = None
    return "".join(tags)
