"""``job=size_control``: does μ control the size of what SWAP-NAS finds, as in figures 5b and 8?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from harness import figures, provenance
from harness.config import Config
from harness.errors import HarnessError
from harness.files import make_writable
from harness.jobs.base import jobs
from harness.runs.protocol import images_of
from harness.runs.search_results import NO_TRUTH, found_table
from harness.runs.searches import run_searches, searches_of
from harness.search.evolution import budget
from harness.stats import spearman

# μ = σ, in thousands of parameters of the scored network; the classes of ImageNet alone are 25.
CIFAR_STEPS = (0.5, 0.9, 1.3, 1.7, 2.1, 2.5)
IMAGENET_STEPS = (25.0, 25.5, 26.0, 26.5, 27.0, 27.5)


def size_control(config: Config) -> Path:
    """Runs one search per seed and μ = σ, and draws the size of what was found against μ.

    Returns:
        The folder ``results/swap_nas/darts/<task>/size_control``.
    """
    if config.space != "darts":
        raise HarnessError(f"job=size_control searches DARTS, not {config.space}; add space=darts.")
    steps = IMAGENET_STEPS if config.task == "imagenet" else CIFAR_STEPS
    items = [
        item
        for mu in steps
        for item in searches_of(replace(config, search=replace(config.search, mu=mu, sigma=mu)))
    ]
    folder = items[0].folder / "size_control"
    make_writable(folder)
    evaluations = run_searches(items, config)
    each = len(evaluations) // len(items)
    evaluations["mu"] = np.repeat([item.objective.mu for item in items], each)
    sizes = _sizes(evaluations, config)
    figures.write_tables(sizes, folder / "sizes", ("csv",))
    final = "params_imagenet" if config.task == "imagenet" else "params_cifar10"
    rho = {column: spearman(sizes.mu, sizes[column]) for column in ("theta", final)}
    _draw(folder, sizes, final, rho, config)
    resolved = {"evaluations": budget(items[0].settings), "spearman": rho, "steps": steps}
    provenance.write(folder / "run.json", config, resolved, NO_TRUTH)
    _print(sizes, final, rho)
    return folder


def _sizes(evaluations: pd.DataFrame, config: Config) -> pd.DataFrame:
    parts = []
    for mu, rows in evaluations.groupby("mu", sort=False):
        found = found_table(rows.assign(method=config.search.method), config, None)
        parts.append(found.assign(mu=mu))
    return pd.concat(parts, ignore_index=True)


def _draw(
    folder: Path, sizes: pd.DataFrame, final: str, rho: dict[str, float], config: Config
) -> None:
    shown = sizes.assign(**{final: sizes[final] / 1e6})
    labels = {
        "theta": "scored network (thousand parameters)",
        final: "final network (million parameters)",
    }
    subtitle = (
        f"{config.search.method}, {sizes.seed.nunique()} searches per μ, "
        f"{sizes.evaluations.max()} evaluations each. Spearman with μ: Θ {rho['theta']:.3f}, final "
        f"network {rho[final]:.3f}. {images_of(config)}"
    )
    picture = figures.size_control(shown, labels, f"Size control on {config.task}", subtitle)
    figures.save(picture, folder / "size_control")


def _print(sizes: pd.DataFrame, final: str, rho: dict[str, float]) -> None:
    table = sizes.groupby("mu")[["theta", final]].agg(["mean", "min", "max"])
    table.columns = pd.Index(["_".join(pair) for pair in table.columns])
    title = f"Spearman of μ with Θ {rho['theta']:.3f}, with the final network {rho[final]:.3f}"
    Console().print(figures.plain_table(table.reset_index(), title=title, float_format="%.3f"))


jobs.add("size_control", size_control)
