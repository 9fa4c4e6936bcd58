"""The SWAP paper's figures and tables from stored results, beside the printed numbers."""

from harness.paper import (
    ablations,
    compare,
    heatmaps,
    input_sizes,
    regulariser,
    scatters,
    sizes,
    zero_cost_pt,
    zero_cost_pt_iterations,
)
from harness.paper.base import Artefact, Drawn, artefacts
from harness.paper.results import Results

__all__ = [
    "Artefact",
    "Drawn",
    "Results",
    "ablations",
    "artefacts",
    "compare",
    "heatmaps",
    "input_sizes",
    "regulariser",
    "scatters",
    "sizes",
    "zero_cost_pt",
    "zero_cost_pt_iterations",
]
