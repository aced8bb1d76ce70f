"""From record and claim to verdict: what acts at the next render, and what fails it."""

import json

import numpy as np
import pytest

from scaling_book import pages
from scaling_book.all_claims import changes_sentence
from scaling_book.api import Chapter
from scaling_book.chapters import list_chapters
from scaling_book.claims import judged_hash, load_ledger
from scaling_book.errors import RecordError, RenderError
from scaling_book.ledger import chapter_ledger
from scaling_book.numbers import fill_quotes
from scaling_core.base.intervals import bootstrap_runs, interval_over_runs

RUNS = [0.95, 1.0, 1.05, 1.02, 0.98]
ADDED = """  - id: first.level
    paper: someone2020
    says: The level is ours
    quantity: the level
    kind: finding
    scope: same
    interval: t
"""


def run(root, profile="cpu", runs=RUNS, **beside):
    """Write a record of the first chapter as a run would."""
    chapter = Chapter("first", profile=profile)
    chapter.record("first.slope", runs=runs, **beside)
    chapter.finish()


def ledger(root, profile="cpu"):
    record = root / f"build/records/{profile}/first.json"
    return chapter_ledger(
        root, list_chapters(root)[0], load_ledger(root)["first"], record
    )


def row(root, profile="cpu"):
    return ledger(root, profile).rows[0]


def edit(root, old, new):
    path = root / "data/claims/first.yml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def reference(root, profile, **fields):
    """Make the cpu record a reference of a profile."""
    record = json.loads((root / "build/records/cpu/first.json").read_text())
    record["provenance"]["profile"] = profile
    path = root / f"data/results/first/{profile}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record | fields))


def reason(root):
    """Return the lines that the refusal of a changed claim asks for."""
    with pytest.raises(RecordError, match="first.slope: its quantity") as refused:
        row(root)
    return "\n".join(str(refused.value).splitlines()[1:]) + "\n"


def test_another_interval_acts_at_the_next_render(mini_book):
    run(mini_book)
    assert row(mini_book).measured.interval == interval_over_runs(RUNS, "t")
    edit(mini_book, "interval: t", "interval: t-log")
    edit(mini_book, "    primary: true\n", reason(mini_book))
    assert row(mini_book).measured.interval == interval_over_runs(RUNS, "t-log")


def test_an_interval_that_needs_resamples_asks_for_another_run(mini_book):
    run(mini_book)
    edit(mini_book, "interval: t", "interval: bootstrap")
    with pytest.raises(
        RecordError, match="first.slope.*needs bootstrap.*run the chapt"
    ):
        row(mini_book)
    runs = np.linspace(0.9, 1.1, 20)
    draw = bootstrap_runs(runs, np.mean, rng=np.random.default_rng(0), draws=50)
    run(mini_book, runs=None, resamples=draw)
    assert row(mini_book).measured.interval.method == "bootstrap"


def test_claims_added_or_removed_after_the_run_fail_and_are_named(mini_book):
    run(mini_book)
    edit(mini_book, "    primary: true\n", "    primary: true\n" + ADDED)
    with pytest.raises(
        RecordError, match=r"first \(cpu\), first.level: .*not recorded"
    ):
        row(mini_book)
    path = mini_book / "data/claims/first.yml"
    path.write_text("claims:\n" + ADDED)
    with pytest.raises(RecordError, match="first.slope: recorded, but no claim"):
        row(mini_book)


@pytest.mark.parametrize("profile, n, least", [("cpu", 4, 5), ("gpu", 8, 10)])
def test_too_few_runs_fail(mini_book, profile, n, least):
    run(mini_book, profile, [1.0, 1.1] * (n // 2))
    with pytest.raises(RecordError, match=f"first.slope: {n} runs.*>= {least}"):
        row(mini_book, profile)


def test_runs_that_their_interval_refuses_fail(mini_book):
    edit(mini_book, "interval: t", "interval: t-log")
    run(mini_book, runs=[*RUNS, -1.0])
    with pytest.raises(RecordError, match="first.slope: .*positive"):
        row(mini_book)


def test_one_run_will_do_at_smoke_and_makes_no_verdict(mini_book):
    run(mini_book, "smoke", [3.0])
    got = row(mini_book, "smoke")
    assert got.measured.estimate == 3.0 and got.measured.interval is None
    assert got.verdict.word == "not assessed here"


def test_leave_one_out_becomes_a_range_of_means(mini_book):
    run(mini_book, leave_one_out=[[1.0, 1.2, 1.1, 1.0, 1.2], [0.8, 0.9, 1.0, 0.9, 0.9]])
    assert row(mini_book).measured.leave_one_out == pytest.approx((0.9, 1.1))


def test_a_changed_band_fails_without_a_reason_and_says_it_with_one(mini_book):
    run(mini_book)
    edit(mini_book, "band: [0.9, 1.1]", "band: [0.9, 1.2]")
    lines = reason(mini_book)
    assert lines.startswith("    changes:\n      - {was: ")
    edit(mini_book, "    primary: true\n", lines.replace('"..."', '"a typing error"'))
    got = ledger(mini_book)
    assert "changed after its run" in pages.card(got.rows[0], {})
    assert "a typing error" in pages.card(got.rows[0], {})
    assert "changed after a run: 1," in changes_sentence(got.rows)
    run(mini_book)  # with the new band: nothing was changed since
    again = ledger(mini_book)
    assert "changed after" not in pages.card(again.rows[0], {})
    assert "of these, 0 after" in changes_sentence(again.rows)


def test_a_change_since_the_accepted_reference_needs_a_reason_too(mini_book):
    run(mini_book)
    reference(mini_book, "cpu", verdicts={"first.slope": "agrees"})
    edit(mini_book, "band: [0.9, 1.1]", "band: [0.9, 1.2]")
    run(mini_book)
    assert "changes:" in reason(mini_book)


def test_records_without_hashes_are_not_checked(mini_book):
    run(mini_book)
    path = mini_book / "build/records/cpu/first.json"
    record = json.loads(path.read_text())
    del record["provenance"]["claims"]
    path.write_text(json.dumps(record))
    edit(mini_book, "band: [0.9, 1.1]", "band: [0.9, 1.2]")
    assert row(mini_book).verdict.word == "agrees"


def test_half_trained_is_on_the_card_and_can_undo_a_verdict(mini_book):
    run(mini_book, half_trained=[x - 0.5 for x in RUNS])
    got = row(mini_book)
    assert got.verdict.word == "inconclusive"
    half = ">at half of the training: 0.500 [0.453, 0.547]; still moving"
    assert half in pages.card(got, {})
    run(mini_book, half_trained=RUNS)
    got = row(mini_book)
    assert got.verdict.word == "agrees" and "still moving" not in pages.card(got, {})


@pytest.mark.parametrize(
    "accepted, change",
    [("agrees", "same"), ("disagrees", "flip"), ("inconclusive", "drift")],
)
def test_change_is_against_the_accepted_verdict(mini_book, accepted, change):
    run(mini_book)
    assert row(mini_book).change == "same"  # nothing accepted yet
    reference(mini_book, "cpu", verdicts={"first.slope": accepted})
    assert row(mini_book).change == change


def test_a_reference_ages_when_the_smoke_run_does_and_not_before(mini_book):
    run(mini_book, "smoke", [3.0])
    smoke = (mini_book / "build/records/smoke/first.json").read_text()
    (mini_book / "tests/reference/first.json").write_text(smoke)
    run(mini_book, runs=2 * RUNS)
    for then, older in ((3.0, False), (3.0001, False), (3.1, True)):
        reference(mini_book, "gpu", smoke={"first.slope": then})
        got = ledger(mini_book)
        assert got.references["gpu"][0].measured and ("gpu" in got.older) is older
        assert ("older code" in pages.claims_table(got, {})) is older


def test_a_time_ages_no_reference(mini_book):
    run(mini_book, "smoke", [3.0])
    smoke = (mini_book / "build/records/smoke/first.json").read_text()
    (mini_book / "tests/reference/first.json").write_text(smoke)
    edit(mini_book, "    primary: true\n", "    primary: true\n    timing: true\n")
    run(mini_book, runs=2 * RUNS)
    reference(mini_book, "gpu", smoke={})
    assert ledger(mini_book).older == set()


def test_a_reference_of_another_profile_need_not_hold_a_new_claim(mini_book):
    run(mini_book)
    reference(mini_book, "gpu")
    edit(mini_book, "    primary: true\n", "    primary: true\n" + ADDED)
    chapter = Chapter("first", profile="cpu")
    chapter.record("first.slope", runs=RUNS)
    chapter.record("first.level", runs=RUNS)
    chapter.finish()
    old, new = ledger(mini_book).references["gpu"]
    assert new.verdict.word == "not assessed here" and new.measured is None
    assert old.verdict.reason.startswith("first.slope: 5 runs; gpu needs >= 10")


@pytest.mark.parametrize(
    "quoted, text",
    [
        ("{claim}`first.slope`", "1.000 ± 0.047"),
        ("{claim:value}`first.slope`", "1.000"),
        ("{claim:percent}`first.slope`", "100.0 ± 4.7 %"),
        ("{claim:verdict}`first.slope`", "agrees"),
        ("is {claim}`first.slope`, {glue:text}`x`", "is 1.000 ± 0.047, {glue:text}`x`"),
    ],
)
def test_prose_quotes_the_row_of_the_card(mini_book, quoted, text):
    run(mini_book)
    rows = {"first.slope": row(mini_book)}
    assert fill_quotes(quoted, rows, "cell 1") == text


def test_quotes_by_interval_unit_and_absence(mini_book):
    edit(mini_book, "interval: t", "interval: t-log\n    unit: nats")
    run(mini_book)
    rows = {"first.slope": row(mini_book)}
    assert fill_quotes("{claim}`first.slope`", rows, "") == "0.999 [0.953, 1.048] nats"
    run(mini_book, "smoke", [-0.123456])
    rows = {"first.slope": row(mini_book, "smoke")}
    assert fill_quotes("{claim}`first.slope`", rows, "") == "−0.1235 nats"
    run(mini_book, runs=None, not_assessed="no data")
    rows = {"first.slope": row(mini_book)}
    assert (
        fill_quotes("{claim:percent}`first.slope`", rows, "") == "(not assessed here)"
    )


@pytest.mark.parametrize("profile", ["smoke", "cpu"])
def test_without_its_data_prose_quotes_the_accepted_run(mini_book, profile):
    edit(mini_book, "    primary: true\n", "    primary: true\n    needs: [a.csv]\n")
    run(mini_book)
    reference(mini_book, "cpu")
    date = ledger(mini_book).provenance["date"]
    run(mini_book, profile, runs=None, not_assessed="needs a.csv")
    bare = row(mini_book, profile)
    assert bare.measured is None and bare.verdict.word == "not assessed here"
    text = fill_quotes("{claim:value}`first.slope`", {"first.slope": bare}, "")
    assert text == f"1.000 (run of {date})"
    assert f"5 runs in the accepted run of {date}" in pages.card(bare, {})


@pytest.mark.parametrize("quoted", ["{claim}`first.slop`", "{claim:mean}`first.slope`"])
def test_a_quote_of_nothing_names_its_cell(mini_book, quoted):
    run(mini_book)
    with pytest.raises(RenderError, match=r"01_first.py, cell 3: \{claim"):
        fill_quotes(quoted, {"first.slope": row(mini_book)}, "01_first.py, cell 3")


def test_hash_of_the_record_is_that_of_the_claim(mini_book):
    run(mini_book)
    got = ledger(mini_book)
    assert got.provenance["claims"] == {"first.slope": judged_hash(got.rows[0].claim)}


def test_cards_stand_in_groups_and_identities_share_one(mini_book):
    path = mini_book / "data/claims/first.yml"
    identity = """  - id: first.sum
    paper: someone2020
    says: The parts add up
    quantity: their sum
    kind: identity
    scope: same
    band: [-0.1, 0.1]
    band_from: "theory: exact"
    null: {what: none, value: 1.0}
"""
    away = """  - id: first.size
    paper: someone2020
    says: It holds at a thousand times the size
    quantity: the slope there
    kind: out-of-reach
    scope: same
    why: a thousand times the cost
"""
    path.write_text(path.read_text() + ADDED + identity + away)
    chapter = Chapter("first", profile="cpu")
    chapter.record("first.slope", runs=RUNS)
    chapter.record("first.level", runs=RUNS)
    chapter.record("first.sum", value=0.0, tolerance_of="the sum")
    chapter.finish()
    html = pages.cards(ledger(mini_book), {})
    places = [html.index(f'id="claim-first-{x}"') for x in ("slope", "sum", "level")]
    assert places == sorted(places) and html.index('claim-first-size"') > places[-1]
    assert "1 of 1 hold" in html and "<summary>Findings of ours (1)" in html
    assert "<dt>Why</dt><dd>a thousand times the cost</dd>" in html
