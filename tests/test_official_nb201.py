"""The official NAS-Bench-201 and NATS-Bench files, written by their own packages' classes."""

import bz2
import collections
import os
import pickle
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from harness import truth
from harness.adapters.nats_bench import NatsBench
from harness.config import Config, TruthSettings
from harness.core.errors import DataError, HarnessError
from harness.results import record
from harness.sources import catalogue, nb201_runs
from harness.spaces import nb201
from harness.spaces.space import spaces
from harness.truth import nb201_truth, records

KEYS = [
    "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
    "|skip_connect~0|+|nor_conv_1x1~0|none~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|",
]
# Which images each training set of the benchmark is evaluated on.
EVALUATIONS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}
SEEDS = (777, 888, 999)


def accuracy(arch: int, dataset: str, images: str, seed: int, epoch: int) -> float:
    """Any numbers, different for everything that they depend on."""
    place = sum(map(ord, dataset + images))
    return 10 + (place * 7 + arch * 13 + seed * 3 + epoch) % 8000 / 100


def results(package, arch: int, epochs: int, keys=KEYS):
    """Returns what the package itself makes of the runs of one architecture."""
    every = package.ArchResults(arch, keys[arch])
    for dataset, evaluated in EVALUATIONS.items():
        for seed in SEEDS[: arch + 1]:  # one run of the first, three of the last
            config = {"arch_str": keys[arch], "channel": 16, "num_cells": 5}
            curve = dict.fromkeys(range(epochs), 50.0)
            run = package.ResultsCount(
                dataset, None, curve, curve, 1.0, 2.0, config, seed, epochs, None
            )
            names = [(f"{i}@{e}", i, e) for i in evaluated for e in range(epochs)]
            values = {n: np.float64(accuracy(arch, dataset, i, seed, e)) for n, i, e in names}
            seconds = {n: 0.5 for n, _, _ in names}
            run.update_train_info(curve, curve, curve, collections.OrderedDict(curve))
            run.update_eval(values, dict(values), seconds)
            every.update(dataset, seed, run)
    return every.state_dict()


@pytest.fixture(scope="module")
def nats(tmp_path_factory):
    """The folder and the file of NATS-Bench, with three architectures."""
    package = pytest.importorskip("nats_bench", reason="the extra official is not installed")
    root = tmp_path_factory.mktemp("nats")
    folder = root / "NATS-tss-v1_0-3ffb9-simple"
    folder.mkdir()
    infos = {i: {hp: results(package, i, int(hp)) for hp in ("12", "200")} for i in range(3)}
    for arch, runs in infos.items():
        package.pickle_save(runs, folder / f"{arch:06d}.pickle")
    package.pickle_save({"meta_archs": KEYS}, folder / "meta.pickle")
    whole = {"meta_archs": KEYS, "arch2infos": infos, "evaluated_indexes": {0, 1, 2}}
    package.pickle_save(whole, root / "NATS-tss-v1_0-3ffb9.pickle")
    return folder, root / "NATS-tss-v1_0-3ffb9.pickle.pbz2"


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """NAS-Bench-201's own file with three architectures."""
    package = pytest.importorskip("nas_201_api", reason="the extra official is not installed")
    infos = collections.OrderedDict(
        (i, {"less": results(package, i, 12), "full": results(package, i, 200)}) for i in range(3)
    )
    path = tmp_path_factory.mktemp("nb201") / "NAS-Bench-201-v1_1-096897.pth"
    whole = {"meta_archs": KEYS, "arch2infos": infos, "evaluated_indexes": {0, 1, 2}}
    # The official file is from before torch's zip format.
    torch.save(whole, path, _use_new_zipfile_serialization=False)
    return path


def check(table) -> None:
    assert len(table) == 3 * 6
    for (task, split), (dataset, images) in nb201_truth.SETS.items():
        rows = nb201_truth.of_task(table, task, split).set_index("key")
        for arch, key in enumerate(KEYS):
            runs = [accuracy(arch, dataset, images, seed, 199) for seed in SEEDS[: arch + 1]]
            row = rows.loc[nb201.to_key(nb201.parse(key))]
            assert row.value == pytest.approx(np.mean(runs))
            assert row["std"] == pytest.approx(
                np.std(runs, ddof=1) if arch else np.nan, nan_ok=True
            )
            assert row.n_training_seeds == arch + 1


@pytest.mark.parametrize("form", [0, 1], ids=["folder", "file"])
def test_nats_means_over_seeds_at_the_end_of_200_epochs(nats, form: int) -> None:
    check(nb201_truth.read_nats(nats[form]))


def test_nb201_means_over_seeds_at_the_end_of_200_epochs(official) -> None:
    check(nb201_truth.read_official(official))


def test_both_agree_with_what_the_packages_answer(nats, official) -> None:
    """The benchmark's own queries, is_random=False: the mean over runs."""
    import nas_201_api
    import nats_bench

    apis = (
        (nats_bench.create(str(nats[0]), "tss", fast_mode=True, verbose=False), 0),
        (nats_bench.create(str(nats[1]), "tss", verbose=False), 1),
    )
    loaded = torch.load(official, weights_only=False)
    for api, table in (
        *((api, nb201_truth.read_nats(nats[form])) for api, form in apis),
        (nas_201_api.NASBench201API(loaded, verbose=False), nb201_truth.read_official(official)),
    ):
        for task, dataset in (("cifar100", "cifar100"), ("imagenet16_120", "ImageNet16-120")):
            for split, field in (("test", "test-accuracy"), ("validation", "valid-accuracy")):
                rows = nb201_truth.of_task(table, task, split).set_index("key").value
                for index, key in enumerate(KEYS):
                    answer = api.get_more_info(index, dataset, hp="200", is_random=False)
                    assert rows[key] == pytest.approx(answer[field])
        for split, dataset in (("test", "cifar10"), ("validation", "cifar10-valid")):
            field = {"test": "test-accuracy", "validation": "valid-accuracy"}[split]
            rows = nb201_truth.of_task(table, "cifar10", split).set_index("key").value
            for index, key in enumerate(KEYS):
                answer = api.get_more_info(index, dataset, hp="200", is_random=False)
                assert rows[key] == pytest.approx(answer[field])


def test_a_copy_is_read_only_where_it_is_named(
    nats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    with pytest.raises(
        DataError, match=r"No checksum of nats_tss .*D-X-Y/NATS-Bench.*truth\.path="
    ):
        truth.load("nb201", "cifar10", "nats")
    with pytest.raises(DataError, match="does not exist"):
        truth.load("nb201", "cifar10", "nats", path=str(tmp_path / "none"))
    with pytest.raises(DataError, match="3 architectures where 15,625 are expected"):
        truth.load("nb201", "cifar10", "nats", path=str(nats[0]))
    # Converted once: the second table does not read the pickles again.
    monkeypatch.setattr(nb201_runs, "_load_nats", None)
    with pytest.raises(DataError, match="3 architectures where 15,625 are expected"):
        truth.load("nb201", "imagenet16_120", "nats_validation", path=str(nats[0]))
    with pytest.raises(HarnessError, match="reads no file of yours"):
        truth.load("nb201", "cifar10", "official", path=str(nats[0]))


def test_a_whole_copy_loads(nats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = records.get("nb201", "cifar100", "nats_validation")
    three = replace(record, info=replace(record.info, n=3))
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    monkeypatch.setattr(records, "get", lambda *_: three)
    table = truth.load("nb201", "cifar100", "nats_validation", path=str(nats[1]))
    assert list(table.columns) == ["key", "value", "std", "n_training_seeds"]
    assert list(table.key) == sorted(KEYS)
    assert table.attrs["split"].startswith("the other half of the test images")
    assert set(table.key) <= set(spaces.get("nb201").keys())


def test_a_copy_answers_as_the_package_does(
    nats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nats_bench

    get = records.get
    monkeypatch.setattr(
        records, "get", lambda *name: replace(get(*name), info=replace(get(*name).info, n=3))
    )
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    theirs = nats_bench.create(str(nats[0]), "tss", fast_mode=True, verbose=False)
    ours = NatsBench("tss", path=nats[0])
    for dataset in EVALUATIONS:
        for place, key in enumerate(KEYS):  # the small copy counts through these
            answer = theirs.get_more_info(place, dataset, hp="200", is_random=False)
            for name, value in ours.get_more_info(key, dataset, hp="200").items():
                assert value == pytest.approx(answer[name])
            assert theirs.query_index_by_arch(key) == place
    assert set(ours.get_more_info(KEYS[0], "cifar100")) == {"valid-accuracy", "test-accuracy"}


def test_the_record_of_a_run_holds_the_checksum_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    (folder / "deep").mkdir(parents=True)
    for name in ("000000.pickle.pbz2", "deep/meta"):
        (folder / name).write_text(name)
    config = Config(truth=TruthSettings("nats", str(folder)))
    found = record.sources(config, {"sources": ("nats_tss", "nb201_official")})
    assert found.pop("nats_tss") == "none published"
    assert found.pop("nb201_official") == "md5:55e847143ce1f7c2d89b676f6b096897"
    (folder / "deep/meta").rename(folder / "deep/data")
    assert record.sources(config, {}).keys() == found.keys() == {"copy"}
    assert record.sources(config, {}) != found


def test_the_checksum_comes_before_the_pickle(
    official, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)
    with pytest.raises(DataError, match=r"github\.com/D-X-Y/NAS-Bench-201"):
        truth.load("nb201", "cifar10", "official")
    place = tmp_path / "cache" / catalogue.source("nb201_official").place
    place.parent.mkdir(parents=True)
    place.write_bytes(official.read_bytes())
    monkeypatch.setattr(nb201_runs, "_load_official", None)
    with pytest.raises(DataError, match="is truncated"):
        truth.load("nb201", "cifar10", "official")


class Malicious:
    """A pickle that would make a folder."""

    def __reduce__(self):
        return os.mkdir, ("made-by-a-pickle",)


def test_no_code_of_a_pickle_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nats_bench")
    pytest.importorskip("nas_201_api")
    monkeypatch.chdir(tmp_path)
    runs = {"arch2infos": {0: {"200": Malicious(), "full": Malicious()}}}
    (tmp_path / "a.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(runs)))
    with pytest.raises(DataError, match=r"was refused: it names (posix|os|nt)\.mkdir"):
        nb201_truth.read_nats(tmp_path / "a.pickle.pbz2")
    for zipped in (False, True):
        torch.save(runs, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
        with pytest.raises(DataError, match="was refused"):
            nb201_truth.read_official(tmp_path / "a.pth")
    assert not (tmp_path / "made-by-a-pickle").exists()
    pickle.loads(pickle.dumps(Malicious()))
    assert (tmp_path / "made-by-a-pickle").exists()  # so the attack was a real one


@pytest.mark.parametrize(
    "content",
    [b"", b"no bzip", bz2.compress(b""), bz2.compress(pickle.dumps([1])),
     bz2.compress(pickle.dumps({"arch2infos": {0: {"200": {"arch_str": "x"}}}})),
     bz2.compress(pickle.dumps({"arch2infos": {}})), bz2.compress(pickle.dumps({"12": {}}))],
)  # fmt: skip
def test_another_file_is_told(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("nats_bench")
    path = tmp_path / "a.pickle.pbz2"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.pickle\.pbz2 "):
        nb201_truth.read_nats(path)
    with pytest.raises(DataError, match="holds no results"):
        (tmp_path / "empty").mkdir()
        nb201_truth.read_nats(tmp_path / "empty")


@pytest.mark.parametrize("content", [b"", b"no pickle", [1], {"arch2infos": {0: {"full": {}}}}])
def test_another_pth_is_told(tmp_path: Path, content) -> None:
    pytest.importorskip("nas_201_api")
    path = tmp_path / "a.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(DataError, match=r"a\.pth "):
        nb201_truth.read_official(path)


@pytest.mark.parametrize("package", ["nats_bench", "nas_201_api"])
def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    readers = {"nats_bench": nb201_truth.read_nats, "nas_201_api": nb201_truth.read_official}
    with pytest.raises(HarnessError, match=r"pip install 'zero-cost-harness\[official\]'"):
        readers[package](tmp_path)
