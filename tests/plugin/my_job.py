"""A job with a key of its own that reads the settings of a pass."""

import sys

from my_pass import MyPassSettings

from harness.config import Config
from harness.jobs.job import job


@job()
def count(config: Config, settings: MyPassSettings, *, upto: int = 3) -> None:
    """Counts.

    Args:
        config: What every job shares.
        settings: How deep.
        upto: The last number; 0 ends the process.
    """
    if not upto:
        sys.exit()
    sys.stdout.write(" ".join(map(str, range(settings.depth, upto + 1))) + "\n")
