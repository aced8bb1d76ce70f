"""What `pip install .` gives elsewhere: the small package, and nothing it lacks."""

import json
import shutil
import subprocess
import sys
import sysconfig
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
