"""The page of exponents: groups, counts, figure; and books without any."""

import re
from typing import get_args

import pytest

from scaling_book.chapters import built_record, list_chapters
from scaling_book.claims import Cause, Claim, judged_hash
from scaling_book.exponents import CAUSES, DIFFERENCES, exponents_page
from scaling_book.ledger import load_book_ledger
from scaling_book.papers import quoted_papers

from .test_claims import claim

MARK = {"of": "loss", "in": "width m", "cause": "overlap"}


def page_of(root, profile="cpu", **marks):
    """Return the page with these exponents, slug -> mark, put into the claims."""
    for slug, mark in marks.items():
        path = root / "data" / "claims" / f"{slug}.yml"
        path.write_text(f"{path.read_text()}    exponent: {mark}\n")
    chapters = list_chapters(root)
    records = {c: built_record(root, profile, c.slug) for c in chapters}
    ledgers = load_book_ledger(root, records)
    return exponents_page(ledgers, quoted_papers(root, []), root)


def test_an_exponent_names_a_known_cause_and_is_not_judged_by_it():
    assert list(CAUSES) == list(get_args(Cause))
    assert judged_hash(claim(exponent=MARK)) == judged_hash(claim())
    for mark in ({**MARK, "cause": "magic"}, {"of": "loss", "in": "m"}):
        with pytest.raises(ValueError, match=r"1 validation error(.|\n)*cause"):
            claim(exponent=mark)


def test_rows_stand_under_their_cause_with_numbers_and_links(executed):
    page = page_of(executed, first=MARK, second={**MARK, "minus": "chance"})
    heads = re.findall("^## (.*)", page, re.M)
    assert heads == [CAUSES["overlap"], DIFFERENCES]
    for link in (
        "01_first.html#claim-first-slope",
        "02_second.html#claim-second-slope",
    ):
        assert f'href="../chapters/{link}"' in page
    assert "2 claims are exponents, about 1 paper. In 0" in page
    assert "In 0 of them" in page, "the paper gives no uncertainty"
    assert "B 2020</a>: 1, Table 1" in page and "[1.000, 1.040]" in page
    assert "loss in width m, minus chance" in page and "(cause: overlap)" in page
    svg = (executed / "book/generated/exponents.svg").read_text()
    assert "Date" not in svg and svg.count("<svg") == 1
    assert page_of(executed) == page, "the same page each time"
    assert (executed / "book/generated/exponents.svg").read_text() == svg


def test_ours_is_counted_within_a_published_uncertainty(executed):
    path = executed / "data/claims/first.yml"
    seen = path.read_text()
    for spread, within in ((0.03, 1), (0.015, 0)):
        path.write_text(
            seen.replace("value: 1.0,", f"value: 1.0, uncertainty: {spread},")
        )
        page = page_of(executed, first=MARK)
        assert f"ours lies within it in {within}, and our interval" in page
        assert "touches it in 1." in page
    secondary = seen.replace("source: seen", "source: secondary")
    path.write_text(secondary.replace("value: 1.0,", "value: 1.0, uncertainty: 1,"))
    assert "In 0 of them" in page_of(executed, first=MARK), "never seen in the paper"


def test_smoke_has_numbers_without_intervals_or_verdicts(executed):
    page = page_of(executed, "smoke", first=MARK)
    assert "fig-exponents" in page and "not assessed here" in page


def test_no_number_means_no_figure_and_no_exponent_a_sentence(executed):
    assert exponents_page([], {}, executed) == page_of(executed)
    assert "No claim of these chapters is an exponent" in page_of(executed)
    path = executed / "data/claims/first.yml"
    row = dict(id="first.far", paper="someone2020", says="s", quantity="q", why="far")
    row |= dict(kind="out-of-reach", scope="same", exponent=MARK)
    assert Claim.model_validate(row)
    path.write_text(f"{path.read_text()}  - {row}\n")
    page = page_of(executed)
    assert "out of reach" in page and "fig-exponents" not in page
    assert not (executed / "book/generated/exponents.svg").exists()
