"""The operations that each edge can have in the DARTS space and in RobustDARTS's S1 to S4.

Zela et al., "Understanding and Robustifying Differentiable Architecture Search", ICLR 2020: the
subspaces. Zero-Cost-PT leaves ``none`` out of the DARTS space.
"""

from __future__ import annotations

from harness.spaces.darts import NODES, OPERATIONS, Genotype, checked_edges, parse_genotype

KINDS = ("normal", "reduce")
# (source, node) of every edge; nodes 0 and 1 are the cell's inputs.
EDGES = tuple((source, node) for node in range(2, 2 + NODES) for source in range(node))

_SHORT = {
    "sk": "skip_connect",
    "s3": "sep_conv_3x3",
    "d3": "dil_conv_3x3",
    "d5": "dil_conv_5x5",
    "mx": "max_pool_3x3",
    "av": "avg_pool_3x3",
}
_S1 = {
    "normal": "sk,d3 sk,d5 sk,d5 sk,s3 sk,d3 mx,sk sk,s3 sk,s3 sk,d3 sk,s3 mx,sk sk,d3 d3,d5 d3,d5",
    "reduce": "mx,av mx,d3 mx,av mx,av sk,d5 mx,av mx,s3 sk,d3 sk,d5 mx,av mx,av sk,d5 sk,d5 sk,d5",
}

Candidates = dict[str, tuple[tuple[str, ...], ...]]


def _everywhere(*names: str) -> Candidates:
    return dict.fromkeys(KINDS, (names,) * len(EDGES))


def _spelled(edges: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(_SHORT[short] for short in edge.split(",")) for edge in edges.split())


CANDIDATES: dict[str, Candidates] = {
    "darts": _everywhere(*OPERATIONS),
    "darts_s1": {kind: _spelled(edges) for kind, edges in _S1.items()},
    "darts_s2": _everywhere("skip_connect", "sep_conv_3x3"),
    "darts_s3": _everywhere("none", "skip_connect", "sep_conv_3x3"),
    "darts_s4": _everywhere("noise", "sep_conv_3x3"),
}


def darts_genotype(key: str) -> Genotype:
    """Returns the cells of an architecture of these spaces, as DARTS prints it; ``noise`` counts.

    Raises:
        HarnessError: If the text is anything else.
    """
    normal, reduce = parse_genotype(key)
    known = (*OPERATIONS, "noise")
    return Genotype(
        checked_edges(normal, known, distinct=True), checked_edges(reduce, known, distinct=True)
    )
