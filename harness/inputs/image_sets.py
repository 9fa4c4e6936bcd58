"""Image sets: what is known about each, and its images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.checksums import check_recorded
from harness.core.errors import DataError, unknown
from harness.core.registry import Registry
from harness.inputs.tasks import RGB

if TYPE_CHECKING:  # the command line knows the names without reading images
    import numpy as np
    from numpy.typing import NDArray

Images = tuple["NDArray[np.uint8]", "NDArray[np.int64] | None"]
"""Images (uint8 N×H×W×3) and labels (int64 N), None where there are none."""


@dataclass(frozen=True)
class ImageSet:
    """What is known about a set of images.

    Attributes:
        name: Its name; unless it is loaded, its file is ``images/<name>.npz``.
        dataset: The data set that its images belong to; a set of another data set than the
            task's own is a stand-in.
        side: Height and width of its images; None for a set that comes in any size.
        classes: How many classes its labels tell apart; None if it has no labels.
        mean: Per-channel mean for normalisation, of pixels from 0 to 1.
        std: Per-channel standard deviation for normalisation.
        origin: Where the images come from, in words.
        split: Which part of the data set it is, in a word: ``training``, ``test``.
        total: How many images the whole of that part has; None if that means nothing.
        licence: Of the images: SPDX identifier or words; empty where that of its sources holds.
        load: Returns the images of a set that a package brings, of the side that it is given (its
            own, if it has one); such a set has no file.
        sources: The official archives, entries of ``catalogue.toml``, that ``make`` takes.
        address: Where those are.
        make: Makes images and labels from those files.
        folder: Instead of these, a folder of the user's own images, below the data folder.
    """

    name: str
    dataset: str
    side: int | None
    classes: int | None
    mean: RGB
    std: RGB
    origin: str
    split: str = ""
    total: int | None = None
    licence: str = ""
    load: Callable[[int], Images] | None = None
    sources: tuple[str, ...] = ()
    address: str = ""
    make: Callable[[list[Path]], Images] | None = None
    folder: str = ""

    def fits(self, side: int) -> bool:
        """Tells whether its images have, or can have, this height and width."""
        return self.side in (None, side)


@dataclass(frozen=True)
class Content:
    """The images of a set.

    Attributes:
        images: uint8 N×H×W×3.
        labels: int64 N; None if unknown.
        sha256: Checksum of the set's file; of a part of a set that of the whole, because what is
            drawn from it is the same.
        held: Of a part, which of its N images it holds; the others are black.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    sha256: str
    held: NDArray[np.bool_] | None = None


image_sets: Registry[ImageSet] = Registry("image set", home="harness.inputs.known_sets")


def add(image_set: ImageSet) -> ImageSet:
    """Registers an image set under its own name."""
    return image_sets.add(image_set.name, image_set)


def find(name: str) -> ImageSet:
    """Returns a set by its name, or the first of a data set by that: ``cifar10``.

    Raises:
        HarnessError: If there is neither.
    """
    if name in image_sets:
        return image_sets.get(name)
    found = of_dataset(name)
    if not found:
        raise unknown("image set", name, choices())
    return sorted(found, key=lambda one: not one.name.endswith("_train"))[0]


def of_dataset(name: str) -> list[ImageSet]:
    """Returns the sets of a data set: training and test images of ``cifar10``."""
    return [one for one in image_sets.values() if one.dataset == name]


def choices() -> list[str]:
    """Returns all names that ``find`` knows: of sets and of data sets."""
    return sorted({*image_sets, *(one.dataset for one in image_sets.values())})


def read_image_set(name: str, side: int | None = None, *, download: bool = True) -> Content:
    """Reads a set; one that is not at hand is fetched and made first, if it can be.

    Args:
        name: Which set.
        side: Height and width of the images, for a set that comes in any size.
        download: Whether it may be fetched.

    Raises:
        HarnessError: If there is no set of that name.
        DataError: If its file cannot be had or is broken.
    """
    image_set = image_sets.get(name)
    side = image_set.side or side
    if image_set.load is not None:
        assert side is not None, f"{name} comes in any size; say in which"
        return _loaded(image_set, side)
    from harness.inputs.making import file_of

    path = file_of(image_set, download=download)
    known = path.stat()
    return _read(name, path.resolve(), (known.st_mtime_ns, known.st_size))


@lru_cache(maxsize=2)
def _loaded(image_set: ImageSet, side: int) -> Content:
    assert image_set.load is not None
    images, labels = image_set.load(side)
    sha256 = hashlib.sha256(images.tobytes()).hexdigest()
    return _checked_content(image_set, image_set.name, images, labels, sha256, side=side)


@lru_cache(maxsize=2)
def _read(name: str, path: Path, _stamp: tuple[int, int]) -> Content:
    """Reads a file once, until it changes; a search draws hundreds of batches from it."""
    import numpy as np

    image_set = image_sets.get(name)
    digest = check_recorded(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            images = file["images"]
            labels = file.get("labels")
            held = file.get("held")
            part_of = str(file["part_of"]) if held is not None else ""
    except Exception as error:  # a damaged archive raises nearly anything
        raise DataError(
            f"{path} is not a readable image set ({error}); remove it and make it again."
        ) from error
    whole = _checked_content(
        image_set, path, images, labels, part_of or digest, side=image_set.side
    )
    return replace(whole, held=held)


def _checked_content(
    image_set: ImageSet,
    place: Path | str,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64] | None,
    sha256: str,
    *,
    side: int | None,
) -> Content:
    check_content(image_set, place, images, labels, side)
    return Content(_frozen(images), None if labels is None else _frozen(labels), sha256)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Returns a view that cannot be written to: every reader gets the same."""
    view = array.view()
    view.flags.writeable = False
    return view


def check_content(
    image_set: ImageSet,
    place: Path | str,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64] | None,
    side: int | None,
) -> None:
    """Refuses images of another form, and labels that are missing or out of range.

    Args:
        image_set: What they are to be.
        place: Where they are from, for the message.
        images: To be uint8 N×side×side×3.
        labels: To be whole numbers, N, if the set has classes.
        side: Height and width that the images are to have.

    Raises:
        DataError: With what was expected.
    """
    if images.dtype.name != "uint8" or images.shape != (len(images), side, side, 3):
        raise DataError(
            f"{place} holds images {images.dtype} {images.shape}; expected uint8 N×{side}×{side}×3."
        )
    if image_set.classes is None:
        return
    if labels is None or labels.shape != (len(images),) or labels.dtype.kind not in "iu":
        raise DataError(f"{place} needs one whole-number label for each of {len(images)} images.")
    if len(labels) and not 0 <= labels.min() <= labels.max() < image_set.classes:
        raise DataError(
            f"{place} holds labels from {labels.min()} to {labels.max()}; expected 0 to "
            f"{image_set.classes - 1}."
        )
