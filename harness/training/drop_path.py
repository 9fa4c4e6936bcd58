"""Drop-path, with which a DARTS network is trained."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.spaces.networks.darts_network import DartsCell


class DropPath:
    """Drops the outputs of a DARTS network's operations, each image for itself.

    What is kept is scaled up by as much; identities are never dropped (Larsson et al.,
    "FractalNet", ICLR 2017, as DARTS uses it).

    Args:
        network: The network, where it is trained; without DARTS cells nothing is ever dropped.
    """

    def __init__(self, network: nn.Module) -> None:
        # A tensor: a compiled network reads what a number would make part of its code.
        self.kept = torch.ones((), device=next(network.parameters()).device)
        cells = [module for module in network.modules() if isinstance(module, DartsCell)]
        for operation in (operation for cell in cells for operation in cell.operations):
            if not isinstance(operation, nn.Identity):
                operation.register_forward_hook(self._drop)

    def drop(self, probability: float) -> None:
        """Sets the probability with which an output is dropped from now on."""
        self.kept.fill_(1 - probability)

    def _drop(self, module: nn.Module, _: object, output: Tensor) -> Tensor:
        if not module.training:
            return output
        drawn = torch.rand(len(output), 1, 1, 1, device=output.device)
        return output * ((drawn < self.kept) / self.kept).to(output.dtype)
