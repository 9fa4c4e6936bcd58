"""Calls of the API with one argument of the wrong kind: done, or refused with a sentence."""

from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import write_truth
from torch import nn

from harness import api
from harness.adapters.naslib_names import to_key, to_naslib
from harness.adapters.naslib_predictor import ZeroCost
from harness.adapters.naslib_tables import read_table
from harness.adapters.nats_bench import NatsBench
from harness.adapters.zero_cost_nas import find_measures
from harness.core.errors import HarnessError

NETWORK = nn.Sequential(
    nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10)
)
IMAGES, LABELS = torch.randn(8, 3, 8, 8), torch.arange(8) % 10
SPACE = api.spaces.get("nb201")
(KEY,) = SPACE.sample(1, seed=0)

ODD = [
    *(None, True, 0, -1, 1.5, float("nan"), float("inf"), 10**12, 10**40),
    *("", "x", "a" * 300, "a\0b", "|" * 10**6, b"x"),
    *([], [1], [None], {}, {"a": 1}, (1, 2), {1, 2}, range(3)),
    *(np.zeros(3), np.zeros((2, 2), dtype=object), np.int64(3), np.float64(2.5), torch.zeros(2)),
    *(object(), int, lambda: 0, Path("x"), nn.ReLU(), iter([1])),
]


def of_batch(images: Any, labels: Any) -> Any:
    return api.score(NETWORK, api.Batch(images, labels), ["snip"])


def of_pair(images: Any, labels: Any) -> Any:
    return api.score(NETWORK, (images, labels), ["snip"])


def canonical(space: str, key: Any) -> str:
    return api.spaces.get(space).canonical(key)


Call = tuple[Callable[..., Any], dict[str, Any]]
PAIR = {"space": "nb201", "task": "digits"}
CALLS: dict[str, Call] = {
    "score": (
        api.score,
        {
            "network": NETWORK, "batch": (IMAGES, LABELS), "proxies": ["params", "snip"],
            "settings": (), "seed": 0,
        },
    ),
    "score_many": (
        api.score_many,
        {
            "networks": [NETWORK], "batch": (IMAGES, LABELS), "proxies": ["params", "snip"],
            "settings": (), "seed": 0,
        },
    ),
    "evaluate": (
        api.evaluate,
        {
            **PAIR, "proxies": ["params"], "n": 2, "seeds": 0, "inputs": "task",
            "truth": "default", "truth_path": None, "settings": (), "batch_size": 8,
            "device": "cpu", "executor": "local", "results": None, "study": "",
        },
    ),
    "from_naslib": (api.from_naslib, {"graph": NETWORK}),
    "to_naslib": (to_naslib, {"space": "nb201", "key": KEY}),
    "to_key": (to_key, {"space": "nb201", "architecture": (0,) * 6}),
    "find_measures": (
        find_measures,
        {
            "net_orig": NETWORK, "dataloader": [(IMAGES, LABELS)], "device": "cpu",
            "dataload_info": ("random", 1, 10), "loss_fn": nn.functional.cross_entropy,
            "measure_names": ["snip"], "measures_arr": None,
        },
    ),
    "ZeroCost": (ZeroCost, {"method_type": "snip", "settings": (), "seed": 0}),
    "NatsBench": (NatsBench, {"search_space": "tss", "path": None}),
    "get_more_info": (
        NatsBench().get_more_info,
        {"index": 0, "dataset": "cifar10", "iepoch": None, "hp": "200", "is_random": False},
    ),
    "read_table": (read_table, {"path": "x.json", "space": "nb201", "task": "cifar10"}),
    "batch": (api.batch, {"task": "digits", "inputs": None, "seed": 0, "size": 4}),
    "Batch": (of_batch, {"images": IMAGES, "labels": LABELS}),
    "pair": (of_pair, {"images": IMAGES, "labels": LABELS}),
    "spaces.get": (api.spaces.get, {"name": "nb201"}),
    "tasks.get": (api.tasks.get, {"name": "digits"}),
    "proxies.get": (api.proxies.get, {"name": "swap"}),
    "sample": (
        SPACE.sample,
        {"n": 2, "seed": 0, "pool": None, "replace": False, "one_per_class": False},
    ),
    "build": (SPACE.build, {"key": KEY, "task": "digits", "seed": 0}),
    "key_at": (SPACE.key_at, {"index": 0}),
    "canonical": (canonical, {"space": "nb201", "key": KEY}),
    **{
        f"canonical {name}": (lambda key, name=name: canonical(name, key), {"key": None})
        for name in api.spaces.names()
    },
    "truth.load": (api.truth.load, {**PAIR, "variant": "default", "path": None}),
    "truth.load csv": (api.truth.load, {**PAIR, "variant": "csv", "path": "truth.csv"}),
    "truth.value": (api.truth.value, {**PAIR, "key": KEY, "variant": "default", "path": None}),
    "truth.describe": (api.truth.describe, {**PAIR, "variant": "default"}),
    "truth.variants": (api.truth.variants, PAIR),
    "scores.load": (api.scores.load, {**PAIR, "results": "results"}),
    "scores.of_study": (api.scores.of_study, {**PAIR, "study": "main", "results": "results"}),
    "SwapSettings": (api.SwapSettings, {"images": 3, "repeats": 1, "init": "default"}),
    "RegulariserSettings": (api.RegulariserSettings, {"mu": 1.0, "sigma": 1.0, "unit": 1.0}),
    "InputSettings": (
        api.InputSettings,
        {
            "source": "task", "normalise": True, "augment": False, "order": "random",
            "crop": None, "channels": None, "download": True,
        },
    ),
    "correlate": (api.correlate, {"scores": None, "undefined": "worst"}),
    "summary": (
        api.summary,
        {"scores": None, "undefined": "worst", "resamples": 10, "confidence": 0.9, "seed": 0},
    ),
}  # fmt: skip
ARGUMENTS = [(name, argument) for name, (_, usual) in CALLS.items() for argument in usual]


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_an_argument_of_the_wrong_kind(tmp_path: Path, name: str, argument: str) -> None:
    function, usual = CALLS[name]
    write_truth(tmp_path, n=4)
    for odd in ODD:
        with chdir(tmp_path):
            try:
                function(**{**usual, argument: odd})
            except HarnessError as error:
                assert str(error).strip()[-1] in ".?", error
