"""Operation scores in the folder of a result: what it holds already, and what a run adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from harness.config import Config
from harness.results import record
from harness.results.folder import refuse_other_conditions
from harness.results.layout import result_path
from harness.results.stored_table import stored_table
from harness.search.zero_cost_pt import operation_tables
from harness.search.zero_cost_pt.operation_measurement import (
    MethodShard,
    OperationScoreConditions,
    measure,
)

SCORES = "scores.csv"
MEASURED = ["method", "setting", "seed"]
KEYS = [*MEASURED, "iteration", "edge", "operation"]
"""What identifies a score; only where edges are decided are there iterations."""


@dataclass(frozen=True)
class OperationResult:
    """All measured scores of a result, earlier runs' included.

    Attributes:
        config: The run.
        folder: The result's folder.
        rows: ``KEYS`` and ``value``, a score per row.
        grew: Whether this run adds anything.
        conditions: What decides the values.
        truth: Which accuracies they are compared with.
        computed: The machines that measured before this run.
    """

    config: Config
    folder: Path
    rows: pd.DataFrame
    grew: bool
    conditions: Mapping[str, Any]
    truth: Mapping[Any, Any]
    computed: Sequence[Mapping[str, Any]]

    def write_record(self, fresh: Path) -> None:
        """Writes the record into a new folder, the one that ``replacing`` gave."""
        written = record.of_run(
            self.config,
            conditions=self.conditions,
            resolved={"stored": self.rows[MEASURED].drop_duplicates().to_dict("records")},
            truth=self.truth,
            computed=record.machines(self.rows.machine.dropna(), self.computed),
        )
        record.write(fresh, written)


def result_of(
    config: Config,
    scoring: OperationScoreConditions,
    methods: Sequence[str],
    truth: Mapping[Any, Any],
    measure_shard: Callable[[MethodShard], int],
) -> OperationResult:
    """Measures what the result lacks and adds it up.

    Raises:
        HarnessError: If the folder holds a result of other conditions, or work was lost.
    """
    conditions = scoring.described(methods) | {"truth": truth["variant"]}
    folder = result_path(config)
    old, known = _stored(folder, conditions, config)
    present = set(known[MEASURED].itertuples(index=False, name=None))
    pairs = [(method, seed) for seed in config.seeds for method in methods]
    asked = [(m, s) for m, s in pairs if (m, scoring.setting(m), s) not in present]
    new = measure(scoring, asked, config.executor, measure_shard)
    if asked:  # another run may have ended meanwhile
        old, known = _stored(folder, conditions, config)
    keys = [name for name in KEYS if name in new]
    rows = pd.concat([new, known]).drop_duplicates(keys)
    before = old or {"conditions": {"methods": {}}, "computed": []}
    conditions["methods"] = before["conditions"]["methods"] | conditions["methods"]
    return OperationResult(
        config,
        folder,
        rows.sort_values(keys[:-1], kind="stable", ignore_index=True),
        bool(asked) or old is None,
        conditions,
        truth,
        before["computed"],
    )


def _stored(
    folder: Path, conditions: Mapping[str, Any], config: Config
) -> tuple[dict[str, Any] | None, pd.DataFrame]:
    """Returns the record and the measured scores of a result that a run adds to."""
    old = refuse_other_conditions(
        folder, conditions, overwrite=config.overwrite, additive=("methods",)
    )
    if old is None:
        return None, pd.DataFrame(columns=[*MEASURED, "value"])
    rows = stored_table(folder, SCORES, converters={"value": float})  # every digit
    return old, rows[~rows.method.isin(operation_tables.TABLED)].astype({"seed": int})
