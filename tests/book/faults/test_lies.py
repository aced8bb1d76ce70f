"""Lies planted one at a time: each is refused, or shown by its name."""

import json

import nbformat
import pytest

from tests.faults import often

from .conftest import call


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def change_number(path, field, value):
    """Change what a record says of the first claim, or of its accepted verdict."""
    record = json.loads(path.read_text())
    record[field]["first.slope"] = value
    path.write_text(json.dumps(record))


def a_changed_band(root):
    edit(root / "data/claims/first.yml", "band: [0.9, 1.1]", "band: [0.9, 1.03]")
    return ["check"], "first.slope: its quantity, kind, band, null or interval was"


def a_swapped_seed_list(root):
    edit(root / "notebooks/01_first.py", "runs = [", "seeds = range(5)\nruns = [")
    return ["run", "first"], "seeds by hand; take them from chapter.seeds"


def an_edited_record(root):
    path = root / "build/records/cpu/first.json"
    change_number(path, "values", {"runs": [1.0, 1.01, 1.02, 1.03, 1.05]})
    return ["check"], "first.json: not what its run wrote"


def an_edited_reference(root):
    path = root / "data/results/first/cpu.json"
    change_number(path, "values", {"runs": [1.0, 1.01, 1.02, 1.03, 1.05]})
    return ["check"], "first.slope was edited: it says 1.022, agrees; accepted was 1.02"


def an_edited_verdict(root):
    path = root / "data/results/first/cpu.json"
    change_number(path, "verdicts", "inconclusive")
    return ["check"], "first.slope was edited: it says 1.02, inconclusive; accepted was"


def a_null_inside_the_band(root):
    edit(root / "data/claims/first.yml", "value: 0.0}", "value: 0.95}")
    return ["check"], "null 0.95 lies inside the band"


def a_number_typed_by_hand(root):
    path = root / "build/executed/cpu/01_first.ipynb"
    edit(path, "{claim}`first.slope`, that", "1.020, that")
    return ["render"], "1.020 is typed by hand; write {claim:value}`first.slope`"


def a_glued_number_typed_by_hand(root):
    edit(root / "notebooks/01_first.py", "{claim}`first.slope`, that", "1.37, that")
    return [
        "check"
    ], "1.37 is typed by hand; glue it, or cite the paper in its sentence"


def a_figure_without_alt_text(root):
    path = root / "build/executed/cpu/01_first.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].metadata["mystnb"] = {"figure": {"caption": "x", "name": "x"}}
    nbformat.write(notebook, path)
    return ["render"], "a figure without alt text"


def a_contradiction_at_half_of_the_training(root):
    entry = {"runs": [1.0, 1.01, 1.02, 1.03, 1.04], "half_trained": [0.5] * 5}
    (root / "build/executed/cpu/01_first.key.json").unlink()  # as a run would write it
    change_number(root / "build/records/cpu/first.json", "values", entry)
    return ["check"], "first.slope (cpu): accepted agrees, got inconclusive"


LIES = (
    a_changed_band,
    a_swapped_seed_list,
    an_edited_record,
    an_edited_reference,
    an_edited_verdict,
    a_null_inside_the_band,
    a_number_typed_by_hand,
    a_glued_number_typed_by_hand,
    a_figure_without_alt_text,
    a_contradiction_at_half_of_the_training,
)


@often("a lie is planted")
def test_every_lie_has_a_test(times):
    assert len(LIES) == times


@pytest.mark.parametrize("plant", LIES, ids=lambda lie: lie.__name__)
def test_lie_is_refused_or_shown(accepted, plant):
    words, found = plant(accepted)
    before = call("list").code
    done = call(*words)
    assert before == 0 or "null" in found
    assert found in (done.err + done.out).replace("\n", " "), done
    assert done.code in (1, 2) or plant is a_contradiction_at_half_of_the_training
