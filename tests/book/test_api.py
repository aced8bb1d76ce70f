"""A chapter's side of the contract: profiles, sizes, what may be recorded."""

import json

import pytest

from scaling_book.api import Chapter
from scaling_book.errors import ProfileError, RecordError
from scaling_book.profile import resolve_profile


def test_profile_comes_from_argument_then_environment_then_cpu(monkeypatch):
    monkeypatch.delenv("SCALING_PROFILE", raising=False)
    assert resolve_profile() == "cpu"
    monkeypatch.setenv("SCALING_PROFILE", "gpu")
    assert resolve_profile() == "gpu"
    assert resolve_profile("smoke") == "smoke"


def test_unknown_profile_names_the_three():
    with pytest.raises(ProfileError, match="smoke, cpu, gpu"):
        resolve_profile("quick")


@pytest.fixture
def chapter(mini_book):
    return Chapter("first", profile="cpu")


def test_record_holds_values_apart_from_provenance(chapter, mini_book):
    chapter.section("Work")
    chapter.record("first.slope", runs=[1.0, 1.01, 0.99, 1.02, 0.98])
    chapter.finish()
    record = json.loads((mini_book / "build/records/cpu/first.json").read_text())
    entry, made = record["values"]["first.slope"], record["provenance"]
    assert entry["low"] < entry["estimate"] < entry["high"] and entry["n"] == 5
    assert made["profile"] == "cpu" and "Work" in made["seconds"]
    assert made["commit"] == "unknown"  # no git here
    assert len(made["package"]) == 64 and made["inputs"] == {}


def test_leave_one_out_becomes_a_range(chapter):
    sizes_left_out = [[1.0, 1.2, 1.1, 1.0, 1.2], [0.8, 0.9, 1.0, 0.9, 0.9]]
    chapter.record("first.slope", runs=[1.0] * 4 + [1.1], leave_one_out=sizes_left_out)
    assert chapter.entries["first.slope"]["leave_one_out"] == pytest.approx([0.9, 1.1])


@pytest.mark.parametrize(
    "call, word",
    [
        (dict(runs=[1.0] * 4), ">= 5"),
        (dict(runs=[]), "empty"),
        (dict(runs=[1.0, float("nan")] * 3), "not finite"),
        (dict(value=1.0, tolerance_of="x"), "exact and refit"),
        (dict(), "got 0"),
        (dict(runs=[1.0] * 5, not_assessed="why"), "got 2"),
    ],
)
def test_wrong_records_are_refused(chapter, call, word):
    with pytest.raises(RecordError, match=word):
        chapter.record("first.slope", **call)


def test_primary_claims_need_ten_runs_at_gpu(mini_book):
    chapter = Chapter("first", profile="gpu")
    with pytest.raises(RecordError, match=">= 10"):
        chapter.record("first.slope", runs=[1.0, 1.1] * 4)


def test_unknown_twice_and_missing_ids_fail(chapter):
    with pytest.raises(RecordError, match="allowed: first.slope"):
        chapter.record("first.slop", runs=[1.0] * 5)
    with pytest.raises(RecordError, match="nothing recorded"):
        chapter.finish()
    chapter.record("first.slope", not_assessed="no data")
    with pytest.raises(RecordError, match="already"):
        chapter.record("first.slope", not_assessed="no data")


def test_smoke_takes_one_run_and_makes_no_interval(mini_book):
    chapter = Chapter("first", profile="smoke")
    chapter.record("first.slope", runs=[1.0])
    assert "low" not in chapter.entries["first.slope"]


def test_sizes_need_every_profile(chapter):
    with pytest.raises(ValueError, match="steps"):
        chapter.sizes(steps=dict(cpu=1))
