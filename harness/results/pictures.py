"""How the pictures of a result are drawn; known without what draws them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from harness.core.picture_formats import check_formats


@dataclass(frozen=True)
class Pictures:
    """How the pictures of a result are drawn, as the keys of ``job=correlate`` say.

    Attributes:
        formats: ``png``, ``svg``, ``pdf`` or a list of them; a PNG is always there.
        bare: Whether they have no heading.
        ranks: Whether the scatter plot shows ranks.
    """

    formats: Any = "png"
    bare: bool = False
    ranks: bool = False

    def __post_init__(self) -> None:
        """Refuses formats that there are not, before anything is scored.

        Raises:
            HarnessError: With those that there are.
        """
        check_formats(self.suffixes)

    @property
    def suffixes(self) -> list[str]:
        """Every format, each once."""
        asked = [self.formats] if isinstance(self.formats, str) else self.formats
        return list(dict.fromkeys(["png", *map(str, asked)]))

    def are_those(self, config: Mapping[str, Any]) -> bool:
        """Tells whether a result whose configuration is recorded has them."""
        names = [one.name for one in fields(self) if one.name in config]
        there = Pictures(**{name: config[name] for name in names})
        return self.suffixes == there.suffixes and (self.bare, self.ranks) == (
            there.bare,
            there.ranks,
        )


USUAL = Pictures()
