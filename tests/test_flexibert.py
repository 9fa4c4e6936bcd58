"""FlexiBERT: encoders as NAS-Bench-BERT trained them, its GLUE scores, and tokens as inputs."""

import json
import math
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
import torch
from commands import call
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from test_golden import scored
from torch import Tensor, nn
from vectors import on_meta, parameters

from harness import api, truth
from harness.core.errors import DataError, HarnessError
from harness.inputs.batch import load_batch
from harness.inputs.description import describe_inputs, inputs_in_words
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.overview import overview
from harness.proxies.contract import proxies
from harness.sources.fetch import fetch
from harness.spaces.flexibert import parse
from harness.spaces.space import spaces
from harness.truth import nas_bench_bert_truth
from harness.truth.records import records

SPACE, GLUE = spaces.get("flexibert"), tasks.get("glue")
SMALLEST = "128:2/1,2/1"
KEYS = st.sampled_from(SPACE.keys())


# Keys.


@given(KEYS)
def test_keys_are_canonical(key):
    assert SPACE.canonical(f" {key}\n") == key
    assert SPACE.key_at(SPACE.index(key)) == key


def test_every_network_is_listed_once():
    keys = SPACE.keys()
    assert list(keys) == sorted(set(keys))
    assert len(keys) == 2 * ((2 * 3) ** 2 + (2 * 3) ** 4)  # hidden sizes, heads, feed-forwards


@pytest.mark.parametrize(
    "key",
    ["", "128:", "128:2/1", "128:2/1,2/1,2/1", "64:2/1,2/1", "128:3/1,2/1", "128:2/2,2/1",
     "128:2/3,2/1", "128:2/3x256,2/1", "128:2/1, 2/1", "128:2/1,2/1,", "128:2/1,٢/1", "0"],
)  # fmt: skip
def test_malformed_keys_are_explained(key):
    with pytest.raises(HarnessError, match="expected the form 256:4/3x1024,2/1"):
        SPACE.canonical(key)


# Networks.


@given(KEYS)
def test_counts_equal_built_networks(key):
    assert SPACE.count_params(key, "glue") == parameters(on_meta(SPACE.network, key, GLUE))


@pytest.mark.parametrize(
    ("key", "published"),
    # Of data/BERT_results_activation.csv, the encoders whose every operation is the one that was
    # trained; it counts them with hidden size 256 and width 1024, whatever is described.
    [
        ("256:2/1,4/3x1024", 7_684_608),  # encoder 81
        ("256:4/1,2/1", 5_585_408),  # encoder 321
        ("256:2/1,2/1", 5_585_408),  # encoder 349
        ("256:4/1,4/3x1024", 7_684_608),  # encoder 351
    ],
)
def test_parameters_equal_the_published_counts(key, published):
    words, classifier = 30_522 * 128, 2 * 256 + 2
    assert SPACE.count_params(key, "glue") + words - classifier == published


def norm(x: Tensor, layer: nn.LayerNorm) -> Tensor:
    centred = x - x.mean(dim=-1, keepdim=True)
    variance = centred.square().mean(dim=-1, keepdim=True)
    return centred / torch.sqrt(variance + 1e-12) * layer.weight + layer.bias


def attended(x: Tensor, block: nn.Module, heads: int) -> Tensor:
    """Token by token: a mean of all tokens' values, weighted by how keys answer to its query."""
    qkv = x @ block.attention.qkv.weight.T + block.attention.qkv.bias
    query, key, value = qkv.split(x.shape[1], dim=1)
    size = x.shape[1] // heads
    rows = []
    for i in range(len(x)):
        parts = []
        for h in range(heads):
            part = slice(h * size, (h + 1) * size)
            answers = [
                float(query[i, part] @ key[j, part]) / math.sqrt(size) for j in range(len(x))
            ]
            total = sum(map(math.exp, answers))
            shares = [math.exp(answer) / total for answer in answers]
            parts.append(sum(s * v for s, v in zip(shares, value[:, part], strict=True)))
        rows.append(torch.cat(parts))
    projection = block.attention.projection
    return torch.stack(rows) @ projection.weight.T + projection.bias


def literal(network: nn.Module, text: Tensor, key: str) -> Tensor:
    """Classifies one text, L×E."""
    stem, architecture = network.stem, parse(key)
    x = norm(text + stem.positions[: len(text)] + stem.segments[0], stem.norm)
    if architecture.hidden_size != text.shape[1]:
        x = x @ stem.projection.weight.T + stem.projection.bias
    for block, layer in zip(network.blocks, architecture.layers, strict=True):
        x = norm(x + attended(x, block, layer.heads), block.attention_norm)
        *inner, last = (one for one in block.mlp if isinstance(one, nn.Linear))
        widths = [4 * architecture.hidden_size, *[layer.width] * 2 * (layer.width is not None)]
        assert [one.out_features for one in inner] == widths
        hidden = x
        for one in inner:
            hidden = hidden @ one.weight.T + one.bias
            hidden = hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2
        x = norm(x + hidden @ last.weight.T + last.bias, block.mlp_norm)
    return x[0] @ network.head.weight.T + network.head.bias


@pytest.mark.parametrize("key", ["128:2/1,4/3x1024", "256:4/3x512,2/1,4/1,2/3x1024"])
def test_forwards_equal_the_literal_definition(key):
    network = SPACE.build(key, "glue", seed=1).double()
    with torch.no_grad():
        for parameter in network.parameters():  # norms, segments and biases too
            parameter.add_(0.05 * torch.randn_like(parameter))
        texts = torch.randn(2, 5, 128, dtype=torch.float64)
        expected = torch.stack([literal(network, text, key) for text in texts])
        torch.testing.assert_close(network(texts), expected, rtol=1e-9, atol=1e-10)
    assert expected.std() > 1e-3


def test_initial_weights_are_the_benchmarks():
    network = SPACE.build("256:2/3x512,2/1", "glue").requires_grad_(False)
    inner = [one for one in network.blocks.modules() if isinstance(one, nn.Linear)]
    assert len(inner) == 2 + 4 + 2 + 2
    kept = 0.8796  # the deviation of a normal variable that is cut off at 2
    for weight in (*(one.weight for one in inner), network.stem.positions):
        assert float(weight.abs().max()) <= 0.04
        assert float(weight.std()) == pytest.approx(kept * 0.02, rel=0.02)
    for one, ends in ((network.head, 256 + 2), (network.stem.projection, 128 + 256)):
        assert float(one.weight.abs().max()) == pytest.approx(math.sqrt(6 / ends), rel=0.02)
    linear = [one for one in network.modules() if isinstance(one, nn.Linear)]
    assert all(not one.bias.any() for one in linear)


def test_the_sum_of_the_last_hidden_states_has_no_gradient():
    """What the benchmark's metrics differentiate: outputs of a norm, which add up to nothing."""
    network = SPACE.build(SMALLEST, "glue").double()
    hidden = network.blocks(network.stem(load_batch(GLUE, InputSettings(), 0, 2).images.double()))
    weights = [one.weight for one in network.blocks.modules() if isinstance(one, nn.Linear)]
    of_sum = torch.autograd.grad(hidden.sum(), weights, retain_graph=True)
    of_square = torch.autograd.grad((hidden[..., 0] ** 2).sum(), weights)
    assert all(float(g.abs().max()) < 1e-10 for g in of_sum)
    assert all(float(g.abs().max()) > 1e-4 for g in of_square[-2:])


def test_multiply_accumulates_by_hand():
    score = api.score(SPACE.build("256:2/1,4/3x512", "glue"), torch.zeros(1, 128, 128), ["flops"])
    attention = 4 * 256**2 + 2 * 128 * 256  # of a token: linear layers, and both products
    first, second = 2 * 256 * 1024, 256 * 1024 + 1024 * 512 + 512**2 + 512 * 256
    expected = 128 * (128 * 256 + 2 * attention + first + second) + 2 * 256
    assert score["flops"].value == expected / 1e6


# Inputs.


def test_tokens_are_drawn_from_one_vocabulary():
    batch = load_batch(GLUE, InputSettings(), 0, 32)
    texts = torch.cat([batch.images, batch.second.images])
    assert batch.images.shape == (32, 128, 128) and batch.images.dtype == torch.float32
    assert float(texts.std()) == pytest.approx(0.02, rel=0.01)
    different = len(torch.unique(texts.flatten(0, 1), dim=0))
    drawn, vocabulary = 64 * 128, 30_522
    expected = vocabulary * (1 - (1 - 1 / vocabulary) ** drawn)  # of distinct tokens
    assert different == pytest.approx(expected, rel=0.01)
    assert set(batch.labels.tolist()) == {0, 1}
    smaller = load_batch(GLUE, InputSettings(), 0, 3)
    assert torch.equal(smaller.images, batch.images[:3])
    assert not torch.equal(load_batch(GLUE, InputSettings(), 1, 3).images, smaller.images)


def test_tokens_are_declared():
    said = describe_inputs(GLUE, InputSettings())
    assert (said["source"], said["stand_in"], said["labels"]) == ("random_tokens", True, "random")
    assert not said["normalise"] and said["sha256"] is None
    assert "30,522" in said["origin"] and "no text" in said["origin"]
    assert inputs_in_words(said) == "Inputs: random tokens, a stand-in for text."
    assert [one.name for one in overview({}, task="glue") if one.kind == "inputs"] == ["task"]


@pytest.mark.parametrize("source", ["photographs", "gaussian", "cifar10_train"])
def test_images_are_refused(source):
    for read in (load_batch, describe_inputs):
        rest = (0, 2) if read is load_batch else ()
        with pytest.raises(HarnessError, match="takes tokens and no images; leave inputs=task"):
            read(GLUE, InputSettings(source), *rest)


@pytest.mark.parametrize("setting", [{"augment": True}, {"crop": 8}, {"channels": 1}])
def test_tokens_are_not_treated_as_images(setting):
    with pytest.raises(HarnessError, match="cannot be augmented or cropped or lose channels"):
        load_batch(GLUE, InputSettings(**setting), 0, 2)


# Ground truth.


def test_every_training_but_one_counts():
    table = truth.load("flexibert", "glue")
    assert len(table) == 301
    assert table.n_training_seeds.sum() == 499  # one has no score on RTE
    assert all(SPACE.canonical(key) == key for key in table.key)
    rows = table.set_index("key")
    # Encoders 198 and 315 of the file, beside four more that were described otherwise.
    assert rows.loc[SMALLEST, "n_training_seeds"] == 6
    assert rows.value.max() == 75.13
    layers = [len(parse(key).layers) for key in table.key]
    sizes = [(len(one.layers), one.hidden_size) for one in map(parse, table.key)]
    assert spearmanr(layers, table.value).statistic == pytest.approx(0.70, abs=0.005)
    ranked = pd.Series(sizes).rank()
    assert spearmanr(ranked, table.value).statistic == pytest.approx(0.92, abs=0.005)


def described(hidden_size, *layers, **scores):
    names = ("operation_type", "operation_parameter", "num_operation_heads",
             "feed_forward_dimension", "num_feed_forward")  # fmt: skip
    chosen = [dict(zip(names, layer, strict=True)) for layer in layers]
    overrides = {"hidden_size": hidden_size, "nas_config": {"encoder_layers": chosen}}
    return {"scores": scores, "hparams": {"model_hparam_overrides": overrides}}


def test_descriptions_of_one_network_are_pooled(tmp_path):
    path = tmp_path / "table.json"
    first = described(128, ("SA", "WMA", 2, 512, 1), ("DSC", 9, 4, 512, 3), glue=60.0, rte=50)
    second = described(128, ("LT", "DFT", 2, 1024, 1), ("SA", "SDP", 4, 512, 3), glue=63.0, rte=50)
    third = described(256, ("SA", "SDP", 2, 512, 1), ("SA", "SDP", 4, 512, 3), glue=50.0, rte=0)
    path.write_text(json.dumps([first, second, third]))
    (row,) = nas_bench_bert_truth.read(path, "glue").to_dict("records")
    assert (row["key"], row["value"], row["n_training_seeds"]) == ("128:2/1,4/3x512", 61.5, 2)
    assert row["std"] == pytest.approx(3 / math.sqrt(2))
    for faulty in (
        "no json",
        "[{}]",
        json.dumps([described(64, ("SA", "SDP", 2, 512, 1), glue=50.0, rte=50)]),
        json.dumps([described(128, ("SA", "SDP", 2, 512, 1), ("SA", "SDP", 2, 512, 1), rte=50)]),
    ):
        path.write_text(faulty)
        with pytest.raises(DataError, match="is not NAS-Bench-BERT's table"):
            nas_bench_bert_truth.read(path, "glue")


@pytest.mark.mirror
@pytest.mark.parametrize(("what", "expected"), [("glue", 0.88), ("seconds", 0.39)])
def test_operations_explain_nothing_among_descriptions_of_one_network(what, expected):
    """F of the five operations that are not the default, within networks, as docs tell it."""
    (name,) = records.get("flexibert/glue/dev_mean").info.sources
    groups = defaultdict(list)
    for entry in json.loads(fetch(name).read_bytes()):
        overrides = entry["hparams"]["model_hparam_overrides"]
        made = [one["operation_parameter"] for one in overrides["nas_config"]["encoder_layers"]]
        counts = [made.count(operation) for operation in ("WMA", "DFT", "DCT", 5, 9)]
        value = entry["scores"]["glue"] if what == "glue" else entry["time_to_train"]
        groups[nas_bench_bert_truth._key(overrides)].append([*counts, value])
    repeated = [np.array(group, float) for group in groups.values() if len(group) > 1]
    assert (len(repeated), sum(map(len, repeated))) == (77, 276)
    within = np.concatenate([group - group.mean(axis=0) for group in repeated])
    operations, values = within[:, :5], within[:, 5]
    left = values - operations @ np.linalg.lstsq(operations, values, rcond=None)[0]
    free = len(values) - len(repeated) - 5
    ratio = (values @ values - left @ left) / 5 / (left @ left / free)
    assert ratio == pytest.approx(expected, abs=0.005)


# Proxies.

NO_RELU = {"nwot", "swap", "reg_swap", "activation_patterns", "l_swag", "wrcor"}
NO_IMAGES = {"linear_regions", "eznas_a"}


def test_every_proxy_has_a_value_or_a_reason():
    names = [name for name in proxies.names() if name != "vkdnw"]  # a Jacobian of every weight
    scores = scored("flexibert", "glue", 4, SMALLEST, names)
    undefined = {proxy for proxy, one in scores.items() if one.status == "undefined"}
    assert {one.status for one in scores.values()} == {"ok", "undefined"}
    assert undefined == NO_RELU | NO_IMAGES | {"eps"}
    assert all("ReLU" in scores[proxy].message for proxy in NO_RELU)


def test_the_main_job_says_what_networks_were_shown(tmp_path, capsys):
    asked = ["space=flexibert", "task=glue", "truth=default", "truth.path=null", "n=3"]
    assert call(tmp_path, *asked, "proxies=[params,snip,jacov]", "batch_size=2") == 0
    folder = tmp_path / "results" / "main" / "flexibert" / "glue"
    record = json.loads((folder / "run.json").read_text())
    assert record["inputs"]["source"] == "random_tokens"
    assert (
        "stand in for the task's own (random_tokens with random labels)" in capsys.readouterr().out
    )
    scores = pd.read_parquet(folder / "scores.parquet")
    assert (scores.status == "ok").all() and scores.key.nunique() == 3
    assert call(tmp_path, *asked, "inputs=photographs", "study=images") != 0
