"""The contract of a proxy: a pure function from observations to a number.

    @proxy(direction="higher", labels=True)
    def snip(gradients: LossGradients) -> float: ...

The types of the parameters are what the proxy needs; the engine runs the passes that report them,
each once per network however many proxies ask. A parameter whose type is a record of settings
(``harness.passes.score_settings``) receives that. The function's name is the proxy's name, its
docstring is its page.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.core.registry import Registry
from harness.core.sections import Settings, is_section
from harness.core.versions import annotations_of, definition
from harness.passes.observation import Observation, Pass, pass_for

Ceiling = Callable[[Mapping[str, Mapping[str, Any]], int], float]
"""From settings (section -> key -> value) and the size of the batch to the largest score."""

F = TypeVar("F", bound=Callable[..., float])
P = TypeVar("P", bound=Callable[..., NDArray[np.float64]])


@dataclass(frozen=True)
class Proxy:
    """A registered proxy.

    Attributes:
        name: Its name on the command line and in tables.
        function: Observations to a number.
        needs: Parameter name -> observation type.
        settings: Parameter name -> record of settings.
        direction: ``higher`` if a higher score is meant to promise a better network.
        labels: Whether it needs labels.
        tasks: For which tasks it is defined, in words.
        doc: The cleaned docstring.
        definition: Names the formula; part of the conditions of every score.
        ceiling: The largest score that there can be, where conditions set one.
    """

    name: str
    function: Callable[..., float]
    needs: dict[str, type[Observation]]
    settings: dict[str, type[Any]]
    direction: str
    labels: bool
    tasks: str
    doc: str
    definition: str
    ceiling: Ceiling | None = None

    @property
    def passes(self) -> list[Pass]:
        """The passes that it needs, in the order of its parameters."""
        return list(dict.fromkeys(map(pass_for, self.needs.values())))

    @property
    def reads(self) -> set[type[Any]]:
        """The records of settings that decide its value: its own and those of its passes."""
        of_passes = {one.settings for one in self.passes if one.settings is not None}
        return of_passes | set(self.settings.values())

    @property
    def images(self) -> bool:
        """Whether its value depends on the images that a network is shown, or on their labels."""
        return self.labels or any(one.images for one in self.passes)

    @property
    def source(self) -> str:
        """The paper, from the docstring's last paragraph."""
        return self.doc.partition("Source: ")[2].replace("\n", " ")


@dataclass(frozen=True)
class Accuracies:
    """The ground truth of a population; a population proxy that takes it is not zero-cost."""

    values: NDArray[np.float64]


@dataclass(frozen=True)
class PopulationProxy:
    """A proxy whose score ranks an architecture among others: a function of finished columns.

    Attributes:
        name: Its name on the command line and in tables.
        function: n×k scores (NaN where undefined) to n scores, with the accuracies and settings
            that its parameters ask for by type.
        needs: Proxies whose columns it takes, behind those that its settings name.
        settings: Its record of settings, whose ``proxies`` it combines; None if it has none.
        truth: Whether it looks at the accuracies.
        doc: The cleaned docstring.
        definition: Names the formula, as a proxy's does.
    """

    name: str
    function: Callable[..., NDArray[np.float64]]
    needs: tuple[str, ...]
    settings: type[Any] | None
    truth: bool
    doc: str
    definition: str

    def columns(self, settings: Settings) -> tuple[str, ...]:
        """Returns the k proxies whose columns it takes, in this order.

        Raises:
            HarnessError: If one of them does not exist, or ranks a population itself.
        """
        named = settings.of(self.settings).proxies if self.settings else ()
        return tuple(proxies.get(name).name for name in (*named, *self.needs))

    def conditions(self, settings: Settings) -> dict[str, Any]:
        """Returns what decides its scores beside the conditions of its columns."""
        return {
            "settings": settings.described([self.settings] if self.settings else []),
            "definition": self.definition,
            "made_of": list(self.columns(settings)),
            "sees_truth": self.truth,
        }

    def scores(
        self,
        columns: NDArray[np.float64],
        accuracies: NDArray[np.float64] | None,
        settings: Settings,
    ) -> NDArray[np.float64]:
        """Scores n architectures.

        Args:
            columns: n×k scores, NaN where undefined.
            accuracies: n; None where there are none.
            settings: Those of all ensembles.

        Raises:
            HarnessError: If it looks at accuracies and there are none.
        """
        taken: list[object] = [columns]
        if self.truth:
            if accuracies is None:
                raise HarnessError(f"{self.name} looks at the accuracies, and there are none here.")
            taken.append(Accuracies(accuracies))
        if self.settings:
            taken.append(settings.of(self.settings))
        return self.function(*taken)


HOME = "harness.proxies"
proxies: Registry[Proxy] = Registry("proxy", HOME)
populations: Registry[PopulationProxy] = Registry("population-level proxy", HOME)


def proxy(
    *,
    direction: str = "higher",
    labels: bool = False,
    tasks: str = "",
    version: int = 1,
    ceiling: Ceiling | None = None,
) -> Callable[[F], F]:
    """Registers the decorated function as a proxy under its own name.

    Args:
        direction: ``higher`` or ``lower``: which scores promise a better network. It is told, never
            applied: correlations keep their sign.
        labels: Whether the proxy uses labels.
        tasks: For which tasks it is defined, if that does not follow from ``labels``.
        version: Of the formula; raise it when a change of the code changes values.
        ceiling: The largest score that settings and batch allow. Networks that reach it cannot be
            told apart; results say how many do.

    Raises:
        HarnessError: If a parameter is neither an observation nor a record of settings.
    """

    def register(function: F) -> F:
        hints = annotations_of(function)
        needs = {name: kind for name, kind in hints.items() if _is_observation(kind)}
        settings = {name: kind for name, kind in hints.items() if is_section(kind)}
        if len(needs) + len(settings) != len(hints):
            raise HarnessError(
                f"Every parameter of the proxy {function.__name__!r} must be annotated with an "
                "observation of a pass, or with a record of settings."
            )
        proxies.add(
            function.__name__,
            Proxy(
                function.__name__,
                function,
                needs,
                settings,
                direction,
                labels,
                tasks or ("all tasks with labels and a loss" if labels else "all tasks"),
                inspect.getdoc(function) or "",
                definition(function, version),
                ceiling,
            ),
        )
        return function

    return register


def population(*needs: str, version: int = 1) -> Callable[[P], P]:
    """Registers the decorated function as a proxy of a whole population.

    Its parameters are the columns; then, each if it is asked for by type, ``Accuracies`` and a
    record of settings with a field ``proxies``, whose columns come before those of ``needs``.

    Args:
        needs: Proxies whose columns the function takes, in this order.
        version: Of the formula, as for ``proxy``.
    """

    def register(function: P) -> P:
        name = function.__name__
        kinds = list(annotations_of(function).values())
        settings = next(filter(is_section, kinds), None)
        doc = inspect.getdoc(function) or ""
        known = definition(function, version)
        made = PopulationProxy(name, function, needs, settings, Accuracies in kinds, doc, known)
        populations.add(name, made)
        return function

    return register


def ceilings(conditions: Mapping[str, Any]) -> dict[str, float]:
    """Returns the largest score that there can be under a result's conditions, by proxy."""
    return {
        name: ceiling(own["settings"], conditions["batch_size"])
        for name, own in conditions["proxies"].items()
        if name in proxies and (ceiling := proxies.get(name).ceiling)
    }


def seeing_truth(names: Iterable[str]) -> list[str]:
    """Returns those among the names whose scores are made with the accuracies."""
    return [name for name in names if name in populations and populations.get(name).truth]


def _is_observation(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Observation)
