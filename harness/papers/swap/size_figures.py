"""Figures 5b and 8: the size of what SWAP-NAS selects against μ."""

from __future__ import annotations

from harness import figures, stats
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError
from harness.papers.paper_artefacts import artefact
from harness.papers.swap.selected_sizes import MADE_BY, searches


@artefact("figure5b", "figure")
def figure5b(results: StoredResults) -> Drawn:
    """Draws the sizes against μ on CIFAR-10, those of SWAP-NAS-A, B and C included."""
    title = "Figure 5b · Size control on CIFAR-10"
    shows = "The paper does not say which of the two sizes it shows."
    return _drawn(results, "cifar10", "figure5b", title, shows)


@artefact("figure8", "figure")
def figure8(results: StoredResults) -> Drawn:
    """Draws the sizes against μ for ImageNet."""
    title = "Figure 8 · Size control for ImageNet"
    shows = "The paper shows the final networks. Ours see a stand-in, images of CIFAR-10."
    return _drawn(results, "imagenet", "figure8", title, shows)


def _drawn(results: StoredResults, task: str, name: str, title: str, shows: str) -> Drawn:
    found = searches(results, task)
    if found.empty:
        raise DataError(f"No search of DARTS on {task} is stored; make them with `{MADE_BY}`.")
    labels = {
        "theta": "Θ, scored network (thousand parameters)",
        "millions": "final network (million parameters)",
    }
    shown = found.assign(millions=found[f"params_{task}"] / 1e6)
    theta, final = (stats.spearman(shown["mu"], shown[column]) for column in labels)
    by_mu = shown.groupby("mu")
    picture = figures.size_control(
        shown,
        labels,
        title,
        f"{by_mu.size().min()} searches per μ. Spearman's ρ with μ: Θ {theta:.2f}, final network "
        f"{final:.2f}. {shows}",
    )
    table = by_mu[list(labels)].agg(["mean", "std", "min", "max"])
    table.columns = table.columns.map("_".join)
    return Drawn({name: table.assign(searches=by_mu.size()).reset_index()}, {name: picture})
