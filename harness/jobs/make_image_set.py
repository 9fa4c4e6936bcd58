"""``job=make_image_set``: an image set from its official archive or from photographs."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.jobs.job import job


@job(one_space=False)
def make_image_set(config: Config, archive: str = "") -> Path:
    """Makes the image set that inputs= names from its official archive or folder.

    Args:
        config: The run; only ``inputs.source`` counts.
        archive: Another archive of the same images, for example ``cifar10_python``.

    Returns:
        The set's file.

    Raises:
        HarnessError: If ``inputs=`` names no image set, or one that is not made.
        DataError: If the archive or folder cannot be had or read.
    """
    from harness.core.errors import HarnessError
    from harness.inputs.image_sets import image_sets, make_image_set
    from harness.inputs.selection import WORDS
    from harness.sources.fetch import fetch

    name = config.inputs.source
    if name in WORDS:
        made = [one.name for one in image_sets.values() if one.make or one.folder]
        raise HarnessError(f"inputs={name} is no image set; name one of {', '.join(made)}.")
    return make_image_set(name, fetch, source=archive or None)
