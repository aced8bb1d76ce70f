"""Laws that compete for the same few points, and how to tell them apart.

ParScale's 24 losses (arXiv 2505.10475) in parameters N and streams P, under three
laws with four or five parameters. Chapter: fitting.
"""

from dataclasses import dataclass

import numpy as np

from scaling_core.fitting import Chinchilla, FitResult, Law, ParScale, compare, fit

INF = np.inf


@dataclass(frozen=True)
class PowerStreams(Law):
    """Streams that act like parameters by a power, ``L = E + A N^-alpha P^-kappa``.

    The rival of a logarithm: with P = 1, 2, 4, 8 the two are hard to tell apart.

    >>> law = PowerStreams()
    >>> p = dict(E=1.0, A=2.0, alpha=0.5, kappa=1.0)
    >>> float(law.predict(p, {"N": [4.0], "P": [2.0]})[0])
    1.5
    """

    formula = "L = E + A N^-alpha P^-kappa"
    source = "ours, for comparison"
    units = {"E": "of L", "A": "of L N^alpha", "alpha": "1", "kappa": "1"}
    variables = scaled = positive = ("N", "P")
    linear = ("E", "A")
    nonlinear = ("alpha", "kappa")
    coupled = ("A",)

    @property
    def limits(self):
        return dict.fromkeys(self.parameters, (0.0, INF))

    def prepare(self, data, scale):
        return {name: np.log(data[name] / scale[name]) for name in ("N", "P")}

    def basis(self, theta, prep):
        power = np.exp(-theta[:, :1] * prep["N"] - theta[:, 1:] * prep["P"])
        return np.stack([np.ones_like(power), power], axis=1)

    def slopes(self, c, theta, phi, prep):
        term = c[:, 1:2] * phi[:, 1]
        return np.stack([-prep["N"] * term, -prep["P"] * term], axis=1)

    def grids(self, prep):
        return [np.geomspace(0.02, 2.0, 16), np.geomspace(0.005, 1.0, 16)]

    def depends(self):
        return [(), (0, 1)]

    def _factors(self, theta, scale):
        size = scale["N"] ** theta[:, 0] * scale["P"] ** theta[:, 1]
        return scale["target"] * np.column_stack([np.ones_like(size), size])

    def to_raw(self, z, scale):
        return np.column_stack([z[:, :2] * self._factors(z[:, 2:], scale), z[:, 2:]])

    def from_raw(self, raw, scale):
        factors = self._factors(raw[:, 2:], scale)
        return np.column_stack([raw[:, :2] / factors, raw[:, 2:]])


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
    log_L, out = np.log(data["L"]), []
    middle = np.median(data["N"])
    for name, law in RIVALS.items():
        row = compare([law], data)[0]
        residual = np.log(row.result.predict()) - log_L
        out.append(
            Rival(
                name,
                row.result,
                row.aicc,
                float(1 - residual @ residual / np.sum((log_L - log_L.mean()) ** 2)),
                leave_one_out_error(law, data),
                held_out_error(law, data, data["P"] < 8),
                held_out_error(law, data, data["N"] < middle),
            )
        )
    return out
