"""The two laws everyone starts from: a power law with a floor, and Chinchilla.

Shapes: B fits at once, k linear and q nonlinear parameters, n points.
``prep`` holds logarithms of the columns divided by their geometric mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .law import Law, one_hot

INF = np.inf
ONE_PATH = 0.99  # squared correlation of log N and log D above which terms may swap
EXPONENTS = np.concatenate(
    [np.geomspace(0.02, 0.2, 6)[:-1], np.geomspace(0.2, 2.5, 15)]
)


@dataclass(frozen=True)
class PowerLaw(Law):
    """Power law with or without a floor, ``L = E + A x^-alpha``.

    ``floor=False`` drops E; alpha may then be negative (a growing quantity).
    Source: arXiv 1712.00409, section 3 (learning curves). Chapter: fitting.

    Examples
    --------
    >>> import numpy as np
    >>> from scaling_core.fitting import fit
    >>> x = np.geomspace(1, 1e4, 12)
    >>> result = fit(PowerLaw(), {"x": x, "L": 1.7 + 5 * x**-0.3})
    >>> round(result.params["alpha"], 9)
    0.3
    """

    floor: bool = True
    x: str = "x"

    source = "arXiv 1712.00409, section 3"
    units = {"E": "of L", "A": "of L x^alpha", "alpha": "1"}
    coupled = ("A",)

    @property
    def formula(self):
        return "L = E + A x^-alpha" if self.floor else "L = A x^-alpha"

    @property
    def variables(self):
        return (self.x,)

    @property
    def scaled(self):
        return (self.x,)

    @property
    def positive(self):
        return (self.x,)

    @property
    def linear(self):
        return ("E", "A") if self.floor else ("A",)

    @property
    def nonlinear(self):
        return ("alpha",)

    @property
    def limits(self):
        low = 0.0 if self.floor else -INF
        return {"E": (0.0, INF), "A": (0.0, INF), "alpha": (low, INF)}

    def prepare(self, data, scale):
        return {"u": np.log(data[self.x] / scale[self.x])}

    def basis(self, theta, prep):
        power = np.exp(-theta[:, :1] * prep["u"])
        return (
            np.stack([np.ones_like(power), power], 1) if self.floor else power[:, None]
        )

    def slopes(self, c, theta, phi, prep):
        return (-c[:, -1:] * prep["u"] * phi[:, -1])[:, None]

    def curvature(self, z, prep, q):
        u, k = prep["u"], len(self.linear)
        weighted = q * u * np.exp(-z[:, -1:] * u)
        out = np.zeros((len(z), k + 1, k + 1))
        out[:, k - 1, k] = out[:, k, k - 1] = -weighted.sum(-1)
        out[:, k, k] = z[:, k - 1] * (weighted @ u)
        return out

    def grids(self, prep):
        return [
            EXPONENTS
            if self.floor
            else np.concatenate([-EXPONENTS[::-1], [0.0], EXPONENTS])
        ]

    def depends(self):
        return [(), (0,)] if self.floor else [(0,)]

    def to_raw(self, z, scale):
        raw = z * scale["target"]
        raw[:, -1] = z[:, -1]
        raw[:, -2] *= scale[self.x] ** z[:, -1]
        return raw

    def from_raw(self, raw, scale):
        z = raw / scale["target"]
        z[:, -1] = raw[:, -1]
        z[:, -2] /= scale[self.x] ** raw[:, -1]
        return z


@dataclass(frozen=True)
class Chinchilla(Law):
    """Loss in parameters N and tokens D, ``L = E + A N^-alpha + B D^-beta``.

    With ``group="column"`` the exponents are shared by all groups and every
    group has its own E, A and B (named ``E[label]``), except those listed in
    ``share``. Source: arXiv 2203.15556, eq. 10. Chapter: fitting.

    Examples
    --------
    >>> import numpy as np
    >>> from scaling_core.fitting import fit
    >>> N, D = (g.ravel() for g in np.meshgrid(np.geomspace(1e8, 1e10, 5), np.geomspace(1e9, 1e11, 5)))
    >>> L = 1.69 + 406.4 * N**-0.34 + 410.7 * D**-0.28
    >>> result = fit(Chinchilla(), {"N": N, "D": D, "L": L})
    >>> round(result.params["alpha"], 6), result.status
    (0.34, 'converged')
    """

    group: str | None = None
    share: tuple[str, ...] = ()
    levels: tuple = ()

    formula = "L = E + A N^-alpha + B D^-beta"
    source = "arXiv 2203.15556, eq. 10"
    units = {
        "E": "of L",
        "A": "of L N^alpha",
        "B": "of L D^beta",
        "alpha": "1",
        "beta": "1",
    }
    scaled = positive = ("N", "D")

    def __post_init__(self):
        if unknown := set(self.share) - {"E", "A", "B"}:
            raise ValueError(
                f"share may name E, A and B (exponents always are), got {sorted(unknown)}"
            )

    @property
    def variables(self):
        return ("N", "D") + ((self.group,) if self.group else ())

    def _names(self, letter):
        if self.group is None or letter in self.share:
            return (letter,)
        return tuple(f"{letter}[{level}]" for level in self.levels)

    @property
    def linear(self):
        return sum((self._names(letter) for letter in "EAB"), ())

    @property
    def nonlinear(self):
        return ("alpha", "beta")

    @property
    def coupled(self):
        return self._names("A") + self._names("B")

    @property
    def limits(self):
        return dict.fromkeys(self.parameters, (0.0, INF))

    def resolved(self, data):
        if self.group is None or self.levels:
            return self
        return replace(self, levels=tuple(np.unique(data[self.group]).tolist()))

    def prepare(self, data, scale):
        prep = {
            "u": np.log(data["N"] / scale["N"]),
            "v": np.log(data["D"] / scale["D"]),
        }
        if self.group is not None:
            member = one_hot(np.asarray(data[self.group]), self.levels)
            everyone = np.ones((1, len(prep["u"])))
            prep["member"] = [
                everyone if letter in self.share else member for letter in "EAB"
            ]
        return prep

    def basis(self, theta, prep):
        phi = np.empty((len(theta), 3, len(prep["u"])))
        phi[:, 0] = 1.0
        np.exp(-theta[:, :1] * prep["u"], out=phi[:, 1])
        np.exp(-theta[:, 1:] * prep["v"], out=phi[:, 2])
        if self.group is None:
            return phi
        return np.concatenate(
            [phi[:, [j]] * m for j, m in enumerate(prep["member"])], axis=1
        )

    def _coefficients(self, c, prep):
        """Return A and B of every point, each (B, 1) or (B, n)."""
        if self.group is None:
            return c[:, 1:2], c[:, 2:3]
        e, a, b = (len(m) for m in prep["member"])
        _, of_a, of_b = prep["member"]
        return c[:, e : e + a] @ of_a, c[:, e + a : e + a + b] @ of_b

    def slopes(self, c, theta, phi, prep):
        k = phi.shape[1]
        out = np.empty((len(theta), 2, phi.shape[2]))
        if self.group is None:
            np.multiply(phi[:, 1], prep["u"] * -c[:, 1:2], out=out[:, 0])
            np.multiply(phi[:, 2], prep["v"] * -c[:, 2:3], out=out[:, 1])
            return out
        e, a, _ = (len(m) for m in prep["member"])
        out[:, 0] = -prep["u"] * (c[:, None, e : e + a] @ phi[:, e : e + a])[:, 0]
        out[:, 1] = -prep["v"] * (c[:, None, e + a : k] @ phi[:, e + a : k])[:, 0]
        return out

    def curvature(self, z, prep, q):
        k = z.shape[1] - 2
        c, theta = z[:, :k], z[:, k:]
        out = np.zeros((len(z), k + 2, k + 2))
        first = 1 if self.group is None else len(prep["member"][0])
        for m, (name, of) in enumerate(zip("uv", self._coefficients(c, prep))):
            x = prep[name]
            weighted = q * x * np.exp(-theta[:, m : m + 1] * x)
            members = (
                np.ones((1, len(x))) if self.group is None else prep["member"][m + 1]
            )
            last = first + len(members)
            out[:, first:last, k + m] = out[:, k + m, first:last] = -(
                weighted @ members.T
            )
            out[:, k + m, k + m] = (weighted * of) @ x
            first = last
        return out

    def grids(self, prep):
        return [EXPONENTS, EXPONENTS]

    def depends(self):
        dims = {"E": (), "A": (0,), "B": (1,)}
        return [dims[name[0]] for name in self.linear]

    def rivals(self, z, prep):
        """Return the optimum with the terms of N and D exchanged, where D is a power of N.

        With ``D = k N^p`` the surface with alpha' = p beta, beta' = alpha / p meets the
        same losses, so that runs along one ratio D/N cannot tell the two apart.
        """
        u, v = prep["u"], prep["v"]
        e, a, b = (len(self._names(letter)) for letter in "EAB")
        nothing = np.empty((0, len(z)))
        if a != b or np.ptp(u) == 0 or np.ptp(v) == 0:
            return nothing
        p, c = np.polyfit(u, v, 1)
        if np.corrcoef(u, v)[0, 1] ** 2 < ONE_PATH or p <= 0:
            return nothing
        E, A, B, (alpha, beta) = np.split(z, [e, e + a, e + a + b])
        A, B = B * np.exp(-c * beta), A * np.exp(c * alpha / p)
        return np.concatenate([E, A, B, [p * beta, alpha / p]])[None]

    def _factors(self, exponents, scale):
        """Return what multiplies the internal linear coordinates, (B, k)."""
        sizes = [len(self._names(letter)) for letter in "EAB"]
        factor = np.full((len(exponents), 3), scale["target"])
        factor[:, 1] *= scale["N"] ** exponents[:, 0]
        factor[:, 2] *= scale["D"] ** exponents[:, 1]
        return np.repeat(factor, sizes, axis=1)

    def to_raw(self, z, scale):
        return np.concatenate(
            [z[:, :-2] * self._factors(z[:, -2:], scale), z[:, -2:]], axis=1
        )

    def from_raw(self, raw, scale):
        return np.concatenate(
            [raw[:, :-2] / self._factors(raw[:, -2:], scale), raw[:, -2:]], axis=1
        )

    def derived(self, params):
        """Return a, b and G of ``N* = G (C/6)^a``, ``D* = (C/6)^b / G``.

        Examples
        --------
        >>> d = Chinchilla().derived(dict(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28))
        >>> round(d["a"], 3), round(d["G"], 2)
        (0.452, 1.34)
        """
        alpha, beta = params["alpha"], params["beta"]
        total = alpha + beta
        out = {"a": beta / total, "b": alpha / total}
        if "A" in params and "B" in params:
            ratio = (
                alpha * params["A"] / (beta * params["B"])
                if beta * params["B"]
                else INF
            )
            out["G"] = ratio ** (1 / total)
        return out

    def optimum(self, params, C, flops_per_token_parameter=6.0):
        """Return N*, D*, D*/N* and the loss of the best split of C FLOPs.

        Examples
        --------
        >>> law = Chinchilla()
        >>> best = law.optimum(dict(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28), C=5.76e23)
        >>> round(best["N"] / 1e9), round(best["D"] / best["N"])
        (32, 93)
        """
        d, budget = (
            self.derived(params),
            np.asarray(C, dtype=float) / flops_per_token_parameter,
        )
        N, D = d["G"] * budget ** d["a"], budget ** d["b"] / d["G"]
        loss = (
            params["E"]
            + params["A"] * N ** -params["alpha"]
            + params["B"] * D ** -params["beta"]
        )
        return {"N": N, "D": D, "D/N": D / N, "L": loss}
