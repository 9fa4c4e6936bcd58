"""Between host and device: one copy each way, because every copy waits for the device.

A GPU works on what was queued while Python goes on. Reading a number, or copying from ordinary
memory, waits until the queue is empty, and a network has hundreds of layers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TypeVar

import torch
from torch import Tensor, nn

N = TypeVar("N", bound=nn.Module)

ALIGNMENT = 512  # bytes; what CUDA's own allocator gives, on which kernels count


def numbers(scalars: Sequence[Tensor]) -> list[float]:
    """Returns the values of tensors of one element each, of one type and device."""
    return torch.stack(list(scalars)).tolist() if scalars else []


def on_host(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Returns tensors of one type and device on the CPU; where they are there, as they are."""
    return copied(tensors, torch.device("cpu"))


def copied(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Returns tensors of one type and device on another device, by one copy."""
    if all(tensor.device == device for tensor in tensors):
        return list(tensors)
    whole = torch.cat([tensor.flatten() for tensor in tensors]).to(device)
    parts = torch.split(whole, [tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


def noise_like(images: Tensor) -> Tensor:
    """Draws N(0,1) in the shape and layout of images, from the CPU's generator on any device.

    They are drawn in the order of the memory: in another layout, a seed means other images.
    """
    return torch.randn_like(images, device="cpu").to(images.device)


def on_device(network: N, device: torch.device | str) -> N:
    """Moves a network from the CPU to a device; its parameters and buffers travel as one block.

    They are drawn on the CPU, so that a seed means the same weights everywhere.
    """
    target = torch.device(device)
    if target.type == "cpu":
        return network
    by_type: dict[torch.dtype, dict[int, Tensor]] = defaultdict(dict)
    for tensor in chain(network.parameters(), network.buffers()):
        by_type[tensor.dtype][id(tensor)] = tensor.detach()
    moved: dict[int, Tensor] = {}
    for tensors in by_type.values():
        moved |= zip(tensors, _moved(list(tensors.values()), target), strict=True)
    network._apply(lambda tensor: moved[id(tensor)])  # type: ignore[no-untyped-call]
    return network


def _moved(tensors: list[Tensor], device: torch.device) -> Iterator[Tensor]:
    """Yields tensors of one type on the device, places in one block there."""
    step = ALIGNMENT // tensors[0].element_size()
    rooms = [-(-tensor.numel() // step) * step for tensor in tensors]
    pinned = device.type == "cuda"  # from other memory, a copy waits for the device
    host = torch.empty(sum(rooms), dtype=tensors[0].dtype, pin_memory=pinned)
    for tensor, room in zip(tensors, torch.split(host, rooms), strict=True):
        room[: tensor.numel()] = tensor.flatten()
    block = host.to(device, non_blocking=True)
    for tensor, room in zip(tensors, torch.split(block, rooms), strict=True):
        # .data has a version counter of its own, where views of the block would share one: a batch
        # norm that updates its statistics would count as having changed every weight.
        yield room[: tensor.numel()].view(tensor.shape).data
