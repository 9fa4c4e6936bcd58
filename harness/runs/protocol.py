"""How scores of a run arise: everything but the architecture, the proxy and the seed."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache

import torch

from harness.config import Config
from harness.errors import HarnessError, unknown
from harness.inputs import InputSettings, describe_inputs, load_batch
from harness.passes import PASSES, SECTIONS, RegulariserSettings, Settings
from harness.proxies import proxies
from harness.spaces import Space, spaces
from harness.tasks import tasks
from harness.types import Batch

DEVICES = ("cpu", "cuda")
# Changes whenever a change of the code changes scores, so that old ones are not mixed in.
SCORES_VERSION = 1


@dataclass(frozen=True)
class Protocol:
    """Everything that decides a score besides the architecture, the proxy and the seed."""

    space: str
    task: str
    inputs: InputSettings
    batch_size: int
    device: str
    channels_last: bool
    settings: Settings

    def fingerprint(self, name: str) -> str:
        """Names this protocol as far as it matters to one proxy."""
        values = asdict(self)
        values["device"] = torch.device(self.device).type
        values["inputs"] = described(self.task, self.inputs)
        proxy = proxies.get(name)
        if not proxy.takes_settings:
            read = {SECTIONS.get(PASSES[kind]) for kind in proxy.needs.values()}
            values["settings"] = {k: v for k, v in values["settings"].items() if k in read}
        values["version"] = SCORES_VERSION
        return digest(values)

    def fingerprints(self, names: Sequence[str]) -> dict[str, str]:
        """Returns the fingerprint of each proxy."""
        return {name: self.fingerprint(name) for name in names}

    def batch(self, seed: int) -> Batch:
        """Returns the batch of a seed on the device, read once per process."""
        return _batch(self, seed)


def protocol_of(config: Config, pool: Sequence[str]) -> Protocol:
    """Returns the protocol that a configuration asks for.

    Args:
        config: The run.
        pool: Architectures that can be drawn; their sizes decide mu=auto.

    Raises:
        HarnessError: If the device or a setting is wrong.
    """
    check_device(config.device)
    regulariser = _regulariser(config, spaces.get(config.space), pool)
    return Protocol(
        config.space,
        config.task,
        config.inputs,
        config.batch_size,
        config.device,
        config.channels_last,
        Settings(
            # A batch cannot show more images than it has; results name what was shown.
            replace(config.swap, images=min(config.swap.images, config.batch_size)),
            regulariser,
            config.zen,
            replace(config.ntk, images=min(config.ntk.images, config.batch_size)),
            config.linear_regions,
            config.meco,
            config.gradsign,
        ),
    )


def digest(values: object, length: int = 12) -> str:
    """Names values by the first hexadecimal digits of a hash of them as JSON."""
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


@cache
def described(task: str, inputs: InputSettings) -> Mapping[str, str | bool | None]:
    """Returns what ``describe_inputs`` says; a bank's checksum is computed once per process."""
    return describe_inputs(tasks.get(task), inputs)


def images_of(config: Config) -> str:
    """Says in words which images the scores rest on."""
    found = described(config.task, config.inputs)
    return f"Images: {found['source']}{', a stand-in' if found['stand_in'] else ''}."


@cache
def _batch(protocol: Protocol, seed: int) -> Batch:
    batch = load_batch(tasks.get(protocol.task), protocol.inputs, seed, protocol.batch_size)
    return batch.to(protocol.device, channels_last=protocol.channels_last)


def check_device(name: str) -> None:
    """Raises a HarnessError unless ``name`` is a device that this machine has."""
    if name.partition(":")[0] not in DEVICES:
        raise unknown("device", name, DEVICES)
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise HarnessError(
            f"The device {name!r} cannot be used here ({str(error).splitlines()[0]}); use "
            "device=cpu, or cuda on a machine that has one."
        ) from error


def _regulariser(config: Config, space: Space, pool: Sequence[str]) -> RegulariserSettings:
    """Fills in the space's own μ, σ and unit, and resolves ``auto``."""
    chosen, own = config.regulariser, space.regulariser
    unit = _number("unit", chosen.unit, own.unit, above=0)

    def largest() -> float:
        sample = space.sample(min(1000, len(pool)), seed=0, pool=pool)
        return max(space.theta_params(key, config.task) for key in sample) / unit

    mu = largest() if chosen.mu == "auto" else _number("mu", chosen.mu, own.mu)
    sigma = largest() if chosen.sigma == "auto" else _number("sigma", chosen.sigma, own.sigma, 0)
    return RegulariserSettings(mu, sigma, unit)


def _number(name: str, chosen: object, own: float, above: float = -math.inf) -> float:
    """Returns what the user chose, or the space's own where that is null."""
    try:
        value = own if chosen is None else float(str(chosen))
    except ValueError:
        value = math.nan
    if not above < value < math.inf:
        limit = "" if math.isinf(above) else f" above {above:g}"
        auto = "" if name == "unit" else ", or auto"
        raise HarnessError(
            f"regulariser.{name}={chosen} is wrong; give a number{limit}{auto}, or null for the "
            "space's own."
        )
    return value
