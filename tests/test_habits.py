"""What the suite itself must catch: skips, warnings, deaths of threads."""

import ast
import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from .conftest import SKIPS

ROOT = Path(__file__).parents[1]
UNSEEN = {  # all of these pass where nobody looks
    "skip": "pytest.skip('some day')",
    "warning": "warnings.warn('old', DeprecationWarning)",
    "thread": "t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()",
    "unraisable": "type('T', (), {'__del__': lambda self: 1 / 0})()",
}
DRAWS = (  # of torch: as functions, and as methods that fill a tensor
    r"torch\.(rand|randn|randint|randperm|normal|bernoulli|multinomial|poisson)(_like)?"
    r"|.*\.(uniform|normal|random|exponential|bernoulli|geometric|cauchy)_"
    r"|.*\.((trunc|xavier|kaiming)_.*|orthogonal)_|.*\.([dD]ropout|DataLoader)"
)


@pytest.mark.parametrize("line", UNSEEN.values(), ids=UNSEEN)
def test_suite_fails_on(line, tmp_path):
    for name in ("conftest.py", "skips.toml"):
        shutil.copy(ROOT / "tests" / name, tmp_path)
    test = f"import threading, warnings, pytest\ndef test_one():\n    {line}\n"
    (tmp_path / "test_one.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    command += ["-c", ROOT / "pyproject.toml", "--rootdir", tmp_path, tmp_path]
    bare = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command, cwd=tmp_path, env=bare, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED test_one.py" in done.stdout


def test_listed_skips_name_tests_that_exist():
    for pattern, entry in SKIPS.items():
        assert entry.keys() == {"why", "runs"}
        file, _, name = pattern.partition("::")
        lines = (ROOT / file).read_text().splitlines()
        names = [x[4:].partition("(")[0] for x in lines if x.startswith("def test")]
        assert any(fnmatch(n, name) for n in names), pattern


def test_guide_for_contributors_names_files_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = text.split("## What readers ask of such books")[1].split("\n## ")[0]
    files = {name for name in re.findall(r"`([\w./-]+)`", table) if "/" in name}
    assert len(files) > 20
    assert not [name for name in files if not (ROOT / name).exists()]


def global_draws(source: str) -> list[int]:
    """Return the lines that draw from the global generator of torch."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    draws = [call for call in calls if re.fullmatch(DRAWS, ast.unparse(call.func))]
    given = [{keyword.arg for keyword in call.keywords} for call in draws]
    pairs = zip(draws, given, strict=True)
    return [call.lineno for call, names in pairs if not names & {"generator", None}]


@pytest.mark.parametrize("room", ["scaling_core", "studies", "notebooks"])
def test_nothing_is_drawn_from_the_global_generator_of_torch(room):
    """Ruff refuses to seed it, and the global draws of numpy (pyproject.toml)."""
    for path in sorted((ROOT / room).rglob("*.py")):
        assert not global_draws(path.read_text()), path.relative_to(ROOT)


def test_a_global_draw_is_found():
    drawn = "torch.rand(3)\nw.normal_()\nnn.init.orthogonal_(w)\nnn.Dropout(0.1)\n"
    own = "torch.rand(3, generator=g)\nw.normal_(**draw)\nrng.normal()\n"
    assert global_draws(drawn + own) == [1, 2, 3, 4]
