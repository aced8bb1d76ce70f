"""All that a chapter imports from the machinery: profile, sizes, record, glue, style.

A chapter measures and records; it never judges. The same file runs under papermill,
in Jupyter or Colab, and as a plain script (glue and tables are then no-ops).
"""

import json
import os
import platform
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from scipy import stats

from scaling_book.claims import Claim, bib_keys, judged_hash, load_claims
from scaling_book.curves import accepted_curves, check_curves, write_curves
from scaling_book.errors import RecordError
from scaling_book.measure import as_json, check_form, check_shapes
from scaling_book.profile import PROFILES, resolve_profile
from scaling_book.provenance import provenance
from scaling_core.base.files import book_root, write_atomic
from scaling_core.base.inputs import hash_input
from scaling_core.base.intervals import Resamples

FIRST_SEED = 100  # pilots use seeds 0-9, so that no verdict reuses a pilot's run

# One meaning per colour in the whole book (Okabe-Ito).
COLORS = {
    "ours": "#0072B2",
    "paper": "#6E6E6E",
    "null": "#D55E00",
    "band": "#E6F0F7",
    "theory": "#009E73",
}
SERIES = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"]
MARKERS = ["o", "s", "^", "D", "v", "P"]


def in_notebook() -> bool:
    """Tell whether this process is a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def set_figure_style() -> None:
    """Set the seaborn theme and palette of every figure in the book."""
    import matplotlib as mpl
    import seaborn as sns

    sns.set_theme("paper", "ticks", palette=SERIES, rc=FIGURE_STYLE)
    mpl.rcParams["savefig.facecolor"] = "white"


FIGURE_STYLE = {
    "figure.figsize": (6.4, 3.8),
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.labelsize": 10,
    "axes.titlesize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "scaling-replicated",
}


def error_bars(runs) -> np.ndarray:
    """Return the half-width of the 95 % t interval over runs (axis 0), 0 for one run.

    >>> error_bars([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]).round(2)
    array([2.48, 0.  ])
    """
    rows = np.asarray(runs, dtype=float)
    if len(rows) < 2:
        return np.zeros(rows.shape[1:])
    return stats.t.ppf(0.975, len(rows) - 1) * stats.sem(rows, axis=0)


class Chapter:
    """One run of one chapter: its profile, sizes, timings, and its record.

    Parameters
    ----------
    slug
        The chapter's name, as in ``notebooks/NN_<slug>.py``.
    profile
        smoke, cpu or gpu; empty for ``SCALING_PROFILE``, then cpu.
    """

    def __init__(self, slug: str, *, profile: str = ""):
        self.slug = slug
        self.profile = resolve_profile(profile)
        self.root = book_root()
        path = self.root / "data" / "claims" / f"{slug}.yml"
        keys = bib_keys(self.root / "book" / "references.bib")
        self.claims: dict[str, Claim] = {c.id: c for c in load_claims(path, keys)}
        self.entries: dict[str, dict] = {}
        self._curves: dict = {}
        self._seconds: dict[str, float] = {}
        self._section = "Set-up"
        self._since = self._start = time.perf_counter()
        self._started = time.monotonic()
        warnings.filterwarnings("ignore", message=".*(IProgress|fork).*")
        set_figure_style()
        self._limit_threads()

    def _limit_threads(self) -> None:
        """Use one thread: small models gain nothing from more and lose much."""
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # heeded by a later import
        torch = sys.modules.get("torch")
        if torch is not None and self.device == "cpu":
            torch.set_num_threads(1)

    @property
    def device(self) -> str:
        """``cuda`` where the gpu profile finds one, else ``cpu``."""
        if self.profile != "gpu":
            return "cpu"
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"

    def seeds(self, n: int) -> list[int]:
        """Return the seeds of ``n`` runs that count for a verdict: 100, 101, …"""
        return list(range(FIRST_SEED, FIRST_SEED + n))

    @property
    def deadline(self) -> float | None:
        """``time.monotonic()`` at which to stop cleanly (``SCALING_TIME_LIMIT``)."""
        limit = os.environ.get("SCALING_TIME_LIMIT")
        return self._started + float(limit) if limit else None

    def store(self, name: str) -> Path:
        """Return the file of a sweep's results, which outlives this run.

        The folder names lock and Python: other libraries never meet old results.
        """
        lock = hash_input(self.root / "constraints.txt") or "unlocked"
        python = ".".join(platform.python_version_tuple()[:2])
        folder = self.root / "build" / "stores" / f"{lock[:8]}-py{python}"
        return folder / self.profile / self.slug / f"{name}.sqlite"

    def require_complete(self, frame) -> None:
        """Go on only when every config of a sweep is done.

        Raises
        ------
        RecordError
            If a config failed, with its error.
        SystemExit
            If the time limit came first: nothing is recorded, the store is kept, and
            the same command goes on from there.
        """
        failed = frame[frame.status == "failed"]
        if len(failed):
            raise RecordError(f"{len(failed)} configs failed: {failed.error.iloc[0]}")
        left = int((frame.status != "done").sum())
        if left:
            print(f"time limit: {left} of {len(frame)} configs left; run again")
            sys.exit(0)

    def section(self, name: str) -> None:
        """Start a section; its seconds land in the record's provenance."""
        now = time.perf_counter()
        spent = self._seconds.get(self._section, 0.0)
        self._seconds[self._section] = spent + now - self._since
        self._section, self._since = name, now

    def sizes(self, **sizes: dict) -> SimpleNamespace:
        """Show the table of sizes per profile and return this profile's column.

        Each argument is a dict with the keys smoke, cpu and gpu.
        """
        for name, row in sizes.items():
            if set(row) != set(PROFILES):
                raise ValueError(f"{name}: give a value for each of {PROFILES}")
        if in_notebook():
            import pandas as pd
            from IPython.display import HTML, display

            columns = {"size": list(sizes)}
            columns |= {p: [_plain(row[p]) for row in sizes.values()] for p in PROFILES}
            table = pd.DataFrame(columns).to_html(index=False, border=0)
            display(HTML(f'<div class="sizes">{table}</div>'))
        return SimpleNamespace(**{k: row[self.profile] for k, row in sizes.items()})

    def glue(self, key: str, value, fmt: str = "") -> None:
        """Store a number (formatted) or string for ``{glue:text}`` in the prose."""
        if not in_notebook():
            return
        from IPython.display import display

        text = format(value, fmt) if fmt else str(value)
        display(
            {"application/papermill.record/text/plain": repr(text)},
            raw=True,
            metadata={
                "scrapbook": {
                    "name": key,
                    "mime_prefix": "application/papermill.record/",
                }
            },
        )

    def record(
        self,
        claim_id: str,
        *,
        runs=None,
        resamples: Resamples | None = None,
        leave_one_out=None,
        half_trained=None,
        value: float | None = None,
        tolerance_of: str = "",
        not_assessed: str | None = None,
    ) -> None:
        """Record what we measured for one claim; the interval is made at render.

        Exactly one of: ``runs`` (one value per seed; ``leave_one_out``: a row of
        per-seed values for each size left out; ``half_trained``: the same statistic of
        the same runs at half of the training), ``resamples`` (of ``bootstrap_runs`` or
        ``jackknife_runs``), ``value`` with ``tolerance_of`` (what the value is; kinds
        exact and refit), ``not_assessed`` (why not, when optional data is absent).

        Raises
        ------
        RecordError
            On an unknown or repeated id, numbers that are not finite, or a form that
            does not suit the claim.
        """
        claim = self._claim_to_record(claim_id)
        given = {
            "runs": runs,
            "resamples": resamples,
            "leave_one_out": leave_one_out,
            "half_trained": half_trained,
            "value": value,
            "not_assessed": not_assessed,
        }
        entry: dict = {
            name: as_json(claim_id, name, x)
            for name, x in given.items()
            if x is not None
        }
        check_form(claim, entry)
        check_shapes(claim_id, entry)
        if ("value" in entry) != bool(tolerance_of):
            raise RecordError(f"{claim_id}: value= and tolerance_of= go together")
        if tolerance_of:
            entry["tolerance_of"] = tolerance_of
        if self.profile == "smoke" and resamples is not None:
            entry["resamples"]["replicates"] = []  # no interval is made of them
        self.entries[claim_id] = entry

    def curves(self, name: str, frame) -> None:
        """Keep the curves of runs with the record: a row per run and step.

        The frame has a ``seed`` and a ``step``, more settings that tell runs apart (text
        or whole numbers), and what was measured (floats). ``accept`` puts it into
        ``data/results/<slug>/curves.csv``.

        Raises
        ------
        RecordError
            For a frame that `check_curves` refuses, or a name used before.
        """
        if name in self._curves:
            raise RecordError(f"curves {name!r} were handed over already")
        self._curves[name] = check_curves(name, frame)

    def accepted_curves(self, name: str):
        """Return the accepted run's curves of this profile, None where there are none.

        They are for drawing beside this run's; nothing is computed from them.
        """
        results = self.root / "data" / "results" / self.slug
        return accepted_curves(results, name, self.profile)

    def _claim_to_record(self, claim_id: str) -> Claim:
        allowed = [c.id for c in self.claims.values() if c.assessed_in(self.profile)]
        if claim_id not in allowed:
            raise RecordError(
                f"{claim_id!r} is not a claim of {self.slug} at {self.profile}; "
                f"allowed: {', '.join(allowed)}"
            )
        if claim_id in self.entries:
            raise RecordError(f"{claim_id} was recorded already")
        return self.claims[claim_id]

    def finish(self) -> None:
        """Check that every claim of this profile was recorded; write the record.

        Raises
        ------
        RecordError
            If a claim that this profile assesses was not recorded.
        """
        due = {c.id for c in self.claims.values() if c.assessed_in(self.profile)}
        missing = sorted(due - set(self.entries))
        if missing:
            raise RecordError(f"{self.slug}: nothing recorded for {missing}")
        self.section("End")
        self._seconds.pop("End", None)
        made = provenance(self.root, self.slug, self.profile, self.device)
        made |= {
            "claims": {i: judged_hash(self.claims[i]) for i in sorted(due)},
            "first_seed": FIRST_SEED,
            "seconds": {k: round(v, 1) for k, v in self._seconds.items()},
            "total_seconds": round(time.perf_counter() - self._start, 1),
        }
        path = record_path(self.root, self.slug, self.profile)
        if digest := write_curves(path, [*self._curves.values()], self.profile):
            made["curves"] = digest
        record = {"values": self.entries, "provenance": made}
        write_atomic(path, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        print(f"{len(self.entries)} claims recorded, profile {self.profile}")


def record_path(root: Path, slug: str, profile: str) -> Path:
    """Return where a chapter writes its record (``SCALING_RECORDS`` may say)."""
    folder = os.environ.get("SCALING_RECORDS") or root / "build" / "records" / profile
    return Path(folder) / f"{slug}.json"


def _plain(value) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    return f"{value:,}".replace(",", " ") if isinstance(value, int) else str(value)
