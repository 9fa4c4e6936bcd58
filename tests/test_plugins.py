"""Other packages: each thing that they bring is one file, and cannot be told from ours.

``tests/plugin`` is such a package; its modules and entry points are put where pip would put them.
"""

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from commands import ROOT

from harness.core.errors import HarnessError
from harness.core.registry import Registry

PLUGIN = Path(__file__).resolve().parent / "plugin"
ACCURACIES = "key,value\n" + "".join(f"width {width},{50 + width}\n" for width in range(1, 13))
RESULT = Path("results/main/toy/stripes")
RUN = [
    *("space=toy", "task=stripes", "truth=mine", "executor=mine", "executor.my_key=2", "n=8"),
    *("seed=0..1", "proxies=[my_proxy,params,swap]", "batch_size=8", "swap.images=8"),
]


def install(site: Path, name: str, modules: dict[str, str], groups: dict[str, str]) -> None:
    """Leaves modules and metadata as pip does; ``groups`` maps modules to entry-point groups."""
    metadata = site / f"{name}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    points = "".join(f"[{group}]\n{module} = {module}\n" for module, group in groups.items())
    (metadata / "entry_points.txt").write_text(points)
    for module, text in modules.items():
        (site / f"{module}.py").write_text(text)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with the package in ``site`` and its published file in ``mirror``."""
    published = tmp_path / "mirror/example.org/toy/accuracies.csv"
    published.parent.mkdir(parents=True)
    published.write_text(ACCURACIES)
    digest = hashlib.sha256(ACCURACIES.encode()).hexdigest()
    modules = {path.stem: path.read_text() for path in PLUGIN.glob("*.py")}
    modules["my_truth"] = modules["my_truth"].replace("SHA256", digest)
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    points = project["entry-points"].items()
    groups = {module: group for group, named in points for module in named.values()}
    assert groups.keys() == modules.keys()
    install(tmp_path / "site", "my_nas", modules, groups)
    return tmp_path


def harness(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    search = os.pathsep.join([str(folder / "site"), str(ROOT)])
    places = {"HARNESS_MIRROR": str(folder / "mirror"), "HARNESS_DATA": str(folder / "data")}
    return subprocess.run(
        [sys.executable, "-m", "harness", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": search} | places | variables,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def scores(folder: Path, result: Path = RESULT) -> pd.DataFrame:
    table = pd.read_parquet(folder / result / "scores.parquet")
    assert set(table.status) == {"ok"}
    return table[table.proxy == "my_proxy"].assign(width=table.key.str.split().str[1].astype(int))


def test_everything_of_another_package_runs_from_the_command_line(here: Path) -> None:
    run = harness(here, *RUN, "my_pass.depth=3")
    assert run.returncode == 0, run.stderr
    table = pd.read_csv(here / RESULT / "correlations.csv").set_index("proxy")
    assert table.loc["my_proxy"].spearman.to_list() == pytest.approx([1, 1])
    own = scores(here)
    assert (own.value == 27 * own.width).all()
    assert (own.truth == 50 + own.width).all()
    assert (here / "note.txt").read_text() == "mine 2 2"
    record = json.loads((here / RESULT / "run.json").read_text())
    assert record["config"]["my_pass"] == {"depth": 3}
    assert record["inputs"]["origin"] == "stripes of two directions"
    assert record["conditions"]["proxies"]["my_proxy"]["settings"] == {"my_pass": {"depth": 3}}
    assert "my_pass" not in record["conditions"]["proxies"]["swap"]["settings"]

    # An edited formula never meets the scores of the old one.
    module = here / "site/my_proxy.py"
    module.write_text(module.read_text().replace("1.0 *", "2.0 *"))
    edited = [*RUN, "my_pass.depth=3", "seed=0..2"]
    again = harness(here, *edited)
    assert again.returncode == 1
    assert "under other conditions (proxies.my_proxy.definition=" in again.stderr
    assert harness(here, *edited, "overwrite=true").returncode == 0
    own = scores(here)
    assert len(own) == 24
    assert (own.value == 54 * own.width).all()


def test_help_list_completion_and_jobs_know_a_plug_in(here: Path) -> None:
    shown = harness(here, "--help", "executor=mine", "job=count").stdout
    assert all(key in shown for key in ("my_pass.depth=1", "executor.my_key=1", "upto=3"))
    for typed in ("truth=mine", "space=toy", "space=toy task=stripes", "proxies=[my_proxy"):
        done = harness(here, "--complete", f"python -m harness {typed[:-1]}")
        assert done.stdout.split() == [typed.rpartition(" ")[2]]
    listed = csv.DictReader(io.StringIO(harness(here, "job=list", "format=csv").stdout))
    found = {(row["kind"], row["name"], row["available"]) for row in listed}
    assert found >= {
        ("space", "toy", ""),
        ("task", "stripes", ""),
        ("proxy", "my_proxy", ""),
        ("inputs", "stripes_train", "bundled"),
        ("truth", "mine", "at hand"),
        ("executor", "mine", ""),
        ("job", "count", ""),
    }
    counted = harness(here, "job=count", "my_pass.depth=2", "upto=4")
    assert (counted.returncode, counted.stdout) == (0, "2 3 4\n")
    ended = harness(here, "job=count", "upto=0")
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: job=count was ended by sys.exit(None)")


def test_the_proxy_of_the_page_in_a_package(tmp_path: Path) -> None:
    """Its first import is one of ours that others of ours need: none may be left half imported."""
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    (shown, *_) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert shown.startswith("from harness.passes.minibatch")
    install(tmp_path / "site", "page", {"shown": shown}, {"shown": "harness.proxies"})
    small = ["space=nb201", "task=digits", "n=2", "batch_size=8", "executor=local"]
    run = harness(tmp_path, *small, "proxies=[largest_gradient]")
    assert run.returncode == 0, run.stderr
    assert "failed to load" not in run.stderr


FIRST = """
import os, sys
from importlib import import_module
from pathlib import Path
import matplotlib, pandas, scipy.stats, torch  # once for all forks

HOMES = ("core", "executors", "inputs", "jobs", "passes", "proxies", "spaces", "truth")
for path in sorted(p for home in HOMES for p in Path(sys.argv[1], "harness", home).rglob("*.py")):
    name = ".".join(path.relative_to(sys.argv[1]).with_suffix("").parts).removesuffix(".__init__")
    pid = os.fork()
    if pid == 0:
        from harness.core import registry

        class Point:
            name = value = "first"
            load = staticmethod(lambda: import_module(name))

        registry._our_entry_points = lambda: [Point]
        from harness.jobs.job import jobs
        from harness.proxies.contract import proxies

        jobs.names(), proxies.names()
        for reason in registry.broken.values():
            print(name, reason, flush=True)
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        print(name, "ended", flush=True)
"""


@pytest.mark.slow
def test_a_plug_in_may_import_any_of_our_modules_first() -> None:
    """Of the rooms that it adds to."""
    run = subprocess.run(
        [sys.executable, "-c", FIRST, str(ROOT)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (0, ""), run.stdout + run.stderr


BROKEN = {
    "leaves": "import sys\nsys.exit(0)\n",
    "lacks": "import no_such_module_anywhere\n",
    "takes_a_name": """
from harness.passes.static import Layers
from harness.proxies import proxy

@proxy()
def swap(layers: Layers) -> float:
    return 1.0
""",
    "reports_again": """
from harness.passes import observes
from harness.passes.static import Layers

@observes(Layers)
def another(run):
    return {}
""",
    "forgets_a_default": """
from dataclasses import dataclass
from harness.passes import score_settings

@score_settings("careless")
@dataclass(frozen=True)
class Careless:
    images: int
""",
    "lacks_a_pass": """
from harness.passes import Observation
from harness.proxies import proxy

class Nothing(Observation):
    pass

@proxy()
def lonely(nothing: Nothing) -> float:
    return 1.0
""",
}
TOLD = {
    "leaves": "SystemExit: 0",
    "lacks": "No module named 'no_such_module_anywhere'",
    "takes_a_name": "The proxy 'swap' is registered twice",
    "reports_again": "reports Layers already; give 'another' an observation of its own",
    "forgets_a_default": "missing 1 required positional argument: 'images'",
}


def test_a_broken_package_stops_nothing_but_itself(here: Path) -> None:
    install(here / "site", "broken", BROKEN, dict.fromkeys(BROKEN, "harness.proxies"))
    plain = [word for word in RUN if not word.startswith("executor")]
    run = harness(here, *plain, "executor=processes", "executor.workers=2")
    assert run.returncode == 0, run.stderr
    assert scores(here).value.gt(0).all()
    for module, reason in TOLD.items():
        told = [line for line in run.stderr.splitlines() if f", {module}) failed to load" in line]
        assert len(told) == 1, run.stderr  # by the run, not once more by every worker
        assert reason in told[0]
    lonely = harness(here, *plain, "proxies=[params,lonely]")
    assert lonely.returncode == 1
    assert lonely.stderr.splitlines()[-1].startswith("Error: No pass reports Nothing; declare one")


def test_a_name_can_be_taken_once() -> None:
    shelf: Registry[object] = Registry("proxy")
    item = object()
    assert shelf.add("swap", item) is item
    shelf.add("swap", item)
    with pytest.raises(HarnessError, match="'swap' is registered twice"):
        shelf.add("swap", object())
    assert shelf.names() == ["swap"]
    assert "swap" in shelf
    assert "snip" not in shelf
