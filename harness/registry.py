"""One registry for everything that has a name: spaces, proxies, jobs, executors."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from harness.errors import HarnessError, unknown

T = TypeVar("T")


class Registry(Generic[T]):
    """Names and what they stand for; other packages add theirs through an entry-point group.

    Args:
        kind: What is registered, in the singular, for error messages.
        group: Entry-point group of other packages, for example ``"harness.proxies"``. Loading an
            entry point must register the object (importing the module usually does).
    """

    def __init__(self, kind: str, group: str | None = None) -> None:
        self.kind = kind
        self._group = group
        self._items: dict[str, T] = {}
        self._loaded = group is None

    def add(self, name: str, item: T) -> T:
        """Registers ``item``; a name that is taken is an error, never an overwrite."""
        if name in self._items and self._items[name] is not item:
            raise HarnessError(f"The {self.kind} {name!r} is registered twice.")
        self._items[name] = item
        return item

    def get(self, name: str) -> T:
        """Returns what ``name`` stands for.

        Raises:
            HarnessError: If nothing has that name; the message suggests the nearest one.
        """
        self._load_entry_points()
        if name not in self._items:
            raise unknown(self.kind, name, self._items)
        return self._items[name]

    def names(self) -> list[str]:
        """Returns all names in alphabetical order."""
        self._load_entry_points()
        return sorted(self._items)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        self._load_entry_points()
        return name in self._items

    def _load_entry_points(self) -> None:
        if self._loaded or self._group is None:
            return
        self._loaded = True
        for point in entry_points(group=self._group):
            try:
                point.load()
            except Exception as error:
                raise HarnessError(
                    f"The {self.kind} {point.name!r} of another package failed to load "
                    f"({point.value}): {error}"
                ) from error
