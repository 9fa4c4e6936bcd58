"""Fills ``.gpu/`` with what a machine without a package index lacks: ``make gpu-kit``.

That is the wheels, the study's missing shards, and the images that their batches draw. The working
tree and this folder are all that travels there, so that together they have a limit.
"""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.gpu.command_lines import of_target
from benchmarks.gpu.missing import missing_shards
from benchmarks.gpu.part import KIT
from harness.core.errors import HarnessError
from harness.core.files import atomic
from harness.core.machine import commit
from harness.inputs.batch import chosen_images
from harness.inputs.image_sets import read_image_set
from harness.inputs.selection import InputSettings, image_set_of
from harness.inputs.tasks import tasks
from harness.scoring.shard import ScoreShard
from harness.search.swap_nas.searches import DARTS_IMAGES
from harness.sources.places import mirror_folder

# Pure Python, so that one wheel is right for any Python; what torch brings along is not needed.
WHEELS = (
    *("hydra-core", "omegaconf", "antlr4-python3-runtime", "rich", "pooch", "platformdirs"),
    *("markdown-it-py", "mdurl", "pygments"),
)
LIMIT = 64 * 2**20  # bytes of tree and kit together
# Zero-Cost-PT draws hundreds of batches: the set travels whole if there is room.
SEARCHED, WHOLE = "cifar10_train", 29 * 2**20


def main(target: str) -> None:
    """Fills the kit with what ``make TARGET`` lacks.

    Raises:
        HarnessError: If tree and kit are too large to travel.
    """
    shutil.rmtree(KIT, ignore_errors=True)
    (KIT / "mirror" / "images").mkdir(parents=True)
    wheels(KIT / "wheels")
    shards = missing_shards(of_target(target))
    (KIT / "shards.pickle").write_bytes(pickle.dumps(shards))
    drawn = draws(shards)
    drawn[SEARCHED] = np.append(drawn.get(SEARCHED, []), of_search()).astype(int)
    for name, chosen in sorted(drawn.items()):
        take_part(name, np.unique(chosen))
    tree = size(map(Path, tracked()))
    if size(KIT.rglob("*")) + tree + WHOLE <= LIMIT:
        take_whole(SEARCHED)
    kit = size(KIT.rglob("*"))
    architectures = sum(len(shard.keys) for shard in shards)
    facts = {
        "commit": commit(),
        "target": target,
        "shards": len(shards),
        "architectures": architectures,
        "kit_mib": round(kit / 2**20, 1),
        "tree_mib": round(tree / 2**20, 1),
    }
    (KIT / "kit.json").write_text(json.dumps(facts, indent=1) + "\n")
    sys.stdout.write(f"{KIT}: {facts}\n")
    if kit + tree > LIMIT:
        raise HarnessError(
            f"Tree and kit have {(kit + tree) / 2**20:.0f} MiB, and {LIMIT // 2**20} can travel; "
            "take a smaller study."
        )


def wheels(folder: Path) -> None:
    """Collects the wheels in the versions that CI runs; antlr4's has to be built."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    subprocess.run(
        [*command, "--constraint", "constraints.txt", "--wheel-dir", str(folder), *WHEELS],
        check=True,
    )


def draws(shards: Sequence[ScoreShard]) -> dict[str, np.ndarray]:
    """Returns which images of which set the batches of some shards hold."""
    found: dict[str, list[np.ndarray]] = defaultdict(list)
    for conditions, seed in dict.fromkeys((shard.conditions, shard.seed) for shard in shards):
        image_set = image_set_of(tasks.get(conditions.task), conditions.inputs)
        if image_set is not None and image_set.load is None:
            name, size = image_set.name, conditions.batch_size
            whole = read_image_set(name)
            found[name].append(chosen_images(whole, name, conditions.inputs, seed, size))
    return {name: np.concatenate(chosen) for name, chosen in found.items()}


def of_search() -> np.ndarray:
    """Returns what SWAP-NAS's batch draws."""
    content = read_image_set(SEARCHED)
    return chosen_images(content, SEARCHED, InputSettings(), seed=0, size=DARTS_IMAGES)


def take_part(name: str, chosen: np.ndarray) -> None:
    """Copies a set of which only the drawn images are kept; the others are black."""
    content = read_image_set(name)
    if 2 * len(chosen) > len(content.images):
        take_whole(name)
        return
    held = np.zeros(len(content.images), dtype=bool)
    held[chosen] = True
    images = np.where(held[:, None, None, None], content.images, np.uint8(0))
    labels = {} if content.labels is None else {"labels": content.labels}
    with atomic(place(name)) as partial:
        np.savez_compressed(
            partial, images=images, held=held, part_of=np.array(content.sha256), **labels
        )


def take_whole(name: str) -> None:
    """Copies a set as it is."""
    mirror = mirror_folder()
    folders = [mirror / "images" if mirror else None, Path("data") / "images"]
    found = [f / f"{name}.npz" for f in folders if f and (f / f"{name}.npz").is_file()]
    if found:
        place(name).unlink(missing_ok=True)
        shutil.copyfile(found[0], place(name))


def place(name: str) -> Path:
    """Returns where a set lies in the kit, which is a mirror of its own."""
    return KIT / "mirror" / "images" / f"{name}.npz"


def tracked() -> list[str]:
    """Returns the files of the working tree that travel."""
    done = subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def size(paths: Iterable[Path]) -> int:
    """Returns the bytes of files."""
    return sum(path.stat().st_size for path in paths if path.is_file())


if __name__ == "__main__":
    main(sys.argv[1])
