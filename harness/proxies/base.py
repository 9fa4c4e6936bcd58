"""The contract of a proxy: a pure function from observations to a number.

    @proxy(direction="higher", labels=True)
    def snip(gradients: LossGradients) -> float: ...

The types of the parameters are what the proxy needs; the engine runs the passes that report them,
each once per network however many proxies ask. A parameter of type ``Settings`` receives the
settings. The function's name is the proxy's name, its docstring is its page.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.passes import PASSES, Observation, Settings
from harness.registry import Registry

F = TypeVar("F", bound=Callable[..., float])
P = TypeVar("P", bound=Callable[[NDArray[np.float64]], NDArray[np.float64]])


@dataclass(frozen=True)
class Proxy:
    """A registered proxy.

    Attributes:
        name: Its name on the command line and in tables.
        function: Observations to a number.
        needs: Parameter name -> observation type.
        takes_settings: Name of the parameter that receives the settings, if any.
        direction: ``higher`` if a higher score is meant to promise a better network.
        labels: Whether it needs labels.
        tasks: For which tasks it is defined, in words.
        doc: The cleaned docstring.
    """

    name: str
    function: Callable[..., float]
    needs: dict[str, type[Observation]]
    takes_settings: str | None
    direction: str
    labels: bool
    tasks: str
    doc: str

    @property
    def passes(self) -> list[str]:
        """Names of the passes that it needs, in the order of its parameters."""
        return list(dict.fromkeys(PASSES[kind].__name__ for kind in self.needs.values()))

    @property
    def source(self) -> str:
        """The paper, from the docstring's last paragraph."""
        return self.doc.partition("Source: ")[2].replace("\n", " ")


@dataclass(frozen=True)
class PopulationProxy:
    """A proxy whose score ranks an architecture among others: a function of finished columns.

    Attributes:
        name: Its name on the command line and in tables.
        function: n×k scores (NaN where undefined) to n scores.
        needs: The k proxies whose columns it takes.
        doc: The cleaned docstring.
    """

    name: str
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    needs: tuple[str, ...]
    doc: str


proxies: Registry[Proxy] = Registry("proxy", group="harness.proxies")
populations: Registry[PopulationProxy] = Registry("population-level proxy")


def proxy(*, direction: str = "higher", labels: bool = False, tasks: str = "") -> Callable[[F], F]:
    """Registers the decorated function as a proxy under its own name.

    Args:
        direction: ``higher`` or ``lower``: which scores promise a better network. It is told, never
            applied: correlations keep their sign.
        labels: Whether the proxy uses labels.
        tasks: For which tasks it is defined, if that does not follow from ``labels``.

    Raises:
        HarnessError: If a parameter is neither an observation nor the settings.
    """

    def register(function: F) -> F:
        hints = get_type_hints(function)
        hints.pop("return", None)
        needs = {name: kind for name, kind in hints.items() if _is(kind, Observation)}
        settings = [name for name, kind in hints.items() if _is(kind, Settings)]
        if len(needs) + len(settings) != len(inspect.signature(function).parameters):
            raise HarnessError(
                f"Every parameter of the proxy {function.__name__!r} must be annotated with an "
                "observation of harness.passes, or with Settings."
            )
        doc = inspect.getdoc(function) or ""
        takes_settings = settings[0] if settings else None
        name = function.__name__
        defined = tasks or ("all tasks with labels and a loss" if labels else "all tasks")
        proxies.add(
            name, Proxy(name, function, needs, takes_settings, direction, labels, defined, doc)
        )
        return function

    return register


def population(*needs: str) -> Callable[[P], P]:
    """Registers the decorated function as a proxy of a whole population.

    Args:
        needs: Proxies whose columns the function takes, in this order.
    """

    def register(function: P) -> P:
        name = function.__name__
        doc = inspect.getdoc(function) or ""
        populations.add(name, PopulationProxy(name, function, needs, doc))
        return function

    return register


def _is(kind: object, base: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, base)
