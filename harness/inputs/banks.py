"""Image banks: sets of images as ``.npz`` files, what is known about each, and how one is made."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError, HarnessError
from harness.files import atomic
from harness.inputs import archives, digits
from harness.inputs.archives import Images
from harness.inputs.files import checksum, data_folder, mirror_folder
from harness.inputs.folders import read_folder
from harness.registry import Registry
from harness.tasks import RGB

Fetch = Callable[[str], Path]
"""Returns a checked local copy of a recorded outside file: ``harness.truth.fetch``."""


@dataclass(frozen=True)
class Bank:
    """What is known about a bank.

    Attributes:
        name: Its name; the file is ``images/<name>.npz``.
        dataset: The data set that its images belong to; a bank of another data set than the
            task's own is a stand-in.
        side: Height and width of its images.
        classes: How many classes its labels tell apart; None if it has no labels.
        mean: Per-channel mean for normalisation, of pixels from 0 to 1.
        std: Per-channel standard deviation for normalisation.
        origin: Where the images come from, in words.
        sources: The official archives, entries of ``sources.toml``, that ``make`` takes.
        address: Where those are.
        make: Makes images and labels from those files.
        folder: Instead of these, a folder of the user's photographs, below the data folder.
    """

    name: str
    dataset: str
    side: int
    classes: int | None
    mean: RGB
    std: RGB
    origin: str
    sources: tuple[str, ...] = ()
    address: str = ""
    make: Callable[[list[Path]], Images] | None = None
    folder: str = ""


@dataclass(frozen=True)
class Content:
    """A bank's images (uint8 N×H×W×3), labels (int64 N, None if unknown) and checksum."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    sha256: str


banks: Registry[Bank] = Registry("image bank")


def read_bank(name: str) -> Content:
    """Reads a bank from ``HARNESS_MIRROR/images/``, else from ``data/images/``.

    Raises:
        HarnessError: If there is no bank of that name.
        DataError: If its file is missing or broken.
    """
    bank = banks.get(name)
    if bank.dataset == "digits":
        split = digits.train_test_split()
        return Content(
            split.train_images,
            split.train_labels,
            hashlib.sha256(split.train_images.tobytes()).hexdigest(),
        )
    path = _find(bank)
    known = path.stat()
    return _read(name, path.resolve(), (known.st_mtime_ns, known.st_size))


@lru_cache(maxsize=2)
def _read(name: str, path: Path, _stamp: tuple[int, int]) -> Content:
    """Reads a file once, until it changes; a search draws hundreds of batches from it."""
    bank = banks.get(name)
    try:
        with np.load(path, allow_pickle=False) as file:
            images = file["images"]
            labels = file.get("labels")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path} is not a readable image bank ({error}); remove it and make it again."
        ) from error
    _check(bank, path, images, labels)
    for array in (images, labels):
        if array is not None:
            array.flags.writeable = False  # every reader gets the same arrays
    return Content(images, labels, checksum(path))


def make_bank(name: str, fetch: Fetch, *, source: str | None = None) -> Path:
    """Makes a bank from its official archive or folder, at ``data/images/<name>.npz``.

    Args:
        name: Which bank.
        fetch: Gets the archive; pass ``harness.truth.fetch``.
        source: Another archive of the same images, for example ``cifar10_python``.

    Raises:
        HarnessError: If there is no such bank, or no way to make it.
        DataError: If the archive or folder cannot be had or read.
    """
    bank = banks.get(name)
    path = data_folder() / "images" / f"{name}.npz"
    if bank.folder:
        images, labels = read_folder(data_folder() / bank.folder, bank.side, bank.address), None
    else:
        images, labels = _from_archive(bank, path, fetch, source)
    _check(bank, path, images, labels)
    with atomic(path) as partial:
        if labels is None:
            np.savez_compressed(partial, images=images)
        else:
            np.savez_compressed(partial, images=images, labels=labels)
    return path


def _from_archive(bank: Bank, path: Path, fetch: Fetch, source: str | None) -> Images:
    if bank.dataset == "digits":
        raise HarnessError(f"The image bank {bank.name!r} is bundled; there is nothing to make.")
    if bank.make is None:
        raise HarnessError(
            f"The image bank {bank.name!r} is not made from an archive ({bank.origin}); "
            f"{_placing(path)}."
        )
    make, names = bank.make, bank.sources
    if source is not None:
        make, names = _from_python(source, bank), (source,)
    return make([fetch(one) for one in names])


def _find(bank: Bank) -> Path:
    mirror = mirror_folder()
    own = data_folder() / "images" / f"{bank.name}.npz"
    if mirror and (mirrored := mirror / "images" / own.name).is_file():
        return mirrored
    if own.is_file():
        return own
    others = [
        f"`inputs.source={other}`"
        for other in banks
        if banks.get(other).side == bank.side and other != bank.name
    ]
    raise DataError(
        f"The image bank {bank.name!r} is not at {own}; {_making(bank, own)}, or take declared "
        f"stand-ins: {', '.join(['`inputs=gaussian`', *others])}."
    )


def _making(bank: Bank, path: Path) -> str:
    command = f"`python -m harness job=make_bank inputs.source={bank.name}`"
    if bank.folder:
        return (
            f"place photographs of the data set ({bank.address}) below "
            f"{data_folder() / bank.folder} and run {command}"
        )
    if bank.make:
        return f"make it from the official archive ({bank.address}) with {command}"
    return _placing(path)


def _placing(path: Path) -> str:
    return f"place it at {path} or in HARNESS_MIRROR/images"


def _check(
    bank: Bank, path: Path, images: NDArray[np.uint8], labels: NDArray[np.int64] | None
) -> None:
    shape = (len(images), bank.side, bank.side, 3)
    if images.dtype != np.uint8 or images.shape != shape:
        raise DataError(
            f"{path} holds images {images.dtype} {images.shape}; expected uint8 "
            f"N×{bank.side}×{bank.side}×3."
        )
    if bank.classes is None:
        return
    if labels is None or labels.shape != (len(images),) or labels.dtype.kind not in "iu":
        raise DataError(f"{path} needs one whole-number label for each of {len(images)} images.")
    if len(labels) and not 0 <= labels.min() <= labels.max() < bank.classes:
        raise DataError(
            f"{path} holds labels from {labels.min()} to {labels.max()}; expected 0 to "
            f"{bank.classes - 1}."
        )


_CIFAR = "https://www.cs.toronto.edu/~kriz/cifar.html"
_CIFAR10_TRAIN = [f"data_batch_{i}" for i in range(1, 6)]
_MEMBERS = {
    "cifar10_train": _CIFAR10_TRAIN,
    "cifar10_test": ["test_batch"],
    "cifar100_train": ["train"],
}


def _from_binary(name: str, folder: str, label_bytes: int) -> Callable[[list[Path]], Images]:
    members = [f"{folder}/{member}.bin" for member in _MEMBERS[name]]
    return lambda paths: archives.cifar_binary(paths[0], members, label_bytes)


def _from_python(source: str, bank: Bank) -> Callable[[list[Path]], Images]:
    kinds = {
        "cifar10_python": ("cifar10", "cifar-10-batches-py", "labels"),
        "cifar100_python": ("cifar100", "cifar-100-python", "fine_labels"),
    }
    dataset, folder, key = kinds.get(source, ("", "", ""))
    if dataset != bank.dataset:
        raise HarnessError(
            f"The image bank {bank.name!r} cannot be made from {source!r}; it is made from "
            f"{', '.join(bank.sources)}, or for CIFAR from {bank.dataset}_python."
        )
    members = [f"{folder}/{member}" for member in _MEMBERS[bank.name]]
    return lambda paths: archives.cifar_python(paths[0], members, key)


# Mean and deviation of each training set, as the field's code has them: DARTS for CIFAR-10,
# NAS-Bench-201 for ImageNet16, NAS-Bench-Suite-Zero for SVHN and Taskonomy.
_CIFAR10_RGB: tuple[RGB, RGB] = (
    (0.49139968, 0.48215827, 0.44653124),
    (0.24703233, 0.24348505, 0.26158768),
)
_CIFAR100_RGB: tuple[RGB, RGB] = ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762))
_IMAGENET16_RGB: tuple[RGB, RGB] = (
    (122.68 / 255, 116.66 / 255, 104.01 / 255),
    (63.22 / 255, 61.26 / 255, 65.09 / 255),
)
_SVHN_RGB: tuple[RGB, RGB] = ((0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970))
_IMAGENET_RGB: tuple[RGB, RGB] = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_TASKONOMY_RGB: tuple[RGB, RGB] = ((0.5224, 0.5222, 0.5221), (0.2234, 0.2235, 0.2236))
_DIGITS_RGB: tuple[RGB, RGB] = ((0.3033, 0.3033, 0.3033), (0.3739, 0.3739, 0.3739))

_TABLE = [
    Bank(
        "cifar10_train", "cifar10", 32, 10, *_CIFAR10_RGB, "CIFAR-10, training images",
        ("cifar10_binary",), _CIFAR, _from_binary("cifar10_train", "cifar-10-batches-bin", 1),
    ),
    Bank(
        "cifar10_test", "cifar10", 32, 10, *_CIFAR10_RGB, "CIFAR-10, test images",
        ("cifar10_binary",), _CIFAR, _from_binary("cifar10_test", "cifar-10-batches-bin", 1),
    ),
    Bank(
        "cifar100_train", "cifar100", 32, 100, *_CIFAR100_RGB, "CIFAR-100, training images",
        ("cifar100_binary",), _CIFAR, _from_binary("cifar100_train", "cifar-100-binary", 2),
    ),
    Bank(
        "imagenet16_120_train", "imagenet16_120", 16, 120, *_IMAGENET16_RGB,
        "ImageNet downsampled to 16×16, the first 120 classes of the training images",
        tuple(f"imagenet16_train_{i}" for i in range(1, 11)),
        "https://image-net.org/download-images", archives.imagenet16_120,
    ),
    Bank(
        "svhn_train_unlabelled", "svhn", 32, None, *_SVHN_RGB,
        "Street View House Numbers, training images without labels",
    ),
    Bank(
        "imagenet_sample_16", "imagenet_sample", 16, 1000, *_IMAGENET16_RGB,
        "1000 ImageNet photographs, one per class, at 16×16; not ImageNet16-120",
    ),
    Bank(
        "imagenet_sample_256", "imagenet_sample", 256, 1000, *_IMAGENET_RGB,
        "64 ImageNet photographs of different classes at 256×256; not Taskonomy",
    ),
    Bank(
        "taskonomy", "taskonomy", 256, None, *_TASKONOMY_RGB,
        "Taskonomy, photographs without labels",
        address="https://github.com/StanfordVL/taskonomy/tree/master/data",
        folder="taskonomy/rgb",
    ),
    Bank(
        "digits_train", "digits", 8, 10, *_DIGITS_RGB,
        f"scikit-learn's handwritten digits, the {digits.TRAIN} training images",
    ),
]  # fmt: skip

for _bank in _TABLE:
    banks.add(_bank.name, _bank)
