"""Keys as people have them: every spelling, the benchmark's indices, and text that is no key."""

import os
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import call
from hypothesis import given
from hypothesis import strategies as st

from harness import truth
from harness.command_line.arguments import readable
from harness.core.errors import LONGEST_SHOWN, HarnessError, shown
from harness.scoring.single import key_of
from harness.spaces import nb101, nb101_cells, nb101_enumeration, nb201, spelling
from harness.spaces.space import spaces

NB201 = spaces.get("nb201")
SPELLED = [
    pytest.param(space, text, id=f"{space.name}, {form}")
    for space in spaces.values()
    for form, text in space.spellings.items()
]
OURS = [space for space in spaces.values() if space.spellings]
EVERY_SPACE = pytest.mark.parametrize("space", OURS, ids=lambda space: space.name)


def canonical(space):
    return next(iter(space.spellings.values()))


def test_every_benchmark_says_how_its_keys_are_written():
    assert {space.name for space in OURS} >= {
        *("nb101", "nb201", "nb301", "tnb101_micro", "tnb101_macro"),
        *("darts", "darts_swap", "darts_swap_c1"),
    }


@pytest.mark.parametrize(("space", "text"), SPELLED)
def test_every_spelling_is_the_same_architecture(space, text):
    key, task = canonical(space), space.tasks[0]
    for written in (text, f"  {text}\n"):
        assert space.canonical(written) == key_of(space, written) == key
    assert space.count_params(text, task) == space.count_params(key, task)
    assert space.theta_params(text, task) == space.theta_params(key, task)
    assert space.isomorphism_class(text) == space.isomorphism_class(key)


def test_weights_do_not_depend_on_the_spelling():
    networks = [NB201.build(text, "digits", seed=3) for text in NB201.spellings.values()]
    first, *others = ([p.detach().numpy() for p in one.parameters()] for one in networks)
    for other in others:
        for ours, theirs in zip(first, other, strict=True):
            np.testing.assert_array_equal(ours, theirs)


# The index of NAS-Bench-201 and NATS-Bench.


def test_published_indices():
    # The benchmark's generator of its list asserts these three.
    assert [NB201.key_at(index) for index in (0, 9, 123)] == [
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
        "|avg_pool_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|",
        "|avg_pool_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|",
    ]


def test_the_order_is_the_same_under_every_python():
    assert zlib.crc32("\n".join(NB201.numbered()).encode()) == 3_194_400_241
    assert sorted(NB201.numbered()) == list(NB201.keys())


@pytest.mark.mirror
def test_indices_are_those_of_the_published_tables():
    mirror = Path(os.environ["HARNESS_MIRROR"])
    (strings,) = mirror.rglob("nats_bench.csv")
    assert tuple(pd.read_csv(strings)["ArchitectureString"]) == NB201.numbered()
    # A table by index gives each architecture the accuracy that a table by string gives it.
    (numbered,) = mirror.rglob("nats/cifar100/accuracies.csv")
    values = truth.load("nb201", "cifar100", "test_mean").set_index("key").value
    by_index = pd.read_csv(numbered, index_col="index")["accuracy"]
    assert [NB201.key_at(index) for index in by_index.index[:50]] == list(NB201.numbered()[:50])
    expected = values.reindex(list(NB201.numbered()))
    np.testing.assert_allclose(by_index, expected, rtol=1e-12)


@given(st.integers(0, 15_624))
def test_index_and_back(index):
    key = NB201.key_at(index)
    assert NB201.index(key) == NB201.index(str(index)) == index
    assert NB201.canonical(f"{index:06d}") == key_of(NB201, index) == key  # as NATS-Bench's files


@given(st.integers().filter(lambda index: not 0 <= index <= 15_624))
def test_what_is_no_index(index):
    with pytest.raises(HarnessError, match="is no index of nb201"):
        NB201.key_at(index)
    with pytest.raises(HarnessError, match="whole number from 0 to 15624"):
        NB201.canonical(str(index))


@pytest.mark.parametrize("text", ["12.0", "1e3", "+12", "-0", "1_2", "0x1f", "٣", "0000012", "nan"])
def test_numbers_that_are_no_index_are_refused(text):
    with pytest.raises(HarnessError, match="whole number from 0 to 15624"):
        NB201.canonical(text)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tnb101_micro", "only the benchmark's file tells its order"),
        ("tnb101_macro", "only the benchmark's file tells its order"),
        ("nb301", "name one by its key"),
        ("darts_swap", "name one by its key"),
    ],
)
def test_spaces_without_indices(name, message):
    space = spaces.get(name)
    with pytest.raises(HarnessError, match=message):
        space.key_at(0)
    with pytest.raises(HarnessError, match=message):
        space.index(canonical(space))
    with pytest.raises(HarnessError):
        space.canonical("0")


# NASLib's tuples.


@given(st.tuples(*[st.integers(0, 4)] * 6))
def test_naslib_tuples_go_edge_by_edge(numbers):
    # NASLib: 0 skip, 1 none, 2 convolution 3×3, 3 convolution 1×1, 4 pooling.
    names = ["skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3"]
    a, b, c, d, e, f = (names[number] for number in numbers)  # edges 01, 02, 03, 12, 13, 23
    key = f"|{a}~0|+|{b}~0|{d}~1|+|{c}~0|{e}~1|{f}~2|"
    assert nb201.from_naslib(numbers) == NB201.canonical(str(numbers)) == key
    assert NB201.canonical(str(list(numbers))) == nb201.from_naslib(np.array(numbers)) == key


@pytest.mark.parametrize(
    "text", ["(0, 1, 2, 3, 4)", "(0, 1, 2, 3, 4, 5)", "(0, 1, 2, 3, 4, -1)", "(0,) * 6", "()"]
)
def test_malformed_tuples(text):
    with pytest.raises(HarnessError, match="NAS-Bench-201 architecture"):
        NB201.canonical(text)


@pytest.mark.parametrize(
    "architecture",
    [
        canonical(NB201),
        *("0", "000000"),
        *("(4, 3, 3, 0, 0, 0)", "(4,3,3,0,0,0)", "[4,3,3,0,0,0]", "'(4, 3, 3, 0, 0, 0)'"),
    ],
)
def test_the_command_line_takes_every_spelling(tmp_path, capsys, architecture):
    asked = ["job=score", "task=digits", "proxies=[params]", "batch_size=8", "executor=local"]
    assert call(tmp_path, *asked, "format=csv", f"architecture={architecture}") == 0
    assert canonical(NB201) in capsys.readouterr().out


@pytest.mark.parametrize("architecture", ["0", "[4,3,3,0,0,0]"])
def test_training_takes_every_spelling(tmp_path, architecture):
    recipe = ["train_architecture.epochs=1", "train_architecture.batch_size=400"]
    recipe += ["train_architecture.auxiliary=0", "train_architecture.drop_path=0"]
    asked = ["job=train", "space=nb201", "task=digits", *recipe]
    assert call(tmp_path, *asked, f"architecture={architecture}") == 0
    (record,) = tmp_path.rglob("results/train/**/run.json")
    assert canonical(NB201) in record.read_text()


# NAS-Bench-101's hashes.


def test_hashes_of_small_cells():
    found = set()
    for cell in nb101_enumeration.labelled_graphs(4):
        spec = nb101_enumeration.decode(nb101_enumeration.encode(4, *cell))
        name = nb101_cells.isomorphism_hash(spec)
        key = spaces.get("nb101").canonical(name)
        assert spaces.get("nb101").isomorphism_class(key) == name
        assert nb101.parse(name.upper()) == nb101.parse(key)
        found.add(key)
    assert len(found) == 84


def test_an_unknown_hash():
    with pytest.raises(HarnessError, match="is the hash of no NAS-Bench-101 cell"):
        spaces.get("nb101").canonical("0" * 32)


# Two of the benchmark's hashes that look like numbers, one of them beyond the range of floats.
@pytest.mark.parametrize(
    "name", ["1406122754253195e096308860749500", "85e31994937839921463715306612713"]
)
def test_hashes_that_look_like_numbers_stay_text(name):
    from hydra.core.override_parser.overrides_parser import OverridesParser

    (word,) = readable([f"architecture={name}"])
    (override,) = OverridesParser.create().parse_overrides([word])
    value = override.value()
    assert isinstance(value, str) or value.text
    assert str(value).strip("'") == name


# What is no key.


MUTATION = st.tuples(
    st.sampled_from(["delete", "insert", "replace", "double", "swap"]),
    st.integers(0, 10**6),
    st.sampled_from([*"0123456789~|+()[],'_-= \nabnoutpu×٣\\", "none", "Genotype(", "True"]),
)


def mutated(text, mutations):
    for kind, place, sign in mutations:
        at = place % (len(text) + 1)
        before, after = text[:at], text[at:]
        text = {
            "delete": before + after[1:],
            "insert": before + sign + after,
            "replace": before + sign + after[1:],
            "double": before + after[:7] + after,
            "swap": before[:-1] + after[:1] + before[-1:] + after[1:],
        }[kind]
    return text


@pytest.mark.parametrize(("space", "text"), SPELLED)
@given(mutations=st.lists(MUTATION, min_size=1, max_size=4))
def test_a_changed_key_is_refused_or_another_key(space, text, mutations):
    try:
        key = space.canonical(mutated(text, mutations))
    except HarnessError as error:
        assert str(error)
    else:
        assert space.canonical(key) == key
        assert space.count_params(key, space.tasks[0]) > 0


@EVERY_SPACE
@given(text=st.text(max_size=200))
def test_any_text_is_refused_or_a_key(space, text):
    try:
        key = space.canonical(text)
    except HarnessError:
        return
    assert space.canonical(key) == key


LONG = 200_000
GARBAGE = {
    "letters": "a" * LONG,
    "digits": "1" * LONG,
    "opening brackets": "(" * LONG,
    "nested brackets": "[" * LONG + "]" * LONG,
    "brackets below the limit of length": "(" * 1500 + "1," + ")" * 1500,
    "bars": "|" * LONG,
    "groups": "|none~0|+" * LONG,
    "operations": "conv3x3~0|" * LONG,
    "numbers": "(" + "0, " * LONG + ")",
    "a genotype without end": "Genotype(normal=[" + "('none', 0), " * LONG,
    "signs": "-" * 3999 + "1",
    "blanks": " " * LONG,
    "a long name": f"|{'x' * LONG}~0|+|none~0|none~1|+|none~0|none~1|none~2|",
    "a long vertex": f"{'x' * LONG}~0|output~1",
    "a long edge": f"|{'x' * LONG}~0|none~0|+" + "+".join(["|none~0|none~0|"] * 3),
}


@EVERY_SPACE
@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE)
def test_endless_text_is_refused_in_few_words(space, text):
    with pytest.raises(HarnessError) as caught:
        space.canonical(text)
    assert len(str(caught.value)) < LONGEST_SHOWN + 800


CELL = "((0, 3), (1, 3), (0, 3), (1, 3), (1, 3), (0, 2), (0, 2), (2, 5))"
SETS = "{" + CELL[1:-1] + "}"
EIGHT_NAMES = CELL.replace("2)", "'sep_conv_3x3')")
NONE = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
GENOTYPE = spaces.get("nb301").spellings["genotype (DARTS)"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nb201", NONE.replace("|+|none~0|none~1|+|", "|GARBAGE|+|none~0|none~1|+|")),
        ("nb201", NONE.replace("|+|", "|+junk|", 1)),
        ("nb201", NONE.replace("~2|", "~2||")),
        ("nb201", NONE.replace("~2", "~٢")),
        ("nb201", NONE.replace("none~2", "none ~2")),
        ("nb201", NONE.replace("+", " + ")),
        ("nb201", NONE.replace("none~0|none", "none~0none", 1)),
        ("nb201", NONE + NONE),
        ("nb201", f"'{NONE}'"),
        ("nb101", "conv3x3~00|output~1"),
        ("nb101", "conv3x3~0|output~010"),
        ("nb101", "conv3x3~0 |output~1"),
        ("nb101", "([[0, 1.0], [0, 0]], ['input', 'output'])"),
        ("nb101", "([[0, True], [0, 0]], ['input', 'output'])"),
        ("nb101", "([[0, '1'], [0, 0]], ['input', 'output'])"),
        ("nb101", "([[0, 2], [0, 0]], ['input', 'output'])"),
        ("nb101", "([[0, 1], [0, 0]], ['input', 3])"),
        ("nb101", "([[0, 1], [0, 0]], 'input')"),
        ("nb101", "([], [])"),
        ("nb101", "(0, 1, 0, 0, 0, True)"),
        ("nb301", f"({CELL}, {SETS})"),
        ("nb301", f"({CELL}, {CELL.replace('(2, 5)', '(2, 5.0)')})"),
        ("nb301", f"({CELL}, {CELL.replace('(2, 5)', '(2, True)')})"),
        ("nb301", f"({CELL}, {EIGHT_NAMES})"),
        ("nb301", f"({CELL}, {CELL.replace('5', str(10**40))})"),
        ("nb301", f"({CELL}, {CELL.replace('2, 5', '2, [5]')})"),
        ("nb301", GENOTYPE.replace("normal=", "normal=[], normal=")),
        ("nb301", GENOTYPE.replace("reduce_concat", "more=1, reduce_concat")),
        ("nb301", GENOTYPE.replace("Genotype(", "Genotype(1, ")),
        ("nb301", GENOTYPE.replace("Genotype(", "Genotype(**{}, ")),
        ("darts_swap", GENOTYPE),
        ("tnb101_micro", "(1, 0, 2, 3, 3, True)"),
        ("tnb101_micro", "64-41414-1_02_33٣"),
        ("tnb101_macro", "(2, 3, 0, 1)"),
        ("tnb101_macro", "64-2311-basic-"),
    ],
)
def test_what_only_resembles_a_key_is_refused(name, text):
    with pytest.raises(HarnessError):
        spaces.get(name).canonical(text)


def test_nothing_is_evaluated():
    assert spelling.literal("print(1)") is None
    assert spelling.literal("[1 for x in (1,)]") is None
    assert spelling.literal("(1, 2)") == (1, 2)


@given(st.integers(0, 1000))
def test_long_text_is_shown_by_its_beginning(length):
    text = "a" * length
    if length <= LONGEST_SHOWN:
        assert shown(text) == repr(text)
    else:
        assert shown(text) == f"'{text[:LONGEST_SHOWN]}'… ({length:,} characters)"


# A table of one's own.


def load(tmp_path, content, space="nb201", task="cifar10"):
    file = tmp_path / "mine.csv"
    file.write_text(content, encoding="utf-8")
    return truth.load(space, task, variant="csv", path=str(file)).set_index("key").value.to_dict()


def test_a_table_mixes_spellings(tmp_path):
    content = f'key,value\n1462,1\n000012,2\n"(2, 1, 4, 0, 3, 1)",3\n{NONE},4\n'
    assert load(tmp_path, content) == {
        NB201.key_at(1462): 1,
        NB201.key_at(12): 2,
        "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|": 3,
        NONE: 4,
    }


def test_a_table_of_indices_alone(tmp_path):
    values = load(tmp_path, "key,value\n" + "".join(f"{i},{i / 2}\n" for i in range(200)))
    assert values == {NB201.key_at(index): index / 2 for index in range(200)}


def test_a_table_of_hashes_matrices_and_keys(tmp_path):
    space = spaces.get("nb101")
    first, second = space.spellings["the benchmark's hash"], "conv3x3~0|output~1"
    content = f"key,value\n{first},1\n{second},2\n\"([[0, 1], [0, 0]], ['input', 'output'])\",3\n"
    assert load(tmp_path, content, "nb101") == {canonical(space): 1, second: 2, "output~0": 3}


def test_a_table_of_genotypes(tmp_path):
    assert load(tmp_path, f'key,value\n"{GENOTYPE}",1\n', "darts") == {
        canonical(spaces.get("darts")): 1
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            f"key,value\n{NONE},1\n5,2\n{NB201.index(NONE)},3\n",
            r"line 4: \|none~0\|.* appears a second time; line 2 names it too",
        ),
        ("key,value\n12.0,1\n", r"line 2: '12\.0' is not .* whole number"),
        ("key,value\n15624,1\n15625,1\n", "line 3: '15625' is not"),
        ("key,value\n,1\n", "line 2: '' is not"),
        ("key,value\n(4, 3, 3, 0, 0, 0),1\n", "written in double quotes"),
        ("key,value\n3,1\n(4, 3, 3, 0, 0, 0),1\n", "written in double quotes"),
        ("key,value\n" + "1" * 100_000 + ",1\n", "line 2: .*100,000 characters"),
    ],
)
def test_faulty_tables(tmp_path, content, message):
    with pytest.raises(HarnessError, match=message) as caught:
        load(tmp_path, content)
    assert len(str(caught.value)) < 1_000
