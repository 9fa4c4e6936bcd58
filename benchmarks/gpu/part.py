"""What every part of the run shares: its device, its time and the file of its results."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KIT = Path(".gpu")
"""What ``make gpu-kit`` fills; the working tree and this folder are all that travels."""


@dataclass
class Part:
    """One part of the run.

    Attributes:
        name: Its results are ``<name>.json``.
        device: Where networks run, as ``device=`` has it.
        out: Folder of the results.
        deadline: When it must have ended, by ``time.monotonic``.
        facts: What it has recorded.
    """

    name: str
    device: str
    out: Path
    deadline: float
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.monotonic()

    @property
    def on_gpu(self) -> bool:
        """Whether a GPU computes, or a CPU rehearses."""
        return self.device.startswith("cuda")

    def record(self, **facts: Any) -> None:
        """Adds to the results and writes them at once: the part may be ended at any time."""
        self.facts |= facts
        path = self.out / f"{self.name}.json"
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(self.facts, indent=1, default=str) + "\n")
        partial.replace(path)

    def wait(self) -> None:
        """Waits for the device; a time read before would be that of queueing its work."""
        if self.on_gpu:
            import torch

            torch.cuda.synchronize()


def run(name: str, function: Callable[[Part], None]) -> None:
    """Runs a part as ``python -m benchmarks.gpu.<name> DEVICE OUT SECONDS``."""
    device, out, seconds = sys.argv[1:]
    function(Part(name, device, Path(out), time.monotonic() + float(seconds)))
