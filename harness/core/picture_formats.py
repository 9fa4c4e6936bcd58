"""What pictures can be written as; known without what draws them, which takes time to import."""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.errors import unknown

FORMATS = ("png", "svg", "pdf")


def check_formats(formats: Iterable[str]) -> None:
    """Refuses formats that figures are not written in.

    Raises:
        HarnessError: With those that they are.
    """
    for one in formats:
        if one not in FORMATS:
            raise unknown("figure format", one, FORMATS)
