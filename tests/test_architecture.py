"""The rooms of the harness and the one direction in which they know each other."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "harness"
FILES = sorted(PACKAGE.rglob("*.py"))

# A room imports from rooms below its own line, and from itself. A new room gets a place here.
LAYERS = [
    {"errors"},
    {"registry", "seeds", "files"},
    {"types", "tasks"},
    {"passes", "inputs", "spaces", "stats", "store", "executors", "results"},
    {"proxies", "truth", "training"},
    {"engine", "figures"},
    {"search"},
    {"config"},
    {"provenance", "report", "paper"},
    {"runs"},
    {"jobs", "api"},
    {"hydra_errors"},
    {"__main__"},
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Yields the dotted names that a file imports, of submodules and members alike."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_known_to(path: Path) -> set[str]:
    names = [name.split(".") for name in imports(path)]
    return {parts[1] for parts in names if parts[0] == "harness" and len(parts) > 1}


def libraries_of(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def test_every_file_has_a_place() -> None:
    assert len(FILES) > 80
    assert {room_of(path) for path in FILES} - {"__init__"} <= set(LEVEL)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        assert not rooms_known_to(path)
        return
    for other in rooms_known_to(path) - {room, "__version__"}:
        assert LEVEL[other] < LEVEL[room], f"{room} may not know {other}"


@pytest.mark.parametrize(
    ("room", "strangers"),
    [
        ("proxies", {"spaces", "inputs", "truth", "config", "tasks", "engine"}),
        ("passes", {"proxies", "spaces", "inputs", "truth"}),
        ("spaces", {"proxies", "truth", "passes", "inputs"}),
        ("inputs", {"spaces", "passes", "proxies", "truth"}),
        ("executors", {"proxies", "passes", "spaces", "store"}),
        ("store", {"proxies", "engine", "jobs"}),
        ("engine", {"spaces", "store", "truth", "inputs"}),
        ("stats", {"passes", "spaces", "types", "proxies", "truth"}),
        ("figures", {"engine", "proxies", "spaces", "truth"}),
        ("truth", {"engine", "store", "stats", "proxies"}),
        ("api", {"config", "jobs"}),
    ],
)
def test_rooms_that_must_not_know_each_other(room: str, strangers: set[str]) -> None:
    files = [path for path in FILES if room_of(path) == room]
    assert files
    for path in files:
        assert not rooms_known_to(path) & strangers, path


@pytest.mark.parametrize(
    ("library", "rooms"),
    [
        ("hydra", {"__main__", "hydra_errors"}),
        ("omegaconf", {"__main__", "hydra_errors", "config"}),
        ("matplotlib", {"figures"}),
        ("seaborn", {"figures"}),
        ("plotly", {"report"}),
        ("jinja2", {"report"}),
        ("pooch", {"truth"}),
        ("pyarrow", {"store", "runs", "jobs", "truth", "results"}),
    ],
)
def test_libraries_stay_in_their_rooms(library: str, rooms: set[str]) -> None:
    users = {room_of(path) for path in FILES if library in libraries_of(path)}
    assert users
    assert users <= rooms


def test_statistics_and_figures_run_without_torch() -> None:
    """Also through what they import: reading results should not take seconds to start."""
    for room in ("stats", "figures"):
        for path in (path for path in FILES if room_of(path) == room):
            assert "torch" not in libraries_of(path), path
    code = "import sys, harness.figures, harness.stats; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PACKAGE.parent)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_are_short_and_plain(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert len(path.read_text().splitlines()) <= 350
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert "*" not in {alias.name for alias in node.names}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "eval", "exec"}, node.lineno
    assert ast.get_docstring(tree), "a file says what it is for"
    if path.name == "__main__.py":
        assert len(path.read_text().splitlines()) <= 90
