"""Passes that look at feature maps: MeCo, NEAR and AZ-NAS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from harness.core.errors import UndefinedScoreError
from harness.passes.fast_gradients import fast_gradients
from harness.passes.functional_layers import (
    ACTIVATIONS,
    OTHERS,
    WEIGHTED,
    calls_functions_itself,
    watching_functions,
)
from harness.passes.observation import Observation, Observations, observes
from harness.passes.run import Run
from harness.passes.settings import MecoSettings
from harness.passes.transfer import copied, noise_like, numbers, on_host
from harness.passes.weighted_layers import kaiming_parameters, watching


@dataclass(frozen=True)
class ModuleOutputs(Observation):
    """Output of every module call for a single image, each C×(H·W), containers included.

    Attributes:
        maps: The feature maps as float64 matrices, channels by positions.
        chosen: For meco_opt, the channels to look at in each map; None where there are too few.
    """

    maps: tuple[Tensor, ...]
    chosen: tuple[Tensor | None, ...]


@dataclass(frozen=True)
class SquareActivations(Observation):
    """For NEAR: one square matrix of activations per layer, positions by channels."""

    matrices: tuple[Tensor, ...]


@observes(ModuleOutputs)
def single_image(run: Run, settings: MecoSettings) -> Observations:
    """Shows one image to the network, in train mode, and keeps what every module returns."""
    maps: list[Tensor] = []

    def see(_: nn.Module, __: object, output: Tensor) -> None:
        if not output.is_floating_point() or not output.dim():
            return
        first = output[0].detach()
        first = first.T if output.dim() == 3 else first  # tokens, N×L×C
        maps.append(first.reshape(len(first) if first.dim() else 1, -1).double())

    modules = list(run.network.modules())
    own = [module for module in modules if calls_functions_itself(module)]
    with run.undisturbed("meco"), torch.no_grad():
        image = run.batch.images[:1]
        if settings.input == "noise":
            if image.dim() != 4:
                raise UndefinedScoreError("meco.input=noise needs a network of images, N×C×H×W")
            image = noise_like(image.new_empty(1, image.shape[1], 64, 64))
        calls = watching_functions(run.network, ACTIVATIONS | WEIGHTED | OTHERS, own, see)
        with watching(modules, see), calls:
            run.network(image)
        enough = [len(one) >= settings.channels for one in maps]
        drawn = [
            torch.randperm(len(one), device="cpu")[: settings.channels]
            for one, looked_at in zip(maps, enough, strict=True)
            if looked_at
        ]
        indices = iter(copied(drawn, image.device))
        chosen = [next(indices) if looked_at else None for looked_at in enough]
    return {ModuleOutputs: ModuleOutputs(tuple(maps), tuple(chosen))}


@observes(SquareActivations)
def square_activations(run: Run) -> Observations:
    """Keeps a random square block of the outputs of weighted layers and activations.

    As many rows (images and positions) as the layer has channels, starting at a random multiple of
    the map's width. A layer that is called again adds rows until there are enough; of one that
    never has enough all rows are kept.
    """
    kept: dict[object, Tensor] = {}

    def see_function(_: nn.Module, x: Tensor, output: Tensor) -> None:
        see(object(), x, output)  # each call is a layer of its own

    def see(module: object, _: object, output: Tensor) -> None:
        rows = positions_by_channels(output)
        if module in kept and len(kept[module]) == rows.shape[1]:
            return
        rows = torch.cat([kept[module], rows]) if module in kept else rows.clone()
        spare = len(rows) - rows.shape[1]
        if spare >= 0:
            width = output.shape[1] if output.dim() == 3 else output.shape[-1]
            start = int(torch.randint(spare // width + 1, (), device="cpu")) * width
            rows = rows[start : start + rows.shape[1]]
        kept[module] = rows

    layers = [m for m in run.network.modules() if _has_weight(m) or _is_activation(m)]
    own = [module for module in run.network.modules() if calls_functions_itself(module)]
    calls = watching_functions(run.network, ACTIVATIONS | WEIGHTED, own, see_function)
    with run.undisturbed("near"), torch.no_grad(), watching(layers, see), calls:
        run.network(run.batch.images)
    matrices = tuple(matrix.double() for matrix in kept.values())
    return {SquareActivations: SquareActivations(matrices)}


def positions_by_channels(x: Tensor) -> Tensor:
    """Views activations as a matrix: N×C×H×W by pixel, N×L×C by token, others by image."""
    match x.dim():
        case 4:
            return x.transpose(1, 3).flatten(0, 2)
        case 3:
            return x.flatten(0, 1)
        case 1:
            return x[:, None]
        case _:
            return x.flatten(1)


def _has_weight(module: nn.Module) -> bool:
    return isinstance(getattr(module, "weight", None), Tensor)


def _is_activation(module: nn.Module) -> bool:
    return type(module).__module__ == "torch.nn.modules.activation"


@dataclass(frozen=True)
class CellFeatures(Observation):
    """For AZ-NAS: the feature maps between cells and how gradients pass from one to the one before.

    The tokens of a transformer are the positions of a map.

    Attributes:
        eigenvalues: Of each map's channel covariance, float64.
        spectral: For each two consecutive maps, the largest singular value of the mean product of
            back-propagated and given cotangent; None where the cell is the identity, no weight lies
            before it, or it changes the number of tokens.
    """

    eigenvalues: tuple[Tensor, ...]
    spectral: tuple[float | None, ...]


@observes(CellFeatures, backward=[CellFeatures], images=False)
def cell_features(run: Run) -> Observations:
    """Runs noise through Kaiming-initialised weights and pulls random signs back cell by cell."""
    features: list[Tensor] = []

    def see(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> None:
        features.append(output)

    with run.undisturbed("az_nas"), fast_gradients(run):
        drawn = kaiming_parameters(run.network, mode="fan_in")
        state = {name: value.requires_grad_(True) for name, value in drawn.items()}
        noise = noise_like(run.batch.images)
        with watching(boundaries(run.network), see):
            functional_call(run.network, state, (noise,))
        if any(feature.dim() not in (3, 4) for feature in features):
            raise UndefinedScoreError("AZ-NAS compares feature maps, N×C×H×W, or tokens, N×L×C")
        if len(features) > len(boundaries(run.network)):
            raise UndefinedScoreError("a cell runs several times, so that no map has one before it")
        signs = [
            torch.randint(0, 2, one.shape, device="cpu").to(torch.int8) for one in features[1:]
        ]
        passages = list(map(_passage, features, features[1:], copied(signs, noise.device)))
    covariances = on_host([_covariance(feature.detach()) for feature in features])
    eigenvalues = [torch.linalg.eigvalsh(covariance) for covariance in covariances]
    spectral = _spectral_norms(passages)
    if not features[0].requires_grad:  # nothing is to be trained before the first cell
        spectral[:1] = [None]
    return {CellFeatures: CellFeatures(tuple(eigenvalues), tuple(spectral))}


def boundaries(network: nn.Module) -> list[nn.Module]:
    """Returns the stem and the cells, whose outputs AZ-NAS compares.

    They are the attributes ``stem`` and ``cells`` (or ``blocks``) of the network or its
    ``encoder``.

    Raises:
        UndefinedScoreError: If the network has no such attributes.
    """
    body = getattr(network, "encoder", network)
    stem = getattr(body, "stem", None)
    cells = getattr(body, "cells", getattr(body, "blocks", None))
    if not isinstance(stem, nn.Module) or not isinstance(cells, (nn.Sequential, nn.ModuleList)):
        raise UndefinedScoreError("AZ-NAS needs a network with the attributes stem and cells")
    return [stem, *cells]


def _passage(before: Tensor, after: Tensor, coins: Tensor) -> tuple[Tensor, Tensor] | None:
    """Pulls random signs, given as 0 and 1, back through a cell.

    Returns:
        The mean product of what arrives with the signs, channels by channels, in float64; and
        whether exactly the signs arrive. None where a cell merges tokens: what arrives has no
        places to be compared at.
    """
    if after.dim() == 3 and before.shape[1] != after.shape[1]:
        return None
    signs = coins.to(after) * 2 - 1
    pulled = torch.zeros_like(before)
    if after.requires_grad and before.requires_grad:
        (pulled,) = torch.autograd.grad(
            after, before, signs, retain_graph=True, allow_unused=True, materialize_grads=True
        )
    same = (pulled == signs).all() if pulled.shape == signs.shape else signs.new_zeros(()).bool()
    pulled, signs = _as_map(pulled), _as_map(signs)
    if pulled.shape[2:] != signs.shape[2:]:
        stride = pulled.shape[-1] // signs.shape[-1]
        pulled = torch.nn.functional.pixel_unshuffle(pulled, stride)
    product = torch.einsum("nchw,ndhw->cd", pulled, signs) / math.prod(
        (signs.shape[0], *signs.shape[2:])
    )
    return product.double(), same


def _as_map(x: Tensor) -> Tensor:
    """Views tokens, N×L×C, as a map, N×C×L×1."""
    return x.transpose(1, 2)[..., None] if x.dim() == 3 else x


def _spectral_norms(passages: Sequence[tuple[Tensor, Tensor] | None]) -> list[float | None]:
    known = [passage for passage in passages if passage is not None]
    products = iter(on_host([product for product, _ in known]))
    identities = iter(numbers([same for _, same in known]))
    return [None if one is None else _norm(next(products), next(identities)) for one in passages]


def _norm(product: Tensor, identity: float) -> float | None:
    return None if identity else float(torch.linalg.matrix_norm(product, ord=2))


def _covariance(feature: Tensor) -> Tensor:
    rows = _as_map(feature).double().transpose(0, 1).flatten(1).T
    centred = rows - rows.mean(dim=0)
    return centred.T @ centred / len(rows)
