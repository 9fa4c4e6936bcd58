"""One small file of every kind that is read, and how it is read."""

import bz2
import dataclasses
import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from commands import RESULT, SHARDS, call, write_truth
from PIL import Image
from test_inputs_archives import _binary, _images, _python2_pickle, _tar
from test_pickles import IMAGES, STATE
from test_truth_nb101_official import EXAMPLE, POOLING, _metrics, _row, _write

from harness import truth
from harness.core.checksums import record_checksum
from harness.inputs import image_folder
from harness.inputs.image_sets import read_image_set
from harness.results.finished import Result
from harness.results.folder import read_record
from harness.scoring import table as of_tables
from harness.scoring.shard import score_table
from harness.search.swap_nas.searches import EVALUATIONS
from harness.search.zero_cost_pt.stored_searches import read_searches
from harness.sources import convert, image_archives, nb201_runs
from harness.sources.fetch import fetch
from harness.spaces import nb101_table
from harness.training import checkpoints
from harness.truth import bundled, nb101_truth


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        path: A whole one; it is damaged in place.
        read: Reads it into what can be compared.
        guarded: Whether no damage may change what is read; a text that a person writes has nothing
            that would tell.
    """

    path: Path
    read: Callable[[], Any]
    guarded: bool = True


def kinds(folder: Path, bank: Path | None) -> dict[str, Kind]:
    """Writes the files below a folder; ``bank`` is the folder of the mirror, for a raw file."""
    made = {**_of_a_run(folder / "run"), **_of_searches(folder / "search"), **_images_of(folder)}
    made |= {**_truths(folder), **_tables(folder)}
    state = {"network": {"w": torch.arange(40.0)}, "epoch": 3, "loss": [0.5, 0.25]}
    checkpoints.write(folder / "checkpoints", 3, state)
    (checkpoint,) = (folder / "checkpoints").iterdir()
    made["checkpoint"] = Kind(checkpoint, lambda: checkpoints.read(checkpoint, torch.device("cpu")))
    if bank is not None:
        made |= _raw(folder / "mirror", bank)
    return made


def _of_a_run(folder: Path) -> dict[str, Kind]:
    folder.mkdir(parents=True)
    write_truth(folder, n=6)
    asked = ["n=4", "seed=0..1", "proxies=[params,snip]", "executor=local"]
    assert call(folder, *asked) == 0
    result = folder / RESULT

    def read() -> Any:
        one = Result("nb201", "digits", result)
        return one.scores, one.summary, one.correlations

    def shards() -> Any:
        return score_table(folder / SHARDS).read().sort_values(["seed", "key", "proxy"])

    names = ("scores.parquet", "summary.csv", "correlations.csv")
    found = {name: Kind(result / name, read) for name in names}
    found["run.json"] = Kind(result / "run.json", lambda: (read_record(result), read()), False)
    found["shard"] = Kind(sorted((folder / SHARDS).glob("[!.]*.parquet"))[0], shards)
    of_tables.CACHE_AFTER = 1
    shards()
    found["cache of shards"] = Kind(folder / SHARDS / of_tables.CACHE, shards)
    found["truth.csv"] = Kind(
        folder / "truth.csv",
        lambda: truth.load("nb201", "digits", "csv", folder / "truth.csv"),
        guarded=False,
    )
    return found


def _of_searches(folder: Path) -> dict[str, Kind]:
    from harness.search.swap_nas.searches import SEARCH

    folder.mkdir()
    asked = ["job=zero_cost_pt", "space=nb201", "task=digits", "executor=local"]
    with pytest.MonkeyPatch.context() as patch:
        from test_zero_cost_pt_job import Nb201Supernet, named_supernets, partial

        tiny = partial(Nb201Supernet, widths=(4,), cells=1)
        patch.setitem(named_supernets.SUPERNETS, "nb201", tiny)
        more = ["search.images=4", "search.iterations=2", "search.validations=2"]
        assert call(folder, *asked, *more) == 0
    result = folder / "results/zero_cost_pt/nb201/digits/nwot-clean-random"
    names = ("selected.csv", "steps.parquet", "comparisons.parquet")
    found = {
        name: Kind(result / name, lambda: tuple(vars(read_searches(result)).values()))
        for name in names
    }
    evaluations = of_tables.ShardFolder(folder / "swap", EVALUATIONS, [*SEARCH, "evaluation"])
    row = {field.name: _some(str(field.type)) for field in EVALUATIONS}
    evaluations.write(["a"], pd.DataFrame([row] * 3).assign(evaluation=range(3)))
    (shard,) = (folder / "swap").glob("[!.]*.parquet")
    found["evaluations of a search"] = Kind(shard, evaluations.read)
    return found


def _some(kind: str) -> object:
    """Returns a value of a column's type, as Arrow names it."""
    some = {"list": ["x"], "string": "text", "int": 1, "bool": True, "double": 0.5, "float": 0.5}
    return next(value for name, value in some.items() if name in kind)


def _images_of(folder: Path) -> dict[str, Kind]:
    images = folder / "data" / "images"
    images.mkdir(parents=True)
    os.environ["HARNESS_DATA"] = str(folder / "data")
    pixels, labels = _images(6, seed=0).transpose(0, 2, 3, 1), np.arange(6)
    for name, save in (("cifar10_train", np.savez_compressed), ("cifar10_test", np.savez)):
        save(images / f"{name}.npz", images=pixels, labels=labels)
    rows = _images(4, seed=1)
    binary = _tar(folder / "binary.tar.gz", {"a.bin": _binary(rows, [1] * 4)})
    batch = {"data": rows.reshape(4, -1), "labels": [1] * 4}
    python = _tar(folder / "python.tar.gz", {"a": _python2_pickle(batch)})
    plain = folder / "plain.tar"
    with tarfile.open(plain, "w") as tar:
        (folder / "a.bin").write_bytes(_binary(rows, [1] * 4))
        tar.add(folder / "a.bin", "a.bin")
    batches = folder / "train_data_batch_1"
    small = _images(4, seed=2, side=16)
    batches.write_bytes(pickle.dumps({"data": small.reshape(4, -1), "labels": [1, 2, 3, 4]}))
    (folder / "photos").mkdir()
    Image.fromarray(pixels[0]).save(folder / "photos" / "a.png")
    Image.fromarray(pixels[1]).save(folder / "photos" / "b.jpg")

    def photos() -> Any:
        return image_folder.read_folder(folder / "photos", 32, "")

    def image_set(name: str) -> Callable[[], Any]:
        def read() -> Any:
            content = read_image_set(name)
            return content.images, content.labels

        return read

    return {
        "image set (.npz)": Kind(images / "cifar10_train.npz", image_set("cifar10_train")),
        "image set, not compressed": Kind(images / "cifar10_test.npz", image_set("cifar10_test")),
        # These are only read behind a comparison of checksums; alone, nothing tells.
        "CIFAR, binary": Kind(
            binary, lambda: image_archives.cifar_binary(binary, ["a.bin"], 1), False
        ),
        "CIFAR, Python": Kind(
            python, lambda: image_archives.cifar_python(python, ["a"], "labels"), False
        ),
        "CIFAR, no gzip": Kind(
            plain, lambda: image_archives.cifar_binary(plain, ["a.bin"], 1), False
        ),
        "ImageNet16 batch": Kind(batches, lambda: image_archives.imagenet16_120([batches]), False),
        "PNG": Kind(folder / "photos" / "a.png", photos, False),
        "JPEG": Kind(folder / "photos" / "b.jpg", photos, False),
    }


def _truths(folder: Path) -> dict[str, Kind]:
    rows = [_row(*POOLING, _metrics(0.5, 0.25)), _row(*EXAMPLE, _metrics(0.9, 0.9))]
    records = _write(folder / "nasbench.tfrecord", rows)
    nats = folder / "000000.pickle.pbz2"
    nats.write_bytes(bz2.compress(pickle.dumps(STATE)))
    old = folder / "official.pth"
    torch.save({"arch2infos": STATE, "meta": IMAGES["labels"]}, old)

    def of_pth() -> Any:
        return nb201_runs._load_official(old)

    return {
        "nasbench.tfrecord": Kind(records, lambda: nb101_truth.read_official(records, "test")),
        "NATS-Bench (.pbz2)": Kind(nats, lambda: nb201_runs._load_nats(nats)),
        "NAS-Bench-201 (.pth)": Kind(old, of_pth, False),
    }


def _tables(folder: Path) -> dict[str, Kind]:
    (folder / "embedded").mkdir()
    name = "nb301_cifar10_suite_zero"
    copied = folder / "embedded" / f"{name}.parquet"
    copied.write_bytes(bundled.path(name).read_bytes())
    record_checksum(copied)
    bundled.FOLDER = folder / "embedded"
    cells = folder / "embedded" / "nb101_cells.parquet"
    cells.write_bytes(nb101_table.FILE.read_bytes())
    record_checksum(cells)

    def of_cells() -> Any:
        nb101_table.codes.cache_clear()
        nb101_table.FILE = cells
        return nb101_table.codes()

    source = folder / "raw.csv"
    source.write_text("a")

    def conversion() -> Any:
        return convert.converted_copy("some", source, _converted)

    conversion()
    (kept,) = (folder / "data" / "cache" / "tables").iterdir()
    return {
        "bundled table": Kind(copied, lambda: bundled.read(name)),
        "cells of NAS-Bench-101": Kind(cells, of_cells),
        "converted table": Kind(kept, conversion),
    }


def _converted(_: Path) -> pd.DataFrame:
    return pd.DataFrame({"key": ["a", "b"], "value": [1.5, 2.5]})


def _raw(folder: Path, bank: Path) -> dict[str, Kind]:
    from harness.sources.catalogue import source

    place = source("nbsz_nb301_later").place
    copied = folder / place
    copied.parent.mkdir(parents=True)
    copied.write_bytes((bank / place).read_bytes())

    def read() -> Any:
        os.environ["HARNESS_MIRROR"] = str(folder)
        return fetch("nbsz_nb301_later").read_bytes()

    return {"raw file of the catalogue": Kind(copied, read)}


def equal(one: Any, other: Any) -> bool:
    """Compares what two readings gave, to the last bit."""
    if isinstance(one, pd.DataFrame):
        return isinstance(other, pd.DataFrame) and one.equals(other) and one.attrs == other.attrs
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and np.array_equal(one, other)
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and equal(list(one.values()), list(other.values()))
    return repr(one) == repr(other)
