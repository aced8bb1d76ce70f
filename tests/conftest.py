"""Fixtures shared by the tests of the built pages."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The HTML of the book rendered from the committed smoke runs."""
    from scaling_book.render import render

    out = tmp_path_factory.mktemp("book")
    return render(ROOT, "smoke", references=True, out=out).html
