"""A chapter's side of the contract: profiles, sizes, what may be recorded."""

import json

import numpy as np
import pytest

from scaling_book.api import Chapter
from scaling_book.claims import judged_hash
from scaling_book.errors import ProfileError, RecordError
from scaling_book.profile import resolve_profile
from scaling_core.base.intervals import jackknife_runs

SAMPLES = jackknife_runs([1.0, 2.0, 3.0, 4.0, 5.0], np.mean)


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
    assert entry == {"runs": [1.0, 1.01, 0.99, 1.02, 0.98]}
    assert made["profile"] == "cpu" and "Work" in made["seconds"]
    assert made["commit"] == "unknown"  # no git here
    assert len(made["package"]) == 64 and made["inputs"] == {}
    assert made["claims"] == {"first.slope": judged_hash(chapter.claims["first.slope"])}


def test_what_stands_beside_the_runs_is_kept_whole(chapter):
    runs, left_out = np.ones(5), np.array([[1.0] * 5, [0.9] * 5])
    half = runs - 0.1
    chapter.record("first.slope", runs=runs, leave_one_out=left_out, half_trained=half)
    assert chapter.entries["first.slope"] == {
        "runs": [1.0] * 5,
        "leave_one_out": [[1.0] * 5, [0.9] * 5],
        "half_trained": [0.9] * 5,
    }


def test_resamples_are_kept_and_at_smoke_only_their_estimate(mini_book):
    path = mini_book / "data/claims/first.yml"
    path.write_text(path.read_text().replace("interval: t", "interval: jackknife"))
    for profile, replicates in (("cpu", [3.5, 3.25, 3.0, 2.75, 2.5]), ("smoke", [])):
        chapter = Chapter("first", profile=profile)
        chapter.record("first.slope", resamples=SAMPLES)
        assert json.loads(json.dumps(chapter.entries["first.slope"])) == {
            "resamples": {
                "method": "jackknife",
                "estimate": 3.0,
                "n": 5,
                "replicates": replicates,
            }
        }


@pytest.mark.parametrize(
    "call, word",
    [
        (dict(runs=[]), "empty"),
        (dict(runs=[1.0, float("nan")] * 3), "not finite"),
        (dict(value=1.0, tolerance_of="x"), "needs runs, the record holds value"),
        (dict(runs=np.ones((5, 2))), "one value per seed"),
        (dict(runs=[1.0] * 5, half_trained=[1.0] * 4), "as many"),
        (dict(runs=[1.0] * 5, leave_one_out=[[1.0] * 4]), "as many"),
        (dict(runs=[1.0] * 5, tolerance_of="x"), "go together"),
        (dict(resamples=SAMPLES), "needs runs, the record holds jackknife"),
        (dict(), "first.slope holds one of .*got \\[\\]"),
        (dict(runs=[1.0] * 5, not_assessed="why"), "'runs', 'not_assessed'"),
    ],
)
def test_wrong_records_are_refused(chapter, call, word):
    with pytest.raises(RecordError, match=word):
        chapter.record("first.slope", **call)


def test_unknown_twice_and_missing_ids_fail(chapter):
    with pytest.raises(RecordError, match="allowed: first.slope"):
        chapter.record("first.slop", runs=[1.0] * 5)
    with pytest.raises(RecordError, match="nothing recorded"):
        chapter.finish()
    chapter.record("first.slope", not_assessed="no data")
    with pytest.raises(RecordError, match="already"):
        chapter.record("first.slope", not_assessed="no data")


def test_sizes_need_every_profile(chapter):
    with pytest.raises(ValueError, match="steps"):
        chapter.sizes(steps=dict(cpu=1))
