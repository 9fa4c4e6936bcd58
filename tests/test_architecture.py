"""The packages of the harness and the one direction in which they know each other."""

import ast
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "harness"
FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text()) for path in FILES}

# A package imports from those in the lines above its own, and from itself; within functions and
# for type checking too. A new package gets a place here.
LAYERS = [
    {"core"},
    {"sources", "stats", "executors"},
    {"inputs", "passes"},
    {"spaces", "proxies"},
    {"truth", "config"},
    {"scoring"},
    {"results"},
    {"figures"},
    {"run_pictures"},
    {"evaluation", "training", "artefacts", "adapters"},
    {"search"},
    {"analyses", "papers", "report", "overview"},
    {"jobs"},
    {"command_line", "api"},
    {"__main__"},
]
LEVEL = {package: level for level, packages in enumerate(LAYERS) for package in packages}


def package_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def imports(path: Path) -> list[str]:
    """Returns the dotted names that a file imports, of submodules and members alike."""
    names: list[str] = []
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def known_to(path: Path) -> set[str]:
    names = [name.split(".") for name in imports(path)]
    return {parts[1] for parts in names if parts[0] == "harness" and len(parts) > 1}


def libraries_of(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def test_every_file_has_a_place() -> None:
    assert {package_of(path) for path in FILES} == {*LEVEL, "__init__"}


def test_imports_run_one_way() -> None:
    upward = [
        f"{path.relative_to(PACKAGE)} may not know {other}"
        for path in FILES
        for other in known_to(path) - {package_of(path), "__version__"}
        if LEVEL[other] >= LEVEL.get(package_of(path), 0)
    ]
    assert upward == []


# What lies lower may still be no business of a package's.
@pytest.mark.parametrize(
    ("place", "strangers"),
    [
        ("proxies", {"inputs", "sources"}),
        ("spaces", {"passes", "sources"}),
        ("truth", {"passes", "proxies", "stats"}),
        ("scoring/engine.py", {"spaces", "inputs", "truth", "executors", "config"}),
        ("figures", {"scoring", "proxies", "passes", "spaces", "truth", "inputs", "config"}),
        ("api.py", {"search", "training", "papers", "jobs"}),
        ("jobs/job.py", {"evaluation", "search", "training", "papers", "report", "analyses"}),
        ("analyses", {"passes", "scoring", "inputs"}),
    ],
)
def test_packages_that_must_not_know_each_other(place: str, strangers: set[str]) -> None:
    found = PACKAGE / place
    files = [found] if found.is_file() else list(found.rglob("*.py"))
    assert files
    for path in files:
        assert not known_to(path) & strangers, path


def test_only_what_is_about_searches_knows_them() -> None:
    """The folder of a search is deleted together with its jobs and its paper's artefacts."""
    users = {package_of(path) for path in FILES if "search" in known_to(path)}
    assert users <= {"search", "jobs", "papers", "command_line"}


@pytest.mark.parametrize(
    ("library", "packages"),
    [
        ("hydra", {"command_line"}),
        ("omegaconf", {"command_line"}),
        ("matplotlib", {"figures"}),
        ("jinja2", {"report"}),
        ("pooch", {"sources"}),
    ],
)
def test_libraries_stay_where_they_belong(library: str, packages: set[str]) -> None:
    users = {package_of(path) for path in FILES if library in libraries_of(path)}
    assert users
    assert users <= packages


def modules_below(*places: str) -> list[str]:
    found = [path for place in places for path in sorted(PACKAGE.glob(place))]
    assert len(found) >= len(places)
    return [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in found]


@pytest.mark.parametrize(
    ("places", "heavy"),
    [
        (
            [
                *("config.py", "core/*.py", "jobs/*.py", "sources/*.py", "executors/*.py"),
                *("spaces/*.py", "truth/*.py", "scoring/scope.py", "scoring/conditions.py"),
                *("inputs/tasks.py", "inputs/selection.py", "inputs/known_sets.py"),
                *("passes/observation.py", "passes/settings.py", "proxies/contract.py"),
            ],
            {"torch", "pandas", "scipy", "sklearn", "matplotlib", "hydra"},
        ),
        (["command_line/*.py"], {"torch", "pandas", "scipy", "sklearn", "matplotlib"}),
        (["stats/*.py", "figures/*.py", "results/*.py", "report/*.py"], {"torch", "sklearn"}),
    ],
    ids=["what every run imports", "the command line", "readers of results"],
)
def test_what_starts_at_once(places: list[str], heavy: set[str]) -> None:
    """Also through what they import: a wrong key must be told within a second."""
    code = f"import sys, {', '.join(modules_below(*places))}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=PACKAGE.parent, capture_output=True, text=True
    )
    assert not heavy & set(run.stdout.split())


def test_each_name_once() -> None:
    modules = Counter(path.stem for path in FILES if path.stem != "__init__")
    classes = Counter(
        node.name
        for path in FILES
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, times in (modules + classes).items() if times > 1] == []


def test_files_are_short_and_plain() -> None:
    for path, tree in TREES.items():
        assert ast.get_docstring(tree), f"{path} must say what it is for"
        lines = len(path.read_text().splitlines())
        assert lines <= (90 if path.name == "__main__.py" else 350), path
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert "*" not in {alias.name for alias in node.names}, path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"print", "eval", "exec"}, (path, node.lineno)
