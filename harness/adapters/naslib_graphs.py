"""NASLib's graphs: what they are here, and how they are built where NASLib is found."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from harness.adapters.loaders import loss_name
from harness.adapters.naslib_names import naslib_space, naslib_task, space_of, to_key, to_naslib
from harness.core import seeds
from harness.core.errors import HarnessError
from harness.core.typed import checked
from harness.spaces.space import spaces


class NaslibArchitecture(NamedTuple):
    """What a graph of NASLib is here.

    Attributes:
        space: Search space.
        key: Canonical key of the architecture.
        network: The graph as a network that can be scored.
        loss: Name of its loss, for ``api.Batch``.
    """

    space: str
    key: str
    network: nn.Module
    loss: str


def from_naslib(graph: Any) -> NaslibArchitecture:
    """Returns what a graph of NASLib is here.

    Args:
        graph: A search space of NASLib's after ``set_spec`` or ``sample_random_architecture``. One
            that is not parsed is left so: a copy is parsed. Else the network is the graph itself.

    Raises:
        HarnessError: If it is none, has no architecture yet, or is of a space that is not here.

    Example:
        graph.sample_random_architecture()
        found = api.from_naslib(graph)
        scores = api.score(found.network, api.Batch(images, labels, found.loss))
        accuracy = api.truth.value(found.space, "cifar10", found.key)
    """
    if not _is_graph(graph):
        raise HarnessError(f"A graph of NASLib is expected, not {type(graph).__name__}.")
    space = space_of(graph.get_type())
    try:
        architecture = graph.get_hash()
    except Exception as error:  # each of its spaces fails in a way of its own
        raise HarnessError(
            f"The graph of {graph.get_type()} has no architecture yet "
            f"({type(error).__name__}: {error}); give it one by graph.set_spec."
        ) from error
    key, loss = to_key(space, architecture), loss_name(graph.get_loss_fn())
    if not graph.is_parsed:
        graph = graph.clone()
        graph.parse()
    return NaslibArchitecture(space, key, graph, loss)


def _is_graph(graph: object) -> bool:
    names = ("get_type", "get_hash", "get_loss_fn", "parse", "clone")
    return isinstance(graph, nn.Module) and all(hasattr(graph, name) for name in names)


@checked
def naslib_graph(space: str, task: str, key: str, seed: int = 0) -> Any:
    """Builds NASLib's own network of an architecture.

    Args:
        space: Search space.
        task: Task of the space.
        key: The architecture, in any form that the space reads.
        seed: Names its weights.

    Returns:
        NASLib's graph, parsed.

    Raises:
        HarnessError: If NASLib is not found, or has no such architecture.
    """
    spaces.get(space).task(task)
    architecture = to_naslib(space, key)
    with seeds.torch_stream("naslib", seed, to_key(space, architecture)):
        graph = search_spaces().get_search_space(naslib_space(space), naslib_task(task))
        graph.set_spec(architecture)
        graph.parse()
    return graph


def search_spaces() -> Any:
    """Imports NASLib's search spaces, installed or from the checkout that NASLIB_PATH names.

    Raises:
        HarnessError: If it is not found, or what it needs is not.
    """
    checkout = os.environ.get("NASLIB_PATH", "")
    if checkout and not Path(checkout, "naslib").is_dir():
        raise HarnessError(f"NASLIB_PATH names {checkout}, which holds no folder naslib.")
    if checkout and checkout not in sys.path:
        sys.path.insert(0, checkout)
    try:
        found = import_module("naslib.search_spaces")
    except ImportError as error:
        raise HarnessError(
            f"NASLib cannot be imported ({error}); install its branch zerocost and what it needs, "
            "or let NASLIB_PATH name a checkout of it."
        ) from error
    if not hasattr(found, "get_search_space"):
        raise HarnessError("This NASLib is another one; its branch zerocost is needed.")
    return found
