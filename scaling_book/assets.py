"""Static files that pages load but the repository does not hold: MathJax, plotly, tables."""

import re
import shutil
from importlib.metadata import distribution
from pathlib import Path

from scaling_book.errors import RenderError
from scaling_core.base.files import write_atomic

PACKAGE = "sphinx-mathjax-offline"
PLOTLY = "plotly/package_data/plotly.min.js"
TABLES = "itables/html/dt_bundle.js"
PARTS = ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions")


def copy_assets(root: Path) -> Path:
    """Copy the scripts into ``book/_static/vendor``; return MathJax's folder.

    Only what a page can ask for: the combined script, its fonts, the TeX extensions;
    plotly's one script, which only pages with an interactive figure load; DataTables'
    as a classic script, which only pages with a table to filter load.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        If the extra ``book`` is not installed.
    """
    source = _installed(PACKAGE, f"{PACKAGE}/static/mathjax")
    target = root / "book" / "_static" / "vendor" / "mathjax"
    for part in PARTS:
        if (source / part).is_dir():
            shutil.copytree(source / part, target / part, dirs_exist_ok=True)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / part, target / part)
    shutil.copy2(_installed("plotly", PLOTLY), target.parent)
    bundle = _installed("itables", TABLES).read_text()
    write_atomic(target.parent / "datatables.js", classic_script(bundle))
    return target


def classic_script(module: str) -> str:
    """Return an ECMAScript module as a script with one global, ``ScalingTables``.

    Browsers load no module from a file opened from disk.

    Raises
    ------
    RenderError
        If the module imports anything, or has not one list of exports.

    >>> print(classic_script("let a=1;export{a as b};"))
    (()=>{"use strict";let a=1;globalThis.ScalingTables={"b":a};})();
    """
    lists = list(re.finditer(r"\bexport\s*\{([^{}]*)\};?", module))
    if len(lists) != 1 or re.search(r"^\s*import\b|\bimport\.meta\b", module, re.M):
        raise RenderError(
            f"{TABLES}: {len(lists)} lists of exports, or imports; a script is made of "
            "a module with one list and no import: fit `classic_script` to its new form"
        )
    names = [pair.split(" as ") for pair in lists[0][1].split(",")]
    pairs = ",".join(f'"{pair[-1].strip()}":{pair[0].strip()}' for pair in names)
    start, end = lists[0].span()
    body = f"{module[:start]}globalThis.ScalingTables={{{pairs}}};{module[end:]}"
    return f'(()=>{{"use strict";{body}}})();'


def _installed(package: str, path: str) -> Path:
    """Return the place of a file of an installed package."""
    return Path(str(distribution(package).locate_file(path)))
