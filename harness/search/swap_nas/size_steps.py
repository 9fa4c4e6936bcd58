"""Does μ control the size of what SWAP-NAS selects, as in figures 5b and 8?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
from rich.console import Console

from harness.config import Config
from harness.core.errors import HarnessError
from harness.core.sections import Settings
from harness.results.folder import replacing
from harness.results.layout import result_path
from harness.results.terminal import plain_table
from harness.scoring.conditions import images_of
from harness.search.swap_nas.measurement import REG_SWAP
from harness.search.swap_nas.search_result import SearchResult, result_of
from harness.search.swap_nas.searches import searches_of
from harness.search.swap_nas.swap_nas_settings import SwapNasSettings
from harness.stats import spearman

# μ = σ, in thousands of parameters of the scored network; the classes of ImageNet alone are 25.
CIFAR_STEPS = (0.5, 0.9, 1.3, 1.7, 2.1, 2.5)
IMAGENET_STEPS = (25.0, 25.5, 26.0, 26.5, 27.0, 27.5)


def search_with_steps(config: Config, search: SwapNasSettings, settings: Settings) -> Path:
    """Runs what is missing of one search per seed and μ = σ, and draws the selected sizes.

    Raises:
        HarnessError: If the space is not DARTS.
    """
    if config.space != "darts":
        raise HarnessError(f"job=size_control searches DARTS, not {config.space}; add space=darts.")
    imagenet = config.task == "imagenet"
    searches = [
        one
        for mu in (IMAGENET_STEPS if imagenet else CIFAR_STEPS)
        for one in searches_of(
            config, replace(search, objective=REG_SWAP, mu=mu, sigma=mu), settings
        )
    ]
    result = result_of(searches, config, result_path(config, "size_control"))
    final = "params_imagenet" if imagenet else "params_cifar10"
    selected = result.selected
    rho = {column: spearman(selected.mu, selected[column]) for column in ("theta", final)}
    if result.grew:
        with replacing(result.folder) as fresh:
            _draw(result, final, rho, fresh)
            result.write(fresh, evaluations=False, resolved={"spearman": rho})
    _show(selected, final, rho)
    return result.folder


def _draw(result: SearchResult, final: str, rho: dict[str, float], folder: Path) -> None:
    from harness import figures

    selected, config = result.selected, result.config
    labels = {
        "theta": "scored network (thousand parameters)",
        final: "final network (million parameters)",
    }
    subtitle = (
        f"{result.searches[0].settings.method}, {selected.seed.nunique()} searches per μ, "
        f"{selected.evaluations.max()} evaluations each. Spearman with μ: Θ {rho['theta']:.3f}, "
        f"final network {rho[final]:.3f}. {images_of(config.task, config.inputs)}"
    )
    shown = selected.assign(**{final: selected[final] / 1e6})
    picture = figures.size_control(shown, labels, f"Size control on {config.task}", subtitle)
    figures.save(picture, folder / "size_control", ("png",))


def _show(selected: pd.DataFrame, final: str, rho: dict[str, float]) -> None:
    table = selected.groupby("mu")[["theta", final]].agg(["mean", "min", "max"])
    table.columns = pd.Index(["_".join(pair) for pair in table.columns])
    title = f"Spearman of μ with Θ {rho['theta']:.3f}, with the final network {rho[final]:.3f}"
    Console().print(plain_table(table.reset_index(), title=title, float_format="%.3f"))
