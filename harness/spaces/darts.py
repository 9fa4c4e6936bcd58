"""Genotypes and operations of the DARTS cell; the networks are in ``darts_networks``.

Liu, Simonyan & Yang, "DARTS: Differentiable Architecture Search", ICLR 2019. A cell has two inputs
(0 and 1) and four nodes (2 to 5); a node is the sum of two edges, the cell's output concatenates
the nodes. In a reduction cell, the edges that come from its inputs have stride 2.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from harness.errors import HarnessError, unknown

# In the order of the operation ids of NAS-Bench-301's compact form.
OPERATIONS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
NODES = 4

Edges = tuple[tuple[str, int], ...]
"""The eight (operation, source) pairs of a cell, two per node."""


class Genotype(NamedTuple):
    """A DARTS architecture: its normal and its reduction cell."""

    normal: Edges
    reduce: Edges


def checked_edges(edges: object, operations: Sequence[str], *, distinct: bool) -> Edges:
    """Returns the edges of one cell if they are well-formed.

    Args:
        edges: Eight (operation, source) pairs; pair i leads to node 2 + i // 2.
        operations: The names that are allowed.
        distinct: Whether the two sources of a node must differ.

    Raises:
        HarnessError: If they are not.
    """
    try:
        pairs = tuple((operation, source) for operation, source in edges)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        pairs = ()
    if len(pairs) != 2 * NODES:
        raise HarnessError(
            f"A DARTS cell is {2 * NODES} pairs of an operation and its source, two per node; got "
            f"{edges!r}."
        )
    for position, (operation, source) in enumerate(pairs):
        node = 2 + position // 2
        if operation not in operations:
            raise unknown("DARTS operation", operation, operations)
        if type(source) is not int or not 0 <= source < node:
            raise HarnessError(
                f"Node {node} of a DARTS cell takes its inputs from 0 to {node - 1}; got "
                f"{source!r}."
            )
        if distinct and position % 2 and source == pairs[position - 1][1]:
            raise HarnessError(
                f"Node {node} of a DARTS cell needs two different inputs; got {source} twice."
            )
    return pairs


def parse_genotype(text: str) -> tuple[object, object]:
    """Returns the normal and the reduction cell of ``Genotype(normal=[...], ...)``, unchecked.

    This is how DARTS and its descendants print an architecture. Nothing is evaluated.

    Raises:
        HarnessError: If the text is anything else, or joins other nodes than 2 to 5.
    """
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or call.args or ast.unparse(call.func) != "Genotype":
            raise ValueError("not a genotype")
        fields = {field.arg: ast.unparse(field.value) for field in call.keywords}
        for cell in ("normal", "reduce"):
            if fields[f"{cell}_concat"] not in {"[2, 3, 4, 5]", "range(2, 6)"}:
                raise ValueError("other nodes joined")
        return ast.literal_eval(fields["normal"]), ast.literal_eval(fields["reduce"])
    except (SyntaxError, ValueError, KeyError, RecursionError, MemoryError) as error:
        raise HarnessError(
            f"{text!r} is not a DARTS genotype; expected Genotype(normal=[(operation, source), "
            "...], normal_concat=[2, 3, 4, 5], reduce=[...], reduce_concat=[2, 3, 4, 5])."
        ) from error


def cell_class(edges: Edges, inputs: tuple[str, str] = ("0", "1")) -> str:
    """Names the function that a cell computes, whatever the order of its nodes and their inputs.

    Args:
        edges: The cell.
        inputs: What to call its two inputs.
    """
    expressions = list(inputs)
    for position in range(0, 2 * NODES, 2):
        terms = sorted(
            "none" if operation == "none" else f"{operation}@{expressions[source]}"
            for operation, source in edges[position : position + 2]
        )
        expressions.append(f"({'+'.join(terms)})")
    return "|".join(sorted(expressions[2:]))


class FactorizedReduce(nn.Module):
    """ReLU, two 1×1 convolutions of stride 2 on grids shifted by one, batch norm."""

    def __init__(self, c_in: int, c_out: int, *, affine: bool = True) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.conv_a = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.conv_b = nn.Conv2d(c_in, c_out - c_out // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(c_out, affine=affine)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×c_in×H×W to N×c_out×⌈H/2⌉×⌈W/2⌉."""
        x = self.relu(x)
        # The padding is only ever read where H or W is odd.
        shifted = nn.functional.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        return self.norm(torch.cat([self.conv_a(x), self.conv_b(shifted)], dim=1))  # type: ignore[no-any-return]


class Zero(nn.Module):
    """The operation ``none``: zeros of the right shape."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×C×H×W to N×C×⌈H/stride⌉×⌈W/stride⌉ zeros."""
        return x[:, :, :: self.stride, :: self.stride] * 0


def operation(name: str, channels: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Builds one operation, from N×C×H×W to N×C×⌈H/stride⌉×⌈W/stride⌉.

    Args:
        name: One of ``OPERATIONS``, or ``none``.
        channels: C.
        stride: 1 or 2.
        affine: Whether batch norm has weights. Without them, as in supernets, a batch norm also
            follows each pooling.
    """
    if name == "none":
        return Zero(stride)
    if name == "skip_connect":
        if stride == 1:
            return nn.Identity()
        return FactorizedReduce(channels, channels, affine=affine)
    if name.endswith("pool_3x3"):
        pool = (
            nn.MaxPool2d(3, stride, padding=1)
            if name == "max_pool_3x3"
            else nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)
        )
        return pool if affine else nn.Sequential(pool, nn.BatchNorm2d(channels, affine=False))
    kernel = int(name[-1])
    if name.startswith("dil_conv"):
        return _separable(channels, kernel, stride, dilation=2, affine=affine)
    return nn.Sequential(
        *_separable(channels, kernel, stride, dilation=1, affine=affine),
        *_separable(channels, kernel, stride=1, dilation=1, affine=affine),
    )


def _separable(
    channels: int, kernel: int, stride: int, dilation: int, affine: bool
) -> nn.Sequential:
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(
            channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False
        ),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels, affine=affine),
    )


def count_operation(name: str, channels: int, stride: int, *, affine: bool = True) -> int:
    """Returns the number of parameters of one operation, as ``operation`` builds it."""
    norm = 2 * channels if affine else 0
    if name == "skip_connect" and stride == 2:
        return channels**2 + norm
    if "conv" not in name:
        return 0
    once = int(name[-1]) ** 2 * channels + channels**2 + norm
    return once if name.startswith("dil_conv") else 2 * once
