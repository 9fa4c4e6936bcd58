"""Which machine and which code computed something."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import harness

PACKAGE = Path(__file__).resolve().parents[1]


@cache
def machine(device: str = "cpu") -> dict[str, Any]:
    """Describes the hardware and software of this process; it names no folder, user or host."""
    import torch

    found = {
        "device": device,
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": version("torch"),
        "harness": harness.__version__,
        "commit": commit(),
    }
    if torch.device(device).type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(device)
    return found


@cache
def device_of(description: str) -> str:
    """Returns the kind of device of a machine, described as rows of scores have it.

    Args:
        description: What ``machine`` returned, as JSON.

    Returns:
        ``cpu`` or ``cuda``.
    """
    return str(json.loads(description)["device"]).partition(":")[0]


def in_words(device: str) -> str:
    """Returns what people call a kind of device: ``CPU`` or ``GPU``."""
    return {"cpu": "CPU", "cuda": "GPU"}.get(device, device)


@cache
def commit() -> str | None:
    """Returns the commit of this code: of its checkout, or the one that its export wrote down.

    A ``+`` behind it means that the code had uncommitted changes. None if nobody knows.
    """
    root = PACKAGE.parent
    if (root / ".git").exists():
        head = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--", "harness", "conf")
        return f"{head}+" if head and changed else head
    exported = (PACKAGE / "exported_commit.txt").read_text().strip()
    return exported if re.fullmatch(r"[0-9a-f]{40}", exported) else None


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), "")
