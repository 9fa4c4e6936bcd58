"""Scores and batches that were computed once and must never move.

``golden/scores.parquet`` holds the scores of every proxy on architectures of every space, on noise,
from one thread and in the layout ``channels_last``; ``cpu`` names the machine of a row, ``attrs``
torch's version. There every bit must be the same. Elsewhere other kernels round differently, and a
score must be as close as ``TOLERANCE`` says, about twice what kernels for older processors were
seen to differ by.
"""

import hashlib
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import backends

from harness.core.sections import Settings
from harness.core.types import Score
from harness.inputs.batch import load_batch
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.passes.further_settings import VkdnwSettings
from harness.passes.settings import RegulariserSettings, SwapSettings
from harness.proxies.contract import proxies
from harness.scoring.conditions import Conditions, conditions_at
from harness.scoring.shard import score_architecture

GOLDEN = pd.read_parquet(Path(__file__).parent / "golden" / "scores.parquet")
CASES = ["space", "task", "batch", "key"]
QUICK = ["activation_patterns", "flops", "l2_norm", "nwot", "params", "reg_swap", "snip", "swap"]
TOLERANCE = {
    # Counts: a value near zero falls on the other side.
    **dict.fromkeys(["activation_patterns", "linear_regions", "reg_swap", "swap"], 0.01),
    **dict.fromkeys(["swap_signum", "l_swag", "eznas_a"], 0.01),
    # Single precision through a backward, which grows with the depth.
    **dict.fromkeys(
        ["az_trainability", "dss", "fisher", "grad_norm", "jacov", "snip", "zico"], 0.02
    ),
    "plain": 0.1,  # most terms cancel
    "epe_nas": 0.5,  # logarithms of correlations near zero
    "grasp": 0.3,  # badly conditioned, as its docstring says
    "ntk": 3.0,  # its smallest eigenvalue is nearly lost in rounding
    "gradsign": 0.01,  # in double precision few signs are rounding
    "zico_bc": 0.05,  # as zico, of which a part is taken away
    "intrain": 0.02,
    "dextr": 0.05,  # its curvature is a difference of nearly equal numbers
    "eps": 0.05,  # in single precision a small weight's outputs nearly leave it
    "wrcor": 0.2,  # correlations of gradients that are zero but for rounding
}
"""Relative; the others, forwards and what is computed in double precision, keep five digits."""

# μ, σ and unit that the scores were computed with.
REGULARISERS = {
    "nb101": (40.0, 40.0, 1e6),
    "nb201": (1.5, 1.5, 1e6),
    "nb301": (1.8, 1.8, 1e6),
    "tnb101_micro": (41.44, 41.44, 1e6),
    "tnb101_macro": (40.18, 40.18, 1e6),
    "darts_swap": (2.0, 2.0, 1e3),
    "darts_swap_c1": (0.6, 0.6, 1e3),
    "darts": (0.9, 0.9, 1e3),
    "autoformer": (10.0, 10.0, 1e6),
    "pit": (30.0, 30.0, 1e6),
    "flexibert": (2.0, 2.0, 1e6),
}


def this_machine() -> dict[str, str]:
    known = Path("/proc/cpuinfo")
    text = known.read_text() if known.exists() else ""
    fields = [re.search(rf"^{name}\s*: (.*)$", text, re.M) for name in ("model name", "model")]
    cpu = " model ".join(field[1] for field in fields if field)
    return {"cpu": cpu, "torch": torch.__version__}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def scored(space: str, task: str, batch: int, key: str, names: list[str]) -> dict[str, Score]:
    source = "task" if tasks.get(task).tokens else "gaussian"
    inputs = InputSettings(source, channels=1 if space == "darts_swap_c1" else None)
    used = Settings(
        SwapSettings(images=16),
        VkdnwSettings(parameters=16),
        RegulariserSettings(*REGULARISERS[space]),
    )
    asked = Conditions(space, task, inputs, batch, "cpu", True, used)
    return score_architecture(conditions_at(asked, proxies), key, 0, names)


def differing(rows: pd.DataFrame) -> list[str]:
    """Tells which scores of one architecture are not what they were."""
    if "darts_swap" in rows.space.iloc[0] and backends.cpu.get_cpu_capability() == "AVX2":
        pytest.skip("oneDNN writes past its memory there (uxlfoundation/oneDNN#6035)")
    found = scored(*rows.iloc[0][CASES], list(rows.proxy))
    here = this_machine()
    differences = []
    for row in rows.itertuples():
        new = found[row.proxy]
        exact = here == {"cpu": row.cpu, **GOLDEN.attrs}
        same = new.value == row.value or (math.isnan(new.value) and math.isnan(row.value))
        if not exact and new.status == row.status == "ok":
            tolerance = TOLERANCE.get(row.proxy, 1e-5)
            same = new.value == pytest.approx(row.value, rel=tolerance, abs=1e-9)
        if new.status != row.status or not same:
            differences.append(f"{row.proxy}: {row.status} {row.value} is {new.status} {new.value}")
    return differences


def smallest(space: str) -> list[pd.DataFrame]:
    """Returns the rows of the two networks of a space with the fewest operations."""
    of_space = GOLDEN[GOLDEN.space == space]
    sizes = of_space[of_space.proxy == "flops"].nsmallest(2, "value")
    return [of_space[(of_space[CASES] == case).all(axis=1)] for case in sizes[CASES].to_numpy()]


@pytest.mark.parametrize("space", GOLDEN.space.unique())
def test_two_small_networks_of_every_space(space: str) -> None:
    for rows in smallest(space):
        whole = space in ("nb201", "darts_swap", "darts_swap_c1")
        assert differing(rows if whole else rows[rows.proxy.isin(QUICK)]) == []


@pytest.mark.slow
@pytest.mark.parametrize("case", list(GOLDEN[CASES].drop_duplicates().itertuples(index=False)))
def test_every_network(case: tuple[object, ...]) -> None:
    assert differing(GOLDEN[(GOLDEN[CASES] == list(case)).all(axis=1)]) == []


def test_every_proxy_has_golden_scores() -> None:
    assert set(GOLDEN.proxy) == set(proxies)


def checksum(tensor: torch.Tensor | None) -> str:
    assert tensor is not None
    return hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()[:16]


SAMPLE = {"source": "imagenet_sample_256"}
BATCHES = [
    ("digits", {}, "650e85b072d50857", "93cc532d965ebc27", "f9dc7f9034088132"),
    ("cifar10", {"source": "gaussian"}, "89ea0ba7262f20c5", "5f91335d5c0cebee", "4cb4192f56b71ffd"),
    ("cifar10", {}, "2ccdb0cf85502131", "56ef97f36dedeb3a", "8318f9bd07266362"),
    ("cifar10", {"augment": True}, "57be7fbffe94915d", "56ef97f36dedeb3a", "c8e538fd7417d05f"),
    (
        *("cifar10", {"order": "first", "crop": 15}),
        *("74e8c493227132b7", "95ad5ca3731e3b0d", "d8474787bc68517f"),
    ),
    (
        *("cifar10", {"source": "svhn_train_unlabelled"}),
        *("d89ed782682b01a2", "e5a1c503b1a7ae7f", "c653849629804a75"),
    ),
    ("cifar100", {}, "1c54a39717eee0c2", "1f22794432f697ab", "185fec5ebacb4541"),
    (
        *("imagenet16_120", {"source": "imagenet_sample_16"}),
        *("5ac90d36f7b6c179", "9baed51867978189", "1d17d94b0e3f5cba"),
    ),
    ("class_scene", SAMPLE, "ccb116fde9f72130", "b823356c4a9e2c85", "5926ac37444230f9"),
    ("jigsaw", SAMPLE, "e528c48c08fd4254", "f773f40f42bbc02f", "8ded6593b744e0ed"),
    ("autoencoder", SAMPLE, "4ea208942d9bdd06", "4ea208942d9bdd06", "a126bcb83c4ff8ef"),
    ("normal", SAMPLE, "4ea208942d9bdd06", "949e5e72e62d1da9", "a126bcb83c4ff8ef"),
]
MADE_HERE = [("digits", {}), ("cifar10", {"source": "gaussian"})]


@pytest.mark.parametrize(
    ("task", "settings", "images", "labels", "second"),
    [
        pytest.param(*row, marks=() if row[:2] in map(tuple, MADE_HERE) else pytest.mark.mirror)
        for row in BATCHES
    ],
)
def test_batches_hold_the_same_bytes(
    task: str, settings: dict[str, Any], images: str, labels: str, second: str
) -> None:
    batch = load_batch(tasks.get(task), InputSettings(**settings), seed=3, size=8)
    assert batch.second is not None
    assert checksum(batch.images) == images
    assert checksum(batch.labels) == labels
    assert checksum(batch.second.images) == second
