"""What a reader does with a page: search, skip, toggle, slide, print; by keys alone."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from scaling_book import pdf
from tests.book.browser.visit import settle

pytestmark = pytest.mark.browser

THEME = "document.documentElement.dataset.theme"
FOCUSED = "document.activeElement.className"


@pytest.fixture
def chapter(page, addresses):
    """A chapter with mathematics and an interactive figure."""
    page.goto(next(a for a in addresses if a.endswith("/03_fitting.html")))
    settle(page)
    return page


def test_mathematics_is_rendered(chapter):
    assert chapter.locator("mjx-container").count() > 0


def test_search_finds_the_chapter(page, site):
    page.goto((site / "search.html").as_uri() + "?q=superposition")
    found = page.locator("#search-results li a")
    found.first.wait_for()
    assert any("chapters/" in a.get_attribute("href") for a in found.all())


def test_theme_toggle_changes_the_theme(page, addresses):
    page.goto(addresses[0])
    button = page.locator(".theme-switch-button:visible").first
    button.focus()
    seen = set()
    for _ in range(3):
        page.keyboard.press("Enter")
        seen.add(page.evaluate(THEME))
    assert seen == {"light", "dark"}


def test_the_first_tab_skips_to_the_text(page, addresses):
    page.goto(addresses[0])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    assert page.locator("#pst-skip-link").is_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main')") is not None


def test_search_opens_and_closes_by_keys(page, addresses):
    page.goto(addresses[0])
    dialog = page.locator("#pst-search-dialog")
    button = page.locator(".search-button-field")
    button.focus()
    page.keyboard.press("Enter")
    dialog.wait_for()
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert "search-button" in page.evaluate(FOCUSED)
    page.keyboard.press("Control+k")
    dialog.wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")


@pytest.mark.parametrize("side", ["primary", "secondary"])
def test_drawers_of_a_phone_open_and_close_by_keys(page, addresses, side):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(next(a for a in addresses if a.endswith("/how-to-read.html")))
    page.locator(f".{side}-toggle:visible").focus()
    page.keyboard.press("Enter")
    drawer = page.locator(f"#pst-{side}-sidebar-modal")
    drawer.wait_for()
    page.keyboard.press("Tab")
    inside = f"document.activeElement.closest('#pst-{side}-sidebar-modal') !== null"
    assert page.evaluate(inside)
    page.keyboard.press("Escape")
    drawer.wait_for(state="hidden")


def test_folded_answers_open_by_keys(chapter):
    fold = chapter.locator("details.provenance").last
    fold.locator("summary").focus()
    chapter.keyboard.press("Enter")
    assert fold.get_attribute("open") is not None
    answer = chapter.locator("button.toggle-button").first
    assert answer.get_attribute("aria-expanded") == "false"
    answer.focus()
    chapter.keyboard.press("Enter")
    assert answer.get_attribute("aria-expanded") == "true"


def test_arrow_keys_move_the_slider_of_a_figure(chapter):
    shown = """() => document.querySelector(".interactive").data
        .flatMap((trace, i) => trace.visible === false ? [] : [i])"""
    slider = chapter.locator(".interactive-slider input")
    slider.focus()
    before, text = chapter.evaluate(shown), slider.get_attribute("aria-valuetext")
    chapter.keyboard.press("ArrowRight")
    after = chapter.evaluate(shown)
    assert len(after) == len(before) and after != before
    assert slider.get_attribute("aria-valuetext") != text
    assert chapter.locator(".slider-container").count() == 0, "one slider, not two"


def test_a_dark_page_prints_light_and_stays_dark(chapter):
    chapter.evaluate(f"{THEME} = 'dark'")
    chapter.evaluate(f"""addEventListener("beforeprint",
        () => {{ window.printed = {THEME}; }})""")
    chapter.pdf()
    assert chapter.evaluate("window.printed") == "light"
    assert chapter.evaluate(THEME) == "dark"


def test_print_shows_what_is_folded_and_no_controls(chapter):
    chapter.emulate_media(media="print")
    for hidden in ("#pst-primary-sidebar", "button", "details.hide > summary", "input"):
        assert chapter.locator(f"{hidden}:visible").count() == 0, hidden
    for shown in (".interactive", "details.provenance table", ".claim-card"):
        box = chapter.locator(shown)
        assert all(one.is_visible() for one in box.all()) and box.count(), shown
    answers = chapter.locator(".admonition.dropdown > :not(.admonition-title)")
    assert answers.count() and all(one.is_visible() for one in answers.all())


def test_the_whole_book_prints(site, tmp_path):
    html = shutil.copytree(site, tmp_path / "html")
    with ThreadPoolExecutor() as other:  # Playwright runs once a thread
        printed = other.submit(pdf.make_pdf, html).result()
    assert pdf.count_pages(printed) > 150
    assert printed.stat().st_size < 40e6
    links = re.findall(rb"/Subtype /Link\b.*?>>", printed.read_bytes(), re.S)
    assert sum(b"/Dest" in link for link in links) > 300, "links between its pages"
    assert printed.name in (html / "index.html").read_text()
