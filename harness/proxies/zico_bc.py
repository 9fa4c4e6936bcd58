"""ZiCo-BC."""

import math
from collections.abc import Mapping

from torch import nn

from harness.core.errors import UndefinedScoreError
from harness.passes.further_settings import ZicoBcSettings
from harness.passes.minibatch import LossGradients, SecondGradients
from harness.passes.static import Layers
from harness.proxies.contract import proxy
from harness.proxies.zico import layer_totals


@proxy(labels=True)
def zico_bc(
    first: LossGradients, second: SecondGradients, layers: Layers, settings: ZicoBcSettings
) -> float:
    """ZiCo − β Σ_l log(H_l W_l / √C_l), which takes back zico's bias to thin and deep networks.

    H, W and C are height, width and channels of what layer l returns (1×1 of a linear layer), over
    the layers that zico counts. Definition read in the paper.

    Source: Bhardwaj et al. 2023, "ZiCo-BC: A Bias Corrected Zero-Shot NAS for Vision Tasks".
    """
    shapes = {layer.module: layer.output_shape for layer in layers.executed}
    totals = zip(first.layers, layer_totals(first, second), strict=True)
    counted = [(layer, total) for layer, total in totals if total > 0]
    if not counted:
        raise UndefinedScoreError("no gradient differs between the two minibatches")
    sizes = (_size(layer, shapes) for layer, _ in counted)
    return sum(math.log(total) for _, total in counted) - settings.beta * sum(sizes)


def _size(layer: nn.Module, shapes: Mapping[nn.Module, tuple[int, ...]]) -> float:
    if isinstance(layer, nn.Linear):
        return -0.5 * math.log(layer.out_features)
    channels, height, width = shapes[layer][-3:]
    return math.log(height * width / math.sqrt(channels))
