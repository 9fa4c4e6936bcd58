"""Networks of DARTS cells, which NAS-Bench-301 and SWAP's one-cell networks share.

Liu, Simonyan & Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.spaces.darts import NODES, Edges, Genotype
from harness.spaces.darts_skeleton import Placement, Skeleton, stride_of
from harness.spaces.networks.darts_operations import FactorizedReduce, operation
from harness.spaces.networks.residual_reduction import relu_conv_bn


class DartsCell(nn.Module):
    """One cell with its two preprocessing layers."""

    def __init__(self, edges: Edges, place: Placement, *, affine: bool) -> None:
        super().__init__()
        self.sources = [source for _, source in edges]
        self.preprocess_before = (
            FactorizedReduce(place.c_before, place.channels)
            if place.after_reduction
            else relu_conv_bn(place.c_before, place.channels, 1)
        )
        self.preprocess = relu_conv_bn(place.c_in, place.channels, 1)
        self.operations = nn.ModuleList(
            operation(name, place.channels, stride_of(source, place), affine=affine)
            for name, source in edges
        )

    def forward(self, before: Tensor, x: Tensor) -> Tensor:
        """Maps the outputs of the two previous cells to N×(4·channels)×H×W."""
        nodes = [self.preprocess_before(before), self.preprocess(x)]
        for first in range(0, 2 * NODES, 2):
            a, b = (self.operations[i](nodes[self.sources[i]]) for i in (first, first + 1))
            nodes.append(a + b)
        return torch.cat(nodes[2:], dim=1)


class DartsNetwork(nn.Module):
    """The network of a genotype: stem, cells, classifier."""

    def __init__(self, genotype: Genotype, skeleton: Skeleton, classes: int) -> None:
        super().__init__()
        # The first cell's two inputs are the outputs of the first and of both stem layers.
        self.stem, self.stem_again = _stem(skeleton)
        places = list(skeleton.placements())
        self.cells = nn.ModuleList(
            DartsCell(
                genotype.reduce if place.reduction else genotype.normal,
                place,
                affine=skeleton.affine,
            )
            for place in places
        )
        self.tapped = 2 * skeleton.layers // 3
        if skeleton.auxiliary:
            self.auxiliary = _auxiliary(NODES * places[self.tapped].channels, classes, skeleton)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(NODES * places[-1].channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×3×H×W images to N×classes logits."""
        return self._logits(self._outputs(x)[-1])

    def forward_with_auxiliary(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps images to the logits and the auxiliary head's, both N×classes.

        They are N×3×32×32, for ImageNet's stem N×3×224×224.

        Drop-path, which DARTS adds in training, is the training recipe's business.
        """
        outputs = self._outputs(x)
        return self._logits(outputs[-1]), self.auxiliary(outputs[self.tapped])

    def _outputs(self, x: Tensor) -> list[Tensor]:
        before = self.stem(x)
        x = self.stem_again(before)
        outputs = []
        for cell in self.cells:
            before, x = x, cell(before, x)
            outputs.append(x)
        return outputs

    def _logits(self, x: Tensor) -> Tensor:
        return self.classifier(self.pool(x))  # type: ignore[no-any-return]


def _stem(skeleton: Skeleton) -> tuple[nn.Module, nn.Module]:
    channels = skeleton.channels
    if skeleton.stem == "none":
        return nn.Identity(), nn.Identity()
    if skeleton.stem == "cifar":
        wide = 3 * channels
        convolution = nn.Conv2d(3, wide, 3, padding=1, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(wide)), nn.Identity()
    first = nn.Sequential(
        nn.Conv2d(3, channels // 2, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(channels // 2),
        *relu_conv_bn(channels // 2, channels, 3, stride=2),
    )
    return first, relu_conv_bn(channels, channels, 3, stride=2)


def _auxiliary(c_in: int, classes: int, skeleton: Skeleton) -> nn.Sequential:
    """Pools 8×8 or 7×7 features to 2×2; ImageNet's head of DARTS lacks the second batch norm."""
    small = skeleton.stem == "cifar"
    return nn.Sequential(
        nn.ReLU(),
        nn.AvgPool2d(5, stride=3 if small else 2, count_include_pad=False),
        nn.Conv2d(c_in, 128, 1, bias=False),
        nn.BatchNorm2d(128),
        nn.ReLU(),
        nn.Conv2d(128, 768, 2, bias=False),
        *([nn.BatchNorm2d(768)] if small else []),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(768, classes),
    )
