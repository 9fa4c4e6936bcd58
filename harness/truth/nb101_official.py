"""NAS-Bench-101's official file, read without TensorFlow: every cell, three training runs each.

A TFRecord file. Each record is a JSON list: the cell's isomorphism hash, the epochs of training,
the adjacency matrix as zeros and ones row by row, the operations separated by commas, and the
metrics of one training run as a base64 protocol buffer.
Ying et al., "NAS-Bench-101: Towards Reproducible Neural Architecture Search", ICML 2019.
"""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from harness.errors import DataError, HarnessError
from harness.spaces import nb101
from harness.truth import protobuf, records, tfrecord

EPOCHS = 108
# Numbers of the fields in the benchmark's model_metrics.proto.
EVALUATION_FIELD = 1
ACCURACY_FIELDS = {"validation": 4, "test": 5}
# A run is evaluated at its start, half way and at its end.
EVALUATIONS = 3


def read(path: Path, split: str) -> pd.DataFrame:
    """Reads the accuracies at the end of training, of the runs of 108 epochs.

    Args:
        path: The TFRecord file.
        split: ``test`` or ``validation``.

    Returns:
        Columns ``key`` (the table's own spelling of the cell, so that the parameters are those of
        the trained network), ``value`` (mean over runs, percent), ``std`` (over runs) and
        ``n_training_seeds``.

    Raises:
        DataError: If the file is damaged or holds anything else.
    """
    keys: dict[str, str] = {}
    runs: dict[str, list[float]] = {}
    for number, record in enumerate(tfrecord.records(path), start=1):
        try:
            name, epochs, matrix, operations, metrics = json.loads(record)
            if epochs != EPOCHS:
                continue
            if name not in keys:
                keys[name] = _key(matrix, operations.split(","))
            runs.setdefault(name, []).append(_accuracy(base64.b64decode(metrics), split))
        except (AttributeError, TypeError, ValueError, struct.error, HarnessError) as error:
            raise DataError(f"{path}, record {number:,}, is not a training run: {error}.") from None
    if not runs:
        raise DataError(f"{path} holds no training runs of {EPOCHS} epochs.")
    values = pd.DataFrame([dict(enumerate(accuracies)) for accuracies in runs.values()])
    return pd.DataFrame(
        {
            "key": [keys[name] for name in runs],
            "value": values.mean(axis="columns"),
            "std": values.std(axis="columns", ddof=1),
            "n_training_seeds": values.count(axis="columns"),
        }
    )


def _key(matrix: str, operations: Sequence[str]) -> str:
    vertices = math.isqrt(len(matrix))
    rows = [matrix[start : start + vertices] for start in range(0, len(matrix), vertices)]
    return nb101.from_spec([[int(edge) for edge in row] for row in rows], operations)


def _accuracy(metrics: bytes, split: str) -> float:
    """Returns the accuracy at the end of one run, in percent."""
    evaluations = [v for number, v in protobuf.fields(metrics) if number == EVALUATION_FIELD]
    if len(evaluations) != EVALUATIONS or not isinstance(last := evaluations[-1], bytes):
        raise ValueError(f"{len(evaluations)} evaluations where {EVALUATIONS} are expected")
    value = dict(protobuf.fields(last)).get(ACCURACY_FIELDS[split])
    if not isinstance(value, bytes):
        raise ValueError(f"no {split} accuracy at the end of training")
    return 100 * float(struct.unpack("<d", value)[0])


for _split, _variant in (("test", "official"), ("validation", "official_validation")):
    records.from_source(
        records.TruthInfo(
            space="nb101",
            task="cifar10",
            variant=_variant,
            metric="top-1 accuracy, percent",
            split=f"10,000 {_split} images, after training on 40,000 training images",
            epochs=EPOCHS,
            training_seeds=3,
            aggregation="mean",
            n=423_624,
            sources=("nb101_only108",),
            licence="",
            note="The official file (499 MB) has to be placed by hand; it is converted once.",
        ),
        read,
        file_task=_split,
    )
