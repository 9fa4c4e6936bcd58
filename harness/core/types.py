"""The few records that travel between the packages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # records travel through packages that start without torch
    from torch import Tensor

Status = Literal["ok", "undefined", "oom", "error"]

RANKED = ("ok", "undefined")
FAILED = ("oom", "error")

Policy = Literal["worst", "drop"]
"""What an undefined score ranks as: the last place, or it is left out."""


@dataclass(frozen=True)
class Score:
    """What one proxy says about one network.

    Attributes:
        value: The score; NaN unless ``status`` is ``"ok"``. Higher is meant to be better.
        status: ``ok``, ``undefined`` (the formula has no value here), ``oom`` or ``error``.
        seconds: Time of the proxy itself plus its equal share of each pass that it used, so that
            the seconds of all proxies add up to the time that the network took.
        message: Why there is no value; empty when there is one.
    """

    value: float
    status: Status
    seconds: float
    message: str = ""


@dataclass(frozen=True)
class Batch:
    """A batch of inputs for one task.

    Attributes:
        images: N×C×H×W float32 (jigsaw: N×9×C×H×W), normalised as the inputs were configured.
        labels: Class indices (N, int64), soft labels or regression targets (N×K), a class per
            pixel (N×H×W, int64) or a target image (N×C×H×W); None if unlabelled.
        loss: Name of the task's loss, a key of ``harness.passes.losses.LOSSES``.
        second: Another minibatch of the same task, for proxies that compare two (ZiCo).
    """

    images: Tensor
    labels: Tensor | None = None
    loss: str = "cross_entropy"
    second: Batch | None = None

    def __len__(self) -> int:
        return int(self.images.shape[0])

    def to(self, device: str, *, channels_last: bool = False) -> Batch:
        """Returns the batch on another device, 4-D images optionally in channels-last layout.

        The layout spreads through the network from its input; it changes speed and rounding, and
        the order in which random images are drawn (``harness.passes.transfer.noise_like``).
        """
        import torch

        images = self.images.to(device)
        if channels_last and images.dim() == 4:
            images = images.contiguous(memory_format=torch.channels_last)
        return Batch(
            images,
            None if self.labels is None else self.labels.to(device),
            self.loss,
            None if self.second is None else self.second.to(device, channels_last=channels_last),
        )
