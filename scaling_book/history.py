"""The history of accepted numbers: a line for each, by which an edited one is found."""

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path

from scaling_book.errors import AcceptError, RecordError
from scaling_book.reading import read_text
from scaling_core.base.files import write_atomic

COLUMNS = ["date", "commit", "profile", "claim", "estimate", "low", "high", "verdict"]
COLUMNS += ["device"]
RUN = COLUMNS[:3]  # what names a run


def append_history(path: Path, rows: list[list]) -> None:
    """Append rows; lines of a record accepted before stand there already.

    Raises
    ------
    AcceptError
        If the file is no history.
    """
    head = ",".join(COLUMNS) + "\n"
    old = read_text(path, AcceptError) if path.exists() else head
    if not old.startswith(head) or not old.endswith("\n"):
        raise AcceptError(f"{path}: damaged; expected whole lines under {head.strip()}")
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    known = set(old.splitlines())
    new = [line for line in buffer.getvalue().splitlines() if line not in known]
    write_atomic(path, old + "".join(f"{line}\n" for line in new))


def check_against_history(
    reference: Path, made: dict, numbers: Mapping[str, tuple[float, str | None]]
) -> None:
    """Refuse a reference whose numbers or verdicts are not those that were accepted.

    ``numbers`` has estimate and verdict by claim. What the history does not hold is not
    looked at.

    Raises
    ------
    RecordError
        Naming the first claim that was edited.
    """
    noted: dict[str, list[dict]] = {}
    for line in read_history(reference.parents[1] / "history.csv"):
        if all(line[name] == made[name] for name in RUN):
            noted.setdefault(line["claim"], []).append(line)
    for claim, (estimate, verdict) in numbers.items():
        lines = noted.get(claim, [])
        if lines and not any(_agree(line, estimate, verdict) for line in lines):
            raise RecordError(
                f"{reference}: {claim} was edited: it says {estimate:.6g}, {verdict}; "
                f"accepted was {lines[-1]['estimate']}, {lines[-1]['verdict']}"
            )


def _agree(line: dict, estimate: float, verdict: str | None) -> bool:
    near = math.isclose(float(line["estimate"]), estimate, rel_tol=1e-9, abs_tol=1e-12)
    return near and line["verdict"] == verdict


def read_history(path: Path) -> list[dict[str, str]]:
    """Return the lines of a history, oldest first; none where there is no file.

    Raises
    ------
    RecordError
        If it is damaged.
    """
    if not path.exists():
        return []
    text = read_text(path, RecordError)
    try:
        lines = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        for line in lines:
            if None in line or None in line.values() or not set(COLUMNS) <= set(line):
                raise ValueError(f"not the columns {', '.join(COLUMNS)}: {line}")
            ends = (line["low"], line["high"])  # empty where there is no interval
            for number in (line["estimate"], *filter(None, ends)):
                if not math.isfinite(float(number)):
                    raise ValueError(f"{number} is not finite")
    except (KeyError, ValueError, csv.Error) as error:
        raise RecordError(f"{path}: a damaged history ({error})") from error
    return lines
