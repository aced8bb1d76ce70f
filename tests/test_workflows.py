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
    ("weekly.yml", "audit", "issues"),
}
SCOPES = {scope for _, _, scope in WRITES}


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
def test_strangers_get_no_rights(path):
    """No event gives a fork's code our token, and only who pushes keeps it on disk."""
    workflow = read(path)
    events = {"push", "pull_request", "schedule", "workflow_dispatch"}
    assert set(workflow[True]) <= events, "pull_request_target would"
    for name, job in workflow["jobs"].items():
        assert job.get("permissions", {}).keys() <= {"contents", *SCOPES}
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                kept = step.get("with", {}).get("persist-credentials", True)
                assert kept == ((path.name, name, "contents") in WRITES)


def test_the_lock_is_audited_and_its_bill_of_materials_kept():
    steps = read(FOLDER / "weekly.yml")["jobs"]["audit"]["steps"]
    run = [step.get("run", "") for step in steps]
    licences = next(i for i, line in enumerate(run) if line.startswith("make licences"))
    assert run[licences + 1] == "git diff --exit-code licences.csv"
    assert "make audit" in run, "each failure opens the issue"
    kept = [s["with"]["path"] for s in steps if "upload-artifact" in s.get("uses", "")]
    assert kept == ["build/sbom.json"]


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
