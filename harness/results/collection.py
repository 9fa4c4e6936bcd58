"""Every score of the finished results as one data set, so that nobody has to make them again.

``results/scores/<space>-<task>.parquet`` holds a row per architecture, proxy, seed and conditions;
``run.json`` says what the conditions are, ``README.md`` what there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

import harness
from harness.core.errors import HarnessError
from harness.core.machine import commit
from harness.results import record
from harness.results.finished import Result
from harness.results.folder import read_record, replacing
from harness.results.layout import RECORD, SCORES
from harness.results.stored_table import stored_table
from harness.results.table_files import markdown
from harness.scoring.conditions import digest
from harness.scoring.shard import IDENTITY

FOLDER, CARD = "scores", "README.md"
COLUMNS = ["key", "proxy", "seed", "value", "status", "seconds", "conditions"]
OF_THE_RUN = ("truth", "sample", "undefined", "proxies")
"""Of a record's conditions, what is not a condition of each of its scores."""

TEXT = """# Every score

Made by `make scores` from the results in this repository: version {version}, commit {commit}.

One file per space and task. A row is the score of one architecture by one proxy under one seed:
`key` (as the harness spells architectures), `proxy`, `seed` (of the batch and of the weights),
`value` (NaN unless `status` is `ok`), `status` (`ok`, `undefined`, `oom`, `error`), `seconds`
(its share of the passes on the machine that computed it) and `conditions`, whose meaning stands in
`run.json` under `fingerprints`: images and their checksum, batch size, device, layout, settings and
definitions. Population-level proxies are left out: they follow from the others.

```python
from harness import api

scores = api.scores.every("{space}", "{task}")
accuracies = api.truth.load("{space}", "{task}")
```

Accuracies are not in it; NOTICE says where those come from. The scores are under this project's
licence, MIT. Stand-in images are named there (`stand_in`).

"""


def every(space: str, task: str, *, results: Path | str = "results") -> pd.DataFrame:
    """Loads all scores of a space and task that the data set holds.

    Args:
        space: Search space.
        task: Task.
        results: Folder of all results.

    Returns:
        The columns of the data set; ``attrs["conditions"]`` says what each fingerprint in
        ``conditions`` means.

    Raises:
        HarnessError: If there is no such file.
        DataError: If it is damaged.
    """
    folder = Path(results, FOLDER)
    path = folder / _file(space, task)
    if not path.is_file():
        raise HarnessError(f"There is no {path}; python -m harness job=collect makes the data set.")
    table = stored_table(folder, path.name, COLUMNS)
    known = read_record(folder)["fingerprints"]
    table.attrs["conditions"] = {name: known[name] for name in table["conditions"].unique()}
    return table


def write(results: Path) -> Path:
    """Writes the data set of all finished results below a folder.

    Returns:
        Its folder, which replaces an older one.

    Raises:
        HarnessError: If there is no finished result.
        DataError: If one is damaged.
    """
    parts: dict[tuple[str, str], list[pd.DataFrame]] = {}
    known: dict[str, Any] = {}
    for result in _finished(results):
        own = _conditions(result)
        known |= own
        scores = result.scores
        rows = scores[scores["conditions"].isin(own)]
        parts.setdefault((result.space, result.task), []).append(rows)
    if not parts:
        raise HarnessError(f"{results} holds no finished result to collect.")
    tables = {
        name: pd.concat(found, ignore_index=True)
        .drop_duplicates(IDENTITY)
        .sort_values(["conditions", "proxy", "seed", "key"], ignore_index=True)[COLUMNS]
        for name, found in sorted(parts.items())
    }
    folder = results / FOLDER
    with replacing(folder) as fresh:
        for (space, task), table in tables.items():
            path = fresh / _file(space, task)
            table.to_parquet(path, index=False, compression="zstd", compression_level=19)
        (fresh / CARD).write_text(_card(tables), encoding="utf-8")
        record.write(fresh, {"fingerprints": known})
    return folder


def _finished(results: Path) -> Iterator[Result]:
    for path in sorted(results.rglob(SCORES)):
        hidden = any(part.startswith(".") for part in path.relative_to(results).parts)
        if not hidden and (path.parent / RECORD).is_file():
            yield Result(path.parent.parent.name, path.parent.name, path.parent)


def _conditions(result: Result) -> dict[str, Any]:
    """Returns what the fingerprints of a result's scores mean."""
    recorded = result.record["conditions"]
    shared = {name: value for name, value in recorded.items() if name not in OF_THE_RUN}
    each = [shared | own for own in recorded["proxies"].values()]
    return {digest(one): one for one in each}


def _file(space: str, task: str) -> str:
    return f"{space}-{task}.parquet"


def _card(tables: dict[tuple[str, str], pd.DataFrame]) -> str:
    rows = [
        {
            "space": space,
            "task": task,
            "architectures": table["key"].nunique(),
            "proxies": table["proxy"].nunique(),
            "seeds": table["seed"].nunique(),
            "scores": len(table),
        }
        for (space, task), table in tables.items()
    ]
    (space, task), *_ = tables
    text = TEXT.format(version=harness.__version__, commit=commit(), space=space, task=task)
    return text + markdown(pd.DataFrame(rows))
