"""The benchmarks' task losses, all averaged over the batch."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from harness.core.errors import HarnessError, unknown
from harness.core.types import Batch


def soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy with soft labels, −Σ t·log(softmax + 1e-5), as TransNAS-Bench-101 trains."""
    return -(targets * (logits.softmax(dim=1) + 1e-5).log()).sum(dim=1).mean()


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": functional.cross_entropy,
    "soft_cross_entropy": soft_cross_entropy,
    "l1": functional.l1_loss,
    "mse": functional.mse_loss,
}
CLASS_LOSSES = ("cross_entropy", "soft_cross_entropy")
"""Those of outputs that are logits of classes."""


def task_loss(outputs: Tensor, batch: Batch) -> Tensor:
    """Returns the scalar loss of a batch.

    Raises:
        HarnessError: If the batch has no labels or names an unknown loss.
    """
    if batch.labels is None:
        raise HarnessError("This proxy needs labels, but the batch has none; give labelled images.")
    if batch.loss not in LOSSES:
        raise unknown("loss", batch.loss, LOSSES)
    return LOSSES[batch.loss](outputs, batch.labels)
