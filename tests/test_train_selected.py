"""From what searches selected to a table of test errors: the chain, on handwritten digits."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import call

from harness.config import Config
from harness.results import record
from harness.results.folder import replacing
from harness.spaces import darts, darts_space
from harness.spaces.darts_skeleton import Skeleton, count_params
from harness.spaces.nb301 import parse
from harness.spaces.space import spaces
from harness.training.selected_trainings import error_table

KEYS = spaces.get("darts").sample(3, seed=0)
RECIPE = {"channels": 4, "layers": 3, "epochs": 1, "batch_size": 40, "cutout": 2, "auxiliary": 0}
RESULT = "results/train_selected/darts/digits"
NOISY = "Genotype(normal={0}, normal_concat=[2, 3, 4, 5], reduce={0}, reduce_concat=[2, 3, 4, 5])"


def a_search(folder: Path, job: str, name: str, keys: Sequence[str], space: str = "darts") -> Path:
    """Leaves a result as the two searches leave theirs."""
    path = folder / "found" / job / space / "cifar10" / name
    config = Config(job=job, space=space, task="cifar10", study=job)
    column = "key" if job == "swap_nas" else "architecture"
    with replacing(path) as fresh:
        table = pd.DataFrame({"seed": range(len(keys)), column: keys})
        table.to_csv(fresh / "selected.csv", index=False)
        made = record.of_run(
            config, conditions={}, resolved={}, truth={}, computed=[], inputs={"source": "none"}
        )
        record.write(fresh, made)
    return path


def train(folder: Path, *searches: Path, space: str = "darts", more: Sequence[str] = ()) -> int:
    recipe = [f"train_architecture.{name}={value}" for name, value in RECIPE.items()]
    named = ",".join(str(path) for path in searches)
    asked = ["job=train_selected", f"space={space}", "task=digits", f"searches=[{named}]"]
    return call(folder, *asked, *recipe, *more)


def read(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / RESULT / name)


def test_searches_and_seeds_add_up_in_one_table(tmp_path: Path) -> None:
    printed = darts_space.printed(KEYS[1])
    first = a_search(tmp_path, "swap_nas", "swap_nas_mu0.9_sigma0.9", KEYS[:2])
    second = a_search(tmp_path, "zero_cost_pt", "nwot-faithful-random", [printed, KEYS[2]])
    assert train(tmp_path, first, more=["executor=local", "search_seeds=1"]) == 0
    assert len(read(tmp_path, "trainings.csv")) == 1
    # Two processes; the second search's first architecture is trained already.
    assert train(tmp_path, first, second, more=["executor.workers=2", "seed=0..1"]) == 0
    trainings, table = read(tmp_path, "trainings.csv"), read(tmp_path, "table.csv")
    assert len(trainings) == 2 * 2 * 2
    assert len(list(tmp_path.glob("results/.work/train/darts/digits/*/seed_*/epochs.csv"))) == 6
    same = trainings[trainings.architecture == KEYS[1]]
    assert same.groupby("seed").error.nunique().tolist() == [1, 1]
    table = table.set_index("search")
    for search, mine in trainings.groupby("search"):
        row = table.loc[search]
        assert (row.search_seeds, row.trainings, row.epochs) == (2, 4, 1)
        assert row.training_images == 400
        assert row.error == pytest.approx(np.mean(mine.error))
        assert row["std"] == pytest.approx(np.std(mine.error, ddof=1))
        assert row.best == min(mine.error)
    for one in trainings.itertuples():
        expected = count_params(parse(one.architecture), Skeleton(4, 3), 10)
        assert one.params == expected
    assert list(table.index) == [
        "swap_nas/darts/cifar10/swap_nas_mu0.9_sigma0.9",
        "zero_cost_pt/darts/cifar10/nwot-faithful-random",
    ]
    assert table.paper_error.isna().all()  # those are CIFAR-10's
    made = json.loads((tmp_path / RESULT / "run.json").read_text())
    assert len(made["conditions"]["searches"]) == 4
    assert made["conditions"]["train_architecture"]["mixed_precision"] is False


def test_rows_are_what_single_trainings_end_with(tmp_path: Path) -> None:
    search = a_search(tmp_path, "swap_nas", "mine", KEYS[:1])
    assert train(tmp_path, search, more=["executor=local"]) == 0
    recipe = [f"train_architecture.{name}={value}" for name, value in RECIPE.items()]
    alone = ["job=train", "space=darts", "task=digits", "executor=local", "results=alone"]
    assert call(tmp_path, *alone, *recipe, f'architecture="{KEYS[0]}"') == 0
    (log,) = tmp_path.glob("alone/train/darts/digits/*/log.csv")
    last = pd.read_csv(log).iloc[-1]
    row = read(tmp_path, "trainings.csv").iloc[0]
    assert row.error == pytest.approx(100 - last.test_accuracy)
    assert row.top5_error == pytest.approx(100 - last.test_top5)


def test_an_architecture_with_noise_is_trained(tmp_path: Path) -> None:
    edges = [("noise", 0), ("sep_conv_3x3", 1), *[("sep_conv_3x3", 0), ("noise", 1)] * 3]
    key = NOISY.format(edges)
    search = a_search(tmp_path, "zero_cost_pt", "mine", [key], space="darts_s4")
    assert train(tmp_path, search, space="darts_s4", more=["executor=local"]) == 0
    trainings = pd.read_csv(tmp_path / RESULT.replace("darts", "darts_s4") / "trainings.csv")
    assert trainings.architecture.tolist() == [key]
    quiet = key.replace("noise", "max_pool_3x3")  # neither has weights
    cells = darts.Genotype(*darts.parse_genotype(quiet))
    assert trainings.params[0] == count_params(cells, Skeleton(4, 3), 10)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("none", "No search to train the architectures of"),
        ("space", "is a search of darts_s2, not of darts; say space=darts_s2"),
        ("seed", "has no search seed 7; it has [0, 1]"),
        ("several", "does not hold one selected architecture per seed"),
    ],
)
def test_what_cannot_be_trained(
    wrong: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = "darts_s2" if wrong == "space" else "darts"
    search = a_search(tmp_path, "swap_nas", "mine", KEYS[:2], space=space)
    if wrong == "several":
        with replacing(search) as fresh:
            pd.DataFrame({"seed": [0, 0], "key": KEYS[:2]}).to_csv(fresh / "selected.csv")
            (fresh / "run.json").write_text((search / "run.json").read_text())
    more = ["executor=local", *(["search_seeds=7"] if wrong == "seed" else [])]
    assert train(tmp_path, *([] if wrong == "none" else [search]), more=more) == 1
    assert words in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "results").exists()


def test_a_search_that_was_changed_is_not_trained(tmp_path: Path) -> None:
    search = a_search(tmp_path, "swap_nas", "mine", KEYS[:2])
    (search / "selected.csv").write_text("seed,key\n0,other\n")
    assert train(tmp_path, search, more=["executor=local"]) == 1
    assert not (tmp_path / "results").exists()


def test_errors_stand_beside_the_printed_ones() -> None:
    search = "zero_cost_pt/darts/cifar10/nwot-faithful-random"
    trainings = pd.DataFrame(
        {
            "search": search,
            "search_seed": [0, 0, 1, 1],
            "params": 4_700_000,
            "epochs": 600,
            "error": [2.5, 2.7, 3.0, 3.2],
            "top5_error": 0.0,
        }
    )
    (row,) = error_table(trainings, "cifar10").itertuples()
    assert (row.error, row.best, row.params) == pytest.approx((2.85, 2.5, 4.7))
    assert row.std == pytest.approx(np.std([2.5, 2.7, 3.0, 3.2], ddof=1))
    assert row.between == pytest.approx(np.std([2.6, 3.1], ddof=1))
    assert (row.paper_error, row.paper_std, row.paper_best) == (2.68, 0.17, 2.43)
    (row,) = error_table(trainings[:1], "imagenet").itertuples()
    assert np.isnan(row.std)  # one training tells nothing about deviations
    assert (row.paper_error, row.paper_top5_error) == (24.6, 7.6)
