"""Images by themselves: fetched and made on first use, never needed by what looks at none."""

import csv
import hashlib
import http.server
import io
import json
import math
import pickle
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from commands import call, write_truth

from harness.core.errors import DataError
from harness.core.sections import Settings
from harness.core.types import Batch
from harness.inputs.batch import blank_batch, load_batch
from harness.inputs.description import amount_in_words, describe_amount, inputs_in_words
from harness.inputs.image_sets import image_sets, read_image_set
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.passes.run import Run
from harness.passes.settings import RegulariserSettings
from harness.proxies.contract import proxies
from harness.scoring import engine
from harness.scoring.conditions import Conditions, without_images
from harness.sources.catalogue import Source, sources
from harness.spaces.space import spaces

PER_BATCH = 8
CIFAR10 = tasks.get("cifar10")
RUN = ["task=cifar10", "truth=csv", "truth.path=truth.csv", "n=3", "batch_size=8"]
RUN += ["swap.images=8", "executor=local"]
RESULT = Path("results/main/nb201/cifar10")


def archive() -> bytes:
    """CIFAR-10's binary version with eight images in each of its six files."""
    random = np.random.default_rng(0)
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name in names:
            records = random.integers(256, size=(PER_BATCH, 3073), dtype=np.uint8)
            records[:, 0] %= 10
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            member.size = records.size
            tar.addfile(member, io.BytesIO(records.tobytes()))
    return stream.getvalue()


class Server(http.server.ThreadingHTTPServer):
    """Serves one archive and counts who asks for it."""

    content = archive()
    requests: int


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.requests += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(Server.content)))
        self.end_headers()
        self.wfile.write(Server.content)

    def log_message(self, *_: object) -> None:
        """Keeps the tests' output clean."""


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a truth table, an empty data folder and no mirror."""
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    write_truth(tmp_path)
    return tmp_path


@pytest.fixture
def server(empty: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Where CIFAR-10's archive has its address."""
    with Server(("127.0.0.1", 0), Handler) as running:
        running.requests = 0
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        entry = Source(
            "cifar10_binary",
            "not stated",
            "Images.",
            address=f"http://127.0.0.1:{running.server_port}/cifar.tar.gz",
            bytes=len(Server.content),
            sha256=hashlib.sha256(Server.content).hexdigest(),
        )
        sources.names()
        monkeypatch.setitem(sources._items, "cifar10_binary", entry)
        yield running
        running.shutdown()


@pytest.fixture
def offline(empty: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder where any attempt to download fails."""

    def refused(address: str, *_: object) -> None:
        raise OSError(f"{address} is out of reach")

    monkeypatch.setattr("harness.sources.download.download", refused)
    return empty


def test_a_missing_set_is_fetched_and_made_once(
    server: Server, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = load_batch(CIFAR10, InputSettings(order="first"), 0, 4)
    assert batch.labels is not None
    with tarfile.open(fileobj=io.BytesIO(Server.content)) as tar:
        content = tar.extractfile("cifar-10-batches-bin/data_batch_1.bin").read()
    first = np.frombuffer(content, np.uint8).reshape(PER_BATCH, 3073)
    assert batch.labels.tolist() == first[:4, 0].tolist()
    assert "Downloading cifar.tar.gz" in capsys.readouterr().err
    assert len(read_image_set("cifar10_train").images) == 5 * PER_BATCH
    assert len(read_image_set("cifar10_test").images) == PER_BATCH  # from the same archive
    assert server.requests == 1


def test_a_refused_download_says_how_else(server: Server, empty: Path) -> None:
    refusing = InputSettings(download=False)
    with pytest.raises(DataError, match=r"inputs\.download=false .* `inputs=photographs`") as error:
        load_batch(CIFAR10, refusing, 0, 4)
    assert server.requests == 0
    for there in ("svhn_train_unlabelled", "cifar100_train", "digits"):  # not here, or not of 32×32
        assert there not in str(error.value)
    read_image_set("cifar10_train")
    load_batch(CIFAR10, refusing, 0, 4)  # what is here need not be downloaded


def test_a_failed_download_names_what_can_be_had(offline: Path) -> None:
    (offline / "data/images").mkdir(parents=True)
    svhn = np.zeros((4, 32, 32, 3), np.uint8)
    np.savez(offline / "data/images/svhn_train_unlabelled.npz", images=svhn)
    with pytest.raises(DataError) as caught:
        read_image_set("cifar10_train")
    told = "`inputs=photographs`, `inputs=svhn_train_unlabelled`, `inputs=gaussian`."
    assert str(caught.value).endswith(told)
    assert "is out of reach" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_downloading_is_no_condition_of_a_score(server: Server) -> None:
    prints = {
        Conditions(
            "nb201", "cifar10", InputSettings(download=one), 8, "cpu", True, Settings()
        ).fingerprint("swap")
        for one in (True, False)
    }
    assert len(prints) == 1


@pytest.mark.parametrize("name", sorted(proxies))
def test_a_proxy_that_needs_no_image_looks_at_none(name: str) -> None:
    """Other images and labels of the same shape, or black ones, give the same value to the bit."""
    space, task = ("pit", "vit_cifar100") if name in OF_TRANSFORMERS else ("nb201", "digits")
    space, spec = spaces.get(space), tasks.get(task)
    key = space.sample(1, seed=1)[0]
    random = torch.Generator().manual_seed(0)

    def noise(shift: float) -> Batch:
        images = torch.randn(8, *spec.input_shape, generator=random) + shift
        return Batch(images, torch.randint(10, (8,), generator=random))

    settings = Settings(RegulariserSettings(1.0, 1.0))
    batches = [noise(0.0), noise(0.5)]
    if not proxies.get(name).images:
        batches.append(blank_batch(spec, InputSettings(), 8))
    values = []
    for one in batches:
        network = space.build(key, task, 0)
        batch = Batch(one.images, one.labels, second=noise(1.0))
        run = Run(network, batch, (0, key), redraw=lambda _: space.build(key, task, 1))
        values.append(engine.score(run, [name], settings)[name].value)
    assert not math.isnan(values[0])
    if proxies.get(name).images and name not in COARSE:
        assert values[0] != values[1]
    elif not proxies.get(name).images:
        assert len(set(values)) == 1


OF_TRANSFORMERS = {"dss"}
# Counts that two small batches may well share.
COARSE = {"swap", "swap_signum", "reg_swap", "activation_patterns", "linear_regions"}


def record(folder: Path) -> dict:
    return json.loads((folder / RESULT / "run.json").read_text())


def test_what_looks_at_no_image_runs_without_any_and_adds_up(
    offline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blind = "proxies=[params,flops,l2_norm,synflow,zen]"
    assert call(offline, *RUN, blind) == 0
    said = record(offline)
    assert said["inputs"]["sha256"] is None
    assert "n" not in said["inputs"]
    assert inputs_in_words(said["inputs"]) == "Images: none, no proxy looks at one."
    without = pd.read_parquet(offline / RESULT / "scores.parquet")
    assert set(without.status) == {"ok"}
    assert call(offline, *RUN, "proxies=[params,swap]") == 1  # one that looks needs the set
    assert "is out of reach" in capsys.readouterr().err
    assert not (offline / "data/images").exists()
    assert record(offline) == said

    (offline / "data/images").mkdir(parents=True)
    images = np.random.default_rng(0).integers(256, size=(40, 32, 32, 3), dtype=np.uint8)
    file = offline / "data/images/cifar10_train.npz"
    np.savez(file, images=images, labels=np.arange(40) % 10)
    assert call(offline, *RUN, "proxies=[params,zen,swap]") == 0
    said = record(offline)
    assert said["inputs"]["sha256"] == said["conditions"]["inputs"]["sha256"] is not None
    assert (said["inputs"]["n"], said["inputs"]["of"]) == (40, 50_000)
    rows = pd.read_parquet(offline / RESULT / "scores.parquet")
    both = without.merge(rows, on=["key", "seed", "proxy"], suffixes=("_without", ""))
    assert len(both) == len(without)
    assert (both.value_without == both.value).all()

    file.unlink()
    assert call(offline, *RUN, "proxies=[params]", "seed=0..1") == 0
    after = record(offline)
    assert after["inputs"] == said["inputs"]  # what swap looked at is still so
    assert after["conditions"]["inputs"] == said["conditions"]["inputs"]
    kept = pd.read_parquet(offline / RESULT / "scores.parquet")
    assert set(kept.proxy) == {"params", "flops", "l2_norm", "synflow", "zen", "swap"}


def test_images_at_hand_stay_in_the_fingerprint(server: Server) -> None:
    asked = Conditions("nb201", "cifar10", InputSettings(), 8, "cpu", True, Settings())
    assert without_images(asked, ("params", "zen")).blank
    assert not without_images(asked, ("params", "swap")).blank
    read_image_set("cifar10_train")
    assert without_images(asked, ("params", "zen")) == asked


def test_a_single_network_needs_no_images_either(
    offline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (offline / "my.py").write_text(
        "from torch import nn\n\ndef build():\n"
        "    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))\n"
    )
    asked = ["job=score", "task=cifar10", "proxies=[params,synflow]", "executor=local"]
    for network in ("architecture=0", "model=my.py:build"):
        assert call(offline, *asked, network, "format=csv") == 0
        rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert [row["proxy"] for row in rows] == ["params", "synflow"]


def rows_of_data(capsys: pytest.CaptureFixture[str], folder: Path) -> dict[str, dict[str, str]]:
    assert call(folder, "job=data", "format=csv") == 0
    return {row["name"]: row for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}


def test_the_data_job_lists_every_outside_file(
    offline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = rows_of_data(capsys, offline)
    own = {one.name for one in image_sets.values() if one.load is None}
    assert set(listed) == own | set(sources)
    assert all(row["licence"] and row["how"] and row["size"] for row in listed.values())
    assert listed["cifar10_train"]["size"] == listed["cifar10_binary"]["size"] == "170 MB"
    assert listed["nb101_only108"]["available"] == "download"
    assert listed["imagenet16_120_train"]["available"] == "by hand"
    assert listed["taskonomy"]["available"] == "by hand"
    place = offline / "data/cache/imagenet16/train_data_batch_1"
    assert str(place) in listed["imagenet16_train_1"]["how"]
    place.parent.mkdir(parents=True)
    place.touch()
    assert rows_of_data(capsys, offline)["imagenet16_train_1"]["available"] == "at hand"
    assert call(offline, "job=data") == 0
    assert "image sets" in capsys.readouterr().out


def test_the_data_job_gets_a_set_a_data_set_or_a_file(
    server: Server, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(empty, "job=data", "fetch=cifar10") == 0
    out = capsys.readouterr().out.split()
    assert out == [str(empty / f"data/images/cifar10_{part}.npz") for part in ("test", "train")]
    assert call(empty, "job=data", "fetch=cifar10_binary") == 0
    assert server.requests == 1
    assert capsys.readouterr().out.strip().endswith("cifar.tar.gz")
    listed = rows_of_data(capsys, empty)
    assert {listed[name]["available"] for name in ("cifar10_train", "cifar10_binary")} == {
        "at hand"
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cifar10_trian", "Unknown outside file 'cifar10_trian'. Did you mean 'cifar10_train'?"),
        ("digits_train", "'digits_train' is bundled"),
        ("imagenet_sample_16", "place it at"),
        ("imagenet16_120", "get these 10 files from https://image-net.org"),
        ("taskonomy", "holds no images"),
        ("nats_tss", "No checksum of nats_tss is published"),
    ],
)
def test_the_data_job_says_why_it_cannot(
    offline: Path, capsys: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    assert call(offline, "job=data", f"fetch={name}") == 1
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1


def test_files_placed_by_hand_become_a_set_by_themselves(
    offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = offline / "data/cache/imagenet16"
    folder.mkdir(parents=True)
    for i, name in enumerate(image_sets.get("imagenet16_120_train").sources, 1):
        content = pickle.dumps({"data": np.full((2, 768), i, np.uint8), "labels": [i, 500]})
        (folder / f"train_data_batch_{i}").write_bytes(content)
        md5 = hashlib.md5(content).hexdigest()
        known = Source(name, "l", "m.", page="p", path=sources.get(name).path, md5=md5)
        monkeypatch.setitem(sources._items, name, known)
    (folder / "train_data_batch_10").rename(folder / "away")
    with pytest.raises(DataError, match=r"get it from p .*train_data_batch_10 \(size not") as error:
        read_image_set("imagenet16_120_train")
    assert "train_data_batch_9" not in str(error.value)
    (folder / "away").rename(folder / "train_data_batch_10")
    assert read_image_set("imagenet16_120_train").images[:, 0, 0, 0].tolist() == [*range(1, 11)]


def test_amounts_in_words() -> None:
    assert amount_in_words(10_000, 50_000, "training") == "10,000 of 50,000 training images"
    assert amount_in_words(50_000, 50_000, "training") == "all 50,000 training images"
    assert amount_in_words(1000, None, "") == "1,000 images"
    said = {"source": "cifar10_train", "stand_in": False, "sha256": "ab"}
    assert inputs_in_words(said) == "Images: cifar10_train."  # of an older record
    said |= {"n": 2000, "of": 10_000, "split": "test", "stand_in": True}
    assert (
        inputs_in_words(said) == "Images: cifar10_train, 2,000 of 10,000 test images, a stand-in."
    )
    noise = {"source": "gaussian", "stand_in": True, "sha256": None}
    assert inputs_in_words(noise) == "Images: gaussian, a stand-in."
    assert describe_amount(CIFAR10, InputSettings("gaussian")) == {}


def test_a_training_on_a_part_has_to_be_asked_for(
    server: Server, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["job=train", "space=nb201", "task=cifar10", "executor=local"]
    key = spaces.get("nb201").sample(1, seed=0)[0]
    small = ["epochs=1", "batch_size=8", "auxiliary=0", "drop_path=0", "cutout=0"]
    asked += [f"architecture='{key}'", *(f"train_architecture.{one}" for one in small)]
    assert call(empty, *asked) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "Only 40 of 50,000 training images of cifar10 and " in told
    assert "of 10,000 test images of cifar10 are here" in told
    assert not (empty / "results").exists()
    assert call(empty, *asked, "incomplete=true") == 0
    (path,) = empty.glob("results/train/nb201/cifar10/*/run.json")
    said = json.loads(path.read_text())["inputs"]
    assert (said["n"], said["of"], said["split"]) == (40, 50_000, "training")
