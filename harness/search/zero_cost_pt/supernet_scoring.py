"""How a supernet is scored: all that decides a score but the seed and what is perturbed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.config import Config
from harness.core.sections import Settings
from harness.scoring.conditions import Conditions, described, device_type
from harness.search.zero_cost_pt.perturbation import KERNEL_PROXY
from harness.search.zero_cost_pt.zero_cost_pt_settings import ZeroCostPtSettings

# Changes whenever a change of the code changes scores, so that old ones are not mixed in.
DEFINITION = "1"


@dataclass(frozen=True)
class SupernetScoring:
    """How perturbations of a supernet are scored.

    Attributes:
        conditions: Space, task, images and device.
        settings: ``proxy`` and ``counting``.
    """

    conditions: Conditions
    settings: ZeroCostPtSettings

    def shared(self) -> dict[str, Any]:
        """Returns what decides every score of a supernet, as JSON has it."""
        return {
            "space": self.conditions.space,
            "task": self.conditions.task,
            "inputs": dict(described(self.conditions.task, self.conditions.inputs)),
            "device": device_type(self.conditions.device),
            "definition": DEFINITION,
        }

    def own(self) -> dict[str, Any]:
        """Returns what else decides those of perturbations."""
        proxy, counting = self.settings.proxy, self.settings.counting
        return {
            "images": self.conditions.batch_size,
            "proxy": {"name": proxy, **self.conditions.own(proxy)},
            "counting": counting if proxy == KERNEL_PROXY else None,
        }


def scored_under(
    config: Config, settings: ZeroCostPtSettings, *, channels_last: bool
) -> Conditions:
    """Returns the conditions under which a run scores supernets."""
    images = settings.images_on(config.space)
    inputs, device = config.inputs, config.device
    return Conditions(
        config.space, config.task, inputs, images, device, channels_last, settings=Settings()
    )
