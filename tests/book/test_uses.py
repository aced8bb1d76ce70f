"""The API and its users: what a chapter imports is found, and is listed."""

from pathlib import Path

import pytest

from scaling_book.chapters import ChapterFile, list_chapters
from scaling_book.uses import INNER, names_in, public_names, used_names, with_constants
from scaling_core.base.codehash import module_file

ROOT = Path(__file__).parents[2]


def resolved(source):
    return {name.removeprefix("scaling_core.") for name in names_in(source)}


@pytest.mark.parametrize(
    "source, found",
    [
        ("from scaling_core.fitting import fit", {"fitting.fit"}),
        ("from scaling_core.fitting.laws import PowerLaw as P", {"fitting.PowerLaw"}),
        ("from scaling_core.fitting.laws import FLOPS", {"fitting.laws.FLOPS"}),
        # re-exported: where it is defined
        (
            "from scaling_core.training.loop import Training",
            {"training.settings.Training"},
        ),
        (
            "from scaling_core.data import images\nimages.digits().x",
            {"data.images.digits"},
        ),
        (
            "import scaling_core.base.slopes\nscaling_core.base.slopes.fit_slopes(1, 2)",
            {"base.slopes.fit_slopes"},
        ),
        (
            "import scaling_core.base.slopes as s\ns.fit_slopes",
            {"base.slopes.fit_slopes"},
        ),
        ("from numpy import fit\nfrom scaling_book.api import Chapter", set()),
    ],
)
def test_names_are_found_where_they_are_defined(source, found):
    assert resolved(source) == found


def test_every_name_that_a_chapter_imports_is_in_the_api():
    for chapter in list_chapters(ROOT):
        used = used_names(ROOT, chapter)
        assert used, f"{chapter.slug} uses nothing of scaling_core?"
        missing = used - set(with_constants(used))
        assert not missing, f"{chapter.slug} uses what the API lacks: {missing}"


@pytest.mark.parametrize(
    "line",
    [
        "from scaling_core.training.store import connect",  # an inner module
        "from scaling_core.fitting.newton import minimise",  # not exported
        "from scaling_core.fitting import nothing",
        "from scaling_core.rl.losses import _hidden",
    ],
)
def test_a_planted_import_of_what_is_not_public_is_seen(line, tmp_path):
    study = tmp_path / "studies" / "one_more"
    study.mkdir(parents=True)
    (study / "measure.py").write_text(line)
    notebook = tmp_path / "01_one-more.py"
    notebook.write_text("from scaling_core.fitting import fit")
    used = used_names(tmp_path, ChapterFile("01_one-more", "one-more", notebook))
    assert len(used) == 2
    assert len(used - set(with_constants(used))) == 1


def test_modules_left_out_exist_and_no_public_name_is_hidden():
    for module in INNER:
        assert module_file(module)
    assert not any(name.rpartition(".")[2].startswith("_") for name in public_names())


def test_exports_and_their_types_agree():
    """What type checkers read of the fitters is what the package exports."""
    import scaling_core.fitting as fitting

    stub = (ROOT / "scaling_core/fitting/__init__.pyi").read_text()
    lines = [line for line in stub.splitlines() if line.startswith("from")]
    assert sorted(lines) == sorted(
        f"from scaling_core.fitting.{module} import {name} as {name}"
        for name, module in fitting._EXPORTS.items()
    )
