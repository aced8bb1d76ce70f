"""One visit of a page: everything that a browser can say about it, gathered at once."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scaling_book import pdf

PATIENCE = 120_000  # milliseconds: a busy machine is no fault of a page
STEP = 25  # how many times Tab is pressed before looking
PHONES, DESKTOPS = (320, 390), (1024, 1200, 1280, 1400)
PAPER = pdf.WIDTH  # what is wider makes all of a PDF small
HOME = {"width": 1280, "height": 800}
FIT_A_PHONE = ".table-scroll, .claims-table td, .claim-card"
FIT_A_DESKTOP = FIT_A_PHONE + ", div.highlight pre, .cell_output"
# Fonts, mathematics and images; lazy images would load when they come into view.
SETTLED = """() => Promise.all([
    document.fonts.ready,
    window.MathJax?.startup?.promise,
    ...[...document.images].map(image => {
        image.loading = "eager";
        return image.decode().catch(() => 0);
    }),
]).then(() => true)"""
UNLOADED = "() => [...document.images].filter(i => !i.naturalWidth).map(i => i.src)"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
WIDEST = """() => [...document.querySelectorAll("body *")]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 3).map(e => e.outerHTML.slice(0, 120))"""
# Boxes with something in them that is wider than they are.
NARROW = """selector => [...document.querySelectorAll(selector)]
    .filter(box => box.scrollWidth > box.clientWidth + 1)
    .map(box => `${box.scrollWidth} in ${box.clientWidth}: ${box.innerText}`
        .slice(0, 120))"""
UNFOLD = """selector => document.querySelectorAll(selector)
    .forEach(details => { details.open = true; })"""
# Names that would differ from what is seen, or are missing.
NAMELESS = """() => [
    ...[...document.querySelectorAll(".search-button-field, summary")]
        .filter(e => !e.textContent.trim() === !e.ariaLabel),
    ...[...document.querySelectorAll("table thead th")].filter(e => !e.textContent.trim()),
    ...document.querySelectorAll("mjx-merror"),
].map(e => e.outerHTML.slice(0, 120))"""
# Mathematics is left out: MathJax's own tree, thousands of nodes that cost a minute.
AXE = """rules => axe.run({include: [["html"]], exclude: [["mjx-container"]]},
    {resultTypes: ["violations"], preload: false, ...(rules ? {runOnly: rules} : {})})
    .then(found => found.violations
        .filter(v => ["serious", "critical"].includes(v.impact))
        .flatMap(v => v.nodes.map(n => `${v.id}: ${n.html.slice(0, 120)}`)))"""
# One token of code of each kind, the first 40 rows of a long table: axe looks at each
# for milliseconds, and a thousand more of the same markup say nothing new.
SHORTEN = """() => {
    const seen = new Set();
    for (const token of document.querySelectorAll(".highlight pre span")) {
        if (seen.has(token.className)) token.replaceWith(token.textContent);
        seen.add(token.className);
    }
    document.querySelectorAll("tbody tr:nth-child(n + 41)").forEach(e => e.remove());
}"""
# What a theme may change: colours, and the padding that makes boxes scroll.
THEMED = ["color-contrast", "link-in-text-block", "scrollable-region-focusable"]
# What can be operated must be reached by Tab, and be seen to have the focus.
LOOK = """
    const look = e => {
        const s = getComputedStyle(e);
        return [s.outlineStyle, s.outlineWidth, s.boxShadow, s.textDecorationLine,
            s.textDecorationThickness, s.backgroundColor, s.borderColor].join();
    };
    const short = e => e.outerHTML.replace(/\\s+/g, " ").slice(0, 120);
"""
WATCH_FOCUS = (
    "() => {"
    + LOOK
    + """
    const able = "a[href], button, input, select, textarea, summary, [tabindex]";
    const shown = e => e.tabIndex >= 0 && !e.disabled
        && e.checkVisibility({visibilityProperty: true});
    // Of radio buttons Tab reaches the chosen one, the arrow keys the others.
    const controls = [...document.querySelectorAll(able)]
        .filter(e => shown(e) && e.type !== "radio");
    window.focusWalk = {dim: [], missed: new Map(controls.map(e => [e, look(e)]))};
    document.addEventListener("focusin", ({target}) => {
        const before = focusWalk.missed.get(target);
        focusWalk.missed.delete(target);
        if (before === undefined) return;
        const style = getComputedStyle(target);
        const ringed = style.outlineStyle !== "none" && style.outlineWidth !== "0px";
        if (!ringed && look(target) === before) focusWalk.dim.push(short(target));
    });
    return controls.length;
}"""
)
WALKED = (
    "() => {"
    + LOOK
    + "return [[...focusWalk.missed.keys()].map(short), focusWalk.dim];}"
)
# A hand on what no key can reach: neither it nor anything around or in it takes focus.
MOUSE_ONLY = """() => [...document.querySelectorAll("main *")].filter(e =>
    getComputedStyle(e).cursor === "pointer"
    && getComputedStyle(e.parentElement).cursor !== "pointer"
    && e.checkVisibility({visibilityProperty: true})
    && !e.closest("a[href], button, summary, label, [tabindex]")
    && !e.querySelector("a[href], button, summary, input, [tabindex]")
).map(e => e.outerHTML.slice(0, 120))"""


@dataclass
class Visit:
    """What was wrong with a page, by kind; every list is empty on a good page."""

    address: str
    failed: list[str] = field(default_factory=list)
    unloaded: list[str] = field(default_factory=list)
    nameless: list[str] = field(default_factory=list)
    axe: dict[str, list[str]] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    dim: list[str] = field(default_factory=list)
    mouse_only: list[str] = field(default_factory=list)
    overflow: dict[int, list[str]] = field(default_factory=dict)
    narrow: dict[int, list[str]] = field(default_factory=dict)
    bytes: int = 0  # of the page and what it loads, without what all pages share


def settle(page) -> None:
    """Wait for what a reader sees: fonts, mathematics and images."""
    page.evaluate(SETTLED)


def visit(page, address: str) -> Visit:
    """Open a page once and look at it in both themes, in every width and on paper."""
    from axe_playwright_python.base import AXE_SCRIPT  # of the extra `browser`

    found = Visit(address)
    watch(page, found)
    page.set_viewport_size(HOME)
    page.goto(address)
    settle(page)
    found.unloaded = page.evaluate(UNLOADED)
    found.nameless = page.evaluate(NAMELESS)
    walk(page, found)
    page.evaluate(UNFOLD, "details")
    for width in PHONES + DESKTOPS:
        measure(page, found, width)
    page.emulate_media(media="print")
    measure(page, found, PAPER)
    page.emulate_media(media="screen")
    page.set_viewport_size(HOME)
    page.evaluate(SHORTEN)
    page.evaluate(AXE_SCRIPT)
    for theme, rules in (("light", None), ("dark", THEMED)):
        page.evaluate(
            "name => { document.documentElement.dataset.theme = name }", theme
        )
        found.axe[theme] = page.evaluate(AXE, rules)
    return found


def watch(page, found: Visit) -> None:
    """Note what the page asks for: from outside, without success, how large."""
    seen = set()

    def on_request(request):
        parts = urlsplit(request.url)
        if parts.scheme not in ("file", "data", "blob"):
            found.failed.append(f"outside: {request.url}")
        path = Path(unquote(parts.path))
        if parts.scheme == "file" and path not in seen and path.is_file():
            seen.add(path)
            found.bytes += 0 if "_static" in path.parts else path.stat().st_size

    def on_failed(request):
        # The search page fetches excerpts, which no browser allows from file://.
        if request.resource_type != "fetch":
            found.failed.append(f"failed: {request.url}")

    page.on("request", on_request)
    page.on("requestfailed", on_failed)


def walk(page, found: Visit) -> None:
    """Press Tab until every control had its turn, or twice as often as they are many.

    More than once each, since browsers also stop at boxes that scroll.
    """
    count = page.evaluate(WATCH_FOCUS)
    for _ in range(0, 2 * count, STEP):
        for _ in range(STEP):
            page.keyboard.press("Tab")
        if page.evaluate("focusWalk.missed.size") == 0:
            break
    found.missed, found.dim = page.evaluate(WALKED)
    found.mouse_only = page.evaluate(MOUSE_ONLY)


def measure(page, found: Visit, width: int) -> None:
    """Note what is wider than the screen, or than the box around it."""
    page.set_viewport_size({"width": width, "height": 800})
    boxes = FIT_A_DESKTOP if width in DESKTOPS else FIT_A_PHONE
    found.narrow[width] = page.evaluate(NARROW, boxes)
    found.overflow[width] = page.evaluate(WIDEST) if page.evaluate(OVERFLOW) > 0 else []
