"""Reading and checking the data a user hands to a fit: one clear error each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .law import Array, Law

LOSSES = ("log-huber", "huber", "mse")


class CellError(ValueError):
    """A value no fit can use; ``column``, ``row`` (from 0), ``found`` and ``why`` say which."""

    def __init__(self, column: str, row: int, found: float, why: str):
        super().__init__(f"column {column} has {found:g} in row {row}; {why}")
        self.column, self.row, self.found, self.why = column, row, found, why


def position(name: str, names: Any, derived: Any = ()) -> int:
    """Return the index of a parameter.

    Examples
    --------
    >>> position("gamma", ("E", "A"))
    Traceback (most recent call last):
    ...
    ValueError: no parameter 'gamma'; the law has ['E', 'A']
    """
    if name not in names:
        also = f", derived {list(derived)}" if derived else ""
        raise ValueError(f"no parameter {name!r}; the law has {list(names)}{also}")
    return tuple(names).index(name)


def read_columns(law: Law, data: Any, columns: Any = None) -> dict[str, Array]:
    """Return the columns a law needs as float arrays (groups as they are).

    ``data`` is a mapping or a data frame, ``columns`` maps the law's names to its own.
    Raises ValueError for a missing column, unequal lengths, values that are not finite
    or not positive.

    Examples
    --------
    >>> from scaling_core.fitting import PowerLaw
    >>> read_columns(PowerLaw(), {"x": [1, 2], "L": [3]})
    Traceback (most recent call last):
    ...
    ValueError: columns differ in length: x has 2, L has 1
    """
    if not isinstance(law, Law):
        name = getattr(law, "__name__", type(law).__name__)
        hint = f", a class: write {name}()" if isinstance(law, type) else ""
        raise TypeError(f"law must be a law such as Chinchilla(); got {name}{hint}")
    names = (*law.variables, law.target)
    found = _checked(law, find_columns(data, names, columns, type(law).__name__))
    if len({len(column) for column in found.values()}) > 1:
        each = ", ".join(f"{k} has {len(v)}" for k, v in found.items())
        raise ValueError(f"columns differ in length: {each}")
    return found


def read_inputs(law: Law, data: Any) -> dict[str, Array]:
    """Return the input columns of a law, scalars broadcast to a common length."""
    found = find_columns(data, law.variables, None, type(law).__name__)
    arrays = [np.atleast_1d(np.asarray(column)) for column in found.values()]
    return _checked(law, dict(zip(found, np.broadcast_arrays(*arrays), strict=True)))


def find_columns(
    data: Any, names: tuple[str, ...], columns: Mapping[str, str] | None, whose: str
) -> dict[str, Any]:
    """Return the named columns of a mapping or data frame, found under their own names.

    >>> find_columns({"params": [1e9]}, ("N",), {"N": "params"}, "Chinchilla")
    {'N': [1000000000.0]}
    """
    if unknown := sorted(set(columns or {}) - set(names)):
        raise ValueError(f"columns names {unknown}; {whose} needs {list(names)}")
    own = {name: (columns or {}).get(name, name) for name in names}
    have = [str(name) for name in getattr(data, "columns", data)]
    if missing := [name for name in own.values() if name not in have]:
        raise ValueError(
            f"data lacks {missing}; {whose} needs {list(own.values())}, "
            f"the data has {have}; columns={{...}} maps names"
        )
    return {name: data[column] for name, column in own.items()}


def _checked(law: Law, columns: Mapping[str, Any]) -> dict[str, Array]:
    labels = getattr(law, "group", None)
    out = {name: as_column(c, name, name == labels) for name, c in columns.items()}
    for name in law.positive:
        check_positive(out[name], name, f"{type(law).__name__} takes its logarithm")
    return out


def as_column(values: Any, name: str, labels: bool = False) -> Array:
    """Return a one-dimensional column, float unless it holds group labels."""
    array = np.asarray(values)
    if (mask := np.ma.getmaskarray(values)).any():
        row = int(np.flatnonzero(mask)[0])
        raise ValueError(f"column {name} is masked in row {row}; leave masked rows out")
    if array.ndim != 1:
        raise ValueError(f"column {name} must be one-dimensional, got {array.shape}")
    if labels:
        return array
    try:
        array = array.astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"column {name} must hold numbers: {error}") from None
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array))[0])
        raise CellError(name, row, array[row], "drop or repair it before fitting")
    return array


def check_positive(column: Array, name: str, why: str) -> None:
    """Raise unless every entry is positive."""
    if not (column > 0).all():
        row = int(np.flatnonzero(~(column > 0))[0])
        raise CellError(name, row, column[row], f"it must be > 0 because {why}")


def read_weights(weights: Any, n: int) -> Array:
    """Return weights as a float array; None means one each."""
    if weights is None:
        return np.ones(n)
    array = as_column(weights, "weights")
    if len(array) != n:
        raise ValueError(f"weights has {len(array)} entries for {n} points")
    if (array < 0).any() or not array.any():
        raise ValueError("weights must be >= 0 and not all zero")
    return array


def check_loss(loss: str, delta: float, y: Array, target: str) -> None:
    """Raise for an unknown loss, a bad delta, or logarithms of values <= 0."""
    if loss not in LOSSES:
        raise ValueError(f"loss must be one of {list(LOSSES)}, got {loss!r}")
    if not delta > 0:
        raise ValueError(f"delta must be > 0 (inf for plain squares), got {delta}")
    if loss == "log-huber":
        why = "loss='log-huber' takes its logarithm; use loss='huber' or 'mse'"
        check_positive(y, target, why)


def read_bounds(
    law: Law, bounds: Mapping[str, tuple[float, float]] | None
) -> dict[str, tuple[float, float]]:
    """Return (low, high) of every parameter: the user's, else the law's own.

    A name without its group (``"A"`` for ``"A[gpt]"``) bounds all groups; equal
    ends fix the parameter.

    Examples
    --------
    >>> from scaling_core.fitting import PowerLaw
    >>> read_bounds(PowerLaw(), {"E": (1.5, 1.5)})["E"]
    (1.5, 1.5)
    """
    out = {name: law.limits.get(name, (-np.inf, np.inf)) for name in law.parameters}
    for name, pair in (bounds or {}).items():
        try:
            low, high = map(float, pair)
        except (TypeError, ValueError):
            raise ValueError(
                f"bounds of {name} must be a pair (low, high), got {pair!r}; equal ends "
                "fix a parameter"
            ) from None
        hits = [p for p in law.parameters if p == name or p.split("[")[0] == name]
        if not hits:
            has = list(law.parameters)
            raise ValueError(f"bounds names {name!r}; the law has {has}")
        if not low <= high:
            raise ValueError(
                f"bounds of {name} must be (low, high), low <= high, got {(low, high)}"
            )
        out.update(dict.fromkeys(hits, (low, high)))
    return out
