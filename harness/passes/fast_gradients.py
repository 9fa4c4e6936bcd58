"""Ways around what torch is slow at on a CPU when it differentiates; scores move by rounding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.passes.gradient_layouts import gradients_in_layout
from harness.passes.run import Run
from harness.passes.second_order import fast_first_derivatives, fast_second_derivatives


@contextmanager
def fast_gradients(run: Run, *, twice: bool = False) -> Iterator[None]:
    """Makes backwards of a run's network cheaper; call it within ``undisturbed``.

    Args:
        run: The network and its batch; on a GPU nothing changes, where torch is fast by itself.
        twice: Whether a gradient is differentiated again.
    """
    if run.batch.images.device.type != "cpu":
        yield
        return
    faster = fast_second_derivatives if twice else fast_first_derivatives
    with gradients_in_layout(run.network), faster(run.network):
        yield
