"""Where a result comes from: configuration, versions, machine, data and commit."""

from __future__ import annotations

import dataclasses
import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import harness
from harness.config import Config
from harness.files import atomic
from harness.inputs import describe_inputs
from harness.inputs.files import checksum
from harness.tasks import tasks
from harness.truth.sources import source

PACKAGES = ("torch", "numpy", "scipy", "pandas", "pyarrow", "hydra-core", "scikit-learn")


def write(path: Path, config: Config, resolved: dict[str, Any], truth: Mapping[Any, Any]) -> None:
    """Writes ``run.json``; it names no folder and no user of this machine.

    Args:
        path: Where to.
        config: The configuration as it was asked for.
        resolved: What the run made of it: proxies, seeds, μ and σ, seconds.
        truth: The ground truth's description.
    """
    asked = dataclasses.asdict(config)
    del asked["results"], asked["proxy_sets"]
    checksums = {name: source(name).sha256 for name in truth["sources"]}
    if config.truth.path is not None:
        own = Path(config.truth.path)
        asked["truth"]["path"] = own.name
        checksums[own.name] = checksum(own)
    record = {
        "config": asked,
        "resolved": resolved,
        "truth": dict(truth) | {"sha256": checksums},
        "inputs": describe_inputs(tasks.get(config.task), config.inputs),
        "machine": machine(config.device),
    }
    save(path, record, PACKAGES)


def save(path: Path, record: Mapping[str, Any], packages: Sequence[str]) -> None:
    """Writes a record with the time, the commit and the versions of the code that made it.

    Args:
        path: Where to.
        record: What was made, and how.
        packages: Whose versions matter for it.
    """
    code = {
        "harness": harness.__version__,
        "commit": commit(),
        "versions": {"python": platform.python_version()} | {p: version(p) for p in packages},
    }
    written = datetime.now(UTC).isoformat(timespec="seconds")
    with atomic(path) as temporary:
        text = json.dumps({"written": written, **record, **code}, indent=2, default=str)
        temporary.write_text(text + "\n", encoding="utf-8")


def machine(device: str) -> dict[str, Any]:
    """Describes the hardware that a run used."""
    described: dict[str, Any] = {
        "device": device,
        "cpu": _cpu_model(),
        "cores": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    if torch.device(device).type == "cuda":
        described["gpu"] = torch.cuda.get_device_name(device)
    return described


def commit() -> str | None:
    """Returns the commit of the checkout that this package lies in; None outside of one.

    A ``+`` behind it means that the code had uncommitted changes.
    """
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    head = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain", "--", "harness", "conf")
    return f"{head}+" if head and changed else head


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
