"""The book in a browser with no network: nothing missing, nothing overflowing."""

import shutil

import pytest

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120_000  # milliseconds: a busy machine is no fault of a page
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
WIDEST = """() => [...document.querySelectorAll("body *")]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 5).map(e => e.outerHTML.slice(0, 120))"""
# Fonts, mathematics and images; lazy images would load when they come into view.
SETTLED = """() => Promise.all([
    document.fonts.ready,
    window.MathJax?.startup?.promise,
    ...[...document.images].map(image => {
        image.loading = "eager";
        return image.decode().catch(() => 0);
    }),
]).then(() => true)"""
# Boxes with something in them that is wider than they are; folded code is opened.
NARROW = """selector => {
    document.querySelectorAll("details").forEach(details => { details.open = true; });
    return [...document.querySelectorAll(selector)]
        .filter(box => box.scrollWidth > box.clientWidth + 1)
        .map(box => `${box.scrollWidth} in ${box.clientWidth}: ${box.innerText}`
            .slice(0, 120));
}"""
PHONES, DESKTOPS = (320, 390), (1024, 1200, 1280, 1400)
FIT_A_PHONE = ".table-scroll, .claims-table td, .claim-card"
FIT_A_DESKTOP = FIT_A_PHONE + ", div.highlight pre, .cell_output"
UNLOADED = (
    """() => [...document.images].filter(i => i.naturalWidth === 0).map(i => i.src)"""
)


@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.fail(f"no browser: install one of {', '.join(BROWSERS)}", pytrace=False)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser):
    """A page without network; ``page.trouble`` lists what failed or went outside."""
    context = browser.new_context(offline=True, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.trouble = []

    def watch(request):
        if not request.url.startswith(("file:", "data:", "blob:")):
            page.trouble.append(f"outside: {request.url}")

    def watch_failed(request):
        # The search page fetches excerpts, which no browser allows from file://.
        if request.resource_type != "fetch":
            page.trouble.append(f"failed: {request.url}")

    page.on("request", watch)
    page.on("requestfailed", watch_failed)
    yield page
    context.close()


@pytest.fixture(scope="module")
def addresses(site):
    """The file:// address of every page of the book."""
    paths = [p for p in site.rglob("*.html") if "_static" not in p.parts]
    return [p.as_uri() for p in paths if p.stem not in ("genindex", "search")]


def chapter_address(addresses):
    return next(a for a in addresses if "/chapters/" in a)


def settle(page):
    """Wait for what a reader sees: fonts, mathematics and images."""
    page.evaluate(SETTLED)


def test_every_page_loads_whole_and_offline(page, addresses):
    for address in addresses:
        page.goto(address)
        settle(page)
        assert page.evaluate(UNLOADED) == [], address
    assert page.trouble == []


def test_mathematics_is_rendered(page, addresses):
    page.goto(chapter_address(addresses))
    settle(page)
    assert page.locator("mjx-container").count() > 0
    assert page.locator("mjx-merror").count() == 0
    assert page.trouble == []


def test_search_finds_the_chapter(page, site):
    page.goto((site / "search.html").as_uri() + "?q=superposition")
    found = page.locator("#search-results li a")
    found.first.wait_for()
    assert any("chapters/" in a.get_attribute("href") for a in found.all())
    assert page.trouble == []


def test_theme_toggle_changes_the_theme(page, addresses):
    page.goto(chapter_address(addresses))
    button = page.locator(".theme-switch-button:visible").first
    seen = set()
    for _ in range(3):
        button.click()
        seen.add(page.evaluate("document.documentElement.dataset.theme"))
    assert seen == {"light", "dark"}


@pytest.mark.parametrize("widths", [PHONES, DESKTOPS], ids=["phone", "desktop"])
def test_pages_and_what_is_on_them_fit_the_screen(page, addresses, widths):
    boxes = FIT_A_PHONE if widths == PHONES else FIT_A_DESKTOP
    for address in addresses:
        page.goto(address)
        settle(page)
        for width in widths:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(NARROW, boxes) == [], (address, width)
            assert page.evaluate(OVERFLOW) <= 0, (address, page.evaluate(WIDEST))


def test_names_for_screen_readers(page, addresses):
    for address in addresses:
        page.goto(address)
        for selector in (".search-button-field[aria-label]", "summary[aria-label]"):
            assert page.locator(selector).count() == 0, (address, selector)
        heads = page.locator("table thead th").all_text_contents()
        assert all(text.strip() for text in heads), address
