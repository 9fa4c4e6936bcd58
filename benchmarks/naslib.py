"""NASLib's networks and proxies, run from a checkout of the user's; none of its code is here.

NASLIB_PATH names a checkout of automl/NASLib at the branch ``zerocost``, NAS-Bench-Suite-Zero's. It
needs networkx, and tensorwatch for flops and params: without that, NASLib goes without these two.
Other packages that it imports but does not use to score (data sets, plots, tables) are replaced by
empty modules where they are missing.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.adapters.naslib_graphs import naslib_graph
from harness.core.types import Batch

REPLACED = (
    *("ConfigSpace", "archai", "fvcore", "pytorch_msssim", "skimage", "tensorwatch", "termcolor"),
    *("torchvision", "tqdm", "transforms3d", "xgboost"),
)


class _Anything(type):
    """A class with every attribute that one asks for."""

    def __getattr__(cls, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing


class _Nothing(metaclass=_Anything):
    """What a stand-in's names mean: a class to inherit from, or a function, that does nothing."""

    def __init__(self, *_: object, **__: object) -> None:
        pass


class _Empty(ModuleType):
    """A module with every name that one asks for."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing


class _StandIns(MetaPathFinder, Loader):
    """Comes last, where no finder knows a module."""

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        replaced = fullname.partition(".")[0] in REPLACED
        return ModuleSpec(fullname, self, is_package=True) if replaced else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


def checkout() -> Path:
    """Returns where NASLib lies.

    Raises:
        SystemExit: If NASLIB_PATH names no checkout.
    """
    root = Path(os.environ.get("NASLIB_PATH", ""))
    if not (root / "naslib/predictors/zerocost.py").exists():
        raise SystemExit("NASLIB_PATH must name a checkout of automl/NASLib, branch zerocost.")
    return root


@cache
def load() -> bool:
    """Imports NASLib; returns whether it has tensorwatch."""
    sys.path.insert(0, str(checkout()))
    sys.meta_path.append(_StandIns())
    counts = _load_tensorwatch()
    conversions = importlib.import_module("naslib.search_spaces.nasbench101.conversions")
    # NASLib takes the network from archai, and has a copy of that file itself.
    conversions.model_builder = importlib.import_module(  # type: ignore[attr-defined]
        "naslib.search_spaces.nasbench101.model_builder"
    )
    return counts


def _load_tensorwatch() -> bool:
    """Loads the counter alone: the package as a whole needs a notebook server."""
    found = PathFinder.find_spec("tensorwatch")
    if found is None:
        return False
    package = ModuleType("tensorwatch")
    package.__path__ = list(found.submodule_search_locations or [])
    sys.modules["tensorwatch"] = package
    counter = importlib.import_module("tensorwatch.model_graph.torchstat_utils")
    package.ModelStats = counter.ModelStats  # type: ignore[attr-defined]
    return True


def network(space: str, task: str, key: str) -> Any:
    """Builds NASLib's graph; an architecture always has the same weights."""
    load()
    return naslib_graph(space, task, key)


def scores(graph: Any, batch: Batch, proxies: Sequence[str]) -> dict[str, float]:
    """Scores a graph with NASLib's own code, one proxy at a time, as its runner does."""
    predictors = importlib.import_module("naslib.predictors.zerocost")
    counts = load()
    return {
        name: float(predictors.ZeroCost(name).query(graph, [(batch.images, batch.labels)]))
        for name in proxies
        if counts or name not in ("flops", "params")
    }
