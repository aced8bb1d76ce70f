"""The kernels of nbval talk over private sockets, as those of `scaling run` do."""

import contextlib

import nbval.kernel
from jupyter_client.manager import KernelManager

from scaling_book.kernels import private_sockets


def pytest_configure(config):
    """Give nbval a kernel manager with sockets in a folder of its own."""
    folders = contextlib.ExitStack()
    config.add_cleanup(folders.close)

    def manager(**options):
        return KernelManager(**folders.enter_context(private_sockets()), **options)

    nbval.kernel.KernelManager = manager
