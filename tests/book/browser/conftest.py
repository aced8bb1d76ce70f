"""Chromium, where the kernel allows in a network namespace without interfaces."""

import shutil
import subprocess

import pytest

from scaling_book.pdf import BROWSERS, find_browser
from tests.book.browser.visit import PATIENCE, visit

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def namespace() -> bool:
    """Whether this machine lets a program run without any network interface."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    done = subprocess.run([unshare, "-rn", "true"], capture_output=True)
    return done.returncode == 0


@pytest.fixture(scope="session")
def browser(tmp_path_factory, namespace):
    path = find_browser()
    if path is None:
        pytest.fail(f"no browser: install one of {', '.join(BROWSERS)}", pytrace=False)
    from playwright.sync_api import sync_playwright

    start = tmp_path_factory.mktemp("browser") / "start"
    cut_off = "unshare -rn " if namespace else ""
    start.write_text(f'#!/bin/sh\nexec {cut_off}{path} "$@"\n')
    start.chmod(0o700)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=start, args=ARGUMENTS)
        yield launched
        launched.close()


def new_page(browser, **settings):
    """Open a fresh page without network."""
    context = browser.new_context(offline=True, reduced_motion="reduce", **settings)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    return page


@pytest.fixture
def page(browser):
    page = new_page(browser)
    yield page
    page.context.close()


@pytest.fixture(scope="session")
def addresses(site) -> list[str]:
    """The file:// address of every page of the book."""
    paths = [p for p in sorted(site.rglob("*.html")) if "_static" not in p.parts]
    return [p.as_uri() for p in paths]


@pytest.fixture(scope="session")
def visits(browser, addresses):
    """Return what one visit of each page found."""
    found = []
    for address in addresses:
        page = new_page(browser)
        found.append(visit(page, address))
        page.context.close()
    return found
