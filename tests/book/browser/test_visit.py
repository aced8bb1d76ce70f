"""A visit names each fault that is planted on a page, and none on a good one."""

import pytest

from tests.book.browser.visit import visit

pytestmark = pytest.mark.browser

GOOD = """<!DOCTYPE html><html lang="en"><head><title>Good</title><style>
button:focus { outline: 2px solid blue; }
html[data-theme=dark] body { background: #121212; color: #ffffff; }
html[data-theme=dark] button { background: #ffffff; color: #000000; }
</style></head><body><main><h1>Title</h1><button>Press</button>{}</main></body></html>
"""
FAULTS = """
<link rel="stylesheet" href="missing.css">
<img src="missing.png" alt="a picture">
<img src="http://127.0.0.1:9/outside.png" alt="another">
<p style="color: #999999; background: #ffffff">pale</p>
<button id="dim" style="outline: none">no ring</button>
<button id="trap">holds the focus</button><button id="beyond">never reached</button>
<div style="cursor: pointer">only by mouse</div>
<div style="width: 900px">wide</div>
<div class="claim-card" style="width: 90px; overflow: auto">Unbreakablyunbreakably</div>
<table><thead><tr><th></th></tr></thead></table>
<script>trap.addEventListener("keydown", e => e.preventDefault())</script>
"""


@pytest.fixture
def look(page, tmp_path):
    def looked(body):
        path = tmp_path / "page.html"
        path.write_text(GOOD.replace("{}", body))
        return visit(page, path.as_uri())

    return looked


def test_a_good_page_has_no_faults(look):
    found = look("")
    assert found.failed + found.unloaded + found.nameless + found.mouse_only == []
    assert found.missed + found.dim == []
    assert found.axe == {"light": [], "dark": []}
    assert not any(found.narrow.values()) and not any(found.overflow.values())
    assert 0 < found.bytes < 1000


def test_every_fault_is_named(look):
    found = look(FAULTS)
    assert any("missing.css" in x for x in found.failed)
    assert any(x.startswith("outside: http://127.0.0.1") for x in found.failed)
    assert any("missing.png" in x for x in found.unloaded)
    assert len(found.nameless) == 1
    assert any("pale" in x for x in found.axe["light"])
    assert any("beyond" in x for x in found.missed)
    assert any('id="dim"' in x for x in found.dim)
    assert any("only by mouse" in x for x in found.mouse_only)
    assert found.overflow[320] and not found.overflow[1400]
    assert any("Unbreakably" in x for x in found.narrow[390])
