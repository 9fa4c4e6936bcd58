"""Scores a network that somebody hands over, of which nothing is known, on their own batch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from harness.core.errors import UndefinedScoreError
from harness.core.sections import Settings
from harness.core.types import Batch, Score
from harness.passes.minibatch import SecondGradients
from harness.passes.run import Run
from harness.passes.static import Layers
from harness.proxies.contract import Proxy, proxies
from harness.scoring import engine
from harness.scoring.given_batch import check_batch, with_whole_labels
from harness.scoring.outputs import several, tensor_of
from harness.scoring.plain_network import check_network, plain, unwrapped

SINGLE = 4  # bytes of a number in single precision


def score_given(
    network: nn.Module,
    batch: Batch,
    stream: tuple[object, ...],
    names: Sequence[str],
    settings: Settings,
) -> dict[str, Score]:
    """Scores a network of the user's own; what rests on what is no number is undefined.

    Args:
        network: Is left as it was.
        batch: Its inputs.
        stream: Name of its random stream.
        names: Registered proxies.
        settings: What passes and proxies read.

    Raises:
        HarnessError: If a proxy is unknown or the network cannot be looked into.
    """
    wanted = [proxies.get(name) for name in names]
    check_batch(batch)
    batch = with_whole_labels(batch)
    with unwrapped(network) as eager:
        check_network(eager, batch)
        whole = plain(eager)
        run = Run(whole, batch, stream, original=None if whole is eager else eager)
        with _as_function(whole):
            senseless = dict(_without_meaning(run, wanted))
            others = [name for name in names if name not in senseless]
            scores = engine.score(run, others, settings)
        scores = {name: _single_value_norm(score) for name, score in scores.items()}
    undefined = {name: Score(math.nan, "undefined", 0.0, why) for name, why in senseless.items()}
    return {name: (scores | undefined)[name] for name in names}


def _single_value_norm(score: Score) -> Score:
    """Calls undefined what has no value because a norm, as of one image, is of one value."""
    if score.status != "error" or "Expected more than 1 value per channel" not in score.message:
        return score
    why = "a batch norm sees a single value per channel, as of one image"
    return replace(score, status="undefined", message=why)


@contextmanager
def _as_function(network: nn.Module) -> Iterator[None]:
    """Lets a network return one tensor of finite numbers, and work on inputs of its own."""

    def copy_inputs(_: nn.Module, inputs: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(x.clone() if isinstance(x, Tensor) else x for x in inputs)

    def look(_: nn.Module, __: object, output: object) -> object:
        differentiated = torch.is_grad_enabled()
        found = tensor_of(output)
        if found is None:
            if differentiated:
                raise several(output)
            return output  # nobody asks for it
        if found.is_complex() or (found.is_floating_point() and found.itemsize < SINGLE):
            raise UndefinedScoreError(
                f"the network's output is {found.dtype}, and scores need single precision"
            )
        if not _is_batched() and not _finite([found]):
            raise UndefinedScoreError("the network's output holds NaN or infinite numbers")
        if differentiated and not found.requires_grad:
            raise UndefinedScoreError("the network's output cannot be differentiated")
        return found

    with ExitStack() as hooks:
        hooks.callback(network.register_forward_pre_hook(copy_inputs, prepend=True).remove)
        hooks.callback(network.register_forward_hook(look).remove)
        yield


def _is_batched() -> bool:
    """Tells whether vmap is at work, under which no value can be looked at."""
    return torch._C._functorch.peek_interpreter_stack() is not None


def _without_meaning(run: Run, wanted: Iterable[Proxy]) -> Iterator[tuple[str, str]]:
    """Yields the proxies that have no value on this network and batch, each with the reason."""
    batch, second = run.batch, run.batch.second
    weights = [*run.network.parameters(), *run.network.buffers()]
    no_weights = "" if _finite(weights) else "the network's weights hold NaN or infinite numbers"
    no_images = "" if _finite([batch.images]) else "the images hold NaN or infinite numbers"
    no_labels = _wrong_labels(run, batch)
    no_second = "" if second is None or _finite([second.images]) else "the second batch holds NaN"
    no_second = no_second or ("" if second is None else _wrong_labels(run, second))
    for proxy in wanted:
        kinds = set(proxy.needs.values())
        reasons = [
            no_weights if kinds != {Layers} else "",
            no_images if proxy.images else "",
            no_labels if proxy.labels else "",
            no_second if SecondGradients in kinds else "",
        ]
        why = next(filter(None, reasons), "")
        if why:
            yield proxy.name, why


def _wrong_labels(run: Run, batch: Batch) -> str:
    """Says what is wrong with a batch's labels; empty if nothing is."""
    labels = batch.labels
    if labels is None:
        return ""
    targets = labels.is_floating_point()
    if not _finite([labels]):
        return "the labels hold NaN or infinite numbers"
    shape = _output_shape(run)
    fitting = None if shape is None else (len(labels), *(shape if targets else shape[1:]))
    if fitting not in (None, labels.shape):
        return f"the labels have the shape {tuple(labels.shape)}; such outputs need {fitting}"
    if targets or batch.loss != "cross_entropy":
        return ""
    classes = None if shape is None else (*shape, 1)[0]
    smallest, largest = int(labels.min()), int(labels.max())
    if smallest >= 0 and (classes is None or largest < classes):
        return ""
    wrong = smallest if smallest < 0 else largest
    upto = "" if classes is None else f" to {classes - 1}"
    return f"there is a label {wrong}; classes are numbered from 0{upto}"


def _output_shape(run: Run) -> tuple[int, ...] | None:
    """Returns the shape of what a network returns for one image; None if it does not run."""
    try:
        with run.undisturbed("classes"), torch.no_grad():
            return tuple(run.network(run.batch.images[:2]).shape[1:])
    except Exception:  # whatever the user's network raises; who needs the outputs will say it
        return None


def _finite(tensors: Sequence[Tensor]) -> bool:
    floats = [x.detach() for x in tensors if x.is_floating_point() and x.numel()]
    floats = [x.float() if x.itemsize == 1 else x for x in floats]  # which knows no isfinite
    if not floats:
        return True
    # The largest magnitudes, of all tensors by one kernel on a GPU.
    return bool(torch.stack(torch._foreach_norm(floats, math.inf)).isfinite().all())
