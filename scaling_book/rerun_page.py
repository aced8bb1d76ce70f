"""Tables of the page on re-running: what each chapter costs, and what came of it."""

from collections import Counter
from collections.abc import Sequence
from html import escape

from scaling_book.cost import full_seconds, references
from scaling_book.ledger import ChapterLedger, Row
from scaling_book.pages import html_table
from scaling_book.records import read_record

JUDGED = ("agrees", "holds in the stand-in", "inconclusive", "disagrees")
EXACT = ("reproduced", "not reproduced", "holds", "fails")
HEADS = ["Chapter", "Minutes", "Memory", "Verdicts", "Run"]
CAPTION = (
    "Profile {}: what a run of each chapter takes from nothing, and what came of it. "
    "Memory: its largest process at its peak."
)
BOUND = " “≥”: the run found some of its training done."


def cost_page(ledgers: Sequence[ChapterLedger]) -> str:
    """Return a table for each profile: minutes, memory and verdicts of the chapters.

    The rendered profile shows the run that is rendered, the others their reference.
    Only the profile of ``make book`` is not folded.
    """
    return "".join(_table(ledgers, profile) for profile in ("cpu", "smoke", "gpu"))


def _table(ledgers: Sequence[ChapterLedger], profile: str) -> str:
    """Return a profile's table (nothing where there is no run), its sum at the end."""
    runs = [(x, *found) for x in ledgers if (found := _run_of(x, profile))]
    if not runs:
        return ""
    rows = [_row(*run) for run in runs]
    made = [run[1] for run in runs]
    costs = [full_seconds({"provenance": x}) for x in made]
    seconds, bounded = sum(s for s, _ in costs), any(least for _, least in costs)
    if len(rows) > 1:
        peaks = [x.get("cost", {}).get("memory_mb", 0) for x in made]
        memory = _memory({"memory_mb": max(peaks, default=0)})
        rows.append(["All, one by one", _minutes(seconds, bounded), memory, "", ""])
    caption = CAPTION.format(profile) + (BOUND if bounded else "")
    table = html_table(HEADS, rows, caption)
    if profile == "cpu":
        return f"{table}\n\n"
    fold = f"Profile {profile}: {len(made)} of {len(ledgers)} chapters"
    return f"<details><summary>{fold}</summary>{table}</details>\n\n"


def _row(ledger: ChapterLedger, made: dict, judged: list[Row], whose: str) -> list[str]:
    used = made.get("cost", {})
    page = f"chapters/{ledger.chapter.name}.html"
    return [
        f'<a href="{page}">{escape(ledger.chapter.title)}</a>',
        _minutes(*full_seconds({"provenance": made})),
        _memory(used),
        _verdicts(judged) if made["profile"] != "smoke" else "judges nothing",
        f"{made['date']}, {whose}<br><small>{escape(made['device'])}</small>",
    ]


def _run_of(ledger: ChapterLedger, profile: str) -> tuple[dict, list[Row], str] | None:
    """Return provenance and rows of the run to show, and whose it is."""
    if ledger.provenance["profile"] == profile:
        return ledger.provenance, ledger.rows, "shown here"
    root = ledger.chapter.source.parents[1]
    for path in references(root, ledger.chapter, profile):
        if path.is_file():
            made = read_record(path)["provenance"]
            return made, ledger.references.get(profile, []), "reference"
    return None


def _minutes(seconds: float, at_least: bool) -> str:
    text = f"{seconds / 60:.1f}" if seconds < 600 else f"{seconds / 60:.0f}"
    return f"≥ {text}" if at_least else text


def _memory(used: dict) -> str:
    """Return peak memory in words.

    >>> _memory({"memory_mb": 700, "gpu_memory_mb": 2048}), _memory({})
    ('0.7 GB; GPU 2.0 GB', 'not recorded')
    """
    if not used.get("memory_mb"):
        return "not recorded"
    text = f"{used['memory_mb'] / 1024:.1f} GB"
    gpu = used.get("gpu_memory_mb")
    return f"{text}; GPU {gpu / 1024:.1f} GB" if gpu else text


def _verdicts(rows: list[Row]) -> str:
    """Count what was judged; findings and what was not assessed are left out."""
    counts = Counter(row.verdict.word for row in rows)
    listed = [f"{word} {counts[word]}" for word in (*JUDGED, *EXACT) if counts[word]]
    return ", ".join(listed) or "nothing judged"
