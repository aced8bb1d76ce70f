"""Render: executed notebooks + records + claims -> pages, then the HTML book.

Cheap and repeatable: no chapter runs here, and everything written is generated.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from scaling_book import api_pages, furniture, pages
from scaling_book.all_claims import all_claims_page
from scaling_book.assets import copy_assets
from scaling_book.chapters import (
    ChapterFile,
    built_record,
    executed_path,
    list_chapters,
    pick_chapters,
)
from scaling_book.claims import load_ledger
from scaling_book.errors import RecordMissing, RenderError
from scaling_book.exponents import exponents_page
from scaling_book.forest import draw_forest, drawable
from scaling_book.history_page import history_page
from scaling_book.landing import landing_page
from scaling_book.ledger import ChapterLedger, Row, load_book_ledger
from scaling_book.lint import complaints, numbers_by_hand
from scaling_book.measured import mark_measured
from scaling_book.notebooks import set_ids, write_notebook
from scaling_book.numbers import fill_quotes, without_signed_zero
from scaling_book.overview import Entry, load_entries
from scaling_book.papers import Paper, load_survey, papers_page, quoted_papers
from scaling_book.reading import read_notebook
from scaling_book.rerun_page import cost_page
from scaling_book.verdicts import judge
from scaling_core.base.files import write_atomic

CARDS = "<!-- claims:cards -->"
TABLE = "<!-- claims:table -->"
GLUED = "application/papermill.record/text/plain"
UNPINNED = 'COMMIT = "main"'
SOURCES = ("_config.yml", "_toc.yml", "index.md", "book", "notebooks")


@dataclass(frozen=True)
class Rendered:
    """A rendered book: where its HTML lies, every judged row, chapters left out."""

    html: Path
    rows: list[Row]
    absent: list[str]


@dataclass(frozen=True)
class _Run:
    """Where the run that a page shows lies: this tree's, or the committed smoke run."""

    root: Path
    chapter: ChapterFile
    profile: str
    committed: bool

    @property
    def record(self) -> Path:
        if self.committed:
            return self.root / "tests" / "reference" / f"{self.chapter.slug}.json"
        return built_record(self.root, self.profile, self.chapter.slug)

    @property
    def notebook(self) -> Path:
        if self.committed:
            return self.root / "tests" / "reference" / f"{self.chapter.name}.ipynb"
        return executed_path(self.root, self.profile, self.chapter.name)


def render(
    root: Path,
    profile: str,
    *,
    references: bool = False,
    only: Sequence[str] = (),
    out: Path | None = None,
    say=print,
) -> Rendered:
    """Render the book: fill the pages, build the HTML, judge every claim.

    A chapter without a notebook is left out, and named in ``absent``. With
    ``references`` the committed smoke runs of ``tests/reference`` are rendered (into
    ``out``, a copy of the sources), so that tests never wait for a chapter; with
    ``only``, those of all chapters but the named ones.

    Raises
    ------
    RenderError
        If a chapter has not been executed, a placeholder is missing, or the book
        builder reports any warning.
    """
    listed = list_chapters(root)
    absent = [chapter for chapter in listed if chapter.missing]
    chapters = [chapter for chapter in listed if not chapter.missing]
    entries = load_entries(root, chapters)
    named = {chapter.slug for chapter in pick_chapters(root, list(only))}
    runs = {
        chapter.slug: _Run(
            root, chapter, profile, references or chapter.slug not in named
        )
        for chapter in chapters
    }
    try:
        ledgers = load_book_ledger(root, {c: runs[c.slug].record for c in chapters})
    except RecordMissing as error:
        hint = "" if only else ", or name the chapters that were: `scaling render SLUG`"
        raise RenderError(f"{error}{hint}") from error
    site = root if out is None else _stage(root, out)
    rows = {row.claim.id: row for ledger in ledgers for row in ledger.rows}
    quotable = rows | _unmeasured(root, absent, profile)
    for chapter in absent:
        _write_stub(site, chapter)
    survey = load_survey(root)
    quoted = quoted_papers(root, survey)
    links = {key: paper.link for key, paper in quoted.items()}
    measured: set[str] = set()
    for ledger in ledgers:
        run = runs[ledger.chapter.slug]
        data = furniture.copy_data(run.record, ledger, site)
        page = furniture.Page(root, ledger, data, links)
        measured |= _write_chapter(site, run.notebook, page, quotable)
    folder = site / "book" / "generated"
    write_atomic(folder / "papers.md", papers_page(ledgers, survey, quoted, folder))
    claims = all_claims_page(ledgers, quoted, measured, folder)
    write_atomic(folder / "all-claims.md", claims)
    _write_generated(root, site, ledgers, entries, quoted)
    if api_pages.has_api(site):
        api_pages.write_api(site, root, chapters)
    copy_assets(site)
    html = build_html(site, say)
    complaints = [chapter.missing_message for chapter in absent]
    return Rendered(html, list(rows.values()), complaints)


def _unmeasured(root: Path, absent: list[ChapterFile], profile: str) -> dict[str, Row]:
    """Return the claims of chapters without a notebook, for pages that quote them."""
    ledger = load_ledger(root) if absent else {}
    return {
        claim.id: Row(claim, profile, None, judge(claim, None, chapter.missing_message))
        for chapter in absent
        for claim in ledger.get(chapter.slug, [])
    }


def _page_of(site: Path, chapter: ChapterFile) -> Path:
    return site / "book" / "chapters" / f"{chapter.name}.ipynb"


def _write_stub(site: Path, chapter: ChapterFile) -> None:
    """Write the page of a chapter without a notebook, so that the others build."""
    text = f"# {chapter.slug}\n\n{chapter.missing_message}: nothing is shown here."
    page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    set_ids(page, chapter.name)
    write_notebook(page, _page_of(site, chapter))


def _stage(root: Path, out: Path) -> Path:
    """Copy the sources of the pages to another folder and return it."""
    ignore = shutil.ignore_patterns("chapters", "generated", "vendor", "__pycache__")
    for name in SOURCES:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, out / name, ignore=ignore, dirs_exist_ok=True)
        else:
            out.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, out / name)
    return out


def _write_chapter(
    site: Path, source: Path, page: furniture.Page, rows: dict[str, Row]
) -> set[str]:
    """Write a chapter's page; return the claims whose measuring cell has an anchor."""
    chapter = page.ledger.chapter
    if not source.is_file():
        raise RenderError(f"{source}: not executed yet; run `scaling run` first")
    notebook, name = read_notebook(source, RenderError), chapter.source.name
    for fault in complaints(notebook.cells, name):
        raise RenderError(fault)
    for fault in numbers_by_hand(notebook.cells, name, page.ledger):
        raise RenderError(fault)
    for i, cell in enumerate(notebook.cells):
        where = f"{name}, cell {i}"
        figure = cell.metadata.get("mystnb", {}).get("figure")
        if cell.cell_type == "markdown":
            cell.source = fill_quotes(cell.source, rows, where)
        elif figure:
            figure["caption"] = fill_quotes(figure["caption"], rows, where)
        for output in cell.get("outputs", []):
            if GLUED in output.get("data", {}):
                output.data[GLUED] = without_signed_zero(output.data[GLUED])
    ours = [r.claim.id for r in page.ledger.rows if r.claim.kind != "out-of-reach"]
    measured = mark_measured(notebook, ours)
    fill_chapter(notebook, page, site)
    write_notebook(notebook, _page_of(site, chapter))
    return measured


def fill_chapter(notebook, page: furniture.Page, site: Path) -> None:
    """Fill the placeholders of an executed chapter and add what every page carries.

    Raises
    ------
    RenderError
        If the chapter lacks a placeholder or the set-up cell.
    """
    ledger, minutes = page.ledger, furniture.reading_minutes(notebook)
    _replace(notebook, CARDS, pages.cards(ledger, page.papers), ledger)
    table = pages.claims_table(ledger, page.papers)
    table += "\n\n" + pages.chance_sentence(ledger.rows)
    line = furniture.forest_line(page)
    figure = _forest(ledger.rows, ledger.chapter.slug, site, line)
    _replace(notebook, TABLE, f"{figure}{table}", ledger)
    commit = ledger.provenance["commit"]
    if commit != "unknown":
        _replace(notebook, UNPINNED, f'COMMIT = "{commit}"', ledger)
    furniture.furnish_figures(notebook, page)
    head = furniture.head(page, minutes)
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(head))
    if api_pages.has_api(site):
        used = api_pages.functions_used(page.root, ledger.chapter)
        notebook.cells.append(nbformat.v4.new_markdown_cell(used))
    block = furniture.provenance_block(ledger.provenance)
    notebook.cells.append(nbformat.v4.new_markdown_cell(block))
    set_ids(notebook, ledger.chapter.name)


def _replace(notebook, placeholder: str, text: str, ledger: ChapterLedger) -> None:
    cells = [c for c in notebook.cells if placeholder in c.source]
    if len(cells) != 1:
        raise RenderError(
            f"{ledger.chapter.source.name}: {placeholder!r} stands in {len(cells)} "
            "cells; allowed: exactly one"
        )
    cells[0].source = cells[0].source.replace(placeholder, text)


def _forest(rows: list[Row], name: str, site: Path, line: str = "") -> str:
    """Draw a forest plot and return the MyST figure for it (nothing if no rows)."""
    rows = drawable(rows)
    if not rows:
        return ""
    path = f"book/generated/forest-{name}.svg"
    alt = draw_forest(rows, site / path)
    caption = (
        "Ours (blue, 95 % interval over runs), the paper's value (grey, dashed), the "
        "band in which we call the claim confirmed (shaded) and the null (cross); "
        "each row has its own axis."
    ) + (line and f"\n\n{line}")
    label = f"fig-forest-{name}"
    return f"```{{figure}} /{path}\n:alt: {alt}\n:name: {label}\n\n{caption}\n```\n\n"


def _write_generated(
    root: Path,
    site: Path,
    ledgers: list[ChapterLedger],
    entries: dict[str, Entry],
    quoted: dict[str, Paper],
) -> None:
    """Write the pages about the whole book; the chapters' pages are there already."""
    folder = site / "book" / "generated"
    write_atomic(folder / "history.md", history_page(root, ledgers))
    write_atomic(folder / "exponents.md", exponents_page(ledgers, quoted, site))
    write_atomic(folder / "cost.md", cost_page(ledgers))
    write_atomic(folder / "landing.md", landing_page(ledgers, entries, site))


def build_html(site: Path, say=print) -> Path:
    """Build the HTML from nothing, warnings as errors, and swap it in when whole.

    Raises
    ------
    RenderError
        With the builder's complaints; the earlier pages stay as they were.
    """
    fresh = site / "build" / "site"
    shutil.rmtree(fresh, ignore_errors=True)
    builder = Path(sys.executable).parent / "jupyter-book"
    command = [builder, "build", site, "--path-output", fresh]
    strict = ["-W", "-n", "--keep-going"]
    done = subprocess.run([*command, *strict], capture_output=True, text=True)
    log = write_atomic(site / "build" / "site.log", done.stdout + done.stderr)
    if done.returncode != 0:
        lines = log.read_text().splitlines()
        complaints = [x for x in lines if "WARNING" in x or "ERROR" in x] or lines[-3:]
        raise RenderError("\n".join([*complaints, f"the whole log: {log}"]))
    html = site / "_build" / "html"
    old = site / "build" / "site-old"
    shutil.rmtree(old, ignore_errors=True)
    html.parent.mkdir(exist_ok=True)
    if html.exists():
        html.rename(old)
    (fresh / "_build" / "html").rename(html)
    shutil.rmtree(old, ignore_errors=True)
    say(f"the book: {html / 'index.html'}")
    return html


def failures(rows: list[Row]) -> list[str]:
    """Return one line for each verdict that flipped against the accepted one."""
    return [_changed(row) for row in rows if row.change == "flip"]


def drifts(rows: list[Row]) -> list[str]:
    """Return one line for each verdict that moved to or from an undecided one.

    Claims that only lack optional data share one line, which says how to get it.
    """
    moved = [row for row in rows if row.change == "drift"]
    lines = [_changed(row) for row in moved if not row.lacks_data]
    if count := len(moved) - len(lines):
        lines.append(
            f"{count} claim{'s are' if count > 1 else ' is'} not assessed for want of "
            "optional data; "
            "`scaling fetch` brings it, nothing is wrong without"
        )
    return lines


def _changed(row: Row) -> str:
    return (
        f"{row.claim.id} ({row.profile}): accepted {row.accepted}, "
        f"got {row.verdict.word}"
    )
