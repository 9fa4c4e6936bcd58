"""What a network returns, whatever it packs it in."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from harness.core.errors import HarnessError
from harness.passes.weighted_layers import tensors_in

NAMES = ("logits", "out")


def tensor_of(output: object) -> Tensor:
    """Returns the one tensor that a network's output is, or holds, or calls its logits.

    Raises:
        HarnessError: If it cannot be told which one that is.
    """
    if isinstance(output, Tensor):
        return output
    for name in NAMES:
        named = output.get(name) if isinstance(output, Mapping) else getattr(output, name, None)
        if isinstance(named, Tensor):
            return named
    held = list(tensors_in(output))
    if len(held) == 1:
        return held[0]
    raise HarnessError(
        f"The network returns a {type(output).__name__} of {len(held)} tensors; wrap it so that it "
        "returns one tensor, or calls one 'logits'."
    )
