"""Static files that pages load but the repository does not hold: MathJax, plotly."""

import shutil
from importlib.metadata import distribution
from pathlib import Path

PACKAGE = "sphinx-mathjax-offline"
PLOTLY = "plotly/package_data/plotly.min.js"
PARTS = ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions")


def copy_assets(root: Path) -> Path:
    """Copy MathJax and plotly into ``book/_static/vendor``; return MathJax's folder.

    Only what a page can ask for: the combined script, its fonts, the TeX extensions;
    plotly's one script, which only pages with an interactive figure load.

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
    return target


def _installed(package: str, path: str) -> Path:
    """Return the place of a file of an installed package."""
    return Path(str(distribution(package).locate_file(path)))
