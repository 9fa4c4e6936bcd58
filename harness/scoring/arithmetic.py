"""Full float32 precision while a network is scored, whatever the user has set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import backends


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Switches reduced precision off and deterministic kernels on, then restores the settings.

    TF32 and bfloat16 are what ``torch.backends.fp32_precision`` and its kin, torch's older flags
    (``allow_tf32``, ``torch.set_float32_matmul_precision``) and autocast allow for float32. On a
    CPU they would change scores too.
    """
    with ExitStack() as restored:
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                restored.enter_context(torch.autocast(device, enabled=False))
        if not _precision_by_name():
            of_matmul = torch.get_float32_matmul_precision()
            restored.callback(torch.set_float32_matmul_precision, of_matmul)
            torch.set_float32_matmul_precision("highest")
        for owner, name, exact in _exact_settings():
            if (before := getattr(owner, name)) != exact:
                restored.callback(setattr, owner, name, before)
                setattr(owner, name, exact)
        yield


def _precision_by_name() -> bool:
    """Tells whether torch (since 2.9) has ``fp32_precision``; it refuses to mix old and new."""
    return hasattr(backends, "fp32_precision")


def _exact_settings() -> list[tuple[Any, str, object]]:
    """Returns owner, attribute and exact value of each setting; general ones come first.

    What is not set by itself follows the more general setting, so that only what differs by itself
    has to be changed, and is itself again afterwards.
    """
    cudnn: Any = backends.cudnn
    mkldnn: Any = backends.mkldnn
    kernels = [(cudnn, "deterministic", True), (cudnn, "benchmark", False)]
    if not _precision_by_name():
        return [*kernels, (cudnn, "allow_tf32", False)]
    general = [backends, cudnn]
    single = [backends.cuda.matmul, cudnn.conv, cudnn.rnn, mkldnn.matmul, mkldnn.conv, mkldnn.rnn]
    return [*kernels, *((place, "fp32_precision", "ieee") for place in (*general, *single))]
