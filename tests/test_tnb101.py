"""TransNAS-Bench-101: the exact networks, keys and counts of both spaces and all seven tasks."""

import ast
import json
import math
import os
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import measured, on_meta, parameters, vectors

from harness.core.errors import HarnessError
from harness.core.sections import Place
from harness.inputs.tasks import tasks
from harness.passes.losses import LOSSES
from harness.passes.settings import RegulariserSettings
from harness.scoring.conditions import sampled_sizes
from harness.spaces import tnb101, tnb101_sizes
from harness.spaces.space import spaces

micro, macro = tnb101.TransNasMicro(), tnb101.TransNasMacro()
SPACES = {"micro": micro, "macro": macro}
KEYS = {name: space.keys() for name, space in SPACES.items()}
architectures = st.sampled_from([(SPACES[name], key) for name in KEYS for key in KEYS[name]])


def build_on_meta(space, key, task):
    return on_meta(space.network, key, task).eval()


# Vectors of the benchmark's own builder.


CASES = [
    pytest.param((space, vector), id=vector["arch"])
    for name, space in SPACES.items()
    for vector in vectors(f"transnas_{name}").get("vectors", [])
]


@pytest.mark.vectors
@pytest.mark.parametrize("case", CASES)
def test_parameters_equal_the_benchmarks(case):
    space, vector = case
    with_rider = type(space)(discriminator=True)
    assert set(vector["tasks"]) == set(tnb101.TASKS)
    for name, expected in vector["tasks"].items():
        task = tasks.get(name)
        network = build_on_meta(space, vector["arch"], task)
        assert parameters(network) == expected["params"], name
        assert space.count_params(vector["arch"], name) == expected["params"], name
        assert parameters(network.encoder) == vector["encoder_params"]
        if "classes" in expected:
            assert task.outputs == expected["classes"]
        for fewer in (47, 75):
            if f"params_if_{fewer}_classes" in expected:
                smaller = build_on_meta(space, vector["arch"], replace(task, outputs=fewer))
                assert parameters(smaller) == expected[f"params_if_{fewer}_classes"]
        total = expected.get("params_with_discriminator", expected["params"])
        assert with_rider.count_params(vector["arch"], name) == total
        assert parameters(build_on_meta(with_rider, vector["arch"], task)) == total


@pytest.mark.vectors
@pytest.mark.parametrize("case", CASES)
def test_forwards_do_the_benchmarks_work(case):
    space, vector = case
    for name, expected in vector["tasks"].items():
        if "macs" not in expected:
            continue
        task = tasks.get(name)
        done = measured(build_on_meta(space, vector["arch"], task), shape=task.input_shape)
        for quantity in ("macs", "conv_calls", "relu_calls", "relu_units"):
            assert getattr(done, quantity) == expected[quantity], (name, quantity)
        assert done.output_shape == expected["output_shape"]


@pytest.mark.vectors
@pytest.mark.parametrize("case", CASES)
def test_encoder_shapes_equal_the_benchmarks(case):
    space, vector = case
    encoder = build_on_meta(space, vector["arch"], tasks.get("normal")).encoder
    output = encoder(torch.empty(1, 3, 256, 256, device="meta"))
    assert list(output.shape) == vector["encoder_output_256"]
    # The benchmark declares the size for 224 pixels and derives the decoders' doublings from it.
    modules = space.modules(vector["arch"])
    width, side, _ = vector["encoder_output_dim_declared"]
    assert (width, side) == (
        tnb101_sizes.output_width(modules),
        224 >> tnb101_sizes.halvings(modules),
    )
    assert tnb101_sizes.halvings(modules) == int(math.log2(256 / side))


# Keys and pools.


def test_both_spaces_are_registered():
    assert isinstance(spaces.get("tnb101_micro"), tnb101.TransNasMicro)
    assert isinstance(spaces.get("tnb101_macro"), tnb101.TransNasMacro)


def test_pools_have_the_published_sizes():
    assert len(micro.keys()) == len(set(micro.keys())) == 4096
    assert len(macro.keys()) == len(set(macro.keys())) == 3256
    by_length = Counter(len(key.split("-")[1]) for key in KEYS["macro"])
    assert by_length == {4: 210, 5: 750, 6: 2296}


@pytest.mark.parametrize("name", SPACES)
def test_keys_are_sorted_and_canonical(name):
    assert list(KEYS[name]) == sorted(KEYS[name])
    assert all(SPACES[name].canonical(f" {key}\n") == key for key in KEYS[name])


@pytest.mark.parametrize(
    "key",
    [
        "",
        "64-41414-3_33_33",
        "64-41414-3_33_334",
        "64-41414-333333",
        "32-41414-3_33_333",
        "64-41413-3_33_333",
        "64-1234-basic",
        "64-41414-3_33_333-",
    ],
)
def test_malformed_micro_keys_are_explained(key):
    with pytest.raises(HarnessError, match=r"expected the form 64-41414-a_bc_def"):
        micro.canonical(key)
    with pytest.raises(HarnessError):
        micro.count_params(key, "jigsaw")


@pytest.mark.parametrize("key", ["", "64-123-basic", "64-1234123-basic", "64-1230-basic", "1234"])
def test_malformed_macro_keys_are_explained(key):
    with pytest.raises(HarnessError, match=r"expected the form 64-abcd-basic"):
        macro.canonical(key)


@pytest.mark.parametrize("modules", ["1111", "2222", "1113", "1112", "33333", "42241", "444422"])
def test_macro_keys_outside_the_space_are_explained(modules):
    with pytest.raises(HarnessError, match=r"1 to 4 modules that halve .* 1 to 3 that double"):
        macro.canonical(f"64-{modules}-basic")


def test_unknown_tasks_are_explained():
    with pytest.raises(HarnessError, match="Did you mean 'class_scene'"):
        micro.count_params(micro.keys()[0], "class_scenes")


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_samples_are_fixed_by_the_seed(space):
    drawn = space.sample(40, seed=3)
    assert drawn == space.sample(40, seed=3) == space.sample(90, seed=3)[:40]
    assert drawn != space.sample(40, seed=4)
    assert len(set(drawn)) == 40 and set(drawn) <= set(space.keys())


# NASLib's tuples.


def test_micro_tuples_are_written_digit_by_digit():
    assert tnb101.micro_from_naslib((3, 0, 2, 1, 2, 3)) == "64-41414-3_02_123"
    assert tnb101.micro_from_naslib(np.array([0, 1, 2, 3, 0, 1])) == "64-41414-0_12_301"


def test_macro_tuples_may_be_padded():
    assert tnb101.macro_from_naslib((1, 2, 3, 4)) == "64-1234-basic"
    assert tnb101.macro_from_naslib(np.array([1, 2, 3, 4, 0, 0])) == "64-1234-basic"


def test_one_tuple_is_legal_in_both_spaces():
    both = (2, 3, 2, 3, 2, 3)
    assert tnb101.micro_from_naslib(both) == "64-41414-2_32_323"
    assert tnb101.macro_from_naslib(both) == "64-232323-basic"


@pytest.mark.parametrize("tuple_", [(), (1, 2, 3), (0,) * 7, (0, 1, 2, 3, 4, 0), (2.5,) * 6])
def test_malformed_micro_tuples_are_explained(tuple_):
    with pytest.raises(HarnessError, match="six numbers from 0 to 3"):
        tnb101.micro_from_naslib(tuple_)


@pytest.mark.parametrize(
    "tuple_", [(), (1, 2, 3), (12, 3, 4), (1, 0, 2, 3, 4), (1, 2, 3, 5), (1, 2, 3, 4, 0, 0, 0)]
)
def test_malformed_macro_tuples_are_explained(tuple_):
    with pytest.raises(HarnessError, match="macro architecture"):
        tnb101.macro_from_naslib(tuple_)


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("space", "convert", "archive"),
    [
        (micro, tnb101.micro_from_naslib, "naslib/data/zc_benchmarks/all_benchmarks_zen.zip"),
        (macro, tnb101.macro_from_naslib, "run/results/benchmarks/tnb101_macro_zen.zip"),
    ],
    ids=SPACES,
)
def test_published_tuples_are_exactly_the_keys(space, convert, archive):
    commit = "automl/NASLib/8c45f19dc259956c3bd253071135c798ad3df8ce"
    path = Path(os.environ["HARNESS_MIRROR"]) / "raw.githubusercontent.com" / commit / archive
    with zipfile.ZipFile(path) as files:
        rows = [
            row
            for name in files.namelist()
            if f"{space.name.replace('tnb101', 'transbench101')}--jigsaw" in name
            for row in json.loads(files.read(name))
        ]
    assert sorted(convert(ast.literal_eval(row["arch"])) for row in rows) == list(space.keys())


# Counts and shapes against built networks.


@settings(max_examples=25, deadline=None)
@given(architecture=architectures, task=st.sampled_from(tnb101.TASKS), rider=st.booleans())
def test_counts_equal_built_networks(architecture, task, rider):
    space, key = architecture
    space = type(space)(discriminator=rider)
    assert space.count_params(key, task) == parameters(build_on_meta(space, key, tasks.get(task)))


@settings(max_examples=10, deadline=None)
@given(architecture=architectures, task=st.sampled_from(tnb101.TASKS))
def test_outputs_have_the_shape_of_the_task(architecture, task):
    space, key = architecture
    spec = tasks.get(task)
    image = spec.input_shape[1:] if task in tnb101_sizes.LAYOUTS else ()
    done = measured(build_on_meta(space, key, spec), shape=spec.input_shape)
    assert done.output_shape == [1, spec.outputs, *image]


def test_tasks_name_known_losses():
    assert {tasks.get(name).loss for name in tnb101.TASKS} <= set(LOSSES)


@pytest.mark.parametrize("name", SPACES)
def test_the_regulariser_knows_the_largest_of_1000_networks(name):
    space = SPACES[name]
    sizes = sampled_sizes(space, "class_scene", KEYS[name])
    assert len(sizes) == 1000
    assert sizes == sampled_sizes(space, "class_scene"), "the space's own keys"
    largest = max(space.count_params(key, "class_scene") for key in KEYS[name])
    assert 0.8 * largest < max(sizes) <= largest
    place = Place(space.name, "class_scene", 64, lambda: sizes)
    assert RegulariserSettings().at(place).mu == max(sizes) / 1e6
