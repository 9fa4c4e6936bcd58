"""Several networks at once, and batches as other libraries hold them."""

import math
import weakref
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from harness import api
from harness.core.errors import HarnessError
from harness.passes.further_settings import EnsembleSettings

IMAGES, LABELS = (
    torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(1)),
    torch.arange(8),
)
NAMES = ["params", "snip", "swap", "zen"]


def network(width: int) -> nn.Module:
    torch.manual_seed(width)
    stem = [nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3)]
    return nn.Sequential(*stem, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


def values(table: pd.DataFrame, name: str) -> dict[str, float]:
    return table[table.network == name].set_index("proxy").value.to_dict()


def test_every_network_has_the_scores_that_it_has_alone() -> None:
    table = api.score_many({"a": network(4), "b": network(8)}, (IMAGES, LABELS), NAMES, seed=3)
    assert list(table) == ["network", "proxy", "value", "status", "seconds", "message"]
    assert len(table) == 2 * len(NAMES)
    for name, width in (("a", 4), ("b", 8)):
        alone = api.score(network(width), (IMAGES, LABELS), NAMES, seed=3)
        assert values(table, name) == {proxy: score.value for proxy, score in alone.items()}


def test_a_generator_need_not_hold_two_networks() -> None:
    made: list[weakref.ref[nn.Module]] = []

    def networks() -> Iterator[nn.Module]:
        for width in (4, 5, 6):
            assert not [one for one in made[:-1] if one() is not None]
            made.append(weakref.ref(one := network(width)))
            yield one

    table = api.score_many(networks(), IMAGES, ["params"])
    assert list(table.network) == ["0", "1", "2"]
    pairs = ((f"n{width}", network(width)) for width in (4, 5))
    assert list(api.score_many(pairs, IMAGES, "params").network) == ["n4", "n5"]


def test_one_network_is_no_population() -> None:
    """A proxy that was named may not be missing from what is returned."""
    network, images = nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), torch.randn(4, 3, 2, 2)
    for named in ("az_nas", ["params", "az_nas"]):
        with pytest.raises(HarnessError, match="az_nas ranks networks among each other"):
            api.score(network, images, proxies=named)
    assert "az_nas" not in api.score(network, (images, torch.tensor([0, 1, 0, 1])))


def test_populations_rank_the_networks_among_each_other() -> None:
    networks = {str(width): network(width) for width in (4, 6, 8, 10)}
    settings = [EnsembleSettings(proxies=["params", "l2_norm"])]
    table = api.score_many(networks, IMAGES, ["rank_log", "nwot"], settings=settings)
    assert set(table.proxy) == {"rank_log", "nwot"}
    found = table[table.proxy == "rank_log"].set_index("network").value
    # Wider is larger by both: the ranks are 1 to 4 twice.
    expected = {width: 2 * math.log(rank / 4) for rank, width in enumerate(networks, start=1)}
    assert found.to_dict() == pytest.approx(expected)
    assert not {"libra", "robot"} & set(api.score_many(networks, IMAGES, ["newer", "all"]).proxy)
    with pytest.raises(HarnessError, match="libra looks at the accuracies"):
        api.score_many(networks, IMAGES, ["libra"])


def test_a_network_that_is_refused_says_why_and_the_others_have_scores() -> None:
    half = network(4).half()
    table = api.score_many({"half": half, "whole": network(4)}, (IMAGES, LABELS), ["snip"])
    assert list(table.status) == ["error", "ok"]
    assert "single precision" in table.message[0]
    with pytest.raises(HarnessError, match="single precision"):
        api.score_many([half, half], (IMAGES, LABELS), ["snip"])


@pytest.mark.parametrize(
    ("networks", "said"),
    [
        (network(4), "one network"),
        ([], "no network"),
        ([("a", network(4)), ("a", network(4))], "Two networks are called 'a'"),
        ([3], "is a torch.nn.Module"),
    ],
    ids=["one", "none", "twice", "no module"],
)
def test_what_cannot_be_scored_is_told(networks: object, said: str) -> None:
    with pytest.raises(HarnessError, match=said):
        api.score_many(networks, IMAGES, ["params"])


def test_arrays_and_mappings_are_batches() -> None:
    expected = api.score(network(4), (IMAGES, LABELS), ["snip", "nwot"])
    array, labels = IMAGES.numpy().astype(np.float64), LABELS.numpy()
    odd = array[::-1].copy()[::-1]  # a view that runs backwards
    for batch in (
        (array, labels),
        (odd, LABELS),
        {"images": IMAGES, "labels": labels},
        {"pixel_values": array, "labels": LABELS, "ids": ["x"] * 8},
    ):
        found = api.score(network(4), batch, ["snip", "nwot"])
        assert {n: s.value for n, s in found.items()} == {n: s.value for n, s in expected.items()}
    alone = api.score(network(4), array, ["nwot", "snip"])
    assert alone["nwot"].value == expected["nwot"].value
    assert alone["snip"].status == "undefined"
    assert np.array_equal(array, IMAGES.numpy())  # and nobody wrote into it


@pytest.mark.parametrize(
    "batch",
    [{"pixels": IMAGES}, (IMAGES.tolist(), LABELS), np.full((2, 3, 4, 4), None), "images", None],
    ids=["other names", "lists", "objects", "text", "nothing"],
)
def test_what_is_no_batch_is_told(batch: object) -> None:
    with pytest.raises(HarnessError, match=r"batch|tensor"):
        api.score(network(4), batch, ["nwot"])


@dataclass
class Output:
    """As a model of transformers returns it."""

    loss: Tensor | None
    logits: Tensor


class Classifier(nn.Module):
    """Takes and returns what models of transformers do."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = network(width)

    def forward(self, pixel_values: Tensor | None = None, labels: Tensor | None = None) -> Output:
        assert pixel_values is not None
        return Output(None, self.inner(pixel_values))


def test_a_model_with_logits_is_scored_by_them() -> None:
    batch = {"pixel_values": IMAGES, "labels": LABELS}
    found = api.score(Classifier(4), batch, ["snip", "synflow", "nwot"])
    expected = api.score(network(4), batch, ["snip", "synflow", "nwot"])
    assert {n: s.value for n, s in found.items()} == {n: s.value for n, s in expected.items()}


def test_a_set_of_proxies_has_a_name() -> None:
    api.proxy_sets.add("mine_for_this_test", ("params", "snip"))
    assert list(api.score(network(4), (IMAGES, LABELS), "mine_for_this_test")) == ["params", "snip"]
