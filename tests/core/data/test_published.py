"""Published tables: the loader's contract, and known answers about their numbers."""

import numpy as np
import pytest

from scaling_core.base.inputs import noted_inputs
from scaling_core.base.slopes import fit_slopes
from scaling_core.data.published import load_published


@pytest.fixture
def book(tmp_path, monkeypatch):
    (tmp_path / "_config.yml").touch()
    (tmp_path / "data" / "published").mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    return tmp_path / "data" / "published"


def test_table_is_read_from_the_book_around_and_noted(book):
    path = book / "small.csv"
    path.write_text("# source: Someone 2020, Table 1\n# note\na,b\n1,x\n2,y\n")
    table = load_published("small")
    assert table.a.tolist() == [1, 2] and list(table.columns) == ["a", "b"]
    assert table.attrs["source"] == "Someone 2020, Table 1"
    assert noted_inputs()[str(path.resolve())]


def test_absent_table_is_noted_and_lists_the_others(book):
    (book / "other.csv").write_text("# source: x\na\n1\n")
    with pytest.raises(FileNotFoundError, match="there are: other"):
        load_published("small")
    assert noted_inputs()[str((book / "small.csv").resolve())] is None


def test_table_without_a_source_is_refused(book):
    (book / "small.csv").write_text("a\n1\n")
    with pytest.raises(ValueError, match="where do its numbers come from"):
        load_published("small")


@pytest.mark.parametrize("name", ["../claims", "a.csv", ""])
def test_only_plain_names(name):
    with pytest.raises(ValueError, match="name of a table"):
        load_published(name)


def test_large_toy_refits_to_the_exponents_the_authors_print():
    table = load_published("superposition_large_toy")
    strong = table[table.regime == "strong"]
    printed = {"exponential": 1.0054, "power": 0.9840, "linear": 0.8864}
    for law, rows in strong.groupby("frequencies"):
        used = rows if law == "exponential" else rows[rows.m >= 32]
        slope = fit_slopes(used.m, used.loss.to_numpy()[None]).runs[0]
        assert -slope == pytest.approx(printed[law], abs=0.001)


def test_llm_overlaps():
    table = load_published("superposition_llm_overlaps")
    assert table.family.value_counts().to_dict() == {
        "OPT": 8,
        "Qwen2.5": 7,
        "Pythia": 6,
        "GPT-2": 4,
    }
    overlap = table.mean_squared_overlap.to_numpy()
    fit = fit_slopes(table.m, overlap[None])
    assert fit.runs[0] == pytest.approx(-1.26, abs=0.005)
    assert fit.r_squared[0] == pytest.approx(0.65, abs=0.005)
    assert (overlap * table.m).min() == pytest.approx(5.07, abs=0.01)
    assert (overlap * table.m).max() == pytest.approx(99.1, abs=0.1)


def test_exponents():
    table = load_published("superposition_exponents")
    strong = table[table.regime == "strong"]
    assert strong.groupby("gamma").size().tolist() == [17, 17, 17]
    flat = strong[strong.alpha <= 1].exponent
    assert (flat.min(), flat.max()) == (0.78, 1.18)
    assert np.allclose(np.diff(sorted(strong.alpha.unique())), 0.125)
