"""The files that lie outside the package: which of them are here, and how each is had."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.checksums import check_recorded
from harness.core.errors import DataError, unknown
from harness.inputs.image_sets import ImageSet, choices, find, image_sets, of_dataset
from harness.inputs.making import at_hand, make_image_set, own_place, placing_by_hand
from harness.sources.catalogue import Source, in_bytes, source, sources
from harness.sources.fetch import fetch, lies_at
from harness.sources.places import data_folder

BUNDLED, AT_HAND, DOWNLOAD, BY_HAND = "bundled", "at hand", "download", "by hand"


@dataclass(frozen=True)
class OutsideFile:
    """One file or folder of files.

    Attributes:
        kind: ``image set`` or ``file``.
        name: Its name, for ``job=data fetch=``.
        available: ``at hand``, ``download`` or ``by hand``.
        size: Its bytes, in words.
        licence: SPDX identifier or words.
        how: Where it lies, or how it is had.
    """

    kind: str
    name: str
    available: str
    size: str
    licence: str
    how: str


def inventory() -> list[OutsideFile]:
    """Lists every outside file: image sets, then what they and the ground truths are made from."""
    sets = [_of_set(one) for one in image_sets.values() if one.load is None]
    return [*sets, *map(_of_source, sources.values())]


def images_available(image_set: ImageSet) -> str:
    """Says how a set is had: ``bundled``, ``at hand``, ``download`` or ``by hand``."""
    if image_set.load is not None:
        return BUNDLED
    if at_hand(image_set) is not None:
        return AT_HAND
    return _available(map(source, image_set.sources))


def _available(entries: Iterable[Source]) -> str:
    """Says the same of what is made from several files; by hand if there are none."""
    needed = list(entries)
    if needed and all(lies_at(entry) is not None for entry in needed):
        return AT_HAND
    lacking = [entry for entry in needed if lies_at(entry) is None]
    return DOWNLOAD if needed and all(entry.address for entry in lacking) else BY_HAND


def files_available(names: Sequence[str]) -> str:
    """Says how recorded files are had together; ``bundled`` if there are none."""
    return _available(map(source, names)) if names else BUNDLED


def _of_set(image_set: ImageSet) -> OutsideFile:
    place, needed = at_hand(image_set), [source(name) for name in image_set.sources]
    if place is not None:
        how, size = str(place), in_bytes(place.stat().st_size)
    elif needed:
        how = f"made from {', '.join(_shortened(image_set.sources))} when it is first used"
        size = _together(needed)
    else:
        how, size = placing_by_hand(image_set), "any" if image_set.folder else "not recorded"
    licences = image_set.licence or ", ".join(dict.fromkeys(entry.licence for entry in needed))
    available = images_available(image_set)
    return OutsideFile("image set", image_set.name, available, size, licences, how)


def _together(entries: Sequence[Source]) -> str:
    """Returns the size of several files in words."""
    if len(entries) == 1:
        return entries[0].size
    return f"about {in_bytes(sum(entry.bytes or entry.about or 0 for entry in entries))}"


def _shortened(names: Sequence[str]) -> list[str]:
    return list(names) if len(names) < 3 else [names[0], "…", names[-1]]


def _of_source(entry: Source) -> OutsideFile:
    available, place = _available([entry]), lies_at(entry)
    if place is not None:
        how = str(place)
    elif entry.address:
        how = f"fetched from {entry.address} when it is first used"
    else:
        how = f"place the file of {entry.page} at {data_folder() / 'cache' / entry.place}"
    return OutsideFile("file", entry.name, available, entry.size, entry.licence, how)


def obtain(name: str, archive: str = "") -> list[Path]:
    """Gets an outside file, or the image sets that a name means, and returns where they lie.

    Args:
        name: An image set, a data set (all its image sets) or a file that the catalogue names.
        archive: For an image set, another archive than the usual: it is made anew.

    Raises:
        HarnessError: If nothing has that name, or it is bundled.
        DataError: If it cannot be had.
    """
    if name in sources:
        return [fetch(name)]
    if name not in choices():
        raise unknown("outside file", name, [*choices(), *sources])
    meant = [find(name)] if name in image_sets else of_dataset(name)
    return [_obtain(one, archive) for one in meant]


def _obtain(image_set: ImageSet, archive: str) -> Path:
    here = at_hand(image_set)
    if here is not None and not archive and not image_set.folder:
        check_recorded(here)
        return here
    if image_set.make is not None and not archive and (by_hand := placing_by_hand(image_set)):
        raise DataError(
            f"The image set {image_set.name!r} is not at {own_place(image_set)}; {by_hand}."
        )
    return make_image_set(image_set, fetch, archive=archive)
