"""``job=score``."""

from __future__ import annotations

from typing import Any

from harness.config import Config
from harness.core.sections import Settings
from harness.core.tabular import check_format, print_table, write_csv
from harness.jobs.job import job
from harness.scoring.scope import ProxyChoice


@job()
def score(
    config: Config,
    choice: ProxyChoice,
    settings: Settings,
    *,
    architecture: Any = None,
    model: str = "",
    format: str = "table",
) -> None:
    """What does each proxy say of one network? Nothing is kept.

    Args:
        config: Space, task, seeds, images, device and executor.
        choice: Proxies and batch size.
        settings: Those of passes and proxies.
        architecture: Its key in the space, in any spelling that docs/keys.md lists, or its index.
        model: Instead, a network of your own: ``my.py:build``, a function that returns it. The
            task decides which batch it is shown.
        format: ``table``, or ``csv`` on the standard output with nothing beside it.
    """
    from harness.scoring.outcome import refuse_failure
    from harness.scoring.single import score_single

    check_format(format)
    rows = score_single(config, choice, settings, architecture, model)
    if format == "csv":
        write_csv(rows)
    else:
        _print(rows, config)
    refuse_failure(rows)


def _print(rows: list[dict[str, Any]], config: Config) -> None:
    seed = ("seed",) if len(config.seeds) > 1 else ()
    shown = ("proxy", *seed, "value", "seconds", "status", "message")
    title = f"{rows[0]['space']} · {rows[0]['task']} · {rows[0]['key']}".removeprefix(" · ")
    print_table(title, [{key: row[key] for key in shown} for row in rows])
