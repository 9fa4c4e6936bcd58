"""Gradients of depthwise convolutions, by the kernels of oneDNN that are fast.

On a CPU, oneDNN computes the weight's gradient fast up to three columns, as long as the kernel is
no taller than the image, and no gradient with a dilation: what it runs instead takes 4 to 60 times
as long as the forward. The same sums can be had from what is fast: a dilated convolution is an
undilated one on each of several grids that do not mix, and a large kernel falls into small parts.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.passes.convolutions import Geometry, convolve, gradient_of_input, gradient_of_weight

WIDTH = 3  # of the widest kernel whose gradient oneDNN computes fast


def is_slow(layer: nn.Conv2d) -> bool:
    """Tells whether torch's own gradients of a layer are slow and those of this module are not."""
    return layer.groups == layer.in_channels == layer.out_channels > 1 and (
        layer.kernel_size[1] > WIDTH or layer.dilation != (1, 1)
    )


def is_depthwise(weight: Tensor, geometry: Geometry) -> bool:
    """Tells whether this module can compute a convolution's gradients."""
    single = weight.dtype == torch.float32 and weight.device.type == "cpu"
    return single and geometry.groups == weight.shape[0] > 1 and weight.shape[1] == 1


def to_input(g: Tensor, x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
    """Returns the gradient of x (N×C×H×W), given that of the output."""
    step = _one_grid(geometry)
    if step:
        rows, columns = step
        gradient = torch.zeros_like(x)
        part = x[:, :, ::rows, ::columns]
        gradient[:, :, ::rows, ::columns] = to_input(g, part, weight, _undilated(geometry))
        return gradient
    reach = _reach(weight, geometry)
    if geometry.dilation != (1, 1) and geometry.stride == (1, 1) and min(reach) >= 0:
        mirrored = weight.flip(2, 3)
        return convolve(g, mirrored, geometry._replace(padding=reach))
    return gradient_of_input(g, x, weight, geometry)


def to_weight(g: Tensor, x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
    """Returns the gradient of the weight (C×1×h×w), given that of the output."""
    step = _one_grid(geometry)
    if step:
        rows, columns = step
        return to_weight(g, x[:, :, ::rows, ::columns], weight, _undilated(geometry))
    if _has_grids(g, x, geometry):
        grids = (_grids(g, geometry.dilation), _grids(x, geometry.dilation))
        return to_weight(*grids, weight, _undilated(geometry))
    if geometry.dilation == (1, 1) and weight.shape[3] > WIDTH:
        return _by_parts(g, x, weight, geometry)
    return gradient_of_weight(g, x, weight, geometry)


def _reach(weight: Tensor, geometry: Geometry) -> tuple[int, int]:
    """Returns the padding with which the mirrored kernel leads back to the input's size."""
    sizes = zip(weight.shape[2:], geometry.padding, geometry.dilation, strict=True)
    rows, columns = (dilation * (size - 1) - padding for size, padding, dilation in sizes)
    return rows, columns


def _one_grid(geometry: Geometry) -> tuple[int, ...] | None:
    """Returns the step of the only grid that a dilated convolution sees, if there is only one."""
    starts = zip(geometry.padding, geometry.dilation, strict=True)
    one = geometry.stride == geometry.dilation != (1, 1)
    return geometry.stride if one and all(padding % step == 0 for padding, step in starts) else None


def _has_grids(g: Tensor, x: Tensor, geometry: Geometry) -> bool:
    """Tells whether a dilated convolution takes each grid of x to the same grid of the output."""
    sizes = zip(x.shape[2:], geometry.padding, geometry.dilation, strict=True)
    whole = all(size % step == 0 and padding % step == 0 for size, padding, step in sizes)
    same = g.shape == x.shape and geometry.stride == (1, 1)
    return geometry.dilation != (1, 1) and same and whole


def _grids(x: Tensor, steps: tuple[int, ...]) -> Tensor:
    """Stacks the grids of every ``steps``-th row and column along the batch axis."""
    rows, columns = steps
    grids = [x[:, :, i::rows, j::columns] for i in range(rows) for j in range(columns)]
    return torch.cat(grids)


def _undilated(geometry: Geometry) -> Geometry:
    """Returns how a dilated convolution slides on one of its grids."""
    places = zip(geometry.padding, geometry.dilation, strict=True)
    padding = tuple(pixels // step for pixels, step in places)
    return Geometry((1, 1), padding, (1, 1), geometry.groups)


def _by_parts(g: Tensor, x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
    """Computes a wide kernel's gradient part by part."""
    rows = weight.shape[2] if weight.shape[2] <= x.shape[2] else WIDTH
    inner = geometry._replace(padding=(0, 0))
    gradient = torch.empty_like(weight, memory_format=torch.contiguous_format)
    for top in range(0, weight.shape[2], rows):
        for left in range(0, weight.shape[3], WIDTH):
            part = gradient[:, :, top : top + rows, left : left + WIDTH]
            seen = functional.pad(x, _margins(g, x, part, geometry, (top, left)))
            part.copy_(gradient_of_weight(g, seen, part, inner))
    return gradient


def _margins(
    g: Tensor, x: Tensor, part: Tensor, geometry: Geometry, corner: tuple[int, int]
) -> list[int]:
    """Returns what to add to x, left, right, above and below, for a part of a kernel to see it."""
    margins: list[int] = []
    for axis in (1, 0):
        before = geometry.padding[axis] - corner[axis]
        seen = geometry.stride[axis] * (g.shape[2 + axis] - 1) + part.shape[2 + axis]
        margins += [before, seen - x.shape[2 + axis] - before]
    return margins
