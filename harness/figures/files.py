"""File names of figures and tables."""

from __future__ import annotations

from pathlib import Path


def with_suffix(path: Path | str, suffix: str) -> Path:
    """Appends ``.suffix``; unlike ``Path.with_suffix`` it keeps a dot in the name."""
    return Path(f"{path}.{suffix}")
