"""Laws that compete for the same few points, and how to tell them apart.

ParScale's 24 losses (arXiv 2505.10475) in parameters N and streams P, under three
laws with four or five parameters. Chapter: fitting.
"""

from dataclasses import dataclass

import numpy as np

from scaling_core.base.slopes import r_squared
from scaling_core.fitting import Chinchilla, FitResult, Law, compare, fit
from studies.fitting.laws import ParScale, PowerStreams


@dataclass(frozen=True)
class Rival:
    """One law's name, its fit, AICc, R squared, and errors on points not fitted.

    ``left_out``, ``most_streams`` and ``largest_models`` are root mean square errors
    of log L: leaving one point out; fitting P < 8 and scoring P = 8; fitting the
    three smaller sizes and scoring the three larger.
    """

    name: str
    result: FitResult
    aicc: float
    r_squared: float
    left_out: float
    most_streams: float
    largest_models: float


RIVALS = {
    "logarithm (paper)": ParScale(),
    "power": PowerStreams(),
    "sum": Chinchilla(),  # its D is P here: L = E + A N^-alpha + B P^-beta
}


def columns(table, column: str) -> dict[str, np.ndarray]:
    """Return N, P, D (= P, for the sum) and L of one corpus."""
    P = table.P.to_numpy(float)
    N = table.N_non_embedding.to_numpy(float)
    return {"N": N, "P": P, "D": P, "L": table[column].to_numpy(float)}


def held_out_error(law: Law, data, fitted: np.ndarray) -> float:
    """Return the root mean square error of log L on the points not fitted."""
    inside = {name: values[fitted] for name, values in data.items()}
    outside = {name: values[~fitted] for name, values in data.items()}
    predicted = fit(law, inside).predict(outside)
    return float(np.sqrt(np.mean(np.log(predicted / outside["L"]) ** 2)))


def leave_one_out_error(law: Law, data) -> float:
    """Return the root mean square error of log L, each point predicted by the rest."""
    n = len(data["L"])
    errors = [held_out_error(law, data, np.arange(n) != i) for i in range(n)]
    return float(np.sqrt(np.mean(np.square(errors))))


def judge_rivals(data) -> list[Rival]:
    """Fit every rival to one corpus and score it four ways."""
    out, parts = [], (data["P"] < 8, data["N"] < np.median(data["N"]))
    for name, law in RIVALS.items():
        row = compare([law], data).iloc[0]
        explained = r_squared(np.log(row.result.predict()), np.log(data["L"]))
        left_out = leave_one_out_error(law, data)
        rest = [held_out_error(law, data, part) for part in parts]
        out.append(Rival(name, row.result, row.aicc, explained, left_out, *rest))
    return out
