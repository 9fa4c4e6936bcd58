"""NASLib's names, graphs, predictors and tables: a stand-in of its interfaces, and the real ones.

Where NASLIB_PATH names a checkout (branch zerocost), the real code is asked too.
"""

import json
import math
import os
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import kendalltau
from torch import Tensor, nn
from torch.nn import functional

from harness import api
from harness.adapters import naslib_graphs, naslib_tables
from harness.adapters.naslib_names import SPACES, space_of, to_key, to_naslib
from harness.adapters.naslib_predictor import ZeroCost
from harness.core.errors import DataError, HarnessError
from harness.core.types import Batch
from harness.spaces import nb101
from harness.spaces.space import spaces

KEY = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|"
IMAGES, LABELS = (
    torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(2)),
    torch.arange(8),
)
LOADER = [[IMAGES, LABELS], [IMAGES + 1, LABELS]]


class Graph(nn.Module):
    """What the adapter knows of NASLib's graphs: weights belong to it once it is parsed."""

    def __init__(self, kind: str = "nasbench201", loss=functional.cross_entropy) -> None:
        super().__init__()
        self.kind, self.loss, self.architecture, self.is_parsed = kind, loss, None, False
        torch.manual_seed(0)
        self.parts = [nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1)]
        self.parts += [nn.Flatten(), nn.Linear(6, 10)]

    def get_type(self) -> str:
        return self.kind

    def get_hash(self) -> tuple:
        return tuple(self.architecture)

    def get_loss_fn(self):
        return self.loss

    def set_spec(self, architecture) -> None:
        self.architecture = architecture

    def clone(self) -> "Graph":
        made = Graph(self.kind, self.loss)
        made.architecture = self.architecture
        return made

    def parse(self) -> None:
        self.body = nn.Sequential(*self.parts)
        self.is_parsed = True

    def forward(self, x: Tensor, *_: object) -> Tensor:
        return self.body(x)


def graph(architecture=(2, 0, 1, 3, 4, 2), *, parsed: bool = True, **kind) -> Graph:
    made = Graph(**kind)
    made.set_spec(architecture)
    if parsed:
        made.parse()
    return made


@pytest.mark.parametrize("space", SPACES)
def test_architectures_come_back(space: str) -> None:
    one = spaces.get(space)
    for key in one.sample(300, seed=1):
        assert to_key(space, to_naslib(space, key)) == key
        assert to_key(space, str(to_naslib(space, key))) == key
    spelled = {name: key for name, key in one.spellings.items() if "NASLib" in name}
    *_, (name, text) = spelled.items()  # the last of the macro space is the padded one
    assert str(to_naslib(space, one.canonical(text))) == text, name
    assert space_of(SPACES[space]) == space


def test_architectures_as_naslib_holds_them_in_memory() -> None:
    numbers = np.array([2, 0, 1, 3, 4, 2])
    assert to_key("nb201", numbers) == to_key("nb201", [*numbers]) == KEY
    # A macro architecture is an array there, padded.
    assert to_key("tnb101_macro", np.array([2, 3, 1, 1, 0, 0])) == "64-2311-basic"
    spec = nb101.parse("conv1x1~0|maxpool3x3~01|output~12")
    matrix = {"matrix": np.array(spec.matrix, dtype="int8"), "ops": list(spec.operations)}
    assert to_key("nb101", matrix) == "conv1x1~0|maxpool3x3~01|output~12"
    cell = [(0, 3), (1, 3), (0, 3), (1, 3), (0, 2), (1, 3), (0, 2), (2, 5)]
    assert to_key("nb301", [cell, cell]) == str((tuple(cell), tuple(cell)))


@pytest.mark.parametrize(
    ("space", "architecture", "said"),
    [
        ("nb201", (1, 2), "six"),
        ("nb201", None, "tuple of numbers"),
        ("nb101", {"matrix": [[0]]}, "matrix and ops"),
        ("nb201", ("a",) * 6, "NAS-Bench-201"),
    ],
)
def test_what_is_no_architecture_is_told(space: str, architecture: object, said: str) -> None:
    with pytest.raises(HarnessError, match=said):
        to_key(space, architecture)


def test_spaces_that_naslib_lacks_are_told() -> None:
    with pytest.raises(HarnessError, match="NASLib has too"):
        to_naslib("pit", "16:6:2-8-4:2-4-4")
    with pytest.raises(HarnessError, match="search space of NASLib 'hierarchical'"):
        api.from_naslib(graph(kind="hierarchical"))


def test_a_graph_is_space_key_and_network() -> None:
    one = graph()
    found = api.from_naslib(one)
    assert (found.space, found.key, found.loss) == ("nb201", KEY, "cross_entropy")
    assert found.network is one
    assert api.truth.value(found.space, "cifar10", found.key) > 80


def test_a_graph_that_is_not_parsed_is_left_so() -> None:
    one = graph(parsed=False)
    found = api.from_naslib(one)
    assert not one.is_parsed
    scores = api.score(found.network, (IMAGES, LABELS), ["params", "snip"])
    assert scores["params"].value == (6 * 27 + 6 + 12 + 70) / 1e6
    assert scores["snip"].value > 0


@pytest.mark.parametrize(
    ("given", "said"),
    [(nn.ReLU(), "not ReLU"), (3, "not int"), (Graph(), "no architecture yet")],
    ids=["module", "number", "no architecture"],
)
def test_what_is_no_graph_is_told(given: object, said: str) -> None:
    with pytest.raises(HarnessError, match=said):
        api.from_naslib(given)


@pytest.mark.parametrize("name", ["snip", "synflow", "nwot", "swap", "zen"])
def test_the_predictor_scores_the_first_batch(name: str) -> None:
    predictor = ZeroCost(name, seed=3)
    predictor.set_ss_type("nasbench201")
    predictor.pre_process()
    predictor.fit([], [])
    assert predictor.method_type == name
    expected = api.score(graph(), (IMAGES, LABELS), [name], seed=3)[name].value
    assert predictor.query(graph(), dataloader=LOADER) == expected
    assert predictor.query(graph(parsed=False), LOADER, {"anything": 1}) == expected


def test_the_predictor_takes_the_graph_s_loss() -> None:
    soft = torch.rand(8, 10)
    batch = api.Batch(IMAGES, soft, "l1")
    expected = api.score(graph(), batch, ["grad_norm"])["grad_norm"].value
    of_l1 = graph(loss=nn.L1Loss())
    assert ZeroCost("grad_norm").query(of_l1, [(IMAGES, soft)]) == expected


def test_what_the_predictor_cannot_score() -> None:
    dead = graph()
    nn.init.zeros_(dead.body[-1].weight)
    assert ZeroCost("synflow").query(dead, LOADER) == -1e8  # as NASLib has it
    with pytest.raises(HarnessError, match="Unknown proxy 'snipp'"):
        ZeroCost("snipp")
    with pytest.raises(HarnessError, match="give query a dataloader"):
        ZeroCost("snip").query(graph())
    with pytest.raises(HarnessError, match="yields no batch"):
        ZeroCost("snip").query(graph(), [])
    with pytest.raises(HarnessError, match="expected pairs of images and labels"):
        ZeroCost("snip").query(graph(), [IMAGES])
    with pytest.raises(HarnessError, match="weights or sums"):
        ZeroCost("snip").query(graph(loss=nn.CrossEntropyLoss(reduction="sum")), LOADER)


def scores(space: str = "nb201", n: int = 3) -> pd.DataFrame:
    keys = spaces.get(space).sample(n, seed=5)
    rows = [
        {"key": key, "proxy": proxy, "value": place + 0.1, "seconds": 0.5, "truth": 60.0 + place}
        for place, key in enumerate(keys)
        for proxy in ("snip", "swap")
    ]
    return pd.DataFrame(rows).assign(space=space, task="cifar10", seed=0, status="ok")


@pytest.mark.parametrize("space", SPACES)
def test_a_table_comes_back(space: str, tmp_path: Path) -> None:
    table = scores(space)
    table.loc[0, ["value", "status"]] = math.nan, "undefined"
    other = table.assign(task="imagenet16_120", value=-table.value)
    naslib_tables.write_table(pd.concat([table, other]), tmp_path / "zc.json", space)
    for task, expected in (("cifar10", table), ("imagenet16_120", other)):
        found = naslib_tables.read_table(tmp_path / "zc.json", space, task)
        pd.testing.assert_frame_equal(found, expected[found.columns], check_like=True)
    content = json.loads((tmp_path / "zc.json").read_text())
    assert list(content) == ["cifar10", "ImageNet16-120"]
    entry = content["cifar10"][str(to_naslib(space, table.key[0]))]
    assert entry["snip"] == {"score": -1e8, "time": 0.5}
    assert entry["val_accuracy"] == 60.0
    assert api.correlate(found).spearman.notna().all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.drop(columns="truth"), "lacks the column 'truth'"),
        (lambda table: pd.concat([table, table.assign(seed=1)]), "several seeds"),
        (lambda table: table.assign(status="oom"), "6 scores failed"),
        (lambda table: table.assign(truth=math.nan), "6 rows have no accuracy"),
    ],
)
def test_tables_that_naslib_could_not_use(change, said: str, tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match=said):
        naslib_tables.write_table(change(scores()), tmp_path / "zc.json", "nb201")
    assert not (tmp_path / "zc.json").exists()


def test_a_file_that_is_no_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "zc.json").write_text('{"cifar10": {"(1, 2)": {"snip": 3, "val_accuracy": 4}}}')
    with pytest.raises(DataError, match=r"zc\.json is not an early"):
        naslib_tables.read_table(tmp_path / "zc.json", "nb201", "cifar10")
    with pytest.raises(DataError, match="of cifar100"):
        naslib_tables.read_table(tmp_path / "zc.json", "nb201", "cifar100")


@pytest.mark.mirror
def test_the_published_early_tables() -> None:
    place = Path(os.environ["HARNESS_MIRROR"], "raw.githubusercontent.com/automl/NASLib")
    for commit, space, with_seconds in (
        ("6639fd1579010457885c641553c55b0c153045aa", "nb101", False),
        ("6639fd1579010457885c641553c55b0c153045aa", "nb301", True),
    ):
        path = place / commit / f"naslib/data/zc_{SPACES[space]}.json"
        table = naslib_tables.read_table(path, space, "cifar10")
        assert table.seconds.notna().all() == with_seconds
        params = table[table.proxy == "params"]
        count = spaces.get(space).count_params
        if space == "nb101":  # NASLib counts as the benchmark does
            ours = [count(key, "cifar10") / 1e6 for key in params.key[:100]]
            np.testing.assert_allclose(params.value[:100], ours)
        assert len(table) > 5000
        assert 80 < table.truth.max() < 96


def test_where_naslib_is_not_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NASLIB_PATH", str(tmp_path / "none"))
    with pytest.raises(HarnessError, match="holds no folder naslib"):
        naslib_graphs.naslib_graph("nb201", "cifar10", KEY)
    with pytest.raises(HarnessError, match="task of nb201"):
        naslib_graphs.naslib_graph("nb201", "jigsaw", KEY)


# The real code.

real = pytest.mark.skipif("NASLIB_PATH" not in os.environ, reason="NASLIB_PATH is not set")
REAL = [
    ("nb201", "cifar10"),
    ("nb201", "imagenet16_120"),
    ("nb301", "cifar10"),
    ("nb101", "cifar10"),
    ("tnb101_micro", "class_scene"),
    ("tnb101_macro", "class_scene"),
]


@pytest.fixture(scope="module")
def naslib():
    """The benchmark's way to import it: packages that it does not need to score are stood in."""
    from benchmarks import naslib as loaded

    loaded.load()
    return loaded


def real_batch(task: str) -> Batch:
    return api.batch(task, inputs=api.InputSettings(source="gaussian"), size=8)


@real
@pytest.mark.parametrize(("space", "task"), REAL)
def test_real_graphs_are_built_and_told(naslib, space: str, task: str) -> None:
    for key in spaces.get(space).sample(2, seed=4):
        built = naslib_graphs.naslib_graph(space, task, key)
        found = api.from_naslib(built)
        assert (found.space, found.key) == (space, key)
        assert found.loss == api.tasks.get(task).loss
        batch = real_batch(task)
        params = api.score(found.network, batch, ["params"])["params"].value * 1e6
        if space != "nb301":  # whose networks have batch norms without weights there
            assert round(params) == spaces.get(space).count_params(key, task)


@real
def test_the_predictor_says_what_naslib_s_own_says(naslib) -> None:
    theirs = import_module("naslib.predictors.zerocost").ZeroCost
    batch = real_batch("cifar10")
    loader = [(batch.images, batch.labels)]
    one = naslib_graphs.naslib_graph("nb201", "cifar10", KEY)
    for name in ("snip", "synflow", "fisher", "jacov", "epe_nas"):
        assert ZeroCost(name).query(one, loader) == pytest.approx(
            theirs(name).query(one, loader), rel=2e-3
        ), name


@real
def test_naslib_s_evaluator_reads_what_is_written(
    naslib, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zc_evaluator = import_module("naslib.evaluators.zc_evaluator")
    get_dataset_api = import_module("naslib.utils.get_dataset_api")
    (tmp_path / "data").mkdir()
    table = scores(n=12)
    naslib_tables.write_table(table, tmp_path / "data/zc_nasbench201.json", "nb201")
    monkeypatch.setattr(get_dataset_api, "get_project_root", lambda: str(tmp_path))
    content = get_dataset_api.get_zc_benchmark_api("nasbench201", "cifar10")
    monkeypatch.setattr(zc_evaluator.utils, "get_train_val_loaders", lambda _: [None] * 5)
    # Its own calls scikit-learn as of 2022.
    monkeypatch.setattr(
        zc_evaluator.utils, "compute_scores", lambda *both: {"kendalltau": kendalltau(*both)[0]}
    )
    config = SimpleNamespace(
        test_size=12, dataset="cifar10", test_data_file=None, save=str(tmp_path)
    )
    evaluator = zc_evaluator.ZeroCostPredictorEvaluator(
        ZeroCost("swap"), content, config, log_results=False
    )
    one = naslib_graphs.naslib_graph("nb201", "cifar10", KEY)
    one.instantiate_model = False
    one.labeled_archs = [to_naslib("nb201", key) for key in table.key.unique()]
    evaluator.adapt_search_space(one, load_labeled=True)
    evaluator.evaluate(content)
    found = evaluator.results[-1]
    assert found["kendalltau"] == pytest.approx(1.0)
    assert evaluator.predictor.ss_type == "nasbench201"
