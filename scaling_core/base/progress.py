"""A progress bar for people, silence for logs and notebooks."""

from collections.abc import Iterable


def progress(iterable: Iterable | None = None, *, desc: str = "", total=None):
    """Wrap ``iterable`` in a plain tqdm bar, off unless stderr is a terminal.

    Plain tqdm, never ``tqdm.auto``: widgets would be stored in executed notebooks.

    >>> list(progress(range(3)))
    [0, 1, 2]
    """
    from tqdm import tqdm  # only the extras that train bring tqdm

    return tqdm(iterable, desc=desc, total=total, disable=None, leave=False)
