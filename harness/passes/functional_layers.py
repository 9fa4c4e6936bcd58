"""Layers that a network calls as functions, ``F.relu(x)``, where others hold modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from harness.passes.weighted_layers import tensors_in

Function = Callable[..., Any]
K = TypeVar("K")


def _functions(names: str) -> list[Function]:
    """Returns what goes by these names: as a function, a tensor's method, and in place."""
    places = (functional, torch, Tensor)
    spellings = [spelling for name in names.split() for spelling in (name, f"{name}_")]
    found = (getattr(place, name, None) for name in spellings for place in places)
    return [function for function in found if callable(function)]


# What a call would be as a module.
RELUS: dict[Function, nn.Module] = {
    **dict.fromkeys(_functions("relu clamp clip clamp_min threshold"), nn.ReLU()),
    **dict.fromkeys(_functions("leaky_relu"), nn.LeakyReLU()),
    **dict.fromkeys(_functions("relu6"), nn.ReLU6()),
    **dict.fromkeys(_functions("prelu"), nn.PReLU()),
    **dict.fromkeys(_functions("rrelu"), nn.RReLU()),
}
SIGNED: dict[Function, nn.Module] = {
    **RELUS,
    **dict.fromkeys(
        _functions(
            "gelu silu mish elu selu celu tanh softsign hardswish hardtanh hardshrink softshrink "
            "tanhshrink"
        ),
        nn.Identity(),
    ),
}
ACTIVATIONS: dict[Function, nn.Module] = {
    **SIGNED,
    **dict.fromkeys(
        _functions("glu sigmoid softplus softmax log_softmax softmin hardsigmoid logsigmoid"),
        nn.Identity(),
    ),
}
WEIGHTED: dict[Function, nn.Module] = dict.fromkeys(
    _functions(
        "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d linear bilinear "
        "batch_norm layer_norm group_norm rms_norm"
    ),
    nn.Identity(),
)
OTHERS: dict[Function, nn.Module] = dict.fromkeys(
    _functions(
        "max_pool1d max_pool2d avg_pool1d avg_pool2d adaptive_avg_pool1d adaptive_avg_pool2d "
        "adaptive_max_pool1d adaptive_max_pool2d lp_pool2d dropout dropout1d dropout2d "
        "alpha_dropout interpolate pixel_shuffle pixel_unshuffle instance_norm normalize"
    ),
    nn.Identity(),
)
_LIMITS = frozenset(_functions("clamp clip clamp_min threshold"))
_MEANS = frozenset(_functions("mean"))
_POOLINGS = frozenset(_functions("avg_pool2d adaptive_avg_pool2d"))

See = Callable[[nn.Module, Tensor, Tensor], None]


def calls_functions_itself(module: nn.Module) -> bool:
    """Tells whether a module is a layer of torch, whose functions are not the network's calls."""
    return type(module).__module__.startswith("torch.nn.") and not any(module.children())


class _Calls(TorchFunctionMode):
    """Sees every function of torch that is called outside of certain modules."""

    def __init__(self, see: Callable[[Function, Sequence[Any], Mapping[str, Any], Any], None]):
        super().__init__()
        self._see = see
        self.within = 0

    def __torch_function__(
        self, func: Function, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        if not self.within:
            self._see(func, args, kwargs or {}, output)
        return output


def has_layers_alone(network: nn.Module) -> bool:
    """Tells whether a network can be known to hold a module for every layer.

    It can if it is made of torch's layers and of the harness's classes, which hold to that. Seeing
    every function costs a twentieth of a small network's forward.
    """
    return all(map(_is_known, network.modules()))


def _is_known(module: nn.Module) -> bool:
    place = type(module).__module__
    if place.startswith("torch.nn.modules."):
        known = place != nn.Transformer.__module__  # which calls its activation as a function
    else:
        known = place.startswith("harness.")
    changed = vars(module).get("forward")
    ours = changed is None or getattr(changed, "func", changed).__module__.startswith("harness.")
    return known and ours


@contextmanager
def _watching(
    network: nn.Module,
    layers: Sequence[nn.Module],
    see: Callable[[Function, Sequence[Any], Mapping[str, Any], Any], None],
) -> Iterator[None]:
    """Calls ``see(function, args, kwargs, output)``; what the layers call themselves is theirs."""
    if has_layers_alone(network):
        yield
        return
    calls = _Calls(see)

    def enter(*_: object) -> None:
        calls.within += 1

    def leave(*_: object) -> None:
        calls.within -= 1

    with ExitStack() as hooks:
        for layer in layers:
            hooks.callback(layer.register_forward_pre_hook(enter).remove)
            hooks.callback(layer.register_forward_hook(leave, always_call=True).remove)
        hooks.enter_context(calls)
        yield


@contextmanager
def watching_functions(
    network: nn.Module,
    kinds: Mapping[Function, nn.Module],
    layers: Sequence[nn.Module],
    see: See,
) -> Iterator[None]:
    """Calls ``see(kind, input, output)`` after every call of a function that stands for a layer.

    Args:
        network: What runs.
        kinds: Function -> the module that would do the same.
        layers: Modules whose own calls are not counted, because whoever watches sees the module.
        see: What to call.
    """

    def look(function: Function, args: Sequence[Any], kwargs: Mapping[str, Any], y: Any) -> None:
        kind = kinds.get(function)
        if kind is None or (function in _LIMITS and not _is_relu(function, args, kwargs)):
            return
        x = args[0] if args else kwargs.get("input")
        if isinstance(x, Tensor) and isinstance(y, Tensor) and y.is_floating_point():
            see(kind, x, y)

    with _watching(network, layers, look):
        yield


@contextmanager
def watching_global_pooling(
    network: nn.Module, layers: Sequence[nn.Module], see: Callable[[Tensor], None]
) -> Iterator[None]:
    """Calls ``see(input)`` after every function that averages whole 4-D feature maps.

    Args:
        network: What runs.
        layers: Modules whose own calls are not counted.
        see: What to call.
    """
    halfway: list[tuple[Tensor, Tensor]] = []  # a mean over one axis, and of what

    def look(function: Function, args: Sequence[Any], kwargs: Mapping[str, Any], y: Any) -> None:
        x = args[0] if args else kwargs.get("input")
        if not isinstance(x, Tensor) or not isinstance(y, Tensor):
            return
        if function in _POOLINGS and x.dim() == 4:
            if function is functional.adaptive_avg_pool2d or is_whole(x, y):
                see(x)
        elif function in _MEANS:
            axes = args[1] if len(args) > 1 else kwargs.get("dim", kwargs.get("axis"))
            axes = {axes} if isinstance(axes, int) else set(axes or ())
            axes = {axis % x.dim() for axis in axes}
            if x.dim() == 4 and len(axes) == 2 and 0 not in axes:
                see(x)
            elif x.dim() == 4 and axes <= {2, 3}:
                halfway[:] = [(y, x)]
            elif halfway and halfway[0][0] is x and axes and min(axes) >= 2:
                see(halfway[0][1])

    with _watching(network, layers, look):
        yield


def is_whole(x: Tensor, y: Tensor) -> bool:
    """Tells whether a pooling from x to y takes the whole map, of more than one pixel."""
    return y.dim() == 4 and y.shape[2:] == (1, 1) != x.shape[2:]


def parameters_touched(forward: Callable[[], object]) -> set[int]:
    """Returns the ids of the parameters that functions of torch take while a forward runs."""
    touched: set[int] = set()

    def look(_: Function, args: Sequence[Any], kwargs: Mapping[str, Any], y: Any) -> None:
        if isinstance(y, Tensor) or type(y) in (tuple, list):  # not of one's shape or type
            touched.update(id(x) for x in tensors_in((args, kwargs)) if isinstance(x, nn.Parameter))

    with _Calls(look):
        forward()
    return touched


def _is_relu(function: Function, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Tells whether a call that limits values, or replaces those below a threshold, is a ReLU."""
    names = ("threshold", "value") if "threshold" in function.__name__ else ("min", "max")
    given = {**dict(zip(names, args[1:], strict=False)), **kwargs}
    lower, other = (given.get(name) for name in names)
    zero = isinstance(lower, (int, float)) and lower == 0
    return zero and (other is None or (names[1] == "value" and other == 0))
