"""Code hashes: what ages a number and what does not, on a package written here."""

import pytest

from scaling_core.base import codehash
from scaling_core.base.codehash import code_digest, module_hash, source_hash

LAZY = """
_EXPORTS = {"fit": "fit", "Power": "laws", "Broken": "curves"}
__all__ = list(_EXPORTS)

def __getattr__(name):
    raise AttributeError(name)
"""
FILES = {
    "scaling_core/__init__.py": "",
    "scaling_core/base/__init__.py": "",
    "scaling_core/base/files.py": '"""Files."""\n\nSIZE = 1\n',
    "scaling_core/fitting/__init__.py": LAZY,
    "scaling_core/fitting/fit.py": "from . import laws\nfrom ..base import files\n",
    "scaling_core/fitting/laws.py": "class Power:\n    '''A law.'''\n",
    "scaling_core/fitting/curves.py": "class Broken:\n    pass\n",
    "studies/__init__.py": "",
    "studies/one.py": "from scaling_core.fitting import Power\n",
    "studies/two.py": "import scaling_core.fitting as sf\n",
    "scaling_book/__init__.py": "",
    "scaling_book/api.py": "import scaling_core.base.files\n",
}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Packages of ours in a folder of their own; a function that edits a file."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(codehash, "package_root", lambda top: tmp_path)

    def edit(name, old, new):
        path = tmp_path / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    return edit


@pytest.mark.parametrize(
    "one, other",
    [
        ("x = 1", "# reason\nx  =  (1)\n\n"),
        ("def f():\n    return 1", "def f():\n    'Doc.'\n    return 1"),
        ("class A:\n    pass", "class A:\n    '''Doc.'''"),
        ("x = 1", "'''Module.'''\nx = 1"),
        ("x = 1", "if TYPE_CHECKING:\n    import y\nx = 1"),
    ],
)
def test_prose_is_no_code(one, other):
    assert code_digest(one) == code_digest(other)


@pytest.mark.parametrize(
    "one, other",
    [
        ("x = 1", "x = 1.0"),
        ("x = 'a'", "x = 'b'"),
        ("def f(): return 1", "def f(): return 2"),
        ("x = 1\nprint('a')", "x = 1\n"),
        ("%time x", "%time y"),
    ],
)
def test_code_is_code(one, other):
    assert code_digest(one) != code_digest(other)


def test_in_a_cell_what_is_shown_counts():
    assert code_digest("'shown'", cell=True) != code_digest("'other'", cell=True)
    assert code_digest("plot()", cell=True) != code_digest("plot();", cell=True)
    assert code_digest("f()  # a", cell=True) == code_digest("f()", cell=True)


def test_every_python_gives_one_hash():
    source = """
@d
async def f(x, /, y: int = 1, *a, z=None, **k) -> "A":
    match x:
        case {"a": [1, *_], **r} if (n := y) > 0:
            print(f"{x!r:>{y}} {z=}" "and" f'{k["a"]:.2e}', "\\u00e9", b"\\0", 1e-300, ...)
    return lambda: [*a, -1, 1j, None, ""]

class A(B, metaclass=C):
    x: int
"""
    assert code_digest(source).startswith("16a801666ae5")


def test_an_edit_counts_at_once_and_a_docstring_never(tree):
    before = module_hash("scaling_core.fitting.fit")
    tree("scaling_core/base/files.py", "Files.", "Other words.")
    tree("scaling_core/fitting/laws.py", "A law.", "Another sentence.")
    assert module_hash("scaling_core.fitting.fit") == before
    tree("scaling_core/base/files.py", "SIZE = 1", "SIZE = 2")
    assert module_hash("scaling_core.fitting.fit") != before


def test_a_lazy_package_counts_by_the_names_taken_from_it(tree):
    names = ["from studies import one", "from scaling_core.fitting import fit, Power"]
    before = [source_hash(name) for name in names]
    tree("scaling_core/fitting/curves.py", "pass", "x = 1")
    tree("scaling_core/fitting/__init__.py", '"fit": "fit"', '"fit": "fit", "b": "fit"')
    assert [source_hash(name) for name in names] == before
    tree("scaling_core/fitting/laws.py", "class Power:", "class Power(object):")
    assert not set(map(source_hash, names)) & set(before)


@pytest.mark.parametrize(
    "whole",
    [
        "from studies import two",
        "from scaling_core import fitting",
        "from scaling_core.fitting import *",
        "import scaling_core.fitting",
        "import scaling_core.fitting.laws",
    ],
)
def test_a_lazy_package_taken_whole_counts_whole(tree, whole):
    before = source_hash(whole)
    tree("scaling_core/fitting/curves.py", "pass", "x = 1")
    assert source_hash(whole) != before


def test_the_machinery_counts_nowhere(tree):
    source = "from scaling_book.api import Chapter\nfrom studies import one"
    before = source_hash(source)
    tree("scaling_book/api.py", "import", "import os, ")
    tree("scaling_core/base/files.py", "SIZE = 1", "SIZE = 2")
    assert source_hash(source) == before


def test_helpers_beside_a_module_outside_count_too(tmp_path, monkeypatch):
    (tmp_path / "runs_here").mkdir()
    helper, inner = tmp_path / "helper_here.py", tmp_path / "runs_here" / "inner.py"
    inner.write_text("B = 1\n")
    helper.write_text("A = 1\n")
    (tmp_path / "train_here.py").write_text(
        "import numpy\nfrom helper_here import A\nfrom runs_here import inner\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    seen = {module_hash("train_here")}
    helper.write_text("A = 2\n")
    seen.add(module_hash("train_here"))
    inner.write_text("B = 2\n")
    seen.add(module_hash("train_here"))
    inner.write_text("B = 2  # two\n")
    seen.add(module_hash("train_here"))
    assert len(seen) == 3


def test_an_installed_package_counts_without_its_neighbours():
    assert codehash.module_file("pluggy", "pluggy") is not None
    assert codehash.module_file("numpy", "pluggy") is None


@pytest.mark.parametrize("name", ["scaling_core.no_such", "no_such_module", "builtins"])
def test_a_module_without_source_is_refused(name):
    with pytest.raises(ModuleNotFoundError, match=name):
        module_hash(name)
