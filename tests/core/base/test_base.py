"""Files, code hashes, inputs: small things that everything leans on."""

import pytest

from scaling_core.base import codehash, inputs
from scaling_core.base.files import NotABookError, book_root, write_atomic


def test_book_root_is_the_nearest_ancestor(tmp_path):
    (tmp_path / "_config.yml").write_text("")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert book_root(inner) == tmp_path.resolve()


def test_outside_a_book_is_one_clear_error(tmp_path):
    with pytest.raises(NotABookError, match="_config.yml"):
        book_root(tmp_path)


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = write_atomic(tmp_path / "x", "old")
    with pytest.raises(TypeError):
        write_atomic(path, 5)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_relative_imports_are_resolved():
    source = "from . import files\nfrom ..fitting import laws"
    found = codehash.imports_of(source, "scaling_core.base.inputs")
    assert {"scaling_core.base.files", "scaling_core.fitting.laws"} <= found


def test_transitive_modules_follow_imports():
    found = codehash.transitive_modules({"scaling_book.api"})
    assert "scaling_core.base.intervals" in found
    assert "scaling_book.render" not in found
    assert "scaling_book.verdicts" not in found


def test_module_hash_follows_an_imported_module(monkeypatch, tmp_path):
    """Touching a docstring of an imported module changes the hash."""
    before = codehash.module_hash("scaling_core.base.inputs")
    copy = write_atomic(tmp_path / "files.py", "'''Other docstring.'''\n")
    real = codehash.module_file

    def moved(name):
        return copy if name == "scaling_core.base.files" else real(name)

    monkeypatch.setattr(codehash, "module_file", moved)
    codehash.module_hash.cache_clear()
    after = codehash.module_hash("scaling_core.base.inputs")
    codehash.module_hash.cache_clear()
    assert before != after


def test_unknown_module_is_refused():
    with pytest.raises(ModuleNotFoundError, match="no_such"):
        codehash.module_hash("scaling_core.no_such")


def test_inputs_are_named_without_the_machines_paths(tmp_path, monkeypatch):
    monkeypatch.setenv("SCALING_DATA", str(tmp_path / "optional"))
    root = tmp_path / "book"
    inside = root / "data" / "published" / "x.csv"
    outside = tmp_path / "optional" / "y" / "z.csv"
    for path in (inside, outside):
        name = inputs.name_input(path, root)
        assert not name.startswith("/")
        assert inputs.locate_named(name, root) == path


def test_absent_input_is_noted_too(tmp_path, monkeypatch):
    monkeypatch.setattr(inputs, "_noted", {})
    inputs.note_input(tmp_path / "gone.csv")
    assert list(inputs.noted_inputs().values()) == [None]
