"""Ways around what torch is slow at on a CPU when it differentiates; scores move by rounding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from harness.passes.gradient_layouts import gradients_in_layout
from harness.passes.run import Run
from harness.passes.second_order import Asked, fast_first_derivatives, fast_second_derivatives


@contextmanager
def fast_gradients(run: Run, *, twice: bool = False) -> Iterator[Asked]:
    """Makes backwards of a run's network cheaper; call it within ``undisturbed``.

    Args:
        run: The network and its batch; on a GPU first derivatives are fast by themselves.
        twice: Whether a gradient is differentiated again.

    Yields:
        What backwards are for; minding it spares gradients that nobody wants.
    """
    asked = Asked()
    with ExitStack() as ways:
        if twice:  # on a GPU, dozens of launches become a few
            asked = ways.enter_context(fast_second_derivatives(run.network))
        if run.batch.images.device.type == "cpu":
            ways.enter_context(gradients_in_layout(run.network))
            if not twice:
                asked = ways.enter_context(fast_first_derivatives(run.network))
        yield asked
