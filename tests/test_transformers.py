"""Vision transformers: networks, keys and counts of AutoFormer and PiT, and what scores them."""

import copy
import math
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from references import proxies as reference
from scipy.stats import spearmanr
from test_golden import scored
from torch import Tensor, nn
from torch.nn import functional
from vectors import on_meta, parameters, vectors

from harness import api, truth
from harness.core import seeds
from harness.core.errors import DataError, HarnessError
from harness.inputs.batch import load_batch
from harness.inputs.description import describe_inputs, inputs_in_words
from harness.inputs.image_sets import read_image_set
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.passes.features import boundaries
from harness.passes.weighted_layers import kaiming_parameters
from harness.proxies.contract import proxies
from harness.spaces import autoformer, pit
from harness.spaces.networks.pit_network import TokenPooling
from harness.spaces.networks.transformer_blocks import TransformerBlock, layer_norm
from harness.spaces.space import spaces
from harness.training.labelled_images import training_and_test
from harness.truth import vit_bench_truth

AUTOFORMER, PIT = spaces.get("autoformer"), spaces.get("pit")
SPACES = {space.name: space for space in (AUTOFORMER, PIT)}
DEIT_TINY = f"192:{','.join(['3/4'] * 12)}"
PIT_TINY = "32:4:2-6-4:2-4-8"
SMALLEST = {"autoformer": f"192:{','.join(['3/3.5'] * 12)}", "pit": "16:2:1-4-2:2-2-2"}
IMAGENET = tasks.get("vit_imagenet")

blocks = st.tuples(st.sampled_from(autoformer.HEADS), st.sampled_from(autoformer.MLP_RATIOS))
autoformers = st.builds(
    autoformer.AutoFormerArchitecture,
    st.sampled_from(autoformer.WIDTHS),
    st.sampled_from(autoformer.DEPTHS).flatmap(
        lambda depth: st.lists(blocks, min_size=depth, max_size=depth).map(tuple)
    ),
)
architectures = st.one_of(
    st.tuples(st.just("autoformer"), autoformers.map(lambda one: one.key)),
    st.tuples(st.just("pit"), st.sampled_from(PIT.keys())),
)


# Counts of the benchmark's own builders, and published ones.


def key_of(arch):
    if "hidden_dim" in arch:
        pairs = zip(arch["num_heads"], arch["mlp_ratio"], strict=True)
        return f"{arch['hidden_dim']}:" + ",".join(f"{heads}/{ratio:g}" for heads, ratio in pairs)
    stages = ("-".join(map(str, arch[part])) for part in ("depth", "num_heads"))
    return ":".join([str(arch["base_dim"]), str(arch["mlp_ratio"]), *stages])


@pytest.mark.vectors
@pytest.mark.parametrize(
    ("name", "vector"),
    [
        pytest.param(name, vector, id=f"{vector['file']}-{vector['row']}")
        for name in SPACES
        for vector in vectors(name).get("vectors", [])
    ],
)
def test_parameters_equal_the_benchmarks(name, vector):
    space, task = SPACES[name], tasks.get("vit_cifar100")
    key = key_of(vector["arch"])
    assert space.count_params(key, "vit_cifar100") == vector["params"]
    assert parameters(on_meta(space.network, key, task)) == vector["params"]


@pytest.mark.parametrize(
    ("space", "key", "params", "gmacs"),
    # Of timm: deit_tiny_patch16_224 and pit_ti_224, millions of parameters, 1000 classes.
    [(AUTOFORMER, DEIT_TINY, 5.72, 1.26), (PIT, PIT_TINY, 4.85, 0.71)],
)
def test_the_models_that_the_spaces_are_drawn_around_are_the_published_ones(
    space, key, params, gmacs
):
    network = space.network(key, IMAGENET)
    score = api.score(network, torch.zeros(1, 3, 224, 224), ["flops", "params"])
    assert score["params"].value == parameters(network) / 1e6 == pytest.approx(params, abs=0.005)
    # timm counts norms and activations too.
    assert score["flops"].value / 1e3 == pytest.approx(gmacs, rel=0.02)


@given(architecture=architectures, task=st.sampled_from(PIT.tasks))
def test_counts_equal_built_networks(architecture, task):
    name, key = architecture
    space = SPACES[name]
    assert space.count_params(key, task) == parameters(on_meta(space.network, key, tasks.get(task)))


# The forward, step by step.


def attention(x: Tensor, block: TransformerBlock, heads: int) -> Tensor:
    """Head by head, with an explicit softmax."""
    layer = block.attention
    width = x.shape[-1]
    of_head = width // heads
    qkv = x @ layer.qkv.weight.T + layer.qkv.bias
    outputs = []
    for h in range(heads):
        q, k, v = (qkv[:, :, i * width + h * of_head :][..., :of_head] for i in range(3))
        weights = torch.exp(q @ k.transpose(1, 2) / math.sqrt(of_head))
        outputs.append(weights / weights.sum(dim=2, keepdim=True) @ v)
    return torch.cat(outputs, dim=2) @ layer.projection.weight.T + layer.projection.bias


def norm(x: Tensor, layer: nn.LayerNorm) -> Tensor:
    centred = x - x.mean(dim=-1, keepdim=True)
    scaled = centred / torch.sqrt(centred.square().mean(dim=-1, keepdim=True) + 1e-6)
    return scaled * layer.weight + layer.bias


def transformed(x: Tensor, block: TransformerBlock, heads: int) -> Tensor:
    x = x + attention(norm(x, block.attention_norm), block, heads)
    first, _, second = block.mlp
    hidden = norm(x, block.mlp_norm) @ first.weight.T + first.bias
    hidden = hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2)))
    return x + hidden @ second.weight.T + second.bias


def literal_autoformer(network: nn.Module, images: Tensor, architecture) -> Tensor:
    conv, stem = network.stem.patches, network.stem
    patches = images.unfold(2, 16, 16).unfold(3, 16, 16)  # N×3×14×14×16×16
    tokens = torch.einsum("nchwij,dcij->nhwd", patches, conv.weight).flatten(1, 2) + conv.bias
    x = torch.cat([stem.token.repeat(len(images), 1, 1), tokens], dim=1) + stem.positions
    for block, (heads, _) in zip(network.blocks, architecture.blocks, strict=True):
        x = transformed(x, block, heads)
    mean = norm(x, network.norm)[:, 1:].mean(dim=1)
    return mean @ network.head.weight.T + network.head.bias


def literal_pit(network: nn.Module, images: Tensor, architecture) -> Tensor:
    stem = network.stem
    x = functional.conv2d(images, stem.patches.weight, stem.patches.bias, stride=8) + stem.positions
    token, modules = stem.token.repeat(len(images), 1, 1), iter(network.blocks)
    for stage, (depth, heads) in enumerate(
        zip(architecture.depths, architecture.heads, strict=True)
    ):
        if stage > 0:
            pool = next(modules)
            x = functional.conv2d(
                x, pool.map.weight, pool.map.bias, stride=2, padding=1, groups=x.shape[1]
            )
            token = token @ pool.token.weight.T + pool.token.bias
        shape = x.shape[2:]
        joined = torch.cat([token, x.flatten(2).transpose(1, 2)], dim=1)
        for _ in range(depth):
            joined = transformed(joined, next(modules), heads)
        token, x = joined[:, :1], joined[:, 1:].transpose(1, 2).unflatten(2, shape)
    return norm(token[:, 0], network.norm) @ network.head.weight.T + network.head.bias


@pytest.mark.parametrize(
    ("space", "key", "literal", "parse"),
    [
        (AUTOFORMER, f"216:3/4,{','.join(['4/3.5'] * 11)}", literal_autoformer, autoformer.parse),
        (PIT, "24:2:1-4-2:2-4-8", literal_pit, pit.parse),
    ],
)  # fmt: skip
def test_forwards_equal_the_literal_definition(space, key, literal, parse):
    network = space.build(key, "chaoyang", seed=1).double()
    with torch.no_grad():
        for parameter in network.parameters():  # norms, tokens and biases too
            parameter.add_(0.05 * torch.randn_like(parameter))
        images = torch.randn(2, 3, 224, 224, dtype=torch.float64)
        expected = literal(network, images, parse(key))
        torch.testing.assert_close(network(images), expected, rtol=1e-9, atol=1e-10)
    assert expected.std() > 1e-3


def test_initial_weights_are_the_benchmarks():
    network = AUTOFORMER.build(SMALLEST["autoformer"], "vit_cifar100")
    network.requires_grad_(False)
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    assert len(linear) == 4 * 12 + 1
    for weight in (*(layer.weight for layer in linear), network.stem.positions):
        assert float(weight.std()) == pytest.approx(0.02, rel=0.02)
    assert all(not layer.bias.any() for layer in linear)
    assert float(network.stem.patches.weight.abs().max()) <= (3 * 16**2) ** -0.5
    # PiT's authors leave linear layers as torch makes them.
    network = PIT.build(SMALLEST["pit"], "vit_cifar100").requires_grad_(False)
    assert float(network.stem.positions.std()) == pytest.approx(0.02, rel=0.02)
    assert float(network.head.weight.abs().max()) == pytest.approx(32**-0.5, rel=0.01)
    assert all(one.eps == 1e-6 for one in network.modules() if isinstance(one, nn.LayerNorm))


# Keys.


@given(architecture=architectures)
def test_keys_are_canonical(architecture):
    name, key = architecture
    assert SPACES[name].canonical(f" {key}\n") == key
    assert SPACES["pit" if name == "autoformer" else "autoformer"].spellings
    with pytest.raises(HarnessError, match="is not a"):
        SPACES["pit" if name == "autoformer" else "autoformer"].canonical(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "192:",
        f"193:{','.join(['3/4'] * 12)}",
        f"192:{','.join(['3/4'] * 11)}",
        f"192:{','.join(['3/4'] * 15)}",
        f"192:{','.join(['3/4.0'] * 12)}",
        f"192:{','.join(['5/4'] * 12)}",
        f"192: {','.join(['3/4'] * 12)}",
        f"192:{','.join(['3/4'] * 12)},",
        f"192:{', '.join(['3/4'] * 12)}",
        f"192:{','.join(['٣/4'] * 12)}",
        "7",
    ],
)
def test_malformed_autoformer_keys_are_explained(key):
    with pytest.raises(HarnessError, match=r"expected the form 192:4/3\.5,.* of 12 to 14 blocks"):
        AUTOFORMER.canonical(key)


@pytest.mark.parametrize(
    "key",
    ["", "16:6:2-8-4", "16:6:2-8-4:2-4", "18:6:2-8-4:2-4-4", "16:5:2-8-4:2-4-4", "16:6:4-8-4:2-4-4",
     "16:6:2-5-4:2-4-4", "16:6:2-8-8:2-4-4", "16:6:2-8-4:2-4-6", "16:6:2-8-4:2-4-4:1"],
)  # fmt: skip
def test_malformed_pit_keys_are_explained(key):
    with pytest.raises(HarnessError, match="expected the form 16:6:2-8-4:2-4-4"):
        PIT.canonical(key)


def test_pit_stages_cannot_lose_heads():
    with pytest.raises(HarnessError, match="heads cannot become fewer"):
        PIT.canonical("16:6:2-8-4:8-4-4")
    with pytest.raises(ValueError, match="out_channels must be divisible by groups"):
        TokenPooling(128, 64, side=27)  # as torch itself says


def test_pit_lists_every_network_once():
    keys = PIT.keys()
    assert list(keys) == sorted(set(keys))
    assert len(keys) == 4 * 4 * 3**3 * 10
    assert all(PIT.key_at(PIT.index(key)) == key for key in keys[::431])


def test_autoformer_draws_uniformly_and_lists_nothing():
    keys = AUTOFORMER.sample(600, seed=0)
    assert keys == AUTOFORMER.sample(900, seed=0)[:600]
    assert len(set(keys)) == 600
    depths = np.array([key.count("/") for key in keys])
    expected = np.array([4**depth for depth in (12, 13, 14)]) / (4**12 + 4**13 + 4**14)
    for depth, share in zip((12, 13, 14), expected, strict=True):
        assert (depths == depth).mean() == pytest.approx(share, abs=0.06)
    assert {key[:3] for key in keys} == {"192", "216", "240"}
    with pytest.raises(HarnessError, match="cannot be listed"):
        AUTOFORMER.keys()
    with pytest.raises(HarnessError, match="name one by its key"):
        AUTOFORMER.index(keys[0])


# Ground truth: three kinds of accuracy, never in one table.

# ρ with the parameters, as the benchmark's files have it.
SIZE = {
    ("autoformer", "vit_cifar100", "base"): -0.47,
    ("autoformer", "vit_cifar100", "kd"): 0.62,
    ("autoformer", "flowers102", "kd"): 0.86,
    ("autoformer", "vit_imagenet", "supernet"): -0.23,
    ("pit", "vit_cifar100", "base"): 0.89,
    ("pit", "flowers102", "base"): 0.93,
    ("pit", "chaoyang", "base"): 0.74,
}
IMAGES = {"vit_cifar100": 10_000, "flowers102": 6_149, "chaoyang": 2_139, "vit_imagenet": 50_000}


@pytest.mark.parametrize("name", SPACES)
def test_every_task_has_its_kinds_of_accuracy(name):
    for task in SPACES[name].tasks:
        trained = task != "vit_imagenet"
        assert truth.variants(name, task) == (["base", "kd"] if trained else ["supernet"]) + ["csv"]
        for variant in truth.variants(name, task)[:-1]:
            table = truth.load(name, task, variant)
            hits = table.value / 100 * IMAGES[task]
            np.testing.assert_allclose(hits, hits.round(), atol=0.004)
            assert f"{IMAGES[task]:,}" in truth.describe(name, task, variant).split
            assert (table.value.round(4) == table.value).all()  # so that ties are ties
            assert all(SPACES[name].canonical(key) == key for key in table.key)
    words = {"base": "without a teacher", "kd": "distillation", "supernet": "inherited"}
    for variant, word in words.items():
        task = "vit_imagenet" if variant == "supernet" else "chaoyang"
        if task in SPACES[name].tasks:
            assert word in truth.describe(name, task, variant).split


@pytest.mark.parametrize(("table", "expected"), SIZE.items())
def test_accuracy_follows_size_as_much_as_in_the_files(table, expected):
    space, task, variant = table
    rows = truth.load(space, task, variant)
    counts = [SPACES[space].count_params(key, task) for key in rows.key]
    assert spearmanr(counts, rows.value).statistic == pytest.approx(expected, abs=0.005)


def test_a_table_of_another_form_is_refused(tmp_path):
    path = tmp_path / "gt.pth"
    arch = {"base_dim": 16, "mlp_ratio": 6, "depth": [2, 8, 4], "num_heads": [2, 4, 4]}
    torch.save([{"arch": arch, "c100_base_acc": 68.330000001, "c100_kd_acc": None}], path)
    table = vit_bench_truth.read_pit(path, "c100_base_acc")
    assert table.to_dict("records") == [
        {"key": "16:6:2-8-4:2-4-4", "value": 68.33, "n_training_seeds": 1}
    ]
    assert len(vit_bench_truth.read_pit(path, "c100_kd_acc")) == 0
    for faulty in (
        [{"arch": arch}],
        [{"arch": {**arch, "base_dim": 17}, "c100_base_acc": 1.0}],
        [{"arch": arch, "c100_base_acc": "many"}],
        {"arch": arch},
    ):
        torch.save(faulty, path)
        with pytest.raises(DataError, match="is not a ViT-Bench-101 table"):
            vit_bench_truth.read_pit(path, "c100_base_acc")
    torch.save([torch.ones(2)], path)
    with pytest.raises(DataError, match="refused"):
        vit_bench_truth.read_pit(path, "c100_base_acc")
    path.write_bytes(b"no zip")
    with pytest.raises(DataError, match="not a file that torch saved"):
        vit_bench_truth.read_pit(path, "c100_base_acc")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other", b"")
    with pytest.raises(DataError, match="not a file that torch saved"):
        vit_bench_truth.read_pit(path, "c100_base_acc")


# Inputs of 224×224 pixels.


@pytest.mark.mirror
def test_cifar_images_are_enlarged_as_pillow_does():
    task = tasks.get("vit_cifar100")
    raw = InputSettings(order="first", normalise=False)
    batch = load_batch(task, raw, 0, 2)
    assert batch.images.shape == (2, 3, 224, 224)
    content = read_image_set("cifar100_train")
    assert batch.labels.tolist() == content.labels[:2].tolist()
    for image, found in zip(content.images, batch.images, strict=False):
        for channel in range(3):  # as floats: of bytes, Pillow rounds and cuts off in between
            small = Image.fromarray(image[..., channel].astype(np.float32))
            expected = np.asarray(small.resize((224, 224), Image.Resampling.BICUBIC)) / 255
            np.testing.assert_allclose(found[channel], expected.clip(0, 1), atol=1e-5)
    said = describe_inputs(task, raw)
    assert (said["enlarged"], said["stand_in"], said["labels"]) == (224, False, "true")
    assert inputs_in_words(said) == "Images: cifar100_train, enlarged to 224×224."
    assert "enlarged" not in describe_inputs(tasks.get("cifar100"), raw)
    assert "enlarged" not in describe_inputs(task, InputSettings("photographs"))
    with pytest.raises(HarnessError, match="enlarges the images of cifar100_train"):
        training_and_test(task, InputSettings(), 0.2, 8)


@pytest.mark.parametrize("name", ["flowers102", "chaoyang", "vit_imagenet"])
def test_other_tasks_take_no_smaller_images(name):
    with pytest.raises(HarnessError, match=r"takes 3×224×224"):
        load_batch(tasks.get(name), InputSettings("digits"), 0, 2)
    with pytest.raises(HarnessError, match="inputs=photographs"):
        load_batch(tasks.get(name), InputSettings(), 0, 2)


# Proxies.

WIDTH, CLASSES, N = 8, 3, 6


class Embedding(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.patches(x).flatten(2).transpose(1, 2)


class Small(nn.Module):
    """A transformer on 8×8 pixels, with or without a pooling of tokens between its blocks."""

    def __init__(self, *, pooled: bool = False) -> None:
        super().__init__()
        self.stem = Embedding()
        first, second = (TransformerBlock(WIDTH, 2, 2) for _ in range(2))
        self.blocks = nn.Sequential(first, *[Halved()] * pooled, second)
        self.norm, self.head = layer_norm(WIDTH), nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.blocks(self.stem(x))).mean(dim=1))


class Halved(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, ::2] + x[:, 1::2]


def small(*, pooled: bool = False) -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(2)
    network = Small(pooled=pooled).double()
    return network, torch.randn(N, 3, 8, 8).double(), torch.arange(N) % CLASSES


def score(name: str, network: nn.Module, images: Tensor, labels: Tensor) -> api.Score:
    return api.score(network, (images, labels), [name])[name]


def test_dss_equals_its_reference():
    network, images, labels = small()
    of_blocks = [
        layer
        for block in network.blocks
        for layer in (block.attention.qkv, block.attention.projection, block.mlp[0], block.mlp[2])
    ]
    roles = ["attention", "attention", "mlp", "mlp"] * 2
    expected = reference.dss(
        network, images, labels, roles=dict(zip(of_blocks, roles, strict=True)), double=True
    )
    assert score("dss", network, images, labels).value == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Flatten(), nn.Linear(192, 3)],
        # Its projections are no layers.
        [Embedding(), nn.TransformerEncoderLayer(WIDTH, 2, 16), nn.Flatten(), nn.Linear(128, 3)],
    ],
)
def test_dss_needs_transformer_blocks(layers):
    found = score("dss", nn.Sequential(*layers), torch.randn(N, 3, 8, 8), torch.arange(N) % 3)
    assert found.status == "undefined"
    assert found.message == "the network has no transformer block of linear layers"


@pytest.mark.parametrize("name", ["az_expressivity", "az_progressivity", "az_trainability"])
def test_az_nas_takes_tokens_for_positions(name):
    network, images, labels = small()
    with seeds.torch_stream("az_nas", "api", 0):
        drawn = kaiming_parameters(network, "fan_in")
        noise = torch.randn_like(images)
        shape = (N, 16, WIDTH)
        signs = [torch.randint(0, 2, shape).double() * 2 - 1 for _ in network.blocks]
    literal = copy.deepcopy(network)
    literal.load_state_dict(drawn, strict=False)
    of = boundaries(literal)
    extra = {"cotangents": signs} if name == "az_trainability" else {}
    expected = getattr(reference, name)(literal, noise, None, features=of, double=True, **extra)
    assert score(name, network, images, labels).value == pytest.approx(expected, rel=1e-6)


def test_az_nas_where_tokens_are_merged():
    case = small(pooled=True)
    assert score("az_expressivity", *case).status == "ok"
    found = score("az_trainability", *case)
    assert (found.status, found.message) == (
        "undefined",
        "a cell is the identity or merges tokens, or the stem has no weight",
    )


@pytest.mark.parametrize("name", ["fisher", "meco"])
def test_channels_of_tokens_are_the_last_axis(name):
    """Whoever mixes the channels' order changes nothing; the tokens' order does not matter too."""
    network, images, labels = small()
    value = score(name, network, images, labels).value
    assert value == pytest.approx(getattr(reference, name)(network, images, labels, double=True))
    turned = images.flip(3).unflatten(3, (4, 2)).flip(4).flatten(3)  # patches in another order
    assert score(name, network, turned, labels).value == pytest.approx(value, rel=1e-6)


NO_RELU = {"nwot", "swap", "reg_swap", "activation_patterns"}
NEITHER = NO_RELU | {"linear_regions", "l_swag", "wrcor", "eps"}
UNDEFINED = {"autoformer": NEITHER, "pit": NEITHER | {"az_trainability"}}


@pytest.mark.parametrize("name", ["pit", pytest.param("autoformer", marks=pytest.mark.slow)])
def test_every_proxy_has_a_value_or_a_reason(name):
    scores = scored(name, "vit_cifar100", 2, SMALLEST[name], proxies.names())
    undefined = {proxy for proxy, one in scores.items() if one.status == "undefined"}
    assert {one.status for one in scores.values()} == {"ok", "undefined"}
    assert undefined == UNDEFINED[name]
    assert all("no ReLU" in scores[proxy].message for proxy in NO_RELU)
    assert "crops of 3×3 pixels" in scores["linear_regions"].message
