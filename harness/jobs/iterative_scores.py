"""``job=iterative_scores``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config import Config
from harness.jobs.job import job
from harness.search.zero_cost_pt.zero_cost_pt_settings import ZeroCostPtSettings
from harness.training.supernet_recipe import SupernetRecipe


@job()
def iterative_scores(
    config: Config,
    search: ZeroCostPtSettings,
    recipe: SupernetRecipe,
    methods: Any = ("zc_pt", "disc_zc"),
) -> Path:
    """Do operation scores still tell what an edge needs when other edges are decided?

    Figure A1 of the Zero-Cost-PT paper: the scores of all undecided edges, iteration by iteration,
    and their rank correlation with best-acc. More seeds, methods and countings under the same
    conditions add up.

    Args:
        config: Task, seeds, images, device and executor.
        search: ``proxy``, ``counting`` and ``images`` of zc_pt and disc_zc.
        recipe: Training of the supernet of disc_acc and darts_pt, and between two iterations.
        methods: What to measure: zc_pt and disc_zc take forward passes, disc_acc and darts_pt
            train a supernet.

    Returns:
        The folder ``results/iterative_scores/<space>/<task>``.
    """
    from harness.search.zero_cost_pt.iterative_outputs import follow_iterations

    return follow_iterations(config, search, recipe, methods)
