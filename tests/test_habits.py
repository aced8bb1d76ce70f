"""What the suite itself must catch: skips, warnings, deaths of threads."""

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
