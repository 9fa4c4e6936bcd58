"""How the file of an image set is had: it lies here, is made from its archives, or is placed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.core.errors import DataError, HarnessError
from harness.core.files import atomic
from harness.inputs.image_sets import Images, ImageSet, check_content, image_sets
from harness.sources.catalogue import source as source_of
from harness.sources.fetch import fetch, lies_at, placing
from harness.sources.places import data_folder, mirror_folder

# Of the user's own images: so many fill two batches of the default size.
ENOUGH = 128


def file_of(image_set: ImageSet, *, download: bool = True) -> Path:
    """Returns a set's file, from ``HARNESS_MIRROR/images/`` or ``data/images/``.

    A set with official archives is made from them if it is not there; archives with an address are
    fetched.

    Args:
        image_set: A set that has a file.
        download: Whether an archive may be fetched.

    Raises:
        DataError: With all that has to be placed by hand, and the stand-ins that can be had.
    """
    if (path := at_hand(image_set)) is not None:
        return path
    own = own_place(image_set)
    missing = f"The image set {image_set.name!r} is not at {own}"
    instead = f"or take declared stand-ins: {', '.join(_stand_ins(image_set))}."
    by_hand = placing_by_hand(image_set)
    if by_hand:
        raise DataError(f"{missing}; {by_hand}, {instead}")
    try:
        return make_image_set(image_set, lambda name: fetch(name, download=download))
    except DataError as error:
        raise DataError(f"{missing} and cannot be made: {error} O{instead[1:]}") from error


def at_hand(image_set: ImageSet) -> Path | None:
    """Returns a set's file if it lies here; the mirror's comes first."""
    name = f"images/{image_set.name}.npz"
    folders = (mirror_folder(), data_folder())
    return next((one / name for one in folders if one and (one / name).is_file()), None)


def own_place(image_set: ImageSet) -> Path:
    """Returns where a set's file is made or to be placed."""
    return data_folder() / "images" / f"{image_set.name}.npz"


def placing_by_hand(image_set: ImageSet) -> str:
    """Says what a person has to place before a set can be had; empty if nothing."""
    if image_set.folder:
        return (
            f"place images of the data set ({image_set.address}, PNG or JPEG) in any folders below "
            f"{data_folder() / image_set.folder}: as many as two batches "
            f"have suffice, {ENOUGH} by default, and at most {_most():,} are taken; then run "
            f"`python -m harness job=data fetch={image_set.name}`"
        )
    if image_set.make is None:
        return f"place it at {own_place(image_set)} or in HARNESS_MIRROR/images"
    entries = map(source_of, image_set.sources)
    lacking = [one for one in entries if not one.address and lies_at(one) is None]
    return placing(lacking) + "; the set is made from them by itself" if lacking else ""


def make_image_set(image_set: ImageSet, fetch: Callable[[str], Path], *, archive: str = "") -> Path:
    """Makes a set from its official archives or folder, at ``data/images/<name>.npz``.

    Args:
        image_set: Which set.
        fetch: Gets a recorded outside file.
        archive: Another archive of the same images, for example ``cifar10_python``.

    Raises:
        HarnessError: If there is no way to make it.
        DataError: If the archive or folder cannot be had or read.
    """
    import numpy as np

    path = own_place(image_set)
    if image_set.folder and image_set.side:
        from harness.inputs.image_folder import read_folder

        folder = data_folder() / image_set.folder
        images, labels = read_folder(folder, image_set.side, placing_by_hand(image_set)), None
    else:
        images, labels = _from_archive(image_set, fetch, archive)
    check_content(image_set, path, images, labels, image_set.side)
    with atomic(path) as partial:
        if labels is None:
            np.savez_compressed(partial, images=images)
        else:
            np.savez_compressed(partial, images=images, labels=labels)
    return path


def _from_archive(image_set: ImageSet, fetch: Callable[[str], Path], archive: str) -> Images:
    if image_set.load is not None:
        raise HarnessError(
            f"The image set {image_set.name!r} is bundled; there is nothing to make."
        )
    if image_set.make is None:
        raise HarnessError(
            f"The image set {image_set.name!r} is not made from an archive; "
            f"{placing_by_hand(image_set)}."
        )
    if not archive:
        return image_set.make([fetch(one) for one in image_set.sources])
    from harness.inputs.known_sets import from_python

    return from_python(archive, image_set)([fetch(archive)])


def _stand_ins(image_set: ImageSet) -> list[str]:
    """Names the inputs of the same size that can be had here and now."""
    assert image_set.side is not None
    others = [one for one in image_sets.values() if one.fits(image_set.side)]
    here = [one.name for one in others if one.load is not None or at_hand(one) is not None]
    return [f"`inputs={name}`" for name in [*here, "gaussian"]]


def _most() -> int:
    from harness.inputs.image_folder import MOST

    return MOST
