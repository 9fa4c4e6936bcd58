"""Separate random streams: nothing that draws numbers can move what something else draws.

Every stream is named by what it is for, ``stream("weights", seed, key)``, and its seed is a hash
of that name. A score therefore never depends on what was scored before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # drawing architectures needs no torch
    import torch


def stream(*name: object) -> int:
    """Returns the 63-bit seed of the random stream that ``name`` identifies."""
    text = "\x1f".join(str(part) for part in name)
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def numpy_stream(*name: object) -> np.random.Generator:
    """Returns a fresh numpy generator for the stream ``name``."""
    return np.random.default_rng(stream(*name))


@contextmanager
def torch_stream(*name: object, device: torch.device | str = "cpu") -> Iterator[None]:
    """Makes torch's global generators draw from the stream ``name``, then restores them.

    Layers draw their initial weights, and dropout its masks, from the global generator, so it is
    the global one that has to be seeded. ``device`` adds that device's generator to the CPU's;
    no other device's is touched.
    """
    import torch

    device = torch.device(device)
    forked = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=forked):
        torch.default_generator.manual_seed(stream(*name))
        if forked:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(stream(*name))
        yield
