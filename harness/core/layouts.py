"""Memory layouts of tensors: on a CPU, an operation on two different ones is slow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # this package starts without torch
    import torch
    from torch import Tensor


def layout_of(x: Tensor) -> torch.memory_format:
    """Returns the layout of a tensor; where it is both or neither, that is contiguous."""
    import torch

    last = x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last and not x.is_contiguous() else torch.contiguous_format


def zeros_beside(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Returns zeros of N×C×H×W in the layout of another such tensor, with its type and device."""
    import torch

    empty = torch.empty(tuple(shape), dtype=x.dtype, device=x.device, memory_format=layout_of(x))
    return empty.zero_()
