"""The ledger in memory: each claim with what we measured and the verdict on it."""

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from scaling_book.chapters import ChapterFile, built_record
from scaling_book.claims import Change, Claim, judged_hash, load_ledger
from scaling_book.errors import RecordError
from scaling_book.history import check_against_history
from scaling_book.keys import key_file
from scaling_book.measure import Measured, measure, point_estimate
from scaling_book.records import read_record, refuse_edited
from scaling_book.verdicts import Verdict, change_of, judge


@dataclass(frozen=True)
class Row:
    """One claim at one profile.

    Attributes
    ----------
    accepted
        The verdict on the accepted reference of this profile, if there is one.
    changes
        The changes of what is judged that were made after its run.
    earlier
        Where optional data is absent: what an accepted run measured, and its date.
    """

    claim: Claim
    profile: str
    measured: Measured | None
    verdict: Verdict
    accepted: str | None = None
    changes: tuple[Change, ...] = ()
    lacks_data: bool = False
    earlier: tuple[Measured, str] | None = None

    @property
    def change(self) -> str:
        """How the verdict compares with the accepted one: same, drift or flip."""
        return change_of(self.accepted, self.verdict.word)


@dataclass(frozen=True)
class ChapterLedger:
    """One chapter's rows at the rendered profile, and its accepted references.

    ``older`` names the profiles whose reference was made when the chapter behaved
    otherwise, by the numbers of its smoke run.
    """

    chapter: ChapterFile
    rows: list[Row]
    references: dict[str, list[Row]]
    older: set[str]
    provenance: dict


def judge_record(
    claims: list[Claim], record: dict, accepted: dict | None = None
) -> list[Row]:
    """Return a row for each claim of a chapter, given its record at a profile.

    ``accepted`` is the accepted reference of the same profile, if there is one.

    Raises
    ------
    RecordError
        With a line for each fault: an entry without a claim, a due claim without an
        entry, an entry that does not suit its claim (form, method, number of runs), a
        claim that was changed after its run without a reason.
    """
    made, values = record["provenance"], record["values"]
    due = {c.id for c in claims if c.assessed_in(made["profile"])}
    faults = [
        f"{i}: recorded, but no claim of this profile: put the claim back, or take it "
        "out of the chapter and run it again"
        for i in values
        if i not in due
    ]
    faults += [
        f"{i}: a claim of this profile that was not recorded: measure it in the chapter "
        "and run it again"
        for i in sorted(due - set(values))
    ]
    rows = []
    for claim in claims:
        try:
            rows.append(_row(claim, record, accepted or {}))
        except RecordError as error:
            faults.append(str(error))
    if faults:
        where = f"{made.get('slug', '?')} ({made['profile']})"
        raise RecordError("\n".join(f"{where}, {fault}" for fault in faults))
    return rows


def _row(claim: Claim, record: dict, accepted: dict) -> Row:
    profile = record["provenance"]["profile"]
    entry = record["values"].get(claim.id, {"not_assessed": "not part of this profile"})
    asked = claim.id in record["values"]
    measured = measure(claim, entry, profile)
    verdict = judge(claim, measured, entry.get("not_assessed", ""))
    changes = [changes_since(claim, r) for r in (record, accepted)]
    return Row(
        claim,
        profile,
        measured,
        verdict,
        accepted=accepted.get("verdicts", {}).get(claim.id),
        changes=max(changes, key=len),
        lacks_data=bool(claim.needs) and asked and measured is None,
    )


def judge_reference(claims: list[Claim], reference: dict) -> list[Row]:
    """Return a row for each claim, given an accepted reference of another profile.

    What it does not hold, or holds in a form that no longer suits the claim, is *not
    assessed here*: a new claim must not wait for a run of every profile.
    """
    profile, values = reference["provenance"]["profile"], {}
    for claim in claims:
        if claim.assessed_in(profile):
            absent = {"not_assessed": "the accepted run does not hold it"}
            entry = values[claim.id] = reference["values"].get(claim.id, absent)
            try:
                measure(claim, entry, profile)
            except RecordError as error:
                values[claim.id] = {"not_assessed": str(error)}
    return judge_record(claims, reference | {"values": values})


def changes_since(claim: Claim, record: dict) -> tuple[Change, ...]:
    """Return the ledger's changes of what is judged since a record was made.

    A smoke run judges nothing, so nothing can have changed since.

    Raises
    ------
    RecordError
        If the claim is not the one that was run, and the ledger gives no reason; the
        message holds the lines to add.
    """
    made = record.get("provenance", {})
    then = made.get("claims", {}).get(claim.id)
    if then in (None, judged_hash(claim)) or made["profile"] == "smoke":
        return ()
    known = [change.was for change in claim.changes]
    if then[:8] in known:
        return claim.changes[known.index(then[:8]) :]
    today = datetime.date.today().isoformat()
    raise RecordError(
        f"{claim.id}: its quantity, kind, band, null or interval was changed after the "
        f"run of {made['date']}; say why in data/claims/{claim.slug}.yml:\n"
        f'    changes:\n      - {{was: "{then[:8]}", date: {today}, why: "..."}}'
    )


def smoke_values(root: Path, slug: str, claims: list[Claim]) -> dict[str, float]:
    """Return id -> number of the chapter's committed smoke run: how it behaves.

    Times are left out, since they differ between runs of one code.
    """
    path = root / "tests" / "reference" / f"{slug}.json"
    if not path.is_file():
        return {}
    values = read_record(path)["values"]
    times = {claim.id for claim in claims if claim.timing}
    return {
        i: point_estimate(entry)
        for i, entry in values.items()
        if i not in times and "not_assessed" not in entry
    }


def behaves_otherwise(then: dict[str, float], now: dict[str, float]) -> bool:
    """Tell whether a chapter's smoke run has other ids or numbers than it had.

    >>> behaves_otherwise({"a": 1.0}, {"a": 1.00001}), behaves_otherwise({}, {"a": 1.0})
    (False, True)
    """
    if set(then) != set(now):
        return True
    return not all(
        math.isclose(x, now[i], rel_tol=1e-4, abs_tol=1e-9) for i, x in then.items()
    )


def chapter_ledger(
    root: Path, chapter: ChapterFile, claims: list[Claim], record_file: Path
) -> ChapterLedger:
    """Judge one chapter's record, and its accepted references at other profiles.

    Raises
    ------
    RecordError
        On a record or reference that is damaged, or was edited by hand.
    """
    record = read_record(record_file)
    made, now = record["provenance"], smoke_values(root, chapter.slug, claims)
    if record_file == built_record(root, made["profile"], chapter.slug):
        refuse_edited(record, record_file, key_file(root, chapter, made["profile"]))
    folder = root / "data" / "results" / chapter.slug
    accepted = {path.stem: read_record(path) for path in sorted(folder.glob("*.json"))}
    references = {name: judge_reference(claims, r) for name, r in accepted.items()}
    for name, rows in references.items():
        _check_reference(folder / f"{name}.json", accepted[name], rows)
    dated = [(references[n], accepted[n]["provenance"]["date"]) for n in accepted]
    rows = judge_record(claims, record, accepted.get(made["profile"]))
    rows = [_with_earlier(row, i, dated) for i, row in enumerate(rows)]
    references.pop(made["profile"], None)
    older = {
        n for n in references if behaves_otherwise(accepted[n].get("smoke", {}), now)
    }
    return ChapterLedger(chapter, rows, references, older, made)


def _check_reference(path: Path, reference: dict, rows: list[Row]) -> None:
    """Hold a reference against the history, where its claims are what they were."""
    made, words = reference["provenance"], reference.get("verdicts", {})
    then = made.get("claims", {})
    numbers = {
        row.claim.id: (row.measured.estimate, words.get(row.claim.id))
        for row in rows
        if row.measured and then.get(row.claim.id) == judged_hash(row.claim)
    }
    check_against_history(path, made, numbers)


def _with_earlier(row: Row, i: int, dated: list[tuple[list[Row], str]]) -> Row:
    """Give a row that lacks optional data the number of the first accepted run with it."""
    found = [(rows[i].measured, date) for rows, date in dated if rows[i].measured]
    return replace(row, earlier=found[0]) if row.lacks_data and found else row


def load_book_ledger(
    root: Path, records: Mapping[ChapterFile, Path]
) -> list[ChapterLedger]:
    """Judge every chapter of the book from its record."""
    claims = load_ledger(root)
    return [
        chapter_ledger(root, chapter, claims.get(chapter.slug, []), record)
        for chapter, record in records.items()
    ]
