"""The outside files that ``sources.toml`` records."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from harness.errors import unknown


@dataclass(frozen=True)
class Source:
    """One outside file.

    Attributes:
        name: Its name in ``sources.toml``.
        licence: SPDX identifier, or ``"not stated"``.
        meaning: What the file holds, in one sentence.
        address: What is downloaded; empty if a person has to place the file.
        page: Where that person gets it.
        path: Its place below ``data/cache/``; from the address unless stated.
        bytes: Its size; None where the publisher states none.
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
    sha256: str = ""
    md5: str = ""

    @property
    def place(self) -> PurePosixPath:
        """The file's place below a cache or mirror folder: ``<host>/<path>``."""
        if self.path:
            return PurePosixPath(self.path)
        parts = urlsplit(self.address)
        # ':' of a port is no file name on some systems
        return PurePosixPath(parts.netloc.replace(":", "_")) / parts.path.lstrip("/")

    @property
    def publisher(self) -> str:
        """Who publishes the file: ``owner/repository`` on GitHub, else the host."""
        parts = urlsplit(self.address or self.page)
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


@cache
def sources() -> dict[str, Source]:
    """Returns all recorded files by name."""
    text = files("harness.truth").joinpath("sources.toml").read_text(encoding="utf-8")
    return {name: Source(name=name, **entry) for name, entry in tomllib.loads(text).items()}


def source(name: str) -> Source:
    """Returns the recorded file called ``name``.

    Raises:
        HarnessError: If ``sources.toml`` has no such entry.
    """
    if name not in sources():
        raise unknown("data source", name, sources())
    return sources()[name]
