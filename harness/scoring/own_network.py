"""Builds a network of the user's own, which no space knows."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from harness.core import seeds
from harness.core.errors import HarnessError


def build_own(model: str, seed: int) -> nn.Module:
    """Builds the network that ``FILE.py:FUNCTION`` names, with the weights of a seed.

    The function takes nothing and returns an ``nn.Module``; torch's global generator is seeded.

    Args:
        model: ``my.py:build``, or ``package.module:build`` of what can be imported.
        seed: Which initial weights.

    Raises:
        HarnessError: If there is no such function, or it fails.
    """
    build = _function(model)
    try:
        with seeds.torch_stream("weights", seed, model):
            network = build()
    except Exception as error:  # whatever the user's code raises
        raise _failed(model, error) from error
    if not isinstance(network, nn.Module):
        raise HarnessError(
            f"model={model} returns {type(network).__name__}; it must return an nn.Module."
        )
    return network


def _function(model: str) -> Callable[[], Any]:
    place, _, name = model.rpartition(":")
    if not place:
        raise HarnessError(f"model={model} names no function; write model=FILE.py:FUNCTION.")
    try:
        load = _from_file if place.endswith(".py") else importlib.import_module
        found = getattr(load(place), name)
    except Exception as error:
        raise _failed(model, error) from error
    if not callable(found):
        raise HarnessError(f"model={model} is no function; it must return an nn.Module.")
    built: Callable[[], Any] = found
    return built


def _from_file(name: str) -> ModuleType:
    path = Path(name)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    sys.path.insert(0, str(path.resolve().parent))  # what lies beside it can be imported
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _failed(model: str, error: Exception) -> HarnessError:
    return HarnessError(f"model={model} cannot be built ({type(error).__name__}: {error}).")
