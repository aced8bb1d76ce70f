"""The function that `sweep.py` runs: worker processes import it from here."""

import time


def square(x: float, seconds: float = 0.0) -> dict:
    """Return x squared after some seconds in which the processor is free."""
    time.sleep(seconds)
    return {"y": x * x}
