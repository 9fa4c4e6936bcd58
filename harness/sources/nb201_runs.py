"""NAS-Bench-201's two official distributions: every training run of every architecture.

NAS-Bench-201-v1_1-096897.pth is the benchmark's own file. NATS-Bench distributes its topology
space, the same architectures, as a folder of one file per architecture
(NATS-tss-v1_0-3ffb9-simple, unpacked) or as one file (NATS-tss-v1_0-3ffb9.pickle.pbz2), and its
size space in the same way (NATS-sss-v1_0-50262). All of them are pickles, and a pickle may run any
code while it is loaded: here only containers, numbers, text and (in the first) tensors are
restored, and any other name in a file ends the reading. From the plain dictionary of an
architecture, the class ``ArchResults`` of the distribution's package then restores the runs.
Dong & Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search", ICLR
2020; Dong et al., "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and Size",
TPAMI 2021.
"""

from __future__ import annotations

import bz2
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from harness.core.errors import DataError, HarnessError
from harness.sources.unpickle import NUMBERS, Allowed, load_plain

_BENCHMARKS = {"nas_201_api": "NAS-Bench-201", "nats_bench": "NATS-Bench"}

State = dict[str, Any]
"""One architecture's results as ``ArchResults.state_dict`` gives them."""


class Runs(NamedTuple):
    """The training runs of one architecture that were measured on the same images.

    Attributes:
        architecture: The benchmark's string.
        images: What the benchmark calls the training set and the images: ``("cifar10-valid",
            "x-valid")``.
        accuracies: At the end of each run, in percent.
    """

    architecture: str
    images: tuple[str, str]
    accuracies: list[float]


def official(path: Path, images: Sequence[tuple[str, str]]) -> Iterator[Runs]:
    """Yields the runs of 200 epochs of NAS-Bench-201's own file.

    The whole file is held in memory for that, several times its 5 GB.

    Args:
        path: The file.
        images: Which training sets and images.

    Raises:
        DataError: If the file is damaged or holds anything else.
        HarnessError: If the package ``nas-bench-201`` is not installed.
    """
    return _runs("nas_201_api", lambda: _official_states(path), images, path)


def nats(path: Path, images: Sequence[tuple[str, str]], epochs: int = 200) -> Iterator[Runs]:
    """Yields the runs of NATS-Bench's folder or file.

    The file is held in memory, some 30 GB; the folder takes one architecture at a time.

    Args:
        path: The folder or file.
        images: Which training sets and images.
        epochs: Of which trainings: 200 in the topology space, 90 in the size space.

    Raises:
        DataError: If it is missing, damaged or holds anything else.
        HarnessError: If the package ``nats_bench`` is not installed.
    """
    return _runs("nats_bench", lambda: _nats_states(path, str(epochs)), images, path)


def _runs(
    package: str,
    states: Callable[[], Iterable[State]],
    images: Sequence[tuple[str, str]],
    path: Path,
) -> Iterator[Runs]:
    restore = _results_class(package).create_from_state_dict
    empty = True
    try:
        for state in states():
            results = restore(state)
            empty = False
            for dataset, split in images:
                runs = results.query(dataset).values()
                values = [float(run.get_eval(split)["accuracy"]) for run in runs]
                yield Runs(results.arch_str, (dataset, split), values)
    except DataError:
        raise
    # A file of another form may raise nearly anything within the packages.
    except Exception as error:
        raise DataError(
            f"{path} does not hold results of {_BENCHMARKS[package]} ({error!r})."
        ) from error
    if empty:
        raise DataError(f"{path} holds no results of {_BENCHMARKS[package]}.")


def _results_class(package: str) -> Any:
    try:
        return import_module(package).ArchResults
    except ImportError as error:
        raise HarnessError(
            f"The official files of {_BENCHMARKS[package]} are read with the package {package}, "
            f"which cannot be imported ({error}); run pip install 'zero-cost-harness[official]'."
        ) from error


def _official_states(path: Path) -> Iterator[State]:
    archive = _load_official(path)
    if not isinstance(archive, Mapping) or not isinstance(archive.get("arch2infos"), Mapping):
        raise DataError(f"{path} is not NAS-Bench-201: it holds no arch2infos.")
    for runs in archive["arch2infos"].values():
        yield runs["full"]  # of 200 epochs; those of 12 are "less"


def _load_official(path: Path) -> object:
    """Loads the file with torch's restricted loader."""
    import torch

    # Single numbers of numpy, under the names that numpy 1 and numpy 2 write.
    numbers: list[Any] = [(made, ".".join(name)) for name, made in NUMBERS.items()]
    try:
        with torch.serialization.safe_globals(numbers):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{path} was refused: it is damaged or a pickle of more than containers, numbers, "
            f"text and tensors, which may run any code ({reason})."
        ) from error


def _nats_states(path: Path, hyperparameters: str) -> Iterator[State]:
    """Yields the results of a training, which is named after its epochs."""
    if path.is_dir():
        for file in sorted(path.glob("[0-9]*.pickle.pbz2")):
            yield _load_nats(file)[hyperparameters]
    else:
        for runs in _load_nats(path)["arch2infos"].values():
            yield runs[hyperparameters]


def _load_nats(path: Path) -> dict[str, Any]:
    allowed: Allowed = {
        ("collections", "OrderedDict"): OrderedDict,
        **NUMBERS,
    }
    try:
        with bz2.open(path) as stream:
            plain = "containers, numbers and text"
            content = load_plain(cast(BinaryIO, stream), str(path), allowed, plain)
    except OSError as error:
        raise DataError(f"{path} is not a readable file of NATS-Bench ({error}).") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} is not a file of NATS-Bench: it holds no dictionary.")
    return content
