"""Takes off what is wrapped around a network's layers, or says why they cannot be looked into."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize, prune, remove_spectral_norm, remove_weight_norm
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from harness.core.errors import HarnessError
from harness.core.types import Batch

QUANTISED = ("torch.ao.nn.quantized", "torch.ao.nn.intrinsic")
PARALLEL = (nn.DataParallel, nn.parallel.DistributedDataParallel)


@contextmanager
def unwrapped(network: nn.Module) -> Iterator[nn.Module]:
    """Takes compilation and data parallelism off a network, and puts them on again.

    Raises:
        HarnessError: If it is no network.
    """
    if not isinstance(network, nn.Module):
        raise HarnessError(f"A network is a torch.nn.Module, not {type(network)}.")
    inner = _inner(network)
    wrapped = [
        (module, name, child)
        for module in inner.modules()
        for name, child in module._modules.items()
        if child is not None and _inner(child) is not child
    ]
    compiled = [m for m in inner.modules() if getattr(m, "_compiled_call_impl", None) is not None]
    calls = [module._compiled_call_impl for module in compiled]
    try:
        for module, name, child in wrapped:
            module._modules[name] = _inner(child)
        for module in compiled:
            module._compiled_call_impl = None
        with torch.compiler.set_stance("force_eager"):
            yield inner
    finally:
        for module, name, child in wrapped:
            module._modules[name] = child
        for module, call in zip(compiled, calls, strict=True):
            module._compiled_call_impl = call


def _inner(network: nn.Module) -> nn.Module:
    while True:
        if isinstance(network, PARALLEL):
            network = network.module
        elif "_orig_mod" in network._modules:  # of torch.compile
            network = cast(nn.Module, network._modules["_orig_mod"])
        else:
            return network


def check_network(network: nn.Module, batch: Batch) -> None:
    """Refuses a network that cannot be looked into, or cannot take this batch.

    Raises:
        HarnessError: With what to do.
    """
    if any(isinstance(module, torch.jit.ScriptModule) for module in network.modules()):
        raise HarnessError(
            "The network is scripted (TorchScript), and its layers cannot be watched; score the "
            "nn.Module that it was made from."
        )
    if any(
        isinstance(module, torch.fx.GraphModule) and _exported(module)
        for module in network.modules()
    ):
        raise HarnessError(
            "The network was exported (torch.export), and its layers are mere calls; score the "
            "nn.Module that it was made from."
        )
    if any(type(module).__module__.startswith(QUANTISED) for module in network.modules()):
        raise HarnessError(
            "The network is quantised, and its layers hold no weights to look at; score what it "
            "was made from."
        )
    tensors = [*network.parameters(), *network.buffers()]
    if any(map(is_lazy, tensors)):
        raise HarnessError(
            "The network has lazy layers without weights; run it once on a batch before scoring it."
        )
    if any(tensor.is_meta for tensor in tensors):
        raise HarnessError(
            "The network's weights are on the device 'meta', which stores no numbers; make it with "
            "network.to_empty(device='cpu') and give it weights."
        )
    if stored := sorted({str(one.layout) for one in tensors} - {str(torch.strided)}):
        raise HarnessError(
            f"The network has weights that are stored as {stored[0]}; give them .to_dense()."
        )
    devices = {tensor.device for tensor in tensors} - {batch.images.device}
    if devices:
        raise HarnessError(
            f"The network is on {sorted(map(str, devices))[0]} and the images are on "
            f"{batch.images.device}; move one to the other with .to()."
        )
    _check_types(network, batch.images)


def _exported(graph: torch.fx.GraphModule) -> bool:
    return any(isinstance(node.target, torch._ops.OpOverload) for node in graph.graph.nodes)


def _check_types(network: nn.Module, images: Tensor) -> None:
    kinds = {p.dtype for p in network.parameters() if p.is_floating_point()}
    given = kinds | {images.dtype}
    small = sorted(str(kind) for kind in given if kind.is_floating_point and kind.itemsize < 4)
    if small:
        raise HarnessError(
            f"Scores need single precision and this is {small[0]}; give network.float() and "
            "images.float()."
        )
    if images.is_floating_point() and kinds and images.dtype not in kinds:
        raise HarnessError(
            f"The network's weights are {kinds.pop()} and the images {images.dtype}; convert one "
            "with .to()."
        )


def plain(network: nn.Module) -> nn.Module:
    """Returns a network whose layers hold their weights.

    Weight norm, spectral norm, pruning and other parametrizations compute them from other
    parameters; then it is a copy in which they are as these make them now. Else it is the network.

    Raises:
        HarnessError: If such a network cannot be copied.
    """
    if not any(parametrize.is_parametrized(m) or _hooks(m) for m in network.modules()):
        return network
    try:
        network = _copied(network)
    except Exception as error:
        raise HarnessError(
            f"The network computes its weights and cannot be copied ({error}); remove its "
            "parametrizations before scoring it."
        ) from error
    for module in list(network.modules()):
        if parametrize.is_parametrized(module):
            _settle(module)
        for hook in _hooks(module):
            if isinstance(hook, WeightNorm):
                remove_weight_norm(module, hook.name)
            elif isinstance(hook, SpectralNorm):
                remove_spectral_norm(module, hook.name)
            else:
                prune.remove(module, hook._tensor_name)  # type: ignore[no-untyped-call]
    return network


def _settle(module: nn.Module) -> None:
    """Makes parametrised tensors parameters; torch's own function would change the original too.

    A copied module shares the class that torch made for the original.
    """
    parametrized = cast(nn.ModuleDict, module.parametrizations)
    parametrized.eval()  # where it trains, spectral norm takes another step
    values = {name: getattr(module, name).detach().contiguous().clone() for name in parametrized}
    module.__class__ = parametrize.type_before_parametrizations(module)
    del module._modules["parametrizations"]
    for name, value in values.items():
        module.register_parameter(name, nn.Parameter(value))


Hook = WeightNorm | SpectralNorm | prune.BasePruningMethod


def _hooks(module: nn.Module) -> list[Hook]:
    """Returns what computes a module's tensors before each call, in torch's older way."""
    return [hook for hook in module._forward_pre_hooks.values() if isinstance(hook, Hook)]


def _copied(network: nn.Module) -> nn.Module:
    """Copies a network; tensors that torch cannot copy are those that are computed anew."""
    computed = [
        value
        for module in network.modules()
        for value in vars(module).values()
        if isinstance(value, Tensor) and not value.is_leaf
    ]
    memo: dict[int, object] = {id(tensor): tensor.detach().clone() for tensor in computed}
    return copy.deepcopy(network, memo)
