"""Optional public data: where it is, what it must be, and how to have it.

The book contains none of these files. ``scaling fetch`` downloads them to
``SCALING_DATA`` (default: a cache folder); a folder that already holds them
under these names serves as well. A file whose hash differs is refused. Files
without a stated licence are for your own use, not for passing on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from scaling_core.base.files import sha256_of
from scaling_core.base.inputs import note_input, optional_folder
from scaling_core.base.progress import progress


@dataclass(frozen=True)
class OnlineFile:
    """One file of a public repository at one commit."""

    name: str
    repository: str
    commit: str
    path: str
    sha256: str
    licence: str = "none stated"

    @property
    def url(self) -> str:
        """Address of exactly these bytes."""
        return f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{self.path}"


class DownloadError(RuntimeError):
    """A file could not be had, or is not what the registry says."""


_FILES = (
    OnlineFile(
        "epoch_chinchilla.csv",
        "epoch-research/analyzing-chinchilla",
        "92258837425e1b5f2851d624287f0120583a3d0e",
        "data/svg_extracted_data.csv",
        "193478df4e90f040016431996c45682659306840ecdadf83cfb9cd5ca0aa1b30",
    ),
    OnlineFile(
        "isoflops.csv",
        "Open-Athena/scaling-law-analysis",
        "3e0656ee3dce1a2c89aa67691920f5eb9d30f0fc",
        "data/isoflops/transform/isoflops.csv",
        "b04d611253611490c5cc339fb95cb28d4f38f279a97438cb804a80f03171caa0",
    ),
    OnlineFile(
        "steplaw_dense.csv",
        "step-law/steplaw",
        "32a8f4cc50247695fb56cc6c9117abdf67c97763",
        "data/dense_lr_bs_loss.csv",
        "9e46181076c04d450294d75dfe6f72adc416e231e154a07b337e378f9410002c",
    ),
)
REGISTRY: dict[str, OnlineFile] = {file.name: file for file in _FILES}


def _known(name: str) -> OnlineFile:
    if name not in REGISTRY:
        raise ValueError(f"no optional file {name!r}; there are: {', '.join(REGISTRY)}")
    return REGISTRY[name]


def locate(name: str) -> Path | None:
    """Return the path of an optional file, or None where it is absent.

    The file, or its absence, counts as an input of the run.

    Raises
    ------
    ValueError
        If the registry has no such name.
    DownloadError
        If a file of that name is there but its hash is not the registry's.

    >>> locate("nothing.csv")
    Traceback (most recent call last):
    ...
    ValueError: no optional file 'nothing.csv'; there are: epoch_chinchilla.csv, ...
    """
    file = _known(name)
    path = optional_folder() / name
    note_input(path)
    if not path.is_file():
        return None
    check(path, file)
    return path


def check(path: Path, file: OnlineFile) -> None:
    """Raise DownloadError unless the bytes at ``path`` are the registry's."""
    found = sha256_of(path)
    if found != file.sha256:
        raise DownloadError(
            f"{path} is not {file.name} of {file.repository} at {file.commit[:10]}: "
            f"its SHA-256 starts {found[:12]}, expected {file.sha256[:12]}; remove it and fetch again"
        )


def chinchilla_points(*, left_out: int = 5) -> dict[str, np.ndarray] | None:
    """Return Epoch's points of Chinchilla's Figure 4 as columns N, D, L; None if absent.

    D = FLOP / (6 N); the five largest losses are left out as there, which leaves
    240 of 245. Source: arXiv 2404.10102, data of its repository.
    """
    path = locate("epoch_chinchilla.csv")
    if path is None:
        return None
    table = pd.read_csv(path).sort_values("loss", kind="stable")
    table = table.iloc[: len(table) - left_out].sort_index()
    N, C, L = table[["Model Size", "Training FLOP", "loss"]].to_numpy(float).T
    return {"N": N, "D": C / (6 * N), "L": L}


def fetch(names: Iterable[str] | None = None, *, tries: int = 3) -> list[Path]:
    """Download optional files that are not there yet and return all their paths.

    A file appears under its name when it is whole and its hash is right; an
    interrupted download starts again.

    Raises
    ------
    DownloadError
        If there is no network, the server refuses, or the bytes are wrong.
    """
    import pooch  # only the extras that download bring it

    pooch.get_logger().setLevel("WARNING")
    files = [_known(name) for name in (REGISTRY if names is None else names)]
    store = pooch.create(
        path=optional_folder(),
        base_url="",
        registry={file.name: f"sha256:{file.sha256}" for file in files},
        urls={file.name: file.url for file in files},
        retry_if_failed=tries - 1,
    )
    for file in progress(files, desc="fetch"):
        path = optional_folder() / file.name
        if path.is_file():
            check(path, file)
            continue
        try:
            store.fetch(file.name)
        except (OSError, ValueError) as error:  # no network, refusal; wrong bytes
            raise DownloadError(
                f"could not download {file.name} from {file.url}: {error}. Offline? "
                f"Copy the file to {path} by other means, or set SCALING_DATA to a "
                "folder that holds it"
            ) from error
    return [optional_folder() / file.name for file in files]
