"""Files of the book as text, YAML, JSON or notebooks: one line says which is damaged."""

import json
import reprlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import yaml

from scaling_book.errors import FileError
from scaling_core.base.errors import ForeseenError

Refusal = type[ForeseenError]


def read_text(path: str | Path, refusal: Refusal = FileError) -> str:
    """Return a file's text.

    Raises
    ------
    FileError
        Or the given error: if the file is absent, a folder, or no UTF-8 text.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise refusal(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise refusal(f"{path}: cannot be read as text ({error})") from error


def read_yaml(path: str | Path, refusal: Refusal = FileError) -> Any:
    """Return what a YAML file holds: plain data only, whatever tags it carries."""
    return _parsed(path, yaml.safe_load, "YAML", refusal)


def read_json(path: str | Path, refusal: Refusal = FileError) -> Any:
    """Return what a JSON file holds; NaN and infinities are refused."""
    load = lambda text: json.loads(text, parse_constant=_refuse_constant)
    return _parsed(path, load, "JSON", refusal)


def read_notebook(path: str | Path, refusal: Refusal = FileError):
    """Return a notebook of the form that `nbformat` accepts."""

    def load(text: str):
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
        return notebook

    return _parsed(path, load, "notebook", refusal)


def _parsed(path, load: Callable[[str], Any], kind: str, refusal: Refusal) -> Any:
    text = read_text(path, refusal)
    try:
        return load(text)
    except RecursionError as error:
        raise refusal(f"{path}: no {kind} of ours (nested too deeply)") from error
    except Exception as error:  # parsers raise what they like: of values, keys, dates
        raise refusal(f"{path}: no {kind} ({one_line(error)})") from error


def one_line(what: object) -> str:
    """Return a complaint of many lines as one, data in short, cut where it rambles.

    >>> one_line("while scanning\\n  line 3"), one_line([1] * 9)
    ('while scanning line 3', '[1, 1, 1, 1, 1, 1, ...]')
    """
    told = isinstance(what, (str, Exception))
    text = " ".join((str(what) if told else reprlib.repr(what)).split())
    return text if len(text) <= 300 else f"{text[:300]} …"


def _refuse_constant(name: str):
    raise ValueError(f"it holds {name}; numbers of ours are finite")
