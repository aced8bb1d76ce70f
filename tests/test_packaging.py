"""pyproject.toml, constraints.txt and environment.yml say the same thing."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
REQUIREMENTS = [
    Requirement(text)
    for group in (PROJECT["dependencies"], *EXTRAS.values())
    for text in group
]


def lines(lock: str) -> list[str]:
    """Return the lines of a lock that pin something."""
    text = (ROOT / lock).read_text()
    return [x for x in text.splitlines() if x and not x.startswith("#")]


def pins(lock: str) -> dict[str, str]:
    """Return name -> version of a lock."""
    pairs = (line.split("==") for line in lines(lock))
    return {canonicalize_name(name): version for name, version in pairs}


PINS = pins("constraints.txt")


@pytest.mark.parametrize("lock", ["constraints.txt", "constraints-audit.txt"])
def test_lock_is_exact_pins_only(lock):
    for line in lines(lock):
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!]+", line), line
    names = list(pins(lock))
    assert len(names) == len(lines(lock)), "a package is pinned twice"
    assert names == sorted(names), "keep the lock sorted"


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_pin_satisfies_requirement(requirement):
    name = canonicalize_name(requirement.name)
    if name == canonicalize_name(PROJECT["name"]):
        assert requirement.extras <= set(EXTRAS)
    else:
        assert requirement.specifier.contains(PINS[name])


def test_lock_is_closed():
    """What the pinned packages need, of what is installed here, is pinned too."""
    missing, seen, queue = {}, set(), [(r, "pyproject.toml") for r in REQUIREMENTS]
    while queue:
        requirement, wanted_by = queue.pop()
        name = canonicalize_name(requirement.name)
        if name == canonicalize_name(PROJECT["name"]):
            continue
        if name not in PINS:
            missing[name] = wanted_by
        for extra in {"", *requirement.extras} - {e for n, e in seen if n == name}:
            seen.add((name, extra))
            queue += [(r, name) for r in _needs(name, extra)]
    assert not missing


def _needs(name, extra):
    try:
        texts = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    found = map(Requirement, texts)
    return [r for r in found if not r.marker or r.marker.evaluate({"extra": extra})]


def test_environment_file_is_thin_and_agrees():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment.keys() == {"name", "channels", "dependencies"}
    assert isinstance(environment["name"], str)
    assert environment["channels"] == ["conda-forge"]
    python, pip, block = environment["dependencies"]
    assert pip == "pip"
    assert block == {"pip": ["-c constraints.txt", "-e .[book,test]"]}
    name, _, version = python.partition("=")
    requires = Requirement(f"python{PROJECT['requires-python']}")
    assert name == "python"
    assert requires.specifier.contains(version)


def test_citation_and_package_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["repository-code"] == PROJECT["urls"]["Repository"]
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert config["repository"]["url"] == PROJECT["urls"]["Repository"]


def test_importing_fitting_needs_no_torch():
    code = "import sys, scaling_core.fitting; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_imports_follow_the_house_rules():
    """Run import-linter: the table of who may import whom is in pyproject.toml."""
    program = Path(sys.executable).with_name("lint-imports")
    command = [program, "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "kept, 0 broken" in done.stdout, done.stdout + done.stderr
