"""The main job as a function: what adds up, what is refused, what is never computed twice."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from commands import RESULT, call, write_truth

from harness import api, evaluation
from harness.core.errors import HarnessError
from harness.passes.settings import SwapSettings
from harness.results.finished import stored_scores
from harness.results.folder import read_record, replacing
from harness.results.pictures import Pictures
from harness.results.terminal import dashes
from harness.run_pictures import draws_in_words
from harness.scoring import shard

COLUMNS = [
    *("space", "task", "key", "proxy", "seed", "draw", "value", "status", "seconds"),
    *("message", "conditions", "machine", "truth"),
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_truth(tmp_path, n=20)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(proxies: Any = "params", n: int = 4, seeds: Any = 0, **choices: Any) -> pd.DataFrame:
    chosen = {
        "truth": "csv",
        "truth_path": "truth.csv",
        "batch_size": 4,
        "executor": "local",
        "results": "results",
        **choices,
    }
    return api.evaluate("nb201", "digits", proxies, n, seeds, **chosen)


def stored(study: str = "main") -> pd.DataFrame:
    return api.scores.of_study("nb201", "digits", study=study)


def sizes(table: pd.DataFrame) -> dict[tuple[str, int], int]:
    return {(str(p), int(s)): len(rows) for (p, s), rows in table.groupby(["proxy", "seed"])}


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, tuple[str, ...]]]:
    """What was really scored: key, seed and proxies."""
    made: list[tuple[str, int, tuple[str, ...]]] = []
    original = shard.score_architecture

    def score(conditions: Any, key: str, seed: int, names: tuple[str, ...]) -> Any:
        made.append((key, seed, names))
        return original(conditions, key, seed, names)

    monkeypatch.setattr(shard, "score_architecture", score)
    return made


def test_the_table_is_tidy_and_joined_with_the_truth(here: Path) -> None:
    table = run(["params", "swap"], seeds=range(2))
    assert list(table) == COLUMNS
    assert sizes(table) == {(p, s): 4 for p in ("params", "swap") for s in (0, 1)}
    accuracy = pd.read_csv("truth.csv").set_index("key").value
    assert (table.truth == table.key.map(accuracy)).all()
    assert sorted(table[table.proxy == "swap"].draw) == sorted([0, 1, 2, 3] * 2)
    pd.testing.assert_frame_equal(stored(), table)
    assert api.summary(table).seeds.eq(2).all()


def test_nothing_is_kept_unless_asked(here: Path) -> None:
    before = set(here.rglob("*"))
    run(results=None)
    assert set(here.rglob("*")) == before


def test_seeds_proxies_and_architectures_add_up(here: Path) -> None:
    run("params", seeds=0)
    run(["l2_norm", "az_nas"], seeds=[1])
    run("params", n=6, seeds=1)
    table = stored()
    assert sizes(table) == {
        ("params", 0): 4, ("l2_norm", 1): 4, ("az_nas", 1): 4, ("params", 1): 6,
    }  # fmt: skip
    assert not table.duplicated(["seed", "draw", "proxy"]).any()
    record = read_record(Path("results/main/nb201/digits"))
    assert record["resolved"]["seeds"] == [0, 1]
    assert set(record["resolved"]["proxies"]) == {"params", "l2_norm", "az_nas"}
    assert sum(machine["scores"] for machine in record["computed"]) == len(table)


def test_a_smaller_run_takes_nothing_away(here: Path) -> None:
    run(["params", "az_nas"], n=6)
    before = stored()
    run(["params", "az_nas"], n=3)
    pd.testing.assert_frame_equal(stored(), before)


def test_a_population_is_ranked_as_a_whole(here: Path) -> None:
    """Ranks among four and ranks among eight do not stand in one column."""
    run("az_nas", n=4)
    run("az_nas", n=8)
    whole = run("az_nas", n=8, results="other")
    pd.testing.assert_series_equal(stored().value, whole.value)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"batch_size": 8}, "batch_size=4, now 8"),
        ({"settings": [api.SwapSettings(images=2)]}, "swap.images=4, now 2"),
        ({"inputs": "gaussian"}, "inputs.source=digits_train, now gaussian"),
        ({"truth": "default", "truth_path": None}, "truth.variant=csv, now measured"),
    ],
)
def test_other_conditions_are_refused_before_any_work(
    here: Path, choices: dict[str, Any], said: str, computed: list[Any]
) -> None:
    run("swap")
    before, done = stored(), len(computed)
    with pytest.raises(HarnessError, match=r"study=NAME, or replace it with overwrite=true") as e:
        run("swap", **choices)
    assert said in str(e.value)
    assert len(computed) == done
    pd.testing.assert_frame_equal(stored(), before)
    run("swap", study="other", **choices)
    assert set(stored("other").conditions).isdisjoint(before.conditions) or "truth" in choices


def test_another_truth_of_the_same_name_is_refused(here: Path) -> None:
    run()
    table = pd.read_csv("truth.csv")
    table.value += 1
    table.to_csv("truth.csv", index=False)
    with pytest.raises(HarnessError, match=r"truth\.truth\.csv=sha256:"):
        run()


def test_what_a_clone_brings_is_not_scored_again(here: Path, computed: list[Any]) -> None:
    """Committed results hold no shards, and yet seed 0 is extended to more seeds and proxies."""
    run(["params", "swap"], seeds=0)
    shutil.rmtree("results/.work")
    computed.clear()
    run(["params", "swap"], n=5, seeds=range(2))
    by_seed = [seed for _, seed, _ in computed]
    assert by_seed.count(0) == 1
    assert by_seed.count(1) == 5


def test_studies_share_what_they_have_in_common(here: Path, computed: list[Any]) -> None:
    run(["params", "swap"])
    computed.clear()
    run(["params", "swap"], study="more_images", settings=[api.SwapSettings(images=2)])
    assert {names for _, _, names in computed} == {("swap",)}


def test_a_damaged_result_is_not_built_upon(here: Path) -> None:
    run()
    path = Path("results/main/nb201/digits/scores.parquet")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert stored_scores(Path("results"), "nb201", "digits").empty
    with pytest.raises(HarnessError, match=r"scores.parquet is not the file that run.json"):
        run(seeds=1)


def test_an_edited_formula_never_meets_old_scores(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("params")
    edited = {**vars(api.proxies.get("params")), "definition": "2"}
    monkeypatch.setitem(api.proxies._items, "params", type(api.proxies.get("params"))(**edited))
    with pytest.raises(HarnessError, match=r"proxies\.params\.definition=1, now 2"):
        run("params", seeds=1)
    run("params", study="again")
    assert set(stored("again").conditions).isdisjoint(stored().conditions)


def test_a_run_with_nothing_to_do_draws_nothing(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(["params", "az_nas"])
    monkeypatch.setattr(evaluation, "_write", None)
    run(["params", "az_nas"])
    run("params", n=2)


def test_a_result_says_how_many_scores_are_at_their_ceiling(here, capsys):
    """Of two images there are four patterns, which every network but an empty one shows."""
    run(["swap", "params"], n=6, settings=[SwapSettings(images=2)])
    table = pd.read_csv(here / "results/main/nb201/digits/summary.csv").set_index("proxy")
    share = (stored().query("proxy == 'swap'").value == 4).mean()
    assert table.at_ceiling["swap"] == pytest.approx(share) and share > 0.02
    assert pd.isna(table.at_ceiling["params"])
    # More proxies later: the ceiling is that of the settings under which swap was scored.
    run(["flops"], n=6)
    again = pd.read_csv(here / "results/main/nb201/digits/summary.csv").set_index("proxy")
    assert again.at_ceiling["swap"] == table.at_ceiling["swap"]


def test_statistics_of_another_version_are_made_anew_without_scoring(here, monkeypatch):
    run("params", n=6)
    folder = here / "results/main/nb201/digits"
    older = pd.read_csv(folder / "summary.csv").drop(columns="at_ceiling")
    with replacing(folder) as fresh:
        older.to_csv(fresh / "summary.csv", index=False)
        for name in (
            "scores.parquet",
            "correlations.csv",
            "heatmap.png",
            "scatter.png",
            "run.json",
        ):
            shutil.copy2(folder / name, fresh)
    monkeypatch.setattr(shard, "score_architecture", None)  # nothing is left to score
    run("params", n=6)
    assert "at_ceiling" in pd.read_csv(folder / "summary.csv")


def test_a_dash_is_explained_where_it_stands(here, capsys):
    run("params", n=12)
    assert "–" not in capsys.readouterr().out.partition("Heat map")[0]
    run(["swap", "params"], n=4, settings=[SwapSettings(images=1)], study="b")
    out = capsys.readouterr().out
    line = "– swap: all scores of a seed are equal; no interval of fewer than 10 architectures."
    assert line in out.splitlines()


def test_reasons_of_dashes_are_those_of_the_scores():
    names = ["puzzled", "as well", "broken", "constant", "fine"]
    status = {"puzzled": "undefined", "as well": "undefined", "broken": "error"}
    message = {"puzzled": "needs class labels", "as well": "needs class labels", "broken": "boom"}
    scores = pd.DataFrame({"proxy": names * 2})
    scores = scores.assign(
        status=scores.proxy.map(status).fillna("ok"), message=scores.proxy.map(message).fillna("")
    )
    summary = pd.DataFrame({"proxy": names, "n": 20, "spearman_mean": [float("nan")] * 4 + [0.5]})
    assert dashes(summary, scores) == [
        "– puzzled, as well: not defined on this column (needs class labels); broken: failed "
        "(boom); constant: all scores of a seed are equal."
    ]
    assert dashes(summary[4:], scores) == []
    assert dashes(summary[4:].assign(n=9), scores) == [
        "– no interval of fewer than 10 architectures."
    ]


def test_draws_and_different_architectures_are_both_said():
    rows = pd.DataFrame({"proxy": "p", "seed": [0, 0, 0, 1, 1, 1]})
    assert draws_in_words(rows.assign(key=list("aabccd"))) == "3 draws of 2 different architectures"
    assert draws_in_words(rows.assign(key=list("abcbcd"))) == "3 architectures"


def test_pictures_are_drawn_anew_where_others_are_asked_for(finished_by_command, monkeypatch):
    here = finished_by_command
    assert not (here / RESULT / "scatter.svg").exists()
    asked = ("proxies=[params]", "executor=local", "formats=svg", "ranks=true")
    assert call(here, *asked) == 0
    assert "rank of score" in (here / RESULT / "scatter.svg").read_text()
    monkeypatch.setattr(evaluation, "_write", None)
    assert call(here, *asked) == 0  # those are there


@pytest.fixture
def finished_by_command(here, monkeypatch):
    assert call(here, "proxies=[params]", "executor=local") == 0
    with monkeypatch.context() as nothing_is_drawn:
        nothing_is_drawn.setattr(evaluation, "_write", None)
        assert call(here, "proxies=[params]", "executor=local") == 0
    return here


def test_pictures_of_records_without_a_word_of_them_are_the_usual_ones():
    for usual in (Pictures(), Pictures([]), Pictures("png")):
        assert usual.are_those({}) and usual.are_those({"formats": [], "bare": False})
    assert Pictures(["svg"]).are_those({"formats": "svg"})
    assert not Pictures("svg").are_those({}) and not Pictures(ranks=True).are_those({})
    with pytest.raises(HarnessError, match="gif"):
        Pictures("gif")
