"""`scaling check --against`: what a re-run bears out, claim by claim."""

import json

import pytest

from .conftest import scaling
from .test_ledger import ADDED, RUNS, edit, reference, run


def check(root, *words):
    done = scaling("check", "first", "--against", *words, cwd=root)
    return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize(
    "shift, code, line",
    [
        (0.0, 0, "= first.slope: agrees, within its interval; here 1.000 [0.953, 1.047]"),
        (0.01, 0, "= first.slope: agrees, within its interval; here 1.010 [0.963, 1.057]"),
        (0.2, 1, "✕ first.slope: verdict differs, the interval and the band are disjoint"),
        (0.06, 1, "✕ first.slope: verdict differs, the interval crosses the band's edge"),
    ],
)  # fmt: skip
def test_each_claim_is_a_line_with_both_numbers(mini_book, shift, code, line):
    run(mini_book)
    reference(mini_book, "cpu")
    run(mini_book, runs=[x + shift for x in RUNS])
    got, lines, _ = check(mini_book, "data/results")
    assert got == code and lines[0].startswith(line)
    assert "reference 1.000 [0.953, 1.047], 5 runs (● agrees)" in lines[0]
    count = "1 agree, 0 moved, 0" if code == 0 else "0 agree, 0 moved, 1"
    assert lines[1].startswith(f"Against data/results: {count} verdicts differ")


def test_a_number_may_move_within_one_verdict(mini_book):
    edit(mini_book, "band: [0.9, 1.1]", "band: [0.5, 1.5]")
    run(mini_book)
    reference(mini_book, "cpu")
    run(mini_book, runs=[x + 0.2 for x in RUNS])
    code, lines, _ = check(mini_book, "data/results")
    assert code == 1
    assert lines[0].startswith("≠ first.slope: moved, the intervals do not meet; here")


@pytest.mark.parametrize("value, state", [(2.0, "="), (2.01, "="), (2.1, "≠")])
def test_a_finding_without_an_interval_agrees_to_one_percent(mini_book, value, state):
    added = ADDED.replace("    interval: t\n", "")
    edit(mini_book, "    primary: true\n", "    primary: true\n" + added)

    def record(x):
        run_with(mini_book, x)

    record(2.0)
    reference(mini_book, "cpu")
    record(value)
    code, lines, _ = check(mini_book, "data/results")
    assert lines[1].startswith(f"{state} first.level") and code == (state == "≠")


def run_with(root, level):
    from scaling_book.api import Chapter

    chapter = Chapter("first", profile="cpu")
    chapter.record("first.slope", runs=RUNS)
    chapter.record("first.level", value=level, tolerance_of="the level")
    chapter.finish()


def test_what_cannot_be_compared_fails_nothing(mini_book):
    edit(mini_book, "    primary: true\n", "    primary: true\n    needs: [a.csv]\n")
    run(mini_book)
    reference(mini_book, "cpu")
    run(mini_book, runs=None, not_assessed="needs a.csv")
    code, lines, _ = check(mini_book, "data/results")
    assert code == 0
    assert lines[0].startswith("– first.slope: not compared, no number here: needs")
    edit(mini_book, "    needs: [a.csv]\n", "    timing: true\n")
    run(mini_book, runs=[x + 0.2 for x in RUNS])
    code, lines, _ = check(mini_book, "data/results")
    assert code == 0 and "not compared, a time" in lines[0]


def test_two_smoke_runs_have_no_noise_to_judge_by(mini_book):
    run(mini_book, "smoke", [1.0])
    smoke = (mini_book / "build/records/smoke/first.json").read_text()
    (mini_book / "tests/reference/first.json").write_text(smoke)
    words = ("tests/reference", "--profile", "smoke")
    assert check(mini_book, *words)[1][0].startswith("= first.slope: agrees, to 1%")
    run(mini_book, "smoke", [1.2])
    code, lines, _ = check(mini_book, *words)
    assert code == 0 and "not compared, a smoke run has no interval" in lines[0]


def test_a_chapter_without_a_reference_is_said(mini_book):
    run(mini_book)
    code, lines, complaint = check(mini_book, "data/results")
    assert code == 2 and not lines
    assert "data/results holds no reference at cpu for first" in complaint
    reference(mini_book, "cpu")
    record = json.loads((mini_book / "build/records/cpu/first.json").read_text())
    record["provenance"]["slug"] = "second"
    record["values"] = {"second.slope": record["values"]["first.slope"]}
    record["provenance"]["claims"] = {}
    text = json.dumps(record)
    (mini_book / "build/records/cpu/second.json").write_text(text)
    done = scaling("check", "--against", "data/results", cwd=mini_book)
    assert done.returncode == 0, done.stderr
    assert "– second: no reference at cpu" in done.stdout
