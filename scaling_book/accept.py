"""Accept a run as the reference, on purpose: record, curves, verdicts, history."""

import json
import re
from pathlib import Path

from scaling_book.chapters import ChapterFile, built_record
from scaling_book.claims import load_ledger
from scaling_book.curves import accept_curves, refuse_other_curves
from scaling_book.errors import AcceptError
from scaling_book.history import append_history
from scaling_book.keys import key_file, made_by_other_code
from scaling_book.ledger import Row, judge_record, smoke_values
from scaling_book.provenance import commit_of
from scaling_book.records import read_record, refuse_edited
from scaling_core.base.files import write_atomic


def accept(
    root: Path, chapter: ChapterFile, profile: str, record_file: Path | None = None
) -> list[Row]:
    """Copy a clean record to ``data/results`` with verdicts and curves; note its numbers.

    With it go the numbers of the chapter's smoke run: a reference is old when they
    have moved. With a ``record_file``, an empty ``profile`` is the record's own. What
    was run before its code was committed counts as run from the commit that holds it.

    Raises
    ------
    AcceptError
        If the record is a smoke run, of another profile, was made from uncommitted or
        other code, with parameters other than the profile's, or without optional data
        that the accepted reference had.
    """
    path = record_file or built_record(root, profile, chapter.slug)
    record = read_record(path)
    profile = profile or record["provenance"]["profile"]
    _refuse(record, chapter, path, profile)
    if record_file is None:
        refuse_edited(record, path, key_file(root, chapter, profile))
    if record["provenance"]["dirty"]:
        record["provenance"] |= _commit_that_holds_it(root, path)
        write_atomic(path, _as_text(record))
    folder = root / "data" / "results"
    target = folder / chapter.slug / f"{profile}.json"
    accepted = read_record(target) if target.exists() else None
    claims = load_ledger(root).get(chapter.slug, [])
    rows = judge_record(claims, record, accepted)
    _refuse_lost(rows, path)
    record["verdicts"] = {
        row.claim.id: row.verdict.word
        for row in rows
        if row.claim.id in record["values"]
    }
    record["smoke"] = smoke_values(root, chapter.slug, claims)
    # The reference last: killed before it, the same command does all of it again.
    lines = _history_rows(rows, record["provenance"])
    append_history(folder / "history.csv", lines)
    accept_curves(record, path, target.parent)
    write_atomic(target, _as_text(record))
    return rows


def _refuse(record: dict, chapter: ChapterFile, path: Path, profile: str) -> None:
    made = record["provenance"]
    if made["profile"] != profile:
        raise AcceptError(f"{path}: made at {made['profile']}; asked for {profile}")
    if made["profile"] == "smoke":
        raise AcceptError(f"{path}: a smoke run is not a reference")
    if made.get("parameters"):
        raise AcceptError(f"{path}: made with parameters {made['parameters']}")
    if made_by_other_code(record, chapter):
        raise AcceptError(f"{path}: made by other code than today's; run it again")
    refuse_other_curves(record, path)


def _commit_that_holds_it(root: Path, path: Path) -> dict:
    """Return today's commit for a record made by today's code, which must be in it."""
    now = commit_of(root)
    if now["dirty"] is not False:
        raise AcceptError(f"{path}: made from uncommitted changes; commit, then accept")
    return now


def _refuse_lost(rows: list[Row], path: Path) -> None:
    """Refuse a record in which absent data would undo verdicts that were accepted."""
    lost = [row.claim for row in rows if row.lacks_data and row.change == "drift"]
    if lost:
        files = ", ".join(sorted({name for claim in lost for name in claim.needs}))
        raise AcceptError(
            f"{path}: {len(lost)} claims that were judged before are not assessed, for "
            f"want of {files}; `scaling fetch`, then run again"
        )


def _as_text(record: dict) -> str:
    """Return a record as JSON with each row of numbers on a line of its own."""
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    return re.sub(r"\[[-+\s\d.,e]+\]", lambda row: " ".join(row[0].split()), text)


def _history_rows(rows: list[Row], made: dict) -> list[list]:
    found = []
    for row in rows:
        if row.measured:
            interval = row.measured.interval
            ends = [interval.low, interval.high] if interval else ["", ""]
            who = [made["date"], made["commit"], row.profile, row.claim.id]
            numbers = [row.measured.estimate, *ends]
            found.append([*who, *numbers, row.verdict.word, made["device"]])
    return found
