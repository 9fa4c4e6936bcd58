"""What all references share: an untouched caller, the layer set, the loss."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable

import numpy as np
import torch.nn.functional as F  # noqa: N812 -- the name that everybody knows
from torch import Tensor, nn

Loss = Callable[[Tensor, Tensor], Tensor]

cross_entropy: Loss = F.cross_entropy


def prepare(
    network: nn.Module, images: Tensor, *, double: bool = False
) -> tuple[nn.Module, Tensor]:
    """Returns copies that may be disturbed, the network in train mode and without gradients."""
    network, images = copy.deepcopy(network).train(), images.detach().clone()
    network.zero_grad(set_to_none=True)
    network.requires_grad_(True)
    return (network.double(), images.double()) if double else (network, images)


def layers(network: nn.Module) -> dict[str, nn.Conv2d | nn.Linear]:
    """Returns every 2-D convolution and linear layer by name, executed or not, each once."""
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    }


def backward(network: nn.Module, images: Tensor, labels: Tensor, loss: Loss) -> None:
    """Fills ``.grad`` with the gradient of the loss of one forward pass, dropping older ones."""
    network.zero_grad(set_to_none=True)
    loss(network(images), labels).backward()


def correlations(rows: np.ndarray) -> np.ndarray:
    """Returns ``np.corrcoef(rows)``, silently NaN where it is undefined."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.corrcoef(rows)
