"""The artefacts of the papers: their figures and tables."""

from __future__ import annotations

from collections.abc import Callable

from harness.artefacts.artefact import Artefacts, Draw, Kind

artefacts = Artefacts("artefact of a paper", home="harness.papers")


def artefact(name: str, kind: Kind) -> Callable[[Draw], Draw]:
    """Registers a function as the artefact ``name``."""
    return artefacts.registering(name, kind)
