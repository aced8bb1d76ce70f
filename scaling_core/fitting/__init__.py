"""Fitters of scaling laws: numpy and scipy only; a name is imported when it is used.

>>> from scaling_core.fitting import fit, PowerLaw
>>> fit(PowerLaw(), {"x": [1, 2, 4, 8], "L": [3, 2, 1.5, 1.25]}).params["E"].__round__(9)
1.0
"""

from importlib import import_module
from typing import Any

# name -> module: read as it stands by the hash of code, so it stays a literal
_EXPORTS = {
    "BNSL": "broken",
    "Allocation": "compute",
    "Bootstrap": "resampling",
    "Chinchilla": "laws",
    "Custom": "custom",
    "DataConstrained": "families",
    "Extrapolation": "selection",
    "FitResult": "result",
    "Kaplan": "families",
    "Law": "law",
    "PowerLaw": "laws",
    "PowerSum": "powers",
    "SaturatingK": "families",
    "SigmoidLog": "families",
    "StepLaw": "hyperparameters",
    "allocation": "compute",
    "band": "uncertainty",
    "bootstrap": "resampling",
    "compare": "selection",
    "covariance": "uncertainty",
    "extrapolation_cv": "selection",
    "fit": "solve",
    "guess": "solve",
    "interval": "uncertainty",
    "isoflop": "compute",
    "log_likelihood": "selection",
    "lowest_point": "hyperparameters",
    "profile": "uncertainty",
}


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_EXPORTS[name]}"), name)


def __dir__() -> list[str]:
    return list(_EXPORTS)
