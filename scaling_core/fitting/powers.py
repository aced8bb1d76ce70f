"""Sums of power terms, stated and not programmed: ``L = sum_j c_j prod_x x^-e_jx``.

Shapes: B fits at once, k linear and q nonlinear parameters, n points, g groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any, ClassVar, NamedTuple

import numpy as np

from .law import Array, Exponents, Law, one_hot, signed

EXPONENTS = np.r_[np.geomspace(0.02, 0.2, 6)[:-1], np.geomspace(0.2, 2.5, 15)]


class Term(NamedTuple):
    """``constant exp(-sum_m theta_m log_m)``, one row of phi for every group."""

    rows: slice
    logs: list[tuple[int, Array]]  # index of the exponent, its signed log column (n,)
    constant: Array  # (g, n): sign, columns of known exponent, membership


@dataclass(frozen=True, kw_only=True)
class PowerSum(Law):
    """A law that is a sum of powers; a subclass states ``terms`` and ``source``.

    ``terms`` maps each factor to the columns it multiplies, with their exponents:
    a name, "-name" for one that grows, or a number. Terms named in ``minus`` are
    subtracted. With ``group="column"`` exponents are shared by all groups and every
    group has its own factors (named ``A[label]``), except those in ``share``.

    Examples
    --------
    >>> class Streams(PowerSum):
    ...     terms = {"E": {}, "A": {"N": "alpha", "P": "kappa"}}
    >>> Streams().formula
    'L = E + A N^-alpha P^-kappa'
    """

    group: str | None = None
    share: tuple[str, ...] = ()
    levels: tuple = ()

    terms: ClassVar[Mapping[str, Exponents]] = {}
    minus: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self):
        if unknown := sorted(set(self.share) - set(self.terms)):
            may = f"share may name {', '.join(self.terms)} (exponents always are)"
            raise ValueError(f"{may}, got {unknown}")

    @property
    def formula(self):
        text = ""
        for name, exponents in self.terms.items():
            text += " - " if name in self.minus else " + " * bool(text)
            text += " ".join([name, *(_power(x, e) for x, e in exponents.items())])
        return f"{self.target} = {text}"

    @property
    def units(self):
        out = dict.fromkeys(self.nonlinear, "1")
        for name, exponents in self.terms.items():
            inverse = (_power(x, e, "", "-") for x, e in exponents.items())
            out[name] = " ".join(["of L", *inverse])
        return out

    @cached_property
    def _columns(self):
        return tuple(dict.fromkeys(x for e in self.terms.values() for x in e))

    @property
    def variables(self):
        return self._columns + ((self.group,) if self.group else ())

    @property
    def scaled(self):
        return self._columns

    @property
    def positive(self):
        powers = [pair for e in self.terms.values() for pair in e.items()]
        return tuple(dict.fromkeys(x for x, e in powers if isinstance(e, str)))

    def names(self, letter: str) -> tuple[str, ...]:
        """Return the parameters of one term: one, or one for every group."""
        if self.group is None or letter in self.share:
            return (letter,)
        return tuple(f"{letter}[{level}]" for level in self.levels)

    def of_group(self, params: Mapping[str, float], label: Any) -> dict[str, float]:
        """Return the parameters of one group under their bare letters; None: no groups.

        >>> law = PowerSum(group="optimiser", levels=("adam",))
        >>> law.of_group({"A[adam]": 2.0, "alpha": 0.5}, "adam")
        {'A': 2.0, 'alpha': 0.5}
        """
        ending = f"[{label}]"
        named = {name.removesuffix(ending): value for name, value in params.items()}
        return {name: value for name, value in named.items() if "[" not in name}

    @cached_property
    def linear(self):
        return tuple(name for letter in self.terms for name in self.names(letter))

    @cached_property
    def nonlinear(self):
        every = [e for exponents in self.terms.values() for e in exponents.values()]
        return tuple(dict.fromkeys(signed(e)[1] for e in every if isinstance(e, str)))

    @property
    def powers(self):
        pairs = [(self.names(letter), e) for letter, e in self.terms.items() if e]
        return {name: e for names, e in pairs for name in names}

    def resolved(self, data):
        if self.group is None or self.levels:
            return self
        return replace(self, levels=tuple(np.unique(data[self.group]).tolist()))

    def prepare(self, data, scale):
        everyone = np.ones((1, len(data[self._columns[0]])))
        member = everyone
        if self.group is not None:
            member = one_hot(np.asarray(data[self.group]), self.levels)
        terms, first = {}, 0
        for letter, exponents in self.terms.items():
            constant = everyone if letter in self.share else member
            constant = -constant if letter in self.minus else constant
            logs = []
            for x, e in exponents.items():
                column = data[x] / scale[x]
                if isinstance(e, str):
                    sign, name = signed(e)
                    logs.append((self.nonlinear.index(name), sign * np.log(column)))
                else:
                    constant = constant * column**-e
            last = first + len(constant)
            terms[letter] = Term(slice(first, last), logs, constant)
            first = last
        return terms

    def basis(self, theta, prep):
        k, n = len(self.linear), len(next(iter(prep.values())).constant[0])
        phi = np.empty((len(theta), k, n))
        for rows, logs, constant in prep.values():
            phi[:, rows] = constant
            if logs:
                power = -reduce(np.add, (theta[:, m : m + 1] * x for m, x in logs))
                phi[:, rows] *= np.exp(power, out=power)[:, None]
        return phi

    def slopes(self, c, theta, phi, prep):
        out = np.zeros((len(theta), theta.shape[1], phi.shape[2]))
        for rows, logs, _ in prep.values():
            if logs:
                value = (c[:, None, rows] @ phi[:, rows])[:, 0]
                for m, x in logs:
                    out[:, m] -= x * value
        return out

    def curvature(self, z, prep, q):
        k, p = len(self.linear), z.shape[1]
        phi, out = self.basis(z[:, k:], prep), np.zeros((len(z), p, p))
        for rows, logs, _ in prep.values():
            part = phi[:, rows]
            value = (z[:, None, rows] @ part)[:, 0]
            for m, x in logs:
                pull = q * x
                cross = (part @ pull[:, :, None])[:, :, 0]
                out[:, rows, k + m] -= cross
                out[:, k + m, rows] -= cross
                for other, y in logs:
                    out[:, k + m, k + other] += (pull * value) @ y
        return out

    def grids(self, prep):
        both = np.concatenate([-EXPONENTS[::-1], [0.0], EXPONENTS])
        return [both if n in self.any_sign else EXPONENTS for n in self.nonlinear]

    def depends(self):
        index = self.nonlinear.index
        return [
            tuple(index(signed(e)[1]) for e in exponents.values() if isinstance(e, str))
            for letter, exponents in self.terms.items()
            for _ in self.names(letter)
        ]


def _power(x: str, e: str | float, minus: str = "-", plus: str = "") -> str:
    """Write ``x^-e``, or its inverse with the signs exchanged.

    >>> _power("N", "alpha"), _power("D", "-beta"), _power("S2", -1.0)
    ('N^-alpha', 'D^beta', 'S2')
    """
    if not isinstance(e, str):
        power = e if plus else -e
        return x if power == 1 else f"{x}^{power:g}"
    sign, name = signed(e)
    return f"{x}^{minus if sign > 0 else plus}{name}"
