"""Records of NAS-Bench-101's official file: one per training run.

A record of this TFRecord file is a JSON list: the cell's isomorphism hash, the epochs of training,
the adjacency matrix as zeros and ones row by row, the operations separated by commas, and the
metrics of one training run as a base64 protocol buffer.
Ying et al., "NAS-Bench-101: Towards Reproducible Neural Architecture Search", ICML 2019.
"""

from __future__ import annotations

import base64
import json
import math
import struct
from typing import NamedTuple

from harness.sources import protobuf

# Numbers of the fields in the benchmark's model_metrics.proto.
EVALUATION_FIELD = 1
ACCURACY_FIELDS = {"validation": 4, "test": 5}
# A run is evaluated at its start, half way and at its end.
EVALUATIONS = 3


class TrainingRun(NamedTuple):
    """One run as the file holds it.

    Attributes:
        cell: The benchmark's isomorphism hash.
        epochs: How long it was trained.
        matrix: The adjacency matrix.
        operations: The name of every vertex.
        metrics: What was measured; see ``accuracy``.
    """

    cell: str
    epochs: int
    matrix: list[list[int]]
    operations: list[str]
    metrics: bytes

    def accuracy(self, split: str) -> float:
        """Returns the accuracy at the end of the run, in percent.

        Args:
            split: ``test`` or ``validation``.

        Raises:
            ValueError: If the metrics have another form.
        """
        fields = protobuf.fields(self.metrics)
        evaluations = [value for number, value in fields if number == EVALUATION_FIELD]
        if len(evaluations) != EVALUATIONS or not isinstance(last := evaluations[-1], bytes):
            raise ValueError(f"{len(evaluations)} evaluations where {EVALUATIONS} are expected")
        value = dict(protobuf.fields(last)).get(ACCURACY_FIELDS[split])
        if not isinstance(value, bytes) or len(value) != 8:
            raise ValueError(f"no {split} accuracy at the end of training")
        return 100 * float(struct.unpack("<d", value)[0])


def parsed(record: bytes) -> TrainingRun:
    """Returns the run of one record.

    Raises:
        ValueError: If the record has another form.
    """
    try:
        cell, epochs, matrix, operations, metrics = json.loads(record)
        side = math.isqrt(len(matrix))
        rows = [[int(e) for e in matrix[i : i + side]] for i in range(0, len(matrix), side)]
        return TrainingRun(cell, epochs, rows, operations.split(","), base64.b64decode(metrics))
    except (AttributeError, TypeError) as error:
        raise ValueError(str(error)) from error
