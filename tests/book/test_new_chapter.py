"""A chapter that was just laid down runs and builds, and nothing is overwritten."""

import subprocess
import sys

import pytest

from scaling_book.new_chapter import new_chapter
from scaling_book.render import render
from scaling_core.base.errors import UsageError

from .test_execute import statuses


def test_a_new_chapter_runs_and_builds_at_once(mini_book):
    (mini_book / "tests" / "__init__.py").touch()  # as in the repository
    written = new_chapter(mini_book, "new-theme", paper="someone2020")
    names = [str(path.relative_to(mini_book)) for path in written]
    assert "notebooks/03_new-theme.py" in names
    assert "studies/new_theme/measure.py" in names
    toc = (mini_book / "_toc.yml").read_text().splitlines()
    at = toc.index("      - file: book/chapters/02_second")
    assert toc[at + 1] == "      - file: book/chapters/03_new-theme"

    assert set(statuses(mini_book, jobs=2)[0].values()) == {"executed"}
    assert set(statuses(mini_book)[0].values()) == {"fresh"}
    html = render(mini_book, "smoke", say=lambda line: None).html
    page = (html / "book/chapters/03_new-theme.html").read_text()
    assert "claim-card" in page and "fig-new-theme-law" in page
    words = ["-m", "pytest", "-q", "--import-mode=importlib", "tests/studies"]
    test = [sys.executable, *words, "-p", "no:cacheprovider"]
    assert subprocess.run(test, cwd=mini_book).returncode == 0


def test_its_study_is_part_of_the_key(mini_book):
    new_chapter(mini_book, "new-theme", paper="someone2020", number=7)
    assert statuses(mini_book)[0]["new-theme"] == "executed"
    study = mini_book / "studies/new_theme/measure.py"
    study.write_text(study.read_text().replace("an example", "one example"))
    assert statuses(mini_book)[0]["new-theme"] == "fresh"
    study.write_text(study.read_text().replace("0.02", "0.03"))
    found, _ = statuses(mini_book)
    assert found == {"first": "fresh", "second": "fresh", "new-theme": "executed"}


@pytest.mark.parametrize(
    "slug, options, what",
    [
        ("first", {}, "already"),
        ("First", {}, "not a slug"),
        ("a_b", {}, "not a slug"),
        ("../x", {}, "not a slug"),
        ("new", {"number": 2}, "number"),
        ("new", {"paper": "nobody1900"}, "nobody1900"),
    ],
)
def test_what_exists_or_is_malformed_is_refused(mini_book, slug, options, what):
    before = sorted(mini_book.rglob("*"))
    with pytest.raises(UsageError, match=what):
        new_chapter(mini_book, slug, **{"paper": "someone2020"} | options)
    assert sorted(mini_book.rglob("*")) == before
