"""``job=document``: writes the pages that are made from the code."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.jobs.job import job


@job(one_space=False)
def document(config: Config) -> Path:
    """Writes NOTICE and the pages docs/proxies.md and docs/truth.md from the code.

    Returns:
        The folder ``docs``.
    """
    from harness.core.files import atomic
    from harness.report.documents import notice, proxies_page, truth_page

    folder = Path("docs")
    pages = {
        folder / "proxies.md": proxies_page(),
        folder / "truth.md": truth_page(),
        Path("NOTICE"): notice(),
    }
    for path, text in pages.items():
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return folder
