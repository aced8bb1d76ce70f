"""What a fit found and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from . import columns as col
from .law import Array, Law
from .problem import Problem

Status = Literal["converged", "at-bound", "starts-disagree", "not-identified", "failed"]


@dataclass(frozen=True)
class FitResult:
    """What a fit found and how far to trust it.

    Attributes
    ----------
    params : dict of raw parameter values, named as in ``law.formula``
    objective : weighted **sum** over points of Huber's function of the residual
        (``loss="mse"``: of the squared residual); never an average
    status : "converged"; "at-bound" (a parameter ended on a bound);
        "starts-disagree" (the best value was reached once only);
        "not-identified" (the data leave a combination of parameters free);
        "failed" (the gradient is not zero: do not use the numbers)
    gradient_norm : largest cosine between the residual and a column of the
        Jacobian, free of units; 0 at an optimum
    agreeing_starts, starts : how many starts reached the best value, of how many
    condition : condition number of the Jacobian with columns of unit length
    """

    law: Law
    params: dict[str, float]
    objective: float
    status: Status
    message: str
    gradient_norm: float
    agreeing_starts: int
    starts: int
    condition: float
    n: int
    loss: str
    delta: float
    residuals: Array = field(repr=False)
    problem: Problem = field(repr=False)
    z: Array = field(repr=False)

    def predict(self, data: Any = None) -> Array:
        """Return predictions at new columns, or at the fitted points.

        Examples
        --------
        >>> from scaling_core.fitting import fit, PowerLaw
        >>> r = fit(PowerLaw(), {"x": [1, 2, 4, 8, 16], "L": [3, 2, 1.5, 1.25, 1.125]})
        >>> r.predict({"x": [32]}).round(6)
        array([1.0625])
        """
        if data is None:
            return self.problem.predict(self.z[None])[0]
        return self.problem.predict(self.z[None], read_inputs(self.law, data))[0]

    @property
    def usable(self) -> bool:
        """Whether the parameters mean something: neither not-identified nor failed."""
        return self.status not in ("not-identified", "failed")

    @property
    def derived(self) -> dict[str, float]:
        """Quantities that follow from the parameters (a, b, G of Chinchilla, ...)."""
        return self.law.derived(self.params)

    def covariance(self, kind: str = "sandwich") -> Array:
        """Covariance of the raw parameters; see ``uncertainty.covariance``."""
        from .uncertainty import covariance

        return covariance(self, kind)

    def summary(self) -> str:
        """Return parameters with standard errors, status and the methods line."""
        return "\n".join(
            [
                f"{self.law.formula}    {self.status}: {self.message}",
                *self._table(),
                self.methods(),
            ]
        )

    def _table(self) -> list[str]:
        with np.errstate(all="ignore"):  # a variance may be negative by rounding
            errors = np.sqrt(np.diag(self.covariance()))
        units = self.law.units
        return [
            f"  {name:<12} {value: .6g}  +- {_error(error, self.usable)}  [{units.get(name.split('[')[0], '')}]"
            for (name, value), error in zip(self.params.items(), errors)
        ]

    def methods(self) -> str:
        """Return one sentence that states the fit completely, to paste into a paper."""
        loss = {
            "log-huber": f"Huber loss on log {self.law.target}, delta = {self.delta:g}",
            "huber": f"Huber loss on {self.law.target}, delta = {self.delta:g}",
            "mse": f"squared error on {self.law.target}",
        }[self.loss]
        way = "linear parameters eliminated on a grid, then " if self.law.linear else ""
        return (
            f"{self.law.formula} ({self.law.source}) fitted to {self.n} points; {loss}, summed; "
            f"objective {self.objective:.6e}; {way}damped Newton "
            f"from {self.starts} starts, {self.agreeing_starts} at the optimum; largest gradient cosine "
            f"{self.gradient_norm:.1e}; Jacobian condition {self.condition:.1e}; {self.status}."
        )


def _error(error: float, usable: bool) -> str:
    return f"{error:.2g}" if usable and np.isfinite(error) else "undefined"


def read_inputs(law: Law, data: Any) -> dict[str, Array]:
    """Return the input columns of a law, scalars broadcast to a common length."""
    have = [str(c) for c in (data.columns if hasattr(data, "columns") else data)]
    if missing := [v for v in law.variables if v not in have]:
        raise ValueError(
            f"data lacks {missing}; to predict, {type(law).__name__} needs {list(law.variables)}"
        )
    arrays = np.broadcast_arrays(
        *[np.atleast_1d(np.asarray(data[v])) for v in law.variables]
    )
    labels = getattr(law, "group", None)
    columns = {
        v: col.as_column(a, v, v == labels) for v, a in zip(law.variables, arrays)
    }
    for name in law.positive:
        col.check_positive(
            columns[name], name, f"{type(law).__name__} takes its logarithm"
        )
    return columns
