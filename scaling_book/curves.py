"""Curves of runs that stay with a chapter's reference, beside the numbers of its claims.

A chapter hands over data frames, one row per run and step; they lie in one file beside
its record. ``accept`` puts them into ``data/results/<slug>/curves.csv``, where a column
names the profile. They are no input: a chapter may draw them, never compute with them.
"""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from scaling_book.errors import AcceptError, FileError, RecordError
from scaling_book.reading import one_line, read_text
from scaling_core.base.files import sha256_of_text, write_atomic

KEYS = ("profile", "curves")  # columns of the file that are not the chapter's
NEEDED = ("seed", "step")
DIGITS = "%.6g"


def check_curves(name: str, frame) -> pd.DataFrame:
    """Return the frame with a column that names it.

    Raises
    ------
    RecordError
        If it is no data frame, has no row, lacks ``seed`` or ``step``, holds a cell that
        is neither text nor a finite number, or two rows of one run at one step.
    """
    what = f"curves {name!r}"
    if not isinstance(frame, pd.DataFrame) or not len(frame):
        raise RecordError(
            f"{what}: need a data frame with rows, got {_describe(frame)}"
        )
    columns = [str(column) for column in frame.columns]
    lacking = [column for column in NEEDED if column not in columns]
    taken = [column for column in KEYS if column in columns]
    if lacking or taken or len(set(columns)) < len(columns):
        raise RecordError(
            f"{what}: columns {', '.join(columns)}; need {', '.join(NEEDED)}, each name "
            f"once, and neither of {', '.join(KEYS)}"
        )
    for column in columns:
        bad = [x for x in frame[column] if not _is_cell(x)]
        if bad:
            raise RecordError(
                f"{what}: column {column} holds {bad[0]!r}; allowed: text and finite "
                "numbers"
            )
    settings = frame.select_dtypes(exclude="floating").columns
    names = [c for c in columns if c == "step" or c in settings]
    if frame.duplicated(names).any():
        raise RecordError(
            f"{what}: two rows agree in {', '.join(names)}; a run has one row per step, "
            "and its settings are text or whole numbers"
        )
    return frame.assign(curves=name)


def _describe(frame) -> str:
    return "an empty one" if isinstance(frame, pd.DataFrame) else type(frame).__name__


def _is_cell(x) -> bool:
    if isinstance(x, (int, float, np.number)):
        return bool(np.isfinite(x))
    return isinstance(x, str)


def curves_path(record: Path) -> Path:
    """Return where the curves of a record lie: beside it."""
    return record.with_suffix(".curves.csv")


def write_curves(record: Path, frames: list[pd.DataFrame], profile: str) -> str | None:
    """Write the frames beside the record; return the hash of the text, None for none."""
    if not frames:
        return None
    whole = pd.concat(frames, ignore_index=True)
    whole.insert(0, "curves", whole.pop("curves"))
    whole.insert(0, "profile", profile)
    text = _as_text(whole)
    write_atomic(curves_path(record), text)
    return sha256_of_text(text)


def _as_text(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False, float_format=DIGITS, lineterminator="\n")


def read_curves(path: Path) -> pd.DataFrame:
    """Return a file of curves, every cell as the text it is.

    Raises
    ------
    FileError
        If it is none.
    """
    text = io.StringIO(read_text(path))
    try:
        frame = pd.read_csv(text, dtype=str, keep_default_na=False)
    except ValueError as error:  # what pandas raises of a table is one
        raise FileError(f"{path}: no table of curves ({one_line(error)})") from error
    if lacking := [name for name in (*KEYS, *NEEDED) if name not in frame.columns]:
        raise FileError(f"{path}: no table of curves: it lacks {', '.join(lacking)}")
    return frame


def accepted_curves(results: Path, name: str, profile: str) -> pd.DataFrame | None:
    """Return the accepted curves of this name and profile, None where there are none."""
    path = results / "curves.csv"
    if not path.is_file():
        return None
    rows = read_curves(path)
    rows = rows[(rows.profile == profile) & (rows.curves == name)]
    if not len(rows):
        return None
    frame = pd.read_csv(io.StringIO(rows.drop(columns=list(KEYS)).to_csv(index=False)))
    return frame.dropna(axis=1, how="all")


def accept_curves(record: dict, path: Path, results: Path) -> None:
    """Put the curves beside a record into ``results``, in the place of its profile's."""
    digest = record["provenance"].get("curves")
    profile, target = record["provenance"]["profile"], results / "curves.csv"
    kept = read_curves(target) if target.is_file() else pd.DataFrame(columns=list(KEYS))
    kept = kept.loc[kept.profile != profile]
    if digest:
        kept = pd.concat([kept, read_curves(curves_path(path))], ignore_index=True)
    if len(kept):
        kept = kept.fillna("").sort_values("profile", kind="stable")
        write_atomic(target, _as_text(kept))
    elif target.is_file():
        target.unlink()


def refuse_other_curves(record: dict, path: Path) -> None:
    """Refuse a record whose curves are absent, or of another run.

    Raises
    ------
    AcceptError
        Naming the file and what is wrong with it.
    """
    digest, curves = record["provenance"].get("curves"), curves_path(path)
    if not digest:
        return
    if not curves.is_file():
        raise AcceptError(f"{curves}: absent, but {path.name} was made with curves")
    if sha256_of_text(read_text(curves, AcceptError)) != digest:
        raise AcceptError(f"{curves}: of another run than {path.name}")
