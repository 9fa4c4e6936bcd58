"""Widths, resolutions and parameter counts of the networks of TransNAS-Bench-101.

Duan et al., "TransNAS-Bench-101: Improving Transferability and Generalizability of Cross-Task
Neural Architecture Search", CVPR 2021. A module is one digit: 1 plain, 2 doubles the width,
3 halves the resolution, 4 does both; only its first block changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from harness.inputs.tasks import Task

BASE_WIDTH = 64
BLOCKS_PER_MODULE = 2
# (source, target) in the order of the architecture string.
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
NONE, SKIP, CONV_1X1, CONV_3X3 = "0123"


class Shape(NamedTuple):
    """What a block does to its input: widths before and after, and the stride."""

    c_in: int
    c_out: int
    stride: int

    @property
    def is_plain(self) -> bool:
        """Whether input and output have the same shape."""
        return self.stride == 1 and self.c_in == self.c_out


def block_shapes(modules: str) -> Iterator[Shape]:
    """Yields the shapes of all blocks of an encoder with these module digits."""
    width = BASE_WIDTH
    for module in modules:
        c_in = width
        width = 2 * width if module in "24" else width
        yield Shape(c_in, width, stride=2 if module in "34" else 1)
        for _ in range(BLOCKS_PER_MODULE - 1):
            yield Shape(width, width, stride=1)


def output_width(modules: str) -> int:
    """Returns the number of channels that an encoder with these module digits puts out."""
    return BASE_WIDTH << sum(module in "24" for module in modules)


def halvings(modules: str) -> int:
    """Returns how often such an encoder halves the resolution, twice of which in the stem."""
    return 2 + sum(module in "34" for module in modules)


def edge_shape(source: int, cell: Shape) -> Shape:
    """Returns what an edge of a micro cell does: those from the cell's input change the shape."""
    return cell if source == 0 else Shape(cell.c_out, cell.c_out, stride=1)


def count_encoder(modules: str, count_block: Callable[[Shape], int]) -> int:
    """Returns the number of parameters of an encoder, given those of a block."""
    stem = _conv_bn(3, BASE_WIDTH // 2, 3) + _conv_bn(BASE_WIDTH // 2, BASE_WIDTH, 3)
    return stem + sum(count_block(shape) for shape in block_shapes(modules))


def count_cell(operations: str, shape: Shape) -> int:
    """Returns the number of parameters of a micro cell."""
    return sum(
        _count_operation(operation, edge_shape(source, shape))
        for (source, _), operation in zip(EDGES, operations, strict=True)
    )


def count_basic_block(shape: Shape) -> int:
    """Returns the number of parameters of a macro block."""
    c_in, c_out, _ = shape
    shortcut = 0 if shape.is_plain else _conv_bn(c_in, c_out, 1)
    return _conv_bn(c_in, c_out, 3) + _conv_bn(c_out, c_out, 3) + shortcut


def _count_operation(name: str, shape: Shape) -> int:
    if name == NONE or (name == SKIP and shape.is_plain):
        return 0
    return _conv_bn(shape.c_in, shape.c_out, 3 if name == CONV_3X3 else 1)


def _conv_bn(c_in: int, c_out: int, kernel: int) -> int:
    return kernel**2 * c_in * c_out + 2 * c_out


JIGSAW_TILES = 9
ADVERSARIAL_TASKS = ("normal", "autoencoder")


@dataclass(frozen=True)
class Layout:
    """Layers of a decoder that puts out an image.

    Attributes:
        widths: Output channels of each 3×3 layer before the last one.
        upsampling: Layers that may double the resolution; the first d do where d are needed.
        tanh: Whether a tanh follows the last layer.
    """

    widths: tuple[int, ...]
    upsampling: tuple[int, ...]
    tanh: bool


_GENERATIVE = Layout(
    widths=(1024, 1024, 512, 512, 256, 128, 64, 64, 32, 32, 16, 32, 16),
    upsampling=(12, 10, 8, 6, 4, 2),
    tanh=True,
)
_SEGMENTATION = Layout(
    widths=(1024, 512, 256, 128, 64, 32, 32),
    upsampling=(6, 5, 4, 3, 2, 1),
    tanh=False,
)
LAYOUTS = {"segmentsemantic": _SEGMENTATION, "normal": _GENERATIVE, "autoencoder": _GENERATIVE}


def count_decoder(task: Task, width: int) -> int:
    """Returns the number of parameters of a task's decoder; upsampling does not change it."""
    if task.name not in LAYOUTS:
        return (pooled_width(task, width) + 1) * task.outputs
    widths = LAYOUTS[task.name].widths
    layers = sum(9 * c_in * c_out + 3 * c_out for c_in, c_out in pairwise((width, *widths)))
    return layers + (9 * widths[-1] + 1) * task.outputs


def pooled_width(task: Task, width: int) -> int:
    """Returns the channels before the classifier: the jigsaw task stacks those of all tiles."""
    return width * JIGSAW_TILES if task.name == "jigsaw" else width


# (input channels, output channels, kernel, stride) of the discriminator's convolutions.
DISCRIMINATOR = (
    (6, 64, 5, 4),
    (64, 128, 5, 4),
    (128, 256, 5, 4),
    (256, 256, 3, 1),
    (256, 512, 3, 1),
    (512, 512, 3, 1),
    (512, 1, 3, 1),
)


def count_discriminator() -> int:
    """Returns the number of parameters of the discriminator, 5,168,705."""
    return sum((c_in * k**2 + 1) * c_out for c_in, c_out, k, _ in DISCRIMINATOR)
