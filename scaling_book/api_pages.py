"""Pages of the API, a room each, and the links between its names and the chapters.

A page lists names; Sphinx's autodoc puts their docstrings there (see sphinx_api.py).
"""

import re
from html import escape
from pathlib import Path

import yaml

from scaling_book.chapters import ChapterFile
from scaling_book.sphinx_api import linked
from scaling_book.uses import PACKAGE, Entry, used_names, with_constants
from scaling_core.base.codehash import package_root
from scaling_core.base.files import write_atomic

FOLDER = "book/generated/api"
ROOMS = {  # in the order of the pages: title, what is there
    "fitting": ("Fitting", "scaling laws, fits, intervals, compute-optimal sizes"),
    "models": (
        "Models",
        "transformers, residual networks, many small networks at once",
    ),
    "training": ("Training", "loops, sweeps that survive a kill, checkpoints"),
    "rl": ("Reinforcement learning", "losses, advantages, policies and their training"),
    "data": ("Data", "texts, images, tasks with known answers, tables of papers"),
    "base": ("Base", "intervals over runs, slopes, inputs, interactive figures"),
}
FIRST = (  # modules that open their page; the others follow by name
    "fitting.solve",
    "fitting.laws",
    "fitting.result",
    "fitting.compute",
    "models.config",
    "models.transformer",
    "training.settings",
    "training.loop",
    "training.sweep",
    "rl.policy",
    "rl.loop",
)
DIRECTIVES = {"function": "autofunction", "exception": "autoexception"}
LONGEST = 60  # characters of a constant's value that are shown


def has_api(site: Path) -> bool:
    """Tell whether the table of contents of a book lists the pages of the API."""
    return f"file: {FOLDER}/" in (site / "_toc.yml").read_text()


def write_api(site: Path, root: Path, chapters: list[ChapterFile]) -> None:
    """Write the page about the package and one page for each of its rooms."""
    users: dict[str, list[ChapterFile]] = {}
    for chapter in chapters:
        for name in used_names(root, chapter):
            users.setdefault(name, []).append(chapter)
    entries = sorted(with_constants(set(users)).values(), key=_place)
    folder, head = site / FOLDER, _meta(site)
    for room in ROOMS:
        own = [entry for entry in entries if entry.room == room]
        write_atomic(folder / f"{room}.rst", head + room_page(room, own, users))
    write_atomic(folder / "index.md", _index(entries))


def _meta(site: Path) -> str:
    """Return what `myst_html_meta` puts on every other page: it leaves out .rst."""
    config = yaml.safe_load((site / "_config.yml").read_text())["sphinx"]["config"]
    fields = config.get("myst_html_meta", {}).items()
    lines = [f"   :{name}: {value}\n" for name, value in fields]
    return "".join([".. meta::\n", *lines, "\n"]) if lines else ""


def _place(entry: Entry) -> tuple[int, str]:
    """Order the modules; names stay in the order of their source."""
    module = entry.module.removeprefix(f"{PACKAGE}.")
    return FIRST.index(module) if module in FIRST else len(FIRST), module


def _index(entries: list[Entry]) -> str:
    """Return the package's README up to its licence, then a table of its rooms."""
    rows = [
        f"| [{title}]({room}.rst) | `{PACKAGE}.{room}` | {what} "
        f"| {sum(entry.room == room for entry in entries)} |"
        for room, (title, what) in ROOMS.items()
    ]
    head = ["| room | import from | what is there | names |", "|---|---|---|--:|"]
    root = package_root(PACKAGE) or Path()
    readme = (root / PACKAGE / "README.md").read_text().partition("## Licence")[0]
    readme = re.sub(r"\(https://\S+/api/index\.html\)", "(#api-reference)", readme)
    return "\n".join([readme, "(api-reference)=", "## Reference", "", *head, *rows, ""])


def room_page(
    room: str, entries: list[Entry], users: dict[str, list[ChapterFile]]
) -> str:
    """Return a room's page as reStructuredText: names at a glance, then each module."""
    title, what = ROOMS[room]
    parts = [title, "=" * len(title), "", f"{what[0].upper()}{what[1:]}.", ""]
    parts += [_at_a_glance(e) for e in entries if e.kind in ("function", "class")]
    for module in dict.fromkeys(entry.module for entry in entries):
        short = module.removeprefix(f"{PACKAGE}.")
        parts += ["", short, "-" * len(short), "", f".. automodule:: {module}", ""]
        for entry in entries:
            if entry.module == module:
                parts += _directive(entry, users.get(entry.name, []))
    return "\n".join(parts)


def _at_a_glance(entry: Entry) -> str:
    return f"* :py:obj:`{entry.short} <{entry.name}>`: {linked(entry.summary, {})}"


def _directive(entry: Entry, chapters: list[ChapterFile]) -> list[str]:
    if entry.kind == "data":
        where = entry.name.removesuffix(f".{entry.short}")
        lines = [f".. py:data:: {entry.short}", f"   :module: {where}"]
        if 0 < len(entry.summary) <= LONGEST:
            lines.append(f"   :value: {entry.summary}")
    else:
        lines = [f".. {DIRECTIVES.get(entry.kind, 'autoclass')}:: {entry.name}"]
        if entry.kind == "class":
            lines += ["   :members:", "   :member-order: bysource"]
    links = " · ".join(f":doc:`/book/chapters/{c.name}`" for c in chapters)
    foot = ["", "   .. rst-class:: api-users", "", f"   Used in: {links}"]
    return [*lines, *(foot if chapters else []), ""]


def functions_used(root: Path, chapter: ChapterFile) -> str:
    """Return what a chapter uses of the package as a folded list, as HTML."""
    used = used_names(root, chapter)
    api = with_constants(used)
    rows, count = [], 0
    for room in ROOMS:
        own = [entry for entry in api.values() if entry.room == room]
        links = [_link(entry) for entry in own if entry.name in used]
        count += len(links)
        if links:
            head = f'<th scope="row">{room}</th>'
            rows.append(f"<tr>{head}<td>{', '.join(links)}</td></tr>")
    what = f"Names of {PACKAGE} used here, by this page or its study ({count})"
    return (
        f'<details class="provenance api-used"><summary>{what}</summary>'
        f"<table>{''.join(rows)}</table></details>"
    )


def _link(entry: Entry) -> str:
    page = f"../generated/api/{entry.room}.html#{entry.name}"
    title = "" if entry.kind == "data" else escape(entry.summary, quote=True)
    return f'<a href="{page}" title="{title}"><code>{entry.short}</code></a>'
