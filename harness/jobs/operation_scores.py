"""``job=operation_scores``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config import Config
from harness.jobs.job import job
from harness.search.zero_cost_pt.zero_cost_pt_settings import ZeroCostPtSettings
from harness.training.supernet_recipe import SupernetRecipe


@job()
def operation_scores(
    config: Config,
    search: ZeroCostPtSettings,
    recipe: SupernetRecipe,
    methods: Any = ("best_acc", "avg_acc", "zc_pt", "disc_zc"),
) -> Path:
    """How well does a score tell which operation an edge of a supernet needs?

    Table 1, figure 2 and table A2 of the Zero-Cost-PT paper. More seeds, methods and countings
    under the same conditions add up.

    Args:
        config: Task, seeds, images, device and executor.
        search: ``proxy``, ``counting`` and ``images`` of zc_pt and disc_zc.
        recipe: Training of the supernet of disc_acc, darts_pt and darts.
        methods: What to measure: zc_pt and disc_zc take forward passes, disc_acc, darts_pt and
            darts train a supernet; best_acc and avg_acc are always there.

    Returns:
        The folder ``results/operation_scores/<space>/<task>``.
    """
    from harness.papers.zero_cost_pt.search_tables import printed
    from harness.search.zero_cost_pt.operation_outputs import compare_operation_scores

    return compare_operation_scores(config, search, recipe, methods, printed())
