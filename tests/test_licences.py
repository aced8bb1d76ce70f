"""Licences of what the lock brings: each is known, and none forbids what we do.

`make licences` writes the table, with pip-licenses, from the metadata of what is
installed; the weekly workflow writes it again and finds it the same.
"""

import csv
import re
from collections import Counter
from pathlib import Path

from packaging.utils import canonicalize_name

from .test_packaging import PINS, ROOT, pins

ALLOWED = {  # families: what we may use and pass on; MPL binds changed files only
    "MIT": r"MIT( License|-CMU)?",
    "BSD": r"(3-Clause )?BSD( License|-[23]-Clause)?|0BSD",
    "Apache 2.0": r"Apache( Software License|[ -]2\.0( License| WITH LLVM-exception)?)",
    "PSF": r"PSF-2\.0|Python Software Foundation License|CNRI-Python",
    "MPL 2.0": r"MPL-2\.0|Mozilla Public License 2\.0 \(MPL 2\.0\)",
    "ISC": r"ISC License \(ISCL\)",
    "Boost, Zlib or public domain": r"BSL-1\.0|Zlib|CC0-1\.0|Public Domain",
}
NAMED = {  # what its metadata alone would refuse, and why it may stay
    "axe-playwright-python": "its metadata names none; its LICENSE is MIT, and the "
    "axe-core in it MPL 2.0. It opens pages in tests, and nothing of it is on a page.",
    "docutils": "in the public domain, but for some files (COPYING.txt), of which the "
    "one under the GPL, for Emacs, is not in the wheel.",
}
with (ROOT / "licences.csv").open(newline="") as file:
    ROWS = {canonicalize_name(row["Name"]): row for row in csv.DictReader(file)}


def families(licence: str) -> set[str]:
    """Return the families of a licence's parts; "" for one that is not allowed.

    >>> sorted(families("MIT AND AGPL-3.0")), families("BSD-3-Clause")
    (['', 'MIT'], {'BSD'})
    """
    parts = re.split("; | AND | OR ", licence)
    found = {
        next((f for f in ALLOWED if re.fullmatch(ALLOWED[f], p)), "") for p in parts
    }
    return found


def sentence() -> str:
    """Return what the README says of the lock's licences."""
    kinds = [
        families(row["License"]) for name, row in ROWS.items() if name not in NAMED
    ]
    counts = Counter(
        kind.pop() if len(kind) == 1 else "several at once" for kind in kinds
    )
    listed = [f"{n} {family}" for family, n in counts.most_common()]
    listed.append(f"{len(NAMED)} by their files, not their metadata")
    return f"the {len(ROWS)} packages of the lock: {', '.join(listed)}"


def test_table_is_that_of_the_lock():
    found = {name: row["Version"] for name, row in ROWS.items()}
    assert found == PINS, "run make licences"


def test_each_licence_is_allowed_or_named_with_a_reason():
    refused = {name for name, row in ROWS.items() if "" in families(row["License"])}
    assert refused == set(NAMED)
    for licence in ("AGPL-3.0-only", "GPL-3.0", "Other/Proprietary License", "UNKNOWN"):
        assert families(licence) == {""}
    assert "" in families("MIT AND SSPL-1.0") and "" in families("")


def test_readme_counts_them():
    assert sentence() in (ROOT / "README.md").read_text(), sentence()


def test_tools_of_the_audit_have_pins_of_their_own():
    """Not in the lock, whose hash names the folder of every stored result."""
    tools = pins("constraints-audit.txt")
    assert {"cyclonedx-bom", "pip-audit", "pip-licenses"} <= tools.keys()
    assert not tools.keys() & PINS.keys()
    makefile = Path(ROOT / "Makefile").read_text()
    assert "-c $(LOCK) -r constraints-audit.txt" in makefile
    assert "--strict" in makefile, "else what PyPI does not know passes unseen"
