"""The linear-region pass: many tiny crops through a thin network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from harness.core.errors import UndefinedScoreError, first_line
from harness.passes.observation import Observation, Observations, observes
from harness.passes.patterns import NO_RELU, is_swap_relu, watching_relus
from harness.passes.run import Run
from harness.passes.settings import LinearRegionSettings
from harness.passes.transfer import copied, on_device
from harness.passes.weighted_layers import kaiming_parameters


@dataclass(frozen=True)
class LinearRegions(Observation):
    """Number of distinct activation patterns among ``samples`` random crops."""

    regions: int
    samples: int


@observes(LinearRegions)
def linear_regions(run: Run, settings: LinearRegionSettings) -> Observations:
    """Counts the regions that random crops of the batch's images fall into.

    TE-NAS counts on a thin network (one channel, one cell): the full one puts every crop in a
    region of its own. Spaces build it; of a network without a thin version the network itself is
    taken.
    """
    with run.undisturbed("linear regions"), torch.no_grad():
        images = run.batch.images
        if images.dim() != 4 or min(images.shape[2:]) < settings.size:
            size = f"{settings.size}×{settings.size}"
            raise UndefinedScoreError(f"needs images, N×C×H×W, of at least {size} pixels")
        thin = run.thin() if run.thin else None
        network = on_device(thin, images.device).train() if thin else run.network
        channels = 1 if thin else images.shape[1]
        state = kaiming_parameters(network, mode="fan_in")
        drawn = [_places(images, settings, channels) for _ in range(settings.batches)]
        places = copied(drawn, images.device)
        crops = [_crops(images, one, settings.size) for one in places]
        bits = [_bits(network, state, cropped, whole=thin is None) for cropped in crops]
    patterns = torch.cat(bits)
    regions = int(torch.unique(_packed(patterns), dim=0).shape[0])
    return {LinearRegions: LinearRegions(regions, len(patterns))}


def _places(images: Tensor, settings: LinearRegionSettings, channels: int) -> Tensor:
    """Draws image, top and left of each crop and, if one is wanted, its channel: 3 or 4 × crops."""
    n, depth, height, width = images.shape
    most = [n, height - settings.size + 1, width - settings.size + 1]
    most += [depth] if channels == 1 else []
    return torch.stack([torch.randint(one, (settings.samples,), device="cpu") for one in most])


def _crops(images: Tensor, places: Tensor, size: int) -> Tensor:
    """Cuts crops of size² pixels, of one channel if ``places`` names it."""
    which, top, left, *channel = places
    offset = torch.arange(size, device=images.device)
    rows = top[:, None, None] + offset[None, :, None]
    columns = left[:, None, None] + offset[None, None, :]
    crops = images.permute(0, 2, 3, 1)[which[:, None, None], rows, columns].permute(0, 3, 1, 2)
    if channel:
        crops = crops[torch.arange(len(crops), device=images.device), channel[0]][:, None]
    return crops.contiguous()


def _bits(network: nn.Module, state: dict[str, Tensor], images: Tensor, *, whole: bool) -> Tensor:
    """Returns the bits of all crops; a whole network, not a thin one, may not take them."""
    layers: list[Tensor] = []

    def see(module: nn.Module, x: Tensor, bits: Tensor) -> None:
        if is_swap_relu(module, x):
            layers.append(bits)

    with watching_relus(network, see):
        try:
            functional_call(network, state, (images,))
        except (RuntimeError, ValueError, AssertionError, IndexError) as error:
            size = "×".join(map(str, images.shape[2:]))
            raise UndefinedScoreError(
                f"the network cannot be shown crops of {size} pixels ({first_line(error)})"
            ) from error
    if not layers and whole:
        raise UndefinedScoreError(NO_RELU)
    if not layers:  # a cell without any is one region
        return torch.zeros(len(images), 1, dtype=torch.bool, device=images.device)
    return torch.cat(layers, dim=1)


def _packed(bits: Tensor) -> Tensor:
    """Packs N×V booleans into N×ceil(V/8) bytes, whole rows, so that equality stays exact."""
    padded = torch.nn.functional.pad(bits, (0, -bits.shape[1] % 8)).view(len(bits), -1, 8)
    powers = 2 ** torch.arange(8, device=bits.device, dtype=torch.uint8)
    return (padded * powers).sum(dim=2, dtype=torch.uint8)
