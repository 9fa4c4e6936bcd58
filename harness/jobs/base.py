"""The registry of jobs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.config import Config
from harness.registry import Registry

Job = Callable[[Config], Path]

jobs: Registry[Job] = Registry("job", group="harness.jobs")
