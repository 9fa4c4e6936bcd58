"""The networks and the batch that all benchmarks share: real cells, noise images."""

from __future__ import annotations

import torch
from torch import nn

from harness import api

SPACE = api.spaces.get("nb201")
LARGEST = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+"
LARGEST += "|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"


def cells(n: int) -> list[str]:
    """Returns ``n`` random NAS-Bench-201 cells, always the same."""
    return SPACE.sample(n, seed=2024)


def network(key: str) -> nn.Module:
    """Builds the CIFAR-10 network of a cell."""
    return SPACE.build(key, "cifar10", seed=0)


def batch(size: int, *, channels_last: bool = True) -> api.Batch:
    """Returns Gaussian images, by default in the command line's layout; values change no times."""
    noise = api.batch("cifar10", inputs=api.InputSettings(source="gaussian"), size=size)
    return noise.to("cpu", channels_last=channels_last)


def plain_forward_seconds(repeats: int = 5) -> float:
    """Times a forward of the all-3×3 cell at batch 64, the yardstick of a machine's speed."""
    from benchmarks.timing import in_turn

    largest, images = network(LARGEST), batch(64).images.contiguous()
    with torch.no_grad():
        return in_turn({"forward": lambda: largest(images)}, repeats)["forward"]
