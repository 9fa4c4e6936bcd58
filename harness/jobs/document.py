"""``job=document``: writes the pages that are made from the code: proxies and ground truth."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness import figures, truth
from harness.config import Config
from harness.files import atomic
from harness.jobs.base import jobs
from harness.proxies import populations, proxies

PROXIES = """# Proxies

Made from the docstrings by `make docs`. A proxy is a pure function from what passes observe to a
number; passes are run once per network, however many proxies need them. Scores are stored as the
formula gives them; "direction" tells which ones are meant to promise a better network.

"""

TRUTH = """# Ground truth

Made from the records in `harness/truth/` by `make docs`: which accuracy each table holds. The
first variant of a space and task is the default of `truth=`; `truth=csv truth.path=FILE` takes your
own. Addresses and checksums are in `harness/truth/sources.toml`.

"""


def document(config: Config) -> Path:
    """Writes ``docs/proxies.md`` and ``docs/truth.md``; returns the folder."""
    folder = Path("docs")
    for name, text in (("proxies.md", proxy_pages()), ("truth.md", truth_page())):
        with atomic(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return folder


def truth_page() -> str:
    """Returns the table of all ground truths, in Markdown."""
    return TRUTH + figures.markdown(truth.overview())


def proxy_pages() -> str:
    """Returns the table of all proxies and a section for each, in Markdown."""
    table = figures.markdown(proxy_table())
    sections = [
        f"## {name}\n\n{_indented(_doc(name))}\n"
        for name in [*proxies.names(), *populations.names()]
    ]
    return PROXIES + table + "\n" + "\n".join(sections)


def proxy_table() -> pd.DataFrame:
    """Returns one row per proxy: name, direction, passes, labels, tasks, source."""
    rows = [
        {
            "proxy": f"[{proxy.name}](#{proxy.name})",
            "direction": proxy.direction,
            "passes": ", ".join(proxy.passes),
            "labels": "yes" if proxy.labels else "no",
            "defined for": proxy.tasks,
            "source": proxy.source,
        }
        for proxy in map(proxies.get, proxies.names())
    ]
    rows += [
        {
            "proxy": f"[{name}](#{name})",
            "direction": "higher",
            "passes": "those of " + ", ".join(populations.get(name).needs),
            "labels": "no",
            "defined for": "populations of architectures",
            "source": populations.get(name).doc.partition("Source: ")[2],
        }
        for name in populations
    ]
    return pd.DataFrame(rows)


def _doc(name: str) -> str:
    return proxies.get(name).doc if name in proxies else populations.get(name).doc


def _indented(doc: str) -> str:
    """Keeps paragraphs and protects the characters that Markdown would interpret."""
    return doc.replace("|", "\\|").replace("_", "\\_").replace("*", "\\*")


jobs.add("document", document)
