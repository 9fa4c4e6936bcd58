"""Published counts of real networks, and the same counts measured on ours."""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn


def vectors(name):
    """Reads a vector file, or nothing: a test over an empty list of cases is skipped."""
    folder = os.environ.get("HARNESS_VECTORS")
    return json.loads((Path(folder) / f"{name}.json").read_text()) if folder else {}


@dataclass
class Work:
    """What a network has and what one forward of one sample executes."""

    params: int
    macs: int = 0
    relu_calls: int = 0
    relu_units: int = 0
    conv_calls: int = 0
    output_shape: list[int] | None = None

    def see(self, module, inputs, output):
        if isinstance(module, nn.ReLU):
            self.relu_calls += 1
            self.relu_units += output.numel()
        elif isinstance(module, nn.Linear):
            self.macs += output.numel() * module.in_features
        else:
            self.conv_calls += 1
            # A transposed convolution spreads each input pixel over the kernel.
            pixels = inputs[0] if isinstance(module, nn.ConvTranspose2d) else output
            self.macs += math.prod(pixels.shape[2:]) * module.weight.numel()


def on_meta(build, *arguments):
    """Builds a network without memory or random numbers: shapes only."""
    with torch.device("meta"):
        return build(*arguments)


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def measured(network, size=32, shape=None):
    """Counts what a network on the meta device does with a size×size image, or another input."""
    work = Work(parameters(network))
    hooks = [
        module.register_forward_hook(work.see)
        for module in network.modules()
        if isinstance(module, nn.ReLU | nn.Linear | nn.Conv2d | nn.ConvTranspose2d)
    ]
    image = torch.zeros(1, *(shape or (3, size, size)), device="meta")
    work.output_shape = list(network(image).shape)
    for hook in hooks:
        hook.remove()
    return work
