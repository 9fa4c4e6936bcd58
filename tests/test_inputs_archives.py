"""The official image archives, written here exactly as they are, and pickles that attack."""

import hashlib
import io
import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from harness.core.errors import DataError, HarnessError
from harness.inputs.image_sets import _read, find, read_image_set
from harness.inputs.inventory import obtain
from harness.inputs.making import make_image_set
from harness.sources import image_archives
from harness.sources.unpickle import load_plain

SIDE = 32


def _images(n: int, seed: int, side: int = SIDE) -> np.ndarray:
    """N×3×side×side bytes, as both formats store them."""
    return np.random.default_rng(seed).integers(256, size=(n, 3, side, side), dtype=np.uint8)


def _tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def _binary(images: np.ndarray, *labels: list[int]) -> bytes:
    rows = zip(*labels, images, strict=True)
    return b"".join(bytes(row[:-1]) + row[-1].tobytes() for row in rows)


def _python2_pickle(batch: dict[str, object]) -> bytes:
    """A protocol-2 pickle with the names that Python 2's numpy wrote."""
    content = pickle.dumps(batch, protocol=2)
    return content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def _check(found: image_archives.Images, images: np.ndarray, labels: list[int]) -> None:
    np.testing.assert_array_equal(found[0], images.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(found[1], labels)
    assert (found[0].dtype, found[1].dtype) == (np.uint8, np.int64)


def test_svhn_counts_its_zeros_as_tens(tmp_path: Path) -> None:
    images, labels = _images(5, seed=7), [10, 1, 9, 10, 3]
    path = tmp_path / "train_32x32.mat"
    stored = {"X": images.transpose(2, 3, 1, 0), "y": np.array(labels, np.uint8)[:, None]}
    savemat(path, stored, do_compression=True)  # version 5, as the published files
    _check(image_archives.svhn(path), images, [0, 1, 9, 0, 3])
    savemat(path, stored | {"y": np.zeros((4, 1), np.uint8)})
    with pytest.raises(DataError, match=r"\(32, 32, 3, 5\) and 4 labels"):
        image_archives.svhn(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match="cannot be read as a MATLAB file of SVHN"):
        image_archives.svhn(path)


@pytest.fixture
def fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Serves ``tmp_path/<source name>`` and keeps image sets in ``tmp_path/data``."""
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)
    return lambda name: tmp_path / name


CIFAR10_PARTS = [(_images(2, i), [i, 9 - i]) for i in range(1, 6)]


def test_cifar10_from_either_format(fetch: Callable[[str], Path], tmp_path: Path) -> None:
    _tar(
        tmp_path / "cifar10_binary",
        {
            f"cifar-10-batches-bin/data_batch_{i}.bin": _binary(images, labels)
            for i, (images, labels) in enumerate(CIFAR10_PARTS, 1)
        },
    )
    _tar(
        tmp_path / "cifar10_python",
        {
            f"cifar-10-batches-py/data_batch_{i}": _python2_pickle(
                {"data": images.reshape(2, -1), "labels": labels, "batch_label": "a batch"}
            )
            for i, (images, labels) in enumerate(CIFAR10_PARTS, 1)
        },
    )
    images = np.concatenate([images for images, _ in CIFAR10_PARTS])
    labels = [label for _, part in CIFAR10_PARTS for label in part]
    for source in ("", "cifar10_python"):
        path = make_image_set(find("cifar10_train"), fetch, archive=source)
        assert path == tmp_path / "data/images/cifar10_train.npz"
        content = read_image_set("cifar10_train")
        assert content.labels is not None
        _check((content.images, content.labels), images, labels)
        path.unlink()
    assert list((tmp_path / "data/images").iterdir()) == []


@pytest.mark.parametrize("part", ["train", "test"])
def test_cifar100_takes_the_fine_label(
    fetch: Callable[[str], Path], tmp_path: Path, part: str
) -> None:
    images, coarse, fine = _images(3, 0), [19, 0, 7], [99, 0, 42]
    member = f"cifar-100-binary/{part}.bin"
    binary = _tar(tmp_path / "cifar100_binary", {member: _binary(images, coarse, fine)})
    batch = {"data": images.reshape(3, -1), "fine_labels": fine, "coarse_labels": coarse}
    _tar(tmp_path / "cifar100_python", {f"cifar-100-python/{part}": _python2_pickle(batch)})
    _check(image_archives.cifar_binary(binary, [member], 2), images, fine)
    for source in ("", "cifar100_python"):
        make_image_set(find(f"cifar100_{part}"), fetch, archive=source)
        content = read_image_set(f"cifar100_{part}")
        assert content.labels is not None
        _check((content.images, content.labels), images, fine)


def test_imagenet16_keeps_classes_1_to_120(fetch: Callable[[str], Path], tmp_path: Path) -> None:
    kept_images, kept_labels = [], []
    for i in range(1, 11):
        images, labels = _images(4, i, 16), [i, 120, 121, 1000]
        batch = {"data": images.reshape(4, -1), "labels": labels, "mean": np.zeros(768)}
        (tmp_path / f"imagenet16_train_{i}").write_bytes(pickle.dumps(batch))
        kept_images.append(images[:2])
        kept_labels += [i - 1, 119]
    make_image_set(find("imagenet16_120_train"), fetch)
    content = read_image_set("imagenet16_120_train")
    assert content.labels is not None
    _check((content.images, content.labels), np.concatenate(kept_images), kept_labels)


class Attack:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_runs_code_is_refused(tmp_path: Path, protocol: int) -> None:
    victim = tmp_path / "victim"
    batch = {"data": np.zeros((1, 3072), np.uint8), "labels": [0], "x": Attack(f"touch {victim}")}
    content = pickle.dumps(batch, protocol=protocol)
    archive = _tar(tmp_path / "a.tar.gz", {"batch": content})
    with pytest.raises(DataError, match=r"refused: it names .*malicious"):
        image_archives.cifar_python(archive, ["batch"], "labels")
    assert not victim.exists()
    pickle.loads(content)  # the attack is a real one
    assert victim.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cbuiltins\neval\n(V1+1\ntR.",
        b"cnumpy\nload\n(V/etc/passwd\ntR.",
        b"cnumpy.lib\nformat\n.",
        b"c_codecs\ndecode\n(V1\ntR.",
        b"c_codecs\nencode\n(Vabc\nVhex_codec\ntR.",
        b"cnumpy\nndarray.tofile\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x0cndarray.dump\x93.",
    ],
)
def test_other_names_are_refused_too(content: bytes) -> None:
    with pytest.raises(DataError, match="refused"):
        load_plain(io.BytesIO(content), "it")


@pytest.mark.parametrize("content", [b"", b"text", pickle.dumps([1, 2])[:-3], b"\x80\x09."])
def test_broken_pickles_are_data_errors(content: bytes) -> None:
    with pytest.raises(DataError, match="not a readable pickle"):
        load_plain(io.BytesIO(content), "it")


@pytest.mark.parametrize("protocol", range(5))
def test_plain_data_survives(protocol: int) -> None:
    value = {"a": [1, 2.5, None, True, "é", b"\xff\x00"], "b": (np.arange(6).reshape(2, 3),)}
    found = load_plain(io.BytesIO(pickle.dumps(value, protocol=protocol)), "it")
    assert isinstance(found, dict)
    assert found["a"] == value["a"]
    np.testing.assert_array_equal(found["b"][0], value["b"][0])


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ([1], "no image batch"),
        ({"data": np.zeros((2, 3072), np.uint8)}, "no image batch"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [1]}, "1 labels"),
        ({"data": np.zeros((2, 3071), np.uint8), "labels": [1, 2]}, "3071"),
        ({"data": np.zeros((2, 3072)), "labels": [1, 2]}, "float64"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": ["a", "b"]}, "whole numbers"),
    ],
)
def test_other_batches_are_refused(tmp_path: Path, batch: object, message: str) -> None:
    archive = _tar(tmp_path / "a.tar.gz", {"batch": pickle.dumps(batch, protocol=2)})
    with pytest.raises(DataError, match=message):
        image_archives.cifar_python(archive, ["batch"], "labels")


def test_broken_archives_are_data_errors(tmp_path: Path) -> None:
    whole = _tar(tmp_path / "a.tar.gz", {"x.bin": _binary(_images(2, 0), [1, 2])})
    with pytest.raises(DataError, match=r"y\.bin cannot be read"):
        image_archives.cifar_binary(whole, ["y.bin"], 1)
    with pytest.raises(DataError, match="not a multiple of 3074"):
        image_archives.cifar_binary(whole, ["x.bin"], 2)
    cut = tmp_path / "cut.tar.gz"
    for content in (whole.read_bytes()[:1000], b"", b"text"):
        cut.write_bytes(content)
        with pytest.raises(DataError, match="cannot be read"):
            image_archives.cifar_binary(cut, ["x.bin"], 1)


def test_a_label_out_of_range_makes_no_set(fetch: Callable[[str], Path], tmp_path: Path) -> None:
    _tar(
        tmp_path / "cifar10_binary",
        {"cifar-10-batches-bin/test_batch.bin": _binary(_images(2, 0), [1, 10])},
    )
    with pytest.raises(DataError, match="1 to 10; expected 0 to 9"):
        make_image_set(find("cifar10_test"), fetch)
    assert not (tmp_path / "data").exists()


def test_sets_that_no_archive_makes(fetch: Callable[[str], Path]) -> None:
    with pytest.raises(HarnessError, match="bundled"):
        make_image_set(find("digits_train"), fetch)
    with pytest.raises(HarnessError, match="place it at"):
        make_image_set(find("imagenet_sample_16"), fetch)
    with pytest.raises(HarnessError, match="cannot be made from 'cifar100_python'"):
        make_image_set(find("cifar10_train"), fetch, archive="cifar100_python")


def test_an_image_set_is_compared_with_the_checksum_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_MIRROR", str(tmp_path))
    path = tmp_path / "images/svhn_train_unlabelled.npz"
    path.parent.mkdir()
    np.savez(path, images=np.zeros((4, 32, 32, 3), np.uint8))
    beside = path.with_name("SHA256SUMS")
    beside.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    assert len(read_image_set("svhn_train_unlabelled").images) == 4
    np.savez(path, images=np.ones((5, 32, 32, 3), np.uint8))
    for read in (read_image_set, obtain):
        with pytest.raises(DataError, match=r"is another file: its sha256 is .* is recorded in"):
            read("svhn_train_unlabelled")
    for content in (b"\xff\xfe", b"ab\n"):
        beside.write_bytes(content)
        with pytest.raises(DataError, match="SHA256SUMS cannot be read"):
            obtain("svhn_train_unlabelled")
    beside.write_text(f"{'0' * 64}  others.npz\n")
    assert len(read_image_set("svhn_train_unlabelled").images) == 5


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_no_flipped_bit_of_an_image_set_is_read_as_another_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: Callable[..., None]
) -> None:
    monkeypatch.setenv("HARNESS_MIRROR", str(tmp_path))
    path = tmp_path / "images/svhn_train_unlabelled.npz"
    path.parent.mkdir()
    save(path, images=np.zeros((1, 32, 32, 3), np.uint8))
    whole = path.read_bytes()
    for place in range(min(300, len(whole))):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        _read.cache_clear()
        try:
            assert not read_image_set("svhn_train_unlabelled").images.any()
        except DataError as error:
            assert str(error)[-1] == "."
