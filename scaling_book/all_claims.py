"""The page of all claims: one table to filter, and the same rows as files."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from html import escape
from pathlib import Path

from scaling_book.ledger import ChapterLedger, Row
from scaling_book.measured import anchor_measured
from scaling_book.numbers import show_band, show_published
from scaling_book.overview import shown_rows
from scaling_book.pages import anchor, chance_sentence, chip, ours_cell
from scaling_book.papers import Paper
from scaling_book.tables import WIDE, filter_table, write_downloads
from scaling_book.verdicts import SYMBOLS

HEADS = ["Claim", "Chapter", "Paper", "Kind", "Published", "Band"]
HEADS += ["Ours", "Verdict"]


def all_claims_page(
    ledgers: Sequence[ChapterLedger],
    papers: Mapping[str, Paper],
    measured: Collection[str],
    folder: Path,
) -> str:
    """Return the page of every claim; its rows as files go to ``folder``.

    Parameters
    ----------
    papers
        Key of the bibliography -> paper.
    measured
        The claims whose measuring cell has an anchor.
    """
    pairs = [(x, row) for x in ledgers for row in shown_rows(x)]
    rows = [row for _, row in pairs]
    files = [
        as_record(row, x.chapter.title, papers[row.claim.paper]) for x, row in pairs
    ]
    parts = [
        f"{WIDE}# All claims",
        "Every claim of the book with the paper’s number, ours, and the verdict that "
        f"code computed from the two. {summary_sentence(rows)} {_profile(ledgers)}",
        chance_sentence(rows),
        changes_sentence(rows),
        write_downloads(folder, "claims", files),
        _table(pairs, papers, measured),
    ]
    return "\n\n".join(parts) + "\n"


def _profile(ledgers: Sequence[ChapterLedger]) -> str:
    """Say where a page built from smoke runs has its numbers."""
    if all(x.provenance["profile"] != "smoke" for x in ledgers):
        return ""
    return "A smoke run judges nothing, so the accepted runs at cpu are shown."


def _table(
    pairs: Sequence[tuple[ChapterLedger, Row]],
    papers: Mapping[str, Paper],
    measured: Collection[str],
) -> str:
    rows = [row for _, row in pairs]
    filters = {
        "chapter": [x.chapter.title for x, _ in pairs],
        "paper": [papers[row.claim.paper].short for row in rows],
        "kind": [row.claim.kind for row in rows],
        "verdict": [row.verdict.word for row in rows],
    }
    body = [_cells(x, row, papers[row.claim.paper], measured) for x, row in pairs]
    return filter_table(
        HEADS,
        body,
        "Every claim with the paper’s number, ours, and the computed verdict.",
        ids=["row-" + anchor(row.claim.id) for row in rows],
        filters=filters,
        css="all-claims",
    )


def _cells(
    ledger: ChapterLedger, row: Row, paper: Paper, measured: Collection[str]
) -> list[str]:
    claim, page = row.claim, f"../chapters/{ledger.chapter.name}.html"
    says = f'<a href="{page}#{anchor(claim.id)}">{escape(claim.says)}</a>'
    if claim.id in measured:
        says += (
            f'<br><small><a href="{page}#{anchor_measured(claim.id)}">where it is '
            "measured</a></small>"
        )
    carries = "<br><small>carries its chapter</small>" if claim.primary else ""
    return [
        f"{says}<br><small><code>{claim.id}</code></small>",
        escape(ledger.chapter.title),
        paper.link,
        f"{claim.kind}, {claim.scope}{carries}",
        escape(show_published(claim)),
        escape(show_band(claim)),
        escape(claim.why) if claim.kind == "out-of-reach" else ours_cell(row),
        chip(row.verdict),
    ]


def as_record(row: Row, chapter: str, paper: Paper) -> dict:
    """Return a row as plain values, for CSV and JSON."""
    claim, measured = row.claim, row.measured
    published, interval = claim.published, measured.interval if measured else None
    low, high = claim.band or (None, None)
    return {
        "id": claim.id,
        "chapter": chapter,
        "says": claim.says,
        "quantity": claim.quantity,
        "paper": paper.title,
        "arxiv": paper.arxiv,
        "where": published.where if published else "",
        "published": published.value if published else None,
        "published_uncertainty": published.uncertainty if published else None,
        "kind": claim.kind,
        "scope": claim.scope,
        "primary": claim.primary,
        "band_low": low,
        "band_high": high,
        "null": claim.null.value if claim.null else None,
        "null_is": claim.null.what if claim.null else "",
        "profile": row.profile,
        "ours": measured.estimate if measured else None,
        "ours_low": interval.low if interval else None,
        "ours_high": interval.high if interval else None,
        "runs": interval.n if interval else None,
        "unit": claim.unit,
        "verdict": row.verdict.word,
        "why": row.verdict.reason,
    }


def changes_sentence(rows: Sequence[Row]) -> str:
    """Count the claims whose judged fields were changed after a run."""
    ever = sum(bool(row.claim.changes) for row in rows)
    since = sum(bool(row.changes) for row in rows)
    what = "quantity, kind, band, null or interval changed after a run"
    if not ever:
        return f"No claim had its {what}."
    return (
        f"Claims that had their {what}: {ever}, each with a reason; of these, {since} "
        "after the run that is shown or accepted here (said beside them)."
    )


def summary_sentence(rows: Sequence[Row]) -> str:
    """Count the verdicts in words, identities (which test our code) apart."""
    counts = Counter(row.verdict.word for row in rows if row.claim.kind != "identity")
    listed = ", ".join(f"{w} {counts[w]}" for w in SYMBOLS if counts[w])
    what = "1 claim" if counts.total() == 1 else f"{counts.total()} claims"
    sentence = f"Of {what}: {listed}."
    if checks := [row for row in rows if row.claim.kind == "identity"]:
        holding = sum(row.verdict.word == "holds" for row in checks)
        sentence += f" Of {len(checks)} identities that test our code, {holding} hold."
    return sentence
