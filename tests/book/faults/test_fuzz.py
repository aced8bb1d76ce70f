"""Readers get nonsense: a result or one foreseen error, never a traceback."""

import json
import math
import random
from copy import deepcopy

import pytest
import yaml

from scaling_book.chapters import list_chapters
from scaling_book.claims import load_claims
from scaling_book.curves import read_curves
from scaling_book.ledger import judge_record, judge_reference
from scaling_book.records import read_record
from scaling_core.base.errors import ForeseenError, UsageError
from scaling_core.fitting import report
from scaling_core.fitting.runs import read_runs
from tests.faults import COUNTS

from ..conftest import CLAIMS, TOC, write_book
from .conftest import call

FAULT = "readers get nonsense (fuzz)"
SHARES = dict(claims=0.25, record=0.25, curves=0.1, toc=0.1, table=0.29, fit=0.01)
JUNK = (
    None, True, "", "x", "1e999", "null", "\0", "é" * 40, 0, -1, 1e308, -1e308, 5e-324,
    10**400, [], {}, [[]], [None], {"a": 1}, {"": []}, [1.0] * 30, "2026-13-45", "!!int x",
)  # fmt: skip
CELLS = (
    "", "1", "-1", "0", "nan", "inf", "1e309", "1e-309", '"', '""', '"1', "1_0", "é", " ",
    "0x1", "1,2", "\t", "\r", "\0", "x" * 50, "1e5", "2.5",
)  # fmt: skip
LOSSES = ("mse", "huber", "log-huber")
OPTIONS = (
    "--json",
    "--bootstrap=9",
    "--allocate=1e-99,1e22,1e99",
    "--compare=pure-power",
)
HARD = (0.0, 1.0, -1.0, 1e-99, 1e99, 1e-100, 1e100, 1e-9, 1e22, 5e-324, 1e308, math.nan)
TABLE = "x,L\n" + "".join(f"{i},{1 + 1 / i}\n" for i in range(1, 9))
CURVES = "profile,curves,seed,step,y\n" + "cpu,runs,100,0,0.5\n" * 3


def places(document, path=()):
    """Yield the path of every value within a document."""
    yield path
    pairs = document.items() if isinstance(document, dict) else ()
    pairs = enumerate(document) if isinstance(document, list) else pairs
    for key, value in pairs:
        yield from places(value, (*path, key))


def with_junk(document, rng: random.Random):
    """Return a document with up to three values replaced, dropped, or put elsewhere."""
    document = json.loads(json.dumps(document))
    for _ in range(rng.randint(1, 3)):
        *way, last = rng.choice(list(places(document))) or (None,)
        inner, junk = document, deepcopy(rng.choice(JUNK))
        for key in way if last is not None else ():
            inner = inner[key]
        if last is None:
            document = junk if rng.random() < 0.1 else document
        elif rng.random() < 0.2:
            del inner[last]
        elif rng.random() < 0.2 and isinstance(inner, dict):
            inner[str(rng.choice(JUNK))[:9]] = inner.pop(last)
        else:
            inner[last] = junk
    return document


def noisy(text: str, rng: random.Random, pieces=CELLS) -> str:
    """Return a text in which some characters are cut, doubled or replaced."""
    for _ in range(rng.randint(1, 4)):
        at, to = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        to = min(to, at + 12)
        text = text[:at] + rng.choice((*pieces, text[at:to] * 2)) + text[to:]
    return text


class Readers:
    """One method a reader: it makes a case of a random generator and reads it."""

    def __init__(self, folder):
        self.book = write_book(folder / "book")
        self.rows = yaml.safe_load(CLAIMS.format(slug="first"))
        self.claims = load_claims(self.book / "data/claims/first.yml")
        made = dict.fromkeys(("date", "commit", "chapter", "package", "device"), "x")
        made |= {name: {} for name in ("inputs", "versions", "seconds", "claims")}
        made |= dict(profile="cpu", dirty=None, lock=None, threads=1)
        made |= dict(first_seed=100, total_seconds=1.0)
        entry = {"runs": [1.0, 1.1, 0.9, 1.0, 1.05], "half_trained": [1.0] * 5}
        entry["leave_one_out"] = [[1.0] * 5] * 2
        self.record_of = {"values": {"first.slope": entry}, "provenance": made}

    def claims_file(self, rng):
        path = self.book / "data/claims/first.yml"
        text = json.dumps(
            with_junk(self.rows, rng)
        )  # JSON is YAML, read in the same way
        if rng.random() < 0.3:
            text = noisy(
                CLAIMS.format(slug="first"), rng, ("!!python/x", "&a", "*a", "- ")
            )
        path.write_text(text)
        load_claims(path)

    def record(self, rng):
        path = self.book / "first.json"
        text = json.dumps(with_junk(self.record_of, rng))
        path.write_text(noisy(text, rng) if rng.random() < 0.2 else text)
        found = read_record(path)
        judge_reference(self.claims, found)
        judge_record(self.claims, found)

    def curves(self, rng):
        path = self.book / "a.curves.csv"
        path.write_text(noisy(CURVES, rng), newline="")
        read_curves(path)

    def toc(self, rng):
        path = self.book / "_toc.yml"
        text = json.dumps(with_junk(yaml.safe_load(TOC), rng))
        path.write_text(noisy(TOC, rng) if rng.random() < 0.3 else text)
        list_chapters(self.book)

    def table(self, rng):
        path = self.book / "runs.csv"
        path.write_text(noisy(TABLE, rng), newline="")
        return read_runs(path, [report.LAWS["power"]], {})

    def fit(self, rng):
        """Fit numbers that are hard to fit, with any law: few, equal, huge, tiny."""
        name, n = rng.choice(list(report.LAWS)), rng.randint(1, 14)
        law, words = report.LAWS[name], ["--loss", rng.choice(LOSSES)]
        hard = rng.choice((0.0, 0.1, 0.5))
        draw = lambda: rng.choice(HARD) if rng.random() < hard else rng.uniform(1, 9)
        names = list(dict.fromkeys((*law.variables, law.target)))
        lines = [",".join(repr(draw()) for _ in names) for _ in range(n)]
        path = self.book / "runs.csv"
        path.write_text("\n".join([",".join(names), *lines]))
        words += [word for word in OPTIONS if rng.random() < 0.1]
        done = call("fit", path, "--law", name, *words)
        if done.code:
            assert done.is_one_clear_line(), (words, done.err)
            raise UsageError(done.err)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numbers near the largest
@pytest.mark.parametrize("reader", SHARES)
@pytest.mark.parametrize(
    "times", [COUNTS[FAULT][0], pytest.param(COUNTS[FAULT][1], marks=pytest.mark.full)]
)
def test_nonsense_is_a_result_or_one_foreseen_error(tmp_path, reader, times):
    """``times`` of all readers together; each case has a seed of its own."""
    readers, refused = Readers(tmp_path), 0
    read = getattr(readers, "claims_file" if reader == "claims" else reader)
    for seed in range(round(times * SHARES[reader])):
        try:
            read(random.Random(seed))
        except ForeseenError as error:
            refused += 0 < len(str(error)) < 3000 or pytest.fail(f"{seed}: {error}")
        except Exception as error:
            raise AssertionError(f"{reader}, seed {seed}: {error!r}") from error
    assert refused
