"""The minibatch pass: everything that one forward on labelled images can tell.

One forward, then at most one backward to the input, one to weights and layer outputs, and one
double backward. Batch norm is in train mode, so the batch as a whole is part of the definition:
it is never split.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from harness.core.errors import UndefinedScoreError
from harness.passes.cell_responses import CellResponses, ReluCalls, watching_cells
from harness.passes.fast_gradients import fast_gradients
from harness.passes.losses import task_loss
from harness.passes.observation import Observation, Observations, observes
from harness.passes.patterns import Agreement, is_swap_relu, watching_relus
from harness.passes.run import Run
from harness.passes.weighted_layers import NO_WEIGHTS, watching, weighted_layers, weights_of


@dataclass(frozen=True)
class ActivationAgreement(Observation):
    """How many ReLU units agree between every two images of the minibatch.

    Attributes:
        relu_maps: N×N float64 integers over the 4-D outputs of ``nn.ReLU``; None if there are none.
        others: The same over every other ReLU-like module (LeakyReLU, ReLU behind linear layers).
        units: Number of units in ``relu_maps``.
    """

    relu_maps: Tensor | None
    others: Tensor | None
    units: int


@dataclass(frozen=True)
class InputJacobian(Observation):
    """Gradient of the sum of all outputs with respect to each image.

    Attributes:
        rows: N×D float32; train-mode batch norm makes row n depend on the other images too.
        labels: As in the batch.
        outputs: Size of the network output's last axis.
    """

    rows: Tensor
    labels: Tensor | None
    outputs: int


@dataclass(frozen=True)
class LossGradients(Observation):
    """Of all convolutions and linear layers: weight and gradient of the loss, 0 where none."""

    layers: tuple[nn.Conv2d | nn.Linear, ...]
    weights: tuple[Tensor, ...]
    gradients: tuple[Tensor, ...]


@dataclass(frozen=True)
class LayerOutput:
    """One call of a convolution or linear layer: its weight's shape, raw output, loss gradient."""

    weight_shape: tuple[int, ...]
    output: Tensor
    gradient: Tensor


@dataclass(frozen=True)
class LayerOutputs(Observation):
    """All calls of convolutions and linear layers, in order."""

    calls: tuple[LayerOutput, ...]


@dataclass(frozen=True)
class HessianGradient(Observation):
    """Weights and the product of the loss's Hessian with its gradient, layer by layer."""

    weights: tuple[Tensor, ...]
    products: tuple[Tensor, ...]


@dataclass(frozen=True)
class SecondGradients(Observation):
    """Gradients of the loss on the second minibatch, with the same weights."""

    gradients: tuple[Tensor, ...]


LABELLED = frozenset({LossGradients, LayerOutputs, HessianGradient, CellResponses})


@dataclass
class _Forward:
    """What the hooks collect during the forward."""

    outputs: Tensor
    images: Tensor
    maps: Agreement
    others: Agreement
    calls: list[tuple[nn.Conv2d | nn.Linear, Tensor]]
    relus: ReluCalls


@observes(
    ActivationAgreement,
    InputJacobian,
    LossGradients,
    LayerOutputs,
    HessianGradient,
    CellResponses,
    backward=[InputJacobian, LossGradients, LayerOutputs, CellResponses],
    double_backward=[HessianGradient],
)
def minibatch(run: Run) -> Observations:
    """Runs the forward and only those backwards that somebody asked for."""
    differentiate = bool(run.wanted & (LABELLED | {InputJacobian}))
    with (
        run.undisturbed("minibatch"),
        fast_gradients(run, twice=HessianGradient in run.wanted) as asked,
        _twice_differentiable() if HessianGradient in run.wanted else nullcontext(),
        torch.set_grad_enabled(differentiate),
    ):
        forward = _forward(run)
        seen: Observations = {}
        if ActivationAgreement in run.wanted:
            maps, others = forward.maps, forward.others
            seen[ActivationAgreement] = ActivationAgreement(maps.matrix, others.matrix, maps.units)
        if InputJacobian in run.wanted:
            with asked.for_inputs_alone():
                seen[InputJacobian] = _input_jacobian(run, forward)
        if run.wanted & LABELLED:
            seen |= _loss_observations(run, forward)
    return seen


def _twice_differentiable() -> AbstractContextManager[None]:
    """Lets attention run by plain products, because its fused kernels have no second derivative."""
    kernel: AbstractContextManager[None] = sdpa_kernel(SDPBackend.MATH)
    return kernel


@observes(SecondGradients, backward=[SecondGradients])
def second_minibatch(run: Run) -> Observations:
    """One forward and one backward on the second minibatch."""
    if run.batch.second is None:
        raise UndefinedScoreError("needs a second minibatch (Batch.second)")
    second = replace(run, batch=run.batch.second, wanted=frozenset({LossGradients}))
    with run.undisturbed("second minibatch"), fast_gradients(run):
        gradients = _loss_observations(second, _forward(second))[LossGradients]
    assert isinstance(gradients, LossGradients)
    return {SecondGradients: SecondGradients(gradients.gradients)}


def _forward(run: Run) -> _Forward:
    """Runs the network once; once more with copied outputs if it writes into them in place."""
    forward = _watched_forward(run, copy=False)
    if any(not x.is_inference() and x._version != 0 for _, x in forward.calls):
        forward = _watched_forward(run, copy=True)
    return forward


def _watched_forward(run: Run, *, copy: bool) -> _Forward:
    images = run.batch.images.detach()
    if InputJacobian in run.wanted:
        images = images.clone().requires_grad_(True)
    maps, others = Agreement(), Agreement()
    calls: list[tuple[nn.Conv2d | nn.Linear, Tensor]] = []

    def see_relu(module: nn.Module, x: Tensor, bits: Tensor) -> None:
        (maps if is_swap_relu(module, x) else others).add(bits)

    def see_layer(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        assert isinstance(module, (nn.Conv2d, nn.Linear))
        calls.append((module, output))
        return output.clone() if copy else None

    watched = weighted_layers(run.network) if LayerOutputs in run.wanted else []
    relus = run.network if ActivationAgreement in run.wanted else nn.Identity()
    with ExitStack() as hooks:
        hooks.enter_context(watching(watched, see_layer))
        hooks.enter_context(watching_relus(relus, see_relu))
        wanted = CellResponses in run.wanted
        of_cells = hooks.enter_context(watching_cells(run.network)) if wanted else ReluCalls()
        outputs = run.network(images)
    return _Forward(outputs, images, maps, others, calls, of_cells)


def _input_jacobian(run: Run, forward: _Forward) -> InputJacobian:
    (gradient,) = torch.autograd.grad(
        forward.outputs.sum(),
        forward.images,
        retain_graph=bool(run.wanted & LABELLED),
        allow_unused=True,
        materialize_grads=True,
    )
    rows = gradient.reshape(len(gradient), -1)
    last = forward.outputs.shape[-1] if forward.outputs.dim() > 1 else 1
    return InputJacobian(rows, run.batch.labels, last)


def _loss_observations(run: Run, forward: _Forward) -> Observations:
    """Differentiates the loss once for weights and layer outputs, and once more if wanted."""
    twice = HessianGradient in run.wanted
    weights = weights_of(run.network)
    if not weights:
        raise UndefinedScoreError(NO_WEIGHTS)
    outputs = [output for _, output in forward.calls]
    gradients = torch.autograd.grad(
        task_loss(forward.outputs, run.batch),
        [*weights, *outputs, *forward.relus.outputs],
        create_graph=twice,
        allow_unused=True,
        materialize_grads=True,
    )
    layers, plain_weights = weighted_layers(run.network), tuple(w.detach() for w in weights)
    of_weights = gradients[: len(weights)]
    of_outputs = gradients[len(weights) : len(weights) + len(outputs)]
    of_relus = gradients[len(weights) + len(outputs) :]
    detached = tuple(g.detach() for g in of_weights)
    seen: Observations = {
        LossGradients: LossGradients(tuple(layers), plain_weights, detached),
        CellResponses: forward.relus.observed(tuple(g.detach() for g in of_relus)),
        LayerOutputs: LayerOutputs(
            tuple(
                LayerOutput(tuple(layer.weight.shape), output.detach(), gradient.detach())
                for (layer, output), gradient in zip(forward.calls, of_outputs, strict=True)
            )
        ),
    }
    if twice:
        products = _hessian_gradient(weights, of_weights)
        seen[HessianGradient] = HessianGradient(plain_weights, products)
    return seen


def _hessian_gradient(weights: list[Tensor], gradients: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Differentiates Σ⟨stopgrad(g), g⟩, whose gradient is the Hessian times g."""
    connected = [g for g in gradients if g.requires_grad]
    if not connected:
        return tuple(torch.zeros_like(w) for w in weights)
    squared_norm = torch.stack([(g.detach() * g).sum() for g in connected]).sum()
    return torch.autograd.grad(squared_norm, weights, allow_unused=True, materialize_grads=True)
