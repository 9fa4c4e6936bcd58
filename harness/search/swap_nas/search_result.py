"""Results of searches: what a folder holds already, what a run adds, and the files of the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from harness import truth
from harness.config import Config
from harness.core.files import make_writable
from harness.results import record
from harness.results.folder import refuse_other_conditions
from harness.results.stored_table import stored_table
from harness.search.swap_nas.search_progress import run_searches
from harness.search.swap_nas.searches import EVALUATIONS, SEARCH, SwapNasSearch, conditions_of
from harness.search.swap_nas.selected_architectures import selected_table
from harness.search.swap_nas.swap_nas_settings import METHODS

SELECTED, EVALUATED = "selected.csv", "evaluations.parquet"
NO_TRUTH = {"sources": (), "note": "this space and task have no ground truth"}


@dataclass(frozen=True)
class SearchResult:
    """All searches of a result folder, earlier runs' included.

    Attributes:
        config: The run.
        searches: What this run asked for.
        folder: The result's folder.
        conditions: What decides the values.
        accuracies: The ground truth; None where nobody measured it.
        selected: A row per search.
        evaluations: Of this run, and of earlier ones where the folder keeps them.
        computed: The machines that measured.
        grew: Whether this run adds anything.
    """

    config: Config
    searches: Sequence[SwapNasSearch]
    folder: Path
    conditions: Mapping[str, Any]
    accuracies: pd.DataFrame | None
    selected: pd.DataFrame
    evaluations: pd.DataFrame
    computed: list[dict[str, Any]]
    grew: bool

    def write(
        self, fresh: Path, *, evaluations: bool, resolved: Mapping[str, Any] | None = None
    ) -> None:
        """Writes the tables and the record into a new folder.

        Args:
            fresh: What ``harness.results.folder.replacing`` gave.
            evaluations: Whether the folder is to keep every evaluation.
            resolved: What else the run made of its configuration.
        """
        self.selected.to_csv(fresh / SELECTED, index=False, lineterminator="\n")
        if evaluations:
            self.evaluations.to_parquet(fresh / EVALUATED, index=False)
        made = {
            "seeds": sorted(map(int, self.selected.seed.unique())),
            "evaluations": self.searches[0].settings.budget,
            **(resolved or {}),
            "seconds_of_scoring": round(float(self.selected.seconds.sum()), 1),
        }
        described = NO_TRUTH if self.accuracies is None else self.accuracies.attrs
        written = record.of_run(
            self.config,
            conditions=self.conditions,
            resolved=made,
            truth=described,
            computed=self.computed,
        )
        record.write(fresh, written)


def result_of(searches: Sequence[SwapNasSearch], config: Config, folder: Path) -> SearchResult:
    """Runs the searches that neither the folder nor an earlier run has, and adds them up.

    Raises:
        HarnessError: If the folder holds a result of other conditions, or a search cannot go on.
        DataError: If something that is stored is damaged, or the truth cannot be had.
    """
    accuracies = truth_of(config)
    conditions = conditions_of(searches, _described(config, accuracies))
    _, selected, _ = _stored(folder, conditions, config)
    present = set(selected[SEARCH].itertuples(index=False, name=None))
    missing = [one for one in searches if one.identity not in present]
    new = EVALUATIONS.empty_table().to_pandas()
    if missing:
        make_writable(searches[0].folder)  # what is wrong with it is told before any work
        new = run_searches(missing, config.executor)
    # Another run may have added its searches meanwhile.
    computed, selected, evaluations = _stored(folder, conditions, config)
    return SearchResult(
        config,
        searches,
        folder,
        conditions,
        accuracies,
        selected=_added(
            selected, selected_table(new, config.space, config.task, accuracies), SEARCH
        ),
        evaluations=_added(evaluations, new, [*SEARCH, "evaluation"]),
        computed=record.machines(new.machine[~new.repeated.astype(bool)], computed),
        grew=bool(missing),
    )


def truth_of(config: Config) -> pd.DataFrame | None:
    """Returns the accuracies of the space and task; None where nobody measured them."""
    known = truth.overview()[["space", "task"]].itertuples(index=False, name=None)
    if config.truth.variant != "csv" and (config.space, config.task) not in set(known):
        return None
    return truth.load(config.space, config.task, config.truth.variant, config.truth.path)


def _described(config: Config, accuracies: pd.DataFrame | None) -> dict[str, Any] | None:
    if accuracies is None:
        return None
    info = accuracies.attrs
    return {"variant": info["variant"], "n": info["n"], **record.sources(config, info)}


def _stored(
    folder: Path, conditions: Mapping[str, Any], config: Config
) -> tuple[list[dict[str, Any]], pd.DataFrame, pd.DataFrame]:
    """Returns the machines, the selected and the evaluations of a result that a run adds to."""
    old = refuse_other_conditions(folder, conditions, overwrite=config.overwrite, additive=())
    evaluations = EVALUATIONS.empty_table().to_pandas()
    if old is None:
        return [], pd.DataFrame(columns=SEARCH), evaluations
    selected = stored_table(folder, SELECTED)
    if EVALUATED in old["files"]:
        evaluations = stored_table(folder, EVALUATED)
    return old["computed"], selected, evaluations


def _added(before: pd.DataFrame, new: pd.DataFrame, identity: list[str]) -> pd.DataFrame:
    """Returns the rows of both, each once, by method, μ and seed."""
    parts = [part for part in (before, new) if not part.empty]
    rows = pd.concat(parts or [before], ignore_index=True).drop_duplicates(identity)
    if "rank" in rows:
        rows["rank"] = rows["rank"].astype("Int64")
    return rows.sort_values(
        identity,
        key=lambda column: column.map(METHODS.index) if column.name == "method" else column,
        ignore_index=True,
    )
