"""Finished results of made-up scores, as ``job=correlate`` leaves them."""

import json

from harness import stats
from harness.results.folder import replacing

SETTINGS = {
    "swap": {"images": 16, "repeats": 1, "init": "default"},
    "regulariser": {"mu": 1.0, "sigma": 2.0, "unit": 1e3},
}


def store(root, scores, *, study="main", inputs=None, truth=None, settings=None, undefined="worst"):
    """Writes tables and a record into ``<root>/<study>/<space>/<task>``; returns the folder.

    Args:
        root: Folder of all results.
        scores: What ``stats.summary`` takes, of one space and task.
        study: Which study.
        inputs: What the record says of the images, beside the usual.
        truth: What it says of the ground truth, beside the usual.
        settings: What it says of settings, beside the usual.
        undefined: What undefined scores rank as.
    """
    folder = root / study / scores.space.iloc[0] / scores.task.iloc[0]
    images = {"stand_in": False, "source": "cifar10_train", "origin": "photographs"}
    images |= {"sha256": "0" * 64} | (inputs or {})
    names = list(dict.fromkeys(scores.proxy))
    accuracies = {"n": 15_625, "metric": "accuracy, percent", "split": "test", "variant": "v"}
    record = {
        "config": {"seed": "0..1"},
        "conditions": {
            "undefined": undefined,
            "inputs": images,
            "batch_size": 64,
            "proxies": {name: {"settings": {}} for name in names},
        },
        "resolved": {"settings": SETTINGS | (settings or {}), "proxies": names},
        "truth": accuracies | {"epochs": None} | (truth or {}),
        "inputs": images,
        "computed": [{"cpu": "some <processor>", "scores": len(scores)}],
        "versions": {"torch": "2.13.0"},
        "commit": "feedbeef00000000",
    }
    with replacing(folder) as fresh:
        scores.to_parquet(fresh / "scores.parquet")
        stats.correlations(scores).to_csv(fresh / "correlations.csv", index=False)
        stats.summary(scores, resamples=20).to_csv(fresh / "summary.csv", index=False)
        (fresh / "run.json").write_text(json.dumps(record))
    return folder
