"""Public names of scaling_core, and which chapter uses which, read from the sources.

Nothing is imported: sources are parsed, so that a chapter's page costs milliseconds.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scaling_book.chapters import ChapterFile
from scaling_core.base.codehash import module_file, package_root

PACKAGE = "scaling_core"
LAZY = f"{PACKAGE}.fitting"  # a room whose names are those that it exports
INNER = {  # modules without a place in the API, and why
    f"{PACKAGE}.cli": "a command line: `scaling --help` is its reference",
    f"{PACKAGE}.base.codehash": "keys of the book's runs",
    f"{PACKAGE}.base.errors": "what the commands catch",
    f"{PACKAGE}.base.files": "paths of the book",
    f"{PACKAGE}.training.store": "the file behind a sweep",
    f"{PACKAGE}.training.worker": "a process of a sweep",
}


@dataclass(frozen=True)
class Entry:
    """A name of the API: what it is, where it is defined, its first line."""

    name: str  # as users import it: scaling_core.fitting.fit
    kind: str  # function, class, exception or data
    module: str  # that defines it
    summary: str = ""

    @property
    def room(self) -> str:
        """The part of the package: base, data, fitting, models, rl or training."""
        return self.name.split(".")[1]

    @property
    def short(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class _Module:
    """What the source of a module defines and imports of ours."""

    entries: dict[str, Entry]
    imports: dict[str, tuple[str, str]]  # name -> module, name there
    exports: dict[str, str]  # of a lazy package: name -> module


def public_names() -> dict[str, Entry]:
    """Return the functions and classes of the API, name -> entry, in their order.

    >>> public_names()["scaling_core.fitting.fit"].module
    'scaling_core.fitting.solve'
    """
    found = {}
    for module in _modules():
        for entry in _read(module).entries.values():
            hidden = module in INNER or entry.short.startswith("_")
            inner = module.startswith(LAZY) and entry.module in entry.name
            if not (hidden or inner or entry.kind == "data"):
                found[entry.name] = entry
    return found


def with_constants(used: set[str]) -> dict[str, Entry]:
    """Return the API with those constants and aliases that a chapter uses."""
    found = public_names()
    for module in _modules():
        if module not in INNER:
            held = _read(module).entries.values()
            constants = [e for e in held if e.kind == "data" and e.name in used]
            found |= {entry.name: entry for entry in constants}
    return found


def used_names(root: Path, chapter: ChapterFile) -> set[str]:
    """Return the names of scaling_core that a chapter or its study imports."""
    study = root / "studies" / chapter.slug.replace("-", "_")
    sources = [chapter.source, *sorted(study.rglob("*.py"))]
    return {name for path in sources for name in names_in(path.read_text())}


def names_in(source: str) -> set[str]:
    """Return the names of scaling_core that a source imports, as the API has them.

    Of a module that is imported as a whole, what is taken from it with a dot.

    >>> sorted(names_in("from scaling_core.fitting.solve import fit"))
    ['scaling_core.fitting.fit']
    >>> sorted(names_in("from scaling_core.rl import losses as l; l.aggregate(x, m)"))
    ['scaling_core.rl.losses.aggregate']
    """
    tree = ast.parse(source)
    names, modules = set(), {}
    for node in ast.walk(tree):
        for module, name, alias in _imported(node):
            if name and module_file(f"{module}.{name}"):
                modules[alias] = f"{module}.{name}"
            elif name:
                names.add(_resolved(module, name))
            else:
                modules[alias] = module
    dotted = (ast.unparse(x) for x in ast.walk(tree) if isinstance(x, ast.Attribute))
    for alias, _, name in (text.rpartition(".") for text in dotted):
        if alias in modules:
            names.add(_resolved(modules[alias], name))
    return names


def _imported(node: ast.AST) -> Iterator[tuple[str, str, str]]:
    """Yield module, name in it ("" for the module itself) and what it is called."""
    if isinstance(node, ast.ImportFrom) and _is_ours(node.module or ""):
        for alias in node.names:
            yield node.module or "", alias.name, alias.asname or alias.name
    elif isinstance(node, ast.Import):
        for alias in node.names:
            if _is_ours(alias.name):
                yield alias.name, "", alias.asname or alias.name


def _is_ours(module: str) -> bool:
    return module.split(".")[0] == PACKAGE


def _resolved(module: str, name: str) -> str:
    """Return the name of the API behind a name that a module holds or imports."""
    held = _read(module)
    if name in held.exports:
        return f"{module}.{name}"
    if name in held.entries:
        return held.entries[name].name
    if name in held.imports:
        return _resolved(*held.imports[name])
    return f"{module}.{name}"


def _modules() -> list[str]:
    """Return the modules of the package, rooms in their order, by name."""
    root = package_root(PACKAGE)
    if root is None:
        raise ModuleNotFoundError(PACKAGE)
    paths = sorted((root / PACKAGE).rglob("*.py"))
    names = [".".join(p.relative_to(root).with_suffix("").parts) for p in paths]
    return [name.removesuffix(".__init__") for name in names]


@cache
def _read(module: str) -> _Module:
    path = module_file(module)
    if path is None:
        return _Module({}, {}, {})
    tree = ast.parse(path.read_text())
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    imports = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            base = ".".join(filter(None, [package, node.module]))
            source = base if node.level else node.module or ""
            if _is_ours(source):
                imports |= {a.asname or a.name: (source, a.name) for a in node.names}
    found = [x for node in tree.body for x in _defined(node)]
    entries = {name: _entry(module, name, *rest) for name, *rest in found}
    return _Module(entries, imports, _exports(tree))


def _exports(tree: ast.Module) -> dict[str, str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_EXPORTS":
            return ast.literal_eval(node.value)
    return {}


def _defined(node: ast.stmt) -> Iterator[tuple[str, str, str]]:
    """Yield name, kind and first line of what a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        kind = "function" if isinstance(node, ast.FunctionDef) else "class"
        if kind == "class" and node.name.endswith("Error"):
            kind = "exception"
        yield node.name, kind, (ast.get_docstring(node) or "").partition("\n")[0]
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            value = ast.unparse(node.value) if isinstance(target, ast.Name) else ""
            names = [x.id for x in ast.walk(target) if isinstance(x, ast.Name)]
            yield from ((name, "data", value) for name in names)


def _entry(module: str, name: str, kind: str, summary: str) -> Entry:
    exported = module.startswith(LAZY) and module != LAZY
    short = exported and _read(LAZY).exports.get(name) == module.rpartition(".")[2]
    return Entry(f"{LAZY if short else module}.{name}", kind, module, summary)
