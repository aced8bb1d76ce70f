"""Step Law: the best learning rate and batch size as powers of N and D.

Source: arXiv 2503.04715. Units: N in parameters without embeddings, D and the batch in
tokens. Chapter: fitting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .columns import as_column, check_positive
from .law import Array
from .powers import PowerSum

PUBLISHED = {"lr": (1.79, -0.713, 0.307), "batch": (0.58, 0.0, 0.571)}  # c, in N, in D


@dataclass(frozen=True)
class StepLaw(PowerSum):
    """Best value of a hyperparameter, ``y = c N^a D^b``; y is ``target`` ("lr", "batch").

    Parameters: c the value at N = D = 1; a and b the powers of model and data, of any
    sign. ``inputs=("D",)`` leaves N out, as the paper does for the batch. Fit it to the
    best values of sweeps (``lowest_point``) with ``delta=inf`` for plain squares of logs.
    Source: arXiv 2503.04715.

    Examples
    --------
    >>> from scaling_core.fitting import fit
    >>> axes = np.geomspace(2e8, 1e9, 3), np.geomspace(4e9, 1e11, 3)
    >>> N, D = (g.ravel() for g in np.meshgrid(*axes))
    >>> best = StepLaw.optimum(N, D)
    >>> found = fit(StepLaw(), {"N": N, "D": D, "lr": best["lr"]}).params
    >>> round(found["a"], 6), round(found["b"], 6)
    (-0.713, 0.307)
    """

    target: str = "lr"
    inputs: tuple[str, ...] = ("N", "D")

    source = "arXiv 2503.04715"
    any_sign: ClassVar = ("a", "b")

    @property
    def terms(self):
        return {"c": {x: {"N": "-a", "D": "-b"}[x] for x in self.inputs}}

    @staticmethod
    def optimum(N: Any, D: Any) -> dict[str, Array]:
        """Return the published optimum: learning rate, and batch in tokens.

        >>> best = StepLaw.optimum(1e9, 1e11)
        >>> round(float(best["lr"]), 5), round(float(best["batch"] / 1e6), 2)
        (0.00163, 1.11)
        """
        N, D = np.asarray(N, dtype=float), np.asarray(D, dtype=float)
        return {name: c * N**a * D**b for name, (c, a, b) in PUBLISHED.items()}


def lowest_point(
    data: Any, names: tuple[str, ...] = ("lr", "batch"), *, window: float = 0.02
) -> dict[str, Any]:
    """Return where a quadratic surface in the logs of the named columns is least.

    Fitted by least squares to the column ``loss`` of the runs of one cell (one N and D)
    within ``window`` (relative) of its best. ``convex`` tells whether it has a minimum,
    ``inside`` whether that lies among the runs, ``loss`` is the surface's value there.

    Raises ValueError if these runs do not determine the surface.

    Examples
    --------
    >>> lr, batch = (g.ravel() for g in np.meshgrid([1, 2, 4.0], [1, 2, 4.0]))
    >>> loss = 2 + 0.01 * np.log(lr / 2) ** 2 + 0.02 * np.log(batch / 3) ** 2
    >>> found = lowest_point({"lr": lr, "batch": batch, "loss": loss})
    >>> round(found["lr"], 6), round(found["batch"], 6), found["convex"]
    (2.0, 3.0, True)
    """
    loss = as_column(data["loss"], "loss")
    near = loss <= loss.min() * (1 + window)
    columns = [as_column(data[name], name) for name in names]
    for name, column in zip(names, columns, strict=True):
        check_positive(column, name, "its logarithm is taken")
    u = np.log(np.array(columns))[:, near]
    centre = u.mean(axis=1)
    x, (rows, cols) = u - centre[:, None], np.triu_indices(len(names))
    design = np.column_stack([np.ones(x.shape[1]), *x, *(x[rows] * x[cols])])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ValueError(
            f"the {len(design)} runs within {window:.1%} of the best do not determine a "
            f"surface of {design.shape[1]} constants; widen the window or the sweep"
        )
    c = np.linalg.lstsq(design, loss[near], rcond=None)[0]
    pull, hessian = c[1 : 1 + len(names)], np.zeros((len(names), len(names)))
    hessian[rows, cols] = c[1 + len(names) :]
    hessian += hessian.T  # twice the square terms, once the mixed ones
    at = -np.linalg.solve(hessian, pull)
    place = dict(zip(names, np.exp(centre + at).tolist(), strict=True))
    inside = (x.min(1) <= at) & (at <= x.max(1))
    return {
        **place,
        "loss": float(c[0] + at @ pull / 2),
        "convex": bool(np.linalg.eigvalsh(hessian).min() > 0),
        "inside": bool(inside.all()),
    }
