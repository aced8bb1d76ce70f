"""Functions for sweep tests: worker processes import them from here."""

import fcntl
import os
import signal
import sys
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


def no_dict(x):
    """Return what is no result: the config's value itself, or leave."""
    return sys.exit("bye") if x == "leave" else x


def numpy_result(x):
    """Return numpy values, as measurements do."""
    import numpy as np

    return {"mean": np.float64(x), "curve": np.arange(3)}


def talk(x):
    """Write to standard output and read standard input, as no worker's answer may."""
    print("noise")
    return {"y": x}


def signal_sweep(x, log, number):
    """Send the sweep a signal and wait for the end, the first three times."""
    with open(log, "a") as file:
        file.write("called\n")
    if len(Path(log).read_text().split()) <= 3:
        os.kill(os.getppid(), number)
        time.sleep(600)
    return {"y": x}


def hold(x, log):
    """Hold a lock on ``log`` for as long as this process lives."""
    with open(log, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("held\n")
        file.flush()
        time.sleep(600)


def outlive(x, log, doomed):
    """Return x squared; as a child of the process ``doomed`` wait for the end."""
    with open(log, "a") as file:
        file.write(f"{x}:{os.getppid()}\n")
    if os.getppid() == doomed:
        time.sleep(600)
    return {"y": x * x, "squares": [x * x] * 3, "name": str(x)}


def visible_gpus(x):
    """Return which GPUs this process may see, and the sweep's settings."""
    return {"gpus": os.environ.get("CUDA_VISIBLE_DEVICES"), "pid": os.getpid()}
