"""The configs of a sweep as tasks of a Ray cluster: its own, or one that runs."""

import logging
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

from scaling_core.base.cluster import ADDRESS, GPUS, check_cluster
from scaling_core.base.errors import ForeseenError
from scaling_core.training.worker import answer

POLL_SECONDS = 0.2


class ClusterError(ForeseenError):
    """A cluster cannot run a sweep; the message says why."""


class RayTasks:
    """Tasks on a Ray cluster, a processor each; the driver alone writes the store.

    The cluster is that of ``RAY_ADDRESS`` (``HOST:PORT`` or ``auto``), else a new one on
    this machine; ``SCALING_RAY_GPUS`` are reserved for each config. Worker processes
    are the sweep's own, since what they import must be fresh; they find modules where
    this process does, and see its ``SCALING_`` variables.

    Raises
    ------
    UsageError
        Where `check_cluster` raises it.
    ClusterError
        If no node has as many GPUs as a config asks for.
    """

    def __init__(self, fn_id: str):
        address = os.environ.get(ADDRESS, "")
        gpus = check_cluster(address, os.environ.get(GPUS) or 0)
        # what Ray will do by default: a task that asks for no GPU sees them all
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray  # pyright: ignore[reportMissingImports]  # in the extra `cluster`

        if not ray.is_initialized():
            own: dict[str, Any] = {} if address else {"include_dashboard": False}
            try:
                ray.init(log_to_driver=False, logging_level=logging.ERROR, **own)
            except ConnectionError as error:
                raise ClusterError(f"no cluster at {address!r}: {error}") from error
        self.ray, self.fn_id, self.gpus = ray, fn_id, gpus
        most = max(node["Resources"].get("GPU", 0) for node in ray.nodes())
        if gpus > most:
            raise ClusterError(
                f"a config asks for {gpus:g} GPUs; no node of the cluster has more "
                f"than {most:g}"
            )
        self.task = ray.remote(
            num_gpus=gpus,
            max_retries=0,  # the store counts deaths, as for local processes
            runtime_env={"env_vars": _environment()},
        )(answer)
        self.keys: dict = {}

    def has_room(self) -> bool:
        has = self.ray.cluster_resources()
        slots = has.get("CPU", 1)
        if self.gpus:
            slots = min(slots, has.get("GPU", 0) / self.gpus)
        return len(self.keys) < 2 * slots

    def start(self, key: str, config: str) -> None:
        self.keys[self.task.remote(self.fn_id, config)] = key

    def collect(self) -> Iterator[tuple[str, dict | None]]:
        """Yield what ended within a moment; None for a config whose process died."""
        errors = self.ray.exceptions
        ready, _ = self.ray.wait(list(self.keys), timeout=POLL_SECONDS)
        for reference in ready:
            key, outcome = self.keys.pop(reference), None
            try:
                outcome = self.ray.get(reference)
            except (errors.RayTaskError, errors.RuntimeEnvSetupError) as error:
                outcome = {"refused": f"a node could not start a config: {error}"}
            except errors.RayError:  # its process or node died
                pass
            yield key, outcome

    def close(self) -> None:
        for reference in self.keys:
            self.ray.cancel(reference, force=True)


def _environment() -> dict[str, str]:
    """Return variables for worker processes; no other sweep's workers have them."""
    ours = {k: v for k, v in os.environ.items() if k.startswith("SCALING_")}
    path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
    return ours | {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": path,
        "SCALING_SWEEP": f"{os.getpid()}:{time.time_ns()}",
    }
