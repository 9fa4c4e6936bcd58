"""Lets the kernels of several processes run side by side on a GPU: CUDA's multi-process service.

Without it a GPU serves its processes in turns, and the kernels of one small network fill no GPU.
Nothing about the card is changed; the service ends with the run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

CONTROL = "nvidia-cuda-mps-control"
PIPES = "CUDA_MPS_PIPE_DIRECTORY"
TRIED = "import torch; print(torch.ones(1, device='cuda').item())"
PATIENCE = 30.0  # seconds


@contextmanager
def shared_gpu(environment: Mapping[str, str], folder: Path) -> Iterator[dict[str, str]]:
    """Runs the service, where there is one that works.

    Args:
        environment: Of the processes that will compute.
        folder: For its pipes and logs.

    Yields:
        The environment with which they use it; as it was where there is none.
    """
    pipes = folder / "mps"
    pipes.mkdir()
    with_it = {**environment, PIPES: str(pipes), "CUDA_MPS_LOG_DIRECTORY": str(pipes)}
    if shutil.which(CONTROL) is None or not started(with_it):
        yield dict(environment)
        return
    try:
        yield with_it if works(with_it) else dict(environment)
    finally:
        ask([CONTROL], with_it, "quit\n")


def started(environment: Mapping[str, str]) -> bool:
    """Starts the service in the background; tells whether that succeeded."""
    return ask([CONTROL, "-d"], environment)


def works(environment: Mapping[str, str]) -> bool:
    """Tells whether a process can compute with it."""
    return ask([sys.executable, "-c", TRIED], environment)


def ask(command: list[str], environment: Mapping[str, str], said: str = "") -> bool:
    """Runs a command to its end; tells whether it succeeded."""
    try:
        done = subprocess.run(
            command,
            env=environment,
            input=said.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def sharing() -> bool:
    """Tells whether processes that are started now use the service."""
    return PIPES in os.environ


@contextmanager
def in_turns() -> Iterator[None]:
    """Lets processes that are started meanwhile do without the service."""
    pipes = os.environ.pop(PIPES, None)
    try:
        yield
    finally:
        if pipes is not None:
            os.environ[PIPES] = pipes
