"""Kernels: many start at once, over sockets that are nobody else's."""

import os
import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import nbformat
import pytest

from scaling_book.chapters import ChapterFile
from scaling_book.execute import Job, _papermill
from scaling_book.kernels import private_sockets

ASK = "from ipykernel.kernelapp import IPKernelApp as A; print(A.instance().transport)"


def test_sockets_lie_in_a_private_folder_that_goes():
    with private_sockets() as settings:
        folder = Path(settings["connection_file"]).parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert len(settings["connection_file"]) < 90
    assert not folder.exists()


def test_a_long_temporary_folder_is_avoided(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/" + "long" * 30)
    with private_sockets() as settings:
        assert settings["connection_file"].startswith("/tmp/")


def run_kernel(folder):
    """Execute one small notebook; return the error and what it printed."""
    root = Path(folder)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    tagged = nbformat.v4.new_code_cell(
        'profile = ""', metadata={"tags": ["parameters"]}
    )
    cells = [tagged, nbformat.v4.new_code_cell(ASK)]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    job = Job(root, ChapterFile("01_a", "a", root / "a.py"), "smoke")
    job.log.parent.mkdir(parents=True)
    source, output = root / "in.ipynb", root / "out.ipynb"
    nbformat.write(notebook, source)
    error = _papermill(job, source, output)
    return error, nbformat.read(output, as_version=4).cells[-1].outputs


@pytest.mark.parametrize("n", [6, pytest.param(30, marks=pytest.mark.full)])
def test_many_kernels_start_at_once(n, tmp_path, capfd):
    folders = [str(tmp_path / str(i)) for i in range(n)]
    for folder in folders:
        os.mkdir(folder)
    with ProcessPoolExecutor(n, get_context("spawn")) as pool:
        found = list(pool.map(run_kernel, folders))
    for error, outputs in found:
        assert error is None and outputs[0]["text"] == "ipc\n"
    shown = capfd.readouterr()
    assert shown.out == "" and shown.err == ""
