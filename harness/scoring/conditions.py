"""How scores arise: everything but the architecture, the proxy and the seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

from harness import truth
from harness.core.errors import HarnessError, unknown
from harness.core.sections import Place, Settings, at
from harness.core.types import Batch
from harness.core.versions import definition
from harness.inputs.description import describe_amount, describe_inputs, inputs_in_words
from harness.inputs.making import at_hand
from harness.inputs.selection import InputSettings, image_set_of
from harness.inputs.tasks import tasks
from harness.proxies.contract import proxies
from harness.spaces.drawn import DrawnSpace
from harness.spaces.space import Space, spaces

DEVICES = ("cpu", "cuda")
SAMPLED_SIZES = 1000  # networks whose sizes settle regulariser.mu=auto


@dataclass(frozen=True)
class Conditions:
    """Everything that decides a score besides the architecture, the proxy and the seed.

    Attributes:
        space: Search space.
        task: Task of the space.
        inputs: Which images.
        batch_size: How many of them.
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        channels_last: Their memory layout.
        settings: Those of passes and proxies.
        blank: Whether networks are shown black images, because no proxy looks at one and the image
            set is not at hand; see ``without_images``.
    """

    space: str
    task: str
    inputs: InputSettings
    batch_size: int
    device: str
    channels_last: bool
    settings: Settings
    blank: bool = False

    def shared(self) -> dict[str, Any]:
        """Returns what holds for the scores of every proxy, as JSON has it."""
        return {
            "space": self.space,
            "space_definition": definition(type(spaces.get(self.space))),
            "task": self.task,
            "inputs": dict(described(self.task, self.inputs, blank=self.blank)),
            "batch_size": self.batch_size,
            "device": device_type(self.device),
            "channels_last": self.channels_last,
        }

    def own(self, name: str) -> dict[str, Any]:
        """Returns what else decides the scores of one proxy: settings and definitions."""
        proxy = proxies.get(name)
        return {
            "settings": self.settings.described(proxy.reads),
            "definition": proxy.definition,
            "passes": {one.name: one.definition for one in proxy.passes},
        }

    def fingerprint(self, name: str) -> str:
        """Names these conditions as far as they matter to one proxy."""
        return digest(self.shared() | self.own(name))

    def fingerprints(self, names: Iterable[str]) -> dict[str, str]:
        """Returns the fingerprint of each proxy."""
        shared = self.shared()
        return {name: digest(shared | self.own(name)) for name in names}

    def batch(self, seed: int) -> Batch:
        """Returns the batch of a seed on the device; a process keeps the last few."""
        return _batch(self, seed)


def conditions_at(
    conditions: Conditions, names: Collection[str], pool: Collection[str] | None = None
) -> Conditions:
    """Returns the conditions with the settings that some proxies read, as they hold in the space.

    Args:
        conditions: As the user asked for them.
        names: The proxies to score.
        pool: Architectures that can be drawn, whose sizes decide ``regulariser.mu=auto``; None for
            the space's own.

    Raises:
        HarnessError: If a setting makes no sense.
    """
    space = spaces.get(conditions.space)
    sizes = partial(sampled_sizes, space, conditions.task, pool)
    place = Place(conditions.space, conditions.task, conditions.batch_size, sizes)
    kinds = {kind for name in names for kind in proxies.get(name).reads}
    there = replace(conditions, settings=at(conditions.settings, kinds, place))
    return without_images(there, names)


def without_images(conditions: Conditions, names: Collection[str]) -> Conditions:
    """Returns the conditions with blank images, if no proxy looks at one and there are none here.

    Values do not depend on it. It is decided once, before any work, and not if the image set is at
    hand: scores that name its checksum can then be gone on from.

    Args:
        conditions: As they hold for the run.
        names: The proxies to score.
    """
    image_set = image_set_of(tasks.get(conditions.task), conditions.inputs)
    needless = image_set is not None and image_set.load is None and at_hand(image_set) is None
    return replace(
        conditions, blank=needless and not any(proxies.get(name).images for name in names)
    )


def sampled_sizes(space: Space, task: str, pool: Collection[str] | None = None) -> list[int]:
    """Returns Θ, in parameters, of up to 1000 architectures drawn from a pool or the space."""
    pool = _drawable(space, task) if pool is None else pool
    sample = space.sample(min(SAMPLED_SIZES, len(pool)), seed=0, pool=pool)
    return [space.theta_params(key, task) for key in sample]


def _drawable(space: Space, task: str) -> Collection[str]:
    if isinstance(space, DrawnSpace):  # too large to list
        return space.sample(SAMPLED_SIZES, seed=0)
    try:
        return space.keys()
    except HarnessError:  # known from its table alone
        return list(truth.load(space.name, task).key)


def digest(values: object, length: int = 12) -> str:
    """Names values by the first hexadecimal digits of a hash of them as JSON."""
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def described(task: str, inputs: InputSettings, *, blank: bool = False) -> Mapping[str, Any]:
    """Returns what ``describe_inputs`` says; a file is read again only when it changes."""
    return describe_inputs(tasks.get(task), inputs, blank=blank)


def images_of(task: str, inputs: InputSettings) -> str:
    """Says in words which images scores rest on, and how many of the whole set they are."""
    return inputs_in_words(inputs_of(task, inputs))


def inputs_of(task: str, inputs: InputSettings) -> dict[str, Any]:
    """Returns what the record of a result says of its images: what, how many, how prepared."""
    return {**described(task, inputs), **describe_amount(tasks.get(task), inputs)}


@lru_cache(maxsize=2)  # a device has room for few; shards come seed by seed
def _batch(conditions: Conditions, seed: int) -> Batch:
    from harness.inputs.batch import blank_batch, load_batch

    task, inputs, size = tasks.get(conditions.task), conditions.inputs, conditions.batch_size
    blank = conditions.blank
    batch = blank_batch(task, inputs, size) if blank else load_batch(task, inputs, seed, size)
    return batch.to(conditions.device, channels_last=conditions.channels_last)


def device_type(name: str) -> str:
    """Returns ``cpu`` or ``cuda`` of a device's name.

    Raises:
        HarnessError: If there is no such kind of device.
    """
    kind = name.partition(":")[0]
    if kind not in DEVICES:
        raise unknown("device", name, DEVICES)
    return kind


def check_device(name: str) -> None:
    """Tries a device, on the machine that is to use it.

    Raises:
        HarnessError: Unless this machine has it.
    """
    import torch

    device_type(name)
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise HarnessError(
            f"The device {name!r} cannot be used here ({str(error).splitlines()[0]}); use "
            "device=cpu, or cuda on a machine that has one."
        ) from error


def is_lost(name: str) -> bool:
    """Tells whether a GPU answers this process no longer, as after an error within a kernel.

    Such an error comes back with every call until the process ends, where others come once.
    """
    import torch

    if device_type(name) != "cuda":
        return False
    try:
        torch.cuda.synchronize(name)
    except RuntimeError:
        return True
    return False
