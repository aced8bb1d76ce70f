"""Files, inputs: small things that everything leans on."""

import pytest

from scaling_core.base import inputs
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
