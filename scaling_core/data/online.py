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


# size schedule sha256, one learning curve a line
_CURVES = """
100M constant_24000 034a75e2415373a9be1097e9d406f98524344f4718d200d3a188dcbd5115103b
100M constant_72000 52b5752009e1e4c396f15016e98897238fccb3816f58576ea944f03fe529dbc3
100M cosine_24000 dd544dc61a11fa138c98ac0b673d5512287062d2d2d2e9c2867976abc8c46e69
100M cosine_72000 2e637203b48b3e3a84063f49035cde2f6a40c69ecd15d95b6551774b9a279f44
100M wsd_20000_24000 e66df98c85dba705ebc85512c6a09a8ebec5675878a20d4d783c0bf80d031002
100M wsdcon_18 33cfea673dc0efde9e4fd74cc47d8daabdebfdc6d5a2659835bd780347f6e651
100M wsdcon_3 a1cbb8c730ae0628d69bb1d7aefadbad5cda5f6a92272f85203cd33d7b8f4912
100M wsdcon_9 510256497a0ea9d4270919fb37c56140e1b4d07e50b96b46334891ba316f144e
100M wsdld_20000_24000 0ef6b02e260ff5efa51a5885655ead8cf126a7e9c4ea3034d403e11852c06fe2
25M constant_24000 5a7c0b440751e258e7199eeefe9f0ae58520a2f2d64c5f81524d8d375f75f0ce
25M constant_72000 99ee51a9be7b7fb71511d0af28edd6bc6221350d2ad26a66c615467cb5c83247
25M cosine_24000 554e35f9efbe28a614c9ae1121b3bf55490df6b72a5898957f68a52770038e3a
25M cosine_72000 af3b25a485966a0f7fc34824774cf8ec85af14848a6dc7b64d6a8d3d044befa5
25M wsd_20000_24000 8649b7de4b4b31db5c35f4ff0458af9472a50168177de6372c3ceb37ace9fc62
25M wsdcon_18 9b9bd40f519d20ecbf540d4c9451f6a01b7b379b1d335407ba4651025cc5926f
25M wsdcon_3 3d37fcf82c237e5c1ba2ee34c4b9e606ecba781536d4fea9a7dde5463207fc3d
25M wsdcon_9 b7579f38b5e175d9e9dc9b9598b409efdf2cba0a68819857ba28649c242c2bd8
25M wsdld_20000_24000 8e3a9ae33ed586e5040a114fad215f4f245c6a2ff7d96f61cba02ccd8b74b3e7
400M constant_24000 5d91536675592acdc40ea56f71ca24ee9026243e51a0a791ac25b631381c45ee
400M constant_72000 a453ef82f549470cc8250723917668801436dd835fd17bbf71e1fd77d00a3b6c
400M cosine_24000 aa18c9dbad66610d2037249bbcbf08fdce0983aa486b876ba95c2e3fb6fc0dce
400M cosine_72000 347acbdc80042cb7cfe0dcb28580a2780718ccbad23443d4de76821f0a1ab41e
400M wsd_20000_24000 8a56dbd8f6b553b42ca8b3f4be9822cf5b7458a6c1b7ae0ddc6ac57b2893dea7
400M wsdcon_18 998aaf3fd14de43fe754c7250885d7f72e20e7a210b1ea205a8af37ea8b22951
400M wsdcon_3 e1a896755ea1e1a6a4648a503be6a19eb62fc7ef12fbab3440a66f7a94197ac6
400M wsdcon_9 497aa4a60df8f520e11e212a990dcf70e8bfd89e814f295dc5476af630aac768
400M wsdld_20000_24000 7c5d5141d917955491732606e8817e7fdbd4bc2036e508e1610ab8bd252267dc
"""


def _curves() -> Iterable[OnlineFile]:
    for line in _CURVES.strip().splitlines():
        size, schedule, digest = line.split()
        yield OnlineFile(
            f"multipowerlaw/{size}_{schedule}.csv",
            "thu-yao-01-luo/MultiPowerLaw",
            "8da9f1902602f3391b971a811e3cc51604541769",
            f"loss_curve_repo/csv_{size[:-1]}/{schedule}.csv",
            digest,
            "MIT",
        )


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
    *_curves(),
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
