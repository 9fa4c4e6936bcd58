"""``job=document``: writes the pages that are made from the code: proxies and ground truth."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness import figures, truth
from harness.config import Config
from harness.files import atomic
from harness.jobs.base import jobs
from harness.proxies import populations, proxies
from harness.truth.sources import source

PROXIES = """# Proxies

Made from the docstrings by `make docs`. A proxy is a pure function from what passes observe to a
number; passes are run once per network, however many proxies need them. Scores are stored as the
formula gives them; "direction" tells which ones are meant to promise a better network.

"""

TRUTH = """# Ground truth

Made from the records in `harness/truth/` by `make docs`: which accuracy each table holds. The
first variant of a space and task is the default of `truth=`; `truth=csv truth.path=FILE` takes your
own ([own_space.md](own_space.md)). Addresses and checksums are in `harness/truth/sources.toml`.

## How many architectures are available, and how

`download`: fetched and checked when first asked for. `by hand`: place the file where the message
says; it is checked. `by hand, named`: no checksum is published, so nothing is read unless you name
your copy, `truth.path=`, and vouch for it.

"""

FILES = """
## Files that are placed by hand

The official NAS-Bench-201 and NATS-Bench files are pickles, and a pickle may run any code while it
is loaded. Here none does: only containers, numbers, text and (NAS-Bench-201) tensors are restored,
and any other name in the file ends the reading. They need
`pip install 'zero-cost-harness[official]'`. The file of NAS-Bench-201 takes several times its 5 GB
of memory and most of an hour, once; where that is too much, the folder of NATS-Bench is read one
architecture at a time.

"""

TABLES = """
## Every table

"""


def document(config: Config) -> Path:
    """Writes ``docs/proxies.md`` and ``docs/truth.md``; returns the folder."""
    folder = Path("docs")
    for name, text in (("proxies.md", proxy_pages()), ("truth.md", truth_page())):
        with atomic(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return folder


def truth_page() -> str:
    """Returns what is available and what every ground truth means, in Markdown."""
    tables = truth.overview()
    counts = figures.markdown(availability(tables))
    files = figures.markdown(placed_files(tables))
    return TRUTH + counts + FILES + files + TABLES + figures.markdown(tables)


def availability(tables: pd.DataFrame) -> pd.DataFrame:
    """Returns, per space and tasks, the most architectures that each way gives accuracies of.

    Args:
        tables: What ``truth.overview`` returns.
    """
    counts = tables.pivot_table("n", ["space", "task"], "available", aggfunc="max", dropna=False)
    ways = [way for way in ("download", "by hand", "by hand, named") if way in counts]
    counts = counts[ways].astype("Int64").dropna(how="all").reset_index()
    # Tasks of the same numbers share a row.
    rows = counts.groupby(["space", *ways], dropna=False, sort=False)["task"].agg(", ".join)
    return rows.reset_index()[["space", "task", *ways]]


def placed_files(tables: pd.DataFrame) -> pd.DataFrame:
    """Returns the files behind the tables that a person has to place: page, size, checksum."""
    by_hand = tables[tables["available"].str.startswith("by hand")]
    tables_by_hand = by_hand[["space", "task", "variant"]].astype(str).to_numpy().tolist()
    names = {name for table in tables_by_hand for name in truth.describe(*table).sources}
    rows = [
        {
            "file": str(entry.place),
            "from": entry.page,
            "bytes": entry.bytes,
            "checksum": f"{entry.algorithm} {entry.digest}" if entry.digest else "none published",
            "licence": entry.licence,
        }
        for entry in map(source, sorted(names))
    ]
    return pd.DataFrame(rows).astype({"bytes": "Int64"})


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
