"""The table of faults in the README is that of the tests, and each fault has a test."""

from pathlib import Path

from .faults import COUNTS, table

ROOT = Path(__file__).parents[1]


def test_readme_holds_the_counts_of_the_tests():
    assert table() in (ROOT / "README.md").read_text(), "see python -m tests.faults"


def test_every_fault_is_tried_by_a_test():
    files = [path for path in ROOT.glob("tests/**/test_*.py") if path != Path(__file__)]
    text = "\n".join(path.read_text() for path in files)
    for fault in COUNTS:
        assert f'often("{fault}")' in text or f'FAULT = "{fault}"' in text, fault
