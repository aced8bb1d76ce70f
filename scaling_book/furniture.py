"""What every chapter's page carries beside its text: head, citation, provenance, links."""

import re
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import nbformat
import yaml

from scaling_book.cost import full_seconds
from scaling_book.curves import curves_path
from scaling_book.ledger import ChapterLedger
from scaling_book.sources import functions_behind, source_link
from scaling_core.base.files import write_atomic

WORDS_PER_MINUTE = 200
CODE_LINES_PER_MINUTE = 20
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
GENERATED = "book/generated/records"


@dataclass(frozen=True)
class Page:
    """What the furniture of one chapter is made of.

    Attributes
    ----------
    root
        The book's sources, for links to code and ``CITATION.cff``.
    data
        Pages' addresses of the files to download: what they are -> path from the
        site's root.
    papers
        Key of the bibliography -> link to the paper's row on the page of papers.
    """

    root: Path
    ledger: ChapterLedger
    data: dict[str, str]
    papers: dict[str, str] = field(default_factory=dict)

    @property
    def made(self) -> dict:
        """The provenance of the record that the page shows."""
        return self.ledger.provenance

    def source(self, path: str, name: str = "") -> str:
        """Return the address of a file, or a function in it, at the page's commit."""
        return source_link(self.root, self.made["commit"], path, name)


def copy_data(record: Path, ledger: ChapterLedger, site: Path) -> dict[str, str]:
    """Put the record that a page shows, and its curves, where the page offers them."""
    stem = f"{ledger.chapter.slug}-{ledger.provenance['profile']}"
    files = {"record": (record, f"{stem}.json")}
    if "curves" in ledger.provenance and curves_path(record).is_file():
        files["curves"] = (curves_path(record), f"{stem}-curves.csv")
    for path, name in files.values():
        write_atomic(site / GENERATED / name, path.read_bytes())
    return {what: f"/{GENERATED}/{name}" for what, (_, name) in files.items()}


def reading_minutes(notebook: nbformat.NotebookNode) -> int:
    """Return how long a chapter takes to read: its words, and its open lines of code.

    A formula counts as the words that it is written with.

    >>> cell = nbformat.v4.new_markdown_cell("word " * 1000)
    >>> reading_minutes(nbformat.v4.new_notebook(cells=[cell]))
    5
    """
    words = lines = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            words += len(cell.source.split())
        elif not FOLDED & {*cell.metadata.get("tags", [])}:
            lines += len(cell.source.splitlines())
    return max(1, round(words / WORDS_PER_MINUTE + lines / CODE_LINES_PER_MINUTE))


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it.

    >>> duration(18.2), duration(982)
    ('18 s', '16 minutes')
    """
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def head(page: Page, minutes: int) -> str:
    """Return the lines under a chapter's question: times, profile, files, citation."""
    name, made = page.ledger.chapter.name, page.made
    reading = "1 minute" if minutes == 1 else f"{minutes} minutes"
    seconds, bounded = full_seconds({"provenance": made})
    least = "at least " if bounded else ""
    run = f"{least}{duration(seconds)} to run at `{made['profile']}`"
    lines = [
        f":::{{div}} chapter-head\n{reading} to read · {run} ({made['device']}, "
        f"{made['date']})",
        ":::\n:::{div} chapter-downloads",
        f"{{download}}`Executed notebook (.ipynb) <{name}.ipynb>` · "
        f"{{download}}`Source (.py) <../../notebooks/{name}.py>` · "
        f"[Source in the repository]({page.source(f'notebooks/{name}.py')}) · "
        + " · ".join(
            f"{{download}}`{k.title()} ({Path(v).suffix}) <{v}>`"
            for k, v in page.data.items()
        ),
        ":::",
    ]
    return "\n".join(lines) + cite_box(page)


def cite_box(page: Page) -> str:
    """Return the folded citation of a chapter (nothing without ``CITATION.cff``)."""
    entry = citation(page)
    if not entry:
        return ""
    return (
        "\n\n````{admonition} Cite this chapter\n:class: dropdown cite\n"
        f"```bibtex\n{entry}\n```\n````"
    )


def citation(page: Page) -> str:
    """Return a chapter's BibTeX entry; authors and title of the book from the cff."""
    path = page.root / "CITATION.cff"
    if not path.is_file():
        return ""
    book = yaml.safe_load(path.read_text())
    chapter, made = page.ledger.chapter, page.made
    profile = f"profile {made['profile']}, run of {made['date']}"
    fields = {
        "author": " and ".join(map(_author, book["authors"])),
        "title": f"{{{_tex(chapter.title)}}}",
        "booktitle": f"{{{_tex(book['title'])}}}",
        "year": made["date"][:4],
        "url": f"{book['url'].rstrip('/')}/book/chapters/{chapter.name}.html",
        "note": f"Version {book['version']}, commit {made['commit']}, {profile}",
    }
    width = max(map(len, fields))
    lines = [f"  {k:{width}} = {{{v}}}" for k, v in fields.items()]
    key = f"scaling-replicated-{chapter.slug}"
    return f"@incollection{{{key},\n" + ",\n".join(lines) + "\n}"


def _author(who: dict) -> str:
    """Return a person as family and given names; the comma of a group's name is kept."""
    if "name" in who:
        return f"{{{_tex(who['name'])}}}"
    return f"{_tex(who['family-names'])}, {_tex(who['given-names'])}"


def _tex(text: str) -> str:
    """Escape what BibTeX would read as a command; formulas stay as they are."""
    parts = re.split(r"(\$[^$]+\$)", text)
    parts[::2] = [re.sub(r"([&%#_])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def figure_line(page: Page, code: str) -> str:
    """Return the small line under a figure: its code, its data, profile and date."""
    made = page.made
    data = ", ".join(f"{{download}}`{k} <{v}>`" for k, v in page.data.items())
    return (
        f"Code: {code}. Data: {data}. Profile {made['profile']}, seeds from "
        f"{made['first_seed']}, {made['date']}."
    )


def forest_line(page: Page) -> str:
    """Return the line under the plot of a chapter's claims, which the book draws."""
    link = page.source("scaling_book/forest.py", "draw_forest")
    return figure_line(page, f"[`draw_forest`]({link})")


def code_links(page: Page, cells: list, at: int, anchor: str) -> str:
    """Return links to the code of a figure: its cell on this page, and the study's.

    ``cells`` are the notebook's code cells, ``at`` the figure's. A cell that the page
    does not show is linked in the repository.
    """
    shown = not {"remove-input", "remove-cell"} & {*cells[at].metadata.get("tags", [])}
    notebook = page.source(f"notebooks/{page.ledger.chapter.name}.py")
    links = [f'<a href="#{anchor}">cell</a>' if shown else f"[notebook]({notebook})"]
    for found in functions_behind(page.root, [c.source for c in cells], at):
        name = f"{Path(found.path).stem}.{found.name}"
        links.append(f"[`{name}`]({page.source(found.path, found.name)})")
    return ", ".join(links)


def furnish_figures(notebook: nbformat.NotebookNode, page: Page) -> None:
    """Give every figure its line, and the cell that drew it an anchor to link to.

    The line ends the caption; an interactive figure, which has none, is followed by it.
    """
    code, furnished = [c for c in notebook.cells if c.cell_type == "code"], []
    for cell in notebook.cells:
        figure = cell.metadata.get("mystnb", {}).get("figure")
        if not (figure or is_interactive(cell)):
            furnished.append(cell)
            continue
        at = next(i for i, c in enumerate(code) if c is cell)
        anchor = "code-" + (figure or {}).get("name", f"cell-{at}")
        line = figure_line(page, code_links(page, code, at, anchor))
        mark = f'<div class="code-anchor" id="{anchor}"></div>'
        furnished += [nbformat.v4.new_markdown_cell(mark), cell]
        if figure:
            figure["caption"] += f"\n\n{line}"
        else:
            under = f":::{{div}} figure-line\n{line}\n:::"
            furnished.append(nbformat.v4.new_markdown_cell(under))
    notebook.cells = furnished


def is_interactive(cell) -> bool:
    """Tell whether a cell shows a figure that plotly draws in the browser."""
    pages = (o.get("data", {}).get("text/html", "") for o in cell.get("outputs", []))
    return any("plotly" in html for html in pages)


def provenance_block(provenance: dict) -> str:
    """Return the folded provenance of a chapter's numbers."""
    seconds = provenance["seconds"]
    facts = {
        "Profile": provenance["profile"],
        "Date": provenance["date"],
        "Commit": provenance["commit"]
        + (" (with uncommitted changes)" if provenance["dirty"] else ""),
        "Device": f"{provenance['device']}, {provenance['threads']} thread(s)",
        "Versions": ", ".join(f"{k} {v}" for k, v in provenance["versions"].items()),
        "Seeds": f"from {provenance['first_seed']} upwards",
        "Chapter, package, lock": ", ".join(
            str(provenance[k])[:12] for k in ("chapter", "package", "lock")
        ),
        "Data read": ", ".join(
            f"{name} ({digest[:12] if digest else 'absent'})"
            for name, digest in provenance["inputs"].items()
        )
        or "none",
        "Seconds": ", ".join(f"{k} {s:g}" for k, s in seconds.items())
        + f"; {provenance['total_seconds']:g} in all",
    }
    rows = "".join(
        f'<tr><th scope="row">{escape(k)}</th><td>{escape(v)}</td></tr>'
        for k, v in facts.items()
    )
    return (
        '<details class="provenance"><summary>Provenance of the numbers on this page'
        f"</summary><table>{rows}</table></details>"
    )
