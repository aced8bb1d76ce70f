"""Files and words that mean harm: one line each, and nothing of them is run."""

import json

import pytest
import yaml

from tests.faults import often

from .conftest import TRACEBACK, call, contents

TAG = "!!python/object/apply:os.system ['touch stolen']"
BOMB = "a: &a [1, 1]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}, *{old}, *{old}]\n"
    for old, new in zip("abcdefghijklm", "bcdefghijklmn", strict=True)
)


def write(name, text):
    return lambda root: (root / name).write_text(text)


def append(name, text):
    return lambda root: (root / name).write_text((root / name).read_text() + text)


def rename(name, old, new):
    return lambda root: (root / name).write_text(
        (root / name).read_text().replace(old, new)
    )


def nothing(root):
    return None


CASES = {
    "python tag in claims": (write("data/claims/first.yml", TAG), ["check"]),
    "python tag in one claim": (
        append("data/claims/first.yml", f"    unit: {TAG}\n"),
        ["check"],
    ),
    "python tag in the toc": (write("_toc.yml", f"parts: {TAG}\n"), ["list"]),
    "python tag as a parameter": (nothing, ["run", "-p", f"scale={TAG}"]),
    "YAML that grows": (write("data/claims/first.yml", BOMB), ["check"]),
    "a slug that climbs": (nothing, ["run", "../../first"]),
    "a new slug that climbs": (
        nothing,
        ["new-chapter", "../x", "--paper", "someone2020"],
    ),
    "a toc that climbs": (
        rename("_toc.yml", "01_first", "../../../tmp/01_first"),
        ["list"],
    ),
    "a paper that is code": (nothing, ["new-chapter", "x", "--paper", "$(touch s)"]),
    "data that climbs": (nothing, ["fetch", "../../secrets"]),
    "a table that is no table": (nothing, ["fit", "/dev/null"]),
    "a record that is the book": (nothing, ["accept", "first", "--record", "_toc.yml"]),
    "claims deep as a well": (
        write("data/claims/first.yml", "claims: " + "[" * 3000 + "]" * 3000),
        ["check"],
    ),
    "a record of a billion": (
        rename("build/records/cpu/first.json", '"runs": [', f'"runs": [{"9" * 5000}, '),
        ["check"],
    ),
}


@often("a file is hostile")
def test_every_case_counts(times):
    assert len(CASES) == times


@pytest.mark.parametrize("plant, words", CASES.values(), ids=CASES)
def test_nothing_of_it_is_run(accepted, plant, words):
    plant(accepted)
    before = contents(accepted)
    done = call(*words)
    assert done.code != TRACEBACK and done.is_one_clear_line(), done.err
    assert contents(accepted) == before
    assert not (accepted / "stolen").exists()


def test_a_notebook_with_huge_output_runs_and_renders(accepted):
    """Twenty megabytes of text: more than a page should hold, and no fault of ours."""
    path = accepted / "build/executed/cpu/01_first.ipynb"
    notebook = json.loads(path.read_text())
    cell = next(c for c in notebook["cells"] if c["cell_type"] == "code")
    text = "x" * 20_000_000
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]
    path.write_text(json.dumps(notebook))
    done = call("render")
    assert done.code == 0, done.err
    assert yaml.safe_load((accepted / "_toc.yml").read_text())


def test_a_table_of_a_million_columns_is_one_short_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    header = ",".join(f"c{i}" for i in range(1_000_000))
    (tmp_path / "wide.csv").write_text(f"{header}\n{header}\n")
    done = call("fit", "wide.csv")
    assert done.is_one_clear_line() and "1000000 cells; allowed" in done.err
