"""A run that did not do what it was asked for does not look as if it had."""

import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from commands import RESULT, call, write_truth
from torch import nn

from harness.core.errors import HarnessError
from harness.passes.settings import ZenSettings
from harness.search.swap_nas.swap_nas_settings import SwapNasSettings
from harness.training.architecture_recipe import ArchitectureRecipe
from harness.training.labelled_images import LabelledImages
from harness.training.supernet_recipe import SupernetRecipe
from harness.training.truth_recipe import TruthRecipe
from harness.training.truth_training import train

BROKEN = "from torch import nn\n\n\nclass Broken(nn.Module):\n    pass\n\n\nbuild = Broken\n"


def test_a_run_in_which_every_score_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_truth(tmp_path)

    def refused(*_: Any) -> Any:
        raise RuntimeError("no kernel image")

    monkeypatch.setattr(nn.Conv2d, "forward", refused)
    assert call(tmp_path, "executor=local", "proxies=[snip,swap]") == 3
    error = capsys.readouterr().err
    assert "Every one of the 8 scores failed, most often with: RuntimeError: no kernel" in error
    kept = pd.read_parquet(tmp_path / RESULT / "scores.parquet")
    assert set(kept.status) == {"error"}
    assert call(tmp_path, "executor=local", "proxies=[snip,swap]") == 3  # nothing was scored anew
    monkeypatch.undo()
    assert call(tmp_path, "executor=local", "proxies=[params,swap]") == 0  # one did not fail


def test_a_network_of_ones_own_that_does_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    asked = ["job=score", "model=broken.py:build", "task=digits", "executor=local"]
    assert call(tmp_path, *asked, "proxies=[snip,swap]", "format=csv") == 3
    out, error = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert "Every one of the 2 scores failed" in error


RECIPES = [TruthRecipe(), ArchitectureRecipe(), SupernetRecipe()]
RATES = [
    (recipe, field.name)
    for recipe in RECIPES
    for field in fields(recipe)
    if field.type == "float" and field.name != "held_out"
]


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1])
@pytest.mark.parametrize(("recipe", "name"), RATES)
def test_a_training_with_numbers_that_are_none(recipe: Any, name: str, value: float) -> None:
    with pytest.raises(HarnessError, match=rf"{name}={value} is not possible"):
        replace(recipe, **{name: value})


def images(n: int) -> LabelledImages:
    return LabelledImages(torch.ones(n, 1, 2, 2), torch.zeros(n, dtype=torch.int64))


def network() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 2))


def test_a_batch_larger_than_the_data_trains_nothing_and_says_so() -> None:
    with pytest.raises(HarnessError, match="A batch of 40 images is more than the 39"):
        train(network(), images(39), TruthRecipe(batch_size=40), seed=0)


def test_a_training_that_diverges_leaves_no_accuracy() -> None:
    with pytest.raises(HarnessError, match="diverged: its loss is nan in epoch 1"):
        train(network(), images(400), TruthRecipe(learning_rate=1e30), seed=0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 0.0])
def test_a_perturbation_or_a_width_that_is_none(value: float) -> None:
    with pytest.raises(HarnessError, match=r"zen\.gamma"):
        ZenSettings(gamma=value)
    with pytest.raises(HarnessError, match=r"search\.sigma"):
        SwapNasSettings(sigma=value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_regulariser_around_nothing(value: float) -> None:
    with pytest.raises(HarnessError, match=r"search\.mu"):
        SwapNasSettings(mu=value)
