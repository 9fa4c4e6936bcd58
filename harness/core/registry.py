"""One registry for everything that has a name; the registry is the only list of choices.

Ours register themselves when their file is imported, and the folder that they lie in is the list:
a new space, proxy or job is a new file, nothing else. Another package names its module in an
entry-point group, ``harness.proxies`` for example, and cannot be told from ours.
"""

from __future__ import annotations

import logging
import multiprocessing
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from harness.core.errors import HarnessError, unknown

T = TypeVar("T")
log = logging.getLogger(__name__)

broken: dict[str, str] = {}
"""Entry points of other packages that failed to load, and why; everything else goes on."""


class Registry(Generic[T]):
    """Names and what they stand for.

    Args:
        kind: What is registered, in the singular, for error messages.
        home: Our package (all its modules are imported) or module that registers ours.
    """

    def __init__(self, kind: str, home: str = "") -> None:
        self.kind = kind
        self._home = home
        self._items: dict[str, T] = {}
        self._loaded = False

    def add(self, name: str, item: T) -> T:
        """Registers ``item``; a name that is taken is an error, never an overwrite."""
        if _plug_ins.loading and not _importing_ours():
            self._load_ours()  # first: a plug-in does not get our names
        if name in self._items and self._items[name] is not item:
            raise HarnessError(f"The {self.kind} {name!r} is registered twice.")
        self._items[name] = item
        return item

    def get(self, name: str) -> T:
        """Returns what ``name`` stands for.

        Raises:
            HarnessError: If nothing has that name; the message suggests the nearest one.
        """
        if name not in self:
            raise unknown(self.kind, name, self._items)
        return self._items[name]

    @property
    def loaded(self) -> bool:
        """Whether what registers ours was imported already, so that asking costs nothing."""
        return self._loaded

    def names(self) -> list[str]:
        """Returns all names in alphabetical order."""
        self._load()
        return sorted(self._items)

    def values(self) -> list[T]:
        """Returns what is registered, in the order of the names."""
        return [self._items[name] for name in self.names()]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def __contains__(self, name: object) -> bool:
        self._load()
        return isinstance(name, str) and name in self._items  # a list has no hash

    def _load(self) -> None:
        self._load_ours()
        _plug_ins.load()

    def _load_ours(self) -> None:
        if self._loaded:
            return
        self._loaded = True  # first: what is imported below may look something up
        with _plug_ins.later():
            self._register_ours()

    def _register_ours(self) -> None:
        """Imports what registers ours."""
        if self._home:
            package = import_module(self._home)
            for module in pkgutil.iter_modules(getattr(package, "__path__", [])):
                import_module(f"{self._home}.{module.name}")


class _PlugIns:
    """Imports what other packages name in our entry-point groups, once per process."""

    loaded = loading = False
    waits = 0

    def load(self) -> None:
        """Imports all of them; a broken one is told and left out.

        Whatever a module raises while it is imported, ``SystemExit`` included, is its own failure.
        """
        if self.loaded or self.waits:
            return
        self.loaded = self.loading = True
        for point in _our_entry_points():
            try:
                point.load()
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                _tell(point, error)
        self.loading = False

    @contextmanager
    def later(self) -> Iterator[None]:
        """Keeps them out while modules of ours, which they use, are half imported."""
        self.waits += 1
        try:
            yield
        finally:
            self.waits -= 1


_plug_ins = _PlugIns()


def _importing_ours() -> bool:
    """Tells whether a plug-in imports a module of ours: others of ours may need the rest of it."""
    frame = sys._getframe(1).f_back
    while frame and frame.f_code is not _PlugIns.load.__code__:
        if frame.f_code.co_name == "<module>" and frame.f_globals["__name__"].startswith(
            "harness."
        ):
            return True
        frame = frame.f_back
    return False


def _our_entry_points() -> list[EntryPoint]:
    groups = sorted(group for group in entry_points().groups if group.startswith("harness."))
    return [point for group in groups for point in entry_points(group=group)]


def _tell(point: EntryPoint, error: BaseException) -> None:
    if point.value in broken:
        return
    broken[point.value] = f"{type(error).__name__}: {error}"
    if multiprocessing.parent_process() is None:  # not once more by every worker
        log.warning(
            "The plug-in %s (%s, %s) failed to load and is left out: %s",
            point.name,
            point.group,
            point.value,
            broken[point.value],
        )
