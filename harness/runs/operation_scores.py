"""Measures operation scores in supernets, one shard per method and seed, and keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from harness import seeds
from harness.config import Config
from harness.errors import HarnessError
from harness.files import make_writable
from harness.inputs import InputSettings, bank_of, load_batch, read_bank
from harness.runs.protocol import SCORES_VERSION, check_device, described, digest
from harness.runs.work import run_shards
from harness.search import SearchSettings, trained_scores
from harness.search.operation_scores import TRAINED, UNTRAINED
from harness.search.perturbation import KERNEL_PROXY, discretised_scores, masked_scores
from harness.search.supernets import Edge, Supernet, supernet
from harness.store import ShardFolder
from harness.tasks import tasks
from harness.training.recipe import LabelledImages
from harness.training.supernet import Halves, SupernetRecipe, train_supernet
from harness.types import Batch

SCHEMA = pa.schema(
    [
        ("method", pa.string()),
        ("setting", pa.string()),
        ("seed", pa.int64()),
        ("edge", pa.int64()),
        ("operation", pa.string()),
        ("value", pa.float64()),
        ("protocol", pa.string()),
    ]
)
IDENTITY = ["method", "setting", "seed", "edge", "operation", "protocol"]
IMAGES = 256  # per batch on NAS-Bench-201, appendix A.5.1


@dataclass(frozen=True)
class Protocol:
    """Everything that decides an operation score besides the method and the seed.

    Attributes:
        space: Search space with a supernet.
        task: Task.
        inputs: Which images.
        search: ``proxy``, ``counting`` and ``images`` of the untrained methods.
        recipe: How the supernet of the trained methods is trained.
        device: Where it runs.
    """

    space: str
    task: str
    inputs: InputSettings
    search: SearchSettings
    recipe: SupernetRecipe
    device: str

    @property
    def images(self) -> int:
        """Images per batch of the untrained methods."""
        return self.search.images or IMAGES

    def setting(self, method: str) -> str:
        """Names what a user chooses about a method: ``nwot, faithful``, or the course."""
        if method in UNTRAINED:
            counted = self.search.proxy == KERNEL_PROXY
            return f"{self.search.proxy}, {self.search.counting}" if counted else self.search.proxy
        return f"{self.recipe.epochs} epochs, {self.recipe.images or 'all'} images"

    def fingerprint(self, method: str) -> str:
        """Names the rest, so that scores of other images or recipes are not mixed in."""
        values = {
            "space": self.space,
            "task": self.task,
            "inputs": described(self.task, self.inputs),
            "chosen": self.images if method in UNTRAINED else asdict(self.recipe),
            "version": SCORES_VERSION,
        }
        return digest(values)


@dataclass(frozen=True)
class MethodShard:
    """One seed of the methods that share a supernet."""

    protocol: Protocol
    methods: tuple[str, ...]
    seed: int
    folder: Path


def measure(config: Config, folder: Path) -> tuple[Protocol, pd.DataFrame]:
    """Measures what the configuration asks for and returns all that is stored for its images.

    Returns:
        The protocol, and ``method``, ``setting``, ``seed``, ``edge``, ``operation``, ``value``
        (higher is better): every seed, and both countings if both were measured.
    """
    check_device(config.device)
    protocol = Protocol(
        config.space, config.task, config.inputs, config.search, config.supernet, config.device
    )
    store = ShardFolder(folder / "shards", SCHEMA, IDENTITY)
    wanted = [m for m in config.operation_scores.methods if m in UNTRAINED + TRAINED]
    shards = _missing(protocol, wanted, config.seeds, store)
    if shards:
        make_writable(store.folder)
    run_shards(
        measure_shard,
        shards,
        config.executor,
        title=f"operation scores of {config.space}",
        done=len(wanted) * len(config.seeds) - sum(len(shard.methods) for shard in shards),
        total=len(wanted) * len(config.seeds),
    )
    rows = store.read()
    prints = {method: protocol.fingerprint(method) for method in set(rows["method"])}
    return protocol, rows[rows["protocol"] == rows["method"].map(prints)]


def _missing(
    protocol: Protocol, methods: list[str], wanted: list[int], store: ShardFolder
) -> list[MethodShard]:
    """Returns the shards that are not stored; trained methods of a seed share one training."""
    rows = store.read()
    known = set(zip(rows["method"], rows["setting"], rows["seed"], rows["protocol"], strict=True))
    shards = []
    for seed in wanted:
        lacking = [
            m
            for m in methods
            if (m, protocol.setting(m), seed, protocol.fingerprint(m)) not in known
        ]
        trained = tuple(m for m in lacking if m in TRAINED)
        groups = [(m,) for m in lacking if m in UNTRAINED] + ([trained] if trained else [])
        shards += [MethodShard(protocol, group, seed, store.folder) for group in groups]
    return shards


def measure_shard(shard: MethodShard) -> int:
    """Scores every operation of one supernet and stores the rows; returns how many methods."""
    protocol = shard.protocol
    net = supernet(protocol.space, protocol.task, shard.seed).to(protocol.device)
    if shard.methods[0] in TRAINED:
        scorers = _trained(protocol, net, shard.seed)
    else:
        scorers = _untrained(protocol, net, shard.seed)
    rows = [
        (method, protocol.setting(method), shard.seed, edge[1], name, value, print_)
        for method in shard.methods
        for print_ in [protocol.fingerprint(method)]
        for edge in net.edges()
        for name, value in zip(net.names(edge), scorers[method](edge), strict=True)
    ]
    work = (shard.seed, *sorted({(row[0], row[1], row[-1]) for row in rows}))
    store = ShardFolder(shard.folder, SCHEMA, IDENTITY)
    store.write(work, pd.DataFrame(rows, columns=SCHEMA.names))
    return len(shard.methods)


Scorers = Mapping[str, Callable[[Edge], list[float]]]


def _untrained(protocol: Protocol, net: Supernet, seed: int) -> Scorers:
    """Returns zc-pt and disc-zc at iteration 0: no edge is decided, each has its own batch."""
    task = tasks.get(protocol.task)

    def batch(edge: Edge) -> Batch:
        drawn = seeds.stream("operation scores", seed, *edge)
        return load_batch(task, protocol.inputs, drawn, protocol.images).to(protocol.device)

    return {
        "zc_pt": lambda edge: [
            -s for s in masked_scores(net, {}, edge, batch(edge), protocol.search)
        ],
        "disc_zc": lambda edge: discretised_scores(net, {}, edge, batch(edge), protocol.search),
    }


def _trained(protocol: Protocol, net: Supernet, seed: int) -> Scorers:
    """Trains the supernet, then returns darts, darts-pt and disc-acc."""
    data, recipe = _halves(protocol, seed), protocol.recipe
    with seeds.torch_stream("supernet training", seed, device=protocol.device):
        train_supernet(net, trained_scores.alpha_leaves(net), data, recipe, seed)
    return {
        "darts": lambda edge: trained_scores.darts(net, edge),
        "darts_pt": lambda edge: trained_scores.darts_pt(net, {}, edge, data, recipe),
        "disc_acc": lambda edge: trained_scores.disc_acc(net, {}, edge, data, recipe, seed=seed),
    }


def _halves(protocol: Protocol, seed: int) -> Halves:
    """Returns both halves of the training images; a batch and its second are just that."""
    task = tasks.get(protocol.task)
    bank = bank_of(task, protocol.inputs)
    if bank is None or described(protocol.task, protocol.inputs)["labels"] != "true":
        raise HarnessError(
            f"A supernet cannot be trained on {protocol.inputs.source}: the labels would be "
            "random; choose inputs with labels of this task."
        )
    available = len(read_bank(bank.name).images)
    half = min(protocol.recipe.images or available, available) // 2
    batch = load_batch(task, protocol.inputs, seed, half)
    assert batch.second is not None
    first, second = _labelled(batch), _labelled(batch.second)
    return Halves(first.to(protocol.device), second.to(protocol.device))


def _labelled(batch: Batch) -> LabelledImages:
    assert batch.labels is not None
    return LabelledImages(batch.images, batch.labels)
