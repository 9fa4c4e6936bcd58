"""The change of colours that DARTS trains on ImageNet with, on the device that trains."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

STRENGTH = 0.4
"""Brightness, contrast and saturation change by a factor from 1 − this to 1 + this."""
TURN = 0.2
"""Hue turns by up to this share of a full circle, in both directions."""
GREY = (0.299, 0.587, 0.114)


def change_colours(images: Tensor, random: np.random.Generator) -> Tensor:
    """Changes brightness, contrast, saturation and hue of every image by factors of its own.

    The order of the four is drawn once per batch, where torchvision's ``ColorJitter`` draws one per
    image.

    Args:
        images: N×3×H×W, from 0 to 1.
        random: Draws factors and order.

    Returns:
        The same shape and range.
    """
    n = len(images)
    factors = images.new_tensor(random.uniform(1 - STRENGTH, 1 + STRENGTH, (3, n)))
    bright, contrast, saturation = factors.view(3, n, 1, 1, 1)
    turn = images.new_tensor(random.uniform(-TURN, TURN, n)).view(n, 1, 1)
    changes = (
        lambda x: (bright * x).clamp(0, 1),
        lambda x: _blend(x, _grey(x).mean((2, 3), keepdim=True), contrast),
        lambda x: _blend(x, _grey(x), saturation),
        lambda x: turn_hue(x, turn),
    )
    for index in random.permutation(len(changes)):
        images = changes[index](images)
    return images


def _grey(images: Tensor) -> Tensor:
    return (images * images.new_tensor(GREY).view(3, 1, 1)).sum(1, keepdim=True)


def _blend(images: Tensor, base: Tensor, share: Tensor) -> Tensor:
    return (share * images + (1 - share) * base).clamp(0, 1)


def turn_hue(images: Tensor, turn: Tensor) -> Tensor:
    """Turns the hue of colours in HSV, whose value and saturation stay.

    Args:
        images: N×3×H×W, from 0 to 1.
        turn: In full circles, broadcast to N×H×W.
    """
    red, green, blue = images.unbind(1)
    value, largest = images.max(1)
    chroma = value - images.amin(1)
    safe = chroma.clamp_min(1e-12)
    sectors = torch.stack(
        [(green - blue) / safe, (blue - red) / safe + 2, (red - green) / safe + 4]
    )
    hue = sectors.gather(0, largest[None])[0] + 6 * turn
    parts = ((n + hue).remainder(6) for n in (5, 3, 1))
    return torch.stack([value - chroma * torch.minimum(k, 4 - k).clamp(0, 1) for k in parts], 1)
