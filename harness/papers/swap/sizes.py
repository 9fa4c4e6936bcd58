"""Figures 5a, 7, 9, 10 and 11: how large the sampled networks are.

Appendix B draws group 0 for its sizes alone (figures 9 to 11), so no network of it is scored.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from harness import figures, truth
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.papers.paper_artefacts import artefact
from harness.papers.swap import ablations
from harness.papers.swap.printed import published
from harness.scoring.scope import Scope
from harness.spaces import darts_swap
from harness.spaces.darts import Genotype
from harness.spaces.darts_skeleton import count_params
from harness.spaces.space import spaces

IMAGENET_CLASSES = 1000
GROUP = 1000  # architectures
SMALL = 5  # million parameters: "most of the models" of figure 9 have fewer
ALL = "all"  # the sample that is everything there is
WORDS = {1e3: "thousand", 1e6: "million"}
NOT_BYTES = "The paper calls the unit bytes; its range is that of the numbers of parameters."


def _histogram(
    name: str, title: str, what: str, samples: Mapping[str, pd.Series[float]], more: str = ""
) -> Drawn:
    """Draws the sizes of the first sample beside the paper's range; the table has every one."""
    theta, *_ = samples.values()
    low, high, unit = published()["sizes"][name]
    subtitle = (
        f"{what}; n = {len(theta)}. From {theta.min():.2f} to {theta.max():.2f}, paper: {low:g} to "
        f"{high:g}. {more}{NOT_BYTES}"
    )
    figure = figures.histogram(theta, title, subtitle, x_label=f"size ({WORDS[unit]} parameters)")
    rows = [_row(name, sample, sizes) for sample, sizes in samples.items()]
    counts, edges = np.histogram(theta, bins=40)
    bins = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "architectures": counts})
    return Drawn({name: pd.DataFrame(rows), f"{name}_bins": bins}, {name: figure})


def _row(name: str, sample: str, theta: pd.Series[float]) -> dict[str, object]:
    low, high, unit = published()["sizes"][name]
    return {
        "figure": name,
        "sample": sample,
        "n": len(theta),
        "unit": f"{WORDS[unit]} parameters",
        "smallest": theta.min(),
        "median": theta.median(),
        "mean": theta.mean(),
        "largest": theta.max(),
        "paper_smallest": float(low),
        "paper_largest": float(high),
    }


def _one_cell(results: StoredResults) -> pd.Series[str]:
    return results.column("darts_swap", "cifar10").scores["key"].drop_duplicates()


def _group0(space: str, sample: str = "uniform") -> pd.Series[float]:
    pool = truth.load(space, "cifar10")["key"].tolist()
    keys = Scope(n=GROUP, sample=sample).drawn(spaces.get(space), 0, pool)
    return ablations.sizes(space, "cifar10", pd.Series(keys))


@artefact("figure5a", "figure")
def figure5a(results: StoredResults) -> Drawn:
    """Draws the sizes of the published one-cell networks on CIFAR-10."""
    space = spaces.get("darts_swap")
    theta = _one_cell(results).map(lambda key: space.count_params(key, "cifar10") / 1e3)
    title = "Figure 5a · One-cell DARTS networks, CIFAR-10"
    return _histogram("figure5a", title, "The published one-cell networks, C=3", {ALL: theta})


@artefact("figure7", "figure")
def figure7(results: StoredResults) -> Drawn:
    """Draws the sizes of the same networks with ImageNet's thousand classes."""

    def count(key: str) -> float:
        edges = darts_swap.parse(key)
        genotype = Genotype(normal=edges, reduce=edges)
        return count_params(genotype, darts_swap.SKELETON, IMAGENET_CLASSES) / 1e3

    theta = _one_cell(results).map(count)
    title = "Figure 7 · One-cell DARTS networks, ImageNet"
    what = "The published one-cell networks, C=3, with 1000 classes"
    return _histogram("figure7", title, what, {ALL: theta})


@artefact("figure9", "figure")
def figure9(results: StoredResults) -> Drawn:
    """Draws the sizes of group 0 of NAS-Bench-101, drawn in the way that has the paper's range."""
    del results  # a draw
    samples = {sample: _group0("nb101", sample) for sample in ("labelled", "uniform")}
    labelled, uniform = samples.values()
    what = "Matrices drawn uniformly, as NAS-Bench-Suite-Zero does, seed 0"
    more = (
        f"{(labelled < SMALL).mean():.0%} have less than {SMALL} (paper: most). Of cells drawn "
        f"uniformly {(uniform < SMALL).mean():.0%} do, and the largest has {uniform.max():.0f}. "
    )
    return _histogram("figure9", "Figure 9 · Sizes in NAS-Bench-101", what, samples, more)


@artefact("figure10", "figure")
def figure10(results: StoredResults) -> Drawn:
    """Draws the sizes of group 0 of NAS-Bench-201."""
    del results  # a draw
    title = "Figure 10 · Sizes in NAS-Bench-201"
    return _histogram("figure10", title, "Sampled with seed 0", {"uniform": _group0("nb201")})


@artefact("figure11", "figure")
def figure11(results: StoredResults) -> Drawn:
    """Draws the sizes of group 0 of NAS-Bench-301, auxiliary head included."""
    del results  # a draw
    what = "Sampled among the architectures with a stored accuracy, seed 0; with auxiliary head"
    title = "Figure 11 · Sizes in NAS-Bench-301"
    return _histogram("figure11", title, what, {"uniform": _group0("nb301")})


ARTEFACTS = {
    "figure5a": figure5a,
    "figure7": figure7,
    "figure9": figure9,
    "figure10": figure10,
    "figure11": figure11,
}
