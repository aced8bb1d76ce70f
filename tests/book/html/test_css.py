"""The verdict chips: enough contrast, one rule for each word."""

import re
from pathlib import Path

import pytest

from scaling_book.pages import chip
from scaling_book.verdicts import SYMBOLS, Verdict

CSS = (Path(__file__).parents[3] / "book" / "_static" / "book.css").read_text()
RULES = re.findall(
    r"^((?:\.chip\.[\w-]+,? ?)+)\{ background: (\S+); color: (\S+); \}", CSS, re.M
)
PAINTED = [(name, back, ink) for name, back, ink in RULES if back.startswith("#")]


def luminance(colour):
    """Relative luminance of #rrggbb (WCAG 2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name, back, ink", PAINTED)
def test_chip_contrast(name, back, ink):
    low, high = sorted((luminance(back), luminance(ink)))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_every_verdict_has_a_rule():
    chips = " ".join(chip(Verdict(word, "")) for word in SYMBOLS)
    words = set(re.findall(r'class="chip ([\w-]+)"', chips))
    styled = {
        name for rule in RULES for name in re.findall(r"\.chip\.([\w-]+)", rule[0])
    }
    assert words == styled
