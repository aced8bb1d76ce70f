"""One hash for the code a number depends on: a module and all it imports of ours.

Sources are read from disk at every call and parsed, never imported, so that an edit
counts at once. Docstrings, comments, layout and what only type checkers read do not
count: prose in code makes no number old.
"""

import ast
import sysconfig
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from scaling_core.base.files import sha256_of_text

PACKAGES = ("scaling_core", "studies")
EXPORTS = "_EXPORTS"  # in a lazy ``__init__``: {name: submodule that holds it}
HOLDERS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)

# One use of a module: the module and the name taken from it. "*" stands for anything
# that it holds, "" for its being imported on the way to something else.
Use = tuple[str, str]


@dataclass(frozen=True)
class _Code:
    """What one source says: the hash of its normal form, imports, lazy exports."""

    digest: str
    imports: tuple[tuple[int, str, str], ...] = ()  # (leading dots, module, name)
    exports: tuple[tuple[str, str], ...] = ()


def code_digest(source: str, *, cell: bool = False) -> str:
    """Return the hash of a source without docstrings, comments and layout.

    In a notebook's ``cell`` a first line of text, or a last semicolon, decides what is
    shown, so they count. What is not plain Python counts as it stands.

    >>> code_digest("x = 1  # one") == code_digest('"Doc."\\n\\nx = (1)')
    True
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return sha256_of_text(source)
    quiet = ";" if cell and source.rstrip().endswith(";") else ""
    return sha256_of_text(_text(_normal(tree, keep_first=cell)) + quiet)


def _text(node) -> str:
    """Write a syntax tree as text, the same in Python 3.11 and later.

    Later versions add fields, empty in older code, and 3.12 empty ends of f-strings.
    """
    if isinstance(node, list):
        return f"[{','.join(map(_text, node))}]"
    if not isinstance(node, ast.AST):
        return ascii(node)
    if isinstance(node, ast.JoinedStr):
        node.values = [x for x in node.values if getattr(x, "value", x) != ""]
    fields = [(k, x) for k, x in ast.iter_fields(node) if x is not None and x != []]
    inner = ",".join(f"{name}={_text(x)}" for name, x in fields)
    return f"{type(node).__name__}({inner})"


def _normal(tree: ast.Module, *, keep_first: bool = False) -> ast.Module:
    """Drop docstrings, blocks for type checkers, and a lazy package's list of names."""
    for node in ast.walk(tree):
        kept = keep_first and node is tree
        if isinstance(node, HOLDERS) and not kept and _starts_with_text(node.body):
            node.body = node.body[1:] or [ast.Pass()]
    lists = (EXPORTS, "__all__") if _lazy_exports(tree) else ()
    tree.body = [
        node
        for node in tree.body
        if _assigned(node)[0] not in lists and not _for_type_checkers(node)
    ]
    return tree


def _lazy_exports(tree: ast.Module) -> dict[str, str]:
    found = (value for name, value in map(_assigned, tree.body) if name == EXPORTS)
    return ast.literal_eval(next(found, None) or "{}")


def _starts_with_text(body: list[ast.stmt]) -> bool:
    first = body[0].value if body and isinstance(body[0], ast.Expr) else None
    return isinstance(first, ast.Constant) and isinstance(first.value, str)


def _assigned(node: ast.stmt) -> tuple[str, ast.expr | None]:
    """Return the name that an assignment binds, with its value."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id, node.value
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id, node.value
    return "", None


def _for_type_checkers(node: ast.stmt) -> bool:
    test = node.test if isinstance(node, ast.If) and not node.orelse else None
    name = getattr(test, "attr", getattr(test, "id", ""))  # typing.X or X
    return name == "TYPE_CHECKING"


@lru_cache(maxsize=1024)
def _parse(source: str) -> _Code:
    """Parse a source; remembered by its text, so never stale."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return _Code(sha256_of_text(source))
    exports = _lazy_exports(tree)
    imports = []
    for node in ast.walk(_normal(tree)):
        if isinstance(node, ast.ImportFrom):
            base = node.module or ""
            imports += [(node.level, base, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                first = len(parts) if alias.asname else 1
                ends = range(first, len(parts) + 1)
                imports += [(0, ".".join(parts[:end]), "*") for end in ends]
    digest = sha256_of_text(_text(tree))
    return _Code(digest, tuple(imports), tuple(exports.items()))


def package_root(top: str) -> Path | None:
    """Return the folder that holds a top-level module or package, if there is one."""
    spec = find_spec(top)
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).parent
    return Path(spec.origin).parent if spec.has_location and spec.origin else None


def module_file(module: str, beside: str = "", root: Path | None = None) -> Path | None:
    """Return the source file of a module of ours, or None if it is none of ours.

    Ours are :data:`PACKAGES` (those below ``root``, where it holds them) and, where
    ``beside`` names a module outside of them, its package and what lies in the same
    folder (of an installed one: itself only).
    """
    top, own = module.split(".")[0], beside.split(".")[0]
    mine = top in (*PACKAGES, own)
    here = root is not None and (root / top / "__init__.py").is_file()
    if top not in PACKAGES or not here:
        root = package_root(top if mine else own) if mine or own else None
    if root is None or (not mine and _is_library(root)):
        return None
    stem = root.joinpath(*module.split("."))
    paths = (stem / "__init__.py", stem.parent / f"{stem.name}.py")
    return next((path for path in paths if path.is_file()), None)


def _is_library(folder: Path) -> bool:
    """Tell whether a folder holds installed packages or the standard library."""
    known = {Path(path).resolve() for path in sysconfig.get_paths().values()}
    return folder.resolve() in known or "site-packages" in folder.parts


def _reached(
    todo: set[Use], beside: str = "", root: Path | None = None
) -> dict[str, str]:
    """Return module -> digest for what is used and all that it imports of ours."""
    found: dict[str, str] = {}
    done: set[Use] = set()
    while todo:
        use = todo.pop()
        done.add(use)
        module, name = use
        path = module_file(module, beside, root)
        code = _parse(path.read_text()) if path else _Code("")
        new: set[Use] = set()
        if path is not None and module not in found:
            found[module] = code.digest
            is_package = path.name == "__init__.py"
            package = module if is_package else module.rpartition(".")[0]
            new |= _uses(code, package) | {(p, "") for p in _parents(module)}
        exports = dict(code.exports)
        if name == "*":
            new |= {(f"{module}.{inner}", "") for inner in exports.values()}
        elif name:
            inner = f"{module}.{exports.get(name, name)}"
            new.add((inner, "" if name in exports else "*"))
        todo |= new - done
    return found


def _uses(code: _Code, package: str) -> set[Use]:
    """Return what a source of ``package`` uses, relative imports resolved."""
    found = set()
    for level, base, name in code.imports:
        above = package.split(".")[: len(package.split(".")) + 1 - level]
        parts = [*above, base] if level else [base]
        found.add((".".join(filter(None, parts)), name))
    return found


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def source_modules(source: str, root: Path | None = None) -> dict[str, str]:
    """Return the modules of ours that a piece of source depends on, with their hashes.

    ``root`` is the folder in which the source will run: its packages come first.
    """
    return _reached(_uses(_parse(source), ""), root=root)


def source_hash(source: str, root: Path | None = None) -> str:
    """Return the hash of all that :func:`source_modules` finds."""
    return _hash_modules(source_modules(source, root))


def module_hash(module: str) -> str:
    """Return the hash of a module and of all it imports of ours, as they stand on disk.

    A module outside of our packages counts with what it imports from beside it.

    Raises
    ------
    ModuleNotFoundError
        If there is no such module, or it has no source.
    """
    beside = "" if module.split(".")[0] in PACKAGES else module
    if module_file(module, beside) is None:
        raise ModuleNotFoundError(f"{module!r} is no module with a source file")
    return _hash_modules(_reached({(module, "*")}, beside))


def _hash_modules(modules: dict[str, str]) -> str:
    return sha256_of_text(
        "\n".join(f"{name} {modules[name]}" for name in sorted(modules))
    )
