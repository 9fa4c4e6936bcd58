"""``job=document``: writes the pages that are made from the code."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.jobs.job import job


@job(one_space=False)
def document(config: Config) -> Path:
    """Writes the pages docs/keys.md, docs/proxies.md and docs/truth.md from the code.

    Returns:
        The folder ``docs``.
    """
    from harness.core.files import atomic
    from harness.report.documents import PAGES

    folder = Path("docs")
    for name, page in PAGES.items():
        with atomic(folder / f"{name}.md") as temporary:
            temporary.write_text(page(), encoding="utf-8")
    return folder
