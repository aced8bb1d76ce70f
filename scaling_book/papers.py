"""The page of papers: the survey of ``data/papers.csv``, and what became of each.

Nobody writes a status. A paper's claims give it where there are any; for the others the
survey says which chapter is to take the paper up, or why none can.
"""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from scaling_book.errors import RenderError
from scaling_book.ledger import ChapterLedger, Row
from scaling_book.overview import UNJUDGED, shown_rows
from scaling_book.pages import anchor
from scaling_book.tables import WIDE, filter_table, short_list, write_downloads
from scaling_core.base.errors import UsageError

FILE = "data/papers.csv"
COLUMNS = ["arxiv", "title", "authors", "year", "cluster", "testable_claim"]
COLUMNS += ["replication", "chapter", "why"]
STATUSES = {  # status -> what it means
    "replicated": "a claim of it was judged, from runs or calculations of ours",
    "re-fitted": "its published numbers were fitted again, and judged by that",
    "measured": "its claims have rows, none of which is judged",
    "planned": "a chapter is to take it up",
    "open": "within reach, and no chapter is planned",
    "out of reach": "no profile of this book can test it",
}
HEADS = ["Paper", "Cluster", "What can be tested, or why nothing", "Status"]
HEADS += ["Claims here"]


@dataclass(frozen=True)
class Paper:
    """A paper of the survey, or one that only a claim quotes.

    Attributes
    ----------
    chapter
        The chapter that is to take it up, where none has yet.
    why
        Why no chapter can.
    """

    title: str
    authors: str
    year: str
    arxiv: str = ""
    url: str = ""
    cluster: str = "quoted beside the survey"
    testable_claim: str = ""
    replication: str = ""
    chapter: str = ""
    why: str = ""

    @property
    def anchor(self) -> str:
        """The HTML id of its row."""
        name = self.arxiv or self.title
        return "paper-" + re.sub(r"\W+", "-", name.lower()).strip("-")

    @property
    def short(self) -> str:
        """Authors and year, or the title where they are not known."""
        return f"{self.authors} {self.year}".strip() if self.authors else self.title

    @property
    def link(self) -> str:
        """A link to its row, for the pages in book/generated and book/chapters."""
        to = f"../generated/papers.html#{self.anchor}"
        return f'<a href="{to}">{escape(self.short)}</a>'


def load_survey(root: Path) -> list[Paper]:
    """Read the survey.

    Raises
    ------
    RenderError
        On other columns, a paper listed twice, or one that names a chapter to come and
        a reason why none can.
    """
    path = root / FILE
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != COLUMNS:
            raise RenderError(
                f"{FILE}: columns {reader.fieldnames}; allowed: {COLUMNS}"
            )
        papers = [Paper(**row) for row in reader]
    anchors = Counter(paper.anchor for paper in papers)
    if twice := [x for x, n in anchors.items() if n > 1]:
        raise RenderError(f"{FILE}: listed twice: {', '.join(twice)}")
    for paper in papers:
        if paper.chapter and paper.why:
            raise RenderError(
                f"{FILE}: {paper.title!r} is planned for {paper.chapter!r} and out of "
                f"reach ({paper.why}); leave one"
            )
    return papers


def quoted_papers(root: Path, survey: Sequence[Paper]) -> dict[str, Paper]:
    """Return key of the bibliography -> its paper of the survey, else of its own entry.

    Raises
    ------
    UsageError
        If the bibliography does not parse, or an entry has no author or title.
    """
    from pybtex.database import parse_file
    from pybtex.exceptions import PybtexError

    try:
        entries = parse_file(root / "book" / "references.bib").entries
    except PybtexError as error:
        raise UsageError(f"book/references.bib: {error}") from error
    by_arxiv = {paper.arxiv: paper for paper in survey if paper.arxiv}
    found = {}
    for key, entry in entries.items():
        text = f"{entry.fields.get('url', '')} {entry.fields.get('note', '')}"
        number = re.search(r"\d{4}\.\d{4,5}", text)
        arxiv = number[0] if number else ""
        try:
            found[key] = by_arxiv.get(arxiv) or _of_entry(entry, arxiv)
        except (KeyError, ValueError, PybtexError) as error:
            fault = f"lacks {error}" if isinstance(error, KeyError) else error
            raise UsageError(f"book/references.bib: {key}: {fault}") from error
    return found


def _of_entry(entry, arxiv: str) -> Paper:
    """Return the paper of an entry of the bibliography."""
    from pybtex.richtext import Text

    names = [
        str(Text.from_latex(" ".join(p.last_names))) for p in entry.persons["author"]
    ]
    authors = names[0] if names else ""
    if len(names) == 2 and names[1] != "others":
        authors = f"{names[0]} and {names[1]}"
    elif len(names) > 1:
        authors = f"{names[0]} et al."
    title = str(Text.from_latex(entry.fields["title"]))
    year, url = entry.fields.get("year", ""), entry.fields.get("url", "")
    return Paper(title, authors, year, arxiv, url)


def status(paper: Paper, rows: Sequence[Row]) -> str:
    """Return what became of a paper, from the rows of its claims."""
    kinds = {row.claim.kind for row in rows}
    judged = {row.claim.kind for row in rows if _judged(row)} - {"identity"}
    if judged:
        return "re-fitted" if judged == {"refit"} else "replicated"
    if kinds - {"out-of-reach"}:
        return "measured"
    if kinds or paper.why:
        return "out of reach"
    return "planned" if paper.chapter else "open"


def _judged(row: Row) -> bool:
    """Tell whether a claim has a verdict here or, for want of data, in the accepted run."""
    words = {row.verdict.word, row.accepted or UNJUDGED}
    return row.claim.band is not None and words != {UNJUDGED}


def papers_page(
    ledgers: Sequence[ChapterLedger],
    survey: Sequence[Paper],
    quoted: Mapping[str, Paper],
    folder: Path,
) -> str:
    """Return the page of papers; its rows as files go to ``folder``."""
    of: dict[Paper, list[tuple[ChapterLedger, Row]]] = {paper: [] for paper in survey}
    for ledger in ledgers:
        for row in shown_rows(ledger):
            of.setdefault(quoted[row.claim.paper], []).append((ledger, row))
    stands = {p: status(p, [row for _, row in found]) for p, found in of.items()}
    of = {p: of[p] for p in sorted(of, key=lambda p: list(STATUSES).index(stands[p]))}
    counts = Counter(stands[p] for p in survey)
    listed = ", ".join(f"{counts[word]} {word}" for word in STATUSES if counts[word])
    meaning = "; ".join(f"*{word}*: {what}" for word, what in STATUSES.items())
    files = [_record(p, stands[p], found) for p, found in of.items()]
    parts = [
        f"{WIDE}# Papers",
        f"A survey of {len(survey)} papers about scaling, and what became of each here: "
        f"{listed}. Code reads the status off the claims. Below stand "
        f"{len(of) - len(survey)} more that claims quote.",
        f"{meaning}.",
        write_downloads(folder, "papers", files),
        _table(of, stands),
    ]
    return "\n\n".join(parts) + "\n"


def _table(
    of: Mapping[Paper, list[tuple[ChapterLedger, Row]]], stands: Mapping[Paper, str]
) -> str:
    titles = [short_list([x.chapter.title for x, _ in found]) for found in of.values()]
    return filter_table(
        HEADS,
        [_cells(paper, stands[paper], found) for paper, found in of.items()],
        "Papers about scaling, what can be tested of them, and what became of each.",
        ids=[paper.anchor for paper in of],
        filters={
            "cluster": [paper.cluster for paper in of],
            "status": list(stands.values()),
            "chapter": titles,
        },
        css="papers",
    )


def _cells(
    paper: Paper, stands: str, found: Sequence[tuple[ChapterLedger, Row]]
) -> list[str]:
    url = f"https://arxiv.org/abs/{paper.arxiv}" if paper.arxiv else paper.url
    title = escape(paper.title)
    named = f'<a href="{url}">{title}</a>' if url else title
    who = escape(f"{paper.authors} {paper.year}".strip())
    number = f" · arXiv {paper.arxiv}" if paper.arxiv else ""
    return [
        f"{named}<br><small>{who}{number}</small>",
        escape(paper.cluster),
        _tested_cell(paper, stands, found),
        f'<span class="status">{stands}</span>',
        _claims_cell(found),
    ]


def _tested_cell(
    paper: Paper, stands: str, found: Sequence[tuple[ChapterLedger, Row]]
) -> str:
    """Return the claim to test, and what is to be done, or why nothing can be."""
    notes = []
    if stands == "out of reach":
        notes = [row.claim.why for _, row in found] or [paper.why]
    elif stands in ("planned", "open"):
        notes = [f"For the chapter “{paper.chapter}”." if paper.chapter else ""]
        notes.append(paper.replication)
    parts = [escape(paper.testable_claim)]
    parts += [f"<small>{escape(note)}</small>" for note in notes if note]
    return "<br>".join(filter(None, parts)) or "–"


def _claims_cell(found: Sequence[tuple[ChapterLedger, Row]]) -> str:
    """Return a mark for each claim of a paper, linked to its card."""
    if not found:
        return "–"
    marks = []
    for ledger, row in found:
        page = f"../chapters/{ledger.chapter.name}.html"
        says = escape(f"{row.claim.says}: {row.verdict.word}", quote=True)
        marks.append(
            f'<a href="{page}#{anchor(row.claim.id)}" title="{says}" '
            f'aria-label="{says}">{row.verdict.symbol}</a>'
        )
    return f'<span class="marks">{"".join(marks)}</span>'


def _record(
    paper: Paper, stands: str, found: Sequence[tuple[ChapterLedger, Row]]
) -> dict:
    """Return a paper as plain values, for CSV and JSON."""
    return {
        "title": paper.title,
        "authors": paper.authors,
        "year": paper.year,
        "arxiv": paper.arxiv,
        "cluster": paper.cluster,
        "testable_claim": paper.testable_claim,
        "status": stands,
        "planned_for": paper.chapter,
        "why": paper.why,
        "claims": " ".join(row.claim.id for _, row in found),
    }
