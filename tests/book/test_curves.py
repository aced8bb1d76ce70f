"""Curves of runs: refused where bad, written beside the record, accepted with it."""

import json

import numpy as np
import pandas as pd
import pytest

from scaling_book.accept import accept
from scaling_book.api import Chapter
from scaling_book.chapters import list_chapters
from scaling_book.errors import AcceptError, RecordError
from scaling_core.base.files import sha256_of_text

from .conftest import scaling

GOOD = {"seed": [100, 100], "step": [0, 10], "pass_at_1": [0.25, 1 / 3]}


@pytest.fixture
def chapter(mini_book):
    return Chapter("first", profile="cpu")


@pytest.mark.parametrize(
    "frame, word",
    [
        ([1, 2], "got list"),
        (pd.DataFrame({"seed": [], "step": []}), "got an empty one"),
        (pd.DataFrame({"seed": [1]}), "need seed, step"),
        (pd.DataFrame([[1, 2, 3]], columns=["seed", "step", "step"]), "once"),
        (pd.DataFrame(GOOD | {"profile": ["cpu"] * 2}), "neither of profile"),
        (pd.DataFrame(GOOD | {"loss": [1.0, np.nan]}), "column loss holds nan"),
        (pd.DataFrame(GOOD | {"loss": [[1.0], [2.0]]}), r"loss holds \[1.0\]"),
        (pd.DataFrame(GOOD | {"step": [10, 10]}), "two rows agree in seed, step"),
    ],
)
def test_a_bad_frame_is_one_clear_error(chapter, frame, word):
    with pytest.raises(RecordError, match=f"curves 'runs': .*{word}"):
        chapter.curves("runs", frame)


def test_a_name_is_used_once(chapter):
    chapter.curves("runs", pd.DataFrame(GOOD))
    with pytest.raises(RecordError, match="'runs' were handed over already"):
        chapter.curves("runs", pd.DataFrame(GOOD))


def test_they_lie_beside_the_record_which_holds_their_hash(chapter, mini_book):
    chapter.curves("runs", pd.DataFrame(GOOD))
    more = dict(seed=[100], step=[5], width=[8], rule=["a"])
    chapter.curves("ladder", pd.DataFrame(more))
    chapter.record("first.slope", runs=[1.0] * 5)
    chapter.finish()
    folder = mini_book / "build/records/cpu"
    text = (folder / "first.curves.csv").read_text()
    assert text.splitlines() == [
        "profile,curves,seed,step,pass_at_1,width,rule",
        "cpu,runs,100,0,0.25,,",
        "cpu,runs,100,10,0.333333,,",
        "cpu,ladder,100,5,,8,a",
    ]
    made = json.loads((folder / "first.json").read_text())["provenance"]
    assert made["curves"] == sha256_of_text(text)


def test_a_record_without_curves_names_none(chapter, mini_book):
    chapter.record("first.slope", runs=[1.0] * 5)
    chapter.finish()
    folder = mini_book / "build/records/cpu"
    assert [path.name for path in folder.iterdir()] == ["first.json"]
    assert "curves" not in json.loads((folder / "first.json").read_text())["provenance"]
    assert chapter.accepted_curves("runs") is None


def with_curves(root, value=0.5):
    """Let the first chapter hand over a curve; return its file of curves."""
    path = root / "notebooks/01_first.py"
    lines = "import pandas as pd\n"
    lines += f"frame = pd.DataFrame(dict(seed=[100], step=[0], y=[{value}]))\n"
    lines += 'chapter.curves("runs", frame)\nchapter.finish()'
    path.write_text(path.read_text().replace("chapter.finish()", lines))
    return root / "build/records/cpu/first.curves.csv"


def test_a_run_publishes_them_and_accept_keeps_each_profile(executed):
    built = with_curves(executed)
    done = scaling("run", "first", cwd=executed)
    assert done.returncode == 0, done.stderr
    assert built.is_file()
    chapter, kept = list_chapters(executed)[0], executed / "data/results/first"
    kept.mkdir(parents=True)
    other = "profile,curves,seed,step,z\ngpu,runs,7,1,2\ncpu,runs,9,9,9\n"
    (kept / "curves.csv").write_text(other)
    for _ in range(2):  # the second time changes nothing
        accept(executed, chapter, "cpu")
        assert (kept / "curves.csv").read_text().splitlines() == [
            "profile,curves,seed,step,z,y",
            "cpu,runs,100,0,,0.5",
            "gpu,runs,7,1,2,",
        ]
    found = Chapter("first", profile="cpu").accepted_curves("runs")
    assert found.to_dict("list") == {"seed": [100], "step": [0], "y": [0.5]}
    assert Chapter("first", profile="gpu").accepted_curves("runs").z.tolist() == [2]
    assert Chapter("first", profile="smoke").accepted_curves("runs") is None


def test_curves_of_another_run_are_refused(executed):
    built = with_curves(executed)
    scaling("run", "first", cwd=executed)
    chapter = list_chapters(executed)[0]
    text = built.read_text()
    built.write_text(text.replace("0.5", "0.6"))
    with pytest.raises(AcceptError, match="of another run than first.json"):
        accept(executed, chapter, "cpu")
    built.unlink()
    with pytest.raises(AcceptError, match="absent, but first.json was made with"):
        accept(executed, chapter, "cpu")
    assert not (executed / "data/results/first").exists()


def test_a_chapter_that_hands_over_none_any_more_leaves_none(executed):
    path = executed / "notebooks/01_first.py"
    before, built = path.read_text(), with_curves(executed)
    scaling("run", "first", cwd=executed)
    assert built.is_file()
    path.write_text(before)
    scaling("run", "first", cwd=executed)
    assert not built.exists()
    accept(executed, list_chapters(executed)[0], "cpu")
    assert not (executed / "data/results/first/curves.csv").exists()
