"""A chapter that was just laid down runs and builds, and nothing is overwritten."""

import subprocess
import sys

import pytest

from scaling_book.new_chapter import new_chapter
from scaling_book.render import render
from scaling_core.base.errors import UsageError

from .test_execute import state, statuses


def test_a_new_chapter_runs_and_builds_at_once(executed):
    (executed / "tests" / "__init__.py").touch()  # as in the repository
    written = new_chapter(executed, "new-theme", paper="someone2020")
    names = [str(path.relative_to(executed)) for path in written]
    assert "notebooks/03_new-theme.py" in names
    assert "studies/new_theme/measure.py" in names and "data/chapters.yml" in names
    toc = (executed / "_toc.yml").read_text().splitlines()
    at = toc.index("      - file: book/chapters/02_second")
    assert toc[at + 1] == "      - file: book/chapters/03_new-theme"

    others = {"first": "fresh", "second": "fresh"}
    assert statuses(executed)[0] == others | {"new-theme": "executed"}
    assert statuses(executed)[0] == others | {"new-theme": "fresh"}
    html = render(executed, "smoke", say=lambda line: None).html
    page = (html / "book/chapters/03_new-theme.html").read_text()
    assert "claim-card" in page and "fig-new-theme-law" in page
    words = ["-m", "pytest", "-q", "--import-mode=importlib", "tests/studies"]
    test = [sys.executable, *words, "-p", "no:cacheprovider"]
    assert subprocess.run(test, cwd=executed).returncode == 0

    study = executed / "studies/new_theme/measure.py"
    study.write_text(study.read_text().replace("an example", "one example"))
    assert state(executed, "new-theme") == "fresh", "a docstring"
    study.write_text(study.read_text().replace("0.02", "0.03"))
    assert state(executed, "new-theme") == "stale", "its study is part of the key"
    assert state(executed, "first") == "fresh"


@pytest.mark.parametrize(
    "slug, options, what",
    [
        ("first", {}, "already"),
        ("First", {}, "not a slug"),
        ("a_b", {}, "not a slug"),
        ("../x", {}, "not a slug"),
        ("class", {}, "not a slug"),
        ("new", {"number": 2}, "number"),
        ("new", {"paper": "nobody1900"}, "nobody1900"),
        ("new", {"paper": "Someone"}, "is it someone2020?"),
    ],
)
def test_what_exists_or_is_malformed_is_refused(mini_book, slug, options, what):
    before = sorted(mini_book.rglob("*"))
    with pytest.raises(UsageError, match=what):
        new_chapter(mini_book, slug, **{"paper": "someone2020"} | options)
    assert sorted(mini_book.rglob("*")) == before
