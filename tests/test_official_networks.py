"""Our networks against those of a package that people use, weight by weight."""

from itertools import islice

import numpy as np
import pytest
import torch
from nasbench_pytorch.model import Network
from torch import nn
from vectors import parameters, vectors

from harness.core import seeds
from harness.spaces import nb101
from harness.spaces.nb101_cells import Spec
from harness.spaces.space import spaces

SPACE = spaces.get("nb101")


def specs() -> list[Spec]:
    """Cells with published or computed counts, extremes, and random ones."""
    known = [
        nb101.parse(nb101.from_spec(v["matrix"], v["ops"]))
        for v in vectors("nasbench101").get("vectors", [])
        if v["params"] < 7e6  # larger ones take seconds each
    ]
    extremes = ["output~0", "maxpool3x3~0|output~01", "conv1x1~0|conv3x3~0|maxpool3x3~0|output~123"]
    random = seeds.numpy_stream("cells", 0)
    drawn = [nb101.labelled_cell(random) for _ in range(40)]
    small = [key for key in drawn if SPACE.count_params(key, "cifar10") < 7e6]
    return [*known, *map(nb101.parse, [*extremes, *islice(small, 6)])]


def leaves(modules) -> list[nn.Module]:
    kinds = nn.Conv2d | nn.BatchNorm2d | nn.Linear
    return [leaf for module in modules for leaf in module.modules() if isinstance(leaf, kinds)]


def in_our_order(network) -> list[nn.Module]:
    """Their layers with weights; their cells list projections of the input last, ours first."""
    modules = []
    for layer in network.layers:
        cell = hasattr(layer, "input_op")
        modules += [*layer.input_op, *layer.vertex_op] if cell else [layer]
    return leaves([*modules, network.classifier])


@pytest.mark.parametrize("spec", specs(), ids=lambda spec: "|".join(spec.operations[1:-1]))
def test_nb101_computes_what_nasbench_pytorch_computes(spec: Spec) -> None:
    key = nb101.from_spec(spec.matrix, spec.operations)
    with seeds.torch_stream("weights", 1, key):
        theirs = Network((np.array(spec.matrix), list(spec.operations)))
    ours = SPACE.build(key, "cifar10", seed=0)
    # It registers a scalar for each place without an operation.
    dummies = sum(p.numel() for name, p in theirs.named_parameters() if name.endswith(".a"))
    assert parameters(theirs) - dummies == parameters(ours) == SPACE.count_params(key, "cifar10")

    pairs = list(zip(in_our_order(theirs), leaves([ours]), strict=True))
    for source, target in pairs:
        target.load_state_dict(source.state_dict())
    # In double precision, since batch norm magnifies the rounding of nearly equal activations.
    theirs, ours = theirs.double(), ours.double()
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        expected = theirs(images)
        torch.testing.assert_close(ours(images), expected, rtol=1e-9, atol=1e-12)
        # The comparison can fail: other weights give other outputs.
        pairs[0][1].weight.mul_(-1)
        assert not torch.allclose(ours(images), expected, rtol=1e-3)
