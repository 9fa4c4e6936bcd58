"""The outside files: those that ``catalogue.toml`` records, and those that other packages add."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from harness.core.errors import HarnessError
from harness.core.registry import Registry


@dataclass(frozen=True)
class Source:
    """One outside file.

    Attributes:
        name: Its name, in ``catalogue.toml`` the head of its table.
        licence: SPDX identifier, or ``"not stated"``.
        meaning: What the file holds, in one sentence.
        address: What is downloaded; empty if a person has to place the file.
        page: Where that person gets it, or the page of its publisher.
        path: Its place below ``data/cache/``; from the address unless stated.
        bytes: Its size; None where the publisher states none.
        about: Instead, how many bytes it has nearly, where that follows from its format.
        sha256: Its checksum, or
        md5: the only one that its publisher states; neither where none is published: such a file
            is read only where the user names it.
    """

    name: str
    licence: str
    meaning: str
    address: str = ""
    page: str = ""
    path: str = ""
    bytes: int | None = None
    about: int | None = None
    sha256: str = ""
    md5: str = ""

    def __post_init__(self) -> None:
        """Refuses a file that nobody could get or recognise.

        Raises:
            HarnessError: With what is missing.
        """
        if not self.address and not (self.page and self.path):
            raise HarnessError(
                f"The data source {self.name!r} needs either an address or a page and a path."
            )
        if self.address and not self.sha256:
            raise HarnessError(f"The data source {self.name!r} has an address but no sha256.")

    @property
    def place(self) -> PurePosixPath:
        """The file's place below a cache or mirror folder: ``<host>/<path>``."""
        if self.path:
            return PurePosixPath(self.path)
        parts = urlsplit(self.address)
        # ':' of a port is no file name on some systems
        return PurePosixPath(parts.netloc.replace(":", "_")) / parts.path.lstrip("/")

    @property
    def size(self) -> str:
        """Its size in words."""
        if self.bytes is None and self.about is None:
            return "size not published"
        return in_bytes(self.bytes) if self.bytes else f"about {in_bytes(self.about or 0)}"

    @property
    def publisher(self) -> str:
        """Who publishes the file: ``owner/repository`` on GitHub, else the host."""
        parts = urlsplit(self.page or self.address)
        if parts.netloc in ("raw.githubusercontent.com", "github.com"):
            return "/".join(parts.path.split("/")[1:3])
        return parts.netloc

    @property
    def algorithm(self) -> str:
        """The name of the checksum's algorithm, as ``hashlib`` knows it."""
        return "sha256" if self.sha256 else "md5"

    @property
    def digest(self) -> str:
        """The recorded checksum in hexadecimal."""
        return self.sha256 or self.md5


def in_bytes(size: int) -> str:
    """Returns a size in words, with as many digits as matter: ``170 MB``, ``6.6 kB``."""
    unit, name = next(((u, n) for u, n in _UNITS if size >= u), (1, "bytes"))
    return f"{size / unit:.{int(size < 10 * unit and unit > 1)}f} {name}"


_UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


class _Catalogue(Registry[Source]):
    """Begins with what ``catalogue.toml`` records."""

    def _register_ours(self) -> None:
        text = files("harness.sources").joinpath("catalogue.toml").read_text(encoding="utf-8")
        for name, entry in tomllib.loads(text).items():
            self.add(name, Source(name=name, **entry))


sources: Registry[Source] = _Catalogue("data source")


def add(entry: Source) -> Source:
    """Adds an outside file under its own name, beside the truth or image set that it is for.

    Raises:
        HarnessError: If another file has that name.
    """
    sources.names()  # ours come first
    return sources.add(entry.name, entry)


def source(name: str) -> Source:
    """Returns the outside file called ``name``.

    Raises:
        HarnessError: If there is none.
    """
    return sources.get(name)
