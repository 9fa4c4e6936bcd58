"""Downloads one file and shows how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pooch
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

TIMEOUT_SECONDS = 60  # without an answer or a further byte


class TooLongError(Exception):
    """A download goes on past the size that was recorded.

    Attributes:
        most: That size, in bytes.
    """

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


def download(address: str, path: Path, name: str, most: int | None) -> None:
    """Downloads ``address`` to ``path``, with a progress bar called ``name``.

    Args:
        address: What to download.
        path: Where to.
        name: What to tell the user that it is.
        most: Its size in bytes, where it is known; what goes on past it is cut off.

    Raises:
        OSError: If the server cannot be reached or refuses; every error of requests is one.
        TooLongError: If more comes than ``most``.
    """
    console = Console(stderr=True)
    console.print(f"Downloading {name} from {address}", highlight=False, soft_wrap=True)
    with _Bar(name, most, console) as bar, path.open("wb") as file:
        get = pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT_SECONDS)
        get(address, _Limited(file, most), None)


class _Limited:
    """A file that refuses to grow beyond a size; it has the two methods that pooch calls."""

    def __init__(self, file: BinaryIO, most: int | None) -> None:
        self._file, self._most, self._size = file, most, 0

    def write(self, content: bytes) -> int:
        self._size += len(content)
        if self._most is not None and self._size > self._most:
            raise TooLongError(self._most)
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()


class _Bar:
    """A progress bar with the four methods that pooch calls."""

    def __init__(self, name: str, most: int | None, console: Console) -> None:
        self.total = 0  # what the server says; it need not say anything
        self._most = most
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task(name, total=most)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def update(self, size: int) -> None:
        self._progress.update(self._task, total=self.total or self._most, advance=size)

    def reset(self) -> None:
        self._progress.reset(self._task, total=self.total or self._most)

    def close(self) -> None:
        self._progress.stop()
