"""``job=make_bank``: turns a downloaded official archive into an image bank."""

from __future__ import annotations

from pathlib import Path

from harness import inputs, truth
from harness.config import Config
from harness.jobs.base import jobs


def make_bank(config: Config) -> Path:
    """Makes the bank that ``inputs`` names and returns its file."""
    return inputs.make_bank(config.inputs.source, truth.fetch)


jobs.add("make_bank", make_bank)
