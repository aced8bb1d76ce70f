"""A worker process of a sweep: it runs configs with code fresh from disk.

The hash of the source is taken before and after the import, so that no result is
stored under the hash of another source than the one that ran.
"""

import contextlib
import importlib
import json
import os
import queue
import sys
import sysconfig
import threading
import time
import traceback
from collections.abc import Callable
from functools import cache
from importlib.machinery import PathFinder, SourceFileLoader
from multiprocessing.connection import Connection
from pathlib import Path

from scaling_core.base.codehash import PACKAGES, module_hash

RESERVED = {"status", "seconds", "error"}
LIBRARIES = tuple({sysconfig.get_path(n) for n in ("stdlib", "purelib", "platlib")})


class _FromSource(SourceFileLoader):
    """Compile what stands on disk: cached bytecode is told apart by whole seconds."""

    def get_code(self, fullname: str):
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _Finder:
    """Find modules as ever, but load those that are no library from their source."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader or not spec.origin:
            return spec
        if name.split(".")[0] in PACKAGES or not spec.origin.startswith(LIBRARIES):
            spec.loader = _FromSource(name, spec.origin)
        return spec


class Task:
    """The function of a sweep, imported in this process from what is on disk.

    Parameters
    ----------
    fn_id
        ``module:function@hash of the source``.

    Raises
    ------
    ImportError
        If the source on disk has another hash.
    """

    def __init__(self, fn_id: str):
        self.name, _, self.code = fn_id.rpartition("@")
        self.module, _, function = self.name.partition(":")
        sys.meta_path.insert(0, _Finder)
        self.check()
        self.fn = getattr(importlib.import_module(self.module), function)
        self.check()
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(1)

    def check(self) -> None:
        """Raise if the source on disk is no longer the one asked for."""
        if module_hash(self.module) != self.code:
            raise ImportError(
                "it was edited while the sweep ran; start the sweep again"
            )

    def run(self, config: str) -> dict:
        """Run one config; an import on the way may have brought in a later edit."""
        modules = len(sys.modules)
        outcome = call(self.fn, json.loads(config))
        if len(sys.modules) > modules:
            self.check()
        return outcome


def call(fn: Callable, config: dict) -> dict:
    """Run one config; return status, result or error, and seconds.

    >>> call(dict, {"x": 1})["error"]  # doctest: +ELLIPSIS
    "ValueError: result keys ['x'] repeat config keys (worker.py:...)"
    """
    start = time.perf_counter()
    try:
        result = _checked(fn(**config), config)
        outcome = {"status": "done", "result": json.dumps(result, default=_to_json)}
    except (Exception, SystemExit) as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        message = f"{type(error).__name__}: {error} ({place})"
        outcome = {"status": "failed", "error": message}
    return outcome | {"seconds": time.perf_counter() - start}


def _checked(result, config: dict) -> dict:
    if not isinstance(result, dict):
        raise TypeError(f"a result must be a dict, got {type(result).__name__}")
    if not all(isinstance(key, str) for key in result):
        raise TypeError(f"keys of a result must be text, got {list(result)}")
    if clash := set(result) & (set(config) | RESERVED):
        raise ValueError(f"result keys {sorted(clash)} repeat config keys")
    return result


def _to_json(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(
        f"{type(value).__name__} in a result; allowed: numbers, text, lists"
    )


@cache
def _task(fn_id: str) -> Task:
    return Task(fn_id)


def answer(fn_id: str, config: str) -> dict:
    """Run one config; what keeps the function from being run at all is a refusal.

    The process must have imported nothing of what the function imports.
    """
    try:
        return _task(fn_id).run(config)
    except Exception as error:
        return {
            "refused": f"{fn_id.partition('@')[0]}: {type(error).__name__}: {error}"
        }


def main(fn_id: str, handle: str) -> None:
    """Answer configs until the sweep ends; the process ends with it, busy or not."""
    os.set_inheritable(int(handle), False)
    line = Connection(int(handle))
    configs: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(line, configs), daemon=True).start()
    while True:
        line.send(answer(fn_id, configs.get()))


def _listen(line: Connection, configs: queue.SimpleQueue) -> None:
    with contextlib.suppress(EOFError, ConnectionResetError):
        while True:
            configs.put(line.recv())
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
