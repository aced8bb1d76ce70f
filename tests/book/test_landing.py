"""The landing page: one axis for all claims, answers no surer than their verdicts."""

from types import SimpleNamespace

import pytest
import yaml
from bs4 import BeautifulSoup

from scaling_book import landing, lanes, overview
from scaling_book.chapters import list_chapters
from scaling_book.claims import Claim
from scaling_book.errors import RenderError
from scaling_book.ledger import Row, load_book_ledger
from scaling_book.measure import Measured
from scaling_book.render import render
from scaling_book.verdicts import SYMBOLS, judge
from scaling_core.base.intervals import Interval

from .conftest import REPOSITORY


def row(claim_id="first.slope", ours=(0.5, 0.4, 0.6), **changes):
    """A judged row: what we measured, with its interval, against a claim."""
    fields = dict(
        id=claim_id,
        paper="someone2020",
        says="It grows",
        quantity="q",
        kind="statistical",
        scope="same",
        band=(1.0, 3.0),
        band_from="theory",
        interval="t",
        published=dict(value=2.0, where="Table 1", source="seen"),
        null=dict(what="flat", value=0.0),
    )
    claim = Claim.model_validate(fields | changes)
    measured = Measured(ours[0], Interval(*ours, 5, "t"))
    return Row(claim, "cpu", measured, judge(claim, measured))


def test_a_mark_counts_from_the_null_to_the_near_edge_of_the_band():
    mark = lanes.place(row())
    assert (mark.x, mark.low, mark.high, mark.far) == (0.5, 0.4, 0.6, 3.0)
    assert mark.paper == 2.0 and mark.beyond == 0.5
    # A null above the band: the axis turns, so that the band lies to the right.
    above = lanes.place(row(null=dict(what="flat", value=5.0)))
    assert (above.x, above.far, above.paper) == (2.25, 2.0, 1.5)
    assert above.low < above.x < above.high and above.beyond == 0.25


@pytest.mark.parametrize(
    "changes",
    [{"null": None}, {"kind": "finding", "band": None, "band_from": None}],
    ids=["no null", "finding"],
)
def test_what_has_no_null_or_verdict_has_no_mark(changes):
    assert lanes.place(row(**changes)) is None


def test_a_lane_links_each_claim_and_shows_what_lies_beyond_the_axis():
    marks = lanes.marks_of([row(ours=(0.5, 0.4, 0.6)), row(ours=(-90, -91, -89))])
    soup = BeautifulSoup(lanes.lane(marks, "x.html", "Name"), "html.parser")
    links = soup.find_all("a")
    assert [a["href"] for a in links] == ["x.html#claim-first-slope"] * 2
    assert [bool(a.find(class_="arrow")) for a in links] == [False, True]
    assert links[0].title.text == "It grows: disagrees (0.50 [0.40, 0.60], 5 runs)"


def test_every_verdict_about_a_paper_has_its_place_in_a_bar_and_its_mark():
    assert set(landing.ORDER) == set(SYMBOLS) - {"holds", "fails"}
    judged = set(landing.ORDER) - {"finding", "not assessed here", "out of reach"}
    assert set(lanes.SHAPES) == judged


def test_surprises_are_what_disagrees_primary_first_one_a_chapter():
    hearsay = dict(value=2.0, where="a review", source="secondary")
    rows = {
        "a": [row("a.far", ours=(-9, -9.5, -8.5)), row("a.near", ours=(0.5, 0.4, 0.6))],
        "b": [row("b.first", primary=True), row("b.far", ours=(-9, -9.5, -8.5))],
        "c": [row("c.agrees", ours=(2, 1.9, 2.1)), row("c.open", ours=(1, 0.5, 1.5))],
        "d": [row("d.hearsay", published=hearsay, primary=True)],
    }
    found = landing.surprises({k: lanes.marks_of(v) for k, v in rows.items()})
    assert [mark.row.claim.id for mark in found] == ["b.first", "a.far"]


def test_a_bar_leaves_identities_out():
    check = row(kind="identity", interval=None)
    soup = BeautifulSoup(landing.verdict_bar([row(), row(), check]), "html.parser")
    assert soup.div["aria-label"] == "2 disagrees" and soup.div.text == "2"


def entry(**changes):
    fields = dict(theme="t", question="q?", answer="Slope {claim}`a.b`.", minutes=1)
    return overview.Entry.model_validate(fields | changes)


def test_an_answer_quotes_numbers_and_gives_way_when_its_verdict_moved():
    rows = {"a.b": row("a.b")}
    said = overview.answer(entry(rests_on={"a.b": "disagrees"}), rows, "a")
    assert said == "Slope 0.50 ± 0.10."
    moved = overview.answer(entry(rests_on={"a.b": "agrees"}), rows, "a")
    assert moved.startswith("To be rewritten") and "now reads disagrees" in moved
    unseen = overview.answer(
        entry(rests_on={"a.b": "agrees"}), {"a.b": unmeasured()}, "a"
    )
    assert unseen.startswith("Slope")


def unmeasured():
    claim = row("a.b").claim
    return Row(claim, "smoke", None, judge(claim, None, "no data"))


def test_an_answer_that_rests_on_no_claim_is_refused():
    with pytest.raises(RenderError, match="rests on 'a.c'"):
        overview.answer(entry(rests_on={"a.c": "agrees"}), {}, "a")


def test_a_chapter_without_an_entry_is_refused_with_what_to_write(executed):
    path = executed / "data" / "chapters.yml"
    entries = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({"first": entries["first"]}))
    with pytest.raises(RenderError, match="no entry for the chapter 'second'; write"):
        render(executed, "cpu", say=lambda line: None)


def test_a_smoke_run_shows_the_accepted_run_on_pages_about_the_book():
    smoke, accepted = [row()], [row(ours=(2, 1.9, 2.1))]
    ledger = SimpleNamespace(
        rows=smoke, references={"cpu": accepted}, provenance={"profile": "smoke"}
    )
    assert overview.shown_rows(ledger) is accepted
    ledger.provenance = {"profile": "gpu"}
    assert overview.shown_rows(ledger) is smoke


def test_answers_of_the_book_rest_on_the_verdicts_that_were_accepted():
    """A verdict that moved asks for a new answer before the page is published."""
    chapters = [c for c in list_chapters(REPOSITORY) if not c.missing]
    entries = overview.load_entries(REPOSITORY, chapters)
    folder = REPOSITORY / "tests/reference"
    ledgers = load_book_ledger(
        REPOSITORY, {c: folder / f"{c.slug}.json" for c in chapters}
    )
    rows = {r.claim.id: r for x in ledgers for r in overview.shown_rows(x)}
    for slug, found in entries.items():
        said = overview.answer(found, rows, slug)
        assert not said.startswith("To be rewritten"), said
        for claim_id, word in found.rests_on.items():
            assert rows[claim_id].verdict.word in (word, overview.UNJUDGED), claim_id
