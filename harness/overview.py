"""What can be had here, and how: spaces, tasks, proxies and sets, inputs, truths, executors, jobs.

Everything comes from the registries, so that nothing is listed that cannot be asked for, and a
plug-in's is listed like ours. No network is built, no table read, and nothing is downloaded.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.core.errors import unknown
from harness.core.sections import Settings
from harness.executors.executor import executors
from harness.inputs.description import suits
from harness.inputs.image_sets import image_sets
from harness.inputs.inventory import BUNDLED, files_available, images_available
from harness.inputs.tasks import tasks
from harness.proxies.contract import populations, proxies
from harness.proxies.sets import proxy_sets
from harness.spaces.space import spaces
from harness.truth.records import records


@dataclass(frozen=True)
class Entry:
    """Something that can be asked for.

    Attributes:
        kind: ``space``, ``task``, ``proxy``, ``set``, ``inputs``, ``truth``, ``executor``, ``job``.
        name: Its name on the command line.
        belongs_to: To which space and task, to which tasks, or what it needs.
        available: ``bundled``, ``at hand`` (its file lies here), ``download`` (fetched when it is
            first used) or ``by hand`` (you place the file); empty for what is code.
        description: What it is, in one sentence.
    """

    kind: str
    name: str
    belongs_to: str
    available: str
    description: str


def overview(jobs: Mapping[str, str], space: str = "", task: str = "") -> list[Entry]:
    """Lists what can be had.

    Args:
        jobs: Name -> what it does.
        space: Narrows the list to what is special to a search space; empty for all.
        task: Likewise to a task.

    Raises:
        HarnessError: If there is no such space or task.
    """
    names = [space] if space else spaces.names()
    known = {name: spaces.get(name).tasks for name in names}
    of_spaces = sorted({one for own in known.values() for one in own})
    if task and task not in of_spaces:
        raise unknown(f"task of {space}" if space else "task", task, of_spaces)
    asked = [task] if task else of_spaces
    narrow = [
        *(_space(name) for name, own in known.items() if not task or task in own),
        *(_task(name, [one for one, own in known.items() if name in own]) for name in asked),
        *_inputs(asked),
        *_truths(names, asked),
    ]
    if space or task:
        return narrow
    others = [Entry("executor", one.name, "", "", one.doc) for one in executors.values()]
    others += [Entry("job", name, "", "", _sentence(summary)) for name, summary in jobs.items()]
    return [*narrow, *_proxies(), *others]


def _space(name: str) -> Entry:
    space = spaces.get(name)
    return Entry("space", name, ", ".join(space.tasks), "", _sentence(type(space).__doc__))


def _task(name: str, of_spaces: Iterable[str]) -> Entry:
    task = tasks.get(name)
    shape = "×".join(map(str, task.input_shape))
    shown = "random tokens" if task.tokens else f"{task.images or 'no'} images"
    description = f"{shape} to {task.outputs} outputs, {task.loss}, {shown}"
    return Entry("task", name, ", ".join(of_spaces), "", description)


def _inputs(names: Iterable[str]) -> list[Entry]:
    asked = [tasks.get(name) for name in names]
    drawn = [
        ("task", "random tokens", [task.name for task in asked if task.tokens]),
        ("gaussian", "independent normal noise", [one.name for one in asked if not one.tokens]),
    ]
    found = [Entry("inputs", name, ", ".join(of), BUNDLED, what) for name, what, of in drawn if of]
    for one in image_sets.values():
        of_size = [task.name for task in asked if suits(task, one)]
        if of_size:
            belongs = ", ".join(of_size)
            found.append(Entry("inputs", one.name, belongs, images_available(one), one.origin))
    return found


def _truths(of_spaces: Iterable[str], of_tasks: Iterable[str]) -> list[Entry]:
    known = [records.get(name) for name in records]
    return [
        Entry(
            "truth",
            one.info.variant,
            f"{one.info.space}/{one.info.task}{', default' if one.default else ''}",
            BUNDLED if one.bundled else files_available(one.info.sources),
            f"{one.info.metric}; {one.info.split}",
        )
        for one in sorted(known, key=lambda r: (r.info.space, r.info.task, not r.default))
        if one.info.space in of_spaces and one.info.task in of_tasks
    ]


def _proxies() -> list[Entry]:
    single = [
        Entry("proxy", one.name, one.tasks, "", _sentence(one.doc)) for one in proxies.values()
    ]
    ranking = [
        Entry(
            "proxy", one.name, f"ranks {', '.join(one.columns(Settings()))}", "", _sentence(one.doc)
        )
        for one in populations.values()
    ]
    sets = [
        Entry("set", name, "", "", ", ".join(proxy_sets.get(name))) for name in proxy_sets.names()
    ]
    return [*sorted([*single, *ranking], key=lambda one: one.name), *sets]


def _sentence(doc: str | None) -> str:
    """Returns the first paragraph of a docstring."""
    first = inspect.cleandoc(doc or "").split("\n\n", maxsplit=1)[0]
    return " ".join(first.replace("``", "").split())
