"""The card of the data set of scores: what is in it, where from, and how to use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

import harness
from harness.core.machine import commit
from harness.results.table_files import markdown

TEXT = """# Scores of zero-cost proxies

{scores:,} scores of {architectures:,} architectures, so that nobody has to make them again. Version
{version}, commit {commit}.
`make scores` makes it from the results in this repository, the same files from the same results.

{contents}
## Loading it

```python
from harness import api

scores = api.scores.load("{space}", "{task}")  # elsewhere results="CLONE/results"
accuracies = api.truth.load("{space}", "{task}")
meaning = scores.attrs["conditions"]
```

This works at the root of a clone: the files are in the repository and not in the installed package.
Without the harness: `pandas.read_parquet("{space}-{task}.parquet")`, and `run.json` for the meaning
of `conditions`.

## Columns

| column | meaning |
| --- | --- |
| `key` | the architecture, as the harness spells it (docs/keys.md has the other spellings) |
| `proxy` | by what it was scored (docs/proxies.md: formula and source) |
| `seed` | of the batch and of the weights; the weights depend on the seed and the key alone |
| `value` | the score as the formula gives it, missing unless `status` is `ok` |
| `status` | `ok`; `undefined`: the formula has no value; `oom`: out of memory; `error` |
| `seconds` | its share of the passes, on a machine that did other work as well: no benchmark |
| `conditions` | fingerprint of everything else that decides the value |

## Conditions

`run.json` says under `fingerprints` what each fingerprint means: image set with its checksum, how
images were drawn and normalised, batch size, device and memory layout, settings of the passes, and
the versions of the definitions of space, passes and proxy. Scores of different conditions are not
to be mixed: choose one fingerprint per proxy. Here are the scores of SWAP on 32 images, whose other
conditions may still differ:

```python
swap = scores[scores["proxy"] == "swap"]
images = swap["conditions"].map(lambda name: meaning[name]["settings"]["swap"]["images"])
swap = swap[images == 32]
```

Image sets that stand in for a task's own (`stand_in`; who holds their scores against accuracies of
that task has to say so): {stand_ins}.

## Where it comes from, and what it is not

Networks are untrained; each was built with the weights that its seed draws. `run.json` names under
`results` every result that was gathered, with the checksum of its own record, which says who
computed it: commit, versions, processor, seeds, and how architectures were drawn. A score that
several results share is here once.

The architectures are all that were ever scored: drawn uniformly, and on NAS-Bench-101 as
NAS-Bench-Suite-Zero drew them, where small cells are far more frequent. A correlation over all rows
is therefore one of no draw; those of a draw are in the results themselves
(`api.scores.of_study`). Proxies that rank a whole population (az_nas) follow from the others and
are left out.

## Licence

The scores are under this project's licence, MIT. Accuracies are not in it; NOTICE says where those
come from and under which licences.

## Citing it

Cite this data set by version and commit, the benchmark whose architectures they are (docs/truth.md)
and the paper of each proxy (docs/proxies.md). The published scores that ours are held against are
those of NAS-Bench-Suite-Zero (Krishnakumar et al., NeurIPS 2022).

```bibtex
@misc{{zero-cost-harness-scores,
  title = {{Scores of zero-cost proxies, zero-cost-harness {version}}},
  note = {{commit {commit}}}
}}
```
"""


def card(
    tables: Mapping[tuple[str, str], pd.DataFrame], conditions: Mapping[str, Mapping[str, Any]]
) -> str:
    """Returns the card in Markdown.

    Args:
        tables: The scores by space and task.
        conditions: What each fingerprint means.
    """
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
    contents = pd.DataFrame(rows)
    keys = {(space, key) for (space, _), table in tables.items() for key in table["key"].unique()}
    space, task = max(tables, key=lambda name: len(tables[name]))
    inputs = [one["inputs"] for one in conditions.values()]
    stand_ins = {one["source"] for one in inputs if one.get("stand_in")}
    return TEXT.format(
        scores=int(contents["scores"].sum()),
        architectures=len(keys),
        version=harness.__version__,
        commit=commit(),
        contents=markdown(contents),
        space=space,
        task=task,
        stand_ins=", ".join(sorted(stand_ins)) or "none",
    )
