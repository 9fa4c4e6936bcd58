"""What a pass is: one way of running a network, and the observations that come out of it.

    @observes(FeaturePerturbation)
    def zen(run: Run, settings: ZenSettings) -> Observations: ...

The decorator is the whole contract: the engine runs the pass for whichever proxy asks for its
observation, with the settings that it names by type.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

from harness.core.errors import HarnessError
from harness.core.registry import Registry
from harness.core.sections import is_section
from harness.core.versions import annotations_of, definition


@dataclass(frozen=True)
class Observation:
    """Base of everything that a pass reports; frozen, so that no proxy can disturb another."""


Observations = dict[type[Observation], Observation]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Pass:
    """A registered pass.

    Attributes:
        name: Its function's name.
        function: Takes a ``Run``, and its settings if it has any; returns observations.
        reports: The observations that it can return.
        settings: Type of its settings; None if it has none.
        backwards: How often it differentiates a forward of the whole batch for an observation; it
            is refused if that does not fit the memory (``harness.passes.memory``).
        definition: Names what it computes; part of the conditions of every score.
        images: Whether it looks at the batch's images, not at their shape alone.
    """

    name: str
    function: Callable[..., Observations]
    reports: tuple[type[Observation], ...]
    settings: type[Any] | None
    backwards: dict[type[Observation], int] = field(hash=False)
    definition: str
    images: bool = True

    def differentiations(self, wanted: Collection[type[Observation]]) -> int:
        """Returns how often the batch's forward is differentiated for these observations."""
        return max((self.backwards.get(kind, 0) for kind in wanted), default=0)


passes: Registry[Pass] = Registry("pass", home="harness.passes")
_reporting: dict[type[Observation], Pass] = {}


def pass_for(kind: type[Observation]) -> Pass:
    """Returns the pass that reports an observation; there is one at most.

    Raises:
        HarnessError: If there is none.
    """
    if kind not in _reporting:
        passes.names()  # loads all of them
    if kind not in _reporting:
        raise HarnessError(
            f"No pass reports {kind.__name__}; declare one with harness.passes.observes."
        )
    return _reporting[kind]


def observes(
    *kinds: type[Observation],
    backward: Collection[type[Observation]] = (),
    double_backward: Collection[type[Observation]] = (),
    images: bool = True,
    version: int = 1,
) -> Callable[[F], F]:
    """Declares that the decorated pass reports these observations.

    A pass takes a ``Run`` and, as a second parameter, the settings that it declares by type. It
    returns a mapping from observation type to observation, at least those in ``run.wanted``.

    Args:
        kinds: The observations.
        backward: Those among them for which the pass differentiates a forward of the whole batch.
        double_backward: Those for which it differentiates the gradient once more.
        images: Whether the pass looks at the batch's images; without those that do, a run needs no
            image set.
        version: Of the definition; raise it when a change of the code changes values.

    Raises:
        HarnessError: If another pass reports one of them already, or a parameter is not a section.
    """

    def register(function: F) -> F:
        declared = Pass(
            function.__name__,
            function,
            kinds,
            _settings_of(function),
            dict.fromkeys(backward, 1) | dict.fromkeys(double_backward, 2),
            definition(function, version),
            images,
        )
        for kind in kinds:
            if kind in _reporting:
                raise HarnessError(
                    f"The pass {_reporting[kind].name!r} reports {kind.__name__} already; give "
                    f"{declared.name!r} an observation of its own."
                )
        passes.add(declared.name, declared)
        _reporting.update(dict.fromkeys(kinds, declared))
        return function

    return register


def _settings_of(function: Callable[..., Any]) -> type[Any] | None:
    """Returns the type of a pass's second parameter, if it has one."""
    others = list(annotations_of(function).values())[1:]
    if len(others) > 1 or not all(map(is_section, others)):
        raise HarnessError(
            f"The pass {function.__name__!r} must take a Run and at most one record that is "
            "declared with score_settings."
        )
    return others[0] if others else None
