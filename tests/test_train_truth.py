"""Ground truth of one's own: which images it rests on, what adds up, what is refused."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf
from torch import nn

import harness
from harness.command_line.compose import from_mapping
from harness.config import Config, parse_seeds
from harness.core.errors import DataError, HarnessError
from harness.executors.executor import ExecutorSettings
from harness.inputs import digits
from harness.inputs.image_sets import ImageSet, image_sets
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import Task, tasks
from harness.sources.places import checksum
from harness.spaces.space import Space, spaces
from harness.training.accuracy_table import read_table
from harness.training.labelled_images import training_and_test
from harness.training.measured_truth import (
    TrainingShard,
    TruthConditions,
    train_sample,
    train_shard,
)
from harness.training.truth_recipe import TruthRecipe

QUICK = TruthRecipe(epochs=1, batch_size=200, seeds=0)
HERE = ExecutorSettings("local")
PLAIN = InputSettings()
BUNDLED = Path(harness.__file__).parent / "truth" / "embedded" / "nb201_digits.csv"


class Widths(Space):
    """Perceptrons of one hidden layer: trained in milliseconds."""

    name = "widths"
    tasks = ("digits", "shades")

    def keys(self) -> list[str]:
        return [f"{width}#" for width in range(1, 9)]

    def canonical(self, key: str) -> str:
        return key

    def network(self, key: str, task: Task) -> nn.Module:
        inner = int(key[:-1])
        return nn.Sequential(
            nn.AvgPool2d(2), nn.Flatten(), nn.Linear(48, inner), nn.Linear(inner, task.outputs)
        )

    def count_params(self, key: str, task: str) -> int:
        return 0


@pytest.fixture(autouse=True)
def _widths() -> Iterator[None]:
    spaces.add("widths", Widths())
    yield
    spaces._items.pop("widths")


def run(folder: Path, n: int = 2, recipe: TruthRecipe = QUICK, **more: object) -> Path:
    values = {"task": "digits", "results": str(folder), "executor": HERE} | more
    return train_sample(Config(job="train_truth", space="widths", **values), recipe, n)


def table(folder: Path) -> pd.DataFrame:
    return read_table(folder / "accuracies.csv")


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A task with images of the user's: a plug-in would register it, the file is theirs."""
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)
    rgb = (0.5, 0.5, 0.5)
    for registry, one in (
        (image_sets, ImageSet("shades", "shades", 8, 2, rgb, rgb, "dark and bright squares")),
        (tasks, Task("shades", (3, 8, 8), 2, images="shades")),
    ):
        registry.add(one.name, one)
    path = tmp_path / "data" / "images" / "shades.npz"
    path.parent.mkdir(parents=True)
    labels = np.arange(100, dtype=np.uint8) % 2
    images = np.broadcast_to((labels * 200)[:, None, None, None], (100, 8, 8, 3))
    np.savez(path, images=images.astype(np.uint8), labels=labels)
    yield path
    for registry in (image_sets, tasks):
        registry._items.pop("shades")


def test_the_bundled_truth_can_be_made_again() -> None:
    """Its head names the command, and the harness still understands it."""
    command = BUNDLED.read_text().split("Made by: python -m harness ")[1]
    config = from_mapping(OmegaConf.from_dotlist(command.splitlines()[0].split()))
    assert (config.job, config.space, config.task) == ("train_truth", "nb201", "digits")
    assert config.of(TruthRecipe) == TruthRecipe()
    table = read_table(BUNDLED)
    assert config.options == {"n": len(table)}
    assert table.columns.tolist() == parse_seeds(TruthRecipe.seeds)
    assert table.index.tolist() == spaces.get("nb201").sample(len(table), seed=0)


def test_more_architectures_and_seeds_add_up(tmp_path: Path) -> None:
    folder = run(tmp_path, n=1)
    first = table(folder)
    assert run(tmp_path, n=2, recipe=replace(QUICK, seeds="1..2")) == folder
    both = table(folder)
    assert both.index.tolist() == spaces.get("widths").sample(2, seed=0)
    assert both.columns.tolist() == [0, 1, 2]
    assert both.isna().to_numpy().tolist() == [[False] * 3, [True, False, False]]
    assert both.iloc[0, 0] == first.iloc[0, 0]
    again = table(run(tmp_path / "straight", n=2, recipe=replace(QUICK, seeds="0..2")))
    pd.testing.assert_frame_equal(again.where(both.notna()), both)
    record = json.loads((folder / "run.json").read_text())
    assert record["conditions"]["images"]["test"]["n"] == digits.TEST
    assert [one["device"] for one in record["computed"]] == ["cpu"]


@pytest.mark.parametrize("content", [b"", b"\xff", b"a,b\n1,2\n", b"key,accuracy_x\nw1,3\n"])
def test_accuracies_that_are_something_else_are_not_added_to(
    tmp_path: Path, content: bytes
) -> None:
    folder = run(tmp_path, n=1)
    (folder / "accuracies.csv").write_bytes(content)
    record = json.loads((folder / "run.json").read_text())
    record["files"]["accuracies.csv"] = checksum(folder / "accuracies.csv")
    (folder / "run.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"accuracies\.csv cannot be read"):
        run(tmp_path, n=2)


def test_the_head_names_the_command_of_the_whole_table(tmp_path: Path) -> None:
    run(tmp_path, n=1, seed=3)
    folder = run(tmp_path, n=1, recipe=replace(QUICK, seeds=4), seed=3)
    head = (folder / "accuracies.csv").read_text()
    assert "400 training images (digits_train) and 1397 test images (digits_test)" in head
    assert (
        "job=train_truth space=widths task=digits n=1 seed=3 train_truth.epochs=1 "
        "train_truth.batch_size=200 train_truth.seeds=[0,4]\n"
    ) in head


def test_a_clone_without_shards_trains_only_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run(tmp_path, n=1)
    before = table(folder)
    (shards,) = (tmp_path / ".work").rglob("*.parquet")
    shards.unlink()
    trained: list[tuple[str, ...]] = []

    def watched(shard: TrainingShard) -> int:
        trained.append(shard.keys)
        return train_shard(shard)

    monkeypatch.setattr("harness.training.measured_truth.train_shard", watched)
    after = table(run(tmp_path, n=2))
    assert trained == [(after.index[1],)]
    assert after.iloc[0, 0] == before.iloc[0, 0]


def test_another_recipe_is_refused(tmp_path: Path) -> None:
    folder = run(tmp_path, n=1)
    other = replace(QUICK, batch_size=100)
    for wrong in ({"recipe": other}, {"seed": 1}):
        with pytest.raises(HarnessError, match=r"made under other conditions.*overwrite=true"):
            run(tmp_path, n=1, **wrong)
    run(tmp_path, n=1, recipe=other, overwrite=True)
    conditions = json.loads((folder / "run.json").read_text())["conditions"]
    assert conditions["train_truth"]["batch_size"] == 100


def test_a_damaged_table_is_not_added_to(tmp_path: Path) -> None:
    path = run(tmp_path, n=1) / "accuracies.csv"
    path.write_text(path.read_text().replace(",", ",1", 1))
    with pytest.raises(DataError, match="changed or damaged"):
        run(tmp_path, n=2)


def test_images_of_the_user(mine: Path, tmp_path: Path) -> None:
    folder = run(tmp_path, n=2, task="shades", recipe=TruthRecipe(batch_size=10, seeds=0))
    assert table(folder).max().max() == 100  # half of it is chance
    images = json.loads((folder / "run.json").read_text())["conditions"]["images"]
    assert [part["n"] for part in images.values()] == [80, 20]


def test_held_out_images_are_not_trained_on(mine: Path) -> None:
    images = np.arange(100, dtype=np.uint8)[:, None, None, None] * np.ones((8, 8, 3), np.uint8)
    np.savez(mine, images=images, labels=np.arange(100) % 2)
    parts = training_and_test(tasks.get("shades"), PLAIN, 0.3, 10)
    training, test = (set(part.images[:, 0, 0, 0]) for part in (parts.training, parts.test))
    assert (len(training), len(test)) == (70, 30)
    assert training | test == set(range(100))
    again = training_and_test(tasks.get("shades"), PLAIN, 0.3, 20)
    np.testing.assert_array_equal(again.test.images, parts.test.images)
    np.testing.assert_array_equal(parts.test.labels, parts.test.images[:, 0, 0, 0] % 2)


@pytest.mark.mirror
@pytest.mark.parametrize("task", ["cifar10", "cifar100"])
def test_cifar_has_its_own_test_images(task: str) -> None:
    parts = training_and_test(tasks.get(task), PLAIN, 0.2, 96)
    assert len(parts.training.images) == 5 * len(parts.test.images)
    assert len(np.unique(parts.test.labels)) == tasks.get(task).outputs
    assert parts.described["test"]["images"] == f"{task}_test"


@pytest.mark.parametrize(
    ("task", "inputs", "words"),
    [
        ("digits", {"source": "gaussian"}, "one class"),
        ("autoencoder", {}, "one class"),
        ("class_scene", {}, "one class"),
        ("cifar10", {"source": "svhn_train_unlabelled"}, "have no labels"),
        ("cifar10", {"source": "cifar100"}, "100 classes, but the task cifar10 has 10"),
        ("cifar10", {"source": "digits"}, "3×8×8"),
        ("digits", {"augment": True}, r"inputs\.augment=True is not possible here"),
        ("digits", {"crop": 4}, r"inputs\.crop=4 is not possible here"),
    ],
)
def test_images_that_teach_nothing(task: str, inputs: dict[str, object], words: str) -> None:
    with pytest.raises(HarnessError, match=words):
        training_and_test(tasks.get(task), InputSettings(**inputs), 0.2, 8)


def test_a_batch_larger_than_the_data(tmp_path: Path) -> None:
    """It used to record the accuracies of untrained networks."""
    with pytest.raises(HarnessError, match=r"401 images .* 400 of digits_train .* at most 400"):
        run(tmp_path, recipe=replace(QUICK, batch_size=401))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "wrong",
    [
        *({"epochs": 0}, {"batch_size": 1}, {"learning_rate": 0.0}, {"momentum": 1.0}),
        *({key: bad} for key in ("learning_rate", "momentum", "weight_decay", "held_out")
          for bad in (math.nan, math.inf, -0.1)),
        {"seeds": "x"},
    ],
)  # fmt: skip
def test_impossible_recipes(wrong: dict[str, float]) -> None:
    (key,) = wrong
    with pytest.raises(HarnessError, match=rf"train_truth\.{key}=\S+ (is not possible|names no)"):
        replace(QUICK, **wrong)


@pytest.mark.parametrize("wrong", [{"n": 0}, {"seed": "0..1"}])
def test_impossible_samples(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(HarnessError, match=r"n=. must be a number of architectures"):
        run(tmp_path, **wrong)


def test_the_device_is_tried_where_the_training_runs(tmp_path: Path) -> None:
    conditions = TruthConditions("widths", "digits", PLAIN, QUICK, "cuda:7")
    with pytest.raises(HarnessError, match="'cuda:7' cannot be used here"):
        train_shard(TrainingShard(conditions, (), (0,), tmp_path))
