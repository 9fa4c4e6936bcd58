"""What a run may ask for: every value is checked, and conf/ says what the code does."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from harness.__main__ import config_folder
from harness.config import Config, from_mapping, known_keys, parse_seeds
from harness.errors import HarnessError
from harness.jobs import jobs
from harness.proxies import populations, proxies
from harness.runs.plan import resolve_proxies

CHOICES = sorted(f"{path.parent.name}={path.stem}" for path in config_folder().glob("*/*.yaml"))


def composed(*overrides: str) -> Config:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        return from_mapping(compose("config", list(overrides)))


def test_conf_and_code_have_the_same_defaults() -> None:
    """A default that stands in two places may not differ, whoever calls without Hydra."""
    config = composed()
    names = [field.name for field in dataclasses.fields(Config)]
    assert names
    for name in set(names) - {"proxy_sets", "training_seeds"}:
        assert getattr(config, name) == getattr(Config(), name), name


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_in_conf_composes(choice: str) -> None:
    config = composed(choice)
    assert config.job in jobs
    assert resolve_proxies(config)


def test_named_sets_hold_proxies() -> None:
    sets = composed().proxy_sets
    assert {"default", "suite_zero", "swap_family", "forward_only"} <= set(sets)
    for name, members in sets.items():
        assert len(members) == len(set(members)), name
        for member in members:
            assert member in proxies or member in populations, (name, member)
    published = "epe_nas fisher flops grad_norm grasp jacov l2_norm nwot params plain snip synflow"
    assert " ".join(sorted(sets["suite_zero"])) == f"{published} zen"


def test_sets_proxies_and_all_can_be_mixed() -> None:
    def resolved(value: str) -> tuple[str, ...]:
        return resolve_proxies(composed(f"proxies={value}"))

    assert resolved("swap") == ("swap",)
    assert resolved("[snip,swap_family,swap]") == (
        "snip",
        "activation_patterns",
        "swap",
        "reg_swap",
    )
    assert set(resolved("all")) == {*proxies.names(), *populations.names()}
    assert resolved("all") == resolved("[all,swap]")


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        (3, [3]),
        ("3", [3]),
        ("0..4", [0, 1, 2, 3, 4]),
        ("7..7", [7]),
        ([0, 2], [0, 2]),
        (["0..2", 5, 1], [0, 1, 2, 5]),
        (10**18 - 1, [10**18 - 1]),
    ],
)
def test_seeds(text: object, seeds: list[int]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    "text",
    ["x", "", "-1", -1, 1.5, "4..0", "0...4", "0..", "..3", "1,2", [], [0, "x"], None, True, "²",
     {"a": 1}, 10**18, "0..9999999999999999999"],
)  # fmt: skip
def test_what_names_no_seeds(text: object) -> None:
    with pytest.raises(HarnessError, match=r"names no seeds; write seed=3, seed=0\.\.4"):
        parse_seeds(text)


@given(st.integers(0, 50), st.integers(0, 50))
def test_ranges_are_inclusive(first: int, last: int) -> None:
    if first <= last:
        assert parse_seeds(f"{first}..{last}") == [*range(first, last), last]
    else:
        with pytest.raises(HarnessError):
            parse_seeds(f"{first}..{last}")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"swap": {"imagez": 3}}, "'swap.imagez'. Did you mean 'swap.images'?"),
        ({"spce": "nb201"}, "'spce'. Did you mean 'space'?"),
        ({"n": "abc"}, "'n' is wrong: Value 'abc'"),
        ({"n": 1.5}, "'n' is wrong"),
        ({"swap": {"images": "many"}}, "'swap.images' is wrong"),
        ({"swap": 3}, "is wrong"),
        ({"replace": "maybe"}, "'replace' is wrong"),
        ({"space": None}, "'space' is wrong"),
        ({"n": 0}, "n must be at least 1"),
        ({"n": -3}, "n=-3 architectures cannot be drawn"),
        ({"batch_size": 1}, "at least 2 images"),
        ({"undefined": "maybe"}, "'worst' or 'drop'"),
        ({"results": ""}, "names no folder"),
        ({"seed": "x"}, "seed=x names no seeds"),
        ({"training_seeds": "x"}, "training_seeds=x names no seeds"),
        ({"executor": {"name": "slrm"}}, "Unknown executor 'slrm'"),
        ({"executor": {"workers": -1}}, "executor.workers=-1"),
        ({"swap": {"images": 0}}, "swap.images=0"),
    ],
)
def test_wrong_values_are_one_sentence(values: dict[str, Any], message: str) -> None:
    with pytest.raises(HarnessError) as error:
        from_mapping(OmegaConf.create(values))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_known_keys_are_those_that_can_be_set() -> None:
    known = known_keys()
    assert {"space", "swap.images", "executor.workers", "truth.path"} <= set(known)
    assert "swap.imagez" not in known
    for key in known:
        value = OmegaConf.select(OmegaConf.structured(Config), key)
        if not OmegaConf.is_config(value):
            values = OmegaConf.create()
            OmegaConf.update(values, key, value)
            assert from_mapping(values) == Config(), key


def test_config_is_found_in_the_checkout() -> None:
    assert (config_folder() / "config.yaml").is_file()
    assert config_folder().parent == Path(__file__).resolve().parent.parent
