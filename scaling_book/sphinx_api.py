"""A Sphinx extension: docstrings of scaling_core with links to papers and to each other.

In a docstring `name` is a link where the API has the name, and code where it has not;
"arXiv 2203.15556" leads to the paper; indented formulas of a module stand as written.
Headings of numpydoc become rubrics: what stands below them is a definition list as it is.
"""

import re
from functools import cache
from typing import Any

from pybtex.plugin import find_plugin, register_plugin

from scaling_book.uses import public_names

ARXIV = re.compile(r"\barXiv[: ](\d{4}\.\d{4,5})\b")
QUOTED = re.compile(r"(?<![`:\w])`([^`<>\n]+)`(?![`_])")
LITERAL = re.compile(r"(``.*?``)")
HEADING = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
TERM = re.compile(r"^(\w[\w, ]*)(?=\n {4}\S)", re.MULTILINE)  # of a definition list


def setup(app) -> dict[str, Any]:
    """Join the builder: Sphinx calls this.

    Each citation asks pybtex for these two backends, and it would read the names of all
    installed packages for each.
    """
    for name in ("docutils", "plaintext"):
        found = find_plugin("pybtex.backends", name)
        register_plugin("pybtex.backends", name, found, force=True)
    app.connect("autodoc-process-docstring", _process)
    app.connect("autodoc-process-signature", _process_signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


@cache
def _links() -> dict[str, str]:
    return {entry.short: entry.name for entry in public_names().values()}


def _process(app, what: str, name: str, obj, options, lines: list[str]) -> None:
    """Rewrite a docstring in place."""
    module = what == "module"
    text = "\n".join(
        line if module and line.startswith("    ") else linked(line, _links())
        for line in lines
    )
    rewrite = with_blocks if module else with_rubrics
    lines[:] = rewrite(text).split("\n")


def _process_signature(app, what, name, obj, options, signature, returns):
    """Show a default that is no Python, such as <factory>, as three dots."""
    return re.sub(r"= <[^<>]*>", "= ...", signature or ""), returns


def linked(line: str, links: dict[str, str]) -> str:
    """Return a line of a docstring with its links; examples stay as they are.

    >>> linked("As `fit` (arXiv 2203.15556) of `this`.", {"fit": "a.fit"})
    'As :py:obj:`fit <a.fit>` (`arXiv 2203.15556 <https://arxiv.org/abs/2203.15556>`__) of ``this``.'
    """
    if line.lstrip().startswith((">>>", "...")):
        return line

    def role(found: re.Match) -> str:
        target = links.get(found[1])
        return f":py:obj:`{found[1]} <{target}>`" if target else f"``{found[1]}``"

    parts = LITERAL.split(line)
    plain = [ARXIV.sub(_paper, QUOTED.sub(role, part)) for part in parts[::2]]
    parts[::2] = plain
    return "".join(parts)


def _paper(found: re.Match) -> str:
    return f"`{found[0]} <https://arxiv.org/abs/{found[1]}>`__"


def with_blocks(text: str) -> str:
    """Return a module's docstring with its indented paragraphs as literal blocks.

    >>> with_blocks("A law:\\n\\n    L = A / x\\n\\nEnd.")
    'A law:\\n\\n::\\n\\n    L = A / x\\n\\nEnd.'
    """
    return re.sub(r"\n\n(?=    \S)(?!    >>>)", "\n\n::\n\n", text)


def with_rubrics(text: str) -> str:
    """Return a docstring with its numpydoc headings as rubrics and names as code.

    >>> with_rubrics("Fit.\\n\\nRaises\\n------\\nValueError\\n    Never.").split("\\n")[2:]
    ['.. rubric:: Raises', '', '``ValueError``', '    Never.']
    """
    first, *rest = HEADING.split(text)
    parts = [first]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        terms = TERM.sub(r"``\1``", body)
        parts.append(f".. rubric:: {title}\n{terms}")
    return "".join(parts)
