"""HTML and MyST fragments: claim cards, tables, provenance, generated pages."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import zip_longest

from scaling_book.ledger import ChapterLedger, Row
from scaling_book.numbers import (
    in_brackets,
    show_band,
    show_measured,
    show_number,
    show_published,
    with_unit,
)
from scaling_book.verdicts import MOVING, Verdict, false_agreements

FOLD_ABOVE = 8  # a longer list of judged cards is folded: the table below has all


def anchor(claim_id: str) -> str:
    """Return the HTML id of a claim's card."""
    return "claim-" + claim_id.replace(".", "-")


def chip(verdict: Verdict) -> str:
    """Return a verdict as a chip of symbol and word."""
    css = {"holds in the stand-in": "stand-in", "not assessed here": "not-assessed"}
    name = css.get(verdict.word, verdict.word.replace(" ", "-"))
    reason = escape(verdict.reason, quote=True)
    return (
        f'<span class="chip {name}" title="{reason}"><span aria-hidden="true">'
        f"{verdict.symbol}</span> {verdict.word}</span>"
    )


def card(row: Row, papers: Mapping[str, str]) -> str:
    """Return one claim as a card: says, paper, ours, band (or why not), verdict."""
    claim = row.claim
    link = papers.get(claim.paper, "")
    facts = {f"Paper ({link})" if link else "Paper": escape(show_published(claim))}
    if claim.kind == "out-of-reach":
        facts["Why"] = escape(claim.why)
    else:
        facts[f"Ours ({row.profile})"] = ours_cell(row)
    if claim.band:
        facts["Band"] = escape(show_band(claim))
    cells = "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in facts.items())
    primary = " primary" if claim.primary else ""
    return (
        f'<div class="claim-card{primary}" id="{anchor(claim.id)}">'
        f'<p class="claim-says">{escape(claim.says)}</p>'
        f'<dl class="claim-facts">{cells}</dl>{chip(row.verdict)}</div>'
    )


def ours_cell(row: Row) -> str:
    """Return our number with what a reader must know beside it, as HTML."""
    measured, unit, notes = row.measured, row.claim.unit, []
    if row.earlier:
        then, date = row.earlier
        notes.append(f"{show_measured(then, unit)} in the accepted run of {date}")
    if measured and measured.leave_one_out:
        low, high = map(show_number, measured.leave_one_out)
        notes.append(f"{low} to {high} leaving one size out")
    if measured and measured.half_trained:
        half = with_unit(in_brackets(measured.half_trained), unit)
        moving = f"; {MOVING}" if row.verdict.reason == MOVING else ""
        notes.append(f"at half of the training: {half}{moving}")
    notes += [
        f"what is judged was changed after its run ({c.date}): {c.why}"
        for c in row.changes
    ]
    small = "".join(f"<br><small>{escape(note)}</small>" for note in notes)
    return escape(show_measured(measured, unit)) + small


def cards(ledger: ChapterLedger, papers: Mapping[str, str]) -> str:
    """Return the cards of a chapter in groups.

    What carries it, the other judged claims, the identities as one card, our own
    findings, and what is out of reach; the last two are folded. ``papers``: key of the
    bibliography -> link to its row on the page of papers.
    """
    groups: dict[str, list[Row]] = {}
    for row in ledger.rows:
        kind = row.claim.kind
        own = kind in ("identity", "finding", "out-of-reach")
        name = "primary" if row.claim.primary else kind if own else "judged"
        groups.setdefault(name, []).append(row)
    shown = {k: [card(row, papers) for row in rows] for k, rows in groups.items()}
    judged = shown.get("judged", [])
    parts = [
        *shown.get("primary", []),
        _fold("Judged besides", judged, is_open=len(judged) <= FOLD_ABOVE),
        _identities(groups.get("identity", [])),
        _fold("Findings of ours", shown.get("finding", [])),
        _fold("Out of reach here", shown.get("out-of-reach", [])),
    ]
    return f'<div class="claim-cards">{"".join(parts)}</div>'


def _fold(what: str, cards: list[str], *, is_open: bool = False) -> str:
    """Return a group of cards behind its count (nothing if it is empty)."""
    if not cards:
        return ""
    head = f"<summary>{what} ({len(cards)})</summary>"
    return f"<details{' open' if is_open else ''}>{head}{''.join(cards)}</details>"


def _identities(rows: list[Row]) -> str:
    """Return what tests our code as one card, a line each."""
    if not rows:
        return ""
    lines = "".join(
        f'<li id="{anchor(row.claim.id)}">{escape(row.claim.says)}: '
        f"{ours_cell(row)} {chip(row.verdict)}</li>"
        for row in rows
    )
    holding = sum(row.verdict.word == "holds" for row in rows)
    return (
        '<div class="claim-card identities"><p class="claim-says">Exact statements '
        f"that test our code: {holding} of {len(rows)} hold</p><ul>{lines}</ul></div>"
    )


def claims_table(ledger: ChapterLedger, papers: Mapping[str, str]) -> str:
    """Return ours against the paper as a table, references at other profiles beside."""
    others = ledger.references
    heads = ["Claim", "Paper", "Band, null", f"Ours ({ledger.provenance['profile']})"]
    heads += [f"Reference ({name})" for name in others] + ["Verdict"]
    body = []
    for i, row in enumerate(ledger.rows):
        cells = [_reference_cell(others[p][i], p in ledger.older) for p in others]
        body.append(_table_row(row, cells, papers.get(row.claim.paper, "")))
    caption = "Each claim, the paper's number, our number and the computed verdict."
    return html_table(heads, body, caption)


def _reference_cell(row: Row, older_code: bool) -> str:
    text = escape(show_measured(row.measured, row.claim.unit))
    if row.measured is None:
        return text
    older = "<br><small>measured with older code</small>" if older_code else ""
    return f"{text}<br>{chip(row.verdict)}{older}"


def _table_row(row: Row, beside: list[str], paper: str) -> list[str]:
    claim = row.claim
    band = escape(show_band(claim))
    if claim.null:
        null = f"null: {show_number(claim.null.value)} ({claim.null.what})"
        band += f"<br><small>{escape(null)}</small>"
    says = f'<a href="#{anchor(claim.id)}">{escape(claim.says)}</a>'
    detail = f"<br><small>{escape(claim.quantity)}</small>"
    printed = escape(show_published(claim))
    printed += paper and f"<br><small>{paper}</small>"
    shown = [printed, band, ours_cell(row)]
    return [says + detail, *shown, *beside, chip(row.verdict)]


def html_table(
    heads: Sequence[str],
    body: list[list[str]],
    caption: str,
    css: str = "",
    attributes: Sequence[str] = (),
) -> str:
    """Return a table as HTML; ``attributes`` are those of each row's tag.

    Roles: on a phone the rows are shown as cards, each cell under its label.
    """
    head = "".join(
        f'<th scope="col" role="columnheader">{escape(h)}</th>' for h in heads
    )
    rows = "".join(
        f'<tr role="row"{given and " "}{given}>'
        + "".join(
            f'<td role="cell" data-label="{escape(label)}">{cell}</td>'
            for label, cell in zip(heads, row, strict=True)
        )
        + "</tr>"
        for row, given in zip_longest(body, attributes, fillvalue="")
    )
    return (
        f'<div class="table-scroll" tabindex="0" role="region" '
        f'aria-label="{escape(caption, quote=True)}">'
        f'<table class="claims-table {css}" role="table"><caption>{escape(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{rows}</tbody></table></div>'
    )


def chance_sentence(rows: Sequence[Row]) -> str:
    """Say how many false agreements chance alone would give."""
    judged = [
        row.claim
        for row in rows
        if row.measured and row.measured.interval and row.claim.band
    ]
    expected = false_agreements(judged)
    return (
        f"Claims judged from an interval: {len(judged)}. Were every one of them false "
        f"by a hair, chance alone would still let {expected:.2g} pass as *agrees* "
        "on average (at most 2.5 % each)."
    )
