"""What a training goes on from: a file per epoch that carries its own checksum in its name.

It appears whole or not at all. The one before is kept, for a machine that loses power may lose what
it wrote last.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from harness.core.errors import DataError
from harness.core.files import atomic

KEPT = 2


def newest(folder: Path) -> Path | None:
    """Returns the file of the last finished epoch; None before the first."""
    return max(folder.glob("epoch_*.pt"), default=None)


def epochs_done(folder: Path) -> int:
    """Returns how many epochs are finished."""
    path = newest(folder)
    return int(path.stem.split("_")[1]) if path else 0


def write(folder: Path, epoch: int, state: dict[str, Any]) -> None:
    """Writes the state after an epoch, counted from 1, and drops those before the last."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    with atomic(folder / f"epoch_{epoch:05d}_{_digest(content)}.pt") as temporary:
        temporary.write_bytes(content)
    for old in sorted(folder.glob("epoch_*.pt"))[:-KEPT]:
        old.unlink(missing_ok=True)


def read(path: Path, device: torch.device | str) -> dict[str, Any]:
    """Returns a state; nothing but tensors, texts and numbers is unpickled.

    Raises:
        DataError: If the file was changed or damaged.
    """
    content = path.read_bytes()
    try:
        if _digest(content) != path.stem.rpartition("_")[2]:
            raise ValueError("its checksum is not the one in its name")
        state: dict[str, Any] = torch.load(
            io.BytesIO(content), map_location=device, weights_only=True
        )
    except Exception as error:  # torch raises many types for what it does not load
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"The checkpoint {path} is corrupted ({reason}); delete it, and the training goes on "
            "from the one before, if there is one, or from the start."
        ) from error
    return state


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
