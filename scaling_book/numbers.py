"""Numbers as people read them: on cards, in tables, and quoted in prose by an id."""

import re
from collections.abc import Mapping

from scaling_book.claims import Claim
from scaling_book.errors import RenderError
from scaling_book.ledger import Row
from scaling_book.measure import Measured
from scaling_core.base.intervals import Interval, decimals_for

QUOTE = re.compile(r"\{claim(?::([^}`]*))?\}`([^`]*)`")
SIGNED_ZERO = re.compile(r"(?<![\w.])[−-](?=0(?:\.0+)?(?![\d.]))")
SYMMETRIC = ("t", "jackknife")


def show_number(value: float, decimals: int | None = None) -> str:
    """Format one number: fixed decimals, or four digits, or a power of ten.

    >>> show_number(0.12345), show_number(3.2e-16), show_number(1.5, 2)
    ('0.1235', '3.2e−16', '1.50')
    """
    if decimals is not None:
        text = f"{value:z.{decimals}f}"
    elif value and not 1e-3 <= abs(value) < 1e5:
        text = f"{value:.1e}"
    else:
        text = f"{value:.4g}"
    return text.replace("-", "−")


def without_signed_zero(text: str) -> str:
    """Return a text of numbers without the sign of what was rounded to zero.

    >>> without_signed_zero("'−0.00 ± 0.02'"), without_signed_zero("-0.01")
    ("'0.00 ± 0.02'", '-0.01')
    """
    return SIGNED_ZERO.sub("", text)


def _as_written(value: float) -> str:
    """Format a number of the ledger as it stands there."""
    return f"{value:g}".replace("-", "−")


def _places(half_width: float) -> int:
    return min(decimals_for(half_width), 6)


def with_unit(text: str, unit: str) -> str:
    """Append a unit, if there is one."""
    return f"{text} {unit}" if unit else text


def in_brackets(interval: Interval) -> str:
    """Format an estimate with its interval, two digits of the half-width."""
    places = _places((interval.high - interval.low) / 2)
    ends = (interval.estimate, interval.low, interval.high)
    value, low, high = (show_number(x, places) for x in ends)
    return f"{value} [{low}, {high}]"


def show_measured(measured: Measured | None, unit: str = "") -> str:
    """Format our number: estimate, 95 % interval and number of runs.

    >>> show_measured(Measured(0.5, Interval(0.5, 0.4, 0.6, 5, "t")), "nats")
    '0.50 [0.40, 0.60] nats, 5 runs'
    """
    if measured is None:
        return "–"
    if measured.interval is None:
        return with_unit(show_number(measured.estimate), unit)
    text = with_unit(in_brackets(measured.interval), unit)
    return f"{text}, {measured.interval.n} runs"


def show_band(claim: Claim) -> str:
    """Format a band: an interval, or one bound.

    >>> from types import SimpleNamespace as N
    >>> show_band(N(band=(0.5, None), unit=""))
    '≥ 0.5'
    """
    if claim.band is None:
        return "–"
    low, high = (None if x is None else _as_written(x) for x in claim.band)
    if high is None:
        return with_unit(f"≥ {low}", claim.unit)
    return with_unit(f"≤ {high}" if low is None else f"{low} to {high}", claim.unit)


def show_published(claim: Claim) -> str:
    """Format what the paper printed, with its place in the paper."""
    published = claim.published
    if published is None:
        return "–"
    place = published.where + (" (secondary)" if published.source != "seen" else "")
    if published.value is None:
        return place
    text = _as_written(published.value)
    if published.uncertainty is not None:
        text += f" ± {_as_written(published.uncertainty)}"
        text += f" ({published.of})" if published.of else ""
    return f"{with_unit(text, claim.unit)}, {place}"


def quote(row: Row, option: str = "") -> str:
    """Return a claim's number as prose quotes it, from the row of its card.

    ``value``: without the interval; ``percent``: all times 100; ``verdict``: its word.
    Where optional data is absent, the number is the accepted run's, with its date.
    """
    if option == "verdict":
        return row.verdict.word
    measured, when = row.measured, ""
    if measured is None:
        if row.earlier is None:
            return "(not assessed here)"
        measured, when = row.earlier[0], f" (run of {row.earlier[1]})"
    scale, unit = (100, "%") if option == "percent" else (1, row.claim.unit)
    text = _quoted(measured, scale, alone=option == "value")
    return with_unit(text, unit) + when


def quoted_value(measured: Measured, scale: float = 1) -> str:
    """Format our number alone, as ``{claim:value}`` shows it.

    >>> quoted_value(Measured(0.5, Interval(0.5, 0.4, 0.6, 5, "t")), 100)
    '50.0'
    """
    return _quoted(measured, scale, alone=True)


def _quoted(measured: Measured, scale: float, *, alone: bool) -> str:
    interval = measured.interval
    if interval is None or interval.low == interval.high:
        return show_number(scale * measured.estimate)
    half = scale * (interval.high - interval.low) / 2
    numbers = [scale * x for x in (interval.estimate, interval.low, interval.high)]
    value, low, high, half = (show_number(x, _places(half)) for x in [*numbers, half])
    if alone:
        return value
    symmetric = interval.method in SYMMETRIC
    return f"{value} ± {half}" if symmetric else f"{value} [{low}, {high}]"


def fill_quotes(text: str, rows: Mapping[str, Row], where: str) -> str:
    """Replace every ``{claim}`` of a text by the number of that claim.

    Raises
    ------
    RenderError
        On an unknown id or option, naming ``where`` it stands.
    """

    def number(found: re.Match) -> str:
        option, claim_id = found[1] or "", found[2]
        if option not in ("", "value", "percent", "verdict"):
            raise RenderError(
                f"{where}: {found[0]}: unknown option {option!r}; allowed: value, "
                "percent, verdict, or none"
            )
        if claim_id not in rows:
            raise RenderError(f"{where}: {found[0]}: no claim has the id {claim_id!r}")
        return quote(rows[claim_id], option)

    return QUOTE.sub(number, text)
