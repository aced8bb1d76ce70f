"""Record files: their form, and a seal that shows when one was edited after its run."""

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scaling_book.errors import RecordError, RecordMissing
from scaling_book.measure import check_shapes, form_of
from scaling_book.profile import PROFILES
from scaling_book.reading import read_json
from scaling_core.base.files import sha256_of_text

Number = Annotated[float, Field(allow_inf_nan=False)]


class _Form(BaseModel):
    """A part of a record: types as in JSON, nothing converted."""

    model_config = ConfigDict(strict=True, extra="allow")


class _Resamples(_Form):
    method: Literal["bootstrap", "jackknife"]
    estimate: Number
    n: Annotated[int, Field(gt=0)]
    replicates: list[Number]


class _Entry(_Form):
    model_config = ConfigDict(strict=True, extra="forbid")

    runs: Annotated[list[Number], Field(min_length=1)] = [0.0]
    leave_one_out: list[list[Number]] = []
    half_trained: list[Number] = []
    resamples: _Resamples | None = None
    value: Number = 0.0
    tolerance_of: str = ""
    not_assessed: str = ""


class _Provenance(_Form):
    profile: Literal["smoke", "cpu", "gpu"]
    date: str
    commit: str
    dirty: bool | None
    chapter: str
    package: str
    lock: str | None
    inputs: dict[str, str | None]
    device: str
    threads: int | str
    versions: dict[str, str]
    first_seed: int
    seconds: dict[str, Number]
    total_seconds: Number
    claims: dict[str, str] = {}
    curves: str | None = None


class _Record(_Form):
    values: dict[str, _Entry]
    provenance: _Provenance
    verdicts: dict[str, str] = {}
    smoke: dict[str, Number] = {}


def read_record(path: Path) -> dict:
    """Return a record file's content.

    Raises
    ------
    RecordMissing
        If there is none: the chapter has not been run at this profile.
    RecordError
        If the file is not a record: damaged, or of another form.
    """
    if not path.is_file():
        hint = ""
        if path.parent.name in PROFILES:
            hint = f"; run `scaling run {path.stem} --profile {path.parent.name}` first"
        raise RecordMissing(f"{path}: no record{hint}")
    record = read_json(path, RecordError)
    try:
        _Record.model_validate(record)
        for name, entry in record["values"].items():
            form_of(entry, name)
            check_shapes(name, entry)
    except (RecordError, ValidationError) as error:
        raise RecordError(
            f"{path}: not a record of a chapter: {_first_fault(error)}"
        ) from error
    return record


def _first_fault(error: RecordError | ValidationError) -> str:
    if isinstance(error, RecordError):
        return str(error)
    faults = error.errors()
    more = f" (and {len(faults) - 1} faults more)" if len(faults) > 1 else ""
    place = ".".join(map(str, faults[0]["loc"]))
    return f"{place}: {faults[0]['msg']}{more}"


def seal(record: dict) -> str:
    """Return a hash of what a verdict is made of: numbers, and the claims then.

    >>> seal({"values": {}, "provenance": {"date": "today"}})[:8]
    'dee36ace'
    """
    judged = [record["values"], record["provenance"].get("claims", {})]
    return sha256_of_text(json.dumps(judged, sort_keys=True))


def refuse_edited(record: dict, path: Path, key: Path) -> None:
    """Refuse a record that is not the one whose seal its run left in the key.

    Raises
    ------
    RecordError
        If the numbers, or what they were judged by, were changed after the run.
    """
    kept = read_json(key, RecordError) if key.is_file() else {}
    if not isinstance(kept, dict):
        raise RecordError(f"{key}: not a key of a run; run the chapter again")
    made = kept.get("seal")
    if made not in (None, seal(record)):
        raise RecordError(
            f"{path}: not what its run wrote: numbers or hashes of claims were edited "
            "since; run the chapter again"
        )
