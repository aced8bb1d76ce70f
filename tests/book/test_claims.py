"""The ledger's schema and the verdicts: refusals and properties."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaling_book.claims import Claim, judged_hash, load_claims, write_json_schema
from scaling_book.errors import ClaimsError
from scaling_book.measure import Measured
from scaling_book.verdicts import SYMBOLS, change_of, judge
from scaling_core.base.intervals import Interval

GOOD = dict(
    id="mini.slope",
    paper="someone2020",
    says="It falls",
    quantity="a slope",
    published={"value": 1.0, "where": "Table 1", "source": "seen"},
    kind="statistical",
    scope="same",
    band=[0.8, 1.2],
    band_from="paper: Table 1 ± its uncertainty",
    null={"what": "flat", "value": 0.0},
    interval="t",
)
WORDS = {"where": "abstract: grows", "source": "seen"}
OPEN = dict(published=WORDS, band=[0.1, None], null=None, kind="direction")
number = st.floats(-100, 100, allow_nan=False)


def claim(**changes) -> Claim:
    return Claim.model_validate({**GOOD, **changes})


@pytest.mark.parametrize(
    "changes, word",
    [
        ({"band": [1.1, 1.2]}, "outside the band"),
        ({"null": {"what": "flat", "value": 0.9}}, "inside the band"),
        ({"band": [1.2, 0.8]}, "empty or swapped"),
        ({"band": [None, None]}, "both ends"),
        ({"band": None}, "needs a band"),
        ({"band_from": "felt right"}, "band_from"),
        ({"kind": "finding"}, "finding has no band"),
        ({"kind": "exact"}, "interval is for claims with runs"),
        ({"interval": None}, "interval is for claims with runs"),
        ({"id": "Mini slope"}, "form"),
        ({"colour": "red"}, "colour"),
        ({"expect": {"cpu": "agrees"}}, "expect"),
        ({"changes": [{"was": "0a", "date": "2026-01-01", "why": "x"}]}, "pattern"),
        ({"kind": "direction"}, "smallest effect"),
        ({"published": None}, "where the paper states it"),
        ({"band": [float("nan"), 1.2]}, "finite"),
        (
            {"kind": "out-of-reach", "band": None, "band_from": None, "interval": None},
            "says why",
        ),
    ],
)
def test_schema_refuses(changes, word):
    with pytest.raises(ValueError, match=word):
        claim(**changes)


def write(tmp_path, body):
    path = tmp_path / "mini.yml"
    path.write_text(body)
    return path


ROW = """
  - {id: %s, paper: someone2020, says: s, quantity: q, kind: finding, scope: same,
     interval: t}"""


def test_duplicate_id_is_refused(tmp_path):
    path = write(tmp_path, "claims:" + 2 * (ROW % "mini.a"))
    with pytest.raises(ClaimsError, match="duplicate"):
        load_claims(path)


def test_unknown_bib_key_is_refused(tmp_path):
    path = write(tmp_path, "claims:" + ROW % "mini.a")
    with pytest.raises(ClaimsError, match="someone2020"):
        load_claims(path, {"other1999"})


def test_claim_of_another_chapter_is_refused(tmp_path):
    path = write(tmp_path, "claims:" + ROW % "other.a")
    with pytest.raises(ClaimsError, match="another chapter"):
        load_claims(path)


@pytest.mark.parametrize(
    "body", ["", "claims: 3", "- a", "claims: [3]", "a: [unclosed"]
)
def test_broken_files_are_one_clear_error(tmp_path, body):
    with pytest.raises(ClaimsError, match="mini.yml"):
        load_claims(write(tmp_path, body))


def entry(low, high, **beside):
    interval = Interval((low + high) / 2, low, high, 5, "t")
    return Measured(interval.estimate, interval, **beside)


@given(number, st.floats(0, 50), number, st.floats(0.01, 50), st.booleans())
def test_every_interval_and_band_give_exactly_one_verdict(low, width, b, bw, opened):
    band = [b, None] if opened else [b, b + bw]
    judged = claim(**{**OPEN, "kind": "statistical", "band": band})
    word = judge(judged, entry(low, low + width)).word
    inside = b <= low and (opened or low + width <= b + bw)
    disjoint = low + width < b or (not opened and low > b + bw)
    expected = "agrees" if inside else "disagrees" if disjoint else "inconclusive"
    assert word == expected and word in SYMBOLS


@given(number, st.floats(0, 50), st.floats(0, 50), st.floats(0, 50))
def test_widening_never_turns_inconclusive_into_agrees(low, width, left, right):
    judged = claim(**OPEN)
    narrow = judge(judged, entry(low, low + width)).word
    wide = judge(judged, entry(low - left, low + width + right)).word
    assert not (narrow != "agrees" and wide == "agrees")


def test_leaving_a_size_out_of_the_band_is_inconclusive():
    assert judge(claim(), entry(0.95, 1.05, leave_one_out=(0.9, 1.1))).word == "agrees"
    leaves = entry(0.95, 1.05, leave_one_out=(0.7, 1.1))
    assert judge(claim(), leaves).word == "inconclusive"


@pytest.mark.parametrize(
    "low, high, half, word",
    [
        (0.9, 1.1, 1.0, "agrees"),
        (0.9, 1.1, 0.7, "inconclusive"),
        (0.2, 0.4, 0.1, "disagrees"),
        (0.2, 0.4, 1.0, "inconclusive"),
        (0.5, 1.0, 1.0, "inconclusive"),
    ],
)
def test_what_still_moves_with_training_is_inconclusive(low, high, half, word):
    trained = Interval(half, half - 0.05, half + 0.05, 5, "t")
    verdict = judge(claim(), entry(low, high, half_trained=trained))
    assert verdict.word == word
    if (low, half) in ((0.9, 0.7), (0.2, 1.0)):
        assert "still moving with training" in verdict.reason


def test_judged_hash_holds_what_decides_a_verdict_and_nothing_else():
    first = judged_hash(claim())
    assert judged_hash(claim(says="Otherwise said", primary=True)) == first
    for change in (
        {"quantity": "another"},
        {"band": [0.8, 1.3]},
        {"null": None},
        {"interval": "t-log"},
        {"kind": "direction", "band": [0.8, None]},
    ):
        assert judged_hash(claim(**change)) != first


def test_words_by_kind_and_scope():
    exact = claim(kind="exact", interval=None)
    assert judge(exact, Measured(1.0)).word == "reproduced"
    assert judge(exact, Measured(2.0)).word == "not reproduced"
    with pytest.raises(ValueError):
        judge(exact, Measured(math.nan))
    identity = claim(kind="identity", interval=None, published=None)
    assert judge(identity, Measured(1.0)).word == "holds"
    assert judge(identity, Measured(2.0)).word == "fails"
    stand_in = claim(scope="stand-in")
    assert judge(stand_in, entry(0.9, 1.1)).word == "holds in the stand-in"
    absent = judge(claim(), None, "no data")
    assert (absent.word, absent.reason) == ("not assessed here", "no data")
    assert judge(claim(), Measured(1.0)).word == "not assessed here"
    free = {"band": None, "band_from": None}
    assert judge(claim(kind="finding", **free), entry(0, 9)).word == "finding"
    far = claim(kind="out-of-reach", interval=None, why="no weights", **free)
    assert judge(far, None).word == "out of reach"


@pytest.mark.parametrize(
    "expected, got, change",
    [
        ("agrees", "disagrees", "flip"),
        ("disagrees", "agrees", "flip"),
        ("reproduced", "not reproduced", "flip"),
        ("holds in the stand-in", "disagrees", "flip"),
        ("holds", "fails", "flip"),
        ("agrees", "inconclusive", "drift"),
        ("agrees", "not assessed here", "drift"),
        ("inconclusive", "disagrees", "drift"),
        ("agrees", "agrees", "same"),
        (None, "disagrees", "same"),
    ],
)
def test_flip_fails_and_drift_does_not(expected, got, change):
    assert change_of(expected, got) == change


def test_committed_json_schema_is_todays(tmp_path):
    committed = Path(__file__).parents[2] / "data" / "claims" / "schema.json"
    today = write_json_schema(tmp_path / "schema.json")
    assert committed.read_text() == today.read_text(), "run `scaling schema`"
