"""Cells as graphs: what is counted of them, by walking every path, and in every space."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import truth
from harness.spaces import nb201
from harness.spaces.cell_graph import CellGraph, is_convolution, is_pooling, is_skip
from harness.spaces.space import spaces

OPERATIONS = st.lists(st.sampled_from(nb201.OPERATIONS), min_size=6, max_size=6)


def paths(cell):
    """All paths of arcs from an input to the output that carry something."""
    last = max(target for _, target, _ in cell.arcs)
    found, open_paths = [], [[arc] for arc in cell.arcs if arc[0] < cell.inputs]
    while open_paths:
        path = open_paths.pop()
        if path[-1][2] == "none":
            continue
        if path[-1][1] == last:
            found.append(path)
        open_paths += [[*path, arc] for arc in cell.arcs if arc[0] == path[-1][1]]
    return found


def literal_width(cell):
    """The largest set of operations of which no path holds two."""
    walked = paths(cell)
    used = {arc for path in walked for arc in path if arc[2]}
    together = {frozenset(pair) for path in walked for pair in itertools.combinations(path, 2)}
    sets = (s for k in range(len(used) + 1) for s in itertools.combinations(used, k))
    return max(
        len(s)
        for s in sets
        if not any(frozenset(pair) in together for pair in itertools.combinations(s, 2))
    )


def check(cell):
    walked = paths(cell)
    used = {arc for path in walked for arc in path}
    assert set(cell.used) == used
    assert cell.depends_on_input == bool(walked)
    assert cell.depth == max((sum(bool(arc[2]) for arc in path) for path in walked), default=0)
    assert cell.width == literal_width(cell)
    assert cell.loose == any(arc not in used and arc[2] != "none" for arc in cell.arcs)


@given(OPERATIONS)
def test_cells_of_nb201(operations):
    check(nb201.graph(operations))


@pytest.mark.parametrize("name", ["nb101", "nb301", "darts", "tnb101_micro", "tnb101_macro"])
def test_cells_of_other_spaces(name):
    space = spaces.get(name)
    pool = None
    if name == "nb101":
        pool = space.listed()[::70_000].to_pylist()
    for key in space.sample(5, seed=0, pool=pool):
        for cell in space.cells(key):
            check(cell)


@pytest.mark.parametrize(
    ("space", "key", "kinds", "depth", "width"),
    [
        ("nb101", "conv1x1~0|maxpool3x3~01|conv3x3~0|output~023", (2, 1, 0), 2, 2),
        ("tnb101_micro", "64-41414-1_02_333", (4, 0, 1), 3, 3),
        ("tnb101_macro", "64-2311-basic", (4, 0, 0), 4, 1),
        (
            "nb201",
            "|none~0|+|skip_connect~0|none~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|",
            (1, 1, 1),
            2,
            1,
        ),
    ],
)
def test_cells_by_hand(space, key, kinds, depth, width):
    """The kinds are convolutions, poolings and skip connections."""
    (cell,) = spaces.get(space).cells(key)
    assert tuple(cell.count(kind) for kind in (is_convolution, is_pooling, is_skip)) == kinds
    assert (cell.depth, cell.width) == (depth, width)


def test_cells_and_wiring_tell_architectures_apart():
    for name, pool in (("nb101", spaces.get("nb101").listed()[:300].to_pylist()), ("darts", None)):
        space = spaces.get(name)
        cells = {space.cells(key) for key in space.sample(100, seed=1, pool=pool)}
        assert len(cells) == 100


def test_a_dead_cell():
    dead = CellGraph(((0, 1, "conv"), (1, 2, "none")))
    assert not dead.depends_on_input
    assert dead.loose
    assert (dead.depth, dead.width) == (0, 0)


@pytest.mark.mirror
def test_the_published_cells_are_those_without_a_loose_end():
    """Kadlecová et al., "Surprisingly strong performance prediction with neural graph features",
    ICML 2024, keep 9,445 cells of NAS-Bench-201.
    """
    space = spaces.get("nb201")
    tight = {key for key in space.numbered() if not space.cells(key)[0].loose}
    assert len(tight) == 9_445
    assert set(truth.load_published("nb201", "cifar10").key) == tight
