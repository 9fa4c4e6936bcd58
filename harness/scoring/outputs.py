"""What a network returns, whatever it packs it in."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from harness.core.errors import HarnessError
from harness.passes.weighted_layers import tensors_in

NAMES = ("logits", "out")


def tensor_of(output: object) -> Tensor | None:
    """Returns the one tensor that a network's output is, or holds, or calls its logits."""
    if isinstance(output, Tensor):
        return output
    for name in NAMES:
        named = output.get(name) if isinstance(output, Mapping) else getattr(output, name, None)
        if isinstance(named, Tensor):
            return named
    held = list(tensors_in(output))
    return held[0] if len(held) == 1 else None


def several(output: object) -> HarnessError:
    """Returns the error for an output of which it cannot be told which tensor counts."""
    held = len(list(tensors_in(output)))
    return HarnessError(
        f"The network returns a {type(output).__name__} of {held} tensors; wrap it so that it "
        "returns one tensor, or calls one 'logits'."
    )
