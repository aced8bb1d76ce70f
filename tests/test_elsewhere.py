"""Binder, dev container, Docker and Slurm: one Python, the lock's versions, whole files."""

import json
import os
import re
import subprocess
import sys
import time
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml

from .book.conftest import write_book

ROOT = Path(__file__).parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
    "optional-dependencies"
]
LOCK = (ROOT / "constraints.txt").read_text()
PINS = re.findall(r"^([\w.-]+)==", LOCK, re.M)
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
PYTHON = ENVIRONMENT["dependencies"][0].removeprefix("python=")
MADE_ELSEWHERE = [
    "Dockerfile",
    ".devcontainer/devcontainer.json",
    ".binder/requirements.txt",
]


@pytest.mark.parametrize("name", MADE_ELSEWHERE)
def test_no_version_is_typed_but_in_the_lock(name):
    text = (ROOT / name).read_text()
    for package in PINS:
        assert not re.search(rf"(?<![\w.-]){re.escape(package)}\s*[=<>~]=", text), (
            package
        )
    for extra in re.findall(r"\.\[(\w+)\]", text):
        assert extra in EXTRAS


def dockerfile():
    """The instructions of the Dockerfile: (word, rest) with lines joined."""
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    return [tuple(x.split(maxsplit=1)) for x in lines if x and not x.startswith("#")]


def test_dockerfile_is_whole():
    steps = dockerfile()
    words = [word for word, _ in steps]
    known = {"ARG", "FROM", "WORKDIR", "COPY", "RUN", "ENV", "ENTRYPOINT", "CMD"}
    assert set(words) <= known
    assert words[:2] == ["ARG", "FROM"] and words.count("FROM") == 1
    assert steps[0][1] == f"PYTHON={PYTHON}"
    (install,) = [rest for word, rest in steps if word == "RUN"]
    assert '-c constraints.txt -e ".[chapters]"' in install
    copied = [rest.split()[:-1] for word, rest in steps if word == "COPY"]
    for source in chain(*copied):
        assert (ROOT / source).exists(), source
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {project["readme"], *project["license-files"], "constraints.txt"}
    before = words[: words.index("RUN")].count("COPY")
    early = set(map(Path, chain(*copied[:before])))
    for name in map(Path, needed):
        assert early & {name, *name.parents}, (
            f"pip reads {name} before the rest is there"
        )
    (command,) = [json.loads(rest) for word, rest in steps if word == "CMD"]
    assert (ROOT / command[0]).is_file()
    args = {rest.partition("=")[0] for word, rest in steps if word == "ARG"}
    used = re.findall(r"\$\{(\w+)\}", " ".join(rest for _, rest in steps))
    assert set(used) <= args


def test_the_image_holds_nothing_that_git_ignores():
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    left_out = (ROOT / ".dockerignore").read_text().split("\n")
    for line in ("build/", "_build/", "book/chapters/", "book/generated/", ".venv"):
        assert line in ignored and line.rstrip("/") in left_out
    assert ".git" in left_out


def test_binder_builds_from_its_own_folder():
    """Else it would take the Dockerfile, which has no Jupyter in it."""
    folder = ROOT / ".binder"
    assert {p.name for p in folder.iterdir()} == {"requirements.txt", "runtime.txt"}
    assert (folder / "runtime.txt").read_text().strip() == f"python-{PYTHON}"
    lines = (folder / "requirements.txt").read_text().splitlines()[1:]
    index, lock, book = lines
    assert index.startswith("--extra-index-url https://download.pytorch.org/whl/cpu")
    assert (folder / lock.removeprefix("-c ")).resolve() == ROOT / "constraints.txt"
    assert book == "-e .[book]"


def test_dev_container_makes_what_the_book_needs():
    box = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    assert box["image"].endswith(f":{PYTHON}")
    target = box["onCreateCommand"].split()[1]
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.M)


@pytest.fixture
def cluster(tmp_path):
    """A book, and a `scontrol` that writes down what it is asked."""
    root = write_book(tmp_path / "mini")
    program = tmp_path / "bin" / "scontrol"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    program.chmod(0o755)

    def task(number, **more):
        environment = os.environ | {
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHON": sys.executable,
            "SLURM_SUBMIT_DIR": str(root),
            "SLURM_ARRAY_JOB_ID": "77",
            "SLURM_ARRAY_TASK_ID": str(number),
        }
        done = subprocess.run(
            ["bash", ROOT / "book" / "slurm.sh"],
            env=environment | more,
            capture_output=True,
            text=True,
        )
        asked = tmp_path / "asked"
        return done, asked.read_text() if asked.exists() else ""

    return task, root


def test_a_slurm_task_runs_its_chapter(cluster):
    task, root = cluster
    done, asked = task(2)
    assert done.returncode == 0, done.stderr
    assert (root / "build/records/gpu/second.json").is_file()
    assert "02_second.py: complete" in done.stdout and not asked


def test_a_slurm_task_that_ran_out_of_time_is_queued_again(cluster):
    task, root = cluster
    (root / "notebooks" / "01_first.py").write_text(
        "import os\n"
        "assert 290 < int(os.environ['SCALING_TIME_LIMIT']) <= 300\n"
        "assert os.environ['SCALING_PROFILE'] == 'gpu'\n"
    )
    done, asked = task(1, SLURM_JOB_END_TIME=str(int(time.time()) + 600))
    assert done.returncode == 0, done.stderr
    assert asked == "requeue 77_1\n"
    (root / "notebooks" / "01_first.py").write_text("1 / 0\n")
    assert task(1)[0].returncode == 1, "a failure is not queued again"


def test_a_slurm_job_of_several_nodes_runs_chapters_by_ray(tmp_path):
    """The programs are stand-ins that write down how they are called."""
    told = tmp_path / "told"
    then = {
        "ray": "true",
        "srun": 'while [ "${1#--}" != "$1" ]; do shift; done; exec "$@"',
        "scaling": f"until grep -q 'start --address' {told}; do sleep 0.05; done",
    }
    for name, action in then.items():
        program = tmp_path / name
        note = f'echo "{name} $RAY_AUTH_MODE $*" >> {told}'
        program.write_text(f"#!/bin/bash\n{note}\n{action}\n")
        program.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "BIN": str(tmp_path),
        "SLURM_SUBMIT_DIR": str(tmp_path),
        "SLURM_NNODES": "3",
        "SLURM_CPUS_PER_TASK": "4",
        "GPUS": "0.5",
    }
    script = ["bash", ROOT / "book" / "ray.sh", "one", "two"]
    done = subprocess.run(
        script, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    lines = told.read_text().splitlines()
    (run,) = [line.split() for line in lines if line.startswith("scaling")]
    assert run[:5] == ["scaling", "token", "run", "one", "two"]
    address = run[run.index("--ray-address") + 1]
    assert run[-2:] == ["--gpus-per-task", "0.5"] and address.endswith(":6379")
    assert lines[1].startswith("ray token start --head") and "--num-cpus=4" in lines[1]
    (srun,) = [line for line in lines if line.startswith("srun")]
    assert "--nodes=2" in srun and f"start --address={address}" in srun
