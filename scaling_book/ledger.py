"""The ledger in memory: each claim with what we measured and the verdict on it."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from scaling_book.claims import Claim, load_ledger
from scaling_book.errors import RecordError, RecordMissing
from scaling_book.execute import ChapterFile
from scaling_book.profile import PROFILES
from scaling_book.verdicts import Verdict, change_of, judge
from scaling_core.base.codehash import source_hash
from scaling_core.base.files import sha256_of_text


@dataclass(frozen=True)
class Row:
    """One claim at one profile."""

    claim: Claim
    profile: str
    entry: dict | None
    verdict: Verdict
    older_code: bool = False

    @property
    def lacks_data(self) -> bool:
        """Tell whether the claim was not assessed because optional data are absent."""
        return bool(self.claim.needs and self.entry and "not_assessed" in self.entry)

    @property
    def change(self) -> str:
        """How the verdict compares with the accepted one: same, drift or flip."""
        return change_of(self.claim.expect.get(self.profile), self.verdict.word)


@dataclass(frozen=True)
class ChapterLedger:
    """One chapter's rows at the rendered profile, and its accepted references."""

    chapter: ChapterFile
    rows: list[Row]
    references: dict[str, list[Row]]
    provenance: dict


def read_record(path: Path) -> dict:
    """Return a record file's content.

    Raises
    ------
    RecordMissing
        If there is none: the chapter has not been run at this profile.
    RecordError
        If the file is not a record.
    """
    if not path.is_file():
        hint = ""
        if path.parent.name in PROFILES:
            hint = f"; run `scaling run {path.stem} --profile {path.parent.name}` first"
        raise RecordMissing(f"{path}: no record{hint}")
    try:
        record = json.loads(path.read_text(), parse_constant=_refuse_constant)
        record["values"], record["provenance"]["profile"]
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path}: not a record of a chapter ({error!r})") from error
    return record


def _refuse_constant(name: str):
    raise ValueError(f"a record holds {name}; records hold finite numbers only")


def judge_record(
    claims: list[Claim], record: dict, profile: str, *, older_code: bool = False
) -> list[Row]:
    """Return a row for each claim of a chapter, given its record at a profile.

    Raises
    ------
    RecordError
        If the record holds an id that the claims file does not.
    """
    unknown = sorted(set(record["values"]) - {c.id for c in claims})
    if unknown:
        raise RecordError(f"the record holds unknown claims {unknown}; run it again")
    rows = []
    for claim in claims:
        entry = record["values"].get(claim.id)
        rows.append(Row(claim, profile, entry, judge(claim, entry), older_code))
    return rows


def made_by_other_code(record: dict, chapter: ChapterFile) -> bool:
    """Tell whether the chapter or what it imports has changed since the record."""
    source = chapter.source.read_text()
    today = (sha256_of_text(source), source_hash(source))
    made = record["provenance"]
    return (made["chapter"], made["package"]) != today


def chapter_ledger(
    root: Path, chapter: ChapterFile, claims: list[Claim], record_file: Path
) -> ChapterLedger:
    """Judge one chapter's record, and its accepted references at other profiles."""
    record = read_record(record_file)
    profile = record["provenance"]["profile"]
    references = {}
    folder = root / "data" / "results" / chapter.slug
    for path in sorted(folder.glob("*.json")):
        if path.stem != profile:
            reference = read_record(path)
            older = made_by_other_code(reference, chapter)
            references[path.stem] = judge_record(
                claims, reference, path.stem, older_code=older
            )
    rows = judge_record(claims, record, profile)
    return ChapterLedger(chapter, rows, references, record["provenance"])


def load_book_ledger(
    root: Path, chapters: list[ChapterFile], records: Path
) -> list[ChapterLedger]:
    """Judge every chapter of the book from the records in one folder."""
    claims = load_ledger(root)
    return [
        chapter_ledger(root, c, claims.get(c.slug, []), records / f"{c.slug}.json")
        for c in chapters
    ]


# --- numbers as people read them -------------------------------------------------


def decimals_for(half_width: float) -> int:
    """Return the decimals that show two significant digits of a half-width.

    >>> decimals_for(0.034), decimals_for(12.0)
    (3, 0)
    """
    if not half_width > 0 or not math.isfinite(half_width):
        return 3
    return max(0, 1 - math.floor(math.log10(half_width)))


def show_number(value: float, decimals: int | None = None) -> str:
    """Format one number: fixed decimals, or four digits, or a power of ten.

    >>> show_number(0.12345), show_number(3.2e-16), show_number(1.5, 2)
    ('0.1235', '3.2e-16', '1.50')
    """
    if decimals is not None:
        text = f"{value:.{decimals}f}"
    elif value and not 1e-3 <= abs(value) < 1e5:
        text = f"{value:.1e}"
    else:
        text = f"{value:.4g}"
    return text if "e" in text else text.replace("-", "−")


def show_entry(entry: dict | None, unit: str = "") -> str:
    """Format our number: estimate, 95 % interval and number of runs."""
    if entry is None or "not_assessed" in entry:
        return "–"
    value, unit = entry["estimate"], f" {unit}" if unit else ""
    if "low" not in entry:
        return show_number(value) + unit
    low, high = entry["low"], entry["high"]
    places = min(decimals_for((high - low) / 2), 6)
    numbers = [show_number(x, places) for x in (value, low, high)]
    return f"{numbers[0]} [{numbers[1]}, {numbers[2]}]{unit}, {entry['n']} runs"


def show_band(claim: Claim) -> str:
    """Format a band: an interval, or one bound.

    >>> from types import SimpleNamespace as N
    >>> show_band(N(band=(0.5, None), unit=""))
    '≥ 0.5'
    """
    if claim.band is None:
        return "–"
    low, high = (None if x is None else f"{x:g}".replace("-", "−") for x in claim.band)
    unit = f" {claim.unit}" if claim.unit else ""
    if high is None:
        return f"≥ {low}{unit}"
    return f"≤ {high}{unit}" if low is None else f"{low} to {high}{unit}"


def show_published(claim: Claim) -> str:
    """Format what the paper printed, with its place in the paper."""
    published = claim.published
    if published is None:
        return "–"
    place = published.where + (" (secondary)" if published.source != "seen" else "")
    if published.value is None:
        return place
    text = f"{published.value:g}".replace("-", "−")
    if published.uncertainty is not None:
        text += f" ± {published.uncertainty:g}"
        text += f" ({published.of})" if published.of else ""
    return f"{text}{' ' + claim.unit if claim.unit else ''}, {place}"


def moved(rows: list[Row], reference_file: Path) -> list[str]:
    """Return a line for each number whose interval misses the reference's interval."""
    reference = read_record(reference_file)["values"]
    lines = []
    for row in rows:
        theirs, ours = reference.get(row.claim.id), row.entry
        if not ours or not theirs or "low" not in ours or "low" not in theirs:
            continue
        if ours["high"] < theirs["low"] or ours["low"] > theirs["high"]:
            unit = row.claim.unit
            shown = f"{show_entry(theirs, unit)}, now {show_entry(ours, unit)}"
            lines.append(f"{row.claim.id}: was {shown}")
    return lines
