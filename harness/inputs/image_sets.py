"""Image sets: what is known about each, and how its images are had."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import DataError, HarnessError, unknown
from harness.core.files import atomic
from harness.core.registry import Registry
from harness.inputs.tasks import RGB
from harness.sources.places import checksum, data_folder, mirror_folder

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
        side: Height and width of its images.
        classes: How many classes its labels tell apart; None if it has no labels.
        mean: Per-channel mean for normalisation, of pixels from 0 to 1.
        std: Per-channel standard deviation for normalisation.
        origin: Where the images come from, in words.
        load: Returns the images of a set that a package brings; such a set has no file.
        sources: The official archives, entries of ``catalogue.toml``, that ``make`` takes.
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
    load: Callable[[], Images] | None = None
    sources: tuple[str, ...] = ()
    address: str = ""
    make: Callable[[list[Path]], Images] | None = None
    folder: str = ""


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
    of_dataset = [one for one in image_sets.values() if one.dataset == name]
    if not of_dataset:
        raise unknown("image set", name, choices())
    return sorted(of_dataset, key=lambda one: not one.name.endswith("_train"))[0]


def choices() -> list[str]:
    """Returns all names that ``find`` knows: of sets and of data sets."""
    return sorted({*image_sets, *(one.dataset for one in image_sets.values())})


def read_image_set(name: str) -> Content:
    """Reads a set from ``HARNESS_MIRROR/images/``, else from ``data/images/``.

    Raises:
        HarnessError: If there is no set of that name.
        DataError: If its file is missing or broken.
    """
    image_set = image_sets.get(name)
    if image_set.load is not None:
        return _loaded(image_set)
    path = _locate(image_set)
    known = path.stat()
    return _read(name, path.resolve(), (known.st_mtime_ns, known.st_size))


@lru_cache(maxsize=2)
def _loaded(image_set: ImageSet) -> Content:
    assert image_set.load is not None
    images, labels = image_set.load()
    sha256 = hashlib.sha256(images.tobytes()).hexdigest()
    return _checked_content(image_set, image_set.name, images, labels, sha256)


@lru_cache(maxsize=2)
def _read(name: str, path: Path, _stamp: tuple[int, int]) -> Content:
    """Reads a file once, until it changes; a search draws hundreds of batches from it."""
    import numpy as np

    image_set = image_sets.get(name)
    try:
        with np.load(path, allow_pickle=False) as file:
            images = file["images"]
            labels = file.get("labels")
            held = file.get("held")
            part_of = str(file["part_of"]) if held is not None else ""
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path} is not a readable image set ({error}); remove it and make it again."
        ) from error
    whole = _checked_content(image_set, path, images, labels, part_of or checksum(path))
    return replace(whole, held=held)


def _checked_content(
    image_set: ImageSet,
    place: Path | str,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64] | None,
    sha256: str,
) -> Content:
    _check(image_set, place, images, labels)
    return Content(_frozen(images), None if labels is None else _frozen(labels), sha256)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Returns a view that cannot be written to: every reader gets the same."""
    view = array.view()
    view.flags.writeable = False
    return view


def make_image_set(name: str, fetch: Callable[[str], Path], *, source: str | None = None) -> Path:
    """Makes a set from its official archive or folder, at ``data/images/<name>.npz``.

    Args:
        name: Which set.
        fetch: Gets a recorded outside file; pass ``harness.sources.fetch.fetch``.
        source: Another archive of the same images, for example ``cifar10_python``.

    Raises:
        HarnessError: If there is no such set, or no way to make it.
        DataError: If the archive or folder cannot be had or read.
    """
    import numpy as np

    image_set = find(name)
    path = data_folder() / "images" / f"{image_set.name}.npz"
    if image_set.folder:
        from harness.inputs.photographs import read_folder

        folder = data_folder() / image_set.folder
        images, labels = read_folder(folder, image_set.side, image_set.address), None
    else:
        images, labels = _from_archive(image_set, path, fetch, source)
    _check(image_set, path, images, labels)
    with atomic(path) as partial:
        if labels is None:
            np.savez_compressed(partial, images=images)
        else:
            np.savez_compressed(partial, images=images, labels=labels)
    return path


def _from_archive(
    image_set: ImageSet, path: Path, fetch: Callable[[str], Path], source: str | None
) -> Images:
    if image_set.load is not None:
        raise HarnessError(
            f"The image set {image_set.name!r} is bundled; there is nothing to make."
        )
    if image_set.make is None:
        raise HarnessError(
            f"The image set {image_set.name!r} is not made from an archive ({image_set.origin}); "
            f"{_placing(path)}."
        )
    if source is None:
        return image_set.make([fetch(one) for one in image_set.sources])
    from harness.inputs.known_sets import from_python

    return from_python(source, image_set)([fetch(source)])


def _locate(image_set: ImageSet) -> Path:
    mirror = mirror_folder()
    own = data_folder() / "images" / f"{image_set.name}.npz"
    if mirror and (mirrored := mirror / "images" / own.name).is_file():
        return mirrored
    if own.is_file():
        return own
    others = [
        f"`inputs={other.name}`"
        for other in image_sets.values()
        if other.side == image_set.side and other is not image_set
    ]
    raise DataError(
        f"The image set {image_set.name!r} is not at {own}; {_making(image_set, own)}, or take "
        f"declared stand-ins: {', '.join(['`inputs=gaussian`', *others])}."
    )


def _making(image_set: ImageSet, path: Path) -> str:
    command = f"`python -m harness job=make_image_set inputs={image_set.name}`"
    if image_set.folder:
        return (
            f"place photographs of the data set ({image_set.address}) below "
            f"{data_folder() / image_set.folder} and run {command}"
        )
    if image_set.make:
        return f"make it from the official archive ({image_set.address}) with {command}"
    return _placing(path)


def _placing(path: Path) -> str:
    return f"place it at {path} or in HARNESS_MIRROR/images"


def _check(
    image_set: ImageSet,
    place: Path | str,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64] | None,
) -> None:
    shape = (len(images), image_set.side, image_set.side, 3)
    if images.dtype.name != "uint8" or images.shape != shape:
        raise DataError(
            f"{place} holds images {images.dtype} {images.shape}; expected uint8 "
            f"N×{image_set.side}×{image_set.side}×3."
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
