"""One hash for a module and every module of ours that it imports, transitively.

Imports are found by parsing, not by importing: cheap, and free of side effects.
A docstring counts as code: a hash that leaves nothing out can never be too clever.
"""

import ast
import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("scaling_core", "studies", "scaling_book")


def imports_of(source: str, module: str = "") -> set[str]:
    """Return the dotted names of ours that ``source`` imports, anywhere in it.

    ``module`` resolves relative imports. Names from ``from a import b`` are given as
    ``a`` and ``a.b``, since ``b`` may be a module.

    >>> sorted(imports_of("from scaling_core.base import files"))
    ['scaling_core.base', 'scaling_core.base.files']
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")[: -node.level]
                base = ".".join([*parents, base] if base else parents)
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return {name for name in found if name.split(".")[0] in PACKAGES}


def module_file(module: str) -> Path | None:
    """Return the source file of one of our modules, or None if there is none."""
    top, *rest = module.split(".")
    spec = find_spec(top)
    if spec is None:
        return None
    root = Path(spec.submodule_search_locations[0])
    stem = root.joinpath(*rest)
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file() and (path.stem == "__init__" or stem != root):
            return path
    return None


def _with_parents(names: set[str]) -> set[str]:
    parts = [name.split(".") for name in names]
    return {".".join(p[: i + 1]) for p in parts for i in range(len(p))}


def transitive_modules(names: set[str]) -> dict[str, Path]:
    """Return module name -> file for ``names``, their packages and all they import."""
    todo, seen = _with_parents(names), {}
    while todo:
        name = todo.pop()
        path = None if name in seen else module_file(name)
        if path is not None:
            seen[name] = path
            is_package = path.name == "__init__.py"
            inner = f"{name}.__init__" if is_package else name
            todo |= _with_parents(imports_of(path.read_text(), inner)) - set(seen)
    return seen


def source_hash(source: str) -> str:
    """Return the hash of the modules of ours that a piece of source depends on."""
    return _hash_files(transitive_modules(imports_of(source)))


@cache
def module_hash(module: str) -> str:
    """Return the hash of a module's source and of all it imports of ours.

    Raises
    ------
    ModuleNotFoundError
        If ``module`` is not a module of this package.
    """
    if module_file(module) is None:
        raise ModuleNotFoundError(f"{module!r} is not a module of {PACKAGES}")
    return _hash_files(transitive_modules({module}))


def _hash_files(files: dict[str, Path]) -> str:
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
