"""Genotypes and operations of the DARTS cell.

Liu, Simonyan & Yang, "DARTS: Differentiable Architecture Search", ICLR 2019. A cell has two inputs
(0 and 1) and four nodes (2 to 5); a node is the sum of two edges, the cell's output concatenates
the nodes. In a reduction cell, the edges that come from its inputs have stride 2.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from harness.core.errors import HarnessError, shown, unknown
from harness.spaces import spelling
from harness.spaces.cell_graph import CellGraph

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
            f"{shown(edges)}."
        )
    for position, (operation, source) in enumerate(pairs):
        node = 2 + position // 2
        if operation not in operations:
            raise unknown("DARTS operation", operation, operations)
        if type(source) is not int or not 0 <= source < node:
            raise HarnessError(
                f"Node {node} of a DARTS cell takes its inputs from 0 to {node - 1}; got "
                f"{shown(source)}."
            )
        if distinct and position % 2 and source == pairs[position - 1][1]:
            raise HarnessError(
                f"Node {node} of a DARTS cell needs two different inputs; got {source} twice."
            )
    return pairs


_FIELDS: set[str | None] = {"normal", "normal_concat", "reduce", "reduce_concat"}


def is_genotype(text: str) -> bool:
    """Tells whether ``text`` sets out to be a genotype as DARTS prints it."""
    return text.startswith("Genotype(")


def parse_genotype(text: str) -> tuple[object, object]:
    """Returns the normal and the reduction cell of ``Genotype(normal=[...], ...)``, unchecked.

    This is how DARTS and its descendants print an architecture. Nothing is evaluated.

    Raises:
        HarnessError: If the text is anything else, or joins other nodes than 2 to 5.
    """
    try:
        if not spelling.PLAIN.fullmatch(text.strip()):
            raise ValueError("other signs, or too many")
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or call.args or ast.unparse(call.func) != "Genotype":
            raise ValueError("not a genotype")
        fields = {field.arg: field.value for field in call.keywords}
        if len(call.keywords) != len(_FIELDS) or set(fields) != _FIELDS:
            raise ValueError("other fields")
        for joined in ("normal_concat", "reduce_concat"):
            if ast.unparse(fields[joined]) not in {"[2, 3, 4, 5]", "range(2, 6)"}:
                raise ValueError("other nodes joined")
        return ast.literal_eval(fields["normal"]), ast.literal_eval(fields["reduce"])
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise HarnessError(
            f"{shown(text)} is not a DARTS genotype; expected Genotype(normal=[(operation, "
            "source), ...], normal_concat=[2, 3, 4, 5], reduce=[...], reduce_concat=[2, 3, 4, 5])."
        ) from error


def print_genotype(genotype: Genotype) -> str:
    """Returns ``Genotype(normal=[('skip_connect', 0), ...``, as DARTS prints an architecture."""
    normal, reduce = map(list, genotype)
    joined = list(range(2, 2 + NODES))
    return (
        f"Genotype(normal={normal}, normal_concat={joined}, "
        f"reduce={reduce}, reduce_concat={joined})"
    )


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


def graph(edges: Edges) -> CellGraph:
    """Returns a cell as a graph, whose output (6) joins the nodes."""
    arcs = [(source, 2 + place // 2, operation) for place, (operation, source) in enumerate(edges)]
    joined = [(node, 2 + NODES, "") for node in range(2, 2 + NODES)]
    return CellGraph((*arcs, *joined), inputs=2)


def count_operation(name: str, channels: int, stride: int, *, affine: bool = True) -> int:
    """Returns the number of parameters of one operation, as ``darts_operations`` builds it."""
    norm = 2 * channels if affine else 0
    if name == "skip_connect" and stride == 2:
        return channels**2 + norm
    if "conv" not in name:
        return 0
    once = int(name[-1]) ** 2 * channels + channels**2 + norm
    return once if name.startswith("dil_conv") else 2 * once
