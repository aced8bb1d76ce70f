"""What the book says of each chapter in one line, and the rows that its pages show.

Question, answer and picture stand in ``data/chapters.yml``. An answer rests on verdicts
that it names; where one of them has moved, the page says so in the answer's place.
"""

import base64
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat
import yaml
from pydantic import Field, ValidationError

from scaling_book.chapters import ChapterFile
from scaling_book.claims import Strict
from scaling_book.errors import RenderError
from scaling_book.ledger import ChapterLedger, Row
from scaling_book.numbers import fill_quotes
from scaling_core.base.files import write_atomic

FILE = "data/chapters.yml"
PICTURES = "_static/vendor/pictures"  # copied with the static files, not in git
PICTURE_WIDTH = 640
UNJUDGED = "not assessed here"


class Entry(Strict):
    """What the landing page says of one chapter.

    Attributes
    ----------
    rests_on
        Claim -> the verdict for which the answer was written.
    figure
        Name of the figure that pictures the chapter; empty for its forest plot.
    minutes
        What a first run at cpu takes on one core, where its record does not tell.
    """

    theme: str
    question: str
    answer: str
    rests_on: dict[str, str] = Field(default_factory=dict)
    figure: str = ""
    minutes: float


def load_entries(root: Path, chapters: Iterable[ChapterFile]) -> dict[str, Entry]:
    """Return slug -> entry of ``data/chapters.yml`` for the chapters, in their order.

    Raises
    ------
    RenderError
        If the file does not parse, or lacks a chapter: the message says what to write.
    """
    path = root / FILE
    given = yaml.safe_load(path.read_text()) if path.is_file() else {}
    entries = {}
    for chapter in chapters:
        if chapter.slug not in (given or {}):
            raise RenderError(
                f"{FILE}: no entry for the chapter {chapter.slug!r}; write its theme, "
                "question, answer, rests_on, figure and minutes"
            )
        try:
            entries[chapter.slug] = Entry.model_validate(given[chapter.slug])
        except ValidationError as error:
            raise RenderError(f"{FILE}: {chapter.slug}: {error}") from error
    return entries


def shown_rows(ledger: ChapterLedger) -> list[Row]:
    """Return the rows that pages about the whole book show.

    Those of the run that is rendered; a smoke run judges nothing, so the accepted run
    at cpu stands in for it where there is one.
    """
    smoke = ledger.provenance["profile"] == "smoke"
    return ledger.references.get("cpu", ledger.rows) if smoke else ledger.rows


def answer(entry: Entry, rows: Mapping[str, Row], slug: str) -> str:
    """Return the chapter's answer with its numbers, or which verdict has moved.

    A claim that is not assessed here moves nothing: its verdict is of another run.

    Raises
    ------
    RenderError
        If the answer rests on, or quotes, a claim that does not exist.
    """
    for claim_id, word in entry.rests_on.items():
        if claim_id not in rows:
            raise RenderError(
                f"{FILE}: {slug} rests on {claim_id!r}, which no claim is"
            )
        got = rows[claim_id].verdict.word
        if got not in (word, UNJUDGED):
            return (
                f"To be rewritten: “{rows[claim_id].claim.says}” now reads {got}, "
                f"no longer {word}."
            )
    return fill_quotes(entry.answer, rows, f"{FILE}, {slug}")


def write_picture(site: Path, chapter: ChapterFile, figure: str) -> tuple[str, str]:
    """Write a chapter's figure small; return its path from the site's root, and its alt.

    Without a figure's name, or a picture in its cell, both are empty.

    Raises
    ------
    RenderError
        If the chapter has no figure of this name.
    """
    if not figure:
        return "", ""
    page = site / "book" / "chapters" / f"{chapter.name}.ipynb"
    for cell in nbformat.read(page, as_version=4).cells:
        if cell.metadata.get("mystnb", {}).get("figure", {}).get("name") == figure:
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            return _small_png(cell, site, chapter.slug), alt
    raise RenderError(f"{FILE}: {chapter.slug} has no figure {figure!r}")


def _small_png(cell: nbformat.NotebookNode, site: Path, slug: str) -> str:
    from PIL import Image

    images = [
        o.data["image/png"] for o in cell.outputs if "image/png" in o.get("data", {})
    ]
    if not images:
        return ""
    image = Image.open(io.BytesIO(base64.b64decode(images[0]))).convert("RGB")
    image.thumbnail((PICTURE_WIDTH, PICTURE_WIDTH))
    buffer = io.BytesIO()
    image.quantize(64).save(buffer, "PNG", optimize=True)
    path = f"{PICTURES}/{slug}.png"
    write_atomic(site / "book" / path, buffer.getvalue())
    return path
