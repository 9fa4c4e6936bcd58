"""What a run may ask for: every choice composes, every value is checked."""

import dataclasses
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from harness.command_line.arguments import config_folder, presets
from harness.command_line.choices import register
from harness.command_line.compose import from_mapping
from harness.command_line.keys import known_keys
from harness.config import Config, parse_seeds
from harness.core.errors import HarnessError
from harness.core.sections import Settings, score_sections
from harness.executors.executor import executors
from harness.inputs import image_sets
from harness.inputs.tasks import tasks
from harness.jobs.job import jobs
from harness.proxies.contract import populations, proxies
from harness.proxies.sets import proxy_sets, resolved
from harness.scoring.scope import Scope
from harness.spaces.space import spaces
from harness.truth import records

CHOICES = {
    "job": jobs.names(),
    "space": spaces.names(),
    "task": tasks.names(),
    "inputs": ["task", "gaussian", *image_sets.choices()],
    "truth": records.choices(),
    "executor": executors.names(),
    "experiment": list(presets()),
}


@pytest.fixture(scope="module", autouse=True)
def registered() -> None:
    register()


def values(*overrides: str) -> dict[str, Any]:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        found = OmegaConf.to_container(compose("config", list(overrides)))
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


def composed(*overrides: str) -> Config:
    return from_mapping(values(*overrides))


def test_what_is_composed_without_overrides_is_the_default() -> None:
    config = composed()
    assert dataclasses.replace(config, sections=Settings(), options={}) == Config()
    assert config.options == vars(jobs.get(Config.job).options())
    assert list(config.sections) == [Scope(), *(kind() for kind in score_sections.values())]


@pytest.mark.parametrize("group", CHOICES)
def test_every_registered_name_is_a_choice(group: str) -> None:
    assert CHOICES[group]
    for name in CHOICES[group]:
        config = composed(f"{group}={name}")
        found = {
            "inputs": config.inputs.source,
            "truth": config.truth.variant,
            "executor": config.executor.name,
            "experiment": name,
        }
        assert found.get(group, getattr(config, group, None)) == name


def test_a_job_without_a_space_has_none_unless_one_is_named() -> None:
    assert (composed("job=list").space, composed("job=list").task) == ("", "")
    assert composed("job=list", "space=nb101").space == "nb101"


def test_a_preset_chooses_the_job_and_can_be_changed() -> None:
    config = composed("experiment=swap_nas_nb201", "task=cifar100")
    assert (config.job, config.space, config.task) == ("compare_searches", "nb201", "cifar100")
    assert config.seeds == list(range(20))


def test_named_sets_hold_proxies() -> None:
    assert {"default", "suite_zero", "swap_family", "forward_only"} <= set(proxy_sets)
    for name in proxy_sets:
        members = proxy_sets.get(name)
        assert len(members) == len(set(members)), name
        for member in members:
            assert member in proxies or member in populations, (name, member)
    published = "epe_nas fisher flops grad_norm grasp jacov l2_norm nwot params plain snip synflow"
    assert " ".join(sorted(proxy_sets.get("suite_zero"))) == f"{published} zen"


def test_sets_proxies_and_all_can_be_mixed() -> None:
    def chosen(*overrides: str) -> tuple[str, ...]:
        scope = composed(*overrides).of(Scope)
        return resolved(scope.proxies, scope.proxy_sets)

    assert chosen("proxies=swap") == ("swap",)
    mixed = ("snip", "activation_patterns", "swap", "reg_swap")
    assert chosen("proxies=[snip,swap_family,swap]") == mixed
    assert chosen("+proxy_sets.mine=[zen,snip]", "proxies=[mine,swap]") == ("zen", "snip", "swap")
    assert set(chosen("proxies=all")) == {*proxies.names(), *populations.names()}


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
        ({"space": None}, "'space' is wrong"),
        ({"overwrite": "maybe"}, "'overwrite' is wrong"),
        ({"channels_last": 1.5}, "'channels_last' is wrong"),
        ({"swap": {"images": 1.5}}, "'swap.images' is wrong"),
        ({"zen": {"gamma": "inf"}}, "zen.gamma=inf is not possible"),
        ({"executor": {"name": "slrm"}}, "Unknown executor 'slrm'"),
        ({"executor": {"name": "ray", "gpus": "two"}}, "'executor.gpus' is wrong"),
        ({"proxy_sets": {"mine": "swap"}}, "'proxy_sets.mine' is wrong"),
        ({"job": "score", "model": [1]}, "'model' is wrong"),
        ({"job": "score", "n": 3}, "job=score has no key 'n'; it belongs to job="),
    ],
)
def test_what_no_command_line_shows_is_checked_too(values: dict[str, Any], message: str) -> None:
    """The command line's own mistakes are in test_cli; these go past Hydra's grammar."""
    with pytest.raises(HarnessError) as error:
        from_mapping(values)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("job", jobs.names())
def test_known_keys_are_those_that_are_composed(job: str) -> None:
    def dotted(values: dict[str, Any], prefix: str = "") -> set[str]:
        below = (dotted(v, f"{prefix}{k}.") for k, v in values.items() if isinstance(v, dict))
        return {f"{prefix}{key}" for key in values}.union(*below)

    of_executors = {key for one in executors.values() for key in vars(one.defaults)}
    every = dotted(values(f"job={job}")) | {f"executor.{key}" for key in of_executors}
    assert set(known_keys(jobs.get(job))) == every


@pytest.mark.parametrize(
    "name",
    ["/", "/tmp/x", "..", "../x", "a/../b", ".work", "a/.b", "a//b", "a/", "-", "a\n", "a b"],
)
def test_a_study_lies_below_the_results(name: str) -> None:
    with pytest.raises(HarnessError, match="is no name below results="):
        Config(study=name)


@pytest.mark.parametrize("name", ["", "mine", "table3/images16_side3", "v1.0-b", "2nd"])
def test_a_study_may_have_parts(name: str) -> None:
    assert Config(study=name).study == name
