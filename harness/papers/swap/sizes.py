"""Figures 5a, 7, 9, 10 and 11: how large the sampled networks are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness import figures
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.papers.paper_artefacts import artefact
from harness.papers.swap import ablations
from harness.papers.swap.printed import published
from harness.spaces import darts_swap
from harness.spaces.darts import Genotype
from harness.spaces.darts_skeleton import count_params
from harness.spaces.space import spaces

IMAGENET_CLASSES = 1000
NOT_BYTES = "The paper calls the unit bytes; its range is that of the numbers of parameters."


def _histogram(name: str, title: str, what: str, theta: pd.Series[float]) -> Drawn:
    low, high, unit = published()["sizes"][name]
    words = {1e3: "thousand", 1e6: "million"}[unit]
    subtitle = (
        f"{what}; n = {len(theta)}. From {theta.min():.2f} to {theta.max():.2f}, paper: {low:g} to "
        f"{high:g}. {NOT_BYTES}"
    )
    figure = figures.histogram(theta, title, subtitle, x_label=f"{words} parameters")
    row = {
        "figure": name,
        "n": len(theta),
        "unit": f"{words} parameters",
        "smallest": theta.min(),
        "median": theta.median(),
        "mean": theta.mean(),
        "largest": theta.max(),
        "paper_smallest": float(low),
        "paper_largest": float(high),
    }
    counts, edges = np.histogram(theta, bins=40)
    bins = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "architectures": counts})
    return Drawn({name: pd.DataFrame([row]), f"{name}_bins": bins}, {name: figure})


def _one_cell(results: StoredResults) -> pd.Series[str]:
    return results.column("darts_swap", "cifar10").scores["key"].drop_duplicates()


def _group0(results: StoredResults, space: str) -> pd.Series[float]:
    column = ablations.stored(results, space)
    seed0 = column.scores[column.scores["seed"] == column.scores["seed"].min()]
    return ablations.sizes(column, seed0["key"].drop_duplicates())


@artefact("figure5a", "figure")
def figure5a(results: StoredResults) -> Drawn:
    """Draws the sizes of the published one-cell networks on CIFAR-10."""
    space = spaces.get("darts_swap")
    theta = _one_cell(results).map(lambda key: space.count_params(key, "cifar10") / 1e3)
    title = "Figure 5a · One-cell DARTS networks, CIFAR-10"
    return _histogram("figure5a", title, "The published one-cell networks, C=3", theta)


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
    return _histogram("figure7", title, what, theta)


@artefact("figure9", "figure")
def figure9(results: StoredResults) -> Drawn:
    """Draws the sizes of group 0 of NAS-Bench-101."""
    what = "Sampled among the architectures with a stored accuracy, seed 0"
    title = "Figure 9 · Sizes in NAS-Bench-101"
    return _histogram("figure9", title, what, _group0(results, "nb101"))


@artefact("figure10", "figure")
def figure10(results: StoredResults) -> Drawn:
    """Draws the sizes of group 0 of NAS-Bench-201."""
    title = "Figure 10 · Sizes in NAS-Bench-201"
    return _histogram("figure10", title, "Sampled with seed 0", _group0(results, "nb201"))


@artefact("figure11", "figure")
def figure11(results: StoredResults) -> Drawn:
    """Draws the sizes of group 0 of NAS-Bench-301, auxiliary head included."""
    what = "Sampled among the architectures with a stored accuracy, seed 0; with auxiliary head"
    title = "Figure 11 · Sizes in NAS-Bench-301"
    return _histogram("figure11", title, what, _group0(results, "nb301"))


ARTEFACTS = {
    "figure5a": figure5a,
    "figure7": figure7,
    "figure9": figure9,
    "figure10": figure10,
    "figure11": figure11,
}
