"""Where a Ray cluster is, and how much of it a config takes: checked before use."""

import contextlib
import math
import socket
from importlib.util import find_spec

from scaling_core.base.errors import UsageError

ADDRESS, GPUS = "RAY_ADDRESS", "SCALING_RAY_GPUS"  # of the environment
ANSWER_SECONDS = 3.0


def check_cluster(address: str = "", gpus: str | float = 0.0) -> float:
    """Return the GPUs per config, if all is well; connects to ``address`` once.

    Ray itself would wait for minutes where nobody answers.

    Raises
    ------
    UsageError
        If Ray is not installed, the address is neither ``HOST:PORT`` nor ``auto``,
        nobody answers there, or the GPUs are neither a whole number nor below 1.

    Examples
    --------
    >>> check_cluster("head")
    Traceback (most recent call last):
    scaling_core.base.errors.UsageError: RAY_ADDRESS 'head'; allowed: HOST:PORT, auto
    """
    if address not in ("", "auto"):
        _reach(address)
    try:
        number = float(gpus)
    except ValueError:
        number = math.nan
    if not (0 <= number < 1 or (number >= 1 and number.is_integer())):
        raise UsageError(
            f"{gpus} GPUs per config; allowed: whole numbers, or parts as 0.5"
        )
    if find_spec("ray") is None:
        raise UsageError("Ray is not installed; it comes with the extra `cluster`")
    return number


def _reach(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not (host and port.isdigit() and "/" not in host):
        raise UsageError(f"{ADDRESS} {address!r}; allowed: HOST:PORT, auto")
    try:
        with contextlib.closing(
            socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS)
        ):
            return
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"no Ray cluster answers at {address} ({error}); start one there with "
            f"`ray start --head --port={port}`"
        ) from error
