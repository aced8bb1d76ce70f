"""Kernels that nobody else can reach, and whose complaints go to a file."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import zmq
from jupyter_client.manager import AsyncKernelManager
from traitlets import Unicode

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "JUPYTER_PLATFORM_DIRS": "1",  # else a warning for each kernel
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # else the debugger warns
}
QUIET = "c = get_config()\nc.IPKernelApp.log_level = 50\n"
LONGEST = 60  # a socket's path may hold some 100 characters


class LoggedKernel(AsyncKernelManager):
    """A kernel that writes to a file what it and its children would print."""

    log_file = Unicode(os.devnull, config=True)

    async def start_kernel(self, **options):
        """Start the kernel with its output joined to the file."""
        with open(self.log_file, "a") as log:
            await super().start_kernel(stdout=log, stderr=log, **options)


def set_environment(ipython: Path) -> None:
    """Set what every kernel sees; an inherited MPLBACKEND would hide all figures."""
    os.environ.pop("MPLBACKEND", None)
    os.environ.update(ENVIRONMENT)
    os.environ["IPYTHONDIR"] = str(ipython)
    profile = ipython / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text(QUIET)


@contextlib.contextmanager
def private_sockets() -> Iterator[dict[str, str]]:
    """Give the settings of a kernel that talks over sockets in a private folder.

    TCP ports are found free first and taken later, so that two kernels which start at
    once may take the same one; a file in a folder of its own is nobody else's.
    """
    base = None if len(tempfile.gettempdir()) <= LONGEST else "/tmp"
    with tempfile.TemporaryDirectory(prefix="scaling-", dir=base) as folder:
        transport = "ipc" if zmq.has("ipc") else "tcp"  # Windows lacks it
        yield {"transport": transport, "connection_file": f"{folder}/kernel.json"}
