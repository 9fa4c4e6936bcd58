"""A guard against passes that need more memory than there is.

A GPU that is full makes torch raise, and the scores of that pass get the status ``oom``. On the CPU
the kernel kills the process instead, and with it the whole run, so the need is estimated before.
The guard changes no value and splits no batch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import torch
from torch import Tensor, nn

from harness.passes.run import Run

# Peak memory without the weights' gradients, over what the forward keeps, by number of backwards
# through each other. Measured on NAS-Bench-201 and TransNAS-Bench-101 were 1.0 to 1.7 and 2.6 to
# 3.2; the low end, because what fits must not be refused.
FACTORS = {1: 1.0, 2: 2.5}
# Beside its parameters, no benchmark's network needs as many times the size of its images (1500 in
# NAS-Bench-201). Where that fits, the forward of one image that an estimate takes is saved.
PLENTY = 5000
# A ReLU keeps what it returns, which counts as the next layer's input; the others keep nothing.
KEEP_NO_INPUT = (nn.ReLU, nn.Identity, nn.Flatten)


def check_memory(run: Run, backwards: int) -> None:
    """Refuses a pass whose backward cannot fit the memory.

    Nothing is checked without a backward, on other devices, whose allocators raise by themselves,
    and on systems that do not say how much memory is available.

    Args:
        run: The network and the batch.
        backwards: How often the pass differentiates the batch's forward, 0 to 2.

    Raises:
        MemoryError: If the estimate exceeds the available memory; the message tells both.
    """
    if not backwards or run.batch.images.device.type != "cpu":
        return
    available = available_memory()
    gradients = backwards * sum(parameter.nbytes for parameter in run.network.parameters())
    if available is None or gradients + PLENTY * run.batch.images.nbytes <= available:
        return
    estimate = gradients + FACTORS[backwards] * len(run.batch) * kept_by_one_image(run)
    if estimate > available:
        raise MemoryError(
            f"the pass needs about {estimate / 1e9:.3g} GB and {available / 1e9:.3g} GB are "
            "available; lower batch_size or score elsewhere"
        )


def kept_by_one_image(run: Run) -> int:
    """Returns the bytes that the forward of one image keeps for a backward.

    These are the inputs of the network's layers, each stored tensor once. Operations outside of
    layers are not seen. A branch that leads nowhere counts, although its memory is freed early.
    """
    inputs: dict[int, Tensor] = {}  # holding them keeps their addresses from being used again

    def see(_: nn.Module, arguments: tuple[object, ...]) -> None:
        inputs.update((x.data_ptr(), x) for x in arguments if isinstance(x, Tensor))

    leaves = [module for module in run.network.modules() if not any(module.children())]
    with run.undisturbed("memory"), torch.no_grad(), ExitStack() as hooks:
        for layer in leaves:
            if not isinstance(layer, KEEP_NO_INPUT):
                hooks.callback(layer.register_forward_pre_hook(see).remove)
        run.trace()
    return sum(x.nbytes for x in inputs.values())


def available_memory(root: Path = Path("/")) -> int | None:
    """Returns the bytes that this process can use, or None on systems without ``/proc/meminfo``.

    That is what the system, or a control group with a limit, has left, and what the process holds
    already: the allocator keeps freed memory for the next pass.

    Args:
        root: Where ``proc`` and ``sys`` are mounted.
    """
    left = _field(root / "proc/meminfo", r"MemAvailable:\s+(\d+) kB")
    if left is None:
        return None
    own = _field(root / "proc/self/status", r"RssAnon:\s+(\d+) kB") or 0
    return min([left * 1024, *_left_in_groups(root)]) + own * 1024


def _left_in_groups(root: Path) -> Iterator[int]:
    """Yields what is left in each control group above the process; files in cache can go."""
    versions = {
        "": ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
        "memory": (
            "sys/fs/cgroup/memory",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_inactive_file",
        ),
    }
    for kind, path in re.findall(r"^\d+:(.*?):/(.*)$", _text(root / "proc/self/cgroup"), re.M):
        if kind not in versions:
            continue
        top, limit_file, usage_file, cache = versions[kind]
        innermost = root / top / path
        for group in (innermost, *innermost.parents):
            limit = _field(group / limit_file, r"(\d+)")
            if limit is not None:
                used = _field(group / usage_file, r"(\d+)") or 0
                yield limit - used + (_field(group / "memory.stat", rf"{cache} (\d+)") or 0)


def _field(path: Path, pattern: str) -> int | None:
    found = re.search(f"^{pattern}", _text(path), re.M)
    return int(found[1]) if found else None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # not every system has it
        return ""
