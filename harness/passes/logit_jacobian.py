"""The VKDNW pass: how each image's logits depend on a few parameters, one by one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import instance_norm

from harness.core.errors import UndefinedScoreError
from harness.passes.further_settings import VkdnwSettings
from harness.passes.losses import CLASS_LOSSES
from harness.passes.observation import Observation, Observations, observes
from harness.passes.run import Run, layers_of_transformers
from harness.passes.transfer import noise_like
from harness.passes.weighted_layers import (
    NORMS,
    Forward,
    Norm,
    fresh_buffers,
    kaiming_parameters,
    replacing_forwards,
    tensors_in,
)


@dataclass(frozen=True)
class LogitJacobian(Observation):
    """The logits of noise, and their derivatives by the first element of each parameter tensor.

    Attributes:
        logits: N×K float64.
        jacobian: N×K×P float64; every image's by itself.
        tensors: Number of the network's parameter tensors, of which the first P are looked at.
    """

    logits: Tensor
    jacobian: Tensor
    tensors: int


@dataclass(frozen=True)
class _OwnerCall:
    """A call of a module that owns parameters: its output, and how that follows each of them."""

    module: nn.Module
    output: Tensor
    derivatives: dict[str, Tensor]


@observes(LogitJacobian, backward=[LogitJacobian], images=False)
def logit_jacobian(run: Run, settings: VkdnwSettings) -> Observations:
    """Shows noise to Kaiming-initialised weights, in evaluation mode, where no image sees another.

    A norm without running statistics takes those of each image alone. Either one backward per class
    is run or one forward-mode derivative per parameter, whichever is less.
    """
    if run.batch.loss not in CLASS_LOSSES:
        raise UndefinedScoreError("the outputs are no logits of classes")
    with (
        run.undisturbed("vkdnw"),
        replacing_forwards(run.network, _alone),
        layers_of_transformers(),
        sdpa_kernel(SDPBackend.MATH),  # fused attention has no forward derivative
    ):
        state = kaiming_parameters(run.network, mode="fan_in") | fresh_buffers(run.network)
        run.network.eval()
        noise = noise_like(run.batch.images[: settings.images])
        every = [name for name, _ in run.network.named_parameters()]
        chosen = every[: settings.parameters]
        logits, calls = _watched(run.network, state, noise, chosen)
        if logits.dim() != 2 or not chosen:
            raise UndefinedScoreError("needs logits N×K of a network with parameters")
        if logits.shape[1] <= len(chosen):
            jacobian = _by_class(logits, calls, chosen)
        else:
            jacobian = _by_parameter(run.network, state, noise, chosen)
    found = LogitJacobian(logits.detach().double(), jacobian.double(), len(every))
    return {LogitJacobian: found}


def _alone(module: nn.Module) -> Forward | None:
    if isinstance(module, NORMS) and module.running_var is None:
        return partial(_by_image, module)
    return None


def _by_image(norm: Norm, input: Tensor) -> Tensor:
    return instance_norm(input, None, None, norm.weight, norm.bias, True, 0.0, norm.eps)


def _watched(
    network: nn.Module, state: Mapping[str, Tensor], noise: Tensor, chosen: list[str]
) -> tuple[Tensor, list[_OwnerCall]]:
    """Runs the network; at every call of a module, differentiates its own chosen parameters."""
    calls: list[_OwnerCall] = []
    nested = [False]

    def see(prefix: str, names: list[str], module: nn.Module, args: Any, output: Any) -> None:
        y = next(tensors_in(output))
        if nested[0] or not y.requires_grad:
            return
        if len(y) != len(noise):
            raise UndefinedScoreError("a layer does not keep the images apart")
        nested[0] = True
        given = tuple(x.detach() if isinstance(x, Tensor) else x for x in args)
        own = {name: state[f"{prefix}{name}"] for name in names}
        with torch.no_grad():
            found = {f"{prefix}{name}": _derivative(module, own, name, given) for name in names}
        nested[0] = False
        calls.append(_OwnerCall(module, y, found))

    with ExitStack() as hooks, torch.enable_grad():
        for prefix, names in _owners(chosen).items():
            module = network.get_submodule(prefix.rstrip("."))
            hooks.callback(module.register_forward_hook(partial(see, prefix, names)).remove)
        tracked = {n: value.detach().requires_grad_(n in chosen) for n, value in state.items()}
        logits = functional_call(network, tracked, (noise,))
    return logits, calls


def _owners(chosen: list[str]) -> dict[str, list[str]]:
    """Groups parameters by the module that holds them, ``cells.0.`` of ``cells.0.weight``."""
    owners: dict[str, list[str]] = {}
    for full in chosen:
        prefix, dot, name = full.rpartition(".")
        owners.setdefault(prefix + dot, []).append(name)
    return owners


def _derivative(
    module: nn.Module, parameters: Mapping[str, Tensor], name: str, args: tuple[Any, ...]
) -> Tensor:
    """Differentiates a module's output by the first element of one parameter."""

    def output(value: Tensor) -> Tensor:
        return next(tensors_in(functional_call(module, {**parameters, name: value}, args)))

    value = parameters[name].detach()
    derivative: Tensor = jvp(output, (value,), (_first_element(value),))[1]
    return _touched(module, derivative).clone()  # not the whole of it


def _touched(module: nn.Module, output: Tensor) -> Tensor:
    """Returns the part of an output that the first element of a parameter can change."""
    return output[:, :1] if isinstance(module, (nn.Conv2d, nn.BatchNorm2d)) else output


def _by_class(logits: Tensor, calls: list[_OwnerCall], chosen: list[str]) -> Tensor:
    """Returns the Jacobian N×K×P from a backward per class, which stops at the calls' outputs."""
    images, classes = logits.shape
    jacobian = logits.new_zeros(images, classes, len(chosen))
    place = {name: i for i, name in enumerate(chosen)}
    for k in range(classes if calls else 0):
        gradients = torch.autograd.grad(
            logits[:, k].sum(),
            [call.output for call in calls],
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
        for call, gradient in zip(calls, gradients, strict=True):
            for name, derivative in call.derivatives.items():
                product = _touched(call.module, gradient) * derivative
                jacobian[:, k, place[name]] += product.flatten(1).sum(dim=1)
    return jacobian


def _by_parameter(
    network: nn.Module, state: Mapping[str, Tensor], noise: Tensor, chosen: list[str]
) -> Tensor:
    """Returns the same from a forward-mode derivative of the whole network per parameter."""
    with torch.no_grad():
        columns = [_derivative(network, state, name, (noise,)) for name in chosen]
    return torch.stack(columns, dim=2)


def _first_element(parameter: Tensor) -> Tensor:
    direction = torch.zeros_like(parameter)
    direction.view(-1)[:1] = 1
    return direction
