"""Functions for sweep tests: worker processes import them from here."""

import os
import signal
import time
from pathlib import Path


def square(x, log=None, wait=0.0):
    """Return x squared; append one line per call to ``log``."""
    time.sleep(wait)
    if log:
        with open(log, "a") as file:
            file.write(f"{x}\n")
    return {"y": x * x, "pid": os.getpid()}


def fail_on_two(x, log=None):
    """Fail for x = 2 while the file ``<log>.fixed`` does not exist."""
    if x == 2 and not Path(f"{log}.fixed").exists():
        raise RuntimeError("two is bad")
    return {"y": x}


def die(x):
    """Kill the process that runs this."""
    os.kill(os.getpid(), signal.SIGKILL)


def clash(x):
    """Return a key that the config has."""
    return {"x": x}


def numpy_result(x):
    """Return numpy values, as measurements do."""
    import numpy as np

    return {"mean": np.float64(x), "curve": np.arange(3)}
