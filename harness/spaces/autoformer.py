"""AutoFormer: vision transformers of one width with their own heads and MLP ratio in each block.

Chen et al., "AutoFormer: Searching Transformers for Visual Recognition", ICCV 2021; the tiny space
in the ranges of ViT-Bench-101 (Wei et al., "Auto-Prox: Training-Free Vision Transformer
Architecture Search via Automatic Proxy Discovery", AAAI 2024), 1,056,964,608 architectures. The key
is the width, then heads and MLP ratio of each of the 12 to 14 blocks: ``192:4/3.5,4/4,3/3.5,...``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from harness.inputs.tasks import Task
from harness.spaces import spelling
from harness.spaces.drawn import DrawnSpace
from harness.spaces.space import spaces
from harness.spaces.transformer_sizes import PATCH, count_block, count_head, count_patches

if TYPE_CHECKING:  # keys need no torch
    from torch import nn

WIDTHS = (192, 216, 240)
DEPTHS = (12, 13, 14)
HEADS = (3, 4)
MLP_RATIOS = (3.5, 4.0)
TOKENS = 1 + (224 // PATCH) ** 2  # the class token, and one per patch of 224×224 pixels

_BLOCK = r"[34]/(?:3\.5|4)"
_FORM = re.compile(rf"(192|216|240):({_BLOCK}(?:,{_BLOCK}){{11,13}})")


class AutoFormerArchitecture(NamedTuple):
    """Width of the tokens; heads and MLP ratio of each block."""

    width: int
    blocks: tuple[tuple[int, float], ...]

    @property
    def key(self) -> str:
        """The canonical key."""
        return f"{self.width}:{','.join(f'{heads}/{ratio:g}' for heads, ratio in self.blocks)}"


def parse(key: str) -> AutoFormerArchitecture:
    """Returns the architecture that a key names.

    Raises:
        HarnessError: If the text is not an architecture of the space.
    """
    form = spelling.formed(
        _FORM,
        key,
        "an AutoFormer architecture",
        "192:4/3.5,4/4,3/3.5,...: the width (192, 216 or 240), then heads (3 or 4) and MLP ratio "
        "(3.5 or 4) of 12 to 14 blocks.",
    )
    blocks = (block.split("/") for block in form[2].split(","))
    return AutoFormerArchitecture(
        int(form[1]), tuple((int(heads), float(ratio)) for heads, ratio in blocks)
    )


class AutoFormer(DrawnSpace):
    """AutoFormer's tiny space in the ranges of ViT-Bench-101."""

    name = "autoformer"
    tasks = ("vit_cifar100", "flowers102", "chaoyang", "vit_imagenet")
    spellings: ClassVar[Mapping[str, str]] = {
        "width, then heads/MLP ratio of every block": "192:4/3.5,4/4,3/3.5,4/4,3/3.5,3/3.5,4/4,"
        "4/3.5,3/4,3/4,3/4,4/3.5",
    }

    def draw(self, random: np.random.Generator) -> str:
        """Draws an architecture uniformly: a deeper network has more architectures."""
        choices = len(HEADS) * len(MLP_RATIOS)
        amounts = np.array([choices**depth for depth in DEPTHS], dtype=float)
        depth = int(random.choice(DEPTHS, p=amounts / amounts.sum()))
        heads, ratios = random.choice(HEADS, depth), random.choice(MLP_RATIOS, depth)
        blocks = tuple(zip(heads.tolist(), ratios.tolist(), strict=True))
        return AutoFormerArchitecture(int(random.choice(WIDTHS)), blocks).key

    def canonical(self, key: str) -> str:
        """Returns the key without spaces around it; an architecture has one spelling."""
        return parse(key).key

    def network(self, key: str, task: Task) -> nn.Module:
        """Builds the benchmark's network; distillation of features adds nothing to it."""
        from harness.spaces.networks.autoformer_network import AutoFormerNetwork

        return AutoFormerNetwork(parse(key), task.outputs)

    def count_params(self, key: str, task: str) -> int:
        """Counts the parameters; the number of heads does not matter."""
        width, blocks = parse(key)
        embedding = count_patches(width) + (1 + TOKENS) * width
        inner = sum(count_block(width, int(width * ratio)) for _, ratio in blocks)
        return embedding + inner + count_head(width, self.task(task).outputs)


spaces.add(AutoFormer.name, AutoFormer())
