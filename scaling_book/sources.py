"""Where the code behind a figure stands: the study's functions that its cell goes back to.

Read off the cells' syntax, nothing is run: the names that a cell uses lead to the cells
that bind them, and so to the functions imported from ``studies`` or ``scaling_core``.
"""

import ast
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import yaml

ROOMS = ("studies", "scaling_core.")
PASSED_OVER = "scaling_core.base"  # intervals and slopes: no figure is about them
SHOWN = 2  # functions named under a figure


@dataclass(frozen=True)
class Function:
    """A function of ours: the file that holds it, and its name (empty: the file)."""

    path: str
    name: str


@dataclass(frozen=True)
class _Cell:
    binds: frozenset[str]
    uses: tuple[str, ...]  # "name", or "module.attribute", in order


def functions_behind(root: Path, cells: Sequence[str], at: int) -> list[Function]:
    """Return the functions that the cell at this position goes back to, nearest first.

    A study's functions come before those of ``scaling_core``, which are named only
    where the cell goes back to none of a study.
    """
    imported = {k: f for cell in cells for k, f in _imports(root, cell).items()}
    read = [_read(cell) for cell in cells]
    found: dict[Function, None] = {}
    level, seen = [at], {at}
    while level:
        called = (f for i in level for f in _called(read[i], imported))
        found |= dict.fromkeys(f for f in called if f.name in _defined(root / f.path))
        studied = [f for f in found if f.path.startswith("studies/")]
        if len(studied) >= SHOWN:
            return studied[:SHOWN]
        level = [i for j in level for i in _bound_by(read, j) if i not in seen]
        level = list(dict.fromkeys(level))
        seen.update(level)
    return (studied or [*found])[:SHOWN]


def _called(cell: _Cell, imported: dict[str, Function]) -> list[Function]:
    """Return the functions and classes of ours that a cell uses; constants are none."""
    called = []
    for use in cell.uses:
        name, _, attribute = use.partition(".")
        if name in imported:
            function = imported[name]
            called.append(
                function if function.name else replace(function, name=attribute)
            )
    return [f for f in called if f.name and not f.name.isupper()]


@lru_cache(maxsize=256)
def _defined(file: Path) -> set[str]:
    """Return the functions and classes of a file; what it only imports is none."""
    body = _parse(file.read_text()).body
    return {x.name for x in body if isinstance(x, (ast.FunctionDef, ast.ClassDef))}


def _bound_by(cells: list[_Cell], at: int) -> list[int]:
    """Return the earlier cells that bind what a cell uses, the last one for a name."""
    names = [use.partition(".")[0] for use in cells[at].uses]
    names = [name for name in names if name not in cells[at].binds]
    earlier = range(at - 1, -1, -1)
    found = (next((i for i in earlier if n in cells[i].binds), None) for n in names)
    return [i for i in dict.fromkeys(found) if i is not None]


@lru_cache(maxsize=4096)
def _imports(root: Path, cell: str) -> dict[str, Function]:
    """Return local name -> function or module, for what is imported from our rooms."""
    imported = {}
    for node in ast.walk(_parse(cell)):
        module = getattr(node, "module", None) or ""
        ours = module.startswith(ROOMS) and not module.startswith(PASSED_OVER)
        if not (isinstance(node, ast.ImportFrom) and ours):
            continue
        folder = module.replace(".", "/")
        for alias in node.names:
            file = f"{folder}/{alias.name}.py"
            if (root / file).is_file():
                imported[alias.asname or alias.name] = Function(file, "")
            elif (root / f"{folder}.py").is_file():
                function = Function(f"{folder}.py", alias.name)
                imported[alias.asname or alias.name] = function
    return imported


def _parse(cell: str) -> ast.Module:
    try:
        return ast.parse(cell)
    except SyntaxError:  # a magic: it binds nothing that we follow
        return ast.Module([], [])


@lru_cache(maxsize=4096)
def _read(cell: str) -> _Cell:
    """Return what a cell binds and uses, wherever in it."""
    binds, uses, parts = set(), [], set()
    for node in ast.walk(_parse(cell)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            binds.add(node.name)
        elif isinstance(node, ast.arg):
            binds.add(node.arg)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            uses.append((node.lineno, f"{node.value.id}.{node.attr}"))
            parts.add(node.value)
        elif isinstance(node, ast.Name) and node not in parts:
            if isinstance(node.ctx, ast.Load):
                uses.append((node.lineno, node.id))
            else:
                binds.add(node.id)
    ordered = dict.fromkeys(use for _, use in sorted(uses, key=lambda x: x[0]))
    return _Cell(frozenset(binds), tuple(ordered))


def repository(root: Path) -> str:
    """Return the address of the repository, which ``_config.yml`` names."""
    return yaml.safe_load((root / "_config.yml").read_text())["repository"]["url"]


def source_link(root: Path, commit: str, path: str, name: str = "") -> str:
    """Return the address of a file at a commit, at the line of a function in it.

    The line is left out where the commit cannot be read here; a run without git is
    shown on the main branch.
    """
    at = "main" if commit == "unknown" else commit
    line = _line(root, commit, path, name) if name else None
    return f"{repository(root)}/blob/{at}/{path}" + (f"#L{line}" if line else "")


def _line(root: Path, commit: str, path: str, name: str) -> int | None:
    for node in ast.walk(_parse(_text_at(root, commit, path))):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return node.lineno
    return None


@lru_cache(maxsize=256)
def _text_at(root: Path, commit: str, path: str) -> str:
    """Return a file as it was at a commit; empty where git cannot tell."""
    command = ["git", "-C", str(root), "show", f"{commit}:{path}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:  # no git here
        return ""
    return done.stdout if done.returncode == 0 else ""
