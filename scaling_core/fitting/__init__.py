"""Fitters of scaling laws: numpy and scipy only.

>>> from scaling_core.fitting import fit, PowerLaw
>>> fit(PowerLaw(), {"x": [1, 2, 4, 8], "L": [3, 2, 1.5, 1.25]}).params["E"].__round__(9)
1.0
"""

from .bootstrap import Bootstrap, bootstrap
from .curves import BNSL, SaturatingK, SigmoidLog
from .custom import Custom
from .fit import fit
from .isoflop import (
    Allocation,
    approach2_bias,
    deadweight_loss,
    envelope,
    isoflop,
    simulate_isoflop,
    surface_allocation,
)
from .law import Law
from .laws import Chinchilla, PowerLaw
from .recipes import FloatQuantisation, LRAnnealing, schedule_areas
from .result import FitResult
from .selection import (
    Comparison,
    Extrapolation,
    compare,
    extrapolation_cv,
    log_likelihood,
)
from .sizes import DataConstrained, Kaplan, ParScale
from .uncertainty import band, covariance, interval, profile

__all__ = [
    "BNSL",
    "Allocation",
    "Bootstrap",
    "Chinchilla",
    "Comparison",
    "Custom",
    "DataConstrained",
    "Extrapolation",
    "FitResult",
    "FloatQuantisation",
    "Kaplan",
    "LRAnnealing",
    "Law",
    "ParScale",
    "PowerLaw",
    "SaturatingK",
    "SigmoidLog",
    "approach2_bias",
    "band",
    "bootstrap",
    "compare",
    "covariance",
    "deadweight_loss",
    "envelope",
    "extrapolation_cv",
    "fit",
    "interval",
    "isoflop",
    "log_likelihood",
    "profile",
    "schedule_areas",
    "simulate_isoflop",
    "surface_allocation",
]
