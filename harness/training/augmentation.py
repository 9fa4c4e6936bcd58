"""What a final training does to images and to the paths of a network, so that it generalises."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.inputs.augment import crop_and_flip
from harness.spaces.networks.darts_network import DartsCell
from harness.training.labelled_images import Pixels


class DropPath:
    """Drops the outputs of a DARTS network's operations, each image for itself.

    What is kept is scaled up by as much; identities are never dropped (Larsson et al.,
    "FractalNet", ICLR 2017, as DARTS uses it).

    Args:
        network: The network; without DARTS cells nothing is ever dropped.
    """

    def __init__(self, network: nn.Module) -> None:
        self.probability = 0.0
        cells = [module for module in network.modules() if isinstance(module, DartsCell)]
        for operation in (operation for cell in cells for operation in cell.operations):
            if not isinstance(operation, nn.Identity):
                operation.register_forward_hook(self._drop)

    def _drop(self, module: nn.Module, _: object, output: Tensor) -> Tensor:
        if not module.training or self.probability == 0:
            return output
        kept = 1 - self.probability
        mask = torch.rand(len(output), 1, 1, 1, device=output.device) < kept
        return output * mask / kept


def augmented(
    data: Pixels,
    chosen: NDArray[np.int64],
    random: np.random.Generator,
    device: torch.device,
    *,
    crop: bool,
    hole: int,
) -> Tensor:
    """Returns training images as a network sees them, N×3×H×W.

    Args:
        data: The training images.
        chosen: Indices of N of them.
        random: Draws crops, flips and holes.
        device: Where to.
        crop: Whether to crop and flip.
        hole: Side of the square that is cut out; 0 for none.
    """
    images = data.images[chosen]
    if crop:
        images = crop_and_flip(images, random)
    normalised = data.tensor(images, device)
    if hole == 0:
        return normalised
    kept = torch.from_numpy(cutout_mask(len(images), images.shape[1], hole, random))
    return normalised * kept[:, None].to(device)


def cutout_mask(n: int, side: int, hole: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Returns n×side×side zeros in a square around a random pixel, ones elsewhere.

    The square is cut off at the border (DeVries & Taylor, arXiv 1708.04552).
    """
    centres = random.integers(side, size=(2, n, 1))
    pixels = np.arange(side)
    rows, columns = (
        (pixels >= centre - hole // 2) & (pixels < centre - hole // 2 + hole) for centre in centres
    )
    mask: NDArray[np.bool_] = ~(rows[:, :, None] & columns[:, None, :])
    return mask.astype(np.float32)
