"""What a fit found and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from . import uncertainty
from .law import Array
from .plot import plot_fit
from .problem import Optimum

FEW = 3  # points to spare below which an error bar is hardly measured
Status = Literal["converged", "at-bound", "starts-disagree", "not-identified", "failed"]


@dataclass(frozen=True)
class FitResult(Optimum):
    """What a fit found and how far to trust it.

    Attributes
    ----------
    params
        dict of raw parameter values, named as in ``law.formula``
    objective
        weighted **sum** over points of Huber's function of the residual
        (``loss="mse"``: of the squared residual); never an average
    status
        "converged"; "at-bound" (a parameter ended on a bound);
        "starts-disagree" (too few independent starts reached the best value);
        "not-identified" (the data leave a combination of parameters free);
        "failed" (the gradient is not zero: do not use the numbers)
    gradient_norm
        largest cosine between the residual and a column of the
        Jacobian, free of units; 0 at an optimum
    agreeing_starts, starts
        how many independent starts reached the best value, of how many
    condition
        condition number of the Jacobian with columns of unit length
    """

    objective: float
    status: Status
    message: str
    gradient_norm: float
    agreeing_starts: int
    starts: int
    condition: float

    @property
    def usable(self) -> bool:
        """Whether the parameters mean something: neither not-identified nor failed."""
        return self.status not in ("not-identified", "failed")

    @property
    def doubt(self) -> str:
        """Why the intervals are not to be trusted; empty where they are."""
        if (spare := self.problem.spare) < FEW:
            return f"{spare} point{'s' * (spare != 1)} to spare"
        if not self.on_bound:
            return "" if self.status == "converged" else self.status
        return f"{', '.join(self.on_bound)} on a bound"

    def statistic(self, function, level: float = 0.95) -> tuple[Any, Any]:
        """Return the interval of any function of the parameters (``uncertainty``)."""
        return uncertainty.statistic(self, function, level)

    def interval(self, name: str, level: float = 0.95, kind: str = "sandwich"):
        """Return the interval of a parameter or derived value (``uncertainty.interval``)."""
        return uncertainty.interval(self, name, level, kind)

    def intervals(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Return every parameter's and derived value's interval; nan where undefined.

        A fit that is not identified or failed has none, and no derived values.
        """
        if not self.usable:
            return dict.fromkeys(self.params, (np.nan, np.nan))
        return {n: self.interval(n, level) for n in (*self.params, *self.derived)}

    def band(self, data: Any, level: float = 0.95, kind: str = "sandwich"):
        """Return the band of the curve at new columns (``uncertainty.band``)."""
        return uncertainty.band(self, data, level, kind)

    def covariance(self, kind: str = "sandwich") -> Array:
        """Return the covariance of the raw parameters (``uncertainty.covariance``)."""
        return uncertainty.covariance(self, kind)

    def plot(self, ax: Any = None):
        """Draw points, curves and 95 % bands on log-log axes; return the axes."""
        ax = plot_fit(self, ax)
        doubt = f"; bands not to be trusted: {self.doubt}" if self.doubt else ""
        ax.set_title(f"{self.law.formula}: {self.status}{doubt}", fontsize=9)
        return ax

    def summary(self) -> str:
        """Return parameters with errors and 95 % intervals, the status, the methods line.

        The status of a failed fit comes first.
        """
        status = [f"status: {self.status} ({self.message})", ""]
        failed = self.status == "failed"
        first, last = (status, []) if failed else ([], status)
        table = [self.law.formula, "", *self._table(), ""]
        return "\n".join([*first, *table, *last, self.methods()])

    def _table(self) -> list[str]:
        lines = [f"{'parameter':<12}{'estimate':>14}   {'+-':<11}95 % interval"]
        with np.errstate(all="ignore"):  # a variance may be negative by rounding
            errors = np.sqrt(np.diag(self.covariance()))
        every = dict(zip(self.params, errors, strict=True))
        values = {**self.params, **(self.derived if self.usable else {})}
        for name, ends in self.intervals().items():
            error, known = every.get(name, np.nan), self.usable and name in every
            shown = f"{error:.2g}" if known and np.isfinite(error) else ""
            unit = self.law.units.get(name.split("[")[0], "")
            note = unit if name in every else "derived"
            row = f"{name:<12}{values[name]:>14.6g}   {shown:<11}{_ends(*ends)}"
            lines.append(f"{row}   {note}".rstrip())
        if self.usable and self.doubt:
            lines.append(f"intervals not to be trusted as 95 %: {self.doubt}")
        return lines

    def _settings(self) -> str:
        """State weights, bounds and free parameters."""
        problem, n = self.problem, self.problem.n_free
        words = [f"{n} free parameter{'s' * (n != 1)}"]
        limits = problem.bounds
        fixed = {k: v for k, v in limits.items() if v[0] == v[1]}
        if fixed:
            words.append(
                "fixed " + ", ".join(f"{k} = {v[0]:g}" for k, v in fixed.items())
            )
        low = [k for k, v in limits.items() if v == (0, np.inf) and k not in fixed]
        words += [f"{', '.join(low)} >= 0"] * bool(low)
        whole = (-np.inf, np.inf)
        for k, v in limits.items():
            if k not in fixed and v not in ((0, np.inf), whole):
                words.append(f"{k} in [{v[0]:g}, {v[1]:g}]")
        equal = np.ptp(problem.weights) == 0
        weights = (
            "equal weights"
            if equal
            else (
                f"weights from {problem.weights.min():g} to {problem.weights.max():g}"
            )
        )
        return "; ".join([*words, weights])

    def methods(self) -> str:
        """Return one sentence that states the fit completely, to paste into a paper."""
        law, target = self.law, self.law.target
        loss = {
            "log-huber": f"Huber loss on log {target}, delta = {self.delta:g}",
            "huber": f"Huber loss on {target}, delta = {self.delta:g}",
            "mse": f"squared error on {target}",
        }[self.loss]
        way = "linear parameters eliminated on a grid, then " if law.linear else ""
        return (
            f"{law.formula} ({law.source}) fitted to {self.n} points; {loss}, summed; "
            f"{self._settings()}; "
            f"objective {self.objective:.6e}; {way}damped Newton "
            f"from {self.starts} independent starts, {self.agreeing_starts} at the optimum; "
            f"largest gradient cosine {self.gradient_norm:.1e}; "
            f"Jacobian condition {self.condition:.1e}; {self.status}"
            + (f"; intervals not to be trusted: {self.doubt}." if self.doubt else ".")
        )


def _ends(low: float, high: float) -> str:
    """Show an interval.

    >>> _ends(0.25, 0.5), _ends(np.nan, 1.0), _ends(0.5, 0.5)
    ('[0.25, 0.5]', 'undefined', 'fixed')
    """
    if not (np.isfinite(low) and np.isfinite(high)):
        return "undefined"
    return f"[{low:.4g}, {high:.4g}]" if low < high else "fixed"
