"""Pictures of searches: the best so far of every method, and the DARTS cells that were selected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness import figures
from harness.scoring.conditions import images_of
from harness.search.swap_nas.measurement import REG_SWAP, Objective
from harness.search.swap_nas.search_result import SearchResult
from harness.search.swap_nas.selected_architectures import trajectories
from harness.spaces import nb301


def draw(result: SearchResult, folder: Path) -> None:
    """Draws ``trajectory.png`` and, on DARTS, ``cells/``."""
    config = result.config
    images = images_of(config.task, config.inputs)
    runs = trajectories(result.evaluations, result.accuracies)
    if runs["objective"].nunique() > 1:  # their scores are on other scales
        runs = runs.drop(columns="best_score")
    picture = figures.trajectory(
        runs.assign(search=list(map(_label, runs.method, runs.objective))),
        f"Search on {config.space} · {config.task}",
        f"{_maximised(result.searches[0].objective)}. {images}",
    )
    figures.save(picture, folder / "trajectory", ("png",))
    if config.space == "darts":
        _draw_cells(result, folder / "cells")


def _label(method: str, objective: str) -> str:
    return method if objective == REG_SWAP else f"{method} on {objective}"


def _maximised(objective: Objective) -> str:
    if not objective.regularised:
        return objective.name
    unit = {1e3: "thousand", 1e6: "million"}[objective.unit]
    return f"Ψ′ with μ = {objective.mu:g}, σ = {objective.sigma:g} {unit} parameters"


def cells_of(key: str) -> dict[str, Sequence[tuple[str, int]]]:
    """Returns the cells of a DARTS architecture with their headings; equal ones are one."""
    normal, reduction = nb301.parse(key)
    if normal == reduction:
        return {"Normal and reduction cell": normal}
    return {"Normal cell": normal, "Reduction cell": reduction}


def _draw_cells(result: SearchResult, folder: Path) -> None:
    for row in result.selected.to_dict("records"):
        picture = figures.cells(
            cells_of(row["key"]),
            f"{row['method']}, seed {row['seed']}",
            f"Ψ′ = {row['score']:.1f}, Θ = {row['theta']:.3f} thousand. "
            f"CIFAR-10: {row['params_cifar10'] / 1e6:.2f} M parameters. "
            f"ImageNet: {row['params_imagenet'] / 1e6:.2f} M parameters, "
            f"{row['macs_imagenet'] / 1e6:.0f} M multiply-adds.",
        )
        figures.save(picture, folder / f"{row['method']}_seed{row['seed']}", ("png",))
