"""The pages of docs/ that are made from the code: every proxy and every ground truth."""

from __future__ import annotations

import pandas as pd

from harness import truth
from harness.core.sections import section_name
from harness.proxies.contract import PopulationProxy, Proxy, populations, proxies
from harness.results.table_files import markdown
from harness.sources.catalogue import source

PROXIES = """# Proxies

Made from the docstrings by `make docs`. A proxy is a pure function from what passes observe to a
number; passes are run once per network, however many proxies need them. Scores are stored as the
formula gives them; "direction" tells which ones are meant to promise a better network, "settings"
which sections of the configuration change them.

"""

TRUTH = """# Ground truth

Made from the records in `harness/truth/` by `make docs`: which accuracy each table holds. The
first variant of a space and task is its default, `truth=VARIANT` takes another, and
`truth=csv truth.path=FILE` your own ([own_space.md](own_space.md)). Addresses and checksums are in
`harness/sources/catalogue.toml`.

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


def truth_page() -> str:
    """Returns what is available and what every ground truth means, in Markdown."""
    tables = truth.overview()
    counts = markdown(availability(tables))
    files = markdown(placed_files(tables))
    return TRUTH + counts + FILES + files + TABLES + markdown(tables)


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


def proxies_page() -> str:
    """Returns the table of all proxies and a section for each, in Markdown."""
    table = markdown(proxy_table())
    every: list[Proxy | PopulationProxy] = [*proxies.values(), *populations.values()]
    sections = [f"## {one.name}\n\n{_protected(one.doc)}\n" for one in every]
    return PROXIES + table + "\n" + "\n".join(sections)


def proxy_table() -> pd.DataFrame:
    """Returns one row per proxy: name, direction, passes, settings, labels, tasks, source."""
    rows = [
        {
            "proxy": f"[{proxy.name}](#{proxy.name})",
            "direction": proxy.direction,
            "passes": ", ".join(one.name for one in proxy.passes),
            "settings": ", ".join(sorted(map(section_name, proxy.reads))),
            "labels": "yes" if proxy.labels else "no",
            "defined for": proxy.tasks,
            "source": proxy.source,
        }
        for proxy in proxies.values()
    ]
    rows += [
        {
            "proxy": f"[{one.name}](#{one.name})",
            "direction": "higher",
            "passes": "those of " + ", ".join(one.needs),
            "settings": "",
            "labels": "no",
            "defined for": "populations of architectures",
            "source": one.doc.partition("Source: ")[2],
        }
        for one in populations.values()
    ]
    return pd.DataFrame(rows)


def _protected(doc: str) -> str:
    """Keeps paragraphs and protects the characters that Markdown would interpret."""
    return doc.replace("|", "\\|").replace("_", "\\_").replace("*", "\\*")
