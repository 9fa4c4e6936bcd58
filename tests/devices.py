"""A stand-in for a GPU: torch's meta device, which runs everything but has no values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten


class Device(TorchDispatchMode):
    """Lets meta tensors be read, as ones, and counts what makes Python wait for a GPU.

    Attributes:
        waits: Name of an operation -> how often it waited: numbers that are read, copies between
            host and device, and results whose size depends on values.
        draws: How many random numbers' operations did: a seed means the same everywhere only if
            all are drawn on the CPU.
        launches: How many operations ran on the device.
    """

    def __init__(self) -> None:
        super().__init__()
        self.draws = 0
        self.waits: Counter[str] = Counter()
        self.launches = 0

    def __torch_dispatch__(
        self,
        operation: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        tensors = [a for a in torch.utils._pytree.tree_leaves((args, kwargs)) if is_tensor(a)]
        if not any(t.is_meta for t in tensors):
            return self._of_the_host(operation, args, kwargs)
        self.launches += 1
        instead = {
            aten._local_scalar_dense.default: self._number,
            aten._to_copy.default: self._copy,
            aten.equal.default: lambda *_: False,
            aten.index.Tensor: self._index,
            aten.nonzero.default: lambda x: x.new_empty((x.numel(), x.dim()), dtype=torch.long),
            aten._unique2.default: lambda x, *_: self._distinct(x.flatten(), 0),
            aten.unique_dim.default: lambda x, dim, *_: self._distinct(x, dim),
        }.get(operation)
        if instead is not None:
            result = instead(*args, **kwargs)
            if result is not NotImplemented:
                self.waits[str(operation)] += 1
                return result
        result = operation(*args, **kwargs)
        if torch.Tag.nondeterministic_seeded in operation.tags and result.is_meta:
            self.draws += 1
        return result

    def _of_the_host(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if operation is aten._to_copy.default and str(kwargs.get("device")) == "meta":
            self.waits["copy to the device"] += 1
        return operation(*args, **kwargs)

    def _number(self, x: Tensor) -> bool | int | float:
        one = torch.ones((), dtype=x.dtype)
        return one.item()

    def _copy(self, x: Tensor, **kwargs: Any) -> Any:
        target = kwargs.get("device")
        if target is None or torch.device(target).type != "cpu":
            return NotImplemented
        return torch.ones(x.shape, dtype=kwargs.get("dtype") or x.dtype)

    def _index(self, x: Tensor, indices: Sequence[Tensor | None]) -> Any:
        given = [index for index in indices if index is not None]
        if any(index.dtype in (torch.bool, torch.uint8) for index in given):
            return x.new_empty(x.numel())
        if any(not index.is_meta for index in given):
            self.waits["copy of an index"] += 1
        return NotImplemented

    def _distinct(self, x: Tensor, dim: int) -> tuple[Tensor, Tensor, Tensor]:
        places = x.new_empty(x.shape[dim], dtype=torch.long)
        return x, places, places


def is_tensor(value: object) -> bool:
    return isinstance(value, Tensor)
