"""Keys: what a change of code costs, on the real chapters, without executing one."""

import ast
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from scaling_book.chapters import list_chapters
from scaling_book.keys import (
    chapter_digest,
    code_key,
    execution_key,
    made_by_other_code,
)
from scaling_core.base import codehash
from scaling_core.base.files import sha256_of_text

REPOSITORY = Path(__file__).parents[2]
SOURCES = {c.slug: c.source.read_text() for c in list_chapters(REPOSITORY)}
ROOMS = ("scaling_core", "studies", "scaling_book")


@pytest.fixture
def copy(tmp_path):
    """A copy of the packages, to edit."""
    for room in ROOMS:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / room, tmp_path / room, ignore=ignore)
    return tmp_path


def keys(root):
    return {slug: code_key(root, source) for slug, source in SOURCES.items()}


def aged(root, before):
    return {slug for slug, key in keys(root).items() if key != before[slug]}


def with_other_docstrings(source):
    """Return a source with each docstring replaced and a comment at its end."""
    lines = source.splitlines(keepends=True)
    spans = []
    for node in ast.walk(ast.parse(source)):
        holds = isinstance(node, codehash.HOLDERS)
        if holds and ast.get_docstring(node) and len(node.body) > 1:
            spans.append((node.body[0].lineno, node.body[0].end_lineno))
    for first, last in sorted(spans, reverse=True):
        indent = lines[first - 1][: -len(lines[first - 1].lstrip())]
        lines[first - 1 : last] = [f'{indent}"""Other words."""\n']
    return "".join(lines) + "\n# A comment.\n"


def test_a_docstring_anywhere_ages_nothing(copy):
    before = keys(copy)
    for path in copy.rglob("*.py"):
        path.write_text(with_other_docstrings(path.read_text()))
    assert before == keys(copy)


@pytest.mark.parametrize("slug", SOURCES)
def test_a_constant_of_a_study_ages_its_chapter_alone(copy, slug):
    before = keys(copy)
    used = codehash.source_modules(SOURCES[slug])
    for module in used:
        if module.startswith(f"studies.{slug.replace('-', '_')}."):
            path = copy / f"{module.replace('.', '/')}.py"
            path.write_text(path.read_text() + "\nADDED = 1\n")
            assert aged(copy, before) == {slug}
            return
    pytest.fail("no study is imported")


def test_a_law_that_no_chapter_uses_ages_none(copy):
    before = keys(copy)
    path = copy / "scaling_core" / "fitting" / "broken.py"
    path.write_text(path.read_text() + "\nADDED = 1\n")
    lazy = copy / "scaling_core" / "fitting" / "__init__.py"
    lazy.write_text(
        lazy.read_text().replace("_EXPORTS = {", '_EXPORTS = {"x": "broken",')
    )
    assert aged(copy, before) == set()


def test_the_machinery_ages_no_number(copy):
    before = keys(copy)
    chapter = list_chapters(REPOSITORY)[0]
    key = execution_key(copy, chapter, "cpu", {})
    for path in (copy / "scaling_book").glob("*.py"):
        path.write_text(with_other_docstrings(path.read_text()))
    assert execution_key(copy, chapter, "cpu", {}) == key
    for path in (copy / "scaling_book").glob("*.py"):
        path.write_text(path.read_text() + "\nADDED = 1\n")
    assert aged(copy, before) == set()
    changed = execution_key(copy, chapter, "cpu", {})
    assert {name for name in key if key[name] != changed[name]} == {"api"}


def test_no_sweep_depends_on_the_machinery():
    for source in SOURCES.values():
        used = codehash.source_modules(source)
        assert used and not any(name.startswith("scaling_book") for name in used)


def test_prose_tags_and_comments_are_no_code():
    source = "# %% [markdown]\n# Words\n\n# %%\nx = 1\n\n# %%\nplot(x)\n"
    same = source.replace("Words", "More").replace("# %%\nx", '# %% tags=["a"]\n# y\nx')
    assert chapter_digest(same) == chapter_digest(source)
    merged = source.replace("\n\n# %%\nplot", "\nplot")
    for other in (merged, source.replace("x = 1", "x = 2"), source + "# %%\ny = 1\n"):
        assert chapter_digest(other) != chapter_digest(source)


def test_a_record_knows_whether_its_code_is_todays(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "notebooks").mkdir()
    real = list_chapters(REPOSITORY)[0]
    path = tmp_path / "notebooks" / real.source.name
    path.write_text(real.source.read_text())
    chapter = replace(real, source=path)
    table = tmp_path / "data" / "x.csv"
    table.write_text("1")
    inputs = {"optional/y.csv": None, "data/x.csv": sha256_of_text("1")}
    made = code_key(tmp_path, path.read_text()) | {"inputs": inputs}
    assert not made_by_other_code({"provenance": made}, chapter)
    path.write_text(path.read_text().replace("# # ", "# # Other "))
    assert not made_by_other_code({"provenance": made}, chapter)
    assert made_by_other_code({"provenance": made | {"package": "x"}}, chapter)
    assert made_by_other_code({"provenance": {"inputs": {}}}, chapter)
    table.write_text("2")
    assert made_by_other_code({"provenance": made}, chapter)
