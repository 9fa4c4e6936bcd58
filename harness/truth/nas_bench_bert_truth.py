"""NAS-Bench-BERT: GLUE scores of 500 trainings of FlexiBERT's encoders.

Its 500 descriptions are 301 networks, because the operations that they name were not built
(docs/transformers.md); a network that was trained several times has the mean of its trainings.
Serianni & Kalita, "Training-free Neural Architecture Search for RNNs and Transformers", ACL 2023.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import DataError, HarnessError
from harness.spaces import flexibert
from harness.truth import records

if TYPE_CHECKING:
    import pandas as pd


def read(path: Path, score: str) -> pd.DataFrame:
    """Reads one score of every training, without those of which an evaluation is missing.

    Raises:
        DataError: If the file has another form.
    """
    runs: dict[str, list[float]] = defaultdict(list)
    try:
        for entry in json.loads(path.read_bytes()):
            scores = entry["scores"]
            # RTE has two classes of one size: 0 % of them right was never measured.
            if scores["rte"]:
                key = _key(entry["hparams"]["model_hparam_overrides"])
                runs[key].append(float(scores[score]))
    except (KeyError, TypeError, ValueError, HarnessError) as error:
        raise DataError(f"{path} is not NAS-Bench-BERT's table ({error!r}).") from error
    return records.over_runs(runs)


def _key(description: Mapping[str, Any]) -> str:
    """Returns the key of what was trained for a description."""
    layers = tuple(
        flexibert.EncoderLayer(
            layer["num_operation_heads"],
            layer["feed_forward_dimension"] if layer["num_feed_forward"] == 3 else None,
        )
        for layer in description["nas_config"]["encoder_layers"]
    )
    made = flexibert.FlexiBertArchitecture(description["hidden_size"], layers)
    return flexibert.parse(made.key).key


records.from_package(
    records.TruthInfo(
        space="flexibert",
        task="glue",
        variant="dev_mean",
        metric="GLUE score, mean of eight tasks, percent",
        split="development sets of GLUE's tasks, after 100,000 steps of ELECTRA's pre-training on "
        "OpenWebText and fine-tuning on each task",
        epochs=None,
        training_seeds="1 to 12",
        aggregation="mean",
        n=301,
        sources=("nas_bench_bert",),
        note="Matthews correlation of CoLA, Pearson's of STS-B, accuracy of MNLI, MRPC, QNLI, QQP, "
        "RTE and SST-2. The networks are those that were trained, not those that the benchmark "
        "describes (docs/transformers.md). Four layers before two, then hidden size, ranks them "
        "with ρ = 0.92.",
    ),
    read,
    file_task="glue",
    default=True,
)
