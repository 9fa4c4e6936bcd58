"""What else was measured of NAS-Bench-201's architectures: latency, energy, accuracy under attack.

Latency and energy are HW-NAS-Bench's (Li et al., ICLR 2021), accuracy under attack that of "Neural
Architecture Design and Robustness: A Dataset" (Jung et al., ICLR 2023), both as the authors of GRAF
publish them (Kadlecová et al., ICML 2024).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.core.errors import DataError, HarnessError
from harness.sources.fetch import fetch
from harness.spaces import nb201
from harness.spaces.space import spaces
from harness.truth import bundled

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["latency", "energy", "robust accuracy"]


@dataclass(frozen=True)
class Target:
    """A quantity other than the accuracy that benchmarks compare.

    Attributes:
        name: Its column in the table.
        kind: Robust accuracy is better if it is higher, the others if they are lower.
        of: The device (Eyeriss and the FPGA are modelled), or the attack with its strength.
        unit: Of its values.
        column: What the raw file calls it.
        scale: What a stored number has to be multiplied by.
    """

    name: str
    kind: Kind
    of: str
    unit: str
    column: str
    scale: float = 1.0

    @property
    def label(self) -> str:
        """What figures call it: ``Pixel 3 latency``, ``PGD, 1/255``."""
        return self.of if self.kind == "robust accuracy" else f"{self.of} {self.kind}"


DEVICES = {
    "edgegpu": "Edge GPU",
    "raspi4": "Raspberry Pi 4",
    "edgetpu": "Edge TPU",
    "pixel3": "Pixel 3",
    "eyeriss": "Eyeriss",
    "fpga": "FPGA",
}
ATTACKS = {"fgsm": "FGSM", "pgd": "PGD", "aa_apgd-ce": "APGD", "aa_square": "Square"}
STRENGTHS = (0.5, 1.0, 2.0, 4.0)
"""Of all attacks, L∞, in 255ths of the range of a pixel; at 8 most networks have no accuracy."""
WITHOUT_ENERGY = ("raspi4", "edgetpu", "pixel3")
NOT_MEASURED = -1.0
TENTH = 0.1

UNITS: dict[Kind, str] = {"latency": "ms", "energy": "mJ"}
HARDWARE = [
    Target(f"{kind}_{device}", kind, name, unit, f"{device}_{kind}")
    for device, name in DEVICES.items()
    for kind, unit in UNITS.items()
    if kind == "latency" or device not in WITHOUT_ENERGY
]
ROBUSTNESS = [
    Target(
        f"{name.lower()}_{strength:g}",
        "robust accuracy",
        f"{name}, {strength:g}/255",
        "percent of the test images",
        f"{attack}@Linf_eps-{strength}",
        TENTH,
    )
    for attack, name in ATTACKS.items()
    for strength in STRENGTHS
]


@dataclass(frozen=True)
class TargetTable:
    """Targets that come from one file: its bundled table, and its name in the catalogue."""

    name: str
    source: str
    targets: list[Target]


_ROBUSTNESS = TargetTable("nb201_cifar10_robustness", "nb201_robustness_cifar10", ROBUSTNESS)
TABLES = {
    ("nb201", task): [
        TargetTable(f"nb201_{task}_hardware", f"nb201_hardware_{task}", HARDWARE),
        *([_ROBUSTNESS] if task == "cifar10" else []),
    ]
    for task in ("cifar10", "cifar100", "imagenet16_120")
}
"""Space and task -> its tables."""


def targets(space: str, task: str) -> list[Target]:
    """Returns what else was measured of the architectures of a space on a task.

    Raises:
        HarnessError: If nothing was.
    """
    if (space, task) not in TABLES:
        known = ["/".join(place) for place in TABLES]
        raise HarnessError(
            f"Of {space}'s architectures nothing but accuracies is at hand on {task}; latency, "
            f"energy and robustness are known of {', '.join(known)}."
        )
    return [one for table in TABLES[space, task] for one in table.targets]


def load_targets(space: str, task: str) -> pd.DataFrame:
    """Loads what else was measured of the architectures of a space on a task.

    Returns:
        One row per architecture, sorted by key: ``key`` (canonical) and a column for each of
        ``targets``; NaN where it was not measured (4,699 cells on the Edge TPU). Latency and energy
        are rounded to eleven binary digits, by less than a repeated measurement differs.

    Raises:
        HarnessError: If nothing was.
    """
    import pandas as pd

    wanted = {one.name: one.scale for one in targets(space, task)}
    parts = [bundled.read(table.name) for table in TABLES[space, task]]
    values = pd.concat(parts, axis="columns").astype(float) * pd.Series(wanted)
    values.insert(0, "key", list(spaces.get(space).keys()))
    return values


def make(table: TargetTable) -> pd.DataFrame:
    """Makes a bundled table from its raw file: a column per target, in the order of the keys.

    Accuracies are stored as whole tenths of a percent, latency and energy as 16-bit floats.

    Raises:
        DataError: If the file cannot be had, or is not the expected one.
    """
    import pandas as pd

    path = fetch(table.source)
    try:
        raw = pd.read_csv(path)
        raw["key"] = [nb201.from_naslib(ast.literal_eval(text)) for text in raw["net"]]
        raw = raw.sort_values("key", ignore_index=True)
        values = raw[[one.column for one in table.targets]].astype(float)
    except (KeyError, ValueError, SyntaxError, HarnessError) as error:
        raise DataError(f"{path} is not the expected table of targets ({error}).") from error
    if list(raw["key"]) != list(spaces.get("nb201").keys()):
        raise DataError(f"{path} does not hold every NAS-Bench-201 architecture once.")
    values = values.set_axis([one.name for one in table.targets], axis="columns")
    return _tenths(values, path) if table is _ROBUSTNESS else _measured(values, path)


def _tenths(percent: pd.DataFrame, path: Path) -> pd.DataFrame:
    tenths = (percent / TENTH).round()
    whole = np.isclose(tenths * TENTH, percent) & (tenths >= 0) & (tenths <= 1000)
    if not whole.all(axis=None):
        raise DataError(f"{path} holds accuracies that are no tenths of a percent.")
    return tenths.astype(np.uint16)


def _measured(values: pd.DataFrame, path: Path) -> pd.DataFrame:
    measured = values.where(values != NOT_MEASURED)
    if not (measured.isna() | (measured > 0)).all(axis=None):
        raise DataError(f"{path} holds latencies or energies that are not positive.")
    return measured.astype(np.float16)


for _table in {one.name: one for tables in TABLES.values() for one in tables}.values():
    bundled.recipes.add(_table.name, partial(make, _table))
