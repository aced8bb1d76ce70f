"""A two-chapter miniature book, whole in seconds, for tests of the machinery."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SCALING = Path(sys.executable).parent / "scaling"

CHAPTER = """# ---
# jupyter:
#   kernelspec: {{name: python3, display_name: Python 3, language: python}}
# ---

# %% [markdown]
# # Chapter {slug}
#
# <!-- claims:cards -->

# %% tags=["hide-input", "setup"]
COMMIT = "main"

# %% tags=["parameters"]
profile = ""
scale = 1.0

# %%
from scaling_book.api import Chapter
{imports}
chapter = Chapter("{slug}", profile=profile)
sizes = chapter.sizes(runs=dict(smoke=1, cpu=5, gpu=10))
runs = [scale * (1 + 0.01 * i) for i in range(sizes.runs)]

# %%
chapter.record("{slug}.slope", runs=runs)
chapter.glue("mean", sum(runs) / len(runs), ".2f")

# %% [markdown]
# The mean is {{glue:text}}`mean`, the slope {{claim}}`{slug}.slope`, that of the
# first chapter {{claim:value}}`first.slope`.
#
# <!-- claims:table -->

# %%
chapter.finish()
"""

CLAIMS = """claims:
  - id: {slug}.slope
    paper: someone2020
    says: The {slug} slope is one
    quantity: the slope
    published: {{value: 1.0, where: Table 1, source: seen}}
    kind: statistical
    scope: same
    band: [0.9, 1.1]
    band_from: "paper: Table 1"
    null: {{what: flat, value: 0.0}}
    interval: t
    primary: true
"""

ENTRY = """{slug}:
  theme: Lines
  question: What is the slope of {slug}?
  answer: "One: {{claim}}`{slug}.slope`."
  rests_on: {{{slug}.slope: agrees}}
  minutes: 2
"""

TOC = """format: jb-book
root: index
parts:
  - caption: Chapters
    chapters:
      - file: book/chapters/01_first
      - file: book/chapters/02_second
  - caption: Ledger
    chapters:
      - file: book/generated/all-claims
      - file: book/generated/exponents
"""

BIB = "@article{someone2020,\n  title = {A}, author = {B, C}, year = {2020}\n}\n"
INDEX = "# Mini\n\n```{include} book/generated/landing.md\n```\n"


def write_chapter(root: Path, number: int, slug: str, imports: str = "") -> Path:
    """Write one chapter with its claims file."""
    path = root / "notebooks" / f"{number:02d}_{slug}.py"
    path.write_text(CHAPTER.format(slug=slug, imports=imports))
    (root / "data" / "claims" / f"{slug}.yml").write_text(CLAIMS.format(slug=slug))
    with (root / "data" / "chapters.yml").open("a") as file:
        file.write(ENTRY.format(slug=slug))
    return path


def scaling(*words: str, cwd: Path) -> subprocess.CompletedProcess:
    """Run a command of the book as a reader would."""
    return subprocess.run(
        [SCALING, *words], cwd=cwd, capture_output=True, text=True, timeout=300
    )


def write_book(root: Path) -> Path:
    """Write a miniature book, nothing of it executed."""
    for folder in ("notebooks", "data/claims", "book/_static", "tests/reference"):
        (root / folder).mkdir(parents=True)
    shutil.copy(REPOSITORY / "_config.yml", root)
    shutil.copytree(
        REPOSITORY / "book/_static", root / "book/_static", dirs_exist_ok=True
    )
    (root / "_toc.yml").write_text(TOC)
    (root / "index.md").write_text(INDEX)
    (root / "constraints.txt").write_text("numpy==2.4.6\n")
    (root / "book" / "references.bib").write_text(BIB)
    write_chapter(root, 1, "first")
    write_chapter(root, 2, "second", "import scaling_core.base.intervals")
    return root


@pytest.fixture
def mini_book(tmp_path, monkeypatch) -> Path:
    """Return the root of a fresh miniature book, the working directory set to it."""
    root = write_book(tmp_path / "mini")
    monkeypatch.chdir(root)
    monkeypatch.delenv("SCALING_PROFILE", raising=False)
    return root


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> Path:
    """Return what one run at smoke and one at cpu leave in ``build``."""
    root = write_book(tmp_path_factory.mktemp("executed") / "mini")
    for profile in ("smoke", "cpu"):
        done = scaling("run", "--profile", profile, "--jobs", "2", cwd=root)
        ahead, *ends = done.stdout.splitlines()
        assert ahead.startswith("2 chapters to execute, ")
        heads = sorted(line.split(" in ")[0] for line in ends)
        assert done.stderr == "", "a command prints its own lines only"
        assert heads == ["first: executed", "second: executed"]
    return root / "build"


@pytest.fixture
def executed(mini_book, runs) -> Path:
    """Return a miniature book that was run at smoke and at cpu."""
    shutil.copytree(runs, mini_book / "build")
    return mini_book
