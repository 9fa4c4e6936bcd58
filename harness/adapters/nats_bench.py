"""NATS-Bench's way to ask for architectures and accuracies, answered by our tables.

Dong et al., "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and Size", TPAMI
2021.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness import truth
from harness.core.errors import HarnessError, unknown
from harness.core.typed import checked
from harness.spaces.space import spaces

SPACES = {"tss": "nb201", "sss": "nats_sss"}
EPOCHS = {"tss": "200", "sss": "90"}
SETS = {
    "cifar10-valid": ("cifar10", ("valid",)),
    "cifar10": ("cifar10", ("test",)),
    "cifar100": ("cifar100", ("valid", "test")),
    "ImageNet16-120": ("imagenet16_120", ("valid", "test")),
}
"""What NATS-Bench calls a training -> our task, and on which images it is measured."""


class NatsBench:
    """NATS-Bench's indices, architecture strings and mean accuracies over training seeds.

    Args:
        search_space: ``tss``, the topology space (our nb201), or ``sss``, sizes (our nats_sss).
        path: Your copy of the benchmark. Without it there are the topology space's test accuracies,
            which are in the package.

    Raises:
        HarnessError: If there is no such space.

    Example:
        >>> benchmark = NatsBench("tss")
        >>> len(benchmark), benchmark.arch(0)[:16]
        (15625, '|avg_pool_3x3~0|')
        >>> benchmark.query_index_by_arch(benchmark.arch(7))
        7
        >>> benchmark.get_more_info(0, "cifar10", hp="200", is_random=False)
        {'test-accuracy': 85.86333333333334}
    """

    @checked
    def __init__(self, search_space: str = "tss", path: Path | str | None = None) -> None:
        if search_space not in SPACES:
            raise unknown("search space of NATS-Bench", search_space, SPACES)
        self.search_space = search_space
        self._space = spaces.get(SPACES[search_space])
        self._path = path
        self._tables: dict[tuple[str, str], dict[str, float]] = {}

    def __len__(self) -> int:
        return len(self._space.numbered())

    def __iter__(self) -> Iterator[str]:
        return iter(self._space.numbered())

    def __getitem__(self, index: int) -> str:
        return self.arch(index)

    def arch(self, index: int) -> str:
        """Returns the architecture string of an index.

        Raises:
            HarnessError: If there is no such index.
        """
        return self._space.key_at(index)

    def query_index_by_arch(self, arch: str) -> int:
        """Returns the index of an architecture string; where NATS-Bench returns −1, this raises.

        Raises:
            HarnessError: If there is no such architecture.
        """
        return self._space.index(arch)

    @checked
    def get_more_info(
        self,
        index: int | str,
        dataset: str,
        iepoch: None = None,
        hp: str = "",
        is_random: bool = False,
    ) -> dict[str, float]:
        """Returns the accuracies of an architecture, in percent.

        Args:
            index: Its index or string.
            dataset: ``cifar10-valid``, ``cifar10``, ``cifar100`` or ``ImageNet16-120``.
            iepoch: None: the end of the training.
            hp: Epochs of the training, as text: 200 of ``tss``, 90 of ``sss``.
            is_random: False: the mean over training seeds.

        Returns:
            ``test-accuracy`` and ``valid-accuracy``, as far as there are such images and tables.

        Raises:
            HarnessError: If there is no such architecture, data set or training.
            DataError: If the copy of the benchmark cannot be read.
        """
        if dataset not in SETS:
            raise unknown("data set of NATS-Bench", dataset, SETS)
        epochs = EPOCHS[self.search_space]
        if iepoch is not None or (hp or epochs) != epochs or is_random:
            raise HarnessError(
                "Only means over training seeds at the end of the longest training are here: "
                f"iepoch=None, hp={epochs!r}, is_random=False."
            )
        task, splits = SETS[dataset]
        known = splits if self._path or self.search_space == "sss" else ["test"]
        if not (told := [split for split in splits if split in known]):
            raise HarnessError(f"{dataset} has validation accuracies alone; they need path=COPY.")
        key = self._space.canonical(index) if isinstance(index, str) else self.arch(index)
        return {f"{split}-accuracy": self._table(task, split)[key] for split in told}

    def _table(self, task: str, split: str) -> dict[str, float]:
        if (task, split) not in self._tables:
            copied = "nats" if split == "test" else "nats_validation"
            variant = copied if self._path or self.search_space == "sss" else "test_mean"
            table = truth.load(self._space.name, task, variant, self._path)
            self._tables[task, split] = dict(zip(table["key"], table["value"], strict=True))
        return self._tables[task, split]
