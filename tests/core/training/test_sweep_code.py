"""Sweeps run the code that stands on disk, whatever was edited when."""

import importlib
import json
import subprocess
import sys

import pytest

from scaling_core.training.store import connect
from scaling_core.training.sweep import SweepError, run_sweep

TOY = """
from sweep_helper import FACTOR

SHIFT = 0

def measure(x):
    return {"y": x * FACTOR * 1 + SHIFT}
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A module with a helper beside it, outside of the packages."""
    (tmp_path / "sweep_helper.py").write_text("FACTOR = 2\n")
    (tmp_path / "sweep_toy.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("sweep_toy")
    for name in ("sweep_toy", "sweep_helper", "sweep_late"):
        sys.modules.pop(name, None)


def sweep(module, store):
    return run_sweep(module.measure, [{"x": 1}], store=store).y[0]


# equal sizes within one second: cached bytecode does not tell such edits apart
@pytest.mark.parametrize("reload", [True, False])
@pytest.mark.parametrize(
    "name, old, new",
    [("sweep_toy", "* 1", "* 3"), ("sweep_helper", "= 2", "= 6")],
)
def test_an_edit_counts(toy, tmp_path, reload, name, old, new):
    store = tmp_path / "runs.sqlite"
    assert sweep(toy, store) == 2
    file = tmp_path / f"{name}.py"
    file.write_text(file.read_text().replace(old, new))
    if reload:
        importlib.reload(sys.modules[name])
    assert sweep(toy, store) == 6
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import json, sweep_toy\n"
        "from scaling_core.training.sweep import run_sweep\n"
        f"frame = run_sweep(sweep_toy.measure, [dict(x=1)], store={str(store)!r})\n"
        "print(json.dumps(frame.y.tolist()))\n"
    )
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert json.loads(fresh.stdout) == [6]
    with connect(store) as db:
        assert db.execute("SELECT count(*) FROM runs").fetchone() == (2,)


def test_edit_after_import_before_the_first_sweep_counts(toy, tmp_path):
    (tmp_path / "sweep_toy.py").write_text(TOY.replace("* 1", "* 5"))
    assert sweep(toy, tmp_path / "runs.sqlite") == 10


def test_changed_globals_of_the_caller_do_not_count(toy, tmp_path):
    toy.SHIFT = 100
    assert sweep(toy, tmp_path / "runs.sqlite") == 2


def test_edit_while_the_sweep_runs_is_refused(toy, tmp_path):
    late = tmp_path / "sweep_late.py"
    late.write_text("FACTOR = 2\n")
    body = f"open({str(late)!r}, 'w').write('FACTOR = 3'); import sweep_late"
    source = f"def measure(x):\n    {body}\n    return dict(y=sweep_late.FACTOR)\n"
    (tmp_path / "sweep_toy.py").write_text(source)
    with pytest.raises(SweepError, match="edited while the sweep ran"):
        sweep(toy, tmp_path / "runs.sqlite")
    with connect(tmp_path / "runs.sqlite") as db:
        assert db.execute("SELECT status FROM runs").fetchone() == ("pending",)
    assert sweep(toy, tmp_path / "runs.sqlite") == 3


def test_a_comment_or_docstring_does_not_count(toy, tmp_path):
    store = tmp_path / "runs.sqlite"
    sweep(toy, store)
    (tmp_path / "sweep_toy.py").write_text('"""Prose."""\n' + TOY + "# more\n")
    sweep(toy, store)
    with connect(store) as db:
        assert db.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_a_module_that_cannot_be_imported_is_one_clear_error(toy, tmp_path):
    (tmp_path / "sweep_toy.py").write_text("import no_such_module\n" + TOY)
    with pytest.raises(SweepError, match=r"sweep_toy:measure: .*no_such_module"):
        sweep(toy, tmp_path / "runs.sqlite")


def test_another_function_under_the_name_is_refused(toy, tmp_path):
    def wrapped(x):
        return {"y": 0}

    wrapped.__module__, wrapped.__qualname__ = "sweep_toy", "measure"
    with pytest.raises(SweepError, match="not what sweep_toy.measure holds"):
        run_sweep(wrapped, [{"x": 1}], store=tmp_path / "runs.sqlite")
