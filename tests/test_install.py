"""What `pip install .` gives elsewhere: the small package, and nothing it lacks."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
# Runs `scaling` as where only the extra `cli` is installed: without .pth files (-S)
# the repository is not on the path, and what that extra does not bring is refused.
ELSEWHERE = """
import importlib, pkgutil, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "sklearn", "transformers", "seaborn",
                "papermill", "yaml", "plotly"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Refuse())
sys.path[:0], sys.argv[:3] = sys.argv[1:3], ["scaling"]
for room in ("base", "fitting"):
    package = importlib.import_module(f"scaling_core.{room}")
    assert package.__file__.startswith(sys.path[0]), package.__file__
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"scaling_core.{room}.{module.name}")
importlib.import_module("scaling_core.cli").main()
"""
FIT_IN_PYTHON = """
import csv, sys
from scaling_core.fitting import PowerLaw, fit
rows = list(csv.DictReader(open("runs.csv")))
data = {name: [float(row[name]) for row in rows] for name in ("x", "L")}
print(round(fit(PowerLaw(), data).params["alpha"], 6), "torch" in sys.modules)
"""

PROGRAM = """
from scaling_core.fitting import Chinchilla, fit

runs = {"N": [1e8, 1e9], "D": [1e9, 1e10], "L": [3.0, 2.5]}
result = fit(Chinchilla(), runs)
reveal_type(result)
reveal_type(result.intervals()["alpha"])
fit('chinchilla', runs)
"""


def write_runs(folder: Path) -> None:
    sizes = np.logspace(6, 9, 12)
    lines = [f"{n:.17g},{1.5 + 40 * n**-0.3:.17g}" for n in sizes]
    (folder / "runs.csv").write_text("\n".join(["x,L", *lines]))


def copy_of_what_is_packed(to: Path) -> Path:
    """Copy the repository without what git ignores, as a clone would be."""
    ignored = shutil.ignore_patterns(
        ".*", "build", "_build", "*.egg-info", "__pycache__"
    )
    return shutil.copytree(ROOT, to / "clone", ignore=ignored)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = ["wheel", "--no-deps", "--no-build-isolation", "-w", folder]
    clone = copy_of_what_is_packed(folder)
    subprocess.run([*PIP, *command, clone], cwd=folder, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    command = ["install", "--no-deps", "--target", folder / "site", wheel]
    subprocess.run([*PIP, *command], cwd=folder, check=True)
    write_runs(folder)

    def scaling(*arguments):
        paths = [folder / "site", sysconfig.get_path("purelib")]
        command = [sys.executable, "-I", "-S", "-c", ELSEWHERE, *paths, *arguments]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True)

    return scaling


def test_wheel_holds_the_small_package_only(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    rooms = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert rooms == {"scaling_core"}
    assert "scaling_core/fitting/__init__.py" in names


def test_wheel_is_typed_licensed_and_has_its_own_readme(wheel):
    archive = zipfile.ZipFile(wheel)
    names = set(archive.namelist())
    assert {"scaling_core/py.typed", "scaling_core/fitting/__init__.pyi"} <= names
    (metadata,) = (n for n in names if n.endswith(".dist-info/METADATA"))
    text = archive.read(metadata).decode()
    assert "License-Expression: MIT\n" in text
    assert any(n.endswith(".dist-info/licenses/LICENSE") for n in names)
    assert "# scaling-core\n" in text, "the package's README, not the book's"


def test_source_distribution_holds_the_package_and_builds_again(tmp_path):
    """It has no tests and no book, and its wheel is that of the clone."""
    code = "import setuptools.build_meta as b, sys; print(b.build_sdist(sys.argv[1]))"
    clone = copy_of_what_is_packed(tmp_path)
    command = [sys.executable, "-c", code, tmp_path]
    subprocess.run(command, cwd=clone, check=True, capture_output=True)
    (packed,) = tmp_path.glob("scaling_core-*.tar.gz")
    with tarfile.open(packed) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        archive.extractall(tmp_path / "unpacked", filter="data")
    assert {"LICENSE", "pyproject.toml", "scaling_core/README.md"} <= names
    tops = {name.split("/")[0] for name in names if "/" in name}
    assert tops <= {"scaling_core", "scaling_core.egg-info"}
    build = ["wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path]
    (source,) = (tmp_path / "unpacked").iterdir()
    subprocess.run([*PIP, *build, source], cwd=tmp_path, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    mine = {str(p.relative_to(ROOT)) for p in (ROOT / "scaling_core").rglob("*.py")}
    assert mine <= set(zipfile.ZipFile(wheel).namelist())


def test_a_users_program_is_checked_by_the_types_that_are_installed(wheel, tmp_path):
    """basedpyright sees what `fit` returns, and that a law's name is no law."""
    venv.create(tmp_path / "venv", with_pip=False)
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    command = ["install", "--no-deps", "--target", site, wheel]
    subprocess.run([*PIP, *command], cwd=tmp_path, check=True)
    (site / "others.pth").write_text(sysconfig.get_path("purelib"))
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}')
    checker = Path(sys.executable).with_name("basedpyright")
    python = tmp_path / "venv" / "bin" / "python"
    command = [checker, "--outputjson", "--pythonpath", python, "program.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    told = json.loads(done.stdout)["generalDiagnostics"]
    seen = [x["message"] for x in told if x["severity"] == "information"]
    wrong = [x["range"]["start"]["line"] for x in told if x["severity"] == "error"]
    types = [message.split(" is ")[1] for message in seen]
    assert types == ['"FitResult"', '"tuple[float, float]"'], told
    assert wrong == [PROGRAM.splitlines().index("fit('chinchilla', runs)")], told


def test_examples_of_the_readme_run(tmp_path):
    """Each block as a researcher would type it; the fits recover their truth."""
    rng = np.random.default_rng(0)
    N, D = np.geomspace(1e8, 1e10, 6).repeat(6), np.tile(np.geomspace(1e9, 1e11, 6), 6)
    L = 1.69 + 406.4 * N**-0.34 + 410.7 * D**-0.28
    L *= np.exp(1e-3 * rng.normal(size=36))
    rows = [f"{n:.17g},{d:.17g},{x:.17g}" for n, d, x in zip(N, D, L, strict=True)]
    (tmp_path / "runs.csv").write_text("\n".join(["params,tokens,loss", *rows]))
    readme = (ROOT / "scaling_core" / "README.md").read_text()
    blocks = re.findall(r"```(\w+)\n(.*?)```", readme, re.DOTALL)
    assert [language for language, _ in blocks] == ["bash", "python", "python"]
    paths = [str(Path(sys.executable).parent), os.environ["PATH"]]
    there = os.environ | {"PATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    there["PYTHONPATH"] = str(ROOT)
    shown = []
    for language, block in blocks:
        program = ["bash", "-c"] if language == "bash" else [sys.executable, "-c"]
        done = subprocess.run(
            [*program, block], cwd=tmp_path, env=there, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        shown.append(done.stdout)
    command, fitted, trained = shown
    assert "status: converged" in command and "1e+23" in command
    low, high = map(float, re.search(r"^\((.*), (.*)\)$", fitted, re.M).groups())
    assert 0.32 < low < high < 0.36
    exponent = float(re.search("in data: −([0-9.]+) ±", trained)[1])
    assert 0.1 < exponent < 0.6, trained


def test_scaling_works_elsewhere_without_torch(elsewhere):
    laws = elsewhere("laws")
    assert laws.returncode == 0, laws.stderr
    assert "chinchilla" in laws.stdout
    done = elsewhere("fit", "runs.csv", "--law", "power", "--json")
    assert done.returncode == 0, done.stderr
    assert abs(json.loads(done.stdout)["params"]["alpha"] - 0.3) < 1e-6


def test_the_book_commands_stay_in_the_clone(elsewhere):
    done = elsewhere("render")
    assert done.returncode == 2
    assert "No such command" in done.stderr


@pytest.mark.full
def test_new_environments(tmp_path):
    """A base install fits in Python; `scaling` there says one line; [cli] adds it."""
    write_runs(tmp_path)
    clone = copy_of_what_is_packed(tmp_path)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    bin = tmp_path / "venv" / "bin"

    def call(*command):
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    def install(what):
        done = call(bin / "pip", "install", "-c", ROOT / "constraints.txt", what)
        assert done.returncode == 0, done.stdout + done.stderr

    install(str(clone))
    done = call(bin / "python", "-c", FIT_IN_PYTHON)
    assert done.stdout == "0.3 False\n", done.stderr
    done = call(bin / "scaling", "laws")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "pip install 'scaling-core[cli]'" in done.stderr

    install(f"{clone}[cli]")
    done = call(bin / "scaling", "fit", "runs.csv", "--law", "power", "--plot", "a.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.png").is_file()
    assert call(bin / "python", "-c", "import torch").returncode == 1
