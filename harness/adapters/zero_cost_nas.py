"""The one function of zero-cost-nas that people call, made of our proxies.

Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.adapters.loaders import batch_of_classes, loaded_batch
from harness.core.errors import HarnessError, shown, unknown
from harness.core.limits import MOST_IMAGES, whole
from harness.core.sections import Settings
from harness.core.typed import checked
from harness.core.types import FAILED, Batch, Score
from harness.scoring.conditions import check_device
from harness.scoring.given_network import score_given

MEASURES = ("grad_norm", "snip", "grasp", "fisher", "jacob_cov", "plain", "synflow")
"""What zero-cost-nas measures; its synflow_bn, SynFlow that keeps batch norm, is not here."""
OUR_NAMES = {"jacob_cov": "jacov"}


@checked
def find_measures(  # noqa: PLR0917 - the signature is zero-cost-nas'
    net_orig: nn.Module,
    dataloader: Iterable[Any],
    dataload_info: tuple[str, int, int],
    device: torch.device | str,
    loss_fn: Callable[[Tensor, Tensor], Tensor] = functional.cross_entropy,
    measure_names: Sequence[str] | None = None,
    measures_arr: None = None,
) -> dict[str, float]:
    """Scores a network, as zero-cost-nas' function of this name.

    Args:
        net_orig: The network; it is moved to the device and else left as it was.
        dataloader: Yields (images, labels).
        dataload_info: ``("random", batches, classes)``, or ``("grasp", images of each class,
            classes)``.
        device: Where to score.
        loss_fn: Cross-entropy, L1 or squared error, as function or module.
        measure_names: Those of zero-cost-nas, or proxies; by default the seven of ``MEASURES``.
        measures_arr: Nothing; zero-cost-nas' per-weight scores have no counterpart.

    Returns:
        Name -> score in zero-cost-nas' units: synflow is a sum, which our proxy takes the logarithm
        of. NaN where a score is undefined.

    Raises:
        HarnessError: If a name, the loader or the loss is unknown, or scoring failed.
    """
    if measures_arr is not None:
        raise HarnessError("measures_arr cannot be given: here scores are not summed up later.")
    check_device(str(device))
    names = list(MEASURES if measure_names is None else measure_names)
    batch = _batch(dataloader, dataload_info, loss_fn).to(str(device))
    ours = [OUR_NAMES.get(name, name) for name in names]
    scores = score_given(net_orig.to(device), batch, ("api", 0), ours, Settings())
    return {name: _in_their_units(name, scores[our]) for name, our in zip(names, ours, strict=True)}


def _batch(loader: Iterable[Any], info: tuple[str, int, int], loss: Any) -> Batch:
    parts = tuple(info)
    if len(parts) != 3:
        raise HarnessError(
            f"dataload_info={shown(parts)} is not a way to load data, a number and the classes."
        )
    kind, *numbers = parts
    number, classes = (whole("dataload_info", one, 1, MOST_IMAGES) for one in numbers)
    if kind == "random":
        return loaded_batch(loader, loss, batches=number)
    if kind == "grasp":
        return batch_of_classes(loader, loss, classes=classes, images=number)
    raise unknown("way to load data", kind, ("random", "grasp"))


def _in_their_units(name: str, score: Score) -> float:
    if score.status in FAILED:
        raise HarnessError(f"{name} failed: {score.message}.")
    if score.status != "ok":
        return math.nan
    return float(np.exp(score.value)) if name == "synflow" else score.value
