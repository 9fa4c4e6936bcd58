"""Downloads one file and shows how far it is."""

from __future__ import annotations

from pathlib import Path

import pooch
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

TIMEOUT_SECONDS = 60  # without an answer or a further byte


def download(address: str, path: Path, name: str) -> None:
    """Downloads ``address`` to ``path``, with a progress bar called ``name``.

    Raises:
        OSError: If the server cannot be reached or refuses; every error of requests is one.
    """
    with _Bar(name) as bar:
        pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT_SECONDS)(address, str(path), None)


class _Bar:
    """A progress bar with the four methods that pooch calls."""

    def __init__(self, name: str) -> None:
        self.total = 0
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            transient=True,
        )
        self._task = self._progress.add_task(name, total=None)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def update(self, size: int) -> None:
        self._progress.update(self._task, total=self.total or None, advance=size)

    def reset(self) -> None:
        self._progress.reset(self._task, total=self.total or None)

    def close(self) -> None:
        self._progress.stop()
