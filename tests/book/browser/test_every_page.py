"""Every page of the book, opened from disk: whole, readable, reachable, not too wide."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.book.browser.conftest import new_page
from tests.book.browser.visit import DESKTOPS, PAPER, PHONES

pytestmark = pytest.mark.browser

HEAVIEST = 1_500_000  # bytes of one page and its figures


def complaints(visits, what):
    """Return page and complaint for all that ``what`` finds in the visits."""
    return [
        f"{visit.address.rpartition('/html/')[2]}: {line}"
        for visit in visits
        for line in what(visit)
    ]


def test_the_browser_has_no_network_interface(browser, namespace):
    if not namespace:
        pytest.skip("no network namespaces for users here")
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = new_page(browser)
    page.context.set_offline(False)
    with pytest.raises(Exception, match="ERR_"):
        page.goto(f"http://127.0.0.1:{server.server_port}/")
    page.context.close()
    server.shutdown()
    server.server_close()


def test_nothing_is_asked_from_outside_and_nothing_fails(visits):
    assert complaints(visits, lambda visit: visit.failed + visit.unloaded) == []


def test_pages_are_light(visits):
    heavy = [f"{v.address}: {v.bytes} bytes" for v in visits if v.bytes > HEAVIEST]
    assert heavy == []
    assert max(v.bytes for v in visits) > 300_000, "the chapters were weighed"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(visits, theme):
    assert complaints(visits, lambda visit: visit.axe[theme]) == []


def test_names_for_screen_readers(visits):
    assert complaints(visits, lambda visit: visit.nameless) == []


def test_tab_reaches_every_control(visits):
    assert complaints(visits, lambda visit: visit.missed + visit.mouse_only) == []


def test_focus_is_seen(visits):
    assert complaints(visits, lambda visit: visit.dim) == []


@pytest.mark.parametrize("width", [*PHONES, *DESKTOPS, PAPER])
def test_pages_and_what_is_on_them_fit_the_screen(visits, width):
    assert complaints(visits, lambda v: v.overflow[width] + v.narrow[width]) == []
