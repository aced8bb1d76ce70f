"""Accept a run as the reference, on purpose: record, expected verdicts, history."""

import csv
import io
import json
import re
from pathlib import Path

from scaling_book.claims import load_ledger
from scaling_book.errors import AcceptError
from scaling_book.execute import ChapterFile
from scaling_book.ledger import (
    Row,
    judge_record,
    made_by_other_code,
    read_record,
)
from scaling_core.base.files import write_atomic

HISTORY = ["date", "commit", "profile", "claim", "estimate", "low", "high", "verdict"]


def accept(
    root: Path, chapter: ChapterFile, profile: str, record_file: Path | None = None
) -> list[Row]:
    """Copy a clean record to ``data/results`` and write ``expect`` into the claims.

    With a ``record_file``, an empty ``profile`` is the record's own.

    Raises
    ------
    AcceptError
        If the record is a smoke run, of another profile, was made from uncommitted or
        other code, with parameters other than the profile's, or without optional data
        that the accepted reference had.
    """
    path = record_file or root / "build" / "records" / profile / f"{chapter.slug}.json"
    record = read_record(path)
    profile = profile or record["provenance"]["profile"]
    _refuse(record, chapter, path, profile)
    claims = load_ledger(root)[chapter.slug]
    rows = judge_record(claims, record, profile)
    _refuse_lost(rows, path)
    folder = root / "data" / "results"
    target = folder / chapter.slug / f"{profile}.json"
    write_atomic(target, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    claims_file = root / "data" / "claims" / f"{chapter.slug}.yml"
    text = claims_file.read_text()
    for row in rows:
        if row.entry is not None:
            text = set_expect(text, row.claim.id, profile, row.verdict.word)
    write_atomic(claims_file, text)
    _append_history(folder / "history.csv", rows, record["provenance"])
    return rows


def _refuse(record: dict, chapter: ChapterFile, path: Path, profile: str) -> None:
    made = record["provenance"]
    if made["profile"] != profile:
        raise AcceptError(f"{path}: made at {made['profile']}; asked for {profile}")
    if made["profile"] == "smoke":
        raise AcceptError(f"{path}: a smoke run is not a reference")
    if made["dirty"]:
        raise AcceptError(f"{path}: made from uncommitted changes; commit, run, accept")
    if made.get("parameters"):
        raise AcceptError(f"{path}: made with parameters {made['parameters']}")
    if made_by_other_code(record, chapter):
        raise AcceptError(f"{path}: made by other code than today's; run it again")


def _refuse_lost(rows: list[Row], path: Path) -> None:
    """Refuse a record in which absent data would undo verdicts that were accepted."""
    lost = [row.claim for row in rows if row.lacks_data and row.change == "drift"]
    if lost:
        files = ", ".join(sorted({name for claim in lost for name in claim.needs}))
        raise AcceptError(
            f"{path}: {len(lost)} claims that were judged before are not assessed, for "
            f"want of {files}; `scaling fetch`, then run again"
        )


def set_expect(text: str, claim_id: str, profile: str, word: str) -> str:
    """Return the claims file with one expected verdict set, all else as it stands.

    The file is written by people: only the ``expect`` line of the claim changes.

    >>> print(set_expect("claims:\\n  - id: a.b\\n    says: x\\n", "a.b", "cpu", "agrees"))
    claims:
      - id: a.b
        says: x
        expect: {cpu: agrees}
    <BLANKLINE>
    """
    blocks = re.split(r"(?m)^(?=\s*- id: )", text)
    for i, block in enumerate(blocks):
        head = re.match(r"(\s*)- id: (\S+)", block)
        if head and head[2].strip("\"'") == claim_id:
            blocks[i] = _expect_in_block(block, head[1], profile, word)
            return "".join(blocks)
    raise AcceptError(f"{claim_id}: no such claim in the claims file")


def _expect_in_block(block: str, indent: str, profile: str, word: str) -> str:
    found = re.search(r"(?m)^\s*expect: \{(.*)\}\s*$", block)
    pairs = dict(p.split(": ") for p in found[1].split(", ") if p) if found else {}
    pairs[profile] = word
    inner = ", ".join(f"{k}: {v}" for k, v in pairs.items())
    line = f"{indent}  expect: {{{inner}}}\n"
    if found:
        return block[: found.start()] + line + block[found.end() :].lstrip("\n")
    body = block.rstrip("\n")
    return f"{body}\n{line}" + "\n" * (len(block) - len(body) - 1)


def _append_history(path: Path, rows: list[Row], made: dict) -> None:
    """Append a line per number; lines of a record accepted before stand there already."""
    old = path.read_text() if path.is_file() else ",".join(HISTORY) + "\n"
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in rows:
        if row.entry and "estimate" in row.entry:
            numbers = [row.entry.get(k, "") for k in ("estimate", "low", "high")]
            who = [made["date"], made["commit"], row.profile, row.claim.id]
            writer.writerow([*who, *numbers, row.verdict.word])
    known = set(old.splitlines())
    new = [line for line in buffer.getvalue().splitlines() if line not in known]
    write_atomic(path, old + "".join(f"{line}\n" for line in new))
