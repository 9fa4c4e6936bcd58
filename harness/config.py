"""The configuration of a run: what ``conf/`` may say, and of which type each value is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from omegaconf import Container, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException

from harness.errors import HarnessError, unknown
from harness.executors import ExecutorSettings
from harness.inputs import InputSettings
from harness.passes import (
    GradSignSettings,
    LinearRegionSettings,
    MecoSettings,
    NtkSettings,
    SwapSettings,
    ZenSettings,
)
from harness.search.operation_scores import OperationScoreSettings
from harness.search.settings import SearchSettings
from harness.stats.ranks import Policy
from harness.training.final import FinalRecipe
from harness.training.recipe import Recipe
from harness.training.supernet import SupernetRecipe


@dataclass(frozen=True)
class TruthSettings:
    """Which ground truth: a variant of the space and task, and the file of ``variant=csv``."""

    variant: str = "default"
    path: str | None = None


@dataclass(frozen=True)
class RegulariserChoice:
    """reg_swap's μ, σ and unit as the user gives them; null: the space's own."""

    mu: Any = None
    sigma: Any = None
    unit: float | None = None


@dataclass(frozen=True)
class Config:
    """One run; every field is a key on the command line.

    Attributes:
        job: What to do: ``correlate`` (the main job), ``train_truth``, ``make_bank``.
        space: Search space.
        task: Task of the space.
        proxies: A named set of ``proxy_sets``, a proxy, ``all``, or a list of these.
        proxy_sets: Named sets of proxies.
        seed: Seeds: ``3``, ``0..4`` (inclusive) or ``[0,2]``.
        n: Architectures per seed, drawn uniformly from those with ground truth.
        replace: Draw with replacement.
        one_per_class: Draw one architecture per isomorphism class.
        batch_size: Images of the minibatch that the labelled proxies share.
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        channels_last: Memory layout of images: changes speed and rounding only.
        undefined: What an undefined score ranks as: ``worst`` or ``drop``.
        retry: Score again what ended in an error or out of memory in earlier runs.
        results: Folder of the results.
        inputs: Which images.
        truth: Which ground truth.
        executor: Where the work runs.
        swap: How SWAP runs a network.
        regulariser: μ, σ and unit of reg_swap; null takes the space's own, mu=auto the largest
            size among 1000 sampled networks.
        zen: Repeats and perturbation of Zen-Score.
        ntk: Images and initialisation of the tangent kernel.
        linear_regions: Crops of the linear-region count.
        meco: Image and channels of MeCo.
        gradsign: Reduction of GradSign.
        search: How ``swap_nas`` and ``zero_cost_pt`` search.
        operation_scores: Which methods ``operation_scores`` compares.
        supernet: Recipe of its methods that train a supernet.
        train: Architecture and recipe of ``train``.
        paper: What ``job=paper`` draws: ``all``, ``figures``, ``tables``, or names of these.
        training: Recipe of ``train_truth``.
        training_seeds: Training runs per architecture of ``train_truth``.
    """

    job: str = "correlate"
    space: str = "nb201"
    task: str = "cifar10"
    proxies: Any = "default"
    proxy_sets: dict[str, list[str]] = field(default_factory=dict)
    seed: Any = 0
    n: int = 1000
    replace: bool = False
    one_per_class: bool = False
    batch_size: int = 64
    device: str = "cpu"
    channels_last: bool = True
    undefined: str = "worst"
    retry: bool = False
    results: str = "results"
    inputs: InputSettings = field(default_factory=InputSettings)
    truth: TruthSettings = field(default_factory=TruthSettings)
    executor: ExecutorSettings = field(default_factory=ExecutorSettings)
    swap: SwapSettings = field(default_factory=SwapSettings)
    regulariser: RegulariserChoice = field(default_factory=RegulariserChoice)
    zen: ZenSettings = field(default_factory=ZenSettings)
    ntk: NtkSettings = field(default_factory=NtkSettings)
    linear_regions: LinearRegionSettings = field(default_factory=LinearRegionSettings)
    meco: MecoSettings = field(default_factory=MecoSettings)
    gradsign: GradSignSettings = field(default_factory=GradSignSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    operation_scores: OperationScoreSettings = field(default_factory=OperationScoreSettings)
    supernet: SupernetRecipe = field(default_factory=SupernetRecipe)
    train: FinalRecipe = field(default_factory=FinalRecipe)
    paper: Any = "all"
    training: Recipe = field(default_factory=Recipe)
    training_seeds: Any = "0..2"

    @property
    def policy(self) -> Policy:
        """``undefined`` as the statistics take it; OmegaConf knows no literal types."""
        return cast(Policy, self.undefined)

    @property
    def seeds(self) -> list[int]:
        """The seeds as a list."""
        return parse_seeds(self.seed)


def from_mapping(values: Mapping[Any, Any] | Container) -> Config:
    """Checks a composed configuration and returns it as a record.

    Raises:
        HarnessError: If a key is unknown, a value has the wrong type or makes no sense.
    """
    schema = OmegaConf.structured(Config)
    _unlock(schema)
    try:
        config = OmegaConf.to_object(OmegaConf.merge(schema, values))
    except ConfigKeyError as error:
        raise unknown("configuration key", error.full_key, known_keys()) from error
    except OmegaConfBaseException as error:
        name = f" {error.full_key!r}" if error.full_key else ""
        raise HarnessError(
            f"The configuration value{name} is wrong: {str(error).splitlines()[0]}."
        ) from error
    assert isinstance(config, Config)
    if config.n < 1:
        raise HarnessError(f"n={config.n} architectures cannot be drawn; n must be at least 1.")
    if config.batch_size < 2:
        raise HarnessError(f"batch_size={config.batch_size} is too small; take at least 2 images.")
    if config.undefined not in ("worst", "drop"):
        raise HarnessError(f"undefined={config.undefined!r} must be 'worst' or 'drop'.")
    if not config.results:
        raise HarnessError("results= names no folder; write results=FOLDER.")
    parse_seeds(config.seed)
    parse_seeds(config.training_seeds, "training_seeds")
    return config


def known_keys() -> list[str]:
    """Returns every key that a run can set, those of sections with a dot: ``swap.images``."""
    return list(_keys(OmegaConf.structured(Config)))


def parse_seeds(text: object, key: str = "seed") -> list[int]:
    """Returns the seeds that ``3``, ``"0..4"`` (inclusive) or ``[0, 2]`` name, without repeats.

    Args:
        text: What the user wrote.
        key: Name of the configuration key, for the error.

    Raises:
        HarnessError: If the text names no seeds.
    """
    if isinstance(text, (list, tuple)):
        seeds = [seed for part in text for seed in parse_seeds(part, key)]
    elif match := re.fullmatch(r"(\d{1,18})\.\.(\d{1,18})", str(text)):  # fit 64 bits
        seeds = list(range(int(match[1]), int(match[2]) + 1))
    elif re.fullmatch(r"\d{1,18}", str(text)):
        seeds = [int(str(text))]
    else:
        seeds = []
    if not seeds:
        raise HarnessError(
            f"{key}={text} names no seeds; write {key}=3, {key}=0..4 (inclusive) or {key}=[0,2]."
        )
    return list(dict.fromkeys(seeds))


def _unlock(node: Any) -> None:
    """Lifts the read-only flag that OmegaConf derives from frozen dataclasses."""
    OmegaConf.set_readonly(node, False)
    for key in node:
        child = node._get_node(key)
        if OmegaConf.is_dict(child):
            _unlock(child)


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    for key in node:
        yield f"{prefix}{key}"
        child = node._get_node(key)
        if OmegaConf.is_dict(child):
            yield from _keys(child, f"{prefix}{key}.")
