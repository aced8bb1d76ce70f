"""The GitHub workflows: valid YAML, least permissions, pinned actions."""

import re
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[1] / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
WRITES = {  # every permission to write that any job has
    ("pages.yml", "deploy", "pages"),
    ("pages.yml", "deploy", "id-token"),
    ("pages.yml", "executed", "contents"),
    ("weekly.yml", "newest", "issues"),
}


def read(path):
    return yaml.safe_load(path.read_text())


def test_the_three_workflows_are_there():
    assert [f.name for f in FILES] == ["pages.yml", "test.yml", "weekly.yml"]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_workflow_is_whole(path):
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow[True]  # YAML 1.1 reads the key `on` as true
    for job in workflow["jobs"].values():
        assert job["runs-on"] == "ubuntu-24.04"
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)


def test_only_named_jobs_may_write():
    found = {
        (path.name, name, scope)
        for path in FILES
        for name, job in read(path)["jobs"].items()
        for scope, level in job.get("permissions", {}).items()
        if level == "write"
    }
    assert found == WRITES


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_actions_are_pinned_by_commit(path):
    lines = [x.strip() for x in path.read_text().splitlines() if "uses:" in x]
    for line in lines:
        assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v[\d.]+$", line), line


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_scripts_take_no_text_from_events(path):
    """An expression inside a script would run what a stranger typed."""
    for job in read(path)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


def test_make_targets_exist():
    targets = set(
        re.findall(r"^([\w./-]+):", (FOLDER.parents[1] / "Makefile").read_text(), re.M)
    )
    for path in FILES:
        for target in re.findall(r"\bmake ([\w./-]+)", path.read_text()):
            assert target in targets, f"{path.name}: make {target}"


def test_the_pages_are_built_with_the_optional_tables():
    steps = read(FOLDER / "pages.yml")["jobs"]["build"]["steps"]
    run = [step.get("run", "") for step in steps]
    fetch = run.index(".venv/bin/scaling fetch")
    assert run[fetch - 1].startswith("make .venv/.installed")
    assert run[fetch + 1].startswith("make book")
