"""PiT: vision transformers of three stages, between which a pooling shrinks the map.

Heo et al., "Rethinking Spatial Dimensions of Vision Transformers" (PiT), ICCV 2021; the space of
ViT-Bench-101 (Wei et al., "Auto-Prox: Training-Free Vision Transformer Architecture Search via
Automatic Proxy Discovery", AAAI 2024). The key is the width of a head, the MLP ratio, and the depth
and heads of every stage: ``16:6:2-8-4:2-4-4``.

A stage is as wide as its heads together. The pooling between stages works within channels, so no
stage can have fewer heads than the one before: 4,320 of the 11,664 combinations are networks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise, product
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from harness.core.errors import HarnessError, shown
from harness.inputs.tasks import Task
from harness.spaces import spelling
from harness.spaces.space import Space, spaces
from harness.spaces.transformer_sizes import count_block, count_head, count_patches

if TYPE_CHECKING:  # keys need no torch
    from torch import nn

HEAD_WIDTHS = (16, 24, 32, 40)
MLP_RATIOS = (2, 4, 6, 8)
DEPTHS = ((1, 2, 3), (4, 6, 8), (2, 4, 6))
HEADS = (2, 4, 8)
STRIDE = 8
SIDES = (27, 14, 7)  # of the maps that the stages see, of images of 224 pixels

_FORM = re.compile(
    r"(16|24|32|40):([2468]):([123])-([468])-([246]):([248])-([248])-([248])", re.ASCII
)


class PitArchitecture(NamedTuple):
    """Width of a head, MLP ratio; depth and heads of each stage."""

    head_width: int
    mlp_ratio: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """The width of each stage."""
        return tuple(self.head_width * heads for heads in self.heads)

    @property
    def key(self) -> str:
        """The canonical key."""
        stages = ("-".join(map(str, part)) for part in (self.depths, self.heads))
        return ":".join([str(self.head_width), str(self.mlp_ratio), *stages])


def parse(key: str) -> PitArchitecture:
    """Returns the architecture that a key names.

    Raises:
        HarnessError: If the text is not an architecture of the space.
    """
    form = spelling.formed(
        _FORM,
        key,
        "a PiT architecture",
        "16:6:2-8-4:2-4-4: the width of a head (16, 24, 32 or 40), the MLP ratio (2, 4, 6 or 8), "
        "the depths (1 to 3, then 4, 6 or 8, then 2, 4 or 6) and the heads (2, 4 or 8) of the "
        "three stages.",
    )
    head_width, ratio, *stages = map(int, form.groups())
    architecture = PitArchitecture(head_width, ratio, tuple(stages[:3]), tuple(stages[3:]))
    if not _is_buildable(architecture.heads):
        raise HarnessError(
            f"{shown(form[0])} is no network: the pooling between stages works within channels, so "
            "that heads cannot become fewer from one stage to the next."
        )
    return architecture


def _is_buildable(heads: Sequence[int]) -> bool:
    return all(before <= after for before, after in pairwise(heads))


class PiT(Space):
    """PiT's space in the ranges of ViT-Bench-101: 4,320 architectures."""

    name = "pit"
    tasks = ("vit_cifar100", "flowers102", "chaoyang")
    spellings: ClassVar[Mapping[str, str]] = {
        "width of a head, MLP ratio, depths, heads": "16:6:2-8-4:2-4-4",
    }

    def keys(self) -> Sequence[str]:
        """Returns all 4,320 keys in alphabetical order."""
        return _keys()

    def canonical(self, key: str) -> str:
        """Returns the key without spaces around it; an architecture has one spelling."""
        return parse(key).key

    def network(self, key: str, task: Task) -> nn.Module:
        """Builds the benchmark's network; distillation of features adds nothing to it."""
        from harness.spaces.networks.pit_network import PitNetwork

        return PitNetwork(parse(key), task.outputs)

    def count_params(self, key: str, task: str) -> int:
        """Counts the parameters."""
        architecture = parse(key)
        first, *_, last = widths = architecture.widths
        embedding = count_patches(first) + (1 + SIDES[0] ** 2) * first
        blocks = sum(
            depth * count_block(width, width * architecture.mlp_ratio)
            for depth, width in zip(architecture.depths, widths, strict=True)
        )
        # A 3×3 convolution within channels for the map, a linear layer for the class token.
        pools = sum((3**2 + 1 + c_in + 1) * c_out for c_in, c_out in pairwise(widths))
        return embedding + blocks + pools + count_head(last, self.task(task).outputs)


@cache
def _keys() -> tuple[str, ...]:
    every = product(HEAD_WIDTHS, MLP_RATIOS, product(*DEPTHS), product(HEADS, repeat=3))
    found = (PitArchitecture(*parts) for parts in every)
    return tuple(sorted(one.key for one in found if _is_buildable(one.heads)))


spaces.add(PiT.name, PiT())
