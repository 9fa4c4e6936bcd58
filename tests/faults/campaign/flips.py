"""Flipped bits in every kind of file: what is read is what was written, or a sentence."""

import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from campaign import forked
from campaign.files import Kind, equal, kinds
from campaign.tally import Tally
from harness.core.errors import HarnessError
from harness.inputs import image_sets

HANGS_AFTER = 600
IN_ONE_FORK = 400
Flip = tuple[str, list[tuple[int, int]]]
"""Kind of file, and the places (of its bytes) with the bits that are flipped there."""


def run(tally: Tally, count: int, draw: random.Random) -> None:
    """Flips bits so often, and reads the file each time."""
    bank = Path(os.environ["HARNESS_MIRROR"]) if "HARNESS_MIRROR" in os.environ else None
    os.environ.pop("HARNESS_MIRROR", None)
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w") as nothing:
        with redirect_stdout(nothing), redirect_stderr(nothing):
            files = kinds(Path(folder), bank)
            whole = {name: kind.read() for name, kind in files.items()}
        while tally.tried < count:
            left = min(IN_ONE_FORK, count - tally.tried)
            plan = [_drawn(draw, files) for _ in range(left)]
            start = tally.tried
            for ended, found in forked.each(lambda p=plan: _flips(p, files, whole), HANGS_AFTER):
                flip = plan[tally.tried - start]
                if ended == forked.DONE:
                    tally.add(*found)
                else:
                    kind = "hangs" if ended == forked.HUNG else "tracebacks"
                    tally.add(ended, f"{flip}: {found}", kind)
                    break
            for name, content in _contents.items():  # a fork that was killed left one damaged
                files[name].path.write_bytes(content)
    if bank is not None:
        os.environ["HARNESS_MIRROR"] = str(bank)


_contents: dict[str, bytes] = {}


def _drawn(draw: random.Random, files: dict[str, Kind]) -> Flip:
    name = draw.choice(sorted(files))
    if name not in _contents:
        _contents[name] = files[name].path.read_bytes()
    size = len(_contents[name])
    # Half of them in the first and last bytes, where formats keep what the rest means.
    near = draw.random() < 0.5
    places = [*range(min(200, size)), *range(max(0, size - 1500), size)] if near else range(size)
    flips = [
        (draw.choice(places), 1 << draw.randrange(8)) for _ in range(draw.choice([1, 1, 1, 4]))
    ]
    return name, flips


def _flips(
    plan: list[Flip], files: dict[str, Kind], whole: dict[str, Any]
) -> Iterator[tuple[str, ...]]:
    with Path(os.devnull).open("w") as nothing, redirect_stdout(nothing), redirect_stderr(nothing):
        for name, flips in plan:
            kind = files[name]
            damaged = bytearray(_contents[name])
            for place, bits in flips:
                damaged[place] ^= bits
            kind.path.write_bytes(damaged)
            image_sets._read.cache_clear()
            found = _read(kind, whole[name])
            kind.path.write_bytes(_contents[name])
            yield (found[0], f"{name} {flips}: {found[1]}", found[2]) if len(found) > 1 else found


def _read(kind: Kind, whole: Any) -> tuple[str, ...]:
    try:
        found = kind.read()
    except HarnessError as error:
        fine = str(error).strip()[-1:] in (".", "?")
        return ("refused",) if fine else ("refused", str(error), "tracebacks")
    except BaseException as error:
        return ("raised", f"{type(error).__name__}: {error}"[:300], "tracebacks")
    if equal(whole, found):
        return ("unchanged",)
    return ("other text",) if not kind.guarded else ("changed", f"{found}"[:300], "wrong numbers")
