"""Fetches outside files: from a local mirror, the cache or the network, and checks each of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from harness.core.errors import DataError, UnavailableError
from harness.core.files import atomic
from harness.sources.catalogue import Source, source
from harness.sources.places import checksum, data_folder, mirror_folder

log = logging.getLogger(__name__)


def fetch(name: str, *, download: bool = True) -> Path:
    """Returns a checked local copy of an outside file.

    Looked up in ``HARNESS_MIRROR/<host>/<path>``, then in the cache (``data/cache/<host>/<path>``
    under ``HARNESS_DATA``); downloaded into the cache otherwise.

    Args:
        name: What the catalogue calls it.
        download: Whether it may be downloaded.

    Raises:
        DataError: If the file cannot be had, or is not the one that was recorded.
        HarnessError: If there is no such entry.
    """
    entry = source(name)
    if not entry.digest:
        raise DataError(
            f"No checksum of {name} is published, so no copy can be recognised; get it from "
            f"{entry.page}, trust it, and name it yourself: truth.path={entry.path}."
        )
    mirror = mirror_folder()
    if mirror and (mirrored := mirror / entry.place).is_file():
        if fault := _fault(entry, mirrored):
            raise DataError(f"{mirrored} in HARNESS_MIRROR {fault}; replace or remove it.")
        return mirrored
    cached = data_folder() / "cache" / entry.place
    if cached.is_file():
        fault = _fault(entry, cached)
        if not fault:
            return cached
        if not entry.address:
            raise DataError(f"{cached} {fault}; place the file of {entry.page} there again.")
        log.warning("%s %s; it is downloaded again.", cached, fault)
    if not entry.address:
        raise UnavailableError(f"{entry.name} cannot be downloaded; {placing([entry])}.")
    if not download:
        raise UnavailableError(
            f"{entry.address} ({entry.size}) is not here, and inputs.download=false refuses to "
            f"download it; allow it, or place the file at {cached}."
        )
    _download(entry, cached)
    return cached


def lies_at(entry: Source) -> Path | None:
    """Returns where an outside file lies here, unchecked; None if it does not."""
    folders = (mirror_folder(), data_folder() / "cache")
    return next(
        (one / entry.place for one in folders if one and (one / entry.place).exists()), None
    )


def placing(entries: Sequence[Source]) -> str:
    """Says where a person gets files and where each has to lie, with its size."""
    cache = data_folder() / "cache"
    pages = ", ".join(dict.fromkeys(entry.page for entry in entries))
    places = ", ".join(f"{cache / entry.place} ({entry.size})" for entry in entries)
    what, them = ("it", "it") if len(entries) == 1 else (f"these {len(entries)} files", "them")
    return (
        f"get {what} from {pages} and place {them} at {places}, or below HARNESS_MIRROR instead "
        f"of {cache}"
    )


def _fault(entry: Source, path: Path) -> str:
    """Returns what is wrong with a file, in words that follow its name; empty if nothing is."""
    size = path.stat().st_size
    if entry.bytes is not None and size < entry.bytes:
        return f"is truncated: it has {size:,} bytes where {entry.bytes:,} are expected"
    if entry.bytes is not None and size > entry.bytes:
        return f"is another file: it has {size:,} bytes where {entry.bytes:,} are expected"
    if (digest := checksum(path, entry.algorithm)) != entry.digest:
        return (
            f"is another file: its {entry.algorithm} is {digest[:12]}… "
            f"where {entry.digest[:12]}… is expected"
        )
    return ""


def _download(entry: Source, path: Path) -> None:
    from harness.sources.download import TooLongError, download

    with atomic(path) as partial:
        try:
            download(entry.address, partial, f"{path.name} ({entry.size})", entry.bytes)
        except TooLongError as error:
            raise DataError(
                f"The download of {entry.address} is another file: it goes on past the "
                f"{error.most:,} bytes that are expected; nothing was kept. Place the right file "
                f"at {path}."
            ) from error
        except OSError as error:  # every error of requests is one
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise UnavailableError(
                f"{entry.address} could not be downloaded ({reason}); check the network and run "
                f"again, or place the file at {path}, or set HARNESS_MIRROR to a folder that "
                f"holds it at {entry.place}."
            ) from error
        if fault := _fault(entry, partial):
            raise DataError(
                f"The download of {entry.address} {fault}; nothing was kept. Run again, or place "
                f"the right file at {path}."
            )
