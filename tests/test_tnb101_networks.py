"""TransNAS-Bench-101: what cells, blocks, decoders and networks compute."""

from collections import Counter
from itertools import permutations, product

import pytest
import torch
from torch import nn

from harness.inputs.tasks import tasks
from harness.spaces import tnb101
from harness.spaces.networks import tnb101_decoders
from harness.spaces.networks.tnb101_encoder import BasicBlock, TransNasCell, TransNasReduction
from harness.spaces.tnb101_sizes import ADVERSARIAL_TASKS, EDGES, Shape

micro, macro = tnb101.TransNasMicro(), tnb101.TransNasMacro()
MICRO_KEYS = micro.keys()
MACRO_KEYS = macro.keys()


@pytest.mark.parametrize("task", tnb101.TASKS)
@pytest.mark.parametrize(
    ("space", "key"),
    [(micro, "64-41414-1_02_012"), (macro, "64-3431-basic")],
    ids=["micro", "macro"],
)
def test_real_forwards_and_backwards(space, key, task):
    network = space.build(key, task, seed=0)
    shape = (9, 3, 32, 32) if task == "jigsaw" else (3, 64, 64)
    output = network(torch.randn(2, *shape))
    assert output.isfinite().all()
    assert output.std() > 0
    if task in ADVERSARIAL_TASKS:
        assert output.abs().max() <= 1
    output.square().mean().backward()
    assert network.encoder.stem[0].weight.grad.abs().sum() > 0


def test_weights_depend_on_the_seed_alone_and_not_on_the_discriminator():
    key, with_rider = "64-41414-2_10_002", tnb101.TransNasMicro(discriminator=True)
    first = micro.build(key, "normal", seed=1).state_dict()
    for network in (micro.build(key, "normal", seed=1), with_rider.build(key, "normal", seed=1)):
        state = network.state_dict()
        assert all(torch.equal(state[name], first[name]) for name in first)
    other = micro.build(key, "normal", seed=2).state_dict()
    assert not torch.equal(other["encoder.stem.0.weight"], first["encoder.stem.0.weight"])


def test_the_discriminator_scores_images_but_takes_no_part():
    network = tnb101.TransNasMicro(discriminator=True).build("64-41414-0_00_200", "normal", seed=0)
    assert network.discriminator(torch.randn(2, 6, 64, 64)).shape == (2,)
    network(torch.randn(2, 3, 64, 64)).sum().backward()
    assert all(p.grad is None for p in network.discriminator.parameters())


def test_only_the_encoder_is_kaiming_initialised():
    network = micro.build("64-41414-0_00_300", "segmentsemantic", seed=0)
    for name, module in network.encoder.named_modules():
        if isinstance(module, nn.Conv2d):
            fan_out = module.weight[:, 0].numel()
            assert module.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.1), name
    for module in network.decoder.modules():
        if isinstance(module, nn.Conv2d):
            assert module.weight.abs().max() <= module.weight[0].numel() ** -0.5


@pytest.mark.parametrize(
    ("task", "doublings", "upsampling"),
    [
        ("normal", 3, [8, 10, 12]),
        ("autoencoder", 6, [2, 4, 6, 8, 10, 12]),
        ("segmentsemantic", 3, [4, 5, 6]),
        ("segmentsemantic", 6, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_image_decoders_upsample_as_late_as_they_can(task, doublings, upsampling):
    decoder = tnb101_decoders.decoder(tasks.get(task), 8, doublings)
    kinds = [type(layer[0]) for layer in decoder.layers]
    assert [i for i, kind in enumerate(kinds) if kind is nn.ConvTranspose2d] == upsampling


def test_skips_are_identities_unless_the_shape_changes():
    skips = TransNasCell("111111", Shape(8, 8, 1))
    x = torch.randn(2, 8, 6, 6)
    # x reaches the output directly, through node 1, through node 2 and through both.
    torch.testing.assert_close(skips(x), 4 * x)
    kinds = {name: type(edge) for name, edge in _cell("111111").edges.items()}
    assert {name for name, kind in kinds.items() if kind is TransNasReduction} == {
        "0->1",
        "0->2",
        "0->3",
    }


def _cell(operations):
    return TransNasCell(operations, Shape(4, 8, 2)).eval()


@pytest.mark.parametrize("side", [8, 7])
def test_factorized_reduce_takes_even_then_odd_pixels(side):
    reduce = TransNasReduction(2, 4, 2).eval()
    for conv in (reduce.conv_even, reduce.conv_odd):
        conv.weight.data.copy_(torch.eye(2)[:, :, None, None])
    x = torch.rand(1, 2, side, side)
    odd = torch.zeros(1, 2, 4, 4)
    odd[..., : side // 2, : side // 2] = x[:, :, 1::2, 1::2]
    expected = torch.cat([x[:, :, ::2, ::2], odd], dim=1)
    torch.testing.assert_close(reduce(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("side", [8, 7])
def test_none_edges_give_zeros_of_the_new_shape(side):
    x = torch.randn(2, 4, side, side)
    assert torch.equal(_cell("000000")(x), torch.zeros(2, 8, 4, 4))
    # Node 1 is empty; a convolution of it is batch norm's bias, 0 at first.
    assert torch.equal(_cell("000030")(x), torch.zeros(2, 8, 4, 4))
    assert _cell("000130")(x).shape == (2, 8, 4, 4)


def test_cells_route_each_edge_to_its_node():
    cell = _cell("320013")
    x = torch.randn(2, 4, 8, 8)
    one, two = cell.edges["0->1"](x), cell.edges["0->2"](x)
    torch.testing.assert_close(cell(x), one + cell.edges["2->3"](two))
    assert cell.edges["0->1"][1].kernel_size == (3, 3)
    assert cell.edges["0->2"][1].kernel_size == (1, 1)


def test_the_macro_shortcut_normalises_with_eps_and_momentum_of_one():
    block = BasicBlock(Shape(4, 8, 2))
    block.conv_b[2].weight.data.zero_()
    x = torch.randn(3, 4, 8, 8) + 1
    y = block.shortcut[0](x)
    variance, mean = torch.var_mean(y, dim=(0, 2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(block(x), (y - mean) / (variance + 1).sqrt())
    norm = block.shortcut[1]
    torch.testing.assert_close(norm.running_mean, mean.flatten())
    torch.testing.assert_close(norm.running_var, y.var(dim=(0, 2, 3)))
    assert isinstance(BasicBlock(Shape(8, 8, 1)).shortcut, nn.Identity)


def test_jigsaw_stacks_the_features_of_its_tiles_in_order():
    network = micro.build("64-41414-0_00_200", "jigsaw", seed=0).eval()
    tiles, order = torch.randn(2, 9, 3, 32, 32), torch.arange(9).roll(2)
    weight = network.decoder.classifier.weight
    with torch.no_grad():
        expected = network(tiles)
        assert not torch.allclose(network(tiles[:, order]), expected, rtol=1e-2)
        weight.copy_(weight.view(1000, 9, 512)[:, order].reshape(1000, 9 * 512))
        torch.testing.assert_close(network(tiles[:, order]), expected, rtol=1e-4, atol=1e-4)


def test_jigsaw_normalises_each_tile_by_itself():
    network = micro.build("64-41414-0_00_200", "jigsaw", seed=0)
    tiles = torch.randn(2, 9, 3, 32, 32)
    features = []
    network.decoder.register_forward_pre_hook(lambda _, inputs: features.append(inputs[0]))
    with torch.no_grad():
        network(tiles)
        network(torch.cat([tiles[:, :1], 5 * tiles[:, 1:]], dim=1))
    assert features[0].std() > 0
    assert torch.equal(features[0][:, :512], features[1][:, :512])


# Isomorphism classes.


def slow_class(key):
    """Canonical form of the cell's graph, by trying every numbering of its live layers."""
    digits = dict(zip(EDGES, tnb101.parse_micro(key), strict=True))
    nodes = {0: Counter(["x"])}
    for target in (1, 2, 3):
        nodes[target] = Counter()
        for source in range(target):
            if digits[source, target] == "1" and source > 0:
                nodes[target] += nodes[source]
            elif digits[source, target] != "0":
                nodes[target][source, target] += 1
    reached, queue = set(), [layer for layer in nodes[3] if layer != "x"]
    while queue:
        layer = queue.pop()
        reached.add(layer)
        queue += [reader for reader in nodes[layer[0]] if reader != "x"]
    kinds = {k: sorted(layer for layer in reached if digits[layer] == k) for k in "123"}
    forms = []
    for orders in product(*(permutations(kinds[k]) for k in "123")):
        number = {layer: i for i, layer in enumerate(sum(orders, ()))} | {"x": -1}

        def wires(node, number=number):
            return tuple(sorted(number[producer] for producer in nodes[node].elements()))

        layers = tuple((digits[layer], wires(layer[0])) for layer in number if layer != "x")
        forms.append((layers, wires(3)))
    return min(forms)


def test_isomorphism_classes_are_those_of_the_cells_graphs():
    fast = {key: micro.isomorphism_class(key) for key in MICRO_KEYS}
    slow = {key: slow_class(key) for key in MICRO_KEYS}
    pairs = set(zip(fast.values(), slow.values(), strict=True))
    assert len(pairs) == len(set(fast.values())) == len(set(slow.values()))


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("1_00_010", "0_00_100", True),  # node 1 is one reducing skip, passed on
        ("1_10_001", "0_10_001", True),  # node 1 leads nowhere
        ("3_01_033", "3_30_033", False),  # one layer with two readers is not two layers
        ("0_00_030", "0_00_000", False),  # a convolution of nothing is a learned constant
        ("3_00_020", "2_00_030", False),
    ],
)
def test_isomorphism_of_known_cells(a, b, same):
    classes = {micro.isomorphism_class(f"64-41414-{cell}") for cell in (a, b)}
    assert (len(classes) == 1) is same


def test_macro_keys_are_their_own_classes():
    assert all(macro.isomorphism_class(key) == key for key in MACRO_KEYS)
