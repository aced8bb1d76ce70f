"""The ledger: what papers say and what we accept as confirmation.

A claim is a row of ``data/claims/<slug>.yml``; the schema below refuses the ways a
ledger can lie (a published value outside its own band, a null inside it, a band on a
finding). Judging is done elsewhere (``verdicts.py``): a chapter imports the schema,
so that changing how verdicts are made retrains nothing.
"""

import datetime
import json
import math
import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from scaling_book.errors import ClaimsError
from scaling_book.reading import one_line, read_text, read_yaml
from scaling_core.base.files import sha256_of_text, write_atomic

Kind = Literal[
    "exact",
    "refit",
    "statistical",
    "direction",
    "identity",
    "finding",
    "out-of-reach",
]
Method = Literal[
    "t", "t-log", "t-fisher-z", "clopper-pearson", "bootstrap", "jackknife"
]
Cause = Literal[
    "spectrum",
    "dimension",
    "variance",
    "overlap",
    "depth",
    "examples",
    "compute",
    "optimiser",
]
TOLERANCE_KINDS = {"exact", "refit", "identity"}
JUDGED_FIELDS = {"quantity", "kind", "band", "null", "interval"}


class Strict(BaseModel):
    """A frozen model that refuses unknown keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True
    )


class Published(Strict):
    """What the paper printed: a number (or none, for a direction) and where."""

    value: float | None = None
    uncertainty: float | None = None
    of: str = Field("", description="what the uncertainty is")
    where: str
    source: Literal["seen", "secondary"]


class Null(Strict):
    """What an untrained net, random choice or finite size alone would give."""

    what: str
    value: float


class Exponent(Strict):
    """Marks the claim's number as an exponent: of what, in what, set by what.

    ``minus`` says what is subtracted where it is a difference of two exponents.
    """

    of: str
    in_: str = Field(alias="in")
    cause: Cause = Field(description="what sets it, by the paper or by us")
    minus: str = ""


class Change(Strict):
    """A change of what is judged, after a run: the hash before it, when, and why."""

    was: str = Field(pattern="^[0-9a-f]{8}$")
    date: datetime.date
    why: str = Field(min_length=1)


class Claim(Strict):
    """One published statement, with the band in which we would call it confirmed."""

    id: str
    paper: str
    says: str
    quantity: str
    published: Published | None = None
    kind: Kind
    scope: Literal["same", "scaled-down", "stand-in"]
    band: tuple[float | None, float | None] | None = None
    band_from: str | None = None
    null: Null | None = None
    interval: Method | None = None
    unit: str = ""
    primary: bool = False
    profiles: tuple[Literal["cpu", "gpu"], ...] = ("cpu", "gpu")
    needs: tuple[str, ...] = ()
    exponent: Exponent | None = None
    timing: bool = Field(False, description="a time, other in each run of one code")
    changes: tuple[Change, ...] = ()
    why: str = ""

    @property
    def slug(self) -> str:
        """The chapter the claim belongs to."""
        return self.id.split(".")[0]

    def assessed_in(self, profile: str) -> bool:
        """Tell whether a chapter run at ``profile`` must record this claim."""
        if self.kind == "out-of-reach":
            return False
        return profile == "smoke" or profile in self.profiles

    def inside(self, value: float) -> bool:
        """Tell whether ``value`` lies in the band."""
        low, high = self.limits
        return low <= value <= high

    @property
    def limits(self) -> tuple[float, float]:
        """The band with open ends as infinities."""
        low, high = self.band or (None, None)
        return (
            -math.inf if low is None else low,
            math.inf if high is None else high,
        )

    @model_validator(mode="after")
    def _refuse(self):
        for complaint in _complaints(self):
            raise ValueError(complaint)
        return self


def _complaints(claim: Claim):
    """Yield every reason why the ledger must not hold this claim."""
    judged = claim.kind not in ("finding", "out-of-reach")
    if not re.fullmatch(r"[a-z0-9-]+\.[a-z0-9-]+", claim.id):
        yield f"id {claim.id!r} is not of the form <slug>.<short-name>"
    if judged and claim.band is None:
        yield f"kind {claim.kind} needs a band"
    if judged and claim.kind != "identity" and claim.published is None:
        yield (
            "a judged claim says where the paper states it (published); a statement "
            "of ours is a finding, or an identity where it is exact"
        )
    if not judged and (claim.band is not None or claim.band_from):
        yield f"a {claim.kind} has no band"
    if claim.kind == "out-of-reach" and not claim.why:
        yield "an out-of-reach claim says why"
    without_runs = claim.kind in TOLERANCE_KINDS or claim.kind == "out-of-reach"
    if (claim.interval is None) != without_runs and claim.kind != "finding":
        yield f"interval is for claims with runs; kind is {claim.kind}"
    if judged:
        yield from _band_complaints(claim)


def _band_complaints(claim: Claim):
    low, high = claim.limits
    if not low < high:
        yield f"band {claim.band} is empty or swapped"
    if math.isinf(low) and math.isinf(high):
        yield "a band open at both ends accepts everything"
    if claim.kind == "direction" and high != math.inf:
        yield "a direction's band is [smallest effect, null]"
    if not re.match(r"(paper|theory|pilot)\b", claim.band_from or ""):
        yield f"band_from starts with paper, theory or pilot; got {claim.band_from!r}"
    value = claim.published.value if claim.published else None
    if value is not None and not claim.inside(value):
        yield f"published value {value} lies outside the band {claim.band}"
    if claim.null is not None and claim.inside(claim.null.value):
        yield f"null {claim.null.value} lies inside the band {claim.band}"


def judged_hash(claim: Claim) -> str:
    """Return the SHA-256 of what decides a verdict: change it and the hash changes."""
    fields = claim.model_dump(mode="json", include=JUDGED_FIELDS)
    return sha256_of_text(json.dumps(fields, sort_keys=True))


def load_claims(path: str | Path, bib_keys: set[str] | None = None) -> list[Claim]:
    """Read one claims file.

    Raises
    ------
    ClaimsError
        On YAML that does not parse, a row the schema refuses, an id of another
        chapter, a duplicate id, or a paper that is not a key of the bibliography.
    """
    path = Path(path)
    file = read_yaml(path, ClaimsError)
    rows = file.get("claims") if isinstance(file, dict) else None
    if not isinstance(rows, list):
        raise ClaimsError(f"{path}: not a `claims:` list; got {one_line(file)}")
    claims = [_parse_row(row, path) for row in rows]
    for claim in claims:
        if claim.slug != path.stem:
            raise ClaimsError(f"{path}: {claim.id} belongs to another chapter")
        if bib_keys is not None and claim.paper not in bib_keys:
            raise ClaimsError(f"{path}: {claim.id}: no bib key {claim.paper!r}")
    ids = [claim.id for claim in claims]
    if twice := sorted({i for i in ids if ids.count(i) > 1}):
        raise ClaimsError(f"{path}: duplicate ids {twice}")
    return claims


def _parse_row(row: dict, path: Path) -> Claim:
    if isinstance(row, dict):  # YAML reads the key `null` as None
        row = {"null" if key is None else key: value for key, value in row.items()}
    try:
        return Claim.model_validate(row)
    except ValidationError as error:
        name = row.get("id", "?") if isinstance(row, dict) else row
        faults = "; ".join(
            ": ".join(filter(None, (".".join(map(str, e["loc"])), e["msg"])))
            for e in error.errors()
        ).replace("Value error, ", "")
        raise ClaimsError(f"{path}: claim {one_line(name)}: {faults}") from error
    except RecursionError as error:
        raise ClaimsError(f"{path}: a claim is nested too deeply") from error


def bib_keys(path: str | Path) -> set[str]:
    """Return the keys of a BibTeX file."""
    return set(re.findall(r"^@\w+\{([^,\s]+),", read_text(path), re.M))


def load_ledger(root: Path) -> dict[str, list[Claim]]:
    """Return slug -> claims for every claims file of the book."""
    keys = bib_keys(root / "book" / "references.bib")
    folder = root / "data" / "claims"
    return {p.stem: load_claims(p, keys) for p in sorted(folder.glob("*.yml"))}


def write_json_schema(path: str | Path) -> Path:
    """Write the schema of a claims file, for editors."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["claims"],
        "properties": {"claims": {"type": "array", "items": Claim.model_json_schema()}},
    }
    return write_atomic(path, json.dumps(schema, indent=1) + "\n")
