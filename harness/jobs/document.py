"""``job=document``: writes the pages that are made from the code."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.jobs.job import job


@job(one_space=False)
def document(config: Config) -> Path:
    """Writes NOTICE and the pages of docs/ that are made from the code: keys, proxies, truth.

    Returns:
        The folder ``docs``.
    """
    from harness.core.files import atomic
    from harness.report.documents import PAGES

    for path, page in PAGES.items():
        with atomic(Path(path)) as temporary:
            temporary.write_text(page(), encoding="utf-8")
    return Path("docs")
